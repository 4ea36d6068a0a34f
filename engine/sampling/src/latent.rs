//! A whole KSampler run on a latent: noise in, solve, noise out.
//!
//! Source: ComfyUI `comfy/samplers.py` (`KSAMPLER.sample`) for a flow model.

use std::ops::ControlFlow;

use crate::flow::{add_noise, remove_scaling};
use crate::noise::FreshNoise;
use crate::solver::{self, Denoiser, Solver, StepInfo, Stop};

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
/// As [`crate::sample`]; [`Stop::Failed`] too when the lengths of `initial` and `latent` differ.
pub fn sample_latent(
    solver: Solver,
    denoiser: &mut dyn Denoiser,
    sigmas: &[f32],
    fresh: &mut FreshNoise,
    latent: Vec<f32>,
    initial: &[f32],
    on_step: &mut dyn FnMut(StepInfo<'_>) -> ControlFlow<()>,
) -> Result<Vec<f32>, Stop> {
    let (&[first, .., last], true) = (sigmas, initial.len() == latent.len()) else {
        return if sigmas.len() < 2 {
            Ok(latent)
        } else {
            let message = format!(
                "the noise has {} elements and the latent {}; they must have one shape",
                initial.len(),
                latent.len()
            );
            Err(Stop::Failed(message.into()))
        };
    };
    let x = add_noise(first, initial, &latent);
    drop(latent);
    let x = solver::sample(solver, denoiser, sigmas, fresh, x, on_step)?;
    Ok(remove_scaling(solver.end_sigma(last), x))
}
