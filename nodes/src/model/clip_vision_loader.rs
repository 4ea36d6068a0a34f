//! `CLIPVisionLoader`: names a vision encoder.

use longtake_graph::declare::{model_file, output};
use longtake_graph::{Declaration, Kind, ModelFolder};
use longtake_plan::{InferCx, InferError, Info};

use super::loading::checkpoint;
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "CLIPVisionLoader",
    title: "Load CLIP vision encoder",
    title_ja: "CLIP ビジョンエンコーダーを読み込む",
    category: "loaders",
    category_ja: "読み込み",
    help: "CLIP's vision encoder from models/clip_vision. Wan 2.1 image to video needs ViT-H/14.",
    help_ja: "models/clip_vision にある CLIP のビジョンエンコーダーです。Wan 2.1 \
              の画像から動画には ViT-H/14 が必要です。",
    inputs: &[model_file("clip_name", ModelFolder::ClipVision).help(
        "File or transformers folder, such as clip_vision_h.safetensors",
        "ファイル、または transformers のフォルダー(clip_vision_h.safetensors など)",
    )],
    outputs: &[output("CLIP_VISION", Kind::CLIP_VISION)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let folder = ModelFolder::ClipVision;
    let weights = checkpoint(cx, "clip_name", folder, &["clip-vision"], &[])?;
    Ok(vec![Info::Weights(weights.into())])
}
