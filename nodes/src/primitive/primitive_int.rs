//! `PrimitiveInt`: a whole number, for several inputs at once.

use longtake_graph::declare::{int, output};
use longtake_graph::{Declaration, Kind};

use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "PrimitiveInt",
    title: "Integer",
    title_ja: "整数",
    category: "utils/primitive",
    category_ja: "ユーティリティ/プリミティブ",
    help: "A whole number, for as many inputs as it is linked to. Wide enough for a 64-bit seed.",
    help_ja: "整数です。いくつの入力にもリンクできます。64 ビットのシードも入ります。",
    inputs: &[int("value", 0)
        .within(-(i64::MAX as i128), u64::MAX as i128)
        .help("The value", "値")],
    outputs: &[output("INT", Kind::INT)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, super::infer);
