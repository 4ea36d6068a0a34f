//! `KSampler`: from noise to a latent, the whole schedule.

use longtake_graph::declare::{choice, float, int, output, seed, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{CostCx, InferCx, InferError, Info, Keep, Lane, Rung};
use longtake_run::{RunCx, RunError, Value};
use longtake_sampling::ScheduleRequest;

use super::sampling::{self, Job, SAMPLERS, SCHEDULERS};
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "KSampler",
    title: "KSampler",
    title_ja: "K サンプラー",
    category: "sampling",
    help: "Draws the latent: noise from the seed, denoised over the steps of a schedule.",
    inputs: &[
        socket("model", Kind::MODEL).help("The diffusion model"),
        seed("seed").help("The same seed gives the same film"),
        int("steps", 20)
            .within(1, 10_000)
            .unit("steps")
            .help("Steps of the schedule"),
        float("cfg", 8.0)
            .within_f(0.0, 100.0)
            .step_f(0.1)
            .help("Guidance; 1 skips the negative"),
        choice("sampler_name", "euler", SAMPLERS).help("How one step goes to the next"),
        choice("scheduler", "simple", SCHEDULERS).help("Where the steps lie"),
        socket("positive", Kind::CONDITIONING).help("What is to be seen"),
        socket("negative", Kind::CONDITIONING).help("What is not to be seen"),
        socket("latent_image", Kind::LATENT).help("Size, or what to start from"),
        float("denoise", 1.0)
            .within_f(0.0, 1.0)
            .help("Below 1 keeps part of the latent"),
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
    let (sampler, scheduler) = (cx.text("sampler_name")?, cx.text("scheduler")?);
    sampling::names(sampler, scheduler)
        .map_err(|message| InferError::at("value_not_in_list", "sampler_name", message))?;
    Ok(vec![Info::Latent(latent)])
}

/// Width of the conditioning at an input.
///
/// # Errors
/// No conditioning is linked.
pub fn width(cx: &InferCx<'_>, name: &str) -> Result<u32, InferError> {
    match cx.info(name)? {
        Info::Conditioning { dim, .. } => Ok(*dim),
        _ => Err(InferError::at(
            "return_type_mismatch",
            name,
            "expected encoded text",
        )),
    }
}

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    let read = || -> Result<Job, InferError> {
        let shift = sampling::shift(cx.weights("model")?);
        let (solver, scheduler) = sampling::names(cx.text("sampler_name")?, cx.text("scheduler")?)
            .map_err(|it| InferError::at("value_not_in_list", "sampler_name", it))?;
        let mut request =
            ScheduleRequest::new(solver, scheduler, cx.int("steps")?.max(0) as usize, shift);
        request.denoise = cx.float("denoise")?;
        Ok(Job {
            request,
            cfg: cx.float("cfg")?,
            seed: cx.seed("seed")?,
            add_noise: true,
        })
    };
    sampling::rungs(cx, &read())
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let shift = sampling::shift(cx.weights("model")?);
    let (solver, scheduler) = sampling::names(cx.text("sampler_name")?, cx.text("scheduler")?)
        .map_err(RunError::failed)?;
    let mut request =
        ScheduleRequest::new(solver, scheduler, cx.int("steps")?.max(0) as usize, shift);
    request.denoise = cx.float("denoise")?;
    let job = Job {
        request,
        cfg: cx.float("cfg")?,
        seed: cx.seed("seed")?,
        add_noise: true,
    };
    sampling::run(cx, &job)
}
