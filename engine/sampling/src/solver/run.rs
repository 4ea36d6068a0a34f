//! What all solvers share: asking the network, reporting a step, checking what comes in.

use std::ops::ControlFlow;

use super::{Denoiser, StepInfo, Stop};
use crate::noise::FreshNoise;

/// A run under way: its network, its sigmas (at least two), its noise, its listener.
pub(super) struct Run<'a> {
    pub denoiser: &'a mut dyn Denoiser,
    pub sigmas: &'a [f32],
    pub noise: &'a mut FreshNoise,
    pub on_step: &'a mut dyn FnMut(StepInfo<'_>) -> ControlFlow<()>,
}

impl Run<'_> {
    pub fn steps(&self) -> usize {
        self.sigmas.len() - 1
    }

    /// `(step, sigma, sigma of the next)` for every step.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, f32, f32)> + use<> {
        let pairs: Vec<_> = self
            .sigmas
            .windows(2)
            .map(|pair| (pair[0], pair[1]))
            .collect();
        pairs
            .into_iter()
            .enumerate()
            .map(|(step, (from, to))| (step, from, to))
    }

    /// The step's own prediction, at its sigma, reported to the listener.
    pub fn predict(&mut self, step: usize, x: &[f32]) -> Result<Vec<f32>, Stop> {
        let sigma = self.sigmas[step];
        let x0 = self.denoise(x, sigma)?;
        let info = StepInfo {
            step,
            steps: self.steps(),
            sigma,
            x0: &x0,
        };
        match (self.on_step)(info) {
            ControlFlow::Continue(()) => Ok(x0),
            ControlFlow::Break(()) => Err(Stop::Cancelled),
        }
    }

    /// A prediction within a step, not reported.
    pub fn denoise(&mut self, x: &[f32], sigma: f32) -> Result<Vec<f32>, Stop> {
        let x0 = self.denoiser.denoise(x, sigma)?;
        if x0.len() == x.len() {
            return Ok(x0);
        }
        Err(failed(format!(
            "the denoiser was given {} elements and returned {}; it must keep the latent's shape",
            x.len(),
            x0.len()
        )))
    }
}

pub(super) fn failed(message: String) -> Stop {
    Stop::Failed(message.into())
}

/// Sigmas must be numbers, fall or stay, and lie in `[0, 1]`.
pub(super) fn check(sigmas: &[f32]) -> Result<(), Stop> {
    if let Some((i, sigma)) = sigmas
        .iter()
        .enumerate()
        .find(|(_, it)| !(0.0..=1.0).contains(*it))
    {
        return Err(failed(format!(
            "sigma {i} is {sigma}; a flow model's sigmas lie between 0 and 1"
        )));
    }
    match sigmas.windows(2).position(|pair| pair[1] > pair[0]) {
        None => Ok(()),
        Some(i) => Err(failed(format!(
            "sigmas must not rise, but after step {i} they go from {} to {}",
            sigmas[i],
            sigmas[i + 1]
        ))),
    }
}

/// `a * x + b * y`, elementwise.
pub(super) fn mix(a: f32, x: &[f32], b: f32, y: &[f32]) -> Vec<f32> {
    x.iter().zip(y).map(|(x, y)| a * x + b * y).collect()
}

/// `a * x - b * y`, elementwise.
pub(super) fn mix_sub(a: f32, x: &[f32], b: f32, y: &[f32]) -> Vec<f32> {
    x.iter().zip(y).map(|(x, y)| a * x - b * y).collect()
}
