//! `SamplerCustomAdvanced`: a sampler put together of parts.

use longtake_graph::declare::{output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{Cost, CostCx, InferCx, InferError, Info, Keep, Lane, Rung};
use longtake_run::{RunCx, RunError, Value};

use super::values::{GUIDER, NOISE, SAMPLER, SIGMAS, to_schedule, to_seed};
use crate::Node;
use crate::failure::{OrFail, not_one_of};
use crate::inputs::Inputs;
use crate::node::one_way;
use crate::sampling::check::{KSAMPLER, Names, check};
use crate::sampling::cost;
use crate::sampling::job::{Job, Part, plain, shift, solver};
use crate::sampling::run::run_with_prediction as sample;

const DECLARATION: Declaration = Declaration {
    class: "SamplerCustomAdvanced",
    title: "Sampler (custom, advanced)",
    title_ja: "サンプラー（カスタム、詳細）",
    category: "sampling/custom",
    category_ja: "サンプリング/カスタム",
    help: "Draws the latent over a schedule of your own. The second output is the last prediction \
           without noise, which differs where the schedule stops early.",
    help_ja: "独自のスケジュールで潜在表現を描きます。2 番目の出力はノイズを除いた最後の予測で、\
              スケジュールが途中で終わる場合に異なります。",
    inputs: &[
        socket("noise", NOISE).help(
            "RandomNoise or DisableNoise",
            "RandomNoise または DisableNoise",
        ),
        socket("guider", GUIDER).help("BasicGuider or CFGGuider", "BasicGuider または CFGGuider"),
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

/// The guider's inputs stand among the sampler's own; BasicGuider has one conditioning.
///
/// # Errors
/// Another guider.
fn names(cx: &dyn Inputs) -> Result<Names, InferError> {
    match cx.text("guider").map_err(plain)? {
        "BasicGuider" => Ok(Names {
            positive: "conditioning",
            negative: None,
            ..KSAMPLER
        }),
        "CFGGuider" => Ok(KSAMPLER),
        other => Err(not_one_of("guider", &["BasicGuider", "CFGGuider"], other)),
    }
}

fn job(cx: &dyn Inputs) -> Result<Job, InferError> {
    let seed = to_seed(cx.json("noise")).map_err(plain)?;
    Ok(Job {
        solver: solver(cx.text("sampler").map_err(plain)?)?,
        schedule: to_schedule(cx.json("sigmas")).map_err(plain)?,
        // BasicGuider guides nothing.
        cfg: match names(cx)?.negative {
            Some(_) => cx.float("cfg").map_err(plain)?,
            None => 1.0,
        },
        seed: seed.unwrap_or(0),
        add_noise: seed.is_some(),
        shift: shift(cx.weights("model").map_err(plain)?)?,
        part: Part::Whole,
    })
}

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    job(cx)?;
    let latent = check(cx, names(cx)?)?;
    Ok(vec![Info::Latent(latent), Info::Latent(latent)])
}

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    // Another guider has been told by inference.
    names(cx).map_or_else(
        |_| one_way(Cost::default()),
        |names| cost::rungs(cx, names, job),
    )
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let names = names(cx).or_fail()?;
    sample(cx, names, job)
}
