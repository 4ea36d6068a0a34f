//! Gradient estimation, <https://openreview.net/pdf?id=o2ND9v0CeK>: ComfyUI
//! `sample_gradient_estimation` with gamma 2. Euler, and the change of the slope once more.

use super::Stop;
use super::run::Run;

const GAMMA: f32 = 2.0;

/// History: the last slope.
pub(super) fn step(run: &mut Run<'_>, x: &[f32]) -> Result<Vec<f32>, Stop> {
    let x0 = run.predict(x)?;
    let (from, to) = (run.from(), run.to());
    if to == 0.0 {
        return Ok(x0);
    }
    let slope: Vec<f32> = x.iter().zip(&x0).map(|(x, x0)| (x - x0) / from).collect();
    let length = to - from;
    let at = |(i, x): (usize, &f32)| {
        let straight = x + slope[i] * length;
        match run.history.first() {
            None => straight,
            Some(last) => straight + (GAMMA - 1.0) * (slope[i] - last[i]) * length,
        }
    };
    let next = x.iter().enumerate().map(at).collect();
    run.remember(slope, 1);
    Ok(next)
}
