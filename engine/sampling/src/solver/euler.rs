//! Euler: ComfyUI `sample_euler` without churn; for a flow, `x += (sigma_next - sigma) * v`.

use super::{Stop, run::Run};

pub(super) fn step(run: &mut Run<'_>, x: &[f32]) -> Result<Vec<f32>, Stop> {
    let x0 = run.predict(x)?;
    let mut next = x.to_vec();
    advance(&mut next, &x0, run.from(), run.to());
    Ok(next)
}

/// One step along the slope `(x - x0) / from`.
pub(super) fn advance(x: &mut [f32], x0: &[f32], from: f32, to: f32) {
    let length = to - from;
    for (x, x0) in x.iter_mut().zip(x0) {
        *x += (*x - x0) / from * length;
    }
}
