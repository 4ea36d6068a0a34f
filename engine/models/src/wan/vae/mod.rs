//! The Wan video autoencoders: latents `[1, z, F, h, w]` to frames `[1, 3, 4F-3, s h, s w]` and back.
//!
//! | | `z` | `s` | belongs to |
//! |---|---|---|---|
//! | VAE 2.1 | 16 | 8 | Wan 2.1, Wan 2.2 A14B |
//! | VAE 2.2 | 48 | 16 | Wan 2.2 TI2V-5B |
//!
//! ```text
//!            chunk 0 = frame 0, chunk i = frames 4i-3 ..= 4i, one latent frame each
//! frames ──► conv_in ► levels (res, res, down)* ► middle ► head ► 1x1x1 ──► mean of the latent
//! latent ──► 1x1x1 ► conv_in ► middle ► levels (res, res, res, up)* ► head ──► frames
//! ```
//!
//! VAE 2.2 takes pixels in patches of 2x2 and adds a shortcut without weights around each level.
//!
//! [`Decoder`] and [`Encoder`] are streams: memory does not grow with the film, and dropping one
//! cancels it. With a [`Tiling`] the frame is cut into overlapping tiles, each with its own memory
//! of earlier frames, and cross-faded; time is never cut. Latents are *raw*, as in ComfyUI's VAE nodes and
//! `.latent` files; [`latent_stats`] leads to what samplers see. Follows `wan/modules/vae2_1.py`
//! and `vae2_2.py` (Wan-Video/Wan2.2).
//!
//! What it takes before anything is loaded: [`VaeDims::read`] and [`cost`].

mod canvas;
pub mod cost;
mod decoder;
mod encoder;
mod error;
mod film;
pub mod latent_stats;
mod layers;
mod load;
mod names;
mod shortcut;
mod structure;
mod tensors;
mod tile_encoder;
mod tiles;

use std::sync::Arc;

pub use decoder::{DecodeStep, Decoder, frames_of};
pub use encoder::{Encoder, latent_frames_of};
pub use error::{TileOrder, VaeError};
pub use structure::{Layer, TEMPORAL, VaeDims};
pub use tile_encoder::TileEncoder;
pub use tiles::Tiling;

use crate::weights::Checkpoint;
use crate::{Device, Tensor};

/// Which half of the VAE is in memory. A job that only decodes holds no encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parts {
    Decoder,
    Encoder,
    Both,
}

impl Parts {
    pub fn decoder(self) -> bool {
        self != Self::Encoder
    }

    pub fn encoder(self) -> bool {
        self != Self::Decoder
    }
}

/// A loaded VAE. Clones share the weights.
#[derive(Clone)]
pub struct WanVae {
    dims: VaeDims,
    encoder: Option<Arc<encoder::EncoderNet>>,
    decoder: Option<Arc<decoder::DecoderNet>>,
}

impl VaeDims {
    /// Sizes of the VAE in a checkpoint of either layout; no weight is read.
    ///
    /// # Errors
    /// [`VaeError`] if it is no Wan VAE: the message says which tensor tells.
    pub fn read(checkpoint: &Checkpoint) -> Result<Self, VaeError> {
        Ok(load::structure(checkpoint)?.1.dims())
    }
}

impl WanVae {
    /// Loads `parts` from `wan_2.1_vae.safetensors` or `wan2.2_vae.safetensors` (names of the original repository and ComfyUI,
    /// also under `vae.` or `first_stage_model.`) or a diffusers `vae` folder. It computes in f32 on
    /// the CPU, elsewhere in the type of [`Checkpoint::with_dtype`]. `progress` gets layers done and
    /// layers in all.
    ///
    /// # Errors
    /// [`VaeError`] naming the tensor that is missing or has another shape or type.
    pub fn load(
        checkpoint: &Checkpoint,
        parts: Parts,
        device: &Device,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Self, VaeError> {
        load::load(checkpoint, parts, device, &mut progress)
    }

    pub fn dims(&self) -> &VaeDims {
        &self.dims
    }

    /// Starts decoding a raw latent `[1, z, F, h, w]`.
    ///
    /// # Errors
    /// As [`Decoder::new`].
    pub fn decode(&self, latent: Tensor<5>) -> Result<Decoder, VaeError> {
        Decoder::new(self, latent, None)
    }

    /// Starts decoding in square tiles of `tile_px`, cross-faded over at least `overlap_px`. It
    /// streams in time like [`WanVae::decode`], so every tile's history stays in memory. Histories
    /// are the larger part: with overlaps this can take more than whole frames
    /// ([`VaeDims::decode_workspace_bytes`] tells). To save memory use [`Decoder::tile_by_tile`].
    ///
    /// # Errors
    /// As [`Decoder::new`] and [`Tiling::new`].
    pub fn decode_tiled(
        &self,
        latent: Tensor<5>,
        tile_px: usize,
        overlap_px: usize,
    ) -> Result<Decoder, VaeError> {
        Decoder::new(self, latent, Some(Tiling::new(tile_px, overlap_px)?))
    }

    /// All frames of a short latent as ComfyUI has images: `[4F - 3, s h, s w, 3]` in 0..1.
    ///
    /// # Errors
    /// As [`Decoder::new`].
    pub fn decode_frames(&self, latent: Tensor<5>) -> Result<Tensor<4>, VaeError> {
        let mut decoder = self.decode(latent)?;
        let mut chunks = Vec::new();
        while let Some(frames) = decoder.next_frames()? {
            chunks.push(frames);
        }
        Ok(Tensor::cat(chunks, 0))
    }

    /// Starts encoding; see [`Encoder`].
    ///
    /// # Errors
    /// As [`Encoder::new`].
    pub fn encode(&self) -> Result<Encoder, VaeError> {
        Encoder::new(self, None)
    }

    /// The raw latent `[1, z, 1, H/s, W/s]` of one picture `[1, H, W, 3]` in 0..1: the first frame of
    /// image to video.
    ///
    /// # Errors
    /// As [`Encoder::push`].
    pub fn encode_image(&self, picture: Tensor<4>) -> Result<Tensor<5>, VaeError> {
        let mut encoder = self.encode()?;
        encoder.push_frames(picture.narrow(0, 0, 1))?;
        encoder.finish()
    }

    /// Starts encoding in square tiles of `tile_px`, their latents cross-faded.
    ///
    /// # Errors
    /// As [`Encoder::new`] and [`Tiling::new`].
    pub fn encode_tiled(&self, tile_px: usize, overlap_px: usize) -> Result<Encoder, VaeError> {
        Encoder::new(self, Some(Tiling::new(tile_px, overlap_px)?))
    }
}
