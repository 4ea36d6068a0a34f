//! Ancestral Euler for rectified flow: ComfyUI `sample_euler_ancestral_RF` with eta 1, to which
//! `sample_euler_ancestral` turns for every flow model.
//!
//! Each step goes lower than asked, then scales down and adds fresh noise so that the mix of
//! latent and noise is again that of the next sigma.

use super::{Stop, run::Run};

pub(super) fn solve(mut run: Run<'_>, mut x: Vec<f32>) -> Result<Vec<f32>, Stop> {
    for (step, from, to) in run.pairs() {
        let x0 = run.predict(step, &x)?;
        if to == 0.0 {
            x = x0;
            continue;
        }
        let noise = run.noise.draw(x.len());
        if to == from {
            continue; // a repeated sigma; at 1 the scaling below would be 0 by 0
        }
        let down = to * (1.0 + (to / from - 1.0));
        let (alpha_to, alpha_down) = (1.0 - to, 1.0 - down);
        let variance = to.powi(2) - down.powi(2) * alpha_to.powi(2) / alpha_down.powi(2);
        let renoise = variance.max(0.0).sqrt();
        let keep = down / from;
        for (i, x) in x.iter_mut().enumerate() {
            let lower = keep * *x + (1.0 - keep) * x0[i];
            *x = alpha_to / alpha_down * lower + noise[i] * renoise;
        }
    }
    Ok(x)
}
