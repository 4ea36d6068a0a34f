//! Checkpoints: loaders, settings, text encoding. And the one place that reads a checkpoint into
//! memory for the executor.

pub mod clip_loader;
pub mod clip_text_encode;
pub mod device;
pub mod loading;
pub mod model_sampling_sd3;
pub mod unet_loader;
pub mod vae_loader;

pub use loading::load;

use crate::Node;

/// Nodes of this folder.
pub const NODES: &[Node] = &[
    clip_loader::NODE,
    clip_text_encode::NODE,
    model_sampling_sd3::NODE,
    unet_loader::NODE,
    vae_loader::NODE,
];
