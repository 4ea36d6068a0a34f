//! `PrimitiveFloat`: a real number, for several inputs at once.

use longtake_graph::declare::{float, output};
use longtake_graph::{Declaration, Kind};

use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "PrimitiveFloat",
    title: "Float",
    title_ja: "小数",
    category: "utils/primitive",
    help: "A real number, for as many inputs as it is linked to.",
    inputs: &[float("value", 0.0)
        .within_f(-1e300, 1e300)
        .help("The value")],
    outputs: &[output("FLOAT", Kind::FLOAT)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, super::infer);
