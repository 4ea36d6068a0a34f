//! SA-Solver, <https://arxiv.org/abs/2309.05019>: ComfyUI `sample_sa_solver`, predictor of order 3,
//! corrector of order 4, noise (tau 1) between a fifth and four fifths of the schedule.
//!
//! Source of the weights: ComfyUI `comfy/k_diffusion/sa_solver.py`. There they come from a
//! Vandermonde system in single precision; here in double and with time counted from the step's end,
//! which is the same number with fewer digits lost: over 50 steps results move by 1e-5 of their size
//! (`tests/reference/sampling_sde.py`, run as a script). Where the sigmas end above 0, ComfyUI hands back
//! the corrected x of the last but one of them; here it is the predicted x at the last, as from every
//! other solver.

use super::Stop;
use super::bh::solve_vandermonde;
use super::run::Run;
use super::snr::{alpha, lambda};

const PREDICTOR_ORDER: usize = 3;
const CORRECTOR_ORDER: usize = 4;

/// History: the corrected x that the last step started from, the noise it added, then the
/// predictions, newest first.
///
/// With `again` the network is asked once more, at the corrected x (PECE).
pub(super) fn step(run: &mut Run<'_>, x: &[f32], again: bool) -> Result<Vec<f32>, Stop> {
    let mut newest = run.predict(x)?;
    let (from, to) = (run.from(), run.to());
    let corrected = match run.history.as_slice() {
        [before, noise, older @ ..] if again || to != 0.0 => {
            let order = CORRECTOR_ORDER.min(older.len() + 1).min(room(run));
            let predictions = [&newest].into_iter().chain(older);
            let mut out = advance(run, run.step, order, before, predictions);
            for (out, noise) in out.iter_mut().zip(noise) {
                *out += noise;
            }
            out
        }
        _ => x.to_vec(),
    };
    if again && run.step > 0 {
        newest = run.denoise(&corrected, from)?;
    }
    if to == 0.0 {
        return Ok(newest);
    }
    let mut predictions = vec![newest];
    predictions.extend(run.history.drain(..).skip(2));
    predictions.truncate(CORRECTOR_ORDER);
    let order = PREDICTOR_ORDER.min(predictions.len());
    let order = order.min(room(run).saturating_sub(1).max(1));
    let mut next = advance(run, run.step + 1, order, &corrected, &predictions);
    let noise = fresh_noise(run, x.len());
    for (next, noise) in next.iter_mut().zip(&noise) {
        *next += noise;
    }
    run.history.extend([corrected, noise]);
    run.history.extend(predictions);
    Ok(next)
}

/// The order is lowered towards the end when the end is at sigma 0: steps that are left, this one
/// included.
fn room(run: &Run<'_>) -> usize {
    match run.sigmas.last() {
        Some(0.0) => run.steps() - run.step,
        _ => usize::MAX,
    }
}

/// How stochastic the step to `sigma` is.
fn tau(run: &Run<'_>, sigma: f32) -> f64 {
    let (start, end) = (
        run.sampler.percent_to_sigma(0.2),
        run.sampler.percent_to_sigma(0.8),
    );
    if (end..=start).contains(&f64::from(sigma)) {
        1.0
    } else {
        0.0
    }
}

/// The step to sigma number `end` from the `x` at the one before, without its noise. `predictions`
/// are newest first, the newest at this step's start.
fn advance<'a>(
    run: &Run<'_>,
    end: usize,
    order: usize,
    x: &[f32],
    predictions: impl IntoIterator<Item = &'a Vec<f32>>,
) -> Vec<f32> {
    let (from, to) = (run.sigmas[end - 1], run.sigmas[end]);
    let (s, t) = (f64::from(lambda(from)), f64::from(lambda(to)));
    let tau = tau(run, to);
    let nodes: Vec<f64> = (0..order)
        .map(|n| f64::from(lambda(run.before(n))) - t)
        .collect();
    let keep = to / from * (-tau.powi(2) * (t - s)).exp() as f32;
    let mut out: Vec<f32> = x.iter().map(|x| keep * x).collect();
    let weights = weights(&nodes, s - t, tau);
    for (weight, prediction) in weights.into_iter().zip(predictions) {
        let weight = alpha(to) * weight as f32;
        for (out, prediction) in out.iter_mut().zip(prediction) {
            *out += weight * prediction;
        }
    }
    out
}

/// Integrals of the Lagrange polynomials over `nodes` times `m exp(m u)` from `start` to 0, with
/// `m = 1 + tau^2`: equations 15 and 18 of the paper, the step's end being time 0.
fn weights(nodes: &[f64], start: f64, tau: f64) -> Vec<f64> {
    let m = 1.0 + tau.powi(2);
    let decay = (m * start).exp();
    // By parts: I(p) = [u^p exp(m u)] - p / m * I(p - 1).
    let mut moments = vec![-(m * start).exp_m1()];
    for p in 1..nodes.len() {
        let edge = -start.powi(p as i32) * decay;
        moments.push(edge - p as f64 / m * moments[p - 1]);
    }
    solve_vandermonde(nodes, &moments)
}

/// The noise of this step; zeros where it is none.
fn fresh_noise(run: &mut Run<'_>, n: usize) -> Vec<f32> {
    let (from, to, s_noise) = (run.from(), run.to(), run.sampler.s_noise);
    let tau = tau(run, to) as f32;
    if tau <= 0.0 || s_noise <= 0.0 {
        return vec![0.0; n];
    }
    let h = lambda(to) - lambda(from);
    let deviation = (-(-2.0 * tau.powi(2) * h).exp_m1()).sqrt();
    let mut noise = run.noise.draw(n);
    for value in &mut noise {
        *value = *value * to * deviation * s_noise;
    }
    noise
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a polynomial prediction the weighted sum is its integral, here by many rectangles.
    #[test]
    fn weights_integrate_polynomials() {
        let nodes = [-0.4, -1.1, -1.5, -2.6];
        let polynomial = |u: f64| 0.3 - u + 0.7 * u.powi(2) + 0.2 * u.powi(3);
        for tau in [0.0, 1.0] {
            let m = 1.0 + tau * tau;
            let points = 200_000;
            let width = 0.4 / f64::from(points);
            let exact: f64 = (0..points)
                .map(|i| -0.4 + (f64::from(i) + 0.5) * width)
                .map(|u| m * (m * u).exp() * polynomial(u) * width)
                .sum();
            let found: f64 = (weights(&nodes, -0.4, tau).iter().zip(nodes))
                .map(|(weight, node)| weight * polynomial(node))
                .sum();
            assert!((found - exact).abs() < 1e-9, "{found} {exact}");
        }
    }
}
