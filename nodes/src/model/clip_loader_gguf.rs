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
    help: "A UMT5 text encoder in GGUF from models/text_encoders, with the tokenizer in its metadata.",
    inputs: &[
        model_file("clip_name", ModelFolder::TextEncoders).help("A .gguf or .safetensors file"),
        choice("type", "wan", TYPES).help("The model it is for: wan"),
    ],
    outputs: &[output("CLIP", Kind::CLIP)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);
