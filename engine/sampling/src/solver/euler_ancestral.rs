//! Ancestral Euler for rectified flow: ComfyUI `sample_euler_ancestral_RF` with eta 1, to which
//! `sample_euler_ancestral` turns for every flow model.
//!
//! Each step goes lower than asked, then scales down and adds fresh noise so that the mix of
//! latent and noise is again that of the next sigma.

use super::{Stop, run::Run};

pub(super) fn step(run: &mut Run<'_>, x: &[f32]) -> Result<Vec<f32>, Stop> {
    let x0 = run.predict(x)?;
    let (from, to) = (run.from(), run.to());
    if to == 0.0 {
        return Ok(x0);
    }
    let noise = run.noise.draw(x.len());
    if to == from {
        return Ok(x.to_vec()); // a repeated sigma; at 1 the scaling below would be 0 by 0
    }
    let down = to * (1.0 + (to / from - 1.0));
    let (alpha_to, alpha_down) = (1.0 - to, 1.0 - down);
    let variance = to.powi(2) - down.powi(2) * alpha_to.powi(2) / alpha_down.powi(2);
    let renoise = variance.max(0.0).sqrt();
    let keep = down / from;
    let at = |(i, x): (usize, &f32)| {
        let lower = keep * x + (1.0 - keep) * x0[i];
        alpha_to / alpha_down * lower + noise[i] * renoise
    };
    Ok(x.iter().enumerate().map(at).collect())
}
