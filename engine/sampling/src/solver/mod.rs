//! Solvers: from noise to latent along a list of sigmas. One file each; this one names them all.
//!
//! ComfyUI's solvers compute here what ComfyUI computes for a flow model (`comfy/k_diffusion/sampling.py`,
//! `comfy/extra_samplers/uni_pc.py`; model sampling `CONST`), in single precision and in its order of
//! operations, so that results agree to rounding. Wan's own two follow its repository.

mod bh;
mod bytes;
mod dpmpp_2m;
mod euler;
mod euler_ancestral;
mod heun;
mod lcm;
mod res_multistep;
mod run;
mod state;
mod uni_pc;
mod wan_dpmpp;
mod wan_unipc;

use std::error::Error;
use std::ops::ControlFlow;

use crate::names::{self, UnknownName};
use crate::noise::FreshNoise;
use run::Run;

pub use bytes::StateError;
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
pub enum Stop {
    /// Somebody asked for it.
    #[error("cancelled")]
    Cancelled,
    /// The network failed, or was given or gave something that makes no sense.
    #[error("{0}")]
    Failed(Box<dyn Error + Send + Sync>),
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

/// A way from one sigma to the next. Names are ComfyUI's, except the last two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Solver {
    /// Straight steps along the velocity (`sample_euler`).
    Euler,
    /// Euler and back, slopes averaged; two evaluations a step (`sample_heun`).
    Heun,
    /// DPM-Solver++(2M) over -ln(sigma) (`sample_dpmpp_2m`).
    Dpmpp2m,
    /// UniPC, B(h) = h, up to third order, variance-exploding form (`sample_unipc`).
    UniPc,
    /// UniPC, B(h) = e^h - 1 (`sample_unipc_bh2`).
    UniPcBh2,
    /// Second-order exponential multistep, <https://arxiv.org/abs/2308.02157> (`sample_res_multistep`).
    ResMultistep,
    /// Predict, then noise again with fresh noise; for distilled models (`sample_lcm`).
    Lcm,
    /// Euler with fresh noise, in the form for rectified flow (`sample_euler_ancestral_RF`).
    EulerAncestral,
    /// Wan's own default: UniPC bh2 of order 2 over ln((1 - sigma) / sigma) (`FlowUniPCMultistepScheduler`).
    WanUniPc,
    /// Wan's own other: DPM-Solver++(2M) over ln((1 - sigma) / sigma) (`FlowDPMSolverMultistepScheduler`).
    WanDpmpp,
}

impl Solver {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Euler,
        Self::Heun,
        Self::Dpmpp2m,
        Self::UniPc,
        Self::UniPcBh2,
        Self::ResMultistep,
        Self::Lcm,
        Self::EulerAncestral,
        Self::WanUniPc,
        Self::WanDpmpp,
    ];

    /// The name in files and menus.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Euler => "euler",
            Self::Heun => "heun",
            Self::Dpmpp2m => "dpmpp_2m",
            Self::UniPc => "uni_pc",
            Self::UniPcBh2 => "uni_pc_bh2",
            Self::ResMultistep => "res_multistep",
            Self::Lcm => "lcm",
            Self::EulerAncestral => "euler_ancestral",
            Self::WanUniPc => "wan_unipc",
            Self::WanDpmpp => "wan_dpmpp",
        }
    }

    /// Calls of the denoiser in one step, the last step of some excepted: see [`model_evaluations`].
    pub const fn evaluations_per_step(self) -> usize {
        match self {
            Self::Heun => 2,
            _ => 1,
        }
    }

    /// Whether it draws from [`FreshNoise`], so that the result depends on the seed's offset.
    pub const fn draws_noise(self) -> bool {
        matches!(self, Self::Lcm | Self::EulerAncestral)
    }

    /// Latents of the run's size that the solver holds at once beside those inside the network:
    /// x, the prediction, its history and what is being made of them. For memory planning.
    pub const fn latents_held(self) -> usize {
        match self {
            Self::Euler | Self::Lcm | Self::EulerAncestral => 3,
            Self::Heun | Self::Dpmpp2m | Self::ResMultistep | Self::WanDpmpp => 5,
            Self::WanUniPc => 6,
            Self::UniPc | Self::UniPcBh2 => 8,
        }
    }

    /// Latents in the history after `steps` steps.
    const fn history_at(self, steps: usize) -> usize {
        // x as the last step left it, and predictions or slopes.
        let (beside, most) = match self {
            Self::Euler | Self::Heun | Self::Lcm | Self::EulerAncestral => return 0,
            Self::Dpmpp2m | Self::ResMultistep | Self::WanDpmpp => (0, 1),
            Self::WanUniPc => (1, 2),
            Self::UniPc | Self::UniPcBh2 => (1, 3),
        };
        match steps {
            0 => 0,
            _ if steps < most => beside + steps,
            _ => beside + most,
        }
    }

    /// The sigma at which a run that is asked for `last` really ends. ComfyUI's UniPC overwrites a
    /// final 0 with 0.001 in the very list that the scaling afterwards reads, so that its results
    /// are larger by a thousandth; so are ours.
    pub const fn end_sigma(self, last: f32) -> f32 {
        match self {
            Self::UniPc | Self::UniPcBh2 if last == 0.0 => uni_pc::LAST_SIGMA,
            _ => last,
        }
    }

    /// Multistep solvers divide by the length of the last step in -ln(sigma).
    const fn divides_by_step(self) -> bool {
        !matches!(
            self,
            Self::Euler | Self::Heun | Self::Lcm | Self::EulerAncestral
        )
    }
}

impl std::str::FromStr for Solver {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        names::find("sampler", name, &Self::ALL, Self::name)
    }
}

impl std::fmt::Display for Solver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Solves from `sigmas[0]` to the last of `sigmas`, starting at `x`, a latent noised to `sigmas[0]`.
///
/// `x` and what is returned are at the noise level of their sigma; [`crate::sample_latent`] does
/// the scaling before and after. `on_step` is called once a step, right after the step's
/// prediction; breaking there ends the run with [`Stop::Cancelled`] before any more work is done.
///
/// # Errors
/// What the denoiser returns; [`Stop::Failed`] if `sigmas` do not fall from at most 1 to at least
/// 0, or if the denoiser returns another number of elements than it got.
pub fn sample(
    solver: Solver,
    denoiser: &mut dyn Denoiser,
    sigmas: &[f32],
    noise: &mut FreshNoise,
    x: Vec<f32>,
    on_step: &mut dyn FnMut(StepInfo<'_>) -> ControlFlow<()>,
) -> Result<Vec<f32>, Stop> {
    let mut state = SolverState::start(solver, sigmas, noise.clone(), x)?;
    let result = state.run(denoiser, usize::MAX, on_step);
    noise.clone_from(&state.noise);
    result.map(|()| state.into_latent())
}

/// One step of `solver`; returns the x after it.
fn step(solver: Solver, run: &mut Run<'_>, x: &[f32]) -> Result<Vec<f32>, Stop> {
    match solver {
        Solver::Euler => euler::step(run, x),
        Solver::Heun => heun::step(run, x),
        Solver::Dpmpp2m => dpmpp_2m::step(run, x),
        Solver::UniPc => uni_pc::step(run, x, bh::Variant::Bh1),
        Solver::UniPcBh2 => uni_pc::step(run, x, bh::Variant::Bh2),
        Solver::ResMultistep => res_multistep::step(run, x),
        Solver::Lcm => lcm::step(run, x),
        Solver::EulerAncestral => euler_ancestral::step(run, x),
        Solver::WanUniPc => wan_unipc::step(run, x),
        Solver::WanDpmpp => wan_dpmpp::step(run, x),
    }
}

/// How often [`sample`] calls the denoiser for these sigmas, exactly.
pub fn model_evaluations(solver: Solver, sigmas: &[f32]) -> usize {
    let sigmas = visited(solver, sigmas);
    let steps = sigmas.len().saturating_sub(1);
    let at_zero = usize::from(steps > 0 && sigmas[steps] == 0.0);
    match solver {
        Solver::Heun => 2 * steps - at_zero,
        _ => steps,
    }
}

/// The sigmas a solver stops at. Past the first 0 there is nothing left to do. More steps than the
/// table has entries repeat some; where ComfyUI's multistep solvers then divide by zero, the
/// repetition is left out.
fn visited(solver: Solver, sigmas: &[f32]) -> Vec<f32> {
    let end = sigmas
        .iter()
        .position(|&sigma| sigma == 0.0)
        .map_or(sigmas.len(), |i| i + 1);
    let mut sigmas = sigmas[..end].to_vec();
    if solver.divides_by_step() {
        sigmas.dedup();
    }
    sigmas
}
