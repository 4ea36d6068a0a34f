//! `PrimitiveBoolean`: true or false, for several inputs at once.

use longtake_graph::declare::{boolean, output};
use longtake_graph::{Declaration, Kind};

use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "PrimitiveBoolean",
    title: "Boolean",
    title_ja: "真偽値",
    category: "utils/primitive",
    help: "True or false, for as many inputs as it is linked to.",
    inputs: &[boolean("value", false).help("The value")],
    outputs: &[output("BOOLEAN", Kind::BOOLEAN)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, super::infer);
