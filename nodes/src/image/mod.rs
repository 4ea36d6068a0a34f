//! Placeholder list.

use crate::Node;

/// Nodes of this folder.
pub const NODES: &[Node] = &[];
