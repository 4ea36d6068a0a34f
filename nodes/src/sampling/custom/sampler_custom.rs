//! `SamplerCustom`: a sampler over a schedule of its own.

use longtake_graph::declare::{boolean, float, output, seed, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{CostCx, InferCx, InferError, Info, Keep, Lane, Rung};
use longtake_run::{RunCx, RunError, Value};

use super::values::{SAMPLER, SIGMAS, to_schedule};
use crate::Node;
use crate::inputs::Inputs;
use crate::sampling::check::{KSAMPLER, check};
use crate::sampling::cost;
use crate::sampling::job::{Job, Part, plain, shift, solver};
use crate::sampling::run::run_with_prediction as sample;

const DECLARATION: Declaration = Declaration {
    class: "SamplerCustom",
    title: "Sampler (custom)",
    title_ja: "サンプラー（カスタム）",
    category: "sampling/custom",
    category_ja: "サンプリング/カスタム",
    help: "Draws the latent over a schedule of your own. The second output is the last prediction \
           without noise, which differs where the schedule stops early.",
    help_ja: "独自のスケジュールで潜在表現を描きます。2 番目の出力はノイズを除いた最後の予測で、\
              スケジュールが途中で終わる場合に異なります。",
    inputs: &[
        socket("model", Kind::MODEL).help("The diffusion model", "拡散モデル"),
        boolean("add_noise", true).help("Start from fresh noise", "新しいノイズから始めます。"),
        seed("noise_seed").help(
            "The same seed gives the same film",
            "同じシードからは同じ映像ができます。",
        ),
        float("cfg", 8.0).within_f(0.0, 100.0).step_f(0.1).help(
            "Guidance; 1 skips the negative",
            "ガイダンスの強さ(CFG)。1 ならネガティブを省きます。",
        ),
        socket("positive", Kind::CONDITIONING).help("What is to be seen", "映したいもの"),
        socket("negative", Kind::CONDITIONING).help("What is not to be seen", "映したくないもの"),
        socket("sampler", SAMPLER).help(
            "How one step goes to the next",
            "1 ステップを次へ進める方法",
        ),
        socket("sigmas", SIGMAS).help("Where the steps lie", "ステップの配置"),
        socket("latent_image", Kind::LATENT)
            .help("Size, or what to start from", "サイズ、または出発点"),
    ],
    outputs: &[
        output("output", Kind::LATENT),
        output("denoised_output", Kind::LATENT),
    ],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(&DECLARATION, infer, Lane::Device, Keep::Store, rungs, run);

fn job(cx: &dyn Inputs) -> Result<Job, InferError> {
    Ok(Job {
        solver: solver(cx.text("sampler").map_err(plain)?)?,
        schedule: to_schedule(cx.json("sigmas")).map_err(plain)?,
        cfg: cx.float("cfg").map_err(plain)?,
        seed: cx.seed("noise_seed").map_err(plain)?,
        add_noise: cx.json("add_noise") != Some(&serde_json::Value::Bool(false)),
        shift: shift(cx.weights("model").map_err(plain)?)?,
        part: Part::Whole,
    })
}

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    job(cx)?;
    let latent = check(cx, KSAMPLER)?;
    Ok(vec![Info::Latent(latent), Info::Latent(latent)])
}

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    cost::rungs(cx, KSAMPLER, job)
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    sample(cx, KSAMPLER, job)
}
