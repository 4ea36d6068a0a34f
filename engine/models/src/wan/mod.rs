//! The Wan family: diffusion transformer and video autoencoders.

pub mod dit;
pub mod uni3c;
pub mod vae;
