//! Latents to frames: the decoder network and the stream of chunks it gives.

use std::sync::Arc;

use super::canvas::Canvas;
use super::film::Film;
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
    /// In tile order: the frames that the finished tiles have added up to.
    film: Option<Film>,
}

/// What a [`Decoder::step`] has done.
#[derive(Clone, Debug)]
pub enum DecodeStep {
    /// Work without frames yet: `done` of `total` passes through the network.
    Working { done: usize, total: usize },
    /// The next frames, `[1, 3, n, 8h, 8w]` in -1..1.
    Chunk(Tensor<5>),
}

impl Decoder {
    /// Starts decoding a raw latent `[1, z, F, h, w]` (see `latent_stats::process_out` for
    /// normalised ones), whole frames at a time or in tiles. Frames leave as they are made; every
    /// tile's history stays in memory meanwhile.
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
            film: None,
        })
    }

    /// Starts decoding the whole length of one tile after the other, which gives the same frames. The
    /// device holds one tile's history and work, the least of all ways; the frames add up in host
    /// memory as f32 and leave when the last tile is done.
    ///
    /// # Errors
    /// As [`Decoder::new`].
    pub fn tile_by_tile(vae: &WanVae, latent: Tensor<5>, tiling: Tiling) -> Result<Self, VaeError> {
        let mut decoder = Self::new(vae, latent, Some(tiling))?;
        let [_, _, frames, h, w] = decoder.latent.dims();
        if decoder.canvas.tile_count() > 1 {
            let size = [h * SPATIAL, w * SPATIAL];
            decoder.film = Some(Film::new(vae.dims.image, size, frames));
        }
        Ok(decoder)
    }

    /// One pass through the network, or one chunk out of finished work; `None` at the end. To
    /// cancel, stop calling.
    pub fn step(&mut self) -> Option<DecodeStep> {
        let frames = self.latent.dims()[2];
        if self.next == frames {
            return None;
        }
        let net = &self.net;
        let Some(film) = &mut self.film else {
            let frame = self.latent.clone().narrow(2, self.next, 1);
            self.next += 1;
            let y = self.canvas.pass(&frame, |x, cache| net.chunk(x, cache));
            return Some(DecodeStep::Chunk(y.clamp(-1.0, 1.0)));
        };
        let total = frames * self.canvas.tile_count();
        if film.passes < total {
            let (tile, at) = (film.passes / frames, film.passes % frames);
            let frame = self.latent.clone().narrow(2, at, 1);
            let part = self
                .canvas
                .pass_tile(tile, &frame, |x, cache| net.chunk(x, cache));
            film.add(at, self.canvas.place(tile), &part);
            if at + 1 == frames {
                self.canvas.forget(tile);
            }
            let done = film.passes;
            return Some(DecodeStep::Working { done, total });
        }
        let chunk = film.take(self.next, &self.latent.device());
        self.next += 1;
        let chunk = chunk.cast(self.latent.dtype());
        Some(DecodeStep::Chunk(chunk.clamp(-1.0, 1.0)))
    }

    /// Chunks still to come; one per latent frame.
    pub fn chunks_left(&self) -> usize {
        self.latent.dims()[2] - self.next
    }

    /// Frames that the whole latent gives: `4 F - 3`.
    pub fn total_frames(&self) -> usize {
        frames_of(self.latent.dims()[2])
    }

    /// The next frames, `[1, 3, n, 8h, 8w]` in -1..1: one frame first, then four at a time. In tile
    /// order the first call does all the work; see [`Decoder::step`].
    pub fn next_chunk(&mut self) -> Option<Tensor<5>> {
        loop {
            if let DecodeStep::Chunk(frames) = self.step()? {
                return Some(frames);
            }
        }
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
