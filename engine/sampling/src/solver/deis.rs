//! DEIS, <https://arxiv.org/abs/2204.13902>: ComfyUI `sample_deis` with order 3 and `tab` weights.
//!
//! Sigma is turned into the time of a variance-preserving process between 0.002 and 80 whatever the
//! model is, and the slopes' polynomial is integrated there with the rectangle rule over 10,000
//! points. Source of the weights: ComfyUI `comfy/k_diffusion/deis.py`, from zju-pi/diff-sampler. Its
//! integrals are in single precision; here they are in double, which moves results by 1e-7 of their
//! size (`tests/reference/sampling_sde.py`, run as a script).

use super::Stop;
use super::run::Run;

const POINTS: usize = 10_000;

/// History: the last two slopes.
pub(super) fn step(run: &mut Run<'_>, x: &[f32]) -> Result<Vec<f32>, Stop> {
    let x0 = run.predict(x)?;
    let (from, to) = (run.from(), run.to());
    let slope: Vec<f32> = x.iter().zip(&x0).map(|(x, x0)| (x - x0) / from).collect();
    let known = if to > 0.0 { run.history.len() } else { 0 };
    let weights = if known == 0 {
        vec![to - from]
    } else {
        let starts: Vec<f32> = (0..=known).map(|n| run.before(n)).collect();
        weights(&starts, to)
    };
    let at = |(i, x): (usize, &f32)| {
        let older = run.history.iter().zip(&weights[1..]);
        older.fold(x + weights[0] * slope[i], |sum, (old, weight)| {
            sum + weight * old[i]
        })
    };
    let next = x.iter().enumerate().map(at).collect();
    run.remember(slope, 2);
    Ok(next)
}

/// The variance-preserving process, in single precision as there (`edm2t`).
struct Process {
    beta_0: f32,
    beta_d: f32,
}

impl Process {
    fn new() -> Self {
        const EPSILON: f32 = 1e-3;
        let low = (0.002_f32.powi(2) + 1.0).ln();
        let high = (80_f32.powi(2) + 1.0).ln();
        let beta_d = 2.0 * (low / EPSILON - high) / (EPSILON - 1.0);
        Self {
            beta_0: high - 0.5 * beta_d,
            beta_d,
        }
    }

    /// In single precision and ComfyUI's order.
    fn time(&self, sigma: f32) -> f64 {
        let Self { beta_0, beta_d } = self;
        let square = beta_0.powi(2) + 2.0 * beta_d * (sigma.powi(2) + 1.0).ln();
        f64::from((square.sqrt() - beta_0) / beta_d)
    }

    /// The same without the loss of digits.
    fn exact_time(&self, sigma: f32) -> f64 {
        let (beta_0, beta_d) = (f64::from(self.beta_0), f64::from(self.beta_d));
        let ln = f64::from(sigma).powi(2).ln_1p();
        ((beta_0.powi(2) + 2.0 * beta_d * ln).sqrt() - beta_0) / beta_d // beta_0 is negative
    }

    /// One time for each of `sigmas`, which fall. Below about 0.01 single precision leaves little of
    /// the steps' lengths, and ComfyUI runs away or divides by zero; the exact times stand in.
    fn times(&self, sigmas: &[f32]) -> Vec<f64> {
        let single: Vec<f64> = sigmas.iter().map(|it| self.time(*it)).collect();
        let exact: Vec<f64> = sigmas.iter().map(|it| self.exact_time(*it)).collect();
        let length = |pair: &[f64]| pair[0] - pair[1];
        let alike = single
            .windows(2)
            .zip(exact.windows(2))
            .all(|(single, exact)| (length(single) / length(exact) - 1.0).abs() < 0.1);
        if alike { single } else { exact }
    }

    /// What slopes are multiplied by at `t`: half the fall of ln(alpha) over sqrt(alpha (1 - alpha)).
    fn integrand(&self, t: f64) -> f64 {
        let (beta_0, beta_1) = (f64::from(self.beta_0), f64::from(self.beta_d + self.beta_0));
        let log_alpha = -0.5 * t.powi(2) * (beta_1 - beta_0) - t * beta_0;
        let fall = -t * (beta_1 - beta_0) - beta_0;
        // The noise's share, where all digits of a tiny sigma are gone.
        let rest = (-log_alpha.exp_m1()).max(1e-20);
        -0.5 * fall / (log_alpha.exp() * rest).sqrt()
    }
}

/// Weights of the slopes at `starts`, newest first, for the step from `starts[0]` to `to`.
fn weights(starts: &[f32], to: f32) -> Vec<f32> {
    let process = Process::new();
    let falling: Vec<f32> = starts.iter().rev().copied().chain([to]).collect();
    let mut nodes = process.times(&falling);
    nodes.reverse();
    let end = nodes.remove(0);
    let begin = nodes[0];
    let mut sums = vec![0.0; nodes.len()];
    for i in 0..POINTS {
        let t = begin + (end - begin) * i as f64 / (POINTS - 1) as f64;
        let value = process.integrand(t);
        for (j, sum) in sums.iter_mut().enumerate() {
            let others = nodes.iter().enumerate().filter(|(k, _)| *k != j);
            *sum += others.fold(value, |product, (_, node)| {
                product * (t - node) / (nodes[j] - node)
            });
        }
    }
    let width = (end - begin) / POINTS as f64;
    sums.into_iter().map(|it| (it * width) as f32).collect()
}
