//! Euler: ComfyUI `sample_euler` without churn; for a flow, `x += (sigma_next - sigma) * v`.

use super::{Stop, run::Run};

pub(super) fn solve(mut run: Run<'_>, mut x: Vec<f32>) -> Result<Vec<f32>, Stop> {
    for (step, from, to) in run.pairs() {
        let x0 = run.predict(step, &x)?;
        advance(&mut x, &x0, from, to);
    }
    Ok(x)
}

/// One step along the slope `(x - x0) / from`.
pub(super) fn advance(x: &mut [f32], x0: &[f32], from: f32, to: f32) {
    let length = to - from;
    for (x, x0) in x.iter_mut().zip(x0) {
        *x += (*x - x0) / from * length;
    }
}
