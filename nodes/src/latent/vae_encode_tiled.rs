//! `VAEEncodeTiled`: frames to a latent in tiles of the picture.

use longtake_graph::declare::{int, output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{CostCx, Keep, Lane, Rung};

use super::vae;
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "VAEEncodeTiled",
    title: "VAE encode (tiled)",
    title_ja: "VAE エンコード（タイル）",
    category: "latent",
    help: "Turns frames into a latent in overlapping, cross-faded tiles, one tile after the other: the \
           device holds one tile, and the frames are read once per tile. Time is never cut, so the \
           temporal sizes of ComfyUI's node change nothing.",
    inputs: &[
        socket("pixels", Kind::IMAGE).help("The frames"),
        socket("vae", Kind::VAE).help("The VAE"),
        int("tile_size", 512)
            .within(64, 4096)
            .step(64)
            .unit("px")
            .help("Side of a tile. Smaller needs less memory and more time"),
        int("overlap", 64).within(0, 4096).step(32).unit("px").help(
            "Overlap of tiles, at most a quarter of them as in ComfyUI; widened to 96 (Wan 2.2's \
                 VAE: 192) where the tile has room, since seams show below. 0: a hard cut",
        ),
        int("temporal_size", 64)
            .within(8, 4096)
            .step(4)
            .unit("frames")
            .help("Taken for ComfyUI's sake; time is always exact"),
        int("temporal_overlap", 8)
            .within(4, 4096)
            .step(4)
            .unit("frames")
            .help("Taken for ComfyUI's sake; time is always exact"),
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
    rungs,
    vae::encode,
);

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    vae::encode_rungs(cx, vae::asked(cx).ok())
}
