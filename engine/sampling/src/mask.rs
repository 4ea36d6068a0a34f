//! Keeping a part of a latent as it is while the rest is made: a latent's `noise_mask`.
//!
//! Source: ComfyUI `comfy/samplers.py` (`KSamplerX0Inpaint`, `KSAMPLER.sample`) and
//! `comfy/model_base.py` (`scale_latent_inpaint`). The network sees the kept part at the noise level
//! it works at, and what it predicts there is replaced by the latent itself.

use std::ops::ControlFlow;

use longtake_sentence::say;

use crate::flow::add_noise;
use crate::latent::{begin_latent, finish_latent};
use crate::noise::FreshNoise;
use crate::solver::{Denoiser, Sampler, StepInfo, Stop};

/// What the network is shown where nothing is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kept {
    /// The latent noised to the network's level: `BaseModel.scale_latent_inpaint`. (ComfyUI's `ddim`
    /// takes other noise for it than the run's, from the seed plus one; here it is always the run's.)
    #[default]
    Noised,
    /// The latent without noise, for models that are told which frames are clean: Wan 2.2 TI2V-5B's
    /// first frame (`WAN22`), SCAIL-2's history.
    Clean,
}

/// A network that leaves alone what a mask keeps.
pub struct Masked<'a> {
    inner: &'a mut dyn Denoiser,
    mask: &'a [f32],
    latent: &'a [f32],
    noise: &'a [f32],
    kept: Kept,
}

impl<'a> Masked<'a> {
    /// - `mask`: for every element of the latent, 1 where it is to be made, 0 where it is kept, and
    ///   anything between for a mixture.
    /// - `latent`: what is kept, in the model's own space.
    /// - `noise`: the noise that the run started from.
    ///
    /// # Errors
    /// [`Stop::Invalid`] when the three are not equally long.
    pub fn new(
        inner: &'a mut dyn Denoiser,
        mask: &'a [f32],
        latent: &'a [f32],
        noise: &'a [f32],
        kept: Kept,
    ) -> Result<Self, Stop> {
        if mask.len() != latent.len() || noise.len() != latent.len() {
            return Err(Stop::Invalid(say!(
                "the latent has {} elements, its noise mask {} and the noise {}; stretch the mask \
                 over channels, frames, height and width first",
                "潜在表現の要素は {} 個、ノイズマスクの要素は {} 個、ノイズの要素は {} 個です。先にマスクを\
                 チャンネル、フレーム、高さ、幅に広げてください",
                latent.len(),
                mask.len(),
                noise.len()
            )));
        }
        Ok(Self {
            inner,
            mask,
            latent,
            noise,
            kept,
        })
    }
}

impl Denoiser for Masked<'_> {
    fn denoise(&mut self, x: &[f32], sigma: f32) -> Result<Vec<f32>, Stop> {
        if x.len() != self.mask.len() {
            return Err(Stop::Invalid(say!(
                "the noise mask has {} elements and the latent {}",
                "ノイズマスクの要素は {} 個、潜在表現の要素は {} 個です",
                self.mask.len(),
                x.len()
            )));
        }
        let shown = match self.kept {
            Kept::Noised => compose(self.mask, x, &add_noise(sigma, self.noise, self.latent)),
            Kept::Clean => compose(self.mask, x, self.latent),
        };
        let x0 = self.inner.denoise(&shown, sigma)?;
        if x0.len() != x.len() {
            return Ok(x0); // the solver says what is wrong
        }
        Ok(compose(self.mask, &x0, self.latent))
    }
}

/// `made * mask + kept * (1 - mask)`, elementwise; exactly one or the other where the mask is 1 or 0.
pub fn compose(mask: &[f32], made: &[f32], kept: &[f32]) -> Vec<f32> {
    debug_assert!(mask.len() == made.len() && mask.len() == kept.len());
    let at = |((mask, made), kept): ((&f32, &f32), &f32)| match *mask {
        1.0 => *made,
        0.0 => *kept,
        mask => made * mask + kept * (1.0 - mask),
    };
    mask.iter().zip(made).zip(kept).map(at).collect()
}

/// [`crate::sample_latent`] with a noise mask.
///
/// A run that ends at sigma 0 puts the kept part in once more at its end, so that it comes back bit
/// for bit from every solver. (ComfyUI leaves there what the solver's arithmetic makes of it: with
/// `uni_pc` a thousandth off.)
///
/// # Errors
/// As [`crate::sample_latent`] and [`Masked::new`].
#[expect(
    clippy::too_many_arguments,
    reason = "sample_latent's, the mask and what it means"
)]
pub fn sample_latent_masked(
    sampler: impl Into<Sampler>,
    denoiser: &mut dyn Denoiser,
    sigmas: &[f32],
    fresh: &mut FreshNoise,
    latent: Vec<f32>,
    initial: &[f32],
    (mask, kept): (&[f32], Kept),
    on_step: &mut dyn FnMut(StepInfo<'_>) -> ControlFlow<()>,
) -> Result<Vec<f32>, Stop> {
    if sigmas.len() < 2 {
        return Ok(latent);
    }
    let mut masked = Masked::new(denoiser, mask, &latent, initial, kept)?;
    let mut state = begin_latent(sampler, sigmas, fresh.clone(), latent.clone(), initial)?;
    let result = state.run(&mut masked, usize::MAX, on_step);
    fresh.clone_from(state.noise());
    result?;
    let out = finish_latent(state);
    Ok(if sigmas.last() == Some(&0.0) {
        compose(mask, &out, &latent)
    } else {
        out
    })
}
