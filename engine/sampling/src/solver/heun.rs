//! Heun: ComfyUI `sample_heun` without churn. The last step, to 0, is Euler's: there is no slope at 0.

use super::{Stop, euler, run::Run};

pub(super) fn solve(mut run: Run<'_>, mut x: Vec<f32>) -> Result<Vec<f32>, Stop> {
    for (step, from, to) in run.pairs() {
        let x0 = run.predict(step, &x)?;
        if to == 0.0 {
            euler::advance(&mut x, &x0, from, to);
            continue;
        }
        let mut ahead = x.clone();
        euler::advance(&mut ahead, &x0, from, to);
        let x0_ahead = run.denoise(&ahead, to)?;
        let length = to - from;
        for (i, x) in x.iter_mut().enumerate() {
            let slope = (*x - x0[i]) / from;
            let slope_ahead = (ahead[i] - x0_ahead[i]) / to;
            *x += f32::midpoint(slope, slope_ahead) * length;
        }
    }
    Ok(x)
}
