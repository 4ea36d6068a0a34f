//! Wan's own UniPC: bh2 of order 2, predicting x0, over lambda = ln((1 - sigma) / sigma).
//!
//! Source: Wan-Video/Wan2.2 `wan/utils/fm_solvers_unipc.py` (`FlowUniPCMultistepScheduler`), the same
//! as diffusers' `UniPCMultistepScheduler` with flow sigmas. Sigma 1, where lambda is minus infinity,
//! is taken as the limit.

use super::bh::{Variant, weights};
use super::run::{Run, mix_sub};
use super::{Stop, wan_dpmpp::lambda};

/// What the predictor, and after the next prediction the corrector, need of a step.
struct Taken<'a> {
    base: Vec<f32>,
    scale: f32,
    slope: Option<Vec<f32>>,
    corrector: Vec<f32>,
    x0: &'a [f32],
}

/// History: the corrected x that the last step started from, its prediction, the prediction before.
pub(super) fn step(run: &mut Run<'_>, x: &[f32]) -> Result<Vec<f32>, Stop> {
    let x0 = run.predict(x)?;
    let (from, to) = (run.from(), run.to());
    let corrected = match run.history.as_slice() {
        [before, x0_last, older @ ..] => {
            let older = older.first().map(|older| (&older[..], run.before(2)));
            Taken::new(run.before(1), from, x0_last, older, before).corrected(&x0)
        }
        _ => x.to_vec(),
    };
    let x0_last = (run.step > 0).then(|| run.history.swap_remove(1));
    // The step to 0 is of first order: its end is at infinity. Wan lowers the order of its last
    // step; a window of it that ends before 0 has no such end.
    let older = match &x0_last {
        Some(x0_last) if to != 0.0 => Some((&x0_last[..], run.before(1))),
        _ => None,
    };
    let next = Taken::new(from, to, &x0, older, &corrected).predicted();
    *run.history = [corrected, x0].into_iter().chain(x0_last).collect();
    Ok(next)
}

impl<'a> Taken<'a> {
    fn new(from: f32, to: f32, x0: &'a [f32], older: Option<(&[f32], f32)>, x: &[f32]) -> Self {
        let h = lambda(to) - lambda(from);
        let b = (-h).exp_m1();
        let scale = (1.0 - to) * b;
        let base = mix_sub(to / from, x, scale, x0);
        let (slope, ratios) = match older {
            None => (None, Vec::new()),
            Some((older, sigma)) => {
                let ratio = (lambda(sigma) - lambda(from)) / h;
                let slope = older
                    .iter()
                    .zip(x0)
                    .map(|(old, now)| (old - now) / ratio)
                    .collect();
                (Some(slope), vec![ratio])
            }
        };
        let corrector = weights(Variant::Bh2, -h, &ratios).corrector;
        Self {
            base,
            scale,
            slope,
            corrector,
            x0,
        }
    }

    fn predicted(&self) -> Vec<f32> {
        match &self.slope {
            None => self.base.clone(),
            Some(slope) => mix_sub(1.0, &self.base, self.scale * 0.5, slope),
        }
    }

    fn corrected(&self, x0_new: &[f32]) -> Vec<f32> {
        let newest = self.corrector[self.corrector.len() - 1];
        let at = |(i, base): (usize, &f32)| {
            let bend = self
                .slope
                .as_ref()
                .map_or(0.0, |slope| self.corrector[0] * slope[i]);
            base - self.scale * (bend + newest * (x0_new[i] - self.x0[i]))
        };
        self.base.iter().enumerate().map(at).collect()
    }
}
