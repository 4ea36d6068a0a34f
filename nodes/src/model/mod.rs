//! Checkpoints: loaders, settings, text encoding. And the one place that reads a checkpoint into
//! memory for the executor.

pub mod clip_loader;
pub mod clip_loader_gguf;
pub mod clip_text_encode;
pub mod clip_vision_loader;
pub mod controlnet_loader;
pub mod device;
pub mod loading;
mod lora;
pub mod lora_loader;
pub mod lora_loader_model_only;
pub mod model_sampling_sd3;
pub mod unet_loader;
pub mod unet_loader_gguf;
pub mod vae_loader;

pub use loading::load;
/// Pictures for a window that draws with the device that computes.
pub use longtake_models::screen;

use crate::Node;

/// Nodes of this folder.
pub const NODES: &[Node] = &[
    clip_loader::NODE,
    clip_loader_gguf::NODE,
    clip_text_encode::NODE,
    clip_vision_loader::NODE,
    controlnet_loader::NODE,
    lora_loader::NODE,
    lora_loader_model_only::NODE,
    model_sampling_sd3::NODE,
    unet_loader::NODE,
    unet_loader_gguf::NODE,
    vae_loader::NODE,
];
