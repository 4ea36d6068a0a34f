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
    job(cx)?;
    Ok(vec![Info::Latent(check(cx, KSAMPLER)?)])
}

fn job(cx: &dyn Inputs) -> Result<Job, InferError> {
    let shift = shift(cx.weights("model").map_err(plain)?);
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
