//! Heun: ComfyUI `sample_heun` without churn. The last step, to 0, is Euler's: there is no slope at 0.

use super::{Stop, euler, run::Run};

pub(super) fn step(run: &mut Run<'_>, x: &[f32]) -> Result<Vec<f32>, Stop> {
    let x0 = run.predict(x)?;
    let (from, to) = (run.from(), run.to());
    let mut ahead = x.to_vec();
    euler::advance(&mut ahead, &x0, from, to);
    if to == 0.0 {
        return Ok(ahead);
    }
    let x0_ahead = run.denoise(&ahead, to)?;
    let length = to - from;
    let at = |(i, x): (usize, &f32)| {
        let slope = (x - x0[i]) / from;
        let slope_ahead = (ahead[i] - x0_ahead[i]) / to;
        x + f32::midpoint(slope, slope_ahead) * length
    };
    Ok(x.iter().enumerate().map(at).collect())
}
