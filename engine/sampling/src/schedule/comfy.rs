//! ComfyUI's schedulers over the sigma table of a flow model.
//!
//! Single precision and the order of operations are PyTorch's wherever it computes on tensors
//! there, and double where it is plain Python, since `beta` and `ddim_uniform` pick table entries
//! by number and a rounding the other way picks another entry.

use super::ScheduleError;
use super::beta::beta_quantile;

const TABLE_LEN: usize = 1000;
/// `math.isclose(sigma, 0, abs_tol=0.00001)`: such a lowest sigma already is the end.
const ALMOST_ZERO: f64 = 0.00001;

/// The thousand sigmas of `ModelSamplingDiscreteFlow`, low to high.
#[derive(Debug, Clone)]
pub struct FlowTable {
    shift: f64,
    sigmas: Vec<f32>,
}

impl FlowTable {
    /// # Errors
    /// [`ScheduleError::BadShift`] unless `shift` is finite and above 0.
    pub fn new(shift: f64) -> Result<Self, ScheduleError> {
        if !(shift.is_finite() && shift > 0.0) {
            return Err(ScheduleError::BadShift { shift });
        }
        let timestep = |i: usize| i as f32 / TABLE_LEN as f32 * 1000.0;
        let sigmas = (1..=TABLE_LEN)
            .map(|i| sigma_at(shift, timestep(i)))
            .collect();
        Ok(Self { shift, sigmas })
    }

    /// The table, `sigmas()[i]` at timestep `i + 1`.
    pub fn sigmas(&self) -> &[f32] {
        &self.sigmas
    }

    /// Sigma at a timestep in `0..=1000`, shifted.
    pub fn sigma(&self, timestep: f32) -> f32 {
        sigma_at(self.shift, timestep)
    }

    fn min(&self) -> f32 {
        self.sigmas[0]
    }

    fn max(&self) -> f32 {
        self.sigmas[TABLE_LEN - 1]
    }
}

/// `time_snr_shift(shift, timestep / 1000)`.
fn sigma_at(shift: f64, timestep: f32) -> f32 {
    let t = timestep / 1000.0;
    if shift == 1.0 {
        return t;
    }
    let sigma = shift as f32 * t / (1.0 + (shift - 1.0) as f32 * t);
    // A shift near the largest f32 overflows; its limit is 1.
    if sigma.is_finite() { sigma } else { 1.0 }
}

/// `torch.linspace` in f32: from both ends to the middle, so that both ends are exact.
fn linspace(start: f32, end: f32, n: usize) -> Vec<f32> {
    if n == 1 {
        return vec![start];
    }
    let step = (end - start) / (n - 1) as f32;
    let at = |i: usize| {
        if i < n / 2 {
            start + step * i as f32
        } else {
            end - step * (n - 1 - i) as f32
        }
    };
    (0..n).map(at).collect()
}

fn with_zero(mut sigmas: Vec<f32>) -> Vec<f32> {
    sigmas.push(0.0);
    sigmas
}

pub(super) fn simple(table: &FlowTable, steps: usize) -> Vec<f32> {
    let stride = TABLE_LEN as f64 / steps as f64;
    let pick = |i: usize| table.sigmas[TABLE_LEN - 1 - (i as f64 * stride) as usize];
    with_zero((0..steps).map(pick).collect())
}

pub(super) fn ddim_uniform(table: &FlowTable, steps: usize) -> Vec<f32> {
    let ends_in_table = f64::from(table.sigmas[1]).abs() <= ALMOST_ZERO;
    let steps = if ends_in_table { steps + 1 } else { steps };
    let stride = (TABLE_LEN / steps).max(1);
    let mut sigmas: Vec<f32> = table
        .sigmas
        .iter()
        .copied()
        .skip(1)
        .step_by(stride)
        .collect();
    sigmas.reverse();
    if ends_in_table {
        sigmas
    } else {
        with_zero(sigmas)
    }
}

pub(super) fn sgm_uniform(table: &FlowTable, steps: usize) -> Vec<f32> {
    let (top, bottom) = (table.max() * 1000.0, table.min() * 1000.0);
    let mut timesteps = linspace(top, bottom, steps + 1);
    timesteps.pop();
    with_zero(timesteps.into_iter().map(|t| table.sigma(t)).collect())
}

pub(super) fn normal(table: &FlowTable, steps: usize) -> Vec<f32> {
    let (top, bottom) = (table.max() * 1000.0, table.min() * 1000.0);
    let ends_in_table = f64::from(table.sigma(bottom)).abs() <= ALMOST_ZERO;
    let points = if ends_in_table { steps + 1 } else { steps };
    let sigmas = linspace(top, bottom, points)
        .into_iter()
        .map(|t| table.sigma(t))
        .collect();
    if ends_in_table {
        sigmas
    } else {
        with_zero(sigmas)
    }
}

pub(super) fn beta(table: &FlowTable, steps: usize) -> Vec<f32> {
    let last = (TABLE_LEN - 1) as f64;
    let step = 1.0 / steps as f64;
    let mut picks: Vec<usize> = (0..steps)
        .map(|i| (beta_quantile(1.0 - i as f64 * step, 0.6) * last).round_ties_even() as usize)
        .collect();
    picks.dedup();
    with_zero(picks.into_iter().map(|i| table.sigmas[i]).collect())
}

pub(super) fn karras(table: &FlowTable, steps: usize) -> Vec<f32> {
    const RHO: f64 = 7.0;
    let low = f64::from(table.min()).powf(1.0 / RHO);
    let high = f64::from(table.max()).powf(1.0 / RHO);
    let at = |ramp: f32| (high as f32 + ramp * (low - high) as f32).powf(RHO as f32);
    with_zero(linspace(0.0, 1.0, steps).into_iter().map(at).collect())
}

pub(super) fn exponential(table: &FlowTable, steps: usize) -> Vec<f32> {
    let (high, low) = (
        f64::from(table.max()).ln() as f32,
        f64::from(table.min()).ln() as f32,
    );
    with_zero(
        linspace(high, low, steps)
            .into_iter()
            .map(f32::exp)
            .collect(),
    )
}

pub(super) fn linear_quadratic(table: &FlowTable, steps: usize) -> Vec<f32> {
    const THRESHOLD: f64 = 0.025;
    if steps == 1 {
        return vec![table.max(), 0.0];
    }
    let linear = (steps / 2) as f64;
    let quadratic = steps as f64 - linear;
    let difference = linear - THRESHOLD * steps as f64;
    let square = difference / (linear * quadratic.powi(2));
    let slope = THRESHOLD / linear - 2.0 * difference / quadratic.powi(2);
    let constant = square * linear.powi(2);
    let done = |i: usize| {
        let i = i as f64;
        if i < linear {
            i * THRESHOLD / linear
        } else {
            square * i.powi(2) + slope * i + constant
        }
    };
    let mut sigmas: Vec<f32> = (0..steps)
        .map(|i| (1.0 - done(i)) as f32 * table.max())
        .collect();
    sigmas.push(0.0);
    sigmas
}

pub(super) fn kl_optimal(table: &FlowTable, steps: usize) -> Vec<f32> {
    // One step divides 0 by 0 in ComfyUI; start from the top as the others do.
    let last = steps.saturating_sub(1).max(1) as f32;
    let (low, high) = (
        f64::from(table.min()).atan() as f32,
        f64::from(table.max()).atan() as f32,
    );
    let at = |i: usize| {
        let down = i as f32 / last;
        (down * low + (1.0 - down) * high).tan()
    };
    with_zero((0..steps).map(at).collect())
}
