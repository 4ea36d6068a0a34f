//! `VAEDecode`: a latent to frames, one latent frame at a time.

use longtake_graph::declare::{output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{Keep, Lane};

use super::vae;
pub use super::vae::dims;
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "VAEDecode",
    title: "VAE decode",
    title_ja: "VAE デコード",
    category: "latent",
    category_ja: "潜在表現",
    help: "Turns a latent into frames. Frames go to scratch as they come, so memory does not grow \
           with the length. Where whole frames do not fit, the plan takes tiles.",
    help_ja: "潜在表現をフレームにします。できたフレームから一時領域に書くため、\
              長くてもメモリは増えません。フレーム全体が収まらない場合は、\
              プランがタイルに分けます。",
    inputs: &[
        socket("samples", Kind::LATENT).help("The latent", "潜在表現"),
        socket("vae", Kind::VAE).help("The VAE", "VAE"),
    ],
    outputs: &[output("IMAGE", Kind::IMAGE)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(
    &DECLARATION,
    vae::infer_decode,
    Lane::Device,
    Keep::Memory,
    |cx| vae::decode_rungs(cx, None),
    vae::decode,
);
