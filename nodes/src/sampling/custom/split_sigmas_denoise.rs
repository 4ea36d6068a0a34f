//! `SplitSigmasDenoise`: one schedule into two, by a fraction.

use longtake_graph::Declaration;
use longtake_graph::declare::{float, output, socket};
use longtake_plan::{InferCx, InferError, Info};

use super::values::{SIGMAS, of_schedule, to_schedule};
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "SplitSigmasDenoise",
    title: "Split sigmas by denoise",
    title_ja: "デノイズでシグマを分割",
    category: "sampling/custom",
    category_ja: "サンプリング/カスタム",
    help: "The schedule split so that the second part has this share of the steps.",
    help_ja: "後半がこの割合のステップを持つようにスケジュールを分けます。",
    inputs: &[
        socket("sigmas", SIGMAS).help("The schedule", "スケジュール"),
        float("denoise", 1.0).within_f(0.0, 1.0).help(
            "Share of the steps in the second part",
            "後半のステップの割合",
        ),
    ],
    outputs: &[output("high_sigmas", SIGMAS), output("low_sigmas", SIGMAS)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let schedule = to_schedule(cx.json("sigmas"))
        .map_err(|e| InferError::at("return_type_mismatch", "sigmas", e))?;
    let (high, low) = schedule.split_denoise(cx.float("denoise")?);
    Ok([high, low]
        .iter()
        .map(|it| Info::Constant(of_schedule(it)))
        .collect())
}
