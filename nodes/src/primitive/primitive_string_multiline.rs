//! `PrimitiveStringMultiline`: several lines of text, for several inputs at once.

use longtake_graph::declare::{output, text_area};
use longtake_graph::{Declaration, Kind};

use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "PrimitiveStringMultiline",
    title: "Text (several lines)",
    title_ja: "テキスト（複数行）",
    category: "utils/primitive",
    category_ja: "ユーティリティ/プリミティブ",
    help: "Several lines of text, for as many inputs as it is linked to.",
    help_ja: "複数行のテキストです。いくつの入力にもリンクできます。",
    inputs: &[text_area("value", "").help("The text", "テキスト")],
    outputs: &[output("STRING", Kind::STRING)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, super::infer);
