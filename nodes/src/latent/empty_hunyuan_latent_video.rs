//! `EmptyHunyuanLatentVideo`: zeros in the shape of a video, for text to video.

use longtake_graph::declare::{int, output};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{Cost, InferCx, InferError, Info, Keep, Lane, LatentInfo};
use longtake_run::{Latent, RunCx, RunError, Value};

use crate::Node;
use crate::failure::unplanned;
use crate::node::one_way;

const DECLARATION: Declaration = Declaration {
    class: "EmptyHunyuanLatentVideo",
    title: "Empty latent video",
    title_ja: "空の潜在動画",
    category: "latent/video",
    category_ja: "潜在表現/動画",
    help: "An empty latent for text to video. Wan's grid: sizes in steps of 16, 4k + 1 frames.",
    help_ja: "テキストから動画を作るための空の潜在表現です。Wan では、サイズは 16 刻み、\
              フレーム数は 4k + 1 です。",
    inputs: &[
        int("width", 848)
            .within(16, 16384)
            .step(16)
            .unit("px")
            .help("Frame width", "フレームの幅"),
        int("height", 480)
            .within(16, 16384)
            .step(16)
            .unit("px")
            .help("Frame height", "フレームの高さ"),
        int("length", 25)
            .within(1, 16384)
            .step(4)
            .unit("frames")
            .help("Frames, 4k + 1", "フレーム数(4k + 1)"),
        int("batch_size", 1)
            .within(1, 4096)
            .help("Independent samples", "独立したサンプルの数"),
    ],
    outputs: &[output("LATENT", Kind::LATENT)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(
    &DECLARATION,
    infer,
    Lane::Cpu,
    Keep::Memory,
    |_| one_way(Cost::default()),
    run,
);

/// Channels of Wan's and Hunyuan's latents.
const CHANNELS: u32 = 16;
/// Most values a latent may have: 8 GiB of floats.
const MOST: u64 = 2 << 30;

/// A size on a grid of `step`, counted from 0, or an error with the nearest allowed values.
///
/// # Errors
/// `size_not_multiple`.
pub fn on_grid(name: &str, value: i64, step: i64) -> Result<u32, InferError> {
    if value > 0 && value % step == 0 {
        return Ok(value as u32);
    }
    let below = (value / step * step).max(step);
    Err(InferError::at(
        "size_not_multiple",
        name,
        say!(
            "expected a multiple of {step}, found {value}; the nearest are {below} and {}",
            "{step} の倍数にしてください(現在: {value})。近い値は {below} と {} です。",
            below + step
        ),
    ))
}

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let width = on_grid("width", cx.int("width")?, 16)? / 8;
    let height = on_grid("height", cx.int("height")?, 16)? / 8;
    let length = cx.int("length")?;
    if length < 1 || (length - 1) % 4 != 0 {
        let below = ((length - 1).max(0) / 4) * 4 + 1;
        return Err(InferError::at(
            "length_not_4k1",
            "length",
            say!(
                "expected 4k + 1 frames, found {length}; the nearest are {below} and {}",
                "フレーム数は 4k + 1 にしてください(現在: {length})。近い値は {below} と {} です。",
                below + 4
            ),
        ));
    }
    let frames = ((length - 1) / 4 + 1) as u32;
    let batch = cx.int("batch_size")?.max(1) as u32;
    let latent = LatentInfo {
        batch,
        channels: CHANNELS,
        frames,
        height,
        width,
    };
    if latent.elements() > MOST {
        return Err(InferError::at(
            "size_too_large",
            "length",
            say!(
                "a latent of {batch}×{CHANNELS}×{frames}×{height}×{width} has {} values, more than \
                 the {MOST} that can be held; lower width, height, length or batch_size",
                "{batch}×{CHANNELS}×{frames}×{height}×{width} の潜在表現は値が {} 個になり、扱える上限の {MOST} 個を\
                 超えます。width、height、length、batch_size のいずれかを小さくしてください。",
                latent.elements()
            ),
        ));
    }
    Ok(vec![Info::Latent(latent)])
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let Some(Info::Latent(info)) = cx.output_info(0).cloned() else {
        return Err(unplanned(&say!("this latent's size", "潜在表現のサイズ")));
    };
    let data = vec![0.0; info.elements() as usize];
    Ok(vec![Value::Latent(Latent::new(info, data))])
}
