//! UniPC as ComfyUI has it: `sample_unipc`, the authors' code with `SigmaConvert`.
//!
//! It works in the variance-preserving frame of a variance-exploding model, whatever the model is:
//! `alpha = 1 / sqrt(1 + sigma^2)`, x scaled by it, lambda = -ln(sigma). A last sigma of 0 becomes
//! 0.001. There `1 - exp(2 ln alpha)` has but four bits left in single precision, which moves the
//! result by 1e-4; the same operations are used here so that it moves the same way.

use super::Stop;
use super::bh::{Variant, weights};
use super::run::Run;

/// Stands for a last sigma of 0.
pub(crate) const LAST_SIGMA: f32 = 0.001;

/// A prediction and where it was made, in lambda.
type Past<'a> = (f32, &'a [f32]);

/// `SigmaConvert` at one sigma.
struct Level {
    sigma: f32,
    alpha: f32,
    std: f32,
    lambda: f32,
}

impl Level {
    /// In single precision and ComfyUI's order.
    fn at(sigma: f32) -> Self {
        let ln_alpha = 0.5 * (1.0 / (sigma * sigma + 1.0)).ln();
        let variance = 1.0 - (2.0 * ln_alpha).exp();
        Self {
            sigma,
            alpha: ln_alpha.exp(),
            std: variance.sqrt(),
            lambda: ln_alpha - 0.5 * variance.ln(),
        }
    }

    /// The same quantities without the loss of precision.
    fn exact(sigma: f32) -> Self {
        let wide = f64::from(sigma);
        let alpha = 1.0 / (wide * wide + 1.0).sqrt();
        Self {
            sigma,
            alpha: alpha as f32,
            std: (alpha * wide) as f32,
            lambda: -wide.ln() as f32,
        }
    }
}

/// One level for each of `sigmas`. Neighbours below about 0.002 can fall together in single
/// precision, and below 0.0003 there is nothing left of the variance; ComfyUI divides by zero
/// there, so the exact levels stand in. Only unusual shifts have such sigmas.
fn levels(sigmas: &[f32]) -> Vec<Level> {
    let mut sigmas = sigmas.to_vec();
    if let Some(last) = sigmas.last_mut()
        && *last == 0.0
    {
        *last = LAST_SIGMA;
    }
    let levels: Vec<Level> = sigmas.iter().copied().map(Level::at).collect();
    if levels
        .windows(2)
        .all(|pair| pair[1].lambda > pair[0].lambda)
    {
        return levels;
    }
    sigmas.into_iter().map(Level::exact).collect()
}

/// Order of the step that ends at sigma number `end`, of `steps`.
fn order(end: usize, steps: usize) -> usize {
    // A single step is order 0 in ComfyUI, which hands the noise back as it was. Take the step.
    let most = steps.saturating_sub(1).clamp(1, 3);
    if end < most {
        end
    } else {
        most.min(steps + 1 - end)
    }
}

/// History: the corrected x that the last step started from, then the predictions, newest first. It
/// and x are in this solver's frame from the first step to before the last.
pub(super) fn step(run: &mut Run<'_>, x: &[f32], variant: Variant) -> Result<Vec<f32>, Stop> {
    let (step, steps) = (run.step, run.steps());
    let levels = levels(run.sigmas);
    let mut x = x.to_vec();
    if step == 0 {
        let first = (1.0 + levels[0].sigma.powi(2)).sqrt();
        for value in &mut x {
            *value /= first;
        }
    }
    let x0 = predict(run, &levels[step], &x)?;
    if let Some((before, older)) = run.history.split_first() {
        let past = pasts(&levels[..step], older);
        let past = &past[..order(step, steps)];
        let update = Update::new(variant, &levels[step - 1], &levels[step], past, before);
        x = update.corrector(&x0);
    }
    let mut known = vec![x0];
    known.extend(run.history.drain(..).skip(1));
    known.truncate(3);
    let past = pasts(&levels[..=step], &known);
    let (from, to) = (&levels[step], &levels[step + 1]);
    let update = Update::new(variant, from, to, &past[..order(step + 1, steps)], &x);
    let mut next = update.predictor();
    if step + 1 == steps {
        for value in &mut next {
            *value /= to.alpha;
        }
    }
    run.history.push(x);
    run.history.extend(known);
    Ok(next)
}

/// Pairs predictions, newest first, with the levels they were made at, newest last.
fn pasts<'a>(levels: &[Level], x0s: &'a [Vec<f32>]) -> Vec<Past<'a>> {
    let lambdas = levels.iter().rev().map(|level| level.lambda);
    lambdas.zip(x0s.iter().map(|it| &it[..])).collect()
}

/// x as the network would see it before step `step` of `sigmas`, not the first: out of this solver's
/// frame.
pub(super) fn outside(sigmas: &[f32], step: usize, x: &[f32]) -> Vec<f32> {
    let alpha = levels(sigmas)[step].alpha;
    x.iter().map(|x| x / alpha).collect()
}

/// The prediction, by way of the noise and back as `predict_eps_sigma` and `data_prediction_fn` do.
fn predict(run: &mut Run<'_>, level: &Level, x: &[f32]) -> Result<Vec<f32>, Stop> {
    let scale = (level.sigma.powi(2) + 1.0).sqrt();
    let input: Vec<f32> = x.iter().map(|x| x * scale).collect();
    let mut x0 = run.predict(&input)?;
    for (i, x0) in x0.iter_mut().enumerate() {
        let noise = (input[i] - *x0) / level.sigma;
        *x0 = (x[i] - level.std * noise) / level.alpha;
    }
    Ok(x0)
}

/// One step's parts, from which the predictor and then the corrector are put together.
struct Update<'a> {
    /// The exponential integrator's first-order step.
    base: Vec<f32>,
    /// alpha times B(h).
    scale: f32,
    x0: &'a [f32],
    /// Slopes towards older predictions.
    slopes: Vec<Vec<f32>>,
    predictor: Vec<f32>,
    corrector: Vec<f32>,
}

impl<'a> Update<'a> {
    /// `past` begins with the prediction at `from`; its length is the order.
    fn new(variant: Variant, from: &Level, to: &Level, past: &[Past<'a>], x: &[f32]) -> Self {
        let h = to.lambda - from.lambda;
        let x0 = past[0].1;
        let ratios: Vec<f32> = past[1..]
            .iter()
            .map(|(lambda, _)| (lambda - from.lambda) / h)
            .collect();
        let slope = |((_, older), ratio): (&Past<'_>, &f32)| -> Vec<f32> {
            older
                .iter()
                .zip(x0)
                .map(|(old, now)| (old - now) / ratio)
                .collect()
        };
        let slopes = past[1..].iter().zip(&ratios).map(slope).collect();
        let (keep, take) = (to.std / from.std, to.alpha * (-h).exp_m1());
        let base = super::run::mix_sub(keep, x, take, x0);
        let found = weights(variant, -h, &ratios);
        Self {
            base,
            scale: to.alpha * variant.b(-h),
            x0,
            slopes,
            predictor: found.predictor,
            corrector: found.corrector,
        }
    }

    fn bend(&self, weights: &[f32], i: usize) -> f32 {
        self.slopes
            .iter()
            .zip(weights)
            .map(|(slope, weight)| weight * slope[i])
            .sum()
    }

    fn predictor(&self) -> Vec<f32> {
        let at = |(i, base): (usize, &f32)| base - self.scale * self.bend(&self.predictor, i);
        self.base.iter().enumerate().map(at).collect()
    }

    fn corrector(&self, x0_new: &[f32]) -> Vec<f32> {
        let newest = self.corrector[self.corrector.len() - 1];
        let at = |(i, base): (usize, &f32)| {
            let change = x0_new[i] - self.x0[i];
            base - self.scale * (self.bend(&self.corrector, i) + newest * change)
        };
        self.base.iter().enumerate().map(at).collect()
    }
}
