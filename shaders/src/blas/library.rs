//! A BLAS of the system, opened when the first product is asked for.

#![allow(unsafe_code, reason = "calls into a library of the system")]

use std::ffi::{CStr, c_char, c_int};

use libloading::Library;
use longtake_sentence::{Sentence, say};

use super::Job;

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

/// OpenBLAS under the name that distributions give it.
pub const DEFAULT: &str = "libopenblas.so.0";
/// Which kernels OpenBLAS is told to use, whatever the processor (OpenBLAS `USAGE.md`).
pub const CORE_WISH: &str = "OPENBLAS_CORETYPE";

/// A library with the CBLAS interface and 32-bit integers.
pub struct Blas {
    sgemm: Sgemm,
    /// What it says of itself, else its path.
    pub name: String,
    /// Keeps `sgemm` valid.
    _library: Library,
}

/// Why a library cannot be used.
pub struct Refusal {
    pub why: Sentence,
    /// It is not there, or is no BLAS.
    pub is_missing: bool,
}

impl Blas {
    /// Opens the library at `path` and tells it to use one thread.
    ///
    /// # Errors
    /// It is not there or no CBLAS, or was told to use instructions that this processor lacks.
    pub fn open(path: &str) -> Result<Self, Refusal> {
        let not_loaded = |error: libloading::Error| Refusal {
            why: say!(
                "the library {path} cannot be loaded: {error}",
                "ライブラリ {path} を読み込めません: {error}"
            ),
            is_missing: true,
        };
        // SAFETY: loading runs the library's initialisers; the user or the distribution chose it.
        // The signatures are those of cblas.h and of OpenBLAS's own header.
        let (blas, core) = unsafe {
            let library = Library::new(path).map_err(not_loaded)?;
            let sgemm = *library.get::<Sgemm>(b"cblas_sgemm\0").map_err(not_loaded)?;
            if let Ok(threads) =
                library.get::<unsafe extern "C" fn(c_int)>(b"openblas_set_num_threads\0")
            {
                threads(1);
            }
            let text = |name: &[u8]| {
                let say = library.get::<unsafe extern "C" fn() -> *const c_char>(name);
                say.ok().map(|say| say()).filter(|text| !text.is_null())
            };
            let text = |name| {
                text(name).map(|text| CStr::from_ptr(text).to_string_lossy().trim().to_owned())
            };
            let name = text(b"openblas_get_config\0").unwrap_or_else(|| path.to_owned());
            let core = text(b"openblas_get_corename\0").unwrap_or_default();
            let blas = Self {
                sgemm,
                name,
                _library: library,
            };
            (blas, core)
        };
        // What OpenBLAS chooses itself fits the processor; what it is told to use need not, and
        // would end the program at its first product.
        let forced = std::env::var_os(CORE_WISH).is_some_and(|wish| !wish.is_empty());
        if forced && !runs_here(&core) {
            let why = say!(
                "{CORE_WISH} makes {path} use kernels for {core}, which this processor cannot run",
                "{CORE_WISH} により、{path} がこのプロセッサーでは動かない {core} 用のカーネルを使おうとしています"
            );
            return Err(Refusal {
                why,
                is_missing: false,
            });
        }
        Ok(blas)
    }

    /// Whether it can do the job at all: its integers have 32 bits.
    pub fn takes(job: &Job<'_>) -> bool {
        let Job { size, a, b, .. } = job;
        let sides = size.iter().chain([&job.c_row]).copied();
        let mut sides = sides.chain([a.row(), b.row()]);
        sides.all(|it| c_int::try_from(it).is_ok())
    }

    /// # Safety
    /// As [`super::multiply`]; the library [`Blas::takes`] the job, whose operands were checked.
    pub unsafe fn multiply(&self, job: &Job<'_>, c: *mut f32) {
        let Job {
            size: [m, n, k],
            alpha,
            a,
            b,
            beta,
            c_row,
        } = *job;
        let trans = |transposed| if transposed { TRANS } else { NO_TRANS };
        // SAFETY: the caller's promise.
        unsafe {
            (self.sgemm)(
                ROW_MAJOR,
                trans(a.is_transposed()),
                trans(b.is_transposed()),
                m as c_int,
                n as c_int,
                k as c_int,
                alpha,
                a.start(),
                a.row() as c_int,
                b.start(),
                b.row() as c_int,
                beta,
                c,
                c_row as c_int,
            );
        }
    }
}

/// Whether this processor has the instructions of OpenBLAS's kernels for `core`
/// (OpenBLAS `driver/others/dynamic.c`).
#[cfg(target_arch = "x86_64")]
fn runs_here(core: &str) -> bool {
    match core {
        "SkylakeX" | "Cooperlake" | "SapphireRapids" => {
            is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
        }
        "Haswell" | "Zen" => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
        "Sandybridge" => is_x86_feature_detected!("avx"),
        // AMD's four-operand multiply-add, which no processor since 2017 has.
        "Bulldozer" | "Piledriver" | "Steamroller" | "Excavator" => false,
        _ => true,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn runs_here(_: &str) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_is_an_error_not_a_crash() {
        let Err(Refusal { why, is_missing }) = Blas::open("/nowhere/libblas.so") else {
            panic!("opened a library that is not there");
        };
        assert!(why.en.contains("/nowhere/libblas.so"), "{why}");
        assert!(is_missing && why.lacks().is_none());
    }

    /// A library of the system that multiplies nothing.
    #[test]
    fn a_library_without_products_is_refused() {
        assert!(Blas::open("libc.so.6").is_err() || cfg!(not(target_os = "linux")));
    }
}
