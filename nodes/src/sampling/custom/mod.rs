//! Samplers put together of parts: noise, guider, sampler, schedule (ComfyUI's custom sampling).

pub mod basic_guider;
pub mod basic_scheduler;
pub mod cfg_guider;
pub mod disable_noise;
pub mod ksampler_select;
pub mod manual_sigmas;
pub mod random_noise;
pub mod sampler_custom;
pub mod sampler_custom_advanced;
pub mod split_sigmas;
pub mod split_sigmas_denoise;
pub mod values;

use crate::Node;

/// Nodes of this folder.
pub const NODES: &[Node] = &[
    basic_guider::NODE,
    basic_scheduler::NODE,
    cfg_guider::NODE,
    disable_noise::NODE,
    ksampler_select::NODE,
    manual_sigmas::NODE,
    random_noise::NODE,
    sampler_custom::NODE,
    sampler_custom_advanced::NODE,
    split_sigmas::NODE,
    split_sigmas_denoise::NODE,
];
