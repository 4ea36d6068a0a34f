//! `VAEEncode`: frames to a latent, in portions.

use longtake_graph::declare::{output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{Keep, Lane};

use super::vae;
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "VAEEncode",
    title: "VAE encode",
    title_ja: "VAE エンコード",
    category: "latent",
    category_ja: "潜在表現",
    help: "Turns frames into a latent. Sizes off the VAE's grid (8 pixels; Wan 2.2's 16) are cropped \
           at the centre, and frames beyond 4k + 1 are left out, as in ComfyUI.",
    help_ja: "フレームを潜在表現にします。VAE の刻み(8 ピクセル、Wan 2.2 では \
              16)に合わないサイズは中央を切り取り、4k + 1 を超えるフレームは除きます。ComfyUI \
              と同じです。",
    inputs: &[
        socket("pixels", Kind::IMAGE).help("The frames", "フレーム"),
        socket("vae", Kind::VAE).help("The VAE", "VAE"),
    ],
    outputs: &[output("LATENT", Kind::LATENT)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(
    &DECLARATION,
    vae::infer_encode,
    Lane::Device,
    Keep::Store,
    |cx| vae::encode_rungs(cx, None),
    vae::encode,
);
