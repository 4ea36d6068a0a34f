//! Whether a library multiplies rightly: a few products against plain sums.
//!
//! Builds of OpenBLAS that are older than a processor have been wrong on it. What is looked at is
//! what kernels get wrong: odd sizes, both transposes, rows with something between them, and
//! results that are scaled, added to, or must not be read.

use longtake_sentence::{Sentence, say};

use super::{Job, Operand};

/// Makes one product into the rows of a slice; see [`super::multiply`].
pub type Product<'a> = dyn Fn(&Job<'_>, &mut [f32]) + 'a;

/// `[m, n, k]`: edges of register blocks from 4 to 32 on all sides, a single row, a single column.
const SIZES: [[usize; 3]; 7] = [
    [1, 1, 1],
    [1, 37, 65],
    [35, 1, 70],
    [5, 3, 9],
    [17, 33, 31],
    [64, 48, 128],
    [67, 129, 100],
];
/// Beyond the cache blocks of all kernels on every side (OpenBLAS `param.h`).
const LARGE: [usize; 3] = [779, 263, 397];
/// Elements of a result that are compared.
const LOOKED_AT: usize = 600;
/// Between the rows of operands and results.
const GAP: usize = 3;
/// Stands where nothing may be read or written.
const UNTOUCHED: f32 = f32::NAN;

/// `Ok` if `product` is right.
///
/// # Errors
/// The first result that is not.
pub fn check(product: &Product<'_>) -> Result<(), Sentence> {
    let mut numbers = Numbers(1);
    let factors = [(1.0, 0.0), (0.25, 0.0), (1.0, 1.0)];
    for size in SIZES {
        for case in 0..4 {
            let across = [case & 1 != 0, case & 2 != 0];
            one(product, size, across, &factors, &mut numbers)?;
        }
    }
    one(product, LARGE, [false, true], &factors[..1], &mut numbers)?;
    one(product, LARGE, [false, false], &factors[2..], &mut numbers)
}

fn one(
    product: &Product<'_>,
    size: [usize; 3],
    [a_across, b_across]: [bool; 2],
    factors: &[(f32, f32)],
    numbers: &mut Numbers,
) -> Result<(), Sentence> {
    let [m, n, k] = size;
    let (a, a_row) = numbers.matrix(m, k, a_across);
    let (b, b_row) = numbers.matrix(k, n, b_across);
    let of = |values, row, across| {
        if across {
            Operand::transposed(values, row)
        } else {
            Operand::new(values, row)
        }
    };
    let (a, b) = (of(&a, a_row, a_across), of(&b, b_row, b_across));
    let c_row = n + GAP;
    for &(alpha, beta) in factors {
        let job = Job {
            size,
            alpha,
            a,
            b,
            beta,
            c_row,
        };
        let (mut c, _) = numbers.matrix(m, n, false);
        if beta == 0.0 {
            c.fill(UNTOUCHED);
        }
        let before = c.clone();
        product(&job, &mut c);
        let step = (m * n).div_ceil(LOOKED_AT);
        // A step that is coprime to a power of two meets all places of a register block.
        for i in (0..m * n).step_by(step | 1) {
            compare(&job, &before, &c, [i / n, i % n])?;
        }
        let between = |(i, value): (usize, &f32)| i % c_row >= n && !value.is_nan();
        if let Some((i, _)) = c.iter().enumerate().find(|&it| between(it)) {
            let (row, col) = (i / c_row, i % c_row);
            return Err(say!(
                "of a {m} x {n} product it writes row {row}, column {col}",
                "{m} x {n} の積で {row} 行 {col} 列に書き込みます"
            ));
        }
    }
    Ok(())
}

/// One element against the sum in double precision, as far off as single precision may be
/// (Higham, "Accuracy and stability of numerical algorithms", §3.1: `n u` of the absolute sum).
fn compare(
    job: &Job<'_>,
    before: &[f32],
    after: &[f32],
    [row, col]: [usize; 2],
) -> Result<(), Sentence> {
    let [m, n, k] = job.size;
    let at = row * job.c_row + col;
    let (mut sum, mut size) = (0.0, 0.0);
    for i in 0..k {
        let term = f64::from(job.a.at(row, i)) * f64::from(job.b.at(i, col));
        (sum, size) = (sum + term, size + term.abs());
    }
    let (alpha, beta) = (f64::from(job.alpha), f64::from(job.beta));
    let old = if beta == 0.0 {
        0.0
    } else {
        beta * f64::from(before[at])
    };
    let expected = alpha * sum + old;
    let allowed = (k + 2) as f64 * f64::from(f32::EPSILON) * (alpha * size + old.abs());
    let found = after[at];
    if (f64::from(found) - expected).abs() <= allowed {
        return Ok(());
    }
    Err(say!(
        "of a {m} x {n} product over {k} it makes {found} of row {row}, column {col}; expected {expected}",
        "{k} 項の {m} x {n} の積で {row} 行 {col} 列が {expected} でなく {found} になります"
    ))
}

/// Numbers that look random, the same each time: Knuth's linear congruential generator.
pub struct Numbers(pub u64);

impl Numbers {
    /// In -1 to 1.
    pub fn next(&mut self) -> f32 {
        self.0 = (self.0)
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    /// A matrix with [`GAP`] values between its rows that are no numbers, and how far those are apart;
    /// `across` stores its transpose.
    fn matrix(&mut self, rows: usize, cols: usize, across: bool) -> (Vec<f32>, usize) {
        let [rows, cols] = if across { [cols, rows] } else { [rows, cols] };
        let row = cols + GAP;
        let value = |i: usize| {
            if i % row < cols {
                self.next()
            } else {
                UNTOUCHED
            }
        };
        ((0..rows * row).map(value).collect(), row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `c = alpha a b + beta c` by plain sums.
    pub fn plain(job: &Job<'_>, c: &mut [f32]) {
        let [m, n, k] = job.size;
        for row in 0..m {
            for col in 0..n {
                let terms = (0..k).map(|i| job.a.at(row, i) * job.b.at(i, col));
                let sum = job.alpha * terms.sum::<f32>();
                let at = &mut c[row * job.c_row + col];
                *at = if job.beta == 0.0 {
                    sum
                } else {
                    sum + job.beta * *at
                };
            }
        }
    }

    /// What has been seen of libraries, and what could be: each is found.
    #[test]
    fn products_that_are_wrong_are_refused() {
        type Fault = fn(&Job<'_>, &mut [f32]);
        let faults: [(&str, Fault); 7] = [
            ("a value of a whole register block is off", |job, c| {
                plain(job, c);
                if job.size[0] > 16 {
                    c[16 * job.c_row] *= 1.001;
                }
            }),
            ("edges are left out", |job, c| {
                let [m, n, k] = job.size;
                let inner = |side: usize| if side > 8 { side / 8 * 8 } else { side };
                let size = [m, inner(n), k];
                plain(&Job { size, ..*job }, c);
            }),
            ("the last terms are left out", |job, c| {
                let [m, n, k] = job.size;
                let size = [m, n, k - usize::from(k > 64)];
                plain(&Job { size, ..*job }, c);
            }),
            (
                "two columns are swapped where `b` is transposed",
                |job, c| {
                    plain(job, c);
                    if job.b.is_transposed() && job.size[1] > 1 {
                        c.swap(0, 1);
                    }
                },
            ),
            ("alpha is forgotten", |job, c| {
                plain(&Job { alpha: 1.0, ..*job }, c);
            }),
            ("old values are read where they must not be", |job, c| {
                plain(&Job { beta: 1.0, ..*job }, c);
            }),
            ("what lies between rows is overwritten", |job, c| {
                plain(job, c);
                c[job.size[1]] = 0.0;
            }),
        ];
        assert_eq!(check(&plain), Ok(()));
        for (what, fault) in faults {
            let why = check(&fault).expect_err(what);
            assert_eq!(why.lacks(), None, "{what}");
        }
    }
}
