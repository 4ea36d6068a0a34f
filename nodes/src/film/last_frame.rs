//! `LastFrame`: the frame a shot ends with, for the shot that goes on from it.

use longtake_graph::declare::{output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{ClipInfo, Cost, InferCx, InferError, Info, Keep, Lane};
use longtake_run::{Clip, RunCx, RunError, Value};

use crate::Node;
use crate::failure::no_frames;
use crate::node::one_way;

const DECLARATION: Declaration = Declaration {
    class: "LastFrame",
    title: "Last frame",
    title_ja: "最後のフレーム",
    category: "film",
    category_ja: "映像",
    help: "The last frame of a clip.",
    help_ja: "クリップの最後のフレームです。",
    inputs: &[socket("clip", Kind::IMAGE).help("The clip", "クリップ")],
    outputs: &[output("IMAGE", Kind::IMAGE)],
    internal: true,
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(
    &DECLARATION,
    infer,
    Lane::Cpu,
    Keep::Store,
    |_| one_way(Cost::default()),
    run,
);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let clip = cx.clip("clip")?;
    Ok(vec![Info::Clip(ClipInfo {
        frames: 1,
        fps: None,
        ..clip
    })])
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let clip = cx.clip("clip")?;
    let frames = clip.info().frames;
    if frames == 0 {
        return Err(no_frames("clip"));
    }
    Ok(vec![Value::Clip(Clip::from_frames(
        clip.read(frames - 1..frames)?,
    ))])
}
