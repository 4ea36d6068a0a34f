//! `ShotBody`: what of a shot's clip its transitions leave.

use longtake_graph::declare::{int, output, socket};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{ClipInfo, InferCx, InferError, Info};
use longtake_run::{RunCx, RunError, Value};

use super::recipe::{Part, floats_cost, join};
use crate::Node;
use crate::failure::IntoRunError;

const DECLARATION: Declaration = Declaration {
    class: "ShotBody",
    title: "Shot body",
    title_ja: "ショット本体",
    category: "film",
    category_ja: "映像",
    help: "A clip without its first and last frames.",
    help_ja: "クリップから最初と最後のフレームを除いたものです。",
    inputs: &[
        socket("clip", Kind::IMAGE).help("The clip", "クリップ"),
        int("trim_start", 0)
            .unit("frames")
            .help("Frames left out at the start", "先頭で除くフレーム数"),
        int("trim_end", 0)
            .unit("frames")
            .help("Frames left out at the end", "末尾で除くフレーム数"),
    ],
    outputs: &[output("IMAGE", Kind::IMAGE)],
    internal: true,
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::lazy(&DECLARATION, infer, floats_cost, run);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let clip = cx.clip("clip")?;
    let trims = [cx.int("trim_start")?, cx.int("trim_end")?].map(|it| it.max(0) as u64);
    match clip.frames.checked_sub(trims[0].saturating_add(trims[1])) {
        Some(frames) if frames > 0 => Ok(vec![Info::Clip(ClipInfo { frames, ..clip })]),
        _ => Err(no_room(clip.frames, trims)),
    }
}

/// Nothing is left between the transitions.
fn no_room(frames: u64, [start, end]: [u64; 2]) -> InferError {
    InferError::at(
        "transition_too_long",
        "clip",
        say!(
            "the clip has {frames} frames, and {start} at its start and {end} at its end belong to transitions; make the shot longer or the transitions shorter",
            "クリップは {frames} フレームですが、先頭の {start} と末尾の {end} フレームがトランジションに使われます。ショットを長くするか、トランジションを短くしてください。"
        ),
    )
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let clip = cx.clip("clip")?;
    let trims = [cx.int("trim_start")?, cx.int("trim_end")?].map(|it| it.max(0) as u64);
    let info = clip.info();
    let (start, end) = (trims[0], info.frames.saturating_sub(trims[1]));
    if start >= end {
        return Err(no_room(info.frames, trims).into_run_error());
    }
    let info = ClipInfo {
        frames: end - start,
        ..info
    };
    Ok(vec![Value::Clip(join(
        info,
        vec![Part {
            clip,
            range: start..end,
        }],
    ))])
}
