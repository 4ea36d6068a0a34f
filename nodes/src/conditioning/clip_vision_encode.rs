//! `CLIPVisionEncode`: what a picture shows, as tokens.

use std::ops::ControlFlow;

use longtake_graph::declare::{choice, output, socket};
use longtake_graph::{Declaration, Kind, Sentence, say};
use longtake_models::Tensor;
use longtake_models::clip::{ClipDims, ClipVision};
use longtake_plan::{Cost, CostCx, InferCx, InferError, Info, Keep, Lane, Rung, WeightsInfo};
use longtake_run::{Conditioning, RunCx, RunError, Value};

use crate::Node;
use crate::failure::{OrFail, no_frames, off_device, unreadable};
use crate::node::one_way;
use crate::picture::clip_pixels::clip_pixels;

const DECLARATION: Declaration = Declaration {
    class: "CLIPVisionEncode",
    title: "Encode image with CLIP",
    title_ja: "画像を CLIP でエンコード",
    category: "conditioning",
    category_ja: "コンディショニング",
    help: "Describes a picture to a video model: the 257 tokens that enter the last block of CLIP's \
           vision encoder.",
    help_ja: "画像の内容を動画モデルに伝えます。CLIP のビジョンエンコーダーの最終ブロックに入る \
              257 個のトークンです。",
    inputs: &[
        socket("clip_vision", Kind::CLIP_VISION).help("The vision encoder", "ビジョンエンコーダー"),
        socket("image", Kind::IMAGE).help("One picture", "画像 1 枚"),
        choice("crop", "center", &["center", "none"]).help(
            "center cuts the picture square; none squeezes it, as Wan was trained",
            "center: 画像を正方形に切り取る、none: 正方形に縮める(Wan の学習時と同じ)",
        ),
    ],
    outputs: &[output("CLIP_VISION_OUTPUT", Kind::CLIP_VISION_OUTPUT)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(&DECLARATION, infer, Lane::Device, Keep::Store, rungs, run);

/// Sizes of the encoder, as `facts.rs` tells them.
fn dims(weights: &WeightsInfo) -> Result<ClipDims, Sentence> {
    Ok(ClipDims {
        width: weights.dim("dim")?,
        mlp: weights.dim("ffn_dim")?,
        heads: weights.dim("heads")?,
        layers: weights.dim("layers")?,
        patch: weights.dim("patch")?,
        tokens: weights.dim("tokens")?,
    })
}

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let frames = cx.clip("image")?.frames;
    if frames != 1 {
        let message = say!(
            "expected one picture, found {frames} frames; choose one with ImageFromBatch",
            "画像は 1 枚だけにしてください(現在: {frames} フレーム)。ImageFromBatch で 1 枚選べます。"
        );
        return Err(InferError::at("not_one_picture", "image", message));
    }
    let dims = dims(cx.weights("clip_vision")?).map_err(unreadable("clip_vision"))?;
    Ok(vec![Info::text(dims.tokens as u32, dims.width as u32)])
}

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    let (Ok(weights), Ok(clip)) = (cx.weights("clip_vision"), cx.clip("image")) else {
        return one_way(Cost::default());
    };
    let Ok(dims) = dims(weights) else {
        return one_way(Cost::default());
    };
    let (pixels, side) = (
        u64::from(clip.width) * u64::from(clip.height),
        dims.image_side() as u64,
    );
    let whole = Cost {
        flops: dims.flops(1),
        device_bytes: dims.workspace_bytes(1) + 3 * side * side * 4,
        // The picture, twice if it was not RGB, and its floats in the encoder's size.
        host_bytes: 2 * pixels * 4 * 4 + 4 * 3 * side * side * 4,
        ..Cost::default()
    };
    let mut rungs = one_way(whole);
    rungs.push(Rung {
        name: "streamed".to_owned(),
        settings: std::collections::BTreeMap::new(),
        cost: Cost {
            // The block in memory is counted by the planner.
            seconds: weights.bytes as f64 / cx.machine.load_bytes_per_second,
            ..whole
        },
        streams: vec!["clip_vision"],
    });
    rungs
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let clip = cx.model::<ClipVision>("clip_vision")?;
    let crop = cx.text("crop")? == "center";
    let frames = cx.clip("image")?.read(0..1)?;
    let frame = frames.first().ok_or_else(|| no_frames("image"))?;
    cx.progress(0, 1, "picture")?;
    let side = clip.dims().image_side();
    let pixels = clip_pixels(frame, side as u32, crop);
    let device = crate::model::device::handle(&cx.env.device)?;
    let pixels = Tensor::<1>::from_floats(pixels.as_slice(), device).reshape([1, 3, side, side]);
    let cancel = cx.env.cancel.clone();
    let mut hook = |_: usize, _: usize| {
        if cancel.is_cancelled() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let tokens = clip.encode(pixels, &mut hook).or_fail()?;
    let [_, rows, width] = tokens.dims();
    let data: Vec<f32> = tokens
        .into_data()
        .convert::<f32>()
        .into_vec()
        .map_err(|e| off_device(&say!("the picture's tokens", "画像のトークン"), &e))?;
    Ok(vec![Value::Conditioning(Conditioning::text(
        rows as u32,
        width as u32,
        data,
    ))])
}
