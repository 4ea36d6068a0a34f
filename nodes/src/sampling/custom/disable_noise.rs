//! `DisableNoise`: starts from the latent as it is.

use longtake_graph::Declaration;
use longtake_graph::declare::output;
use longtake_plan::{InferCx, InferError, Info};

use super::values::{NOISE, no_noise};
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "DisableNoise",
    title: "No noise",
    title_ja: "ノイズなし",
    category: "sampling/custom",
    category_ja: "サンプリング/カスタム",
    help: "For the second of two samplers: the latent carries its noise already.",
    help_ja: "2 つ続くサンプラーの後の方に使います。潜在表現にはすでにノイズが含まれています。",
    inputs: &[],
    outputs: &[output("NOISE", NOISE)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

#[allow(
    clippy::unnecessary_wraps,
    reason = "the type of every node's inference"
)]
fn infer(_: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    Ok(vec![Info::Constant(no_noise())])
}
