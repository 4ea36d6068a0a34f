//! `PrimitiveString`: a line of text, for several inputs at once.

use longtake_graph::declare::{output, text};
use longtake_graph::{Declaration, Kind};

use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "PrimitiveString",
    title: "Text",
    title_ja: "テキスト",
    category: "utils/primitive",
    help: "A line of text, for as many inputs as it is linked to.",
    inputs: &[text("value", "").help("The text")],
    outputs: &[output("STRING", Kind::STRING)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, super::infer);
