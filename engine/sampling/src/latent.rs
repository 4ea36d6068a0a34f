//! A whole KSampler run on a latent: noise in, solve, noise out.
//!
//! Source: ComfyUI `comfy/samplers.py` (`KSAMPLER.sample`) for a flow model.

use std::ops::ControlFlow;

use longtake_sentence::say;

use crate::flow::{add_noise, remove_scaling};
use crate::noise::FreshNoise;
use crate::solver::{Denoiser, Sampler, SolverState, StepInfo, Stop};

/// Noises `latent` to `sigmas[0]`, samples to the last sigma, and takes the scaling out again.
///
/// - `latent`: what to start from, in the model's own space (for Wan: normalised per channel);
///   zeros for text to video.
/// - `initial`: as long as `latent`; [`crate::initial_noise`], or zeros for `add_noise = disable`.
/// - returns a latent that decodes when the last sigma is 0, and else one that the next run takes
///   with zero noise (`return_with_leftover_noise`).
///
/// Without sigmas nothing is done and `latent` comes back, as in ComfyUI.
///
/// # Errors
/// As [`crate::sample`]; [`Stop::Invalid`] too when the lengths of `initial` and `latent` differ.
pub fn sample_latent(
    sampler: impl Into<Sampler>,
    denoiser: &mut dyn Denoiser,
    sigmas: &[f32],
    fresh: &mut FreshNoise,
    latent: Vec<f32>,
    initial: &[f32],
    on_step: &mut dyn FnMut(StepInfo<'_>) -> ControlFlow<()>,
) -> Result<Vec<f32>, Stop> {
    let mut state = begin_latent(sampler, sigmas, fresh.clone(), latent, initial)?;
    let result = state.run(denoiser, usize::MAX, on_step);
    fresh.clone_from(state.noise());
    result.map(|()| finish_latent(state))
}

/// The first half of [`sample_latent`]: noises `latent` to `sigmas[0]`. What comes back is run, in
/// as many pieces as one likes, and then given to [`finish_latent`].
///
/// # Errors
/// As [`SolverState::start`]; [`Stop::Invalid`] too when the lengths of `initial` and `latent` differ.
pub fn begin_latent(
    sampler: impl Into<Sampler>,
    sigmas: &[f32],
    fresh: FreshNoise,
    latent: Vec<f32>,
    initial: &[f32],
) -> Result<SolverState, Stop> {
    let &[first, _, ..] = sigmas else {
        return SolverState::start(sampler, &[], fresh, latent);
    };
    if initial.len() != latent.len() {
        return Err(Stop::Invalid(say!(
            "the noise has {} elements and the latent {}; they must have one shape",
            "ノイズの要素は {} 個、潜在表現の要素は {} 個です。同じ形でなければなりません",
            initial.len(),
            latent.len()
        )));
    }
    let x = add_noise(first, initial, &latent);
    drop(latent);
    SolverState::start(sampler, sigmas, fresh, x)
}

/// The last part of [`sample_latent`]: takes the noise scaling out, at whatever sigma the run stands.
pub fn finish_latent(state: SolverState) -> Vec<f32> {
    let Some(&sigma) = state.sigmas().get(state.step()) else {
        return state.into_latent();
    };
    let sigma = state.sampler().solver.end_sigma(sigma);
    remove_scaling(sigma, state.into_latent())
}
