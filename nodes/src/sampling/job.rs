//! What a sampler node asks for, and the lists of names it offers.

use longtake_graph::Sentence;
use longtake_plan::{InferError, WeightsInfo};
use longtake_sampling::{Sampler, Schedule, ScheduleRequest, Scheduler, Solver, UnknownName};

use crate::inputs::Inputs;
use crate::model::model_sampling_sd3::DEFAULT_SHIFT;
use crate::options::Options;

/// One sampling run, or a part of one.
#[derive(Clone, Debug)]
pub struct Job {
    /// How one step goes to the next.
    pub solver: Solver,
    /// Sigmas of the whole run, and the times the network is told.
    pub schedule: Schedule,
    /// Guidance scale; 1 leaves the negative out.
    pub cfg: f64,
    /// Seed of the noise.
    pub seed: u64,
    /// False: start from the latent as it is.
    pub add_noise: bool,
    /// Shift of the schedule: where fractions of it lie.
    pub shift: f64,
    /// Steps that are left to another step of the plan.
    pub part: Part,
}

/// The part of a run that one step of a plan does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Part {
    /// All of it.
    #[default]
    Whole,
    /// Steps that start at this sigma or above; the rest goes on from the state.
    From { boundary: f64 },
    /// The steps below this sigma. With a state at the input they go on from there.
    Below { boundary: f64 },
}

impl Job {
    /// First and last step of the part, and one behind it.
    pub fn steps(&self) -> std::ops::Range<usize> {
        let all = self.schedule.steps();
        let starts = &self.schedule.sigmas[..all];
        let above = |boundary: f64| {
            let boundary = boundary as f32;
            starts.iter().take_while(|it| **it >= boundary).count()
        };
        match self.part {
            Part::Whole => 0..all,
            Part::From { boundary } => 0..above(boundary),
            Part::Below { boundary } => above(boundary)..all,
        }
    }

    /// Calls of the denoiser in this part.
    pub fn evaluations(&self) -> usize {
        let steps = self.steps();
        let sigmas = self.schedule.sigmas.get(steps.start..=steps.end);
        longtake_sampling::model_evaluations(self.sampler(), sigmas.unwrap_or_default())
    }

    /// The solver with the shift that some of them reckon with.
    pub fn sampler(&self) -> Sampler {
        Sampler::new(self.solver, self.shift)
    }
}

/// How a node reads what it asks for, before the run and during it.
pub type ReadJob = fn(&dyn Inputs) -> Result<Job, InferError>;

/// Reads a sampler's name.
///
/// # Errors
/// Unknown name, at `sampler_name`.
pub fn solver(name: &str) -> Result<Solver, InferError> {
    name.parse()
        .map_err(|e: UnknownName| InferError::at("value_not_in_list", "sampler_name", e.sentence()))
}

/// Reads a schedule's name.
///
/// # Errors
/// Unknown name, at `scheduler`.
pub fn scheduler(name: &str) -> Result<Scheduler, InferError> {
    name.parse()
        .map_err(|e: UnknownName| InferError::at("value_not_in_list", "scheduler", e.sentence()))
}

/// An error that belongs to no input in particular.
pub fn plain(message: Sentence) -> InferError {
    InferError {
        code: "value_not_valid",
        input: None,
        message,
    }
}

/// The flow shift put on a model; where none was, ComfyUI's.
///
/// # Errors
/// Something else was put there, at `model`.
pub fn shift(weights: &WeightsInfo) -> Result<f64, InferError> {
    let shift = Options::of(&weights.options).number("shift");
    let shift = shift.map_err(|why| InferError::at("value_not_valid", "model", why))?;
    Ok(shift.unwrap_or(DEFAULT_SHIFT))
}

/// The request that `sampler_name`, `scheduler` and `steps` make of a model with this shift.
///
/// # Errors
/// A name or a number that is not there.
pub fn request(cx: &dyn Inputs, shift: f64) -> Result<ScheduleRequest, InferError> {
    let solver = solver(cx.text("sampler_name").map_err(plain)?)?;
    let scheduler = scheduler(cx.text("scheduler").map_err(plain)?)?;
    let steps = cx.count("steps").map_err(plain)?;
    Ok(ScheduleRequest::new(solver, scheduler, steps, shift))
}

/// The schedule of a request.
///
/// # Errors
/// As the schedule's, said at `steps`.
pub fn build(request: &ScheduleRequest) -> Result<Schedule, InferError> {
    request
        .build()
        .map_err(|e| InferError::at("value_out_of_range", "steps", e.sentence()))
}
