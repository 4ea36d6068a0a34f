//! DPM-Solver++(2M) as an SDE: ComfyUI `sample_dpmpp_2m_sde` and `sample_dpmpp_2m_sde_heun`, noise from
//! a Brownian path over sigma (`BrownianTreeNoiseSampler` on the CPU).

use super::Stop;
use super::run::{Run, mix};
use super::snr::{alpha, lambda};

/// How the last prediction bends the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Midpoint,
    Heun,
}

/// History: the last prediction.
pub(super) fn step(run: &mut Run<'_>, x: &[f32], form: Form) -> Result<Vec<f32>, Stop> {
    let x0 = run.predict(x)?;
    let (from, to, eta) = (run.from(), run.to(), run.sampler.eta);
    if to == 0.0 {
        return Ok(x0);
    }
    let h = lambda(to) - lambda(from);
    let h_eta = h * (eta + 1.0);
    let gain = -(-h_eta).exp_m1();
    let mut next = mix(to / from * (-h * eta).exp(), x, alpha(to) * gain, &x0);
    if let Some(x0_last) = run.history.first() {
        let r = (lambda(from) - lambda(run.before(1))) / h;
        let bend = match form {
            Form::Midpoint => 0.5 * alpha(to) * gain,
            Form::Heun => alpha(to) * (gain / -h_eta + 1.0),
        } * (1.0 / r);
        for (i, next) in next.iter_mut().enumerate() {
            *next += bend * (x0[i] - x0_last[i]);
        }
    }
    add_noise(run, h, &mut next);
    run.remember(x0, 1);
    Ok(next)
}

/// The fresh noise of a step `h` long, of this and the third-order solver.
pub(super) fn add_noise(run: &Run<'_>, h: f32, next: &mut [f32]) {
    let (eta, s_noise) = (run.sampler.eta, run.sampler.s_noise);
    if eta <= 0.0 || s_noise <= 0.0 {
        return;
    }
    let deviation = (-(-2.0 * h * eta).exp_m1()).sqrt();
    let (to, noise) = (run.to(), run.path_noise(run.from(), run.to(), next.len()));
    for (next, noise) in next.iter_mut().zip(noise) {
        *next += noise * to * deviation * s_noise;
    }
}
