//! The network as solvers see it: samples, windows of frames, guidance, control, a step cache.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;

use longtake_graph::{Sentence, say};
use longtake_models::wan::dit::{Control, ForwardError, Pass, Times, WanDit};
use longtake_models::{Device, Tensor, screen};
use longtake_plan::LatentInfo;
use longtake_run::{Cancel, Failure, RunCx, RunError};
use longtake_sampling::cache::{CacheReport, EasyCache, EasyCacheSettings};
use longtake_sampling::windows::step_at;
use longtake_sampling::{Denoiser, Schedule, Stop, flow};

use super::glance::Glance;
use super::planes;
use super::preview::Previews;
use super::settings::Windows;
use super::side::Side;
use crate::failure::{IntoRunError, off_device, outside};

/// One or two passes of the diffusion model per prediction, and per window of frames.
pub struct Network<'a> {
    /// The diffusion model.
    pub model: Arc<WanDit>,
    /// What is to be seen, and with guidance what is not.
    pub sides: Vec<Side>,
    /// Guidance scale.
    pub cfg: f32,
    /// Knows the time of each sigma.
    pub schedule: &'a Schedule,
    /// Shift of the schedule.
    pub shift: f64,
    /// Sizes of the latent.
    pub shape: LatentInfo,
    /// Where the model computes.
    pub device: Device,
    /// Stops a pass between blocks.
    pub cancel: Cancel,
    /// Share of each latent frame that is to be made, where the model has a time per frame
    /// (ComfyUI `comfy/model_base.py`, `WAN22.extra_conds`).
    pub made: Option<Vec<f32>>,
    /// Windows of frames, where the clip is longer than one.
    pub windows: Option<Windows>,
    /// Leaves out evaluations that would change little.
    pub cache: Option<EasyCacheSettings>,
    /// The caches of samples and windows.
    pub caches: BTreeMap<(usize, Vec<usize>), EasyCache>,
    /// Step whose windows are laid.
    pub step: usize,
    /// Who wants to see what is predicted, while it is on the device.
    pub glance: Rc<Glance>,
}

impl Denoiser for Network<'_> {
    fn denoise(&mut self, x: &[f32], sigma: f32) -> Result<Vec<f32>, Stop> {
        let one = x.len() / self.shape.batch.max(1) as usize;
        let mut x0 = Vec::with_capacity(x.len());
        if let Some(step) = step_at(&self.schedule.sigmas, sigma) {
            self.step = step;
        }
        for (sample, part) in x.chunks(one.max(1)).enumerate() {
            x0.extend(self.sample(sample, part, sigma)?);
        }
        Ok(x0)
    }
}

impl Network<'_> {
    fn sample(&mut self, sample: usize, x: &[f32], sigma: f32) -> Result<Vec<f32>, Stop> {
        let shape = self.shape;
        let dims = [shape.channels, shape.frames, shape.height, shape.width].map(|n| n as usize);
        if let Some(windows) = self.windows {
            let step = self.step;
            return windows.context.denoise(x, dims, step, &mut |frames, part| {
                self.predict(sample, part, frames, sigma)
            });
        }
        let all: Vec<usize> = (0..dims[1]).collect();
        self.predict(sample, x, &all, sigma)
    }

    /// The x0 prediction, after guidance, for some frames of one sample. `x` holds those frames.
    fn predict(
        &mut self,
        sample: usize,
        x: &[f32],
        frames: &[usize],
        sigma: f32,
    ) -> Result<Vec<f32>, Stop> {
        let key = (sample, frames.to_vec());
        let mut cache = self.cache.map(|settings| {
            let plane = [self.shape.height, self.shape.width].map(|n| n as usize);
            let known = self.caches.remove(&key);
            known.unwrap_or_else(|| EasyCache::new(settings, self.shift, plane))
        });
        if let Some(cache) = &mut cache {
            cache.begin(sigma);
        }
        let mut predictions = Vec::with_capacity(2);
        for (pass, side) in self.sides.iter().enumerate() {
            let network = || self.velocity(sample, x, frames, sigma, side);
            let velocity = match &mut cache {
                Some(cache) => cache.pass(pass, x, network)?,
                None => network()?,
            };
            predictions.push(flow::x0_from_velocity(sigma, x, &velocity));
        }
        if let Some(cache) = cache {
            self.caches.insert(key, cache);
        }
        let uncond = (predictions.len() > 1).then(|| predictions.pop()).flatten();
        let cond = predictions.pop().unwrap_or_default();
        Ok(flow::guide(cond, uncond.as_deref(), self.cfg))
    }

    fn velocity(
        &self,
        sample: usize,
        x: &[f32],
        frames: &[usize],
        sigma: f32,
        side: &Side,
    ) -> Result<Vec<f32>, Stop> {
        let window = LatentInfo {
            batch: 1,
            frames: frames.len() as u32,
            ..self.shape
        };
        let every: Vec<usize> = (0..frames.len()).collect();
        let mut latent = planes::of_latent(x, window, &every, &self.device);
        let noisy = self.glance.wants(sample).then(|| latent.clone());
        if let Some(beside) = &side.beside {
            let beside = beside.at(&self.picture_frames(frames), &self.device);
            latent = Tensor::cat(vec![latent, beside], 1);
        }
        let time = self.schedule.timestep(sigma);
        let one = [time];
        let per_frame: Option<Vec<f32>> = self
            .made
            .as_ref()
            .map(|made| frames.iter().map(|&at| made[at] * time).collect());
        let times = match &per_frame {
            Some(times) => Times::PerFrame(times),
            None => Times::PerItem(&one),
        };
        let streams = side.streams(frames, sigma, &self.device);
        let control = side.control.as_ref();
        let mut control = control.and_then(|it| it.at(&latent, frames, sigma, &self.device));
        let is_shared = screen::is_shared(&self.device);
        let mut hook = |_: usize, _: usize| {
            // The window's frames wait for no more than a block.
            if is_shared {
                screen::settle(&self.device);
            }
            if self.cancel.is_cancelled() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let pass = Pass {
            scail: streams.as_ref(),
            control: control.as_mut().map(|it| it as &mut dyn Control),
            ..Pass::new(latent, times, &side.context)
        };
        let velocity = self.model.forward(pass, &mut hook);
        let velocity = velocity.map_err(|error| match error {
            ForwardError::Interrupted => Stop::Cancelled,
            other => stop(other.into_run_error()),
        })?;
        if let Some(noisy) = noisy {
            self.glance.see(noisy, velocity.clone(), sigma);
        }
        velocity
            .into_data()
            .convert::<f32>()
            .into_vec()
            .map_err(|e| {
                stop(off_device(
                    &say!("the network's output", "ネットワークの出力"),
                    &e,
                ))
            })
    }

    /// Frames of the picture condition that a window sees.
    fn picture_frames(&self, frames: &[usize]) -> Vec<usize> {
        let mut frames = frames.to_vec();
        if self.windows.is_some_and(|it| it.retain_first)
            && let Some(first) = frames.first_mut()
        {
            *first = 0;
        }
        frames
    }

    /// What the step cache did, for people; `None` without one.
    pub fn cache_report(&self) -> Option<Sentence> {
        self.cache?;
        let mut all = CacheReport::default();
        for cache in self.caches.values() {
            let it = cache.report();
            all.evaluations += it.evaluations;
            all.skipped += it.skipped;
            all.errors.extend(it.errors.iter().copied());
        }
        let off = all.error().map_or(Sentence::default(), |(mean, most)| {
            let [mean, most] = [mean, most].map(|it| it * 100.0);
            say!(
                "; what was reused is off by {mean:.2} % on the average, {most:.2} % at most \
                 (relative L2)",
                "。使い回しのずれは平均 {mean:.2} %、最大 {most:.2} % です(相対 L2)"
            )
        });
        Some(say!(
            "EasyCache left out {} of {} evaluations: {:.2} times as fast in the network{off}",
            "EasyCache は {1} 回の評価のうち {0} 回を省き、ネットワークは {2:.2} 倍の速さになりました{off}",
            all.skipped,
            all.evaluations,
            all.speed_up();
            off
        ))
    }
}

/// A denoiser with its progress told after every evaluation, with a picture now and then.
pub struct Reporting<'a, 'b> {
    /// Where progress goes.
    pub cx: &'a mut RunCx<'b>,
    /// What predicts.
    pub inner: &'a mut dyn Denoiser,
    /// Evaluations done.
    pub done: u64,
    /// Evaluations in all.
    pub total: u64,
    /// Makes the pictures.
    pub previews: Previews,
}

impl Denoiser for Reporting<'_, '_> {
    fn denoise(&mut self, x: &[f32], sigma: f32) -> Result<Vec<f32>, Stop> {
        self.done += 1;
        self.previews.expect(self.done == self.total);
        let x0 = self.inner.denoise(x, sigma)?;
        let preview = self.previews.of(&x0);
        self.cx
            .progress_with(self.done, self.total, "step", preview)
            .map_err(stop)?;
        Ok(x0)
    }
}

/// A run's error on its way through a solver.
fn stop(error: RunError) -> Stop {
    match error.failure {
        Failure::Cancelled => Stop::Cancelled,
        Failure::Transient | Failure::OutOfMemory | Failure::Failed => {
            Stop::Failed(Box::new(error))
        }
    }
}

/// A solver's stop as a run's error.
pub fn error(stop: Stop) -> RunError {
    match stop {
        Stop::Cancelled => RunError::cancelled(),
        Stop::Invalid(why) => RunError::failed(why),
        Stop::Failed(error) => match error.downcast::<RunError>() {
            Ok(error) => *error,
            Err(error) => RunError::failed(outside("モデルの計算に失敗しました", &error)),
        },
    }
}
