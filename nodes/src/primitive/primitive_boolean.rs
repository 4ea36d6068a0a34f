//! `PrimitiveBoolean`: true or false, for several inputs at once.

use longtake_graph::declare::{boolean, output};
use longtake_graph::{Declaration, Kind};

use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "PrimitiveBoolean",
    title: "Boolean",
    title_ja: "真偽値",
    category: "utils/primitive",
    category_ja: "ユーティリティ/プリミティブ",
    help: "True or false, for as many inputs as it is linked to.",
    help_ja: "真偽値です。いくつの入力にもリンクできます。",
    inputs: &[boolean("value", false).help("The value", "値")],
    outputs: &[output("BOOLEAN", Kind::BOOLEAN)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, super::infer);
