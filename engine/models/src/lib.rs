//! The models, natively in Burn: checkpoints, text encoder, diffusion transformer, video autoencoders.
//!
//! Modules are plain structs of tensors. Each is loaded from a [`weights::Checkpoint`], reads its
//! sizes off the tensors and says beside its code how much memory its weights and its work take.
//! The device is a value ([`Device`]), chosen when the program runs.

pub mod clip;
mod dense;
pub mod device;
pub mod lora;
#[cfg(test)]
mod said;
pub mod screen;
pub mod tokenizer;
pub mod umt5;
pub mod wan;
pub mod weights;

/// A float tensor of rank `D` on whichever device it was made.
pub use longtake_shaders::Tensor;

/// Where tensors live; open one with [`device::DeviceSpec`].
pub type Device = burn::DispatchDevice;
