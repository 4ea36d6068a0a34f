//! Solvers: from noise to latent along a list of sigmas. One file each; this one names them all.
//!
//! ComfyUI's solvers compute here what ComfyUI computes for a flow model (`comfy/k_diffusion/sampling.py`,
//! `comfy/extra_samplers/uni_pc.py`; model sampling `CONST`), in single precision and in its order of
//! operations, so that results agree to rounding. Wan's own two follow its repository.

mod bh;
mod bytes;
mod deis;
mod dpmpp_2m;
mod dpmpp_2m_sde;
mod dpmpp_3m_sde;
mod dpmpp_sde;
mod er_sde;
mod euler;
mod euler_ancestral;
mod gradient_estimation;
mod heun;
mod ipndm;
mod kind;
mod lcm;
mod res_multistep;
mod run;
mod sa_solver;
mod snr;
mod state;
mod uni_pc;
mod wan_dpmpp;
mod wan_unipc;

use std::error::Error;
use std::ops::ControlFlow;

use longtake_sentence::{Sentence, say};

use crate::noise::FreshNoise;
use run::Run;

pub use bytes::StateError;
pub use kind::{Sampler, Solver};
pub use state::SolverState;

/// The network as solvers see it.
pub trait Denoiser {
    /// The x0 prediction for the noised latent `x` at `sigma`, after guidance; same length as `x`.
    ///
    /// # Errors
    /// [`Stop`], which ends the run and comes out of [`sample`] as it is.
    fn denoise(&mut self, x: &[f32], sigma: f32) -> Result<Vec<f32>, Stop>;
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.sentence())]
pub enum Stop {
    /// Somebody asked for it.
    Cancelled,
    /// What was given, or what the network gave, makes no sense.
    Invalid(Sentence),
    /// The network failed; what it said.
    Failed(Box<dyn Error + Send + Sync>),
}

impl Stop {
    /// The message in both languages.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::Cancelled => say!("cancelled", "中止しました"),
            Self::Invalid(why) => why.clone(),
            Self::Failed(error) => say!("{error}", "モデルの計算に失敗しました: {error}"),
        }
    }
}

/// What is known after each step's prediction.
#[derive(Debug, Clone, Copy)]
pub struct StepInfo<'a> {
    /// From 0.
    pub step: usize,
    /// How many there are.
    pub steps: usize,
    /// Noise level at which `x0` was predicted.
    pub sigma: f32,
    /// The predicted latent: what a preview shows.
    pub x0: &'a [f32],
}

/// Solves from `sigmas[0]` to the last of `sigmas`, starting at `x`, a latent noised to `sigmas[0]`.
///
/// `x` and what is returned are at the noise level of their sigma; [`crate::sample_latent`] does
/// the scaling before and after. `on_step` is called once a step, right after the step's
/// prediction; breaking there ends the run with [`Stop::Cancelled`] before any more work is done.
///
/// # Errors
/// What the denoiser returns; [`Stop::Invalid`] if `sigmas` do not fall from at most 1 to at least
/// 0, or if the denoiser returns another number of elements than it got.
pub fn sample(
    sampler: impl Into<Sampler>,
    denoiser: &mut dyn Denoiser,
    sigmas: &[f32],
    noise: &mut FreshNoise,
    x: Vec<f32>,
    on_step: &mut dyn FnMut(StepInfo<'_>) -> ControlFlow<()>,
) -> Result<Vec<f32>, Stop> {
    let mut state = SolverState::start(sampler, sigmas, noise.clone(), x)?;
    let result = state.run(denoiser, usize::MAX, on_step);
    noise.clone_from(&state.noise);
    result.map(|()| state.into_latent())
}

/// One step of `solver`; returns the x after it.
fn step(solver: Solver, run: &mut Run<'_>, x: &[f32]) -> Result<Vec<f32>, Stop> {
    match solver {
        Solver::Euler | Solver::Ddim => euler::step(run, x),
        Solver::Heun => heun::step(run, x),
        Solver::DpmppSde => dpmpp_sde::step(run, x),
        Solver::Dpmpp2m => dpmpp_2m::step(run, x),
        Solver::Dpmpp2mSde => dpmpp_2m_sde::step(run, x, dpmpp_2m_sde::Form::Midpoint),
        Solver::Dpmpp2mSdeHeun => dpmpp_2m_sde::step(run, x, dpmpp_2m_sde::Form::Heun),
        Solver::Dpmpp3mSde => dpmpp_3m_sde::step(run, x),
        Solver::UniPc => uni_pc::step(run, x, bh::Variant::Bh1),
        Solver::UniPcBh2 => uni_pc::step(run, x, bh::Variant::Bh2),
        Solver::ResMultistep => res_multistep::step(run, x),
        Solver::Lcm => lcm::step(run, x),
        Solver::Ipndm => ipndm::step(run, x),
        Solver::Deis => deis::step(run, x),
        Solver::GradientEstimation => gradient_estimation::step(run, x),
        Solver::ErSde => er_sde::step(run, x),
        Solver::SaSolver => sa_solver::step(run, x, false),
        Solver::SaSolverPece => sa_solver::step(run, x, true),
        Solver::EulerAncestral => euler_ancestral::step(run, x),
        Solver::WanUniPc => wan_unipc::step(run, x),
        Solver::WanDpmpp => wan_dpmpp::step(run, x),
    }
}

/// How often [`sample`] calls the denoiser for these sigmas, exactly.
pub fn model_evaluations(sampler: impl Into<Sampler>, sigmas: &[f32]) -> usize {
    let sampler = sampler.into();
    let sigmas = visited(&sampler, sigmas);
    let steps = sigmas.len().saturating_sub(1);
    let at_zero = usize::from(steps > 0 && sigmas[steps] == 0.0);
    match sampler.solver {
        Solver::Heun | Solver::DpmppSde => 2 * steps - at_zero,
        // The first step has nothing to correct.
        Solver::SaSolverPece => (2 * steps).saturating_sub(1),
        Solver::Euler
        | Solver::EulerAncestral
        | Solver::Dpmpp2m
        | Solver::Dpmpp2mSde
        | Solver::Dpmpp2mSdeHeun
        | Solver::Dpmpp3mSde
        | Solver::Lcm
        | Solver::Ipndm
        | Solver::Deis
        | Solver::ResMultistep
        | Solver::GradientEstimation
        | Solver::ErSde
        | Solver::SaSolver
        | Solver::Ddim
        | Solver::UniPc
        | Solver::UniPcBh2
        | Solver::WanUniPc
        | Solver::WanDpmpp => steps,
    }
}

/// The sigmas a solver stops at. Past the first 0 there is nothing left to do. More steps than the
/// table has entries repeat some; where ComfyUI's multistep solvers then divide by zero, the
/// repetition is left out. Those that cannot start at 1 start a little below.
fn visited(sampler: &Sampler, sigmas: &[f32]) -> Vec<f32> {
    let solver = sampler.solver;
    let end = sigmas
        .iter()
        .position(|&sigma| sigma == 0.0)
        .map_or(sigmas.len(), |i| i + 1);
    let mut sigmas = sigmas[..end].to_vec();
    if solver.divides_by_step() {
        sigmas.dedup();
    }
    if let [first, second, ..] = &mut sigmas[..]
        && solver.starts_below_one()
        && *first >= 1.0
    {
        // Below 1 also where an extreme shift is rounded to 1, and not below the next sigma.
        let below = sampler.percent_to_sigma(1e-4) as f32;
        *first = below.min(1.0 - f32::EPSILON / 2.0).max(*second);
        sigmas.dedup();
    }
    sigmas
}
