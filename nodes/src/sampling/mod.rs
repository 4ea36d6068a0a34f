//! Sampling: from noise to a latent.
//!
//! | file | what |
//! |---|---|
//! | `job` | what a sampler node asks for |
//! | `check`, `cost` | before the run: do things fit, what will it take |
//! | `side`, `planes`, `control` | what stands beside the noisy latent, made ready for the network |
//! | `network` | samples, windows, guidance, cache around the diffusion model |
//! | `glance` | the prediction as pictures on the window's own device |
//! | `preview` | pictures of what is being made |
//! | `run` | the run itself |
//! | `settings` | what nodes before a sampler put on its model |
//!
//! The other files are nodes, one each.

pub mod check;
pub mod control;
pub mod cost;
pub mod custom;
pub mod easy_cache;
mod glance;
pub mod job;
pub mod ksampler;
pub mod ksampler_advanced;
pub mod names;
pub mod network;
pub mod planes;
pub mod preview;
pub mod run;
pub mod settings;
pub mod side;
pub mod wan_context_windows;
pub mod wan_expert_sampler;

#[cfg(test)]
mod tests;

use crate::Node;

/// Nodes of this folder, without those of [`custom`].
pub const NODES: &[Node] = &[
    easy_cache::NODE,
    ksampler::NODE,
    ksampler_advanced::NODE,
    wan_context_windows::NODE,
    wan_expert_sampler::NODE_HIGH,
    wan_expert_sampler::NODE,
];
