//! The Wan diffusion transformer.
