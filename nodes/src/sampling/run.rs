//! A sampling run, or the part of one that a step of the plan does.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;

use longtake_graph::say;
use longtake_models::screen;
use longtake_models::wan::dit::WanDit;
use longtake_models::wan::vae::latent_stats::{process_in, process_out};
use longtake_plan::LatentInfo;
use longtake_run::{Latent, RunCx, RunError, Value};
use longtake_sampling::latent::{begin_latent, finish_latent};
use longtake_sampling::mask::{Kept, Masked, compose};
use longtake_sampling::windows::free_noise;
use longtake_sampling::{Denoiser, FreshNoise, SeedOffset, SolverState, StepInfo, initial_noise};

use super::check::Names;
use super::glance::Glance;
use super::job::{Job, Part, ReadJob};
use super::network::{Network, Reporting, error};
use super::preview::Previews;
use super::settings::{Windows, cache_of};
use super::side::Making;
use crate::failure::{IntoRunError, OrFail, at_input};

/// Samples.
///
/// # Errors
/// Cancelled, or what the model says.
pub fn run(cx: &mut RunCx<'_>, names: Names, job: ReadJob) -> Result<Vec<Value>, RunError> {
    let (latent, _) = sampled(cx, names, job)?;
    Ok(vec![Value::Latent(latent)])
}

/// As [`run`], with the last prediction without noise as a second latent.
///
/// # Errors
/// As [`run`].
pub fn run_with_prediction(
    cx: &mut RunCx<'_>,
    names: Names,
    job: ReadJob,
) -> Result<Vec<Value>, RunError> {
    let (latent, prediction) = sampled(cx, names, job)?;
    let mut data = prediction.unwrap_or_else(Vec::new);
    let prediction = if data.len() == latent.data.len() {
        each_sample(&mut data, latent.info, process_out)?;
        Latent {
            mask: latent.mask.clone(),
            ..Latent::new(latent.info, data)
        }
    } else {
        latent.clone()
    };
    Ok(vec![Value::Latent(latent), Value::Latent(prediction)])
}

/// The latent, and the last x0 prediction in the model's own space if there was one.
fn sampled(
    cx: &mut RunCx<'_>,
    names: Names,
    job: ReadJob,
) -> Result<(Latent, Option<Vec<f32>>), RunError> {
    let job = &job(&*cx).or_fail()?;
    let latent = cx.latent(names.latent)?;
    let weights = cx.weights(names.model)?.clone();
    let frames = latent.info.frames as usize;
    let windows = Windows::of(&weights)
        .or_fail()?
        .filter(|it| it.context.applies(frames));
    let start = normalised(&latent)?;
    let noise = noise(job, latent.info, windows.as_ref());
    let mut state = match resumed(cx, job)? {
        Some(state) => state,
        None => begin(job, &start, &noise)?,
    };
    let to = match job.part {
        Part::From { boundary } => state.steps_from(boundary as f32),
        Part::Whole | Part::Below { .. } => state.steps(),
    };
    let model = cx.model::<WanDit>(names.model)?;
    let mut network = network(cx, names, job, &model, &latent)?;
    network.windows = windows;
    network.cache = cache_of(&weights).or_fail()?;
    let mut previews = Previews::new(latent.info);
    // What a window of frames predicts, or what a mask leaves, is only a part of the picture.
    if screen::is_shared(&network.device) && network.windows.is_none() && latent.mask.is_none() {
        previews.glance(Rc::clone(&network.glance));
    }
    let mut prediction = None;
    let mut on_step = |it: StepInfo<'_>| {
        if it.step + 1 == it.steps {
            prediction = Some(it.x0.to_vec());
        }
        ControlFlow::Continue(())
    };
    let mask = mask_of(&latent);
    let mut masked = match &mask {
        Some(mask) => {
            let kept = kept(&model);
            Some(Masked::new(&mut network, mask, &start, &noise, kept).map_err(error)?)
        }
        None => None,
    };
    let inner: &mut dyn Denoiser = match &mut masked {
        Some(masked) => masked,
        None => &mut network,
    };
    let mut reporting = Reporting {
        cx,
        inner,
        done: 0,
        total: job.evaluations() as u64,
        previews,
    };
    state.run(&mut reporting, to, &mut on_step).map_err(error)?;
    if let Some(text) = network.cache_report() {
        cx.note(text);
    }
    let latent = finished(state, job, &latent, mask.as_deref(), &start)?;
    Ok((latent, prediction))
}

fn begin(job: &Job, start: &[f32], noise: &[f32]) -> Result<SolverState, RunError> {
    let fresh = FreshNoise::new(job.seed, SeedOffset::One);
    // A second stage without a first one begins where its own part does.
    let from = match job.part {
        Part::Below { .. } => job.steps().start,
        Part::Whole | Part::From { .. } => 0,
    };
    let sigmas = job.schedule.sigmas.get(from..).unwrap_or_default();
    begin_latent(job.sampler(), sigmas, fresh, start.to_vec(), noise).map_err(error)
}

fn network<'a>(
    cx: &RunCx<'_>,
    names: Names,
    job: &'a Job,
    model: &Arc<WanDit>,
    latent: &Latent,
) -> Result<Network<'a>, RunError> {
    let device = crate::model::device::handle(&cx.env.device)?.clone();
    let making = Making {
        model,
        device: &device,
        latent: latent.info,
        mask: latent.mask.as_ref().map(|it| it.as_slice()),
        shift: job.shift,
    };
    let sides = making.sides(cx, names.positive, names.negative, job.cfg)?;
    let per_frame = latent.mask.as_ref().filter(|_| has_times_per_frame(model));
    Ok(Network {
        model: Arc::clone(model),
        glance: Rc::new(Glance::new(sides.len(), job.cfg as f32)),
        sides,
        cfg: job.cfg as f32,
        schedule: &job.schedule,
        shift: job.shift,
        shape: latent.info,
        made: per_frame.map(|mask| frame_means(mask, latent.info)),
        device,
        cancel: cx.env.cancel.clone(),
        windows: None,
        cache: None,
        caches: BTreeMap::new(),
        step: 0,
    })
}

/// How the parts that stay are shown to the model. Wan 2.2 5B and SCAIL were trained with them
/// clean at every noise level (Wan2.2 `wan/textimage2video.py`; ComfyUI `comfy/model_base.py`,
/// `WAN22` and `WAN21_SCAIL2`).
fn kept(model: &WanDit) -> Kept {
    if has_times_per_frame(model) || model.dims().pose_dim > 0 {
        Kept::Clean
    } else {
        Kept::Noised
    }
}

/// Wan 2.2 5B, known by its 48 channels.
fn has_times_per_frame(model: &WanDit) -> bool {
    model.dims().out_dim == 48
}

/// The mask for every element of the latent.
fn mask_of(latent: &Latent) -> Option<Vec<f32>> {
    let mask = latent.mask.as_ref()?;
    let planes = latent.info.batch * latent.info.channels;
    Some(mask.repeat(planes as usize))
}

/// The state that another step of the plan left.
fn resumed(cx: &RunCx<'_>, job: &Job) -> Result<Option<SolverState>, RunError> {
    if !matches!(job.part, Part::Below { .. }) || !cx.has("state") {
        return Ok(None);
    }
    let before = cx.latent("state")?;
    let bytes = before
        .state
        .as_ref()
        .ok_or_else(|| {
            at_input(
                "state",
                &say!(
                    "the first stage left no state to go on from; render the shot again",
                    "最初の段階から再開できる状態が残っていません。ショットをもう一度レンダリングしてください"
                ),
            )
        })?;
    SolverState::from_bytes(bytes)
        .map(Some)
        .map_err(|e| at_input("state", &e.sentence()))
}

fn finished(
    state: SolverState,
    job: &Job,
    latent: &Latent,
    mask: Option<&[f32]>,
    start: &[f32],
) -> Result<Latent, RunError> {
    let kept = matches!(job.part, Part::From { .. }).then(|| Arc::new(state.to_bytes()));
    let ended = state.sigmas().get(state.step()) == Some(&0.0);
    let mut data = finish_latent(state);
    // What was to stay comes back bit for bit, whatever the solver's arithmetic made of it.
    if let Some(mask) = mask.filter(|_| ended) {
        data = compose(mask, &data, start);
    }
    each_sample(&mut data, latent.info, process_out)?;
    Ok(Latent {
        mask: latent.mask.clone(),
        state: kept,
        ..Latent::new(latent.info, data)
    })
}

/// ComfyUI normalises a latent only when there is something in it (`CFGGuider.inner_sample`).
fn normalised(latent: &Latent) -> Result<Vec<f32>, RunError> {
    let mut start = latent.data.to_vec();
    if start.iter().any(|&it| it != 0.0) {
        each_sample(&mut start, latent.info, process_in)?;
    }
    Ok(start)
}

fn noise(job: &Job, shape: LatentInfo, windows: Option<&Windows>) -> Vec<f32> {
    let dims = [
        shape.batch,
        shape.channels,
        shape.frames,
        shape.height,
        shape.width,
    ];
    let dims = dims.map(|n| n as usize);
    if !job.add_noise {
        return vec![0.0; dims.iter().product()];
    }
    let mut noise = initial_noise(job.seed, &dims);
    if let Some(windows) = windows.filter(|it| it.free_noise) {
        let [batch, channels, frames, height, width] = dims;
        let shape = [batch * channels, frames, height * width];
        free_noise(&mut noise, shape, &windows.context, job.seed);
    }
    noise
}

/// Applies a per-channel map to each sample of a batch.
fn each_sample<E: IntoRunError>(
    data: &mut [f32],
    shape: LatentInfo,
    map: impl Fn(&mut [f32], usize) -> Result<(), E>,
) -> Result<(), RunError> {
    let one = data.len() / shape.batch.max(1) as usize;
    let channels = shape.channels as usize;
    data.chunks_mut(one.max(1))
        .try_for_each(|sample| map(sample, channels).or_fail())
}

/// The mean of a mask over each frame.
fn frame_means(mask: &[f32], shape: LatentInfo) -> Vec<f32> {
    let frame = (shape.height * shape.width).max(1) as usize;
    mask.chunks(frame)
        .map(|it| it.iter().sum::<f32>() / it.len() as f32)
        .collect()
}
