//! Wan's own DPM++: DPM-Solver++(2M) midpoint over lambda = ln((1 - sigma) / sigma).
//!
//! Source: Wan-Video/Wan2.2 `wan/utils/fm_solvers.py` (`FlowDPMSolverMultistepScheduler`, order 2).
//! First and last step are of first order. Wan starts at sigma 1, where lambda is minus infinity:
//! the first step is then a straight one, and the second cannot see its slope.

use super::Stop;
use super::run::{Run, mix_sub};

/// Half the logarithm of the signal-to-noise ratio. Infinite at 0, minus infinity at 1.
pub(super) fn lambda(sigma: f32) -> f32 {
    (1.0 - sigma).ln() - sigma.ln()
}

/// History: the last prediction.
pub(super) fn step(run: &mut Run<'_>, x: &[f32]) -> Result<Vec<f32>, Stop> {
    let x0 = run.predict(x)?;
    let (from, to) = (run.from(), run.to());
    let h = lambda(to) - lambda(from);
    let take = (1.0 - to) * ((-h).exp() - 1.0);
    let mut next = mix_sub(to / from, x, take, &x0);
    if let Some(x0_last) = run.history.first()
        && to != 0.0
    {
        let h_last = lambda(from) - lambda(run.before(1));
        let r = h_last / h;
        for (i, next) in next.iter_mut().enumerate() {
            *next -= 0.5 * take * ((1.0 / r) * (x0[i] - x0_last[i]));
        }
    }
    run.remember(x0, 1);
    Ok(next)
}
