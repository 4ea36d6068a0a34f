//! Latents: empty ones, the VAE both ways, files; [`look`] shows them without a VAE.

pub mod empty_hunyuan_latent_video;
pub mod file;
pub mod load_latent;
pub mod look;
pub mod save_latent;
pub mod vae;
pub mod vae_decode;
pub mod vae_decode_tiled;
pub mod vae_encode;
pub mod vae_encode_tiled;

use crate::Node;

/// Nodes of this folder.
pub const NODES: &[Node] = &[
    empty_hunyuan_latent_video::NODE,
    load_latent::NODE,
    save_latent::NODE,
    vae_decode::NODE,
    vae_decode_tiled::NODE,
    vae_encode::NODE,
    vae_encode_tiled::NODE,
];
