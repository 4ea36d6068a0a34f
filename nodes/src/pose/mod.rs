//! Poses: keypoints read, cleaned, given depth, given to another body, and drawn for SCAIL.
//!
//! - [`read`], [`mod@file`], [`track`]: from JSON to people followed through the frames ([`motion`]).
//! - [`clean`]: gaps and jitter. [`lift`]: 2-D joints into space. [`retarget`], [`bones`]: another body.
//! - [`skeleton`], [`capsule`], [`render`], [`overlay`]: the picture.
//! - [`recipe`]: what travels between the nodes. [`figure`]: a drawn person to try it all on.

pub mod bones;
pub mod capsule;
pub mod clean;
pub mod draw_pose;
pub mod error;
pub mod figure;
pub mod file;
pub mod lift;
pub mod load_pose_keypoints;
pub mod motion;
pub mod overlay;
pub mod read;
pub mod recipe;
pub mod render;
pub mod retarget;
pub mod retarget_pose;
pub mod skeleton;
pub mod track;

use crate::Node;

/// Nodes of this folder.
pub const NODES: &[Node] = &[
    draw_pose::NODE,
    load_pose_keypoints::NODE,
    retarget_pose::NODE,
];
