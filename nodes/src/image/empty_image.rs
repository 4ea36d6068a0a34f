//! `EmptyImage`: frames of one colour.

use longtake_graph::declare::{int, output};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{ClipInfo, InferCx, InferError, Info};
use longtake_run::{Frame, Pixels, RunCx, RunError, Value};

use crate::Node;
use crate::film::recipe::{Drawn, drawn_cost};

const DECLARATION: Declaration = Declaration {
    class: "EmptyImage",
    title: "Empty image",
    title_ja: "空の画像",
    category: "image",
    category_ja: "画像",
    help: "Frames of one colour.",
    help_ja: "単色のフレームです。",
    inputs: &[
        int("width", 512)
            .within(1, 16384)
            .unit("px")
            .help("Width", "幅"),
        int("height", 512)
            .within(1, 16384)
            .unit("px")
            .help("Height", "高さ"),
        int("batch_size", 1)
            .within(1, 4096)
            .unit("frames")
            .help("Number of frames", "フレーム数"),
        int("color", 0).within(0, 0xFF_FFFF).help(
            "Red × 65536 + green × 256 + blue",
            "赤 × 65536 + 緑 × 256 + 青",
        ),
    ],
    outputs: &[output("IMAGE", Kind::IMAGE)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::lazy(&DECLARATION, infer, drawn_cost, run);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let side = |name: &str| cx.int(name).map(|it| it.clamp(1, 16384) as u32);
    Ok(vec![Info::Clip(ClipInfo {
        frames: cx.int("batch_size")?.max(1) as u64,
        width: side("width")?,
        height: side("height")?,
        channels: 3,
        fps: None,
    })])
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let side = |name: &str| cx.int(name).map(|it| it.clamp(1, 16384) as u32);
    let (width, height) = (side("width")?, side("height")?);
    let frames = cx.int("batch_size")?.max(1) as u64;
    let [_, r, g, b] = (cx.int("color")?.clamp(0, 0xFF_FFFF) as u32).to_be_bytes();
    let draw = move || {
        let data = [r, g, b].repeat(width as usize * height as usize);
        Ok(Frame::new(width, height, 3, Pixels::U8(data)))
    };
    let info = ClipInfo {
        frames,
        width,
        height,
        channels: 3,
        fps: None,
    };
    Ok(vec![Value::Clip(Drawn::new(draw).clip(info))])
}
