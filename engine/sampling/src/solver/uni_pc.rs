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

/// A prediction and where it was made.
struct Past {
    lambda: f32,
    x0: Vec<f32>,
}

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

pub(super) fn solve(mut run: Run<'_>, mut x: Vec<f32>, variant: Variant) -> Result<Vec<f32>, Stop> {
    let steps = run.steps();
    let levels = levels(run.sigmas);
    // A single step is order 0 in ComfyUI, which hands the noise back as it was. Take the step.
    let order = steps.saturating_sub(1).clamp(1, 3);

    let first = (1.0 + levels[0].sigma.powi(2)).sqrt();
    for value in &mut x {
        *value /= first;
    }
    let x0 = predict(&mut run, 0, &levels[0], &x)?;
    let mut past = vec![Past {
        lambda: levels[0].lambda,
        x0,
    }];
    for step in 1..=steps {
        let order = if step < order {
            step
        } else {
            order.min(steps + 1 - step)
        };
        let (from, to) = (&levels[step - 1], &levels[step]);
        let update = Update::new(variant, from, to, &past[..order], &x);
        x = update.predictor();
        if step < steps {
            let x0 = predict(&mut run, step, to, &x)?;
            x = update.corrector(&x0);
            past.insert(
                0,
                Past {
                    lambda: to.lambda,
                    x0,
                },
            );
            past.truncate(3);
        }
    }
    let last = levels[steps].alpha;
    for value in &mut x {
        *value /= last;
    }
    Ok(x)
}

/// The prediction, by way of the noise and back as `predict_eps_sigma` and `data_prediction_fn` do.
fn predict(run: &mut Run<'_>, step: usize, level: &Level, x: &[f32]) -> Result<Vec<f32>, Stop> {
    let scale = (level.sigma.powi(2) + 1.0).sqrt();
    let input: Vec<f32> = x.iter().map(|x| x * scale).collect();
    let mut x0 = run.predict(step, &input)?;
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
    fn new(variant: Variant, from: &Level, to: &Level, past: &'a [Past], x: &[f32]) -> Self {
        let h = to.lambda - from.lambda;
        let x0 = &past[0].x0;
        let ratios: Vec<f32> = past[1..]
            .iter()
            .map(|it| (it.lambda - from.lambda) / h)
            .collect();
        let slope = |(it, ratio): (&Past, &f32)| -> Vec<f32> {
            it.x0
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
