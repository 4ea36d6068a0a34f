//! Video files in and out.

use std::path::Path;

use longtake_plan::{FactError, Info};

use crate::Node;

/// Nodes of this folder.
pub const NODES: &[Node] = &[];

/// Sizes of a video file.
///
/// # Errors
/// Not a video, or a build without the media layer.
pub fn probe(path: &Path) -> Result<Info, FactError> {
    Err(FactError { code: "no_media", message: format!("{}: this build has no video support", path.display()) })
}
