//! Samplers as host arithmetic: PyTorch's noise, noise schedules, solvers, guidance.
//!
//! Everything here is pure and works on flat `f32` slices: a latent is small (a few million
//! numbers) beside the network that denoises it, so nothing is gained by running it on a device,
//! and much by having every formula in one place that needs no GPU to be tested.
//!
//! **Convention** (rectified flow, as Wan is trained): `x(sigma) = sigma * noise + (1 - sigma) * x0`
//! with sigma in `[0, 1]`; the network predicts the velocity `v = noise - x0`, hence
//! `x0 = x - sigma * v`. Samplers see only the x0 prediction, after guidance.
//!
//! | module | what |
//! |---|---|
//! | [`noise`] | PyTorch's CPU generator bit for bit: initial and fresh noise |
//! | [`schedule`] | which sigmas a run visits, and the timesteps the network is told |
//! | [`solver`] | how to get from one sigma to the next |
//! | [`flow`] | the convention above as functions, and classifier-free guidance |
//! | [`latent`] | a whole KSampler run: noise in, solve, noise out |
//! | [`mask`] | keeping a part of a latent as it is |
//! | [`windows`] | clips longer than the model's, window by window |
//! | [`cache`] | leaving out evaluations that would change little |
//!
//! **Invariant:** knows neither Burn nor graphs nor files. The network is a [`Denoiser`].

pub mod cache;
pub mod flow;
pub mod latent;
pub mod mask;
mod names;
pub mod noise;
#[cfg(test)]
mod said;
pub mod schedule;
pub mod solver;
pub mod windows;

pub use cache::{CacheReport, EasyCache, EasyCacheSettings};
pub use latent::{begin_latent, finish_latent, sample_latent};
pub use mask::{Kept, Masked, sample_latent_masked};
pub use names::{NameKind, UnknownName};
pub use noise::{BrownianPath, FreshNoise, SeedOffset, TorchRng, initial_noise};
pub use schedule::{Schedule, ScheduleError, ScheduleRequest, Scheduler};
pub use solver::{
    Denoiser, Sampler, Solver, SolverState, StateError, StepInfo, Stop, model_evaluations, sample,
};
pub use windows::{ContextWindows, Fuse, WindowError, WindowSchedule};
