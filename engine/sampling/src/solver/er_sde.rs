//! ER-SDE-Solver-3, <https://arxiv.org/abs/2309.06169>: ComfyUI `sample_er_sde` with its own noise
//! scaler, for a flow model.
//!
//! Time is `sigma / (1 - sigma)`, up to 10^5 and more at the start; the integrals over the noise
//! scaler are differences of near-equal terms, so they are in double here and in single there, which
//! moves results by less than 1e-6 of their size.

use super::Stop;
use super::run::{Run, mix};
use super::snr::lambda;

const POINTS: usize = 200;

/// The noise scaler: how much of the reverse SDE's noise is put in at `t`.
fn scaler(t: f64) -> f64 {
    t * (t.powf(0.3).exp() + 10.0)
}

fn time(sigma: f32) -> f64 {
    f64::from((-lambda(sigma)).exp())
}

/// History: the last prediction and the slope between it and the one before.
pub(super) fn step(run: &mut Run<'_>, x: &[f32]) -> Result<Vec<f32>, Stop> {
    let x0 = run.predict(x)?;
    let (from, to) = (run.from(), run.to());
    if to == 0.0 {
        return Ok(x0);
    }
    let (s, t) = (time(from), time(to));
    let (alpha_s, alpha_t) = (f64::from(from) / s, f64::from(to) / t);
    let r = scaler(t) / scaler(s);
    let mut next = mix(
        (alpha_t / alpha_s * r) as f32,
        x,
        (alpha_t * (1.0 - r)) as f32,
        &x0,
    );
    let mut slope = None;
    if let Some(x0_last) = run.history.first() {
        let length = (s - time(run.before(1))) as f32;
        let new: Vec<f32> = (x0.iter().zip(x0_last))
            .map(|(x0, last)| (x0 - last) / length)
            .collect();
        let (first, second) = integrals(s, t);
        add(&mut next, (alpha_t * first) as f32, &new);
        if let Some(slope_last) = run.history.get(1) {
            let width = ((s - time(run.before(2))) / 2.0) as f32;
            let weight = (alpha_t * second) as f32;
            for (i, next) in next.iter_mut().enumerate() {
                *next += weight * ((new[i] - slope_last[i]) / width);
            }
        }
        slope = Some(new);
    }
    let s_noise = run.sampler.s_noise;
    if s_noise > 0.0 {
        let fresh = (t.powi(2) - (s * r).powi(2)).max(0.0).sqrt();
        let noise = run.noise.draw(x.len());
        add(&mut next, (alpha_t * fresh) as f32 * s_noise, &noise);
    }
    *run.history = [x0].into_iter().chain(slope).collect();
    Ok(next)
}

/// The second and third stage's integrals over the noise scaler from `t` up to `s`, by rectangles.
fn integrals(s: f64, t: f64) -> (f64, f64) {
    let dt = t - s;
    let width = -dt / POINTS as f64;
    let (mut plain, mut moved) = (0.0, 0.0);
    for i in 0..POINTS {
        let position = t + i as f64 * width;
        plain += 1.0 / scaler(position);
        moved += (position - s) / scaler(position);
    }
    (
        dt + plain * width * scaler(t),
        dt.powi(2) / 2.0 + moved * width * scaler(t),
    )
}

fn add(x: &mut [f32], weight: f32, y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += weight * y;
    }
}
