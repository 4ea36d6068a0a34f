//! Latents to frames: the decoder network and the stream of chunks it gives.

use std::sync::Arc;

use super::canvas::Canvas;
use super::layers::{Cache, CausalConv, FrameAttention, NormSilu, ResBlock, Upsample};
use super::structure::{SPATIAL, TEMPORAL};
use super::tiles::Tiling;
use super::{VaeError, WanVae};
use crate::Tensor;

pub(super) enum Stage {
    Res(Box<ResBlock>),
    Attention(FrameAttention),
    Up(Upsample),
}

/// Weights of the decoder.
pub(super) struct DecoderNet {
    /// 1x1x1, before everything.
    pub before: CausalConv,
    pub conv_in: CausalConv,
    pub stages: Vec<Stage>,
    pub norm_out: NormSilu,
    pub conv_out: CausalConv,
}

impl DecoderNet {
    /// One latent frame `[1, z, 1, h, w]` to frames `[1, 3, 1 or 4, 8h, 8w]`.
    fn chunk(&self, x: Tensor<5>, cache: &mut Cache) -> Tensor<5> {
        let mut x = self.conv_in.forward(x, cache);
        for stage in &self.stages {
            x = match stage {
                Stage::Res(block) => block.forward(x, cache),
                Stage::Attention(block) => block.forward(x),
                Stage::Up(block) => block.forward(x, cache),
            };
        }
        self.conv_out.forward(self.norm_out.forward(x), cache)
    }
}

/// A running decode. One chunk at a time leaves it, so that no caller needs to hold a film; drop it
/// at any time to cancel. Weights are shared with the [`WanVae`] it came from.
pub struct Decoder {
    net: Arc<DecoderNet>,
    canvas: Canvas,
    latent: Tensor<5>,
    next: usize,
}

impl Decoder {
    /// Starts decoding a raw latent `[1, z, F, h, w]` (see `latent_stats::process_out` for
    /// normalised ones), whole frames at a time or in tiles.
    ///
    /// # Errors
    /// [`VaeError::LatentShape`]; [`VaeError::PartNotLoaded`] if `vae` is an encoder alone.
    pub fn new(vae: &WanVae, latent: Tensor<5>, tiling: Option<Tiling>) -> Result<Self, VaeError> {
        let net = vae
            .decoder
            .clone()
            .ok_or(VaeError::PartNotLoaded { part: "Decoder" })?;
        let found = latent.dims();
        let z = vae.dims.z;
        if found[0] != 1 || found[1] != z || found.contains(&0) {
            return Err(VaeError::LatentShape { z, found });
        }
        let dtype = net.conv_in.weight.dtype();
        let latent = net.before.apply(latent.cast(dtype), None);
        let [.., h, w] = found;
        let canvas = Canvas::new([h, w], [1, SPATIAL], tiling, dtype, &latent.device());
        Ok(Self {
            net,
            canvas,
            latent,
            next: 0,
        })
    }

    /// Chunks still to come; one per latent frame.
    pub fn chunks_left(&self) -> usize {
        self.latent.dims()[2] - self.next
    }

    /// Frames that the whole latent gives: `4 F - 3`.
    pub fn total_frames(&self) -> usize {
        frames_of(self.latent.dims()[2])
    }

    /// The next frames, `[1, 3, n, 8h, 8w]` in -1..1: one frame first, then four at a time.
    pub fn next_chunk(&mut self) -> Option<Tensor<5>> {
        if self.chunks_left() == 0 {
            return None;
        }
        let frame = self.latent.clone().narrow(2, self.next, 1);
        self.next += 1;
        let net = &self.net;
        let frames = self.canvas.pass(&frame, |x, cache| net.chunk(x, cache));
        Some(frames.clamp(-1.0, 1.0))
    }

    /// The next frames as ComfyUI has images: `[n, height, width, 3]` in 0..1.
    pub fn next_frames(&mut self) -> Option<Tensor<4>> {
        let chunk = self.next_chunk()?;
        let [_, c, n, h, w] = chunk.dims();
        Some(
            chunk
                .add_scalar(1.0)
                .mul_scalar(0.5)
                .permute([0, 2, 3, 4, 1])
                .reshape([n, h, w, c]),
        )
    }
}

impl Iterator for Decoder {
    type Item = Tensor<5>;

    fn next(&mut self) -> Option<Tensor<5>> {
        self.next_chunk()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.chunks_left(), Some(self.chunks_left()))
    }
}

/// Frames that `latent_frames` (at least one) stand for.
pub fn frames_of(latent_frames: usize) -> usize {
    (latent_frames.saturating_sub(1)) * TEMPORAL + 1
}
