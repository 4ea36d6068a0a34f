//! How long two makers of products take for each kind.

use std::time::{Duration, Instant};

use super::check::{Numbers, Product};
use super::{Job, Kind, Operand};

/// Runs of each maker, turn by turn; the median counts.
const RUNS: usize = 5;
/// No kind is measured for longer than this, but for one run of each.
const LIMIT: Duration = Duration::from_millis(40);

/// A product as a kind has them: `[m, n, k]`, whether `b` is stored transposed, and `beta`.
const fn sample(kind: Kind) -> ([usize; 3], bool, f32) {
    match kind {
        Kind::FewRows => ([1, 1024, 1024], true, 0.0),
        Kind::Linear => ([512, 256, 1024], true, 0.0),
        Kind::Scores => ([256, 512, 128], true, 0.0),
        Kind::Values => ([256, 128, 512], false, 1.0),
        Kind::Convolution => ([96, 512, 96 * 27], false, 0.0),
    }
}

/// The time that `one` takes for a product of this kind, in times of `other`.
///
/// `time` tells how long a run takes; the clock, but for tests.
pub fn ratio(
    kind: Kind,
    makers: [&Product<'_>; 2],
    time: &dyn Fn(&mut dyn FnMut()) -> Duration,
) -> f64 {
    let ([m, n, k], across, beta) = sample(kind);
    let mut numbers = Numbers(2);
    let mut fill = |len: usize| (0..len).map(|_| numbers.next()).collect::<Vec<f32>>();
    let (a, b) = (fill(m * k), fill(k * n));
    let job = Job {
        size: [m, n, k],
        alpha: 1.0,
        a: Operand::new(&a, k),
        b: if across {
            Operand::transposed(&b, k)
        } else {
            Operand::new(&b, n)
        },
        beta,
        c_row: n,
    };
    let mut c = vec![0.0; m * n];
    let mut times = [const { Vec::new() }; 2];
    let begin = Instant::now();
    // The first of each brings code and pages in.
    for run in 0..=RUNS {
        for (maker, times) in makers.iter().zip(&mut times) {
            let took = time(&mut || maker(&job, &mut c));
            if run > 0 || begin.elapsed() > LIMIT {
                times.push(took);
            }
        }
        if begin.elapsed() > LIMIT && !times[1].is_empty() {
            break;
        }
    }
    let [one, other] = times.map(|times| median(times).as_secs_f64());
    one / other.max(1e-9)
}

/// How long a run takes by the clock.
pub fn clock(run: &mut dyn FnMut()) -> Duration {
    let begin = Instant::now();
    run();
    begin.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
