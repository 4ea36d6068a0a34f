//! `EasyCache`: leaves out evaluations of the network that would change little.

use std::sync::Arc;

use longtake_graph::declare::{boolean, float, output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{InferCx, InferError, Info};
use longtake_sampling::cache::EasyCacheSettings;

use super::settings::{EASY_CACHE, cache_to_json};
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "EasyCache",
    title: "EasyCache",
    title_ja: "EasyCache（ステップ省略）",
    category: "advanced/model",
    category_ja: "詳細/モデル",
    help: "Reuses the network's last answer while the latent moves little. After the run it is told \
           how many evaluations were left out; measure also tells what that costs.",
    help_ja: "潜在表現の変化が小さい間は、ネットワークの前回の答えを使い回します。\
              省いた評価の回数は実行後に表示します。measure ではその影響も表示します。",
    inputs: &[
        socket("model", Kind::MODEL).help("The diffusion model", "拡散モデル"),
        float("reuse_threshold", 0.2).within_f(0.0, 3.0).help(
            "Change that may add up before the network runs again; 0.05 is careful, 0.2 fast",
            "ネットワークを再び実行するまでに許す変化の合計。0.05 は控えめ、0.2 は高速",
        ),
        float("start_percent", 0.15).within_f(0.0, 1.0).help(
            "Before this part of the schedule every evaluation is run",
            "スケジュールのこの位置までは、すべて評価します。",
        ),
        float("end_percent", 0.95).within_f(0.0, 1.0).help(
            "After this part of the schedule every evaluation is run",
            "スケジュールのこの位置からは、すべて評価します。",
        ),
        boolean("verbose", false).help(
            "Kept for ComfyUI's graphs; what was left out is always told",
            "ComfyUI のグラフとの互換用です。省いた回数は常に表示します。",
        ),
        boolean("measure", false).help(
            "Run the network all the same and tell how far off the reuse was; saves no time",
            "ネットワークもすべて実行し、使い回しのずれを表示します。時間は短縮されません。",
        ),
    ],
    outputs: &[output("MODEL", Kind::MODEL)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let mut weights = cx.weights("model")?.clone();
    let settings = EasyCacheSettings {
        reuse_threshold: cx.float("reuse_threshold")?,
        start_percent: cx.float("start_percent")?,
        end_percent: cx.float("end_percent")?,
        measure: cx.boolean("measure")?,
        ..EasyCacheSettings::default()
    };
    weights
        .options
        .insert(EASY_CACHE.to_owned(), cache_to_json(settings));
    Ok(vec![Info::Weights(Arc::new(weights))])
}
