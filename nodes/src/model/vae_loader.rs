//! `VAELoader`: names a VAE.

use longtake_graph::declare::{model_file, output};
use longtake_graph::{Declaration, Kind, ModelFolder};
use longtake_plan::{InferCx, InferError, Info};

use super::loading::checkpoint;
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "VAELoader",
    title: "Load VAE",
    title_ja: "VAE を読み込む",
    category: "loaders",
    category_ja: "読み込み",
    help: "A Wan VAE from models/vae: wan_2.1_vae (16 channels; Wan 2.1 and Wan 2.2 A14B) or \
           wan2.2_vae (48 channels; Wan 2.2 TI2V-5B).",
    help_ja: "models/vae にある Wan の VAE です。wan_2.1_vae(16 チャンネル、Wan 2.1 と Wan 2.2 \
              A14B 用)または wan2.2_vae(48 チャンネル、Wan 2.2 TI2V-5B 用)を使います。",
    inputs: &[model_file("vae_name", ModelFolder::Vae).help(
        "File or diffusers folder",
        "ファイル、または diffusers のフォルダー",
    )],
    outputs: &[output("VAE", Kind::VAE)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let families = ["wan-vae-2.1", "wan-vae-2.2"];
    let weights = checkpoint(cx, "vae_name", ModelFolder::Vae, &families, &[])?;
    Ok(vec![Info::Weights(weights.into())])
}
