//! Matrix products: a system OpenBLAS if there is one, else the `gemm` crate.
//!
//! The library is looked up when the first product is asked for, never at build time.
//! `LONGTAKE_BLAS=off` leaves it alone, `LONGTAKE_BLAS=PATH` names another library with the
//! CBLAS interface and 32-bit integers. OpenBLAS is told to use one thread: we cut products
//! into tiles for the rayon workers ourselves, so that two thread pools never compete, and so
//! that what follows a product (bias, activation, softmax) runs on the tile while it is warm.
//!
//! Workspace: OpenBLAS keeps about 32 MiB per worker thread once it has been used.

use std::ffi::{CStr, c_char, c_int};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use libloading::Library;
use rayon::prelude::*;

use crate::host::Shared;

type Sgemm = unsafe extern "C" fn(
    order: c_int,
    trans_a: c_int,
    trans_b: c_int,
    m: c_int,
    n: c_int,
    k: c_int,
    alpha: f32,
    a: *const f32,
    lda: c_int,
    b: *const f32,
    ldb: c_int,
    beta: f32,
    c: *mut f32,
    ldc: c_int,
);

/// `CblasRowMajor`, `CblasNoTrans` and `CblasTrans` of `cblas.h`.
const ROW_MAJOR: c_int = 101;
const NO_TRANS: c_int = 111;
const TRANS: c_int = 112;

const DEFAULT_LIBRARY: &str = "libopenblas.so.0";

struct Blas {
    sgemm: Sgemm,
    name: String,
    /// Keeps `sgemm` valid.
    _library: Library,
}

static BLAS: OnceLock<Option<Blas>> = OnceLock::new();
static DISABLED: AtomicBool = AtomicBool::new(false);

/// Stops or resumes the use of the system BLAS, for tests and comparisons.
#[doc(hidden)]
pub fn use_blas(on: bool) {
    DISABLED.store(!on, Ordering::Relaxed);
}

/// What multiplies matrices on the CPU, for reports.
pub fn blas_name() -> String {
    blas().map_or_else(|| "gemm crate".to_owned(), |blas| blas.name.clone())
}

fn blas() -> Option<&'static Blas> {
    if DISABLED.load(Ordering::Relaxed) {
        return None;
    }
    BLAS.get_or_init(open).as_ref()
}

fn open() -> Option<Blas> {
    let wish = std::env::var("LONGTAKE_BLAS").unwrap_or_default();
    let path = match wish.as_str() {
        "off" => return None,
        "" => DEFAULT_LIBRARY,
        path => path,
    };
    let opened = load(path);
    if let (Err(error), false) = (&opened, wish.is_empty()) {
        eprintln!("LONGTAKE_BLAS={wish}: {error}; using the built-in matrix product");
    }
    opened.ok()
}

fn load(path: &str) -> Result<Blas, libloading::Error> {
    // SAFETY: loading runs the library's initialisers; the user or the distribution chose it.
    // The signatures are those of cblas.h and of OpenBLAS's own header.
    unsafe {
        let library = Library::new(path)?;
        let sgemm = *library.get::<Sgemm>(b"cblas_sgemm\0")?;
        if let Ok(threads) =
            library.get::<unsafe extern "C" fn(c_int)>(b"openblas_set_num_threads\0")
        {
            threads(1);
        }
        let text = library.get::<unsafe extern "C" fn() -> *const c_char>(b"openblas_get_config\0");
        let name = text.map_or_else(
            |_| path.to_owned(),
            |text| CStr::from_ptr(text()).to_string_lossy().trim().to_owned(),
        );
        Ok(Blas {
            sgemm,
            name,
            _library: library,
        })
    }
}

/// A row-major operand of a product: `row` elements lie between the starts of two rows.
#[derive(Clone, Copy)]
pub struct Operand {
    pub start: *const f32,
    pub row: usize,
    /// Take the transpose of what is stored.
    pub transposed: bool,
}

// SAFETY: read-only; whoever makes one promises that it outlives the product.
unsafe impl Send for Operand {}
// SAFETY: as above.
unsafe impl Sync for Operand {}

impl Operand {
    pub fn new(values: &[f32], row: usize) -> Self {
        Self {
            start: values.as_ptr(),
            row,
            transposed: false,
        }
    }

    pub fn transposed(values: &[f32], row: usize) -> Self {
        Self {
            transposed: true,
            ..Self::new(values, row)
        }
    }
}

/// `c = alpha a b + beta c` on the calling thread; `c` is `m x n`, the inner length `k`.
///
/// # Safety
/// The operands must cover the sizes given, and no other thread may touch the rows of `c`.
pub unsafe fn multiply(
    [m, n, k]: [usize; 3],
    alpha: f32,
    a: Operand,
    b: Operand,
    beta: f32,
    c: *mut f32,
    c_row: usize,
) {
    let trans = |x: Operand| if x.transposed { TRANS } else { NO_TRANS };
    let int = |x: usize| c_int::try_from(x).expect("matrix sides fit 31 bits");
    if let Some(blas) = blas() {
        // SAFETY: the caller's promise.
        unsafe {
            (blas.sgemm)(
                ROW_MAJOR,
                trans(a),
                trans(b),
                int(m),
                int(n),
                int(k),
                alpha,
                a.start,
                int(a.row),
                b.start,
                int(b.row),
                beta,
                c,
                int(c_row),
            );
        }
        return;
    }
    // (column stride, row stride)
    let strides = |x: Operand| {
        if x.transposed {
            (x.row as isize, 1)
        } else {
            (1, x.row as isize)
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
            a.start,
            a_col,
            a_row,
            b.start,
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
pub fn multiply_all(
    [m, n, k]: [usize; 3],
    a: Operand,
    b: Operand,
    finish: impl Fn(usize, &mut [f32]) + Sync,
) -> Vec<f32> {
    let mut out = crate::host::uninit(m * n);
    let shared = Shared::new(&mut out);
    let [tile_m, tile_n] = tile(m, n);
    let tiles_n = n.div_ceil(tile_n);
    let work = |i: usize| {
        let (row, col) = (i / tiles_n * tile_m, i % tiles_n * tile_n);
        let (rows, cols) = (tile_m.min(m - row), tile_n.min(n - col));
        let at = |x: Operand, skip: usize, along_rows: bool| Operand {
            start: x.start.wrapping_add(if along_rows == x.transposed {
                skip
            } else {
                skip * x.row
            }),
            ..x
        };
        // SAFETY: tiles are disjoint and inside the buffer; operands cover `m`, `n`, `k`.
        unsafe {
            let c = shared.at(row * n + col);
            multiply(
                [rows, cols, k],
                1.0,
                at(a, row, true),
                at(b, col, false),
                0.0,
                c,
                n,
            );
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
    out
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
    fn a_missing_library_is_an_error_not_a_crash() {
        assert!(load("/nowhere/libblas.so").is_err());
    }

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
}
