//! `KSampler`: from noise to a latent, the whole schedule.

use longtake_graph::declare::{choice, float, int, output, seed, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{CostCx, InferCx, InferError, Info, Keep, Lane, Rung};
use longtake_run::{RunCx, RunError, Value};

use super::check::{KSAMPLER, check};
use super::cost;
use super::job::{Job, Part, build, plain, request, shift};
use super::names::{SAMPLERS, SCHEDULERS};
use super::run::run as sample;
use crate::Node;
use crate::inputs::Inputs;

const DECLARATION: Declaration = Declaration {
    class: "KSampler",
    title: "KSampler",
    title_ja: "K サンプラー",
    category: "sampling",
    category_ja: "サンプリング",
    help: "Draws the latent: noise from the seed, denoised over the steps of a schedule.",
    help_ja: "潜在表現を描きます。シードから作ったノイズを、\
              スケジュールのステップに沿ってデノイズします。",
    inputs: &[
        socket("model", Kind::MODEL).help("The diffusion model", "拡散モデル"),
        seed("seed").help(
            "The same seed gives the same film",
            "同じシードからは同じ映像ができます。",
        ),
        int("steps", 20)
            .within(1, 10_000)
            .unit("steps")
            .help("Steps of the schedule", "スケジュールのステップ数"),
        float("cfg", 8.0).within_f(0.0, 100.0).step_f(0.1).help(
            "Guidance; 1 skips the negative",
            "ガイダンスの強さ(CFG)。1 ならネガティブを省きます。",
        ),
        choice("sampler_name", "euler", SAMPLERS).help(
            "How one step goes to the next",
            "1 ステップを次へ進める方法",
        ),
        choice("scheduler", "simple", SCHEDULERS).help("Where the steps lie", "ステップの配置"),
        socket("positive", Kind::CONDITIONING).help("What is to be seen", "映したいもの"),
        socket("negative", Kind::CONDITIONING).help("What is not to be seen", "映したくないもの"),
        socket("latent_image", Kind::LATENT)
            .help("Size, or what to start from", "サイズ、または出発点"),
        float("denoise", 1.0).within_f(0.0, 1.0).help(
            "Below 1 keeps part of the latent",
            "1 未満なら潜在表現の一部を残します。",
        ),
    ],
    outputs: &[output("LATENT", Kind::LATENT)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(&DECLARATION, infer, Lane::Device, Keep::Store, rungs, run);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    job(cx)?;
    Ok(vec![Info::Latent(check(cx, KSAMPLER)?)])
}

fn job(cx: &dyn Inputs) -> Result<Job, InferError> {
    let shift = shift(cx.weights("model").map_err(plain)?)?;
    let mut request = request(cx, shift)?;
    request.denoise = cx.float("denoise").map_err(plain)?;
    Ok(Job {
        solver: request.solver,
        schedule: build(&request)?,
        cfg: cx.float("cfg").map_err(plain)?,
        seed: cx.seed("seed").map_err(plain)?,
        add_noise: true,
        shift,
        part: Part::Whole,
    })
}

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    cost::rungs(cx, KSAMPLER, job)
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    sample(cx, KSAMPLER, job)
}
