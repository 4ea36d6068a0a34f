//! `RandomNoise`: noise from a seed.

use longtake_graph::Declaration;
use longtake_graph::declare::{output, seed};
use longtake_plan::{InferCx, InferError, Info};

use super::values::{NOISE, of_seed};
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "RandomNoise",
    title: "Random noise",
    title_ja: "ランダムノイズ",
    category: "sampling/custom",
    category_ja: "サンプリング/カスタム",
    help: "The same seed gives the same film.",
    help_ja: "同じシードからは同じ映像ができます。",
    inputs: &[seed("noise_seed").help("Where the noise begins", "ノイズの始まり")],
    outputs: &[output("NOISE", NOISE)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    Ok(vec![Info::Constant(of_seed(cx.seed("noise_seed")?))])
}
