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
    category_ja: "潜在表現",
    help: "Turns frames into a latent in overlapping, cross-faded tiles, one tile after the other: the \
           device holds one tile, and the frames are read once per tile. Time is never cut, so the \
           temporal sizes of ComfyUI's node change nothing.",
    help_ja: "フレームを、重なりをぼかしてつなぐタイルごとに順に潜在表現にします。デバイスには \
              1 タイル分だけを置き、フレームはタイルごとに 1 回読みます。\
              時間方向は分割しないので、ComfyUI のノードにある時間方向のサイズは結果を変えませ\
              ん。",
    inputs: &[
        socket("pixels", Kind::IMAGE).help("The frames", "フレーム"),
        socket("vae", Kind::VAE).help("The VAE", "VAE"),
        int("tile_size", 512)
            .within(64, 4096)
            .step(64)
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
