//! What all solvers share: asking the network, reporting a step, checking what comes in.

use std::ops::ControlFlow;

use longtake_sentence::say;

use super::{Denoiser, Sampler, StepInfo, Stop};
use crate::noise::{BrownianPath, FreshNoise};

/// One step under way: its network, the run's sigmas (at least two), its noise, what earlier steps
/// left, its listener.
///
/// A solver asks the network before it changes `history` or draws noise, so that a step that was
/// stopped has not happened.
pub(super) struct Run<'a> {
    pub denoiser: &'a mut dyn Denoiser,
    pub sampler: Sampler,
    pub sigmas: &'a [f32],
    /// The sigma the run was noised to: `sigmas[0]` or, for some solvers, a little above it.
    pub top: f32,
    /// From 0, below [`Run::steps`].
    pub step: usize,
    pub noise: &'a mut FreshNoise,
    /// What a solver keeps from step to step, each as long as the latent; how many after which step
    /// [`super::Solver::history_at`] says.
    pub history: &'a mut Vec<Vec<f32>>,
    pub on_step: &'a mut dyn FnMut(StepInfo<'_>) -> ControlFlow<()>,
}

impl Run<'_> {
    pub fn steps(&self) -> usize {
        self.sigmas.len() - 1
    }

    /// The sigma this step starts at.
    pub fn from(&self) -> f32 {
        self.sigmas[self.step]
    }

    /// The sigma this step goes to.
    pub fn to(&self) -> f32 {
        self.sigmas[self.step + 1]
    }

    /// The sigma at which the step `n` before this one started.
    pub fn before(&self, n: usize) -> f32 {
        self.sigmas[self.step - n]
    }

    /// Unit noise for the way from one sigma to a lower one, along the run's Brownian path.
    pub fn path_noise(&self, from: f32, to: f32, n: usize) -> Vec<f32> {
        let above_zero = self.sigmas.iter().rev().find(|it| **it > 0.0);
        let low = above_zero.copied().unwrap_or(self.top);
        BrownianPath::new(self.noise.seed(), low, self.top).noise(from, to, n)
    }

    /// Keeps `value` for the steps to come, the newest first, at most `most` of them.
    pub fn remember(&mut self, value: Vec<f32>, most: usize) {
        self.history.insert(0, value);
        self.history.truncate(most);
    }

    /// The step's own prediction, at its sigma, reported to the listener.
    pub fn predict(&mut self, x: &[f32]) -> Result<Vec<f32>, Stop> {
        let sigma = self.from();
        let x0 = self.denoise(x, sigma)?;
        let info = StepInfo {
            step: self.step,
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
        Err(Stop::Invalid(say!(
            "the denoiser was given {} elements and returned {}; it must keep the latent's shape",
            "モデルに {} 個の要素を渡しましたが、{} 個が返りました。潜在表現の形を保たなければなりません",
            x.len(),
            x0.len()
        )))
    }
}

/// Sigmas must be numbers, fall or stay, and lie in `[0, 1]`.
pub(super) fn check(sigmas: &[f32]) -> Result<(), Stop> {
    if let Some((i, sigma)) = sigmas
        .iter()
        .enumerate()
        .find(|(_, it)| !(0.0..=1.0).contains(*it))
    {
        return Err(Stop::Invalid(say!(
            "sigma {i} is {sigma}; a flow model's sigmas lie between 0 and 1",
            "シグマ {i} が {sigma} です。フローモデルのシグマは 0 から 1 までです"
        )));
    }
    match sigmas.windows(2).position(|pair| pair[1] > pair[0]) {
        None => Ok(()),
        Some(i) => Err(Stop::Invalid(say!(
            "sigmas must not rise, but after step {i} they go from {} to {}",
            "シグマは増えてはいけませんが、ステップ {i} の後で {} から {} に増えています",
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
