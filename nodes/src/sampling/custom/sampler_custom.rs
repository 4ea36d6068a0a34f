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
    help: "Draws the latent over a schedule of your own. The second output is the last prediction \
           without noise, which differs where the schedule stops early.",
    inputs: &[
        socket("model", Kind::MODEL).help("The diffusion model"),
        boolean("add_noise", true).help("Start from fresh noise"),
        seed("noise_seed").help("The same seed gives the same film"),
        float("cfg", 8.0)
            .within_f(0.0, 100.0)
            .step_f(0.1)
            .help("Guidance; 1 skips the negative"),
        socket("positive", Kind::CONDITIONING).help("What is to be seen"),
        socket("negative", Kind::CONDITIONING).help("What is not to be seen"),
        socket("sampler", SAMPLER).help("How one step goes to the next"),
        socket("sigmas", SIGMAS).help("Where the steps lie"),
        socket("latent_image", Kind::LATENT).help("Size, or what to start from"),
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
        shift: shift(cx.weights("model").map_err(plain)?),
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
