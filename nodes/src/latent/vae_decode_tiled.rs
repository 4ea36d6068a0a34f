//! `VAEDecodeTiled`: a latent to frames in tiles of the picture.

use longtake_graph::declare::{int, output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{CostCx, Keep, Lane, Rung};

use super::vae;
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "VAEDecodeTiled",
    title: "VAE decode (tiled)",
    title_ja: "VAE デコード（タイル）",
    category: "latent",
    help: "Turns a latent into frames in overlapping, cross-faded tiles, one tile after the other: the \
           device holds one tile. Time is never cut: every tile keeps what its layers remember of \
           earlier frames, so the frames are exact for any length, and the temporal sizes of \
           ComfyUI's node change nothing.",
    inputs: &[
        socket("samples", Kind::LATENT).help("The latent"),
        socket("vae", Kind::VAE).help("The VAE"),
        int("tile_size", 512)
            .within(64, 4096)
            .step(32)
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
    outputs: &[output("IMAGE", Kind::IMAGE)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(
    &DECLARATION,
    vae::infer_decode,
    Lane::Device,
    Keep::Memory,
    rungs,
    vae::decode,
);

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    vae::decode_rungs(cx, vae::asked(cx).ok())
}
