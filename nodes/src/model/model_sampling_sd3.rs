//! `ModelSamplingSD3`: sets the shift of the flow schedule.

use std::sync::Arc;

use longtake_graph::declare::{float, output, socket};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{InferCx, InferError, Info};
use serde_json::json;

use crate::Node;

/// Shift of every Wan model in ComfyUI when no node sets one (`comfy/supported_models.py`,
/// `WAN21_T2V.sampling_settings`).
pub const DEFAULT_SHIFT: f64 = 8.0;

const DECLARATION: Declaration = Declaration {
    class: "ModelSamplingSD3",
    title: "Flow shift",
    title_ja: "フローシフト",
    category: "advanced/model",
    category_ja: "詳細/モデル",
    help: "Moves the schedule towards high noise: sigma' = shift·sigma / (1 + (shift − 1)·sigma). \
           Larger for larger pictures.",
    help_ja: "スケジュールを高ノイズ側に寄せます: sigma' = shift·sigma / (1 + (shift − \
              1)·sigma)。画像が大きいほど大きくします。",
    inputs: &[
        socket("model", Kind::MODEL).help("The diffusion model", "拡散モデル"),
        float("shift", 3.0).within_f(0.0, 100.0).help(
            "3 for 480p, 5 to 8 for more",
            "480p なら 3、それより大きければ 5〜8",
        ),
    ],
    outputs: &[output("MODEL", Kind::MODEL)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let mut weights = cx.weights("model")?.clone();
    let shift = cx.float("shift")?;
    if shift <= 0.0 {
        return Err(InferError::at(
            "value_smaller_than_min",
            "shift",
            say!(
                "expected a shift above 0, found {shift}; every sigma would be 0",
                "シフトは 0 より大きくしてください(現在: {shift})。このままではすべてのシグマが 0 になります。"
            ),
        ));
    }
    weights.options.insert("shift".to_owned(), json!(shift));
    Ok(vec![Info::Weights(Arc::new(weights))])
}
