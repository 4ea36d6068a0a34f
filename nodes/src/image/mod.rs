//! Still pictures and batches of them, with ComfyUI's names, inputs and defaults
//! (`nodes.py`, `comfy_extras/nodes_images.py`).

pub mod colour_curve;
pub mod empty_image;
pub mod image_batch;
pub mod image_from_batch;
pub mod image_invert;
pub mod image_scale;
pub mod load_image;
pub mod preview_image;
pub mod repeat_image_batch;
pub mod save_image;

use crate::Node;

/// Nodes of this folder.
pub const NODES: &[Node] = &[
    colour_curve::NODE,
    empty_image::NODE,
    image_batch::NODE,
    image_from_batch::NODE,
    image_invert::NODE,
    image_scale::NODE,
    load_image::NODE,
    preview_image::NODE,
    repeat_image_batch::NODE,
    save_image::NODE,
];
