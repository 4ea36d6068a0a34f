//! `RepeatImageBatch`: a clip several times.

use longtake_graph::declare::{int, output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{ClipInfo, InferCx, InferError, Info};
use longtake_run::{RunCx, RunError, Value};

use crate::Node;
use crate::film::recipe::{Part, floats_cost, join};

const DECLARATION: Declaration = Declaration {
    class: "RepeatImageBatch",
    title: "Repeat images",
    title_ja: "画像を繰り返す",
    category: "image/batch",
    category_ja: "画像/バッチ",
    help: "The frames of a clip over and over.",
    help_ja: "クリップのフレームを繰り返します。",
    inputs: &[
        socket("image", Kind::IMAGE).help("The frames", "フレーム"),
        int("amount", 1)
            .within(1, 4096)
            .help("How many times", "繰り返す回数"),
    ],
    outputs: &[output("IMAGE", Kind::IMAGE)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::lazy(&DECLARATION, infer, floats_cost, run);

fn repeated(clip: ClipInfo, amount: i64) -> ClipInfo {
    ClipInfo {
        frames: clip.frames.saturating_mul(amount.max(1) as u64),
        ..clip
    }
}

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    Ok(vec![Info::Clip(repeated(
        cx.clip("image")?,
        cx.int("amount")?,
    ))])
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let (clip, amount) = (cx.clip("image")?, cx.int("amount")?.clamp(1, 4096));
    let parts = (0..amount).map(|_| Part::whole(clip.clone())).collect();
    Ok(vec![Value::Clip(join(
        repeated(clip.info(), amount),
        parts,
    ))])
}
