//! `UNETLoader`: names a diffusion model.

use longtake_graph::declare::{choice, model_file, output};
use longtake_graph::{Declaration, Kind, ModelFolder};
use longtake_plan::{InferCx, InferError, Info};
use serde_json::json;

use super::loading::{WEIGHT_DTYPES, checkpoint};
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "UNETLoader",
    title: "Load diffusion model",
    title_ja: "拡散モデルを読み込む",
    category: "loaders",
    category_ja: "読み込み",
    help: "A Wan diffusion model from models/diffusion_models, safetensors or GGUF. The file is mapped \
           when a step needs it; quantised weights are kept as stored.",
    help_ja: "models/diffusion_models にある Wan の拡散モデル(safetensors または GGUF)です。\
              ファイルはステップで必要になったときに開き、\
              量子化された重みは保存形式のまま使います。",
    inputs: &[
        model_file("unet_name", ModelFolder::DiffusionModels).help(
            "File or diffusers folder",
            "ファイル、または diffusers のフォルダー",
        ),
        choice("weight_dtype", "default", WEIGHT_DTYPES).help(
            "fp8 rounds the blocks' weights to one byte each. Quantised files stay as they are",
            "fp8 はブロックの重みを 1 バイトずつに丸めます。量子化済みのファイルはそのままです。",
        ),
    ],
    outputs: &[output("MODEL", Kind::MODEL)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let dtype = json!(cx.text("weight_dtype")?);
    let weights = checkpoint(
        cx,
        "unet_name",
        ModelFolder::DiffusionModels,
        &["wan-dit"],
        &[("weight_dtype", dtype)],
    )?;
    Ok(vec![Info::Weights(weights.into())])
}
