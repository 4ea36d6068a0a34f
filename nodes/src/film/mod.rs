//! The film in the graph, and the nodes that make pictures of it without any model.
//!
//! - [`storyboard`], [`each_shot`], [`collect_film`]: a film, one shot of it, the film again.
//! - [`title_card`], [`still_shot`], [`camera_move`], [`transition`], [`blend_frames`]: animatics.
//! - [`last_frame`], [`stored_clip`], [`shot_body`], [`concat_clips`], [`store_clip`]: steps that the
//!   compiler makes.
//! - [`recipe`]: what they share.

pub mod blend_frames;
pub mod camera_move;
pub mod collect_film;
pub mod concat_clips;
pub mod each_shot;
pub mod last_frame;
pub mod recipe;
pub mod shot_body;
pub mod still_shot;
pub mod store_clip;
pub mod stored_clip;
pub mod storyboard;
pub mod title_card;
pub mod transition;

use crate::Node;

/// Nodes of this folder.
pub const NODES: &[Node] = &[
    blend_frames::NODE,
    camera_move::NODE,
    collect_film::NODE,
    concat_clips::NODE,
    each_shot::NODE,
    last_frame::NODE,
    shot_body::NODE,
    still_shot::NODE,
    store_clip::NODE,
    stored_clip::NODE,
    storyboard::NODE,
    title_card::NODE,
    transition::NODE,
];
