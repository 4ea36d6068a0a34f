//! DPM-Solver++(3M) as an SDE: ComfyUI `sample_dpmpp_3m_sde`, noise from a Brownian path.

use super::Stop;
use super::dpmpp_2m_sde::add_noise;
use super::run::{Run, mix};
use super::snr::{alpha, lambda};

/// History: the last two predictions.
pub(super) fn step(run: &mut Run<'_>, x: &[f32]) -> Result<Vec<f32>, Stop> {
    let x0 = run.predict(x)?;
    let (from, to, eta) = (run.from(), run.to(), run.sampler.eta);
    if to == 0.0 {
        return Ok(x0);
    }
    let h = lambda(to) - lambda(from);
    let h_eta = h * (eta + 1.0);
    let gain = -(-h_eta).exp_m1();
    let mut next = mix(to / from * (-h * eta).exp(), x, alpha(to) * gain, &x0);
    let phi_2 = (-h_eta).exp_m1() / h_eta + 1.0;
    let length = |n: usize| lambda(run.before(n - 1)) - lambda(run.before(n));
    match run.history.as_slice() {
        [] => {}
        [last] => {
            let (r, weight) = (length(1) / h, alpha(to) * phi_2);
            for (i, next) in next.iter_mut().enumerate() {
                *next += weight * ((x0[i] - last[i]) / r);
            }
        }
        [last, older, ..] => {
            let (r0, r1) = (length(1) / h, length(2) / h);
            let phi_3 = phi_2 / h_eta - 0.5;
            let (slope, curve) = (alpha(to) * phi_2, alpha(to) * phi_3);
            for (i, next) in next.iter_mut().enumerate() {
                let d1_0 = (x0[i] - last[i]) / r0;
                let d1_1 = (last[i] - older[i]) / r1;
                let d1 = d1_0 + (d1_0 - d1_1) * r0 / (r0 + r1);
                let d2 = (d1_0 - d1_1) / (r0 + r1);
                *next = *next + slope * d1 - curve * d2;
            }
        }
    }
    add_noise(run, h, &mut next);
    run.remember(x0, 2);
    Ok(next)
}
