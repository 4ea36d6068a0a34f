//! `PrimitiveStringMultiline`: several lines of text, for several inputs at once.

use longtake_graph::declare::{output, text_area};
use longtake_graph::{Declaration, Kind};

use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "PrimitiveStringMultiline",
    title: "Text (several lines)",
    title_ja: "テキスト（複数行）",
    category: "utils/primitive",
    help: "Several lines of text, for as many inputs as it is linked to.",
    inputs: &[text_area("value", "").help("The text")],
    outputs: &[output("STRING", Kind::STRING)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, super::infer);
