//! Improved pseudo linear multistep: ComfyUI `sample_ipndm`, from zju-pi/diff-sampler. Adams–Bashforth
//! weights for even steps, whatever the steps are.

use super::Stop;
use super::run::Run;

/// History: the last three slopes.
pub(super) fn step(run: &mut Run<'_>, x: &[f32]) -> Result<Vec<f32>, Stop> {
    let x0 = run.predict(x)?;
    let (from, to) = (run.from(), run.to());
    if to == 0.0 {
        return Ok(x0);
    }
    let slope: Vec<f32> = x.iter().zip(&x0).map(|(x, x0)| (x - x0) / from).collect();
    let length = to - from;
    let at = |(i, x): (usize, &f32)| {
        let d = slope[i];
        let bent = match run.history.as_slice() {
            [] => return x + length * d,
            [a] => length * (3.0 * d - a[i]) / 2.0,
            [a, b] => length * (23.0 * d - 16.0 * a[i] + 5.0 * b[i]) / 12.0,
            [a, b, c, ..] => length * (55.0 * d - 59.0 * a[i] + 37.0 * b[i] - 9.0 * c[i]) / 24.0,
        };
        x + bent
    };
    let next = x.iter().enumerate().map(at).collect();
    run.remember(slope, 3);
    Ok(next)
}
