//! Repairs along time: short gaps are bridged, jitter is smoothed.

use super::motion::{Motion, Track, distance};

/// How jitter is smoothed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Smoothing {
    /// Not at all.
    None,
    /// A Gaussian over time, standard deviation `strength` frames: even, but fast moves get softer.
    Gaussian,
    /// The One-Euro filter: still joints are held, fast ones followed. Lags a little.
    OneEuro,
}

impl Smoothing {
    /// Names in files.
    pub const NAMES: &[&str] = &["none", "gaussian", "one_euro"];

    /// By name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "none" => Self::None,
            "gaussian" => Self::Gaussian,
            "one_euro" => Self::OneEuro,
            _ => return None,
        })
    }
}

/// Cycles per frame that the One-Euro filter's cutoff rises by, for a move of one diagonal per frame.
const BETA: f64 = 40.0;

/// One value over time.
type Series<const N: usize> = Vec<Option<[f64; N]>>;

/// Bridges gaps of at most `gap` frames and smooths, in every point of everybody.
pub fn clean(motion: &mut Motion, gap: usize, smoothing: Smoothing, strength: f64) {
    let diagonal = motion.canvas[0].hypot(motion.canvas[1]);
    for track in &mut motion.tracks {
        each_series(track, gap, smoothing, strength, diagonal);
    }
}

fn each_series(track: &mut Track, gap: usize, how: Smoothing, strength: f64, diagonal: f64) {
    let Some(first) = track.frames.first() else {
        return;
    };
    let (points, joints) = (first.points.len(), first.space.len());
    for i in 0..points {
        let done = repaired(
            track.frames.iter().map(|it| it.points[i]),
            gap,
            how,
            strength,
            diagonal,
        );
        let slots = track.frames.iter_mut().map(|it| &mut it.points[i]);
        slots.zip(done).for_each(|(slot, value)| *slot = value);
    }
    for i in 0..joints {
        // A body's height in millimetres is about a diagonal of pixels.
        let done = repaired(
            track.frames.iter().map(|it| it.space[i]),
            gap,
            how,
            strength,
            2000.0,
        );
        let slots = track.frames.iter_mut().map(|it| &mut it.space[i]);
        slots.zip(done).for_each(|(slot, value)| *slot = value);
        let done = repaired(
            track.frames.iter().map(|it| it.relief[i]),
            gap,
            how,
            strength,
            diagonal,
        );
        let slots = track.frames.iter_mut().map(|it| &mut it.relief[i]);
        slots.zip(done).for_each(|(slot, value)| *slot = value);
    }
}

fn repaired<const N: usize>(
    values: impl Iterator<Item = Option<[f64; N]>>,
    gap: usize,
    how: Smoothing,
    strength: f64,
    size: f64,
) -> Series<N> {
    let mut series: Series<N> = values.collect();
    if series.iter().all(Option::is_none) {
        return series;
    }
    bridge(&mut series, gap);
    match how {
        Smoothing::None => series,
        _ if strength <= 0.0 => series,
        Smoothing::Gaussian => gaussian(&series, strength),
        Smoothing::OneEuro => one_euro(&series, strength, size),
    }
}

/// Fills runs of at most `most` absent values between two present ones with straight lines.
pub fn bridge<const N: usize>(series: &mut Series<N>, most: usize) {
    let mut last: Option<(usize, [f64; N])> = None;
    for at in 0..series.len() {
        let Some(value) = series[at] else { continue };
        if let Some((from, start)) = last
            && at - from > 1
            && at - from - 1 <= most
        {
            for (i, slot) in series[from..at].iter_mut().enumerate().skip(1) {
                let part = i as f64 / (at - from) as f64;
                *slot = Some(std::array::from_fn(|n| {
                    start[n] + (value[n] - start[n]) * part
                }));
            }
        }
        last = Some((at, value));
    }
}

/// Each present value as the weighted mean of the present ones around it, without crossing a gap.
pub fn gaussian<const N: usize>(series: &Series<N>, sigma: f64) -> Series<N> {
    let reach = (3.0 * sigma).ceil() as usize;
    let weight = |step: usize| (-0.5 * (step as f64 / sigma).powi(2)).exp();
    let at = |i: usize| {
        let centre = series[i]?;
        let (mut sum, mut total) = (centre, 1.0);
        let mut add = |value: [f64; N], step: usize| {
            total += weight(step);
            (0..N).for_each(|n| sum[n] += value[n] * weight(step));
        };
        let before = series[..i].iter().rev().take(reach);
        for (step, value) in before.map_while(|it| *it).enumerate() {
            add(value, step + 1);
        }
        let after = series[i + 1..].iter().take(reach);
        for (step, value) in after.map_while(|it| *it).enumerate() {
            add(value, step + 1);
        }
        Some(sum.map(|it| it / total))
    };
    (0..series.len()).map(at).collect()
}

/// G. Casiez, N. Roussel, D. Vogel, "1€ Filter" (CHI 2012), with a frame as the unit of time: cutoff
/// `1/(2π·strength)` at rest, raised with the speed, which is itself filtered at that cutoff.
fn one_euro<const N: usize>(series: &Series<N>, strength: f64, size: f64) -> Series<N> {
    let follow = |cutoff: f64| {
        let tau = 1.0 / (2.0 * std::f64::consts::PI * cutoff);
        1.0 / (1.0 + tau)
    };
    let rest = 1.0 / (2.0 * std::f64::consts::PI * strength);
    let mut state: Option<([f64; N], f64)> = None;
    let step = |value: &Option<[f64; N]>| {
        let Some(value) = *value else {
            state = None;
            return None;
        };
        let (old, speed) = state.unwrap_or((value, 0.0));
        let now = distance(value, old) / size;
        let speed = speed + (now - speed) * follow(rest);
        let part = follow(rest + BETA * speed);
        let made = std::array::from_fn(|n| old[n] + (value[n] - old[n]) * part);
        state = Some((made, speed));
        Some(made)
    };
    series.iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Series<1> {
        let one = |&it: &f64| it.is_finite().then_some([it]);
        values.iter().map(one).collect()
    }

    const N: f64 = f64::NAN;

    #[test]
    fn short_gaps_are_bridged_and_long_ones_stay() {
        let mut it = series(&[N, 1.0, N, N, 4.0, N, N, N, 0.0, N]);
        bridge(&mut it, 2);
        assert_eq!(it, series(&[N, 1.0, 2.0, 3.0, 4.0, N, N, N, 0.0, N]));
        let mut off = series(&[1.0, N, 2.0]);
        bridge(&mut off, 0);
        assert_eq!(off, series(&[1.0, N, 2.0]));
    }

    #[test]
    fn smoothing_calms_jitter_and_keeps_lines_and_gaps() {
        let line = series(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        let smooth = gaussian(&line, 1.0);
        assert!((smooth[4].unwrap()[0] - 4.0).abs() < 1e-12);
        let jitter: Vec<f64> = (0..40).map(|i| 100.0 + f64::from(i % 2)).collect();
        for how in [Smoothing::Gaussian, Smoothing::OneEuro] {
            let done = repaired(series(&jitter).into_iter(), 0, how, 3.0, 1000.0);
            let tail: Vec<f64> = done[20..].iter().map(|it| it.unwrap()[0]).collect();
            let moves = tail
                .windows(2)
                .map(|it| (it[1] - it[0]).abs())
                .fold(0.0, f64::max);
            assert!(moves < 0.45, "{how:?} {moves}");
            let gap = repaired(series(&[1.0, N, 9.0]).into_iter(), 0, how, 3.0, 1000.0);
            assert_eq!(gap, series(&[1.0, N, 9.0]), "{how:?}");
        }
    }

    #[test]
    fn the_one_euro_filter_follows_fast_moves() {
        let fast: Vec<f64> = (0..30).map(|i| 60.0 * f64::from(i)).collect();
        let done = one_euro(&series(&fast), 3.0, 1000.0);
        let lag = fast[29] - done[29].unwrap()[0];
        assert!(lag < 30.0, "{lag}");
    }
}
