//! `CFGGuider`: guidance between two conditionings.

use longtake_graph::declare::{float, output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{InferCx, InferError, Info, Role};

use super::values::GUIDER;
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "CFGGuider",
    title: "CFG guider",
    title_ja: "CFG ガイダー",
    category: "sampling/custom",
    category_ja: "サンプリング/カスタム",
    help: "What a sampler draws with: guidance between two conditionings. The sampler takes it as if these were its own inputs.",
    help_ja: "サンプラーが使う条件です。2 つのコンディショニングの間のガイダンスを行います。\
              サンプラーは自身の入力と同じように扱います。",
    inputs: &[
        socket("model", Kind::MODEL).help("The diffusion model", "拡散モデル"),
        socket("positive", Kind::CONDITIONING).help("What is to be seen", "映したいもの"),
        socket("negative", Kind::CONDITIONING).help("What is not to be seen", "映したくないもの"),
        float("cfg", 8.0).within_f(0.0, 100.0).step_f(0.1).help(
            "Guidance; 1 skips the negative",
            "ガイダンスの強さ(CFG)。1 ならネガティブを省きます。",
        ),
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
