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
    category_ja: "潜在表現",
    help: "Turns a latent into frames in overlapping, cross-faded tiles, one tile after the other: the \
           device holds one tile. Time is never cut: every tile keeps what its layers remember of \
           earlier frames, so the frames are exact for any length, and the temporal sizes of \
           ComfyUI's node change nothing.",
    help_ja: "潜在表現を、重なりをぼかしてつなぐタイルごとに順にフレームにします。デバイスには \
              1 タイル分だけを置きます。時間方向は分割しません。\
              各タイルは前のフレームの状態を引き継ぐので、どんな長さでもフレームは正確で、\
              ComfyUI のノードにある時間方向のサイズは結果を変えません。",
    inputs: &[
        socket("samples", Kind::LATENT).help("The latent", "潜在表現"),
        socket("vae", Kind::VAE).help("The VAE", "VAE"),
        int("tile_size", 512)
            .within(64, 4096)
            .step(32)
            .unit("px")
            .help(
                "Side of a tile. Smaller needs less memory and more time",
                "タイルの一辺。小さいほどメモリは減り、時間は増えます。",
            ),
        int("overlap", 64).within(0, 4096).step(32).unit("px").help(
            "Overlap of tiles, at most a quarter of them as in ComfyUI; widened to 96 (Wan \
                 2.2's VAE: 192) where the tile has room, since seams show below. 0: a hard cut",
            "タイルの重なり。ComfyUI と同じくタイルの 4 分の 1 までです。\
                 それより狭いと継ぎ目が見えるため、余裕があれば 96(Wan 2.2 の VAE では \
                 192)まで広げます。0 なら重ねずに切ります。",
        ),
        int("temporal_size", 64)
            .within(8, 4096)
            .step(4)
            .unit("frames")
            .help(
                "Taken for ComfyUI's sake; time is always exact",
                "ComfyUI との互換用です。時間方向は常に正確です。",
            ),
        int("temporal_overlap", 8)
            .within(4, 4096)
            .step(4)
            .unit("frames")
            .help(
                "Taken for ComfyUI's sake; time is always exact",
                "ComfyUI との互換用です。時間方向は常に正確です。",
            ),
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
