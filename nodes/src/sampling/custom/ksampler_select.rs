//! `KSamplerSelect`: a sampler by name.

use longtake_graph::Declaration;
use longtake_graph::declare::{choice, output};
use longtake_plan::{InferCx, InferError, Info};

use super::values::SAMPLER;
use crate::Node;
use crate::sampling::job::solver;
use crate::sampling::names::SAMPLERS;

const DECLARATION: Declaration = Declaration {
    class: "KSamplerSelect",
    title: "Choose sampler",
    title_ja: "サンプラーを選択",
    category: "sampling/custom",
    category_ja: "サンプリング/カスタム",
    help: "How one step goes to the next.",
    help_ja: "1 ステップを次へ進める方法です。",
    inputs: &[choice("sampler_name", "euler", SAMPLERS).help("The sampler", "サンプラー")],
    outputs: &[output("SAMPLER", SAMPLER)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let solver = solver(cx.text("sampler_name")?)?;
    Ok(vec![Info::Constant(solver.name().into())])
}
