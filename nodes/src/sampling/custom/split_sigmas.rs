//! `SplitSigmas`: one schedule into two.

use longtake_graph::Declaration;
use longtake_graph::declare::{int, output, socket};
use longtake_plan::{InferCx, InferError, Info};

use super::values::{SIGMAS, of_schedule, to_schedule};
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "SplitSigmas",
    title: "Split sigmas",
    title_ja: "シグマを分割",
    category: "sampling/custom",
    category_ja: "サンプリング/カスタム",
    help: "The schedule before and after a step; both keep the sigma between them.",
    help_ja: "あるステップの前と後のスケジュールです。境目のシグマは両方に含まれます。",
    inputs: &[
        socket("sigmas", SIGMAS).help("The schedule", "スケジュール"),
        int("step", 0)
            .within(0, 10_000)
            .help("First step of the second part", "後半の最初のステップ"),
    ],
    outputs: &[output("high_sigmas", SIGMAS), output("low_sigmas", SIGMAS)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let schedule = to_schedule(cx.json("sigmas"))
        .map_err(|e| InferError::at("return_type_mismatch", "sigmas", e))?;
    let (high, low) = schedule.split(cx.int("step")?.max(0) as usize);
    Ok([high, low]
        .iter()
        .map(|it| Info::Constant(of_schedule(it)))
        .collect())
}
