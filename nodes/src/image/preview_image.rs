//! `PreviewImage`: frames as PNG files to look at, under `temp/` of `--output`.

use longtake_graph::declare::socket;
use longtake_graph::{Declaration, Kind};
use longtake_plan::{InferCx, InferError, Info, Keep, Lane};
use longtake_run::{RunCx, RunError, Value};

use super::save_image::{rungs, save};
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "PreviewImage",
    title: "Preview image",
    title_ja: "画像をプレビュー",
    category: "image",
    category_ja: "画像",
    help: "Writes every frame as a PNG under temp/ of --output, to be looked at and thrown away.",
    help_ja: "すべてのフレームを --output の temp/ に PNG で書き出します。確認用で、\
              残す必要のないものです。",
    inputs: &[socket("images", Kind::IMAGE).help("The frames", "フレーム")],
    output_node: true,
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(&DECLARATION, infer, Lane::Cpu, Keep::Output, rungs, run);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    cx.clip("images").map(|_| Vec::new())
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    save(cx, "temp/preview").map(|value| vec![value])
}
