//! What both KSamplers share: choices, cost, and the run itself.

use std::ops::ControlFlow;

use longtake_models::Tensor;
use longtake_models::wan::dit::{
    DitDims, ForwardError, Pass, PassShape, PreparedContext, TEXT_LEN, Times, WanDit,
};
use longtake_models::wan::vae::latent_stats::{process_in, process_out};
use longtake_plan::{Cost, CostCx, InferError, LatentInfo, Rung, WeightsInfo};
use longtake_run::{Conditioning, Latent, RunCx, RunError, Value};
use longtake_sampling::{
    Denoiser, FreshNoise, Schedule, ScheduleRequest, Scheduler, SeedOffset, Solver, StepInfo, Stop,
    flow, initial_noise, model_evaluations, sample_latent,
};

use crate::model::model_sampling_sd3::DEFAULT_SHIFT;

/// Names of the samplers, ComfyUI's first, then Wan's own.
pub const SAMPLERS: &[&str] = &[
    "euler",
    "euler_ancestral",
    "heun",
    "dpmpp_sde",
    "dpmpp_2m",
    "dpmpp_2m_sde",
    "dpmpp_2m_sde_heun",
    "dpmpp_3m_sde",
    "lcm",
    "ipndm",
    "deis",
    "res_multistep",
    "gradient_estimation",
    "er_sde",
    "sa_solver",
    "sa_solver_pece",
    "ddim",
    "uni_pc",
    "uni_pc_bh2",
    "wan_unipc",
    "wan_dpmpp",
];

/// Names of the schedules, ComfyUI's first, then Wan's own.
pub const SCHEDULERS: &[&str] = &[
    "simple",
    "sgm_uniform",
    "karras",
    "exponential",
    "ddim_uniform",
    "beta",
    "normal",
    "linear_quadratic",
    "kl_optimal",
    "wan_unipc",
    "wan_dpmpp",
    "distilled",
    "distilled_causvid",
];

/// What a sampler node asks for.
pub struct Job {
    /// Sampler and part of the schedule.
    pub request: ScheduleRequest,
    /// Guidance scale.
    pub cfg: f64,
    /// Seed of the noise.
    pub seed: u64,
    /// False: start from the latent as it is.
    pub add_noise: bool,
}

/// Reads a sampler's and a schedule's name.
///
/// # Errors
/// Unknown name.
pub fn names(sampler: &str, scheduler: &str) -> Result<(Solver, Scheduler), String> {
    let solver: Solver = sampler.parse().map_err(|e| format!("{e}"))?;
    let scheduler: Scheduler = scheduler.parse().map_err(|e| format!("{e}"))?;
    Ok((solver, scheduler))
}

/// The flow shift put on a model.
pub fn shift(weights: &WeightsInfo) -> f64 {
    weights
        .options
        .get("shift")
        .and_then(serde_json::Value::as_f64)
        .unwrap_or(DEFAULT_SHIFT)
}

/// Sizes of the model that the planner knows.
pub fn dims(weights: &WeightsInfo) -> DitDims {
    let dim = |name: &str| weights.dims.get(name).copied().unwrap_or(1) as usize;
    let part = |name: &str| weights.dims.get(name).copied().unwrap_or(0) as usize;
    DitDims {
        dim: dim("dim"),
        ffn_dim: dim("ffn_dim"),
        heads: dim("heads"),
        layers: dim("layers"),
        in_dim: dim("in_dim"),
        out_dim: dim("out_dim"),
        text_dim: dim("text_dim"),
        text_len: TEXT_LEN,
        freq_dim: 256,
        image_dim: part("image_dim"),
        image_positions: part("image_positions"),
        pose_dim: part("pose_dim"),
        mask_dim: part("mask_dim"),
    }
}

/// Checks before the run that latent, text and model belong together.
///
/// # Errors
/// `channels_do_not_fit`, `text_does_not_fit`, `family_not_supported`.
pub fn check(
    weights: &WeightsInfo,
    latent: &LatentInfo,
    text: [(&str, u32); 2],
) -> Result<(), InferError> {
    let dims = dims(weights);
    if weights.dims.get("i2v") == Some(&1) || dims.in_dim != dims.out_dim {
        return Err(InferError::at(
            "family_not_supported",
            "model",
            format!(
                "{} takes {} channels, an image condition among them; only text-to-video models \
                 can be run yet",
                weights.name, dims.in_dim
            ),
        ));
    }
    if latent.channels as usize != dims.in_dim {
        return Err(InferError::at(
            "channels_do_not_fit",
            "latent_image",
            format!(
                "expected {} channels for {}, found {}",
                dims.in_dim, weights.name, latent.channels
            ),
        ));
    }
    for (input, width) in text {
        if width as usize != dims.text_dim {
            return Err(InferError::at(
                "text_does_not_fit",
                input,
                format!(
                    "expected conditioning {} wide for {}, found {width}; load the text encoder \
                     that the model was made for",
                    dims.text_dim, weights.name
                ),
            ));
        }
    }
    Ok(())
}

/// Ways to sample: weights resident, or read block by block.
pub fn rungs(cx: &CostCx<'_>, job: &Result<Job, InferError>) -> Vec<Rung> {
    let (Ok(weights), Ok(latent), Ok(job)) = (cx.weights("model"), cx.latent("latent_image"), job)
    else {
        return crate::node::one_way(Cost::default());
    };
    let dims = dims(weights);
    let [frames, height, width] = [latent.frames, latent.height, latent.width].map(|n| n as usize);
    let sigmas = job.request.build().map(|it| it.sigmas).unwrap_or_default();
    let passes = if flow::needs_uncond(job.cfg) {
        2.0
    } else {
        1.0
    };
    let evaluations = model_evaluations(job.request.solver, &sigmas) as f64 * passes;
    let batch = f64::from(latent.batch);
    // Samples of a batch go one after another; x, its prediction, the noise and two orders of
    // history are on the host.
    let host_bytes = latent.elements() * 4 * 8;
    // Packed weights are widened as they are used, which the pass's memory counts.
    let packed = weights.dims.get("packed") == Some(&1);
    let block_bytes = weights.dims.get("block_bytes").copied().filter(|_| packed);
    let way = |streamed: bool| {
        let shape = PassShape {
            streamed,
            block_bytes,
            ..PassShape::new(1, frames, height, width)
        };
        let contexts = dims.context_bytes(&shape) * passes as u64;
        Cost {
            flops: evaluations * batch * dims.flops(&shape) as f64,
            device_bytes: dims.workspace_bytes(&shape) + contexts,
            host_bytes,
            // Each pass reads every block again; from the page cache, at best.
            seconds: if streamed {
                evaluations * batch * weights.bytes as f64 / cx.machine.load_bytes_per_second
            } else {
                0.0
            },
        }
    };
    let rung = |name: &str, streamed: bool| Rung {
        name: name.to_owned(),
        settings: std::collections::BTreeMap::new(),
        cost: way(streamed),
        streams: if streamed { vec!["model"] } else { Vec::new() },
    };
    vec![rung("whole", false), rung("streamed", true)]
}

/// Samples.
///
/// # Errors
/// Cancelled, or what the model says.
pub fn run(cx: &mut RunCx<'_>, job: &Job) -> Result<Vec<Value>, RunError> {
    let failed = |e: &dyn std::fmt::Display| RunError::failed(e.to_string());
    let model = cx.model::<WanDit>("model")?;
    let latent = cx.latent("latent_image")?;
    let schedule = job.request.build().map_err(|e| failed(&e))?;
    let device = crate::model::device::handle(&cx.env.device)?.clone();
    let mut texts = vec![context(&model, &cx.conditioning("positive")?, &device)?];
    if flow::needs_uncond(job.cfg) {
        texts.push(context(&model, &cx.conditioning("negative")?, &device)?);
    }
    let shape = latent.info;
    let dims = [
        shape.batch,
        shape.channels,
        shape.frames,
        shape.height,
        shape.width,
    ];
    let dims = dims.map(|n| n as usize);
    let noise = if job.add_noise {
        initial_noise(job.seed, &dims)
    } else {
        vec![0.0; latent.data.len()]
    };
    // ComfyUI normalises a latent only when there is something in it (`CFGGuider.inner_sample`).
    let mut start = latent.data.to_vec();
    if start.iter().any(|&it| it != 0.0) {
        each_sample(&mut start, shape, process_in)?;
    }
    let solver = job.request.solver;
    let mut fresh = FreshNoise::new(job.seed, SeedOffset::One);
    let total = model_evaluations(solver, &schedule.sigmas) as u64;
    let mut network = Network {
        cx,
        model: &model,
        texts,
        cfg: job.cfg as f32,
        schedule: &schedule,
        shape,
        device,
        done: 0,
        total,
    };
    let mut steps = |_: StepInfo<'_>| ControlFlow::Continue(());
    let sampled = sample_latent(
        solver,
        &mut network,
        &schedule.sigmas,
        &mut fresh,
        start,
        &noise,
        &mut steps,
    );
    let mut data = sampled.map_err(|stop| match stop {
        Stop::Cancelled => RunError::cancelled(),
        Stop::Failed(error) => match error.downcast::<RunError>() {
            Ok(error) => *error,
            Err(error) => RunError::failed(error.to_string()),
        },
    })?;
    each_sample(&mut data, shape, process_out)?;
    Ok(vec![Value::Latent(Latent::new(shape, data))])
}

/// Applies a per-channel map to each sample of a batch.
fn each_sample<E: std::fmt::Display>(
    data: &mut [f32],
    shape: LatentInfo,
    map: impl Fn(&mut [f32], usize) -> Result<(), E>,
) -> Result<(), RunError> {
    let one = data.len() / shape.batch.max(1) as usize;
    data.chunks_mut(one.max(1)).try_for_each(|sample| {
        map(sample, shape.channels as usize).map_err(|e| RunError::failed(e.to_string()))
    })
}

fn context(
    model: &WanDit,
    text: &Conditioning,
    device: &longtake_models::Device,
) -> Result<PreparedContext, RunError> {
    let shape = [1, text.tokens as usize, text.dim as usize];
    let tensor = Tensor::<1>::from_floats(text.data.as_slice(), device).reshape(shape);
    model
        .prepare_context(tensor, None)
        .map_err(|e| RunError::failed(e.to_string()))
}

/// The network as solvers see it: guidance around one or two passes, progress after each block.
struct Network<'a, 'b> {
    cx: &'a mut RunCx<'b>,
    model: &'a WanDit,
    texts: Vec<PreparedContext>,
    cfg: f32,
    schedule: &'a Schedule,
    shape: LatentInfo,
    device: longtake_models::Device,
    done: u64,
    total: u64,
}

impl Denoiser for Network<'_, '_> {
    fn denoise(&mut self, x: &[f32], sigma: f32) -> Result<Vec<f32>, Stop> {
        let mut x0 = Vec::with_capacity(x.len());
        let one = x.len() / self.shape.batch.max(1) as usize;
        for sample in x.chunks(one.max(1)) {
            let mut predictions = Vec::with_capacity(2);
            for pass in 0..self.texts.len() {
                let velocity = self.velocity(sample, sigma, pass)?;
                predictions.push(flow::x0_from_velocity(sigma, sample, &velocity));
            }
            let uncond = if predictions.len() > 1 {
                predictions.pop()
            } else {
                None
            };
            let cond = predictions.pop().unwrap_or_default();
            x0.extend(flow::guide(cond, uncond.as_deref(), self.cfg));
        }
        self.done += 1;
        self.cx
            .progress(self.done, self.total, "step")
            .map_err(stop)?;
        Ok(x0)
    }
}

fn stop(error: RunError) -> Stop {
    match error.failure {
        longtake_run::Failure::Cancelled => Stop::Cancelled,
        _ => Stop::Failed(Box::new(error)),
    }
}

impl Network<'_, '_> {
    fn velocity(&mut self, x: &[f32], sigma: f32, pass: usize) -> Result<Vec<f32>, Stop> {
        let LatentInfo {
            channels,
            frames,
            height,
            width,
            ..
        } = self.shape;
        let shape = [1, channels, frames, height, width].map(|n| n as usize);
        let latent = Tensor::<1>::from_floats(x, &self.device).reshape(shape);
        let timestep = [self.schedule.timestep(sigma)];
        let cancel = self.cx.env.cancel.clone();
        let mut hook = |_: usize, _: usize| {
            if cancel.is_cancelled() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let velocity = self
            .model
            .forward(
                Pass::new(latent, Times::PerItem(&timestep), &self.texts[pass]),
                &mut hook,
            )
            .map_err(|error| match error {
                ForwardError::Interrupted => Stop::Cancelled,
                other => Stop::Failed(Box::new(RunError::failed(other.to_string()))),
            })?;
        velocity
            .into_data()
            .convert::<f32>()
            .into_vec()
            .map_err(|e| Stop::Failed(format!("reading the network's output: {e:?}").into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_offer_exactly_what_there_is() {
        for name in SAMPLERS {
            assert!(name.parse::<Solver>().is_ok(), "{name}");
        }
        for name in SCHEDULERS {
            assert!(name.parse::<Scheduler>().is_ok(), "{name}");
        }
        assert_eq!(SAMPLERS.len(), Solver::ALL.len());
        assert_eq!(SCHEDULERS.len(), Scheduler::ALL.len());
    }
}
