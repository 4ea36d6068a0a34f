//! `GetVideoComponents`: a video's frames and its rate.

use longtake_graph::declare::{output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{Cost, InferCx, InferError, Info};
use longtake_run::{RunCx, RunError, Value};
use serde_json::{Value as Json, json};

use crate::{Node, rate};

const DECLARATION: Declaration = Declaration {
    class: "GetVideoComponents",
    title: "Get video components",
    title_ja: "動画の要素を取り出す",
    category: "image/video",
    category_ja: "画像/動画",
    help: "Frames and rate of a video. Sound is not read yet.",
    help_ja: "動画のフレームとフレームレートを取り出します。音声はまだ読み込みません。",
    inputs: &[socket("video", Kind::VIDEO).help("The video", "動画")],
    outputs: &[
        output("images", Kind::IMAGE),
        output("audio", Kind::AUDIO),
        output("fps", Kind::FLOAT),
    ],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::lazy(&DECLARATION, infer, |_| Cost::default(), run);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let clip = cx.clip("video")?;
    let fps = clip
        .fps
        .map_or(Json::Null, |fps| json!(rate::to_float(fps)));
    Ok(vec![Info::Clip(clip), Info::Nothing, Info::Constant(fps)])
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let clip = cx.clip("video")?;
    let fps = clip
        .info()
        .fps
        .map_or(Json::Null, |fps| json!(rate::to_float(fps)));
    Ok(vec![
        Value::Clip(clip),
        Value::Json(Json::Null),
        Value::Json(fps),
    ])
}
