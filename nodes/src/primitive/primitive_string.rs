//! `PrimitiveString`: a line of text, for several inputs at once.

use longtake_graph::declare::{output, text};
use longtake_graph::{Declaration, Kind};

use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "PrimitiveString",
    title: "Text",
    title_ja: "テキスト",
    category: "utils/primitive",
    category_ja: "ユーティリティ/プリミティブ",
    help: "A line of text, for as many inputs as it is linked to.",
    help_ja: "1 行のテキストです。いくつの入力にもリンクできます。",
    inputs: &[text("value", "").help("The text", "テキスト")],
    outputs: &[output("STRING", Kind::STRING)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, super::infer);
