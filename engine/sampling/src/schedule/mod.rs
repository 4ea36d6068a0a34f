//! Which sigmas a run visits, and the timesteps the network is told for them.
//!
//! Sources: ComfyUI `comfy/samplers.py` (the scheduler functions, `KSampler.set_steps` and
//! `KSampler.sample`) and `comfy/model_sampling.py` (`ModelSamplingDiscreteFlow`); Wan 2.2
//! `wan/utils/{fm_solvers,fm_solvers_unipc}.py`.

mod beta;
mod comfy;
mod distilled;
mod wan;
mod window;

use longtake_sentence::{Sentence, say};

use crate::names::{self, NameKind, UnknownName};
use crate::solver::Solver;

pub use comfy::FlowTable;
pub use window::ScheduleRequest;

/// Shift of every Wan model in ComfyUI unless `ModelSamplingSD3` sets another
/// (`comfy/supported_models.py`, `WAN21_T2V.sampling_settings`).
pub const WAN_SHIFT: f64 = 8.0;

/// More steps than anyone needs. ComfyUI takes 10,000, divided by `denoise` (least 0.01 in its editor).
pub const MAX_STEPS: usize = 1_000_000;

/// A way to choose sigmas. Names are ComfyUI's, except the last four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheduler {
    /// Every n-th entry of the model's table (`simple_scheduler`).
    Simple,
    /// Timesteps evenly down, last one dropped, shifted a second time (`normal_scheduler`, sgm).
    SgmUniform,
    /// Karras et al. 2022, rho 7 (`get_sigmas_karras`).
    Karras,
    /// Evenly in the logarithm (`get_sigmas_exponential`).
    Exponential,
    /// Table entries evenly from the low end (`ddim_scheduler`).
    DdimUniform,
    /// Quantiles of Beta(0.6, 0.6) over the table; may visit fewer steps (`beta_scheduler`,
    /// <https://arxiv.org/abs/2407.12173>).
    Beta,
    /// Timesteps evenly down, last one kept, shifted a second time (`normal_scheduler`).
    Normal,
    /// Half linear to 0.025, then quadratic (`linear_quadratic_schedule`, from genmoai/mochi).
    LinearQuadratic,
    /// Evenly in the arc tangent (`kl_optimal_scheduler`).
    KlOptimal,
    /// Wan's own with UniPC: from 0.999, shifted once, integer timesteps (`FlowUniPCMultistepScheduler`).
    WanUniPc,
    /// Wan's own with DPM++: from 1, shifted once, integer timesteps (`get_sampling_sigmas`).
    WanDpmpp,
    /// For step-distilled models: equal parts of the table, shifted once (LightX2V's four steps).
    Distilled,
    /// For CausVid's 14B model: its nine timesteps, or evenly picked ones of them; no shift.
    DistilledCausvid,
}

impl Scheduler {
    /// All of them, in ComfyUI's order.
    pub const ALL: [Self; 13] = [
        Self::Simple,
        Self::SgmUniform,
        Self::Karras,
        Self::Exponential,
        Self::DdimUniform,
        Self::Beta,
        Self::Normal,
        Self::LinearQuadratic,
        Self::KlOptimal,
        Self::WanUniPc,
        Self::WanDpmpp,
        Self::Distilled,
        Self::DistilledCausvid,
    ];

    /// The name in files and menus.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::SgmUniform => "sgm_uniform",
            Self::Karras => "karras",
            Self::Exponential => "exponential",
            Self::DdimUniform => "ddim_uniform",
            Self::Beta => "beta",
            Self::Normal => "normal",
            Self::LinearQuadratic => "linear_quadratic",
            Self::KlOptimal => "kl_optimal",
            Self::WanUniPc => "wan_unipc",
            Self::WanDpmpp => "wan_dpmpp",
            Self::Distilled => "distilled",
            Self::DistilledCausvid => "distilled_causvid",
        }
    }

    /// Sigmas for a full run of `steps` at `shift`, from noise to the last one, which is 0.
    ///
    /// Usually `steps + 1` long; `beta` and `ddim_uniform` may differ, as in ComfyUI, and
    /// `distilled_causvid` has nine steps at most. No steps,
    /// no sigmas.
    ///
    /// # Errors
    /// [`ScheduleError`] for a shift that is not a positive number or too many steps.
    pub fn schedule(self, steps: usize, shift: f64) -> Result<Schedule, ScheduleError> {
        if steps > MAX_STEPS {
            return Err(ScheduleError::TooManySteps {
                steps: steps as f64,
            });
        }
        let table = FlowTable::new(shift)?;
        if steps == 0 {
            return Ok(Schedule::default());
        }
        Ok(match self {
            Self::Simple => Schedule::continuous(comfy::simple(&table, steps)),
            Self::SgmUniform => Schedule::continuous(comfy::sgm_uniform(&table, steps)),
            Self::Karras => Schedule::continuous(comfy::karras(&table, steps)),
            Self::Exponential => Schedule::continuous(comfy::exponential(&table, steps)),
            Self::DdimUniform => Schedule::continuous(comfy::ddim_uniform(&table, steps)),
            Self::Beta => Schedule::continuous(comfy::beta(&table, steps)),
            Self::Normal => Schedule::continuous(comfy::normal(&table, steps)),
            Self::LinearQuadratic => Schedule::continuous(comfy::linear_quadratic(&table, steps)),
            Self::KlOptimal => Schedule::continuous(comfy::kl_optimal(&table, steps)),
            Self::WanUniPc => wan::unipc(steps, shift),
            Self::WanDpmpp => wan::dpmpp(steps, shift),
            Self::Distilled => distilled::lightx2v(steps, shift),
            Self::DistilledCausvid => distilled::causvid(steps),
        })
    }
}

impl std::str::FromStr for Scheduler {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        names::find(NameKind::Scheduler, name, &Self::ALL, Self::name)
    }
}

impl std::fmt::Display for Scheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The sigmas of a run, high to low, and what timestep the network is told at each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schedule {
    /// One more than there are steps; empty when there is nothing to do.
    pub sigmas: Vec<f32>,
    /// As long as `sigmas`, in the network's units (thousandths of sigma).
    pub timesteps: Vec<f32>,
}

impl Schedule {
    /// ComfyUI's way: the timestep is `1000 * sigma`, not rounded.
    ///
    /// Sigmas that rounding put a hair above 1 or above the one before (extreme shifts, and the arc
    /// tangent's schedule) are brought down: beyond 1 there is no signal-to-noise ratio.
    pub fn continuous(mut sigmas: Vec<f32>) -> Self {
        let mut ceiling = 1.0;
        for sigma in &mut sigmas {
            *sigma = sigma.min(ceiling);
            ceiling = *sigma;
        }
        let timesteps = sigmas.iter().map(|sigma| sigma * 1000.0).collect();
        Self { sigmas, timesteps }
    }

    /// How many steps a solver takes over it.
    pub fn steps(&self) -> usize {
        self.sigmas.len().saturating_sub(1)
    }

    /// The timestep for a sigma that a solver asked for. One that is not of the schedule, as solvers
    /// of several stages ask for and those that cannot begin at 1, gets `1000 * sigma`.
    pub fn timestep(&self, sigma: f32) -> f32 {
        let known = self.sigmas.iter().position(|&it| it == sigma);
        known.map_or(sigma * 1000.0, |i| self.timesteps[i])
    }
}

/// A schedule that cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", self.sentence())]
pub enum ScheduleError {
    /// Shift 0 or less divides by zero at the top of the table.
    BadShift {
        /// As given.
        shift: f64,
    },
    /// Also when a tiny `denoise` stretches a sane number of steps.
    TooManySteps {
        /// Steps of the whole schedule, of which a run with `denoise` below 1 takes the end.
        steps: f64,
    },
    /// A list of somebody's own that no sampler can follow.
    BadSigmas {
        /// Counted from 0.
        index: usize,
        /// As given.
        sigma: f32,
    },
    /// Not a number.
    BadDenoise {
        /// As given.
        denoise: f64,
    },
}

impl ScheduleError {
    /// The message in both languages.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::BadShift { shift } => say!(
                "shift must be a number above 0, got {shift}; Wan's usual range is 3 to 12",
                "shift は 0 より大きい数でなければなりませんが、{shift} でした。Wan では普通 3 から 12 です"
            ),
            Self::TooManySteps { steps } => say!(
                "{steps} steps are more than the {MAX_STEPS} allowed; lower `steps` or raise `denoise`",
                "{steps} ステップは上限の {MAX_STEPS} を超えています。「steps」を減らすか「denoise」を上げてください"
            ),
            Self::BadSigmas { index, sigma } => say!(
                "sigma {index} is {sigma}; sigmas must fall, or stay, from at most 1 to at least 0, as in `1.0, 0.9375, 0.8333, 0.625, 0.0`",
                "シグマ {index} が {sigma} です。シグマは「1.0, 0.9375, 0.8333, 0.625, 0.0」のように、1 以下から 0 以上まで、増えずに並んでいなければなりません"
            ),
            Self::BadDenoise { denoise } => say!(
                "denoise must be a number from 0 to 1, got {denoise}",
                "denoise は 0 から 1 までの数でなければなりませんが、{denoise} でした"
            ),
        }
    }
}

/// Whether ComfyUI makes one step more for this solver and then drops the sigma before the last
/// (`KSampler.DISCARD_PENULTIMATE_SIGMA_SAMPLERS`).
pub const fn discards_penultimate_sigma(solver: Solver) -> bool {
    matches!(solver, Solver::UniPc | Solver::UniPcBh2)
}
