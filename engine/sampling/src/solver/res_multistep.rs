//! Second-order exponential multistep, <https://arxiv.org/abs/2308.02157>: ComfyUI `res_multistep`
//! with eta 0, as `sample_res_multistep` calls it. First and last step are Euler's.

use super::run::Run;
use super::{Stop, euler};

/// History: the last prediction.
pub(super) fn step(run: &mut Run<'_>, x: &[f32]) -> Result<Vec<f32>, Stop> {
    let x0 = run.predict(x)?;
    let (from, to) = (run.from(), run.to());
    let next = match run.history.first() {
        Some(x0_last) if to != 0.0 => {
            let (t, t_next, t_last) = (-from.ln(), -to.ln(), -run.before(1).ln());
            let h = t_next - t;
            let c2 = (t_last - t) / h;
            let phi1 = (-h).exp_m1() / -h;
            let phi2 = (phi1 - 1.0) / -h;
            let (b1, b2) = (phi1 - phi2 / c2, phi2 / c2);
            let keep = (-h).exp();
            let at = |(i, x): (usize, &f32)| keep * x + h * (b1 * x0[i] + b2 * x0_last[i]);
            x.iter().enumerate().map(at).collect()
        }
        _ => {
            let mut next = x.to_vec();
            euler::advance(&mut next, &x0, from, to);
            next
        }
    };
    run.remember(x0, 1);
    Ok(next)
}
