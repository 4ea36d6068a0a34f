//! DPM-Solver++ of two stages as an SDE: ComfyUI `sample_dpmpp_sde` with r = 1/2, noise from a
//! Brownian path, which is asked twice a step, for the way to the middle and for the whole.

use super::Stop;
use super::run::{Run, mix};
use super::snr::{alpha, ancestral, lambda, sigma_of};

pub(super) fn step(run: &mut Run<'_>, x: &[f32]) -> Result<Vec<f32>, Stop> {
    let x0 = run.predict(x)?;
    let (from, to) = (run.from(), run.to());
    if to == 0.0 {
        return Ok(x0);
    }
    let middle = lambda(from) + 0.5 * (lambda(to) - lambda(from));
    let half = towards(run, x, &x0, middle, sigma_of(middle));
    let x0_half = run.denoise(&half, sigma_of(middle))?;
    Ok(towards(run, x, &x0_half, lambda(to), to))
}

/// From this step's start to `sigma`, whose lambda is `there`, as if the prediction were `x0` all
/// the way.
fn towards(run: &Run<'_>, x: &[f32], x0: &[f32], there: f32, sigma: f32) -> Vec<f32> {
    let (from, here) = (run.from(), lambda(run.from()));
    let alpha_there = sigma * there.exp();
    let (eta, s_noise) = (run.sampler.eta, run.sampler.s_noise);
    let (down, up) = ancestral((-here).exp(), (-there).exp(), eta);
    let h = -down.ln() - here;
    let keep = (alpha_there / alpha(from)) * (-h).exp();
    let mut next = mix(keep, x, -(alpha_there * (-h).exp_m1()), x0);
    if eta > 0.0 && s_noise > 0.0 {
        let noise = run.path_noise(from, sigma, x.len());
        for (next, noise) in next.iter_mut().zip(noise) {
            *next += alpha_there * noise * s_noise * up;
        }
    }
    next
}
