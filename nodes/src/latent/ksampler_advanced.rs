//! `KSamplerAdvanced`: part of a schedule, with or without fresh noise.

use longtake_graph::declare::{choice, float, int, output, seed, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{CostCx, InferCx, InferError, Info, Keep, Lane, Rung};
use longtake_run::{RunCx, RunError, Value};
use longtake_sampling::ScheduleRequest;

use super::ksampler::width;
use super::sampling::{self, Job, SAMPLERS, SCHEDULERS};
use crate::Node;

const SWITCH: &[&str] = &["enable", "disable"];

const DECLARATION: Declaration = Declaration {
    class: "KSamplerAdvanced",
    title: "KSampler (advanced)",
    title_ja: "K サンプラー（詳細）",
    category: "sampling",
    help: "Runs steps start to end of a schedule. Two of them in a row share one: the first keeps \
           its leftover noise, the second adds none.",
    inputs: &[
        socket("model", Kind::MODEL).help("The diffusion model"),
        choice("add_noise", "enable", SWITCH).help("Start from fresh noise"),
        seed("noise_seed").help("The same seed gives the same film"),
        int("steps", 20)
            .within(1, 10_000)
            .unit("steps")
            .help("Steps of the whole schedule"),
        float("cfg", 8.0)
            .within_f(0.0, 100.0)
            .step_f(0.1)
            .help("Guidance; 1 skips the negative"),
        choice("sampler_name", "euler", SAMPLERS).help("How one step goes to the next"),
        choice("scheduler", "simple", SCHEDULERS).help("Where the steps lie"),
        socket("positive", Kind::CONDITIONING).help("What is to be seen"),
        socket("negative", Kind::CONDITIONING).help("What is not to be seen"),
        socket("latent_image", Kind::LATENT).help("Size, or what to start from"),
        int("start_at_step", 0)
            .within(0, 10_000)
            .help("First step that runs"),
        int("end_at_step", 10_000)
            .within(0, 10_000)
            .help("First step that does not"),
        choice(
            "return_with_leftover_noise",
            "disable",
            &["disable", "enable"],
        )
        .help("Stop where the steps end, instead of going to no noise"),
    ],
    outputs: &[output("LATENT", Kind::LATENT)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(&DECLARATION, infer, Lane::Device, Keep::Store, rungs, run);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let latent = cx.latent("latent_image")?;
    let text = [
        ("positive", width(cx, "positive")?),
        ("negative", width(cx, "negative")?),
    ];
    sampling::check(cx.weights("model")?, &latent, text)?;
    sampling::names(cx.text("sampler_name")?, cx.text("scheduler")?)
        .map_err(|message| InferError::at("value_not_in_list", "sampler_name", message))?;
    Ok(vec![Info::Latent(latent)])
}

/// Reads the inputs; the two contexts name their readers alike.
macro_rules! job {
    ($cx:expr, $error:expr) => {{
        let shift = sampling::shift($cx.weights("model")?);
        let (solver, scheduler) =
            sampling::names($cx.text("sampler_name")?, $cx.text("scheduler")?).map_err($error)?;
        let count = |value: i64| value.max(0) as usize;
        let mut request = ScheduleRequest::new(solver, scheduler, count($cx.int("steps")?), shift);
        request.start_step = Some(count($cx.int("start_at_step")?));
        request.last_step = Some(count($cx.int("end_at_step")?));
        request.force_full_denoise = $cx.text("return_with_leftover_noise")? != "enable";
        Job {
            request,
            cfg: $cx.float("cfg")?,
            seed: $cx.seed("noise_seed")?,
            add_noise: $cx.text("add_noise")? != "disable",
        }
    }};
}

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    let read = || -> Result<Job, InferError> {
        Ok(job!(cx, |it| InferError::at(
            "value_not_in_list",
            "sampler_name",
            it
        )))
    };
    sampling::rungs(cx, &read())
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let job = job!(cx, RunError::failed);
    sampling::run(cx, &job)
}
