//! Latent consistency: ComfyUI `sample_lcm`. Every step ends at the prediction, noised afresh to
//! the next sigma.

use super::{Stop, run::Run};
use crate::flow::add_noise;

pub(super) fn solve(mut run: Run<'_>, mut x: Vec<f32>) -> Result<Vec<f32>, Stop> {
    for (step, _, to) in run.pairs() {
        x = run.predict(step, &x)?;
        if to > 0.0 {
            x = add_noise(to, &run.noise.draw(x.len()), &x);
        }
    }
    Ok(x)
}
