//! Camera control: a path in space, and the point-cloud guide that Uni3C follows.
//!
//! A path is a list of small numbers known before the run ([`path::CameraPath`], socket kind
//! `CAMERA_PATH`). Lengths are in *radii*: the distance from the first camera to the subject, which
//! lies at the origin. So one path serves every picture, whatever the unit of its depth map.
//!
//! - [`pose`]: one camera. Axes as in OpenCV: x right, y down, z forward.
//! - [`moves`], [`uni3c`], [`keyframes`], [`curve`]: where paths come from.
//! - [`depth`], [`cloud`]: a picture and its depth as points in space.
//! - [`splat`]: the points as a camera sees them.
//! - [`plot`], [`numbers`], [`sketch`]: a picture of the path for people.
//! - [`camera_path`], [`point_cloud_guide`], [`camera_path_preview`]: the nodes.

pub mod camera_path;
pub mod camera_path_preview;
pub mod cloud;
pub mod curve;
pub mod depth;
pub mod keyframes;
pub mod moves;
pub mod numbers;
pub mod path;
pub mod plot;
pub mod point_cloud_guide;
pub mod pose;
pub mod sketch;
pub mod splat;
pub mod uni3c;

use crate::Node;
use longtake_graph::Kind;

/// A camera path: a constant, see [`path::CameraPath`].
pub const CAMERA_PATH: Kind = Kind::named("CAMERA_PATH");

/// Nodes of this folder.
pub const NODES: &[Node] = &[
    camera_path::NODE,
    camera_path_preview::NODE,
    point_cloud_guide::NODE,
];
