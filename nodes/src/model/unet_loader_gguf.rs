//! `UnetLoaderGGUF`: city96/ComfyUI-GGUF's loader, for graphs that have it. [`super::unet_loader`]
//! reads the same files.

use longtake_graph::declare::{model_file, output};
use longtake_graph::{Declaration, Kind, ModelFolder};
use longtake_plan::{InferCx, InferError, Info};

use super::loading::checkpoint;
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "UnetLoaderGGUF",
    title: "Load diffusion model (GGUF)",
    title_ja: "拡散モデルを読み込む (GGUF)",
    category: "bootleg",
    category_ja: "非公式",
    help: "A Wan diffusion model in GGUF (Q8_0, Q4_K and the like) from models/diffusion_models. Its \
           weights are kept as stored and widened when a layer is used.",
    help_ja: "models/diffusion_models にある GGUF(Q8_0、Q4_K など)の Wan 拡散モデルです。\
              重みは保存形式のまま持ち、層を使うときに展開します。",
    inputs: &[model_file("unet_name", ModelFolder::DiffusionModels)
        .help("A .gguf file", ".gguf のファイル")],
    outputs: &[output("MODEL", Kind::MODEL)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let folder = ModelFolder::DiffusionModels;
    let weights = checkpoint(cx, "unet_name", folder, &["wan-dit"], &[])?;
    Ok(vec![Info::Weights(weights.into())])
}
