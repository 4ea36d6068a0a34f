//! Second-order exponential multistep, <https://arxiv.org/abs/2308.02157>: ComfyUI `res_multistep`
//! with eta 0, as `sample_res_multistep` calls it. First and last step are Euler's.

use super::run::Run;
use super::{Stop, euler};

pub(super) fn solve(mut run: Run<'_>, mut x: Vec<f32>) -> Result<Vec<f32>, Stop> {
    let mut last: Option<(Vec<f32>, f32)> = None;
    for (step, from, to) in run.pairs() {
        let x0 = run.predict(step, &x)?;
        match &last {
            Some((x0_last, from_last)) if to != 0.0 => {
                let (t, t_next, t_last) = (-from.ln(), -to.ln(), -from_last.ln());
                let h = t_next - t;
                let c2 = (t_last - t) / h;
                let phi1 = (-h).exp_m1() / -h;
                let phi2 = (phi1 - 1.0) / -h;
                let (b1, b2) = (phi1 - phi2 / c2, phi2 / c2);
                let keep = (-h).exp();
                for (i, x) in x.iter_mut().enumerate() {
                    *x = keep * *x + h * (b1 * x0[i] + b2 * x0_last[i]);
                }
            }
            _ => euler::advance(&mut x, &x0, from, to),
        }
        last = Some((x0, from));
    }
    Ok(x)
}
