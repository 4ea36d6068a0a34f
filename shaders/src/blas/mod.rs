//! Matrix products: a system OpenBLAS where it is right and not slow, else the `gemm` crate.
//!
//! The library is looked up when the first product is asked for, never at build time, and has to
//! show first that it multiplies rightly ([`check`]). Old builds are slow on processors newer than
//! they are, so where a program says where to remember it ([`remember_products_in`]) a short
//! measurement chooses per kind of product ([`measure`]), once for a machine: what goes on tomorrow
//! computes with the same kernels as today.
//!
//! `LONGTAKE_BLAS=off` leaves the library alone, `on` takes it for all kinds, and `PATH` takes
//! another one with the CBLAS interface and 32-bit integers. OpenBLAS is told to use one thread: we
//! cut products into tiles for the rayon workers ourselves, so that two thread pools never compete,
//! and so that what follows a product (bias, activation, softmax) runs on the tile while it is warm.
//!
//! Workspace: OpenBLAS keeps about 32 MiB per worker thread once it has been used.

#![allow(
    unsafe_code,
    reason = "tiles of one buffer, written by several workers"
)]

mod check;
mod choice;
mod library;
mod measure;
mod memory;
mod operand;

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

pub use choice::{
    Engine, KindReport, ProductReport, product_report, product_report_so_far, remember_products_in,
};
pub use operand::Operand;

use crate::host::{self, Shared};
use choice::Choice;
use library::Blas;

/// What a product is for. Each kind has its own shapes, at which libraries differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A linear layer over a row or a few: embeddings of times.
    FewRows,
    /// A linear layer over many tokens.
    Linear,
    /// Queries by keys, a tile of one head.
    Scores,
    /// Attention weights by values, a tile of one head.
    Values,
    /// A kernel by gathered windows.
    Convolution,
}

impl Kind {
    pub const ALL: [Self; 5] = [
        Self::FewRows,
        Self::Linear,
        Self::Scores,
        Self::Values,
        Self::Convolution,
    ];

    /// Its name in reports and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FewRows => "few-rows",
            Self::Linear => "linear",
            Self::Scores => "attention-scores",
            Self::Values => "attention-values",
            Self::Convolution => "convolution",
        }
    }

    /// A linear layer over so many rows.
    fn of_linear(rows: usize) -> Self {
        if rows < FEW {
            Self::FewRows
        } else {
            Self::Linear
        }
    }
}

/// Rows from which on a linear layer is [`Kind::Linear`].
const FEW: usize = 8;

/// One product `c = alpha a b + beta c`, `c` `m x n`, the inner length `k`.
#[derive(Clone, Copy)]
struct Job<'a> {
    /// `[m, n, k]`
    size: [usize; 3],
    alpha: f32,
    a: Operand<'a>,
    b: Operand<'a>,
    /// With 0 the old values of `c` are not read.
    beta: f32,
    /// Elements between the starts of two rows of `c`.
    c_row: usize,
}

static DISABLED: AtomicBool = AtomicBool::new(false);

/// Stops or resumes the use of the system BLAS, for tests and comparisons.
#[doc(hidden)]
pub fn use_blas(on: bool) {
    DISABLED.store(!on, Ordering::Relaxed);
}

/// What multiplies matrices on the CPU, in a word or two.
pub fn blas_name() -> String {
    let report = product_report();
    report.library.unwrap_or_else(|| "gemm crate".to_owned())
}

/// `c = alpha a b + beta c` on the calling thread; `c` is `m x n` with rows `c_row` apart, the inner
/// length `k`. With a `beta` of 0 nothing of `c` is read.
///
/// # Panics
/// If an operand does not cover its size, or the rows of `c` would run into each other.
///
/// # Safety
/// `c` must be valid for writes of all its rows, be initialised there unless `beta` is 0, and no
/// other thread may touch those elements meanwhile.
#[expect(
    clippy::too_many_arguments,
    reason = "those of every BLAS, and what the product is for"
)]
pub unsafe fn multiply(
    kind: Kind,
    [m, n, k]: [usize; 3],
    alpha: f32,
    a: Operand<'_>,
    b: Operand<'_>,
    beta: f32,
    c: *mut f32,
    c_row: usize,
) {
    a.check(m, k);
    b.check(k, n);
    assert!(n <= c_row, "product: rows of {n} values, {c_row} apart");
    let job = Job {
        size: [m, n, k],
        alpha,
        a,
        b,
        beta,
        c_row,
    };
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 {
        for i in 0..m * n {
            // SAFETY: the caller's promise; an empty sum leaves `beta c`.
            unsafe {
                let at = c.add(i / n * c_row + i % n);
                at.write(if beta == 0.0 { 0.0 } else { beta * at.read() });
            }
        }
        return;
    }
    // SAFETY: the caller's promise; sizes were checked above.
    unsafe {
        match library(kind).filter(|_| Blas::takes(&job)) {
            Some(blas) => blas.multiply(&job, c),
            None => built_in(&job, c),
        }
    }
}

fn library(kind: Kind) -> Option<&'static Blas> {
    if DISABLED.load(Ordering::Relaxed) {
        return None;
    }
    Choice::get().library(kind)
}

/// The product of the `gemm` crate.
///
/// # Safety
/// As [`multiply`], whose checks were made.
unsafe fn built_in(job: &Job<'_>, c: *mut f32) {
    let Job {
        size: [m, n, k],
        alpha,
        a,
        b,
        beta,
        c_row,
    } = *job;
    // (column stride, row stride)
    let strides = |x: Operand<'_>| {
        let row = x.row() as isize;
        if x.is_transposed() {
            (row, 1)
        } else {
            (1, row)
        }
    };
    let ((a_col, a_row), (b_col, b_row)) = (strides(a), strides(b));
    // SAFETY: the caller's promise. `gemm` names the factor of the old value first.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c,
            1,
            c_row as isize,
            beta != 0.0,
            a.start(),
            a_col,
            a_row,
            b.start(),
            b_col,
            b_row,
            beta,
            alpha,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// Rows and columns of the largest tile a worker takes: about the second-level cache, and
/// large enough that packing the operands anew for each tile stays below some percent.
const TILE: usize = 1024;
/// Tiles are a multiple of this, so that only the last is ragged.
const TILE_STEP: usize = 64;

/// `a b` into a new row-major `m x n`, on all cores; `finish(first_column, row)` is then run on
/// each row of each tile.
///
/// # Panics
/// If an operand does not cover its size.
pub fn multiply_all(
    [m, n, k]: [usize; 3],
    a: Operand<'_>,
    b: Operand<'_>,
    finish: impl Fn(usize, &mut [f32]) + Sync,
) -> Vec<f32> {
    a.check(m, k);
    b.check(k, n);
    let len = m.checked_mul(n).expect("a product that memory can hold");
    let mut out: Vec<MaybeUninit<f32>> = host::uninit(len);
    if len == 0 {
        return Vec::new();
    }
    let shared = Shared::new(&mut out);
    let kind = Kind::of_linear(m);
    let [tile_m, tile_n] = tile(m, n);
    let tiles_n = n.div_ceil(tile_n);
    let work = |i: usize| {
        let (row, col) = (i / tiles_n * tile_m, i % tiles_n * tile_n);
        let (rows, cols) = (tile_m.min(m - row), tile_n.min(n - col));
        let (a, b) = (a.skip(row, 0), b.skip(0, col));
        let c = shared.rectangle(row * n + col, rows, cols, n);
        // SAFETY: tiles are disjoint, and inside the buffer; the product writes all of this one
        // before its rows are read.
        unsafe {
            multiply(kind, [rows, cols, k], 1.0, a, b, 0.0, c, n);
            for r in row..row + rows {
                finish(col, shared.slice(r * n + col, cols));
            }
        }
    };
    let tiles = m.div_ceil(tile_m) * tiles_n;
    if tiles == 1 {
        work(0);
    } else {
        (0..tiles).into_par_iter().with_max_len(1).for_each(work);
    }
    // SAFETY: the tiles cover it.
    unsafe { host::written(out) }
}

/// Cuts `m x n` so that every worker has a few tiles, none larger than [`TILE`] squared.
fn tile(m: usize, n: usize) -> [usize; 2] {
    let wanted = if m * n < 64 * 64 {
        1
    } else {
        2 * rayon::current_num_threads()
    };
    let [mut tile_m, mut tile_n] = [m.min(TILE), n.min(TILE)];
    while m.div_ceil(tile_m) * n.div_ceil(tile_n) < wanted {
        let side = if tile_n >= tile_m {
            &mut tile_n
        } else {
            &mut tile_m
        };
        if *side <= TILE_STEP {
            break;
        }
        *side = (*side / 2).next_multiple_of(TILE_STEP);
    }
    [tile_m, tile_n]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_and_occupy_every_worker() {
        let workers = rayon::current_num_threads();
        for (m, n) in [
            (1, 1),
            (1, 9000),
            (64, 65),
            (2048, 8960),
            (5000, 3),
            (4096, 4096),
        ] {
            let [tile_m, tile_n] = tile(m, n);
            assert!(
                (1..=TILE).contains(&tile_m) && (1..=TILE).contains(&tile_n),
                "{m} x {n}"
            );
            let tiles = m.div_ceil(tile_m) * n.div_ceil(tile_n);
            let finest = m.div_ceil(TILE_STEP) * n.div_ceil(TILE_STEP);
            assert!(tiles >= workers.min(finest), "{m} x {n}: {tiles} tiles");
        }
    }

    /// What would be read beyond an operand's end is refused before anything is computed.
    #[test]
    fn operands_that_are_too_short_are_refused() {
        let values = [1.0_f32; 12];
        let refused = |size, a: Operand<'_>, b: Operand<'_>| {
            let product = || multiply_all(size, a, b, |_, _| {});
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(product)).is_err()
        };
        let of = |row| Operand::new(&values, row);
        let across = |row| Operand::transposed(&values, row);
        assert!(!refused([3, 3, 4], of(4), of(3)));
        assert!(!refused([3, 3, 4], of(4), across(4)));
        for (size, a, b) in [
            ([4, 3, 4], of(4), of(3)),
            ([3, 4, 4], of(4), of(4).skip(0, 1)),
            ([3, 3, 5], of(4), of(3)),
            ([3, 3, 4], of(3), of(3)),
            ([3, 4, 4], of(4), across(4)),
            ([usize::MAX, 1, 1], of(1), of(1)),
            ([2, 1, 1], of(usize::MAX), of(1)),
            ([1, 1, 1], of(4).skip(3, 0), of(4)),
        ] {
            assert!(refused(size, a, b), "{size:?}, {a:?}, {b:?}");
        }
    }

    /// Neither side of a product need have anything in it.
    #[test]
    fn empty_products_are_zeros_or_nothing() {
        let none = Operand::new(&[], 0);
        let wide = Operand::new(&[], 5);
        assert_eq!(multiply_all([2, 3, 0], none, wide, |_, _| {}), [0.0; 6]);
        assert!(multiply_all([0, 3, 0], none, wide, |_, _| {}).is_empty());
        assert!(multiply_all([2, 0, 1], Operand::new(&[1.0; 2], 1), none, |_, _| {}).is_empty());
    }
}
