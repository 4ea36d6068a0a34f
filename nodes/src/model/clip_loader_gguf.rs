//! `CLIPLoaderGGUF`: city96/ComfyUI-GGUF's loader, for graphs that have it. [`super::clip_loader`]
//! reads the same files.

use longtake_graph::declare::{choice, model_file, output};
use longtake_graph::{Declaration, Kind, ModelFolder};

use super::clip_loader::{TYPES, infer};
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "CLIPLoaderGGUF",
    title: "Load text encoder (GGUF)",
    title_ja: "テキストエンコーダーを読み込む (GGUF)",
    category: "bootleg",
    category_ja: "非公式",
    help: "A UMT5 text encoder in GGUF from models/text_encoders, with the tokenizer in its metadata.",
    help_ja: "models/text_encoders にある GGUF の UMT5 テキストエンコーダーです。\
              トークナイザーはメタデータに含まれています。",
    inputs: &[
        model_file("clip_name", ModelFolder::TextEncoders).help(
            "A .gguf or .safetensors file",
            ".gguf または .safetensors のファイル",
        ),
        choice("type", "wan", TYPES).help("The model it is for: wan", "対象のモデル: wan"),
    ],
    outputs: &[output("CLIP", Kind::CLIP)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);
