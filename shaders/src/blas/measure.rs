//! How long two makers of products take for each kind.

use std::time::{Duration, Instant};

use super::check::{Numbers, Product};
use super::{Job, Kind, Operand};

/// Runs of each maker, turn by turn. The shortest counts: whatever else the machine does can only
/// make one longer.
const RUNS: usize = 5;
/// No kind is measured for longer than this, but for [`FEWEST`] runs of each.
const LIMIT: Duration = Duration::from_millis(40);
const FEWEST: usize = 2;

/// A product as a kind has them: `[m, n, k]`, whether `b` is stored transposed, and `beta`.
const fn sample(kind: Kind) -> ([usize; 3], bool, f32) {
    match kind {
        Kind::FewRows => ([1, 1024, 1024], true, 0.0),
        Kind::Linear => ([512, 256, 1024], true, 0.0),
        Kind::Scores => ([256, 512, 128], true, 0.0),
        Kind::Values => ([256, 128, 512], false, 1.0),
        Kind::Convolution => ([96, 512, 96 * 9], false, 0.0),
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
    let mut run = |maker: &Product<'_>| time(&mut || maker(&job, &mut c));
    // The first of each brings code and pages in.
    for maker in makers {
        run(maker);
    }
    let mut shortest = [Duration::MAX; 2];
    let begin = Instant::now();
    for i in 0..RUNS {
        if i >= FEWEST && begin.elapsed() > LIMIT {
            break;
        }
        for (shortest, maker) in shortest.iter_mut().zip(makers) {
            *shortest = (*shortest).min(run(maker));
        }
    }
    // A clock that stands still makes no difference.
    let [one, other] = shortest.map(|it| it.as_secs_f64().max(1e-9));
    one / other
}

/// How long a run takes by the clock.
pub fn clock(run: &mut dyn FnMut()) -> Duration {
    let begin = Instant::now();
    run();
    begin.elapsed()
}
