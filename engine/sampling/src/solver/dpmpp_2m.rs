//! DPM-Solver++(2M), <https://arxiv.org/abs/2211.01095>: ComfyUI `sample_dpmpp_2m`.
//!
//! Time is `t = -ln(sigma)` there for every model, so for a flow too; Wan's own form with
//! `ln((1 - sigma) / sigma)` is `wan_dpmpp`.

use super::Stop;
use super::run::{Run, mix, mix_sub};

/// History: the last prediction.
pub(super) fn step(run: &mut Run<'_>, x: &[f32]) -> Result<Vec<f32>, Stop> {
    let x0 = run.predict(x)?;
    let (from, to) = (run.from(), run.to());
    let (t, t_next) = (-from.ln(), -to.ln());
    let h = t_next - t;
    let keep = (-t_next).exp() / (-t).exp();
    let take = (-h).exp_m1();
    let next = match run.history.first() {
        Some(x0_last) if to != 0.0 => {
            let h_last = t - -run.before(1).ln();
            let r = h_last / h;
            let ahead = mix_sub(1.0 + 1.0 / (2.0 * r), &x0, 1.0 / (2.0 * r), x0_last);
            mix(keep, x, -take, &ahead)
        }
        _ => mix(keep, x, -take, &x0),
    };
    run.remember(x0, 1);
    Ok(next)
}
