//! What can be wrong with a VAE file, a latent or a clip: what was expected, what came, what to do.

use super::structure::{SPATIAL, TEMPORAL};
use crate::weights::WeightsError;

#[derive(Debug, thiserror::Error)]
pub enum VaeError {
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error(
        "not a Wan 2.1 VAE: tensor `{missing}` is missing; \
         expected wan_2.1_vae.safetensors or the `vae` folder of a diffusers model"
    )]
    NotAVae { missing: String },
    #[error(
        "this is the Wan 2.2 VAE (it has `{key}`), which belongs to TI2V-5B; \
         Wan 2.1 and the 2.2 A14B models need wan_2.1_vae.safetensors"
    )]
    Wan22 { key: String },
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
         Wan 2.1 has {SPATIAL}x and {TEMPORAL}x"
    )]
    Grid { space: usize, time: usize },
    #[error("the VAE was loaded without its {part}: load it with `Parts::Both` or `Parts::{part}`")]
    PartNotLoaded { part: &'static str },
    #[error(
        "latent: expected [1, {z}, frames, height/{SPATIAL}, width/{SPATIAL}] with no axis empty, \
         found {found:?}"
    )]
    LatentShape { z: usize, found: [usize; 5] },
    #[error(
        "frames: expected [1, {channels}, frames, height, width], height and width multiples of \
         {SPATIAL} and no axis empty, found {found:?}; scale or crop them first"
    )]
    FrameShape { channels: usize, found: [usize; 5] },
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
        "VAE tile: {tile_px} px with {overlap_px} px overlap; both must be multiples of {SPATIAL}, \
         the tile at least {SPATIAL} px and the overlap at most half of it"
    )]
    Tile { tile_px: usize, overlap_px: usize },
}
