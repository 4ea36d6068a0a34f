//! Wan's own schedules: shifted once, whole timesteps.
//!
//! Source: Wan-Video/Wan2.2 `wan/utils/fm_solvers_unipc.py`, `wan/utils/fm_solvers.py`
//! (`set_timesteps`, `get_sampling_sigmas`). NumPy works in double there and sigmas are cut to
//! single at the end, after the timesteps have been cut to integers.

use super::Schedule;

/// `FlowUniPCMultistepScheduler`: its table starts at 0.999 (in single precision), not at 1.
pub(super) fn unipc(steps: usize, shift: f64) -> Schedule {
    from_raw(f64::from(0.999_f32), steps, shift)
}

/// `get_sampling_sigmas` for `FlowDPMSolverMultistepScheduler`: starts at exactly 1.
pub(super) fn dpmpp(steps: usize, shift: f64) -> Schedule {
    from_raw(1.0, steps, shift)
}

/// Evenly from `top` to 0, the 0 left off, shifted, then 0 again at the end.
fn from_raw(top: f64, steps: usize, shift: f64) -> Schedule {
    let step = -top / steps as f64;
    let mut schedule = Schedule::default();
    for i in 0..steps {
        let raw = i as f64 * step + top;
        let sigma = shift * raw / (1.0 + (shift - 1.0) * raw);
        let sigma = if sigma.is_finite() { sigma } else { 1.0 };
        schedule.sigmas.push(sigma as f32);
        schedule.timesteps.push((sigma * 1000.0).trunc() as f32);
    }
    schedule.sigmas.push(0.0);
    schedule.timesteps.push(0.0);
    schedule
}
