//! `ManualSigmas`: a schedule by hand.

use longtake_graph::Declaration;
use longtake_graph::declare::{output, text};
use longtake_plan::{InferCx, InferError, Info};
use longtake_sampling::Schedule;

use super::values::{SIGMAS, of_schedule};
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "ManualSigmas",
    title: "Manual sigmas",
    title_ja: "手動シグマ",
    category: "sampling/custom",
    category_ja: "サンプリング/カスタム",
    help: "Sigmas as written, from high to low, with commas or blanks between them.",
    help_ja: "シグマを書いたとおりに使います。高い方から低い方へ、カンマか空白で区切ります。",
    inputs: &[text("sigmas", "1, 0.5, 0").help("Numbers from 1 to 0", "1 から 0 までの数値")],
    outputs: &[output("SIGMAS", SIGMAS)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let schedule = Schedule::manual(cx.text("sigmas")?)
        .map_err(|e| InferError::at("value_not_valid", "sigmas", e.sentence()))?;
    Ok(vec![Info::Constant(of_schedule(&schedule))])
}
