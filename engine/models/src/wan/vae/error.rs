//! What can be wrong with a VAE file, a latent or a clip: what was expected, what came, what to do.

use std::path::PathBuf;

use super::structure::{GRID, TEMPORAL};
use crate::weights::WeightsError;

#[derive(Debug, thiserror::Error)]
pub enum VaeError {
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error(
        "not a Wan VAE: tensor `{missing}` is missing; expected wan_2.1_vae.safetensors, \
         wan2.2_vae.safetensors or the `vae` folder of a diffusers model"
    )]
    NotAVae { missing: String },
    #[error("VAE tensor `{name}`: expected [out, in, ..] channels, found shape {found:?}")]
    Rank { name: String, found: Vec<usize> },
    #[error("VAE layer `{name}`: expected {expected} channels from its neighbour, found {found}")]
    Chain {
        name: String,
        expected: usize,
        found: usize,
    },
    #[error(
        "VAE grid: this file scales {space}x in space and {time}x in time; \
         the layers of Wan's have {GRID}x and {TEMPORAL}x"
    )]
    Grid { space: usize, time: usize },
    #[error("the VAE was loaded without its {part}: load it with `Parts::Both` or `Parts::{part}`")]
    PartNotLoaded { part: &'static str },
    #[error(
        "latent: expected [1, {z}, frames, height/{spatial}, width/{spatial}] with no axis empty, \
         found {found:?}"
    )]
    LatentShape {
        z: usize,
        spatial: usize,
        found: [usize; 5],
    },
    #[error(
        "frames: expected [1, {channels}, frames, height, width], height and width multiples of \
         {spatial} and no axis empty, found {found:?}; scale or crop them first, the nearest size \
         (height x width) is {}x{}",
        nearest(found[3], *spatial),
        nearest(found[4], *spatial)
    )]
    FrameShape {
        channels: usize,
        spatial: usize,
        found: [usize; 5],
    },
    #[error(
        "frames: expected {height}x{width} (height x width) as before, found {found_height}x{found_width}"
    )]
    FrameSizeChanged {
        height: usize,
        width: usize,
        found_height: usize,
        found_width: usize,
    },
    #[error("encode: no frame was given; at least one is needed")]
    NoFrames,
    #[error(
        "VAE tile: {tile_px} px with {overlap_px} px overlap; both must be multiples of {GRID}, \
         the tile at least {GRID} px and the overlap at most half of it"
    )]
    Tile { tile_px: usize, overlap_px: usize },
    #[error("frames of tiles in {}: {source}; is the disk full?", folder.display())]
    Scratch {
        folder: PathBuf,
        source: std::io::Error,
    },
    #[error("tiles: {0}")]
    Order(&'static str),
}

/// The multiple of `step` next to `n`, at least one.
fn nearest(n: usize, step: usize) -> usize {
    ((n + step / 2) / step).max(1) * step
}
