//! Video files in and out. Encoding and decoding are the media layer's; a build without it keeps
//! the nodes and says so when one is asked to work.

pub mod create_video;
pub mod encode_segment;
mod file;
pub mod get_video_components;
pub mod load_video;
pub mod save_video;

pub use file::{open, probe};

use crate::Node;

/// Nodes of this folder.
pub const NODES: &[Node] = &[
    create_video::NODE,
    encode_segment::NODE,
    get_video_components::NODE,
    load_video::NODE,
    save_video::NODE,
];
