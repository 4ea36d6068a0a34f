//! `KSamplerAdvanced`: part of a schedule, with or without fresh noise.

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

const SWITCH: &[&str] = &["enable", "disable"];

const DECLARATION: Declaration = Declaration {
    class: "KSamplerAdvanced",
    title: "KSampler (advanced)",
    title_ja: "K サンプラー（詳細）",
    category: "sampling",
    category_ja: "サンプリング",
    help: "Runs steps start to end of a schedule. Two of them in a row share one: the first keeps \
           its leftover noise, the second adds none.",
    help_ja: "スケジュールの start から end までのステップを実行します。2 つ続けて 1 \
              つのスケジュールを分け合えます。最初の方は残りのノイズを保ち、\
              後の方はノイズを加えません。",
    inputs: &[
        socket("model", Kind::MODEL).help("The diffusion model", "拡散モデル"),
        choice("add_noise", "enable", SWITCH)
            .help("Start from fresh noise", "新しいノイズから始めます。"),
        seed("noise_seed").help(
            "The same seed gives the same film",
            "同じシードからは同じ映像ができます。",
        ),
        int("steps", 20).within(1, 10_000).unit("steps").help(
            "Steps of the whole schedule",
            "スケジュール全体のステップ数",
        ),
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
        int("start_at_step", 0)
            .within(0, 10_000)
            .help("First step that runs", "実行する最初のステップ"),
        int("end_at_step", 10_000)
            .within(0, 10_000)
            .help("First step that does not", "実行しない最初のステップ"),
        choice(
            "return_with_leftover_noise",
            "disable",
            &["disable", "enable"],
        )
        .help(
            "Stop where the steps end, instead of going to no noise",
            "ノイズがなくなるまで進めず、最後のステップで止めます。",
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
    request.start_step = Some(cx.count("start_at_step").map_err(plain)?);
    request.last_step = Some(cx.count("end_at_step").map_err(plain)?);
    request.force_full_denoise = cx.text("return_with_leftover_noise").map_err(plain)? != "enable";
    Ok(Job {
        solver: request.solver,
        schedule: build(&request)?,
        cfg: cx.float("cfg").map_err(plain)?,
        seed: cx.seed("noise_seed").map_err(plain)?,
        add_noise: cx.text("add_noise").map_err(plain)? != "disable",
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
