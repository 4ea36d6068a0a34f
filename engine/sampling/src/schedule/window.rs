//! What a KSampler node asks for: a schedule, cut to the part that is to run.
//!
//! Source: ComfyUI `comfy/samplers.py`, `KSampler.calculate_sigmas`, `set_steps` and `sample`;
//! `nodes.py`, `KSampler` and `KSamplerAdvanced`.

use super::{MAX_STEPS, Schedule, ScheduleError, Scheduler, discards_penultimate_sigma};
use crate::solver::Solver;

/// The schedule part of a KSampler's inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleRequest {
    /// Which sigmas.
    pub scheduler: Scheduler,
    /// Some solvers get their schedule differently, see [`discards_penultimate_sigma`].
    pub solver: Solver,
    /// Steps that run, unless the window below cuts them.
    pub steps: usize,
    /// Flow shift; see [`super::WAN_SHIFT`].
    pub shift: f64,
    /// 1 starts from noise alone. Below, a longer schedule is made and its end taken; 0 runs nothing.
    pub denoise: f64,
    /// `start_at_step` of KSamplerAdvanced.
    pub start_step: Option<usize>,
    /// `end_at_step` of KSamplerAdvanced.
    pub last_step: Option<usize>,
    /// `return_with_leftover_noise = disable`: when `last_step` cuts the schedule, go to 0 anyway.
    pub force_full_denoise: bool,
}

impl ScheduleRequest {
    /// A plain KSampler at full denoise.
    pub fn new(solver: Solver, scheduler: Scheduler, steps: usize, shift: f64) -> Self {
        Self {
            scheduler,
            solver,
            steps,
            shift,
            denoise: 1.0,
            start_step: None,
            last_step: None,
            force_full_denoise: false,
        }
    }

    /// The sigmas to run. Empty when nothing is to be done: the latent then stays as it is,
    /// without noise.
    ///
    /// # Errors
    /// [`ScheduleError`] names the input that is out of range.
    pub fn build(&self) -> Result<Schedule, ScheduleError> {
        let mut schedule = self.denoised()?;
        if let Some(last) = self.last_step
            && last < schedule.steps()
        {
            schedule.truncate(last + 1);
            if self.force_full_denoise {
                schedule.end_at_zero();
            }
        }
        if let Some(start) = self.start_step {
            let start = if start < schedule.steps() {
                start
            } else {
                schedule.sigmas.len()
            };
            schedule.skip(start);
        }
        Ok(if schedule.steps() == 0 {
            Schedule::default()
        } else {
            schedule
        })
    }

    fn denoised(&self) -> Result<Schedule, ScheduleError> {
        let denoise = self.denoise;
        if denoise.is_nan() {
            return Err(ScheduleError::BadDenoise { denoise });
        }
        if denoise > 0.9999 {
            return self.full(self.steps);
        }
        if denoise <= 0.0 {
            return Ok(Schedule::default());
        }
        let stretched = (self.steps as f64 / denoise).trunc();
        if stretched > MAX_STEPS as f64 {
            return Err(ScheduleError::TooManySteps { steps: stretched });
        }
        let mut schedule = self.full(stretched as usize)?;
        schedule.skip(schedule.sigmas.len().saturating_sub(self.steps + 1));
        Ok(schedule)
    }

    fn full(&self, steps: usize) -> Result<Schedule, ScheduleError> {
        if steps == 0 || !discards_penultimate_sigma(self.solver) {
            return self.scheduler.schedule(steps, self.shift);
        }
        let mut schedule = self
            .scheduler
            .schedule(steps.saturating_add(1), self.shift)?;
        if let Some(penultimate) = schedule.sigmas.len().checked_sub(2) {
            schedule.sigmas.remove(penultimate);
            schedule.timesteps.remove(penultimate);
        }
        Ok(schedule)
    }
}

impl Schedule {
    fn truncate(&mut self, len: usize) {
        self.sigmas.truncate(len);
        self.timesteps.truncate(len);
    }

    fn skip(&mut self, n: usize) {
        self.sigmas.drain(..n);
        self.timesteps.drain(..n);
    }

    fn end_at_zero(&mut self) {
        for last in [self.sigmas.last_mut(), self.timesteps.last_mut()]
            .into_iter()
            .flatten()
        {
            *last = 0.0;
        }
    }
}
