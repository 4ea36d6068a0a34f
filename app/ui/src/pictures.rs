//! Textures of files, results and previews: loaded on a thread, kept while they are looked at.

use std::path::Path;

use egui::TextureHandle;
use longtake_graph::NodeId;

use crate::Cx;

/// A picture that may still be on its way.
#[derive(Clone)]
pub enum Picture {
    /// There is nothing to show.
    None,
    /// It is being read.
    Loading,
    /// Here it is; its own size in pixels may be larger than the texture.
    Ready {
        texture: TextureHandle,
        size: [u32; 2],
    },
    /// It cannot be read, and why.
    Failed(String),
}

/// The textures.
#[derive(Default)]
pub struct Pictures {}

impl Pictures {
    /// A thumbnail of a picture or video file (its first frame), at most `side` pixels long.
    pub fn file(&mut self, ctx: &egui::Context, path: &Path, side: u32) -> Picture {
        let _ = (ctx, path, side);
        Picture::None
    }

    /// Thumbnail of frame `frame` of what a node (lowered id) made, at most `side` pixels long, with the number
    /// of frames there are.
    pub fn result(
        cx: &mut Cx<'_>,
        ctx: &egui::Context,
        node: &NodeId,
        frame: u64,
        side: u32,
    ) -> (Picture, u64) {
        let _ = (cx, ctx, node, frame, side);
        (Picture::None, 0)
    }

    /// The live preview of a node (lowered id) that is being made.
    pub fn preview(cx: &mut Cx<'_>, ctx: &egui::Context, node: &NodeId) -> Picture {
        let _ = (cx, ctx, node);
        Picture::None
    }
}
