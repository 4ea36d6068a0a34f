//! `PrimitiveFloat`: a real number, for several inputs at once.

use longtake_graph::declare::{float, output};
use longtake_graph::{Declaration, Kind};

use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "PrimitiveFloat",
    title: "Float",
    title_ja: "小数",
    category: "utils/primitive",
    category_ja: "ユーティリティ/プリミティブ",
    help: "A real number, for as many inputs as it is linked to.",
    help_ja: "小数です。いくつの入力にもリンクできます。",
    inputs: &[float("value", 0.0)
        .within_f(-1e300, 1e300)
        .help("The value", "値")],
    outputs: &[output("FLOAT", Kind::FLOAT)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, super::infer);
