//! Latent consistency: ComfyUI `sample_lcm`. Every step ends at the prediction, noised afresh to
//! the next sigma.

use super::{Stop, run::Run};
use crate::flow::add_noise;

pub(super) fn step(run: &mut Run<'_>, x: &[f32]) -> Result<Vec<f32>, Stop> {
    let x0 = run.predict(x)?;
    let to = run.to();
    Ok(if to > 0.0 {
        add_noise(to, &run.noise.draw(x.len()), &x0)
    } else {
        x0
    })
}
