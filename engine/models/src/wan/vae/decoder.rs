//! Latents to frames: the decoder network and the stream of chunks it gives.

use std::path::Path;
use std::sync::Arc;

use super::canvas::Canvas;
use super::film::Film;
use super::layers::{Cache, CausalConv, NormSilu, Stage, through};
use super::shortcut::unpatchify;
use super::structure::TEMPORAL;
use super::tiles::Tiling;
use super::{VaeError, WanVae};
use crate::Tensor;

/// Weights of the decoder.
pub(super) struct DecoderNet {
    /// 1x1x1, before everything.
    pub before: CausalConv,
    pub conv_in: CausalConv,
    pub stages: Vec<Stage>,
    pub norm_out: NormSilu,
    pub conv_out: CausalConv,
    /// Pixels that a position of the last layer stands for, on both axes.
    pub patch: usize,
}

impl DecoderNet {
    /// One latent frame `[1, z, 1, h, w]` to frames `[1, 3, 1 or 4, 8h, 8w]` (Wan 2.2: 16).
    fn chunk(&self, x: Tensor<5>, cache: &mut Cache) -> Tensor<5> {
        let x = self.conv_in.forward(x, cache);
        let x = through(&self.stages, x, cache);
        let x = self.conv_out.forward(self.norm_out.forward(x), cache);
        unpatchify(x, self.patch)
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
    /// The next frames, `[1, 3, n, 8h, 8w]` in -1..1 (Wan 2.2: 16 h, 16 w).
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
            let spatial = vae.dims.spatial();
            return Err(VaeError::LatentShape { z, spatial, found });
        }
        let dtype = net.conv_in.weight.dtype();
        let latent = net.before.apply(latent.cast(dtype), None);
        let [.., h, w] = found;
        let canvas = Canvas::new(
            [h, w],
            [1, vae.dims.spatial()],
            tiling,
            dtype,
            &latent.device(),
        );
        Ok(Self {
            net,
            canvas,
            latent,
            next: 0,
            film: None,
        })
    }

    /// Starts decoding the whole length of one tile after the other, which gives the same frames. The
    /// device holds one tile's history and work, the least of all ways; the frames add up in a
    /// nameless file in the folder `scratch` (f32, so 12 bytes a pixel) and leave when the last tile
    /// is done.
    ///
    /// # Errors
    /// As [`Decoder::new`]; [`VaeError::Scratch`] if no file can be made.
    pub fn tile_by_tile(
        vae: &WanVae,
        latent: Tensor<5>,
        tiling: Tiling,
        scratch: &Path,
    ) -> Result<Self, VaeError> {
        let mut decoder = Self::new(vae, latent, Some(tiling))?;
        let [_, _, frames, h, w] = decoder.latent.dims();
        if decoder.canvas.tile_count() > 1 {
            let size = [h, w].map(|n| n * vae.dims.spatial());
            decoder.film = Some(Film::new(vae.dims.image, size, frames, scratch)?);
        }
        Ok(decoder)
    }

    /// One pass through the network, or one chunk out of finished work; `None` at the end. To
    /// cancel, stop calling.
    ///
    /// # Errors
    /// [`VaeError::Scratch`]: the file of [`Decoder::tile_by_tile`] cannot be written or read.
    pub fn step(&mut self) -> Result<Option<DecodeStep>, VaeError> {
        let frames = self.latent.dims()[2];
        if self.next == frames {
            return Ok(None);
        }
        let net = &self.net;
        let Some(film) = &mut self.film else {
            let frame = self.latent.clone().narrow(2, self.next, 1);
            self.next += 1;
            let y = self.canvas.pass(&frame, |x, cache| net.chunk(x, cache));
            return Ok(Some(DecodeStep::Chunk(y.clamp(-1.0, 1.0))));
        };
        let total = frames * self.canvas.tile_count();
        if film.passes < total {
            let (tile, at) = (film.passes / frames, film.passes % frames);
            let frame = self.latent.clone().narrow(2, at, 1);
            let part = self
                .canvas
                .pass_tile(tile, &frame, |x, cache| net.chunk(x, cache));
            film.add(at, self.canvas.place(tile), part)?;
            if at + 1 == frames {
                self.canvas.forget(tile);
            }
            let done = film.passes;
            return Ok(Some(DecodeStep::Working { done, total }));
        }
        let chunk = film.take(self.next, &self.latent.device())?;
        self.next += 1;
        let chunk = chunk.cast(self.latent.dtype());
        Ok(Some(DecodeStep::Chunk(chunk.clamp(-1.0, 1.0))))
    }

    /// Chunks still to come; one per latent frame.
    pub fn chunks_left(&self) -> usize {
        self.latent.dims()[2] - self.next
    }

    /// Frames that the whole latent gives: `4 F - 3`.
    pub fn total_frames(&self) -> usize {
        frames_of(self.latent.dims()[2])
    }

    /// The next frames, `[1, 3, n, 8h, 8w]` in -1..1 (Wan 2.2: 16 h, 16 w): one frame first, then four
    /// at a time; `None` at the end. In tile order the first call does all the work; see
    /// [`Decoder::step`].
    ///
    /// # Errors
    /// As [`Decoder::step`].
    pub fn next_chunk(&mut self) -> Result<Option<Tensor<5>>, VaeError> {
        loop {
            match self.step()? {
                Some(DecodeStep::Working { .. }) => {}
                Some(DecodeStep::Chunk(frames)) => return Ok(Some(frames)),
                None => return Ok(None),
            }
        }
    }

    /// The next frames as ComfyUI has images: `[n, height, width, 3]` in 0..1.
    ///
    /// # Errors
    /// As [`Decoder::step`].
    pub fn next_frames(&mut self) -> Result<Option<Tensor<4>>, VaeError> {
        let Some(chunk) = self.next_chunk()? else {
            return Ok(None);
        };
        let [_, c, n, h, w] = chunk.dims();
        Ok(Some(
            chunk
                .add_scalar(1.0)
                .mul_scalar(0.5)
                .permute([0, 2, 3, 4, 1])
                .reshape([n, h, w, c]),
        ))
    }
}

impl Iterator for Decoder {
    type Item = Result<Tensor<5>, VaeError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_chunk().transpose()
    }
}

/// Frames that `latent_frames` (at least one) stand for.
pub fn frames_of(latent_frames: usize) -> usize {
    (latent_frames.saturating_sub(1)) * TEMPORAL + 1
}
