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
    help: "A Wan 2.1 VAE from models/vae.",
    inputs: &[model_file("vae_name", ModelFolder::Vae).help("File or diffusers folder")],
    outputs: &[output("VAE", Kind::VAE)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let weights = checkpoint(cx, "vae_name", ModelFolder::Vae, &["wan-vae-2.1"], &[])?;
    Ok(vec![Info::Weights(weights.into())])
}
