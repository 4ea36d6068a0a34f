//! Frames to latents: the encoder network and the stream that takes frames as they come.

use std::sync::Arc;

use super::canvas::Canvas;
use super::layers::{Cache, CausalConv, NormSilu, Stage, through};
use super::shortcut::patchify;
use super::structure::TEMPORAL;
use super::tiles::Tiling;
use super::{VaeError, WanVae};
use crate::Tensor;

/// Weights of the encoder.
pub(super) struct EncoderNet {
    pub conv_in: CausalConv,
    pub stages: Vec<Stage>,
    pub norm_out: NormSilu,
    pub conv_out: CausalConv,
    /// 1x1x1, after everything: mean and log variance.
    pub after: CausalConv,
    /// Pixels that a position of the first layer stands for, on both axes.
    pub patch: usize,
}

impl EncoderNet {
    /// Frames `[1, 3, 1 or 4, H, W]` to the mean `[1, z, 1, H/8, W/8]` (Wan 2.2: 16) of one latent
    /// frame.
    fn chunk(&self, x: Tensor<5>, cache: &mut Cache) -> Tensor<5> {
        let x = self.conv_in.forward(patchify(x, self.patch), cache);
        let x = through(&self.stages, x, cache);
        let x = self.conv_out.forward(self.norm_out.forward(x), cache);
        let both = self.after.apply(x, None);
        let z = both.dims()[1] / 2;
        both.narrow(1, 0, z)
    }
}

/// A running encode. Push frames in portions of any size; drop it at any time to cancel.
pub struct Encoder {
    net: Arc<EncoderNet>,
    channels: usize,
    spatial: usize,
    tiling: Option<Tiling>,
    /// Made when the first frames tell the size.
    canvas: Option<(Canvas, [usize; 2])>,
    /// Frames that do not fill a chunk yet.
    waiting: Option<Tensor<5>>,
    done: Vec<Tensor<5>>,
}

impl Encoder {
    /// # Errors
    /// [`VaeError::PartNotLoaded`] if `vae` is a decoder alone.
    pub fn new(vae: &WanVae, tiling: Option<Tiling>) -> Result<Self, VaeError> {
        let net = vae
            .encoder
            .clone()
            .ok_or(VaeError::PartNotLoaded { part: "Encoder" })?;
        Ok(Self {
            net,
            channels: vae.dims.image,
            spatial: vae.dims.spatial(),
            tiling,
            canvas: None,
            waiting: None,
            done: Vec::new(),
        })
    }

    /// Adds frames `[1, 3, n, H, W]` in -1..1 and encodes all chunks that are full by now: the first
    /// frame alone, then four by four.
    ///
    /// # Errors
    /// [`VaeError::FrameShape`], [`VaeError::FrameSizeChanged`]; the stream is then as before.
    pub fn push(&mut self, frames: Tensor<5>) -> Result<(), VaeError> {
        let found = frames.dims();
        let [batch, channels, _, h, w] = found;
        let spatial = self.spatial;
        let on_grid = h.is_multiple_of(spatial) && w.is_multiple_of(spatial);
        if batch != 1 || channels != self.channels || found.contains(&0) || !on_grid {
            return Err(VaeError::FrameShape {
                channels: self.channels,
                spatial,
                found,
            });
        }
        let dtype = self.net.conv_in.weight.dtype();
        if let Some((_, [height, width])) = self.canvas {
            if [height, width] != [h, w] {
                let (found_height, found_width) = (h, w);
                return Err(VaeError::FrameSizeChanged {
                    height,
                    width,
                    found_height,
                    found_width,
                });
            }
        } else {
            let size = [h / spatial, w / spatial];
            let canvas = Canvas::new(size, [spatial, 1], self.tiling, dtype, &frames.device());
            self.canvas = Some((canvas, [h, w]));
        }
        let frames = frames.cast(dtype);
        self.waiting = Some(match self.waiting.take() {
            Some(waiting) => Tensor::cat(vec![waiting, frames], 2),
            None => frames,
        });
        self.drain();
        Ok(())
    }

    /// Adds frames as ComfyUI has images: `[n, H, W, 3]` in 0..1.
    ///
    /// # Errors
    /// As [`Encoder::push`].
    pub fn push_frames(&mut self, frames: Tensor<4>) -> Result<(), VaeError> {
        let frames = frames.mul_scalar(2.0).sub_scalar(1.0).permute([3, 0, 1, 2]);
        self.push(frames.unsqueeze())
    }

    /// Latent frames encoded so far.
    pub fn latent_frames(&self) -> usize {
        self.done.len()
    }

    /// The raw latent `[1, z, F, H/8, W/8]` (Wan 2.2: 16; the mean, nothing is sampled),
    /// `F = 1 + (T - 1) / 4`. Up to three trailing frames that fill no chunk are dropped, as in the reference.
    ///
    /// # Errors
    /// [`VaeError::NoFrames`].
    pub fn finish(self) -> Result<Tensor<5>, VaeError> {
        if self.done.is_empty() {
            return Err(VaeError::NoFrames);
        }
        Ok(Tensor::cat(self.done, 2))
    }

    fn drain(&mut self) {
        let Some((canvas, _)) = &mut self.canvas else {
            return;
        };
        while let Some(waiting) = self.waiting.take() {
            let have = waiting.dims()[2];
            let take = if self.done.is_empty() { 1 } else { TEMPORAL };
            if have < take {
                self.waiting = Some(waiting);
                return;
            }
            let chunk = waiting.clone().narrow(2, 0, take);
            let net = &self.net;
            self.done
                .push(canvas.pass(&chunk, |x, cache| net.chunk(x, cache)));
            self.waiting = (have > take).then(|| waiting.narrow(2, take, have - take));
        }
    }
}

/// Latent frames that `frames` (at least one) give.
pub fn latent_frames_of(frames: usize) -> usize {
    1 + frames.saturating_sub(1) / TEMPORAL
}
