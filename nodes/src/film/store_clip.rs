//! `StoreClip`: writes a clip into the store, so that a shot can be pinned to it.

use longtake_graph::declare::{output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{Cost, CostCx, InferCx, InferError, Info, Keep, Lane, Rung};
use longtake_run::{RunCx, RunError, Value};

use super::recipe::floats_cost;
use crate::Node;
use crate::node::one_way;

const DECLARATION: Declaration = Declaration {
    class: "StoreClip",
    title: "Store clip",
    title_ja: "クリップを保存",
    category: "film",
    category_ja: "映像",
    help: "Keeps a clip's frames in the store, losslessly. `longtake pin` uses it.",
    help_ja: "クリップのフレームを劣化なしで保存領域に残します。`longtake pin` が使います。",
    inputs: &[socket("clip", Kind::IMAGE).help("The clip", "クリップ")],
    outputs: &[output("IMAGE", Kind::IMAGE)],
    output_node: true,
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(&DECLARATION, infer, Lane::Cpu, Keep::Store, rungs, run);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    Ok(vec![Info::Clip(cx.clip("clip")?)])
}

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    one_way(Cost { ..floats_cost(cx) })
}

/// The executor writes what is returned; this only hands the frames over.
fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    Ok(vec![Value::Clip(cx.clip("clip")?)])
}
