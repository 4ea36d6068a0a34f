//! A run that can be stopped between two steps, put away, and taken up again.
//!
//! Wan 2.2 changes its expert in the middle of a schedule while UniPC's and DPM++'s history goes on
//! (Wan-Video/Wan2.2 `wan/text2video.py`, `generate`: one scheduler, two models). So the run itself
//! is a value here, and the network is given anew each time it goes on.

use std::ops::ControlFlow;

use super::run::{self, Run};
use super::{Denoiser, Sampler, Solver, StepInfo, Stop, uni_pc};
use crate::noise::FreshNoise;

/// A run between two steps: its latent, its whole schedule, what its solver remembers, the position
/// of its noise.
///
/// A run in pieces gives bit for bit what it gives in one: [`super::sample`] is [`SolverState::start`],
/// [`SolverState::run`] to the end and [`SolverState::into_latent`].
///
/// ```
/// # use longtake_sampling::{Denoiser, FreshNoise, SeedOffset, Solver, SolverState, StepInfo, Stop};
/// # use std::ops::ControlFlow;
/// # struct Expert;
/// # impl Denoiser for Expert {
/// #     fn denoise(&mut self, x: &[f32], _: f32) -> Result<Vec<f32>, Stop> { Ok(vec![0.0; x.len()]) }
/// # }
/// # let (mut high, mut low, x) = (Expert, Expert, vec![0.5; 32]);
/// let sigmas = [1.0, 0.9375, 0.8333, 0.625, 0.0];
/// let noise = FreshNoise::new(7, SeedOffset::One);
/// let mut on_step = |_: StepInfo<'_>| ControlFlow::Continue(());
/// let mut state = SolverState::start(Solver::WanUniPc, &sigmas, noise, x)?;
/// state.run(&mut high, state.steps_from(0.875), &mut on_step)?;
/// let mut state = SolverState::from_bytes(&state.to_bytes())?; // as if from a file
/// state.run(&mut low, state.steps(), &mut on_step)?;
/// let latent = state.into_latent();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct SolverState {
    pub(super) sampler: Sampler,
    /// The sigmas that are visited, all of them.
    pub(super) sigmas: Vec<f32>,
    /// Steps taken.
    pub(super) step: usize,
    /// The sigma that x was noised to in the beginning; see [`Run::top`].
    pub(super) top: f32,
    pub(super) x: Vec<f32>,
    /// See [`Solver::history_at`].
    pub(super) history: Vec<Vec<f32>>,
    pub(super) noise: FreshNoise,
}

impl SolverState {
    /// A run before its first step. `x` is a latent noised to `sigmas[0]`.
    ///
    /// Sigmas that the solver does not stop at (behind the first 0; repeated ones, for multistep
    /// solvers) are left out, and the SDE solvers start a little below 1: see
    /// [`SolverState::sigmas`].
    ///
    /// # Errors
    /// [`Stop::Invalid`] if `sigmas` do not fall from at most 1 to at least 0.
    pub fn start(
        sampler: impl Into<Sampler>,
        sigmas: &[f32],
        noise: FreshNoise,
        x: Vec<f32>,
    ) -> Result<Self, Stop> {
        run::check(sigmas)?;
        let sampler = sampler.into();
        Ok(Self {
            sampler,
            sigmas: super::visited(&sampler, sigmas),
            step: 0,
            top: sigmas.first().copied().unwrap_or(0.0),
            x,
            history: Vec::new(),
            noise,
        })
    }

    /// Goes on until `to_step` steps are taken in all, or to the end if there are fewer. Where that
    /// is reached already nothing happens.
    ///
    /// `on_step` is called as in [`super::sample`], its steps counted over the whole run.
    ///
    /// # Errors
    /// As [`super::sample`]. The state is then as it was before the step that was stopped, and can
    /// go on from there.
    pub fn run(
        &mut self,
        denoiser: &mut dyn Denoiser,
        to_step: usize,
        on_step: &mut dyn FnMut(StepInfo<'_>) -> ControlFlow<()>,
    ) -> Result<(), Stop> {
        while self.step < to_step.min(self.steps()) {
            let mut run = Run {
                denoiser: &mut *denoiser,
                sampler: self.sampler,
                top: self.top,
                sigmas: &self.sigmas,
                step: self.step,
                noise: &mut self.noise,
                history: &mut self.history,
                on_step: &mut *on_step,
            };
            self.x = super::step(self.sampler.solver, &mut run, &self.x)?;
            self.step += 1;
            if self.step == self.steps() {
                self.history = Vec::new();
            }
        }
        Ok(())
    }

    /// How this run steps.
    pub fn sampler(&self) -> Sampler {
        self.sampler
    }

    /// The sigmas this run visits, high to low, of its whole schedule.
    pub fn sigmas(&self) -> &[f32] {
        &self.sigmas
    }

    /// Steps taken so far.
    pub fn step(&self) -> usize {
        self.step
    }

    /// Steps of the whole run.
    pub fn steps(&self) -> usize {
        self.sigmas.len().saturating_sub(1)
    }

    /// How many steps start at `sigma` or above: where Wan 2.2's high-noise expert hands over when
    /// `sigma` is its boundary (0.875 for T2V, 0.9 for I2V).
    pub fn steps_from(&self, sigma: f32) -> usize {
        let starts = &self.sigmas[..self.steps()];
        starts.iter().take_while(|it| **it >= sigma).count()
    }

    /// The noise that is drawn on the way, where it stands.
    pub fn noise(&self) -> &FreshNoise {
        &self.noise
    }

    /// The latent at the noise level of the sigma that the run has come to.
    pub fn latent(&self) -> Vec<f32> {
        match self.sampler.solver {
            Solver::UniPc | Solver::UniPcBh2 if (1..self.steps()).contains(&self.step) => {
                uni_pc::outside(&self.sigmas, self.step, &self.x)
            }
            _ => self.x.clone(),
        }
    }

    /// As [`SolverState::latent`], without a copy when the run is done.
    pub fn into_latent(self) -> Vec<f32> {
        if self.step < self.steps() {
            self.latent()
        } else {
            self.x
        }
    }
}
