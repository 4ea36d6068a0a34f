//! Nodes that make conditioning: pictures, poses and renders laid beside the text.
//!
//! Each takes the positive and the negative conditioning and gives both back with arrays and
//! settings added; text and whatever was there stay. Shapes, settings and the control net are in
//! the plan ([`longtake_plan::ExtrasInfo`]), arrays in the value
//! ([`longtake_run::Conditioning::arrays`]), f32, latents raw as the VAE gives them:
//!
//! | array | shape | made by |
//! |---|---|---|
//! | `concat_latent` | `[16, F, h, w]` | image to video |
//! | `concat_mask` | `[4, F, h, w]`, 1 = known | image to video |
//! | `clip_vision` | `[257 or 514, dim]` | image to video, SCAIL |
//! | `scail_reference` | `[16, r, h, w]`, further references first, the main one last | SCAIL |
//! | `scail_pose` | `[16, F, h/2, w/2]`, strength in it | SCAIL |
//! | `scail_reference_mask` | `[28, r, h, w]` | SCAIL-2 |
//! | `scail_pose_mask` | `[28, F, h/2, w/2]` | SCAIL-2 |
//! | `control_latent` | `[16, F, h, w]` | Uni3C |
//!
//! Settings: `scail_replacement`, `scail_start`, `scail_end`, `scail_midpoint_rope`,
//! `control_strength`, `control_start`, `control_end`; `latent_size` = `[F, h, w]` of the latent a
//! node made; `steps` = classes gone through, which [`order`] holds to a meaning.

pub mod carry;
pub mod clip_vision_encode;
pub mod conditioning_zero_out;
pub mod control_net_apply_advanced;
pub mod encode;
pub mod identity;
mod keep;
pub mod order;
mod scail;
pub mod size;
pub mod wan22_image_to_video_latent;
pub mod wan_first_last_frame_to_video;
pub mod wan_image_to_video;
pub mod wan_scail_to_video;

#[cfg(test)]
mod tests;

use crate::Node;

/// Nodes of this folder.
pub const NODES: &[Node] = &[
    clip_vision_encode::NODE,
    conditioning_zero_out::NODE,
    control_net_apply_advanced::NODE,
    wan22_image_to_video_latent::NODE,
    wan_first_last_frame_to_video::NODE,
    wan_image_to_video::NODE,
    wan_scail_to_video::NODE,
];
