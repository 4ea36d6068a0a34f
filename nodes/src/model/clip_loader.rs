//! `CLIPLoader`: names a text encoder. "CLIP" is ComfyUI's name for any text encoder.

use longtake_graph::declare::{choice, model_file, output};
use longtake_graph::{Declaration, Kind, ModelFolder, say};
use longtake_plan::{InferCx, InferError, Info};

use super::loading::checkpoint;
use crate::Node;

pub(super) const TYPES: &[&str] = &[
    "stable_diffusion",
    "stable_cascade",
    "sd3",
    "stable_audio",
    "mochi",
    "ltxv",
    "pixart",
    "cosmos",
    "lumina2",
    "wan",
    "hidream",
    "chroma",
    "ace",
    "omnigen2",
    "qwen_image",
    "hunyuan_image",
];

const DECLARATION: Declaration = Declaration {
    class: "CLIPLoader",
    title: "Load text encoder",
    title_ja: "テキストエンコーダーを読み込む",
    category: "loaders",
    category_ja: "読み込み",
    help: "A UMT5 text encoder from models/text_encoders, safetensors or GGUF, with the tokenizer inside \
           the file.",
    help_ja: "models/text_encoders にある UMT5 テキストエンコーダー(safetensors または \
              GGUF)です。トークナイザーはファイルに含まれています。",
    inputs: &[
        model_file("clip_name", ModelFolder::TextEncoders).help(
            "File or diffusers folder",
            "ファイル、または diffusers のフォルダー",
        ),
        choice("type", "wan", TYPES).help("The model it is for: wan", "対象のモデル: wan"),
        choice("device", "default", &["default", "cpu"])
            .optional()
            .help(
                "Kept for ComfyUI's graphs. The plan decides where it runs",
                "ComfyUI のグラフとの互換用です。どこで実行するかはプランが決めます。",
            ),
    ],
    outputs: &[output("CLIP", Kind::CLIP)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

pub(super) fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let kind = cx.text("type")?;
    if kind != "wan" {
        return Err(InferError::at(
            "value_not_supported",
            "type",
            say!(
                "text encoders of type `{kind}` cannot be run yet; choose `wan`",
                "種類「{kind}」のテキストエンコーダーはまだ実行できません。「wan」を選んでください。"
            ),
        ));
    }
    let weights = checkpoint(cx, "clip_name", ModelFolder::TextEncoders, &["umt5"], &[])?;
    Ok(vec![Info::Weights(weights.into())])
}
