//! Which solvers there are, and what is known of each before it runs.

use super::uni_pc;
use crate::names::{self, NameKind, UnknownName};
use crate::schedule::WAN_SHIFT;

/// A way from one sigma to the next. Names are ComfyUI's, except the last two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Solver {
    /// Straight steps along the velocity (`sample_euler`).
    Euler,
    /// Euler with fresh noise, in the form for rectified flow (`sample_euler_ancestral_RF`).
    EulerAncestral,
    /// Euler and back, slopes averaged; two evaluations a step (`sample_heun`).
    Heun,
    /// DPM-Solver++ with noise, two evaluations a step (`sample_dpmpp_sde`).
    DpmppSde,
    /// DPM-Solver++(2M) over -ln(sigma) (`sample_dpmpp_2m`).
    Dpmpp2m,
    /// DPM-Solver++(2M) with noise, midpoint form (`sample_dpmpp_2m_sde`).
    Dpmpp2mSde,
    /// The same, Heun's form (`sample_dpmpp_2m_sde_heun`).
    Dpmpp2mSdeHeun,
    /// DPM-Solver++(3M) with noise (`sample_dpmpp_3m_sde`).
    Dpmpp3mSde,
    /// Predict, then noise again with fresh noise; for distilled models (`sample_lcm`).
    Lcm,
    /// Improved pseudo linear multistep, Adams–Bashforth of order 4 over sigma (`sample_ipndm`).
    Ipndm,
    /// Exponential integrator with polynomials over time, order 3, <https://arxiv.org/abs/2204.13902>
    /// (`sample_deis`).
    Deis,
    /// Second-order exponential multistep, <https://arxiv.org/abs/2308.02157> (`sample_res_multistep`).
    ResMultistep,
    /// Euler with the slope carried on, <https://openreview.net/pdf?id=o2ND9v0CeK>
    /// (`sample_gradient_estimation`).
    GradientEstimation,
    /// Extended reverse-time SDE, three stages, <https://arxiv.org/abs/2309.06169> (`sample_er_sde`).
    ErSde,
    /// Stochastic Adams: predict and correct, <https://arxiv.org/abs/2309.05019> (`sample_sa_solver`).
    SaSolver,
    /// The same, evaluating again after correcting (`sample_sa_solver_pece`).
    SaSolverPece,
    /// For a flow, Euler under another name (`ksampler("euler")` there too).
    Ddim,
    /// UniPC, B(h) = h, up to third order, variance-exploding form (`sample_unipc`).
    UniPc,
    /// UniPC, B(h) = e^h - 1 (`sample_unipc_bh2`).
    UniPcBh2,
    /// Wan's own default: UniPC bh2 of order 2 over ln((1 - sigma) / sigma) (`FlowUniPCMultistepScheduler`).
    WanUniPc,
    /// Wan's own other: DPM-Solver++(2M) over ln((1 - sigma) / sigma) (`FlowDPMSolverMultistepScheduler`).
    WanDpmpp,
}

impl Solver {
    /// All of them, in ComfyUI's order, then Wan's own.
    pub const ALL: [Self; 21] = [
        Self::Euler,
        Self::EulerAncestral,
        Self::Heun,
        Self::DpmppSde,
        Self::Dpmpp2m,
        Self::Dpmpp2mSde,
        Self::Dpmpp2mSdeHeun,
        Self::Dpmpp3mSde,
        Self::Lcm,
        Self::Ipndm,
        Self::Deis,
        Self::ResMultistep,
        Self::GradientEstimation,
        Self::ErSde,
        Self::SaSolver,
        Self::SaSolverPece,
        Self::Ddim,
        Self::UniPc,
        Self::UniPcBh2,
        Self::WanUniPc,
        Self::WanDpmpp,
    ];

    /// The name in files and menus.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Euler => "euler",
            Self::EulerAncestral => "euler_ancestral",
            Self::Heun => "heun",
            Self::DpmppSde => "dpmpp_sde",
            Self::Dpmpp2m => "dpmpp_2m",
            Self::Dpmpp2mSde => "dpmpp_2m_sde",
            Self::Dpmpp2mSdeHeun => "dpmpp_2m_sde_heun",
            Self::Dpmpp3mSde => "dpmpp_3m_sde",
            Self::Lcm => "lcm",
            Self::Ipndm => "ipndm",
            Self::Deis => "deis",
            Self::ResMultistep => "res_multistep",
            Self::GradientEstimation => "gradient_estimation",
            Self::ErSde => "er_sde",
            Self::SaSolver => "sa_solver",
            Self::SaSolverPece => "sa_solver_pece",
            Self::Ddim => "ddim",
            Self::UniPc => "uni_pc",
            Self::UniPcBh2 => "uni_pc_bh2",
            Self::WanUniPc => "wan_unipc",
            Self::WanDpmpp => "wan_dpmpp",
        }
    }

    /// Calls of the denoiser in one step, the first or the last step of some excepted: see
    /// [`super::model_evaluations`].
    pub const fn evaluations_per_step(self) -> usize {
        match self {
            Self::Heun | Self::DpmppSde | Self::SaSolverPece => 2,
            Self::Euler
            | Self::EulerAncestral
            | Self::Dpmpp2m
            | Self::Dpmpp2mSde
            | Self::Dpmpp2mSdeHeun
            | Self::Dpmpp3mSde
            | Self::Lcm
            | Self::Ipndm
            | Self::Deis
            | Self::ResMultistep
            | Self::GradientEstimation
            | Self::ErSde
            | Self::SaSolver
            | Self::Ddim
            | Self::UniPc
            | Self::UniPcBh2
            | Self::WanUniPc
            | Self::WanDpmpp => 1,
        }
    }

    /// Whether it takes noise from [`crate::FreshNoise`], so that the result depends on its seed.
    pub const fn draws_noise(self) -> bool {
        matches!(
            self,
            Self::Lcm | Self::EulerAncestral | Self::ErSde | Self::SaSolver | Self::SaSolverPece
        ) || self.follows_path()
    }

    /// Whether its noise is a Brownian path over sigma rather than one draw after the other.
    const fn follows_path(self) -> bool {
        matches!(
            self,
            Self::DpmppSde | Self::Dpmpp2mSde | Self::Dpmpp2mSdeHeun | Self::Dpmpp3mSde
        )
    }

    /// Latents of the run's size that the solver holds at once beside those inside the network:
    /// x, the prediction, its history and what is being made of them. For memory planning.
    pub const fn latents_held(self) -> usize {
        match self {
            Self::Euler | Self::Ddim => 3,
            Self::Lcm | Self::EulerAncestral | Self::ResMultistep | Self::WanDpmpp => 4,
            Self::Heun | Self::Dpmpp2m | Self::GradientEstimation => 5,
            Self::Deis => 6,
            Self::Ipndm | Self::ErSde => 7,
            // The path holds three on its way down its tree.
            Self::WanUniPc | Self::DpmppSde | Self::Dpmpp2mSde | Self::Dpmpp2mSdeHeun => 8,
            Self::Dpmpp3mSde => 9,
            Self::UniPc | Self::UniPcBh2 | Self::SaSolver | Self::SaSolverPece => 12,
        }
    }

    /// Latents in the history after `steps` steps of a run that is not at its end; there, none.
    pub(super) const fn history_at(self, steps: usize) -> usize {
        // x as the last step left it (and its noise), and predictions or slopes.
        let (beside, most) = match self {
            Self::Euler
            | Self::Heun
            | Self::Lcm
            | Self::EulerAncestral
            | Self::Ddim
            | Self::DpmppSde => return 0,
            Self::Dpmpp2m
            | Self::ResMultistep
            | Self::WanDpmpp
            | Self::Dpmpp2mSde
            | Self::Dpmpp2mSdeHeun
            | Self::GradientEstimation => (0, 1),
            Self::Dpmpp3mSde | Self::Deis | Self::ErSde => (0, 2),
            Self::Ipndm => (0, 3),
            Self::WanUniPc => (1, 2),
            Self::UniPc | Self::UniPcBh2 => (1, 3),
            Self::SaSolver | Self::SaSolverPece => (2, 4),
        };
        match steps {
            0 => 0,
            _ if steps < most => beside + steps,
            _ => beside + most,
        }
    }

    /// The sigma at which a run that is asked for `last` really ends. ComfyUI's UniPC overwrites a
    /// final 0 with 0.001 in the very list that the scaling afterwards reads, so that its results
    /// are larger by a thousandth; so are ours.
    pub const fn end_sigma(self, last: f32) -> f32 {
        if last == 0.0 && matches!(self, Self::UniPc | Self::UniPcBh2) {
            uni_pc::LAST_SIGMA
        } else {
            last
        }
    }

    /// Multistep solvers divide by the length of the last step in -ln(sigma) or another time.
    pub(super) const fn divides_by_step(self) -> bool {
        !matches!(
            self,
            Self::Euler
                | Self::Heun
                | Self::Lcm
                | Self::EulerAncestral
                | Self::Ddim
                | Self::Ipndm
                | Self::GradientEstimation
        )
    }

    /// Those that work in ln((1 - sigma) / sigma) begin a little below sigma 1, where that is minus
    /// infinity: ComfyUI's `offset_first_sigma_for_snr`.
    pub(super) const fn starts_below_one(self) -> bool {
        matches!(self, Self::ErSde | Self::SaSolver | Self::SaSolverPece) || self.follows_path()
    }
}

impl std::str::FromStr for Solver {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        names::find(NameKind::Sampler, name, &Self::ALL, Self::name)
    }
}

impl std::fmt::Display for Solver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A solver and its settings: ComfyUI's `SAMPLER`.
///
/// Wherever one is asked for a [`Solver`] will do; the settings are then the defaults, with the
/// shift that every Wan model has in ComfyUI.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    /// How it steps.
    pub solver: Solver,
    /// Flow shift of the model. The solvers that begin a little below sigma 1, and `sa_solver`'s
    /// interval of noise, are told in percent of the schedule (`percent_to_sigma`).
    pub shift: f64,
    /// How much of the noise is replaced by fresh noise, of the solvers of the DPM++ SDE family: 0
    /// for none (an ODE), 1 as a rule.
    pub eta: f32,
    /// Factor on fresh noise, of the same family, of `er_sde` and `sa_solver`.
    pub s_noise: f32,
}

impl Sampler {
    /// With ComfyUI's defaults, for a model of this shift.
    pub fn new(solver: Solver, shift: f64) -> Self {
        Self {
            solver,
            shift,
            eta: 1.0,
            s_noise: 1.0,
        }
    }

    /// See [`crate::flow::percent_to_sigma`].
    pub(super) fn percent_to_sigma(&self, percent: f64) -> f64 {
        crate::flow::percent_to_sigma(self.shift, percent)
    }
}

impl From<Solver> for Sampler {
    fn from(solver: Solver) -> Self {
        Self::new(solver, WAN_SHIFT)
    }
}
