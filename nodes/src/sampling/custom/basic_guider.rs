//! `BasicGuider`: one conditioning, no guidance.

use longtake_graph::declare::{output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{InferCx, InferError, Info, Role};

use super::values::GUIDER;
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "BasicGuider",
    title: "Basic guider",
    title_ja: "基本ガイダー",
    category: "sampling/custom",
    category_ja: "サンプリング/カスタム",
    help: "What a sampler draws with: one conditioning, no guidance. The sampler takes it as if these were its own inputs.",
    help_ja: "サンプラーが使う条件です。コンディショニング 1 つで、ガイダンスはありません。\
              サンプラーは自身の入力と同じように扱います。",
    inputs: &[
        socket("model", Kind::MODEL).help("The diffusion model", "拡散モデル"),
        socket("conditioning", Kind::CONDITIONING).help("What is to be seen", "映したいもの"),
    ],
    outputs: &[output("GUIDER", GUIDER)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer).role(Role::Bundle);

/// Who reads it has its inputs instead, so that there is nothing left to say.
#[allow(
    clippy::unnecessary_wraps,
    reason = "the type of every node's inference"
)]
fn infer(_: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    Ok(vec![Info::Nothing])
}
