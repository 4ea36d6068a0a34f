//! Which maker of products serves which kind, decided once in a process.

#![allow(unsafe_code, reason = "products into slices that they fit")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use longtake_sentence::{Sentence, say};

use super::check::check;
use super::library::{self, Blas};
use super::memory::{self, Ratios};
use super::{Job, Kind, built_in, measure};

/// How many times as long the library must take before the `gemm` crate is taken for a kind. Far
/// from what a busy machine does to the shortest of a few runs, so that a choice is never a coin's.
const SLOW: f64 = 1.5;

/// A maker of products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The system's BLAS.
    Library,
    /// The `gemm` crate.
    BuiltIn,
}

impl Engine {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Library => "library",
            Self::BuiltIn => "built-in",
        }
    }
}

/// What multiplies matrices on the CPU, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct ProductReport {
    /// What the library says of itself; `None` if none is used.
    pub library: Option<String>,
    /// Why none is used, or not as it could be.
    pub why: Option<Sentence>,
    /// All of them, in the order of [`Kind::ALL`].
    pub kinds: Vec<KindReport>,
}

/// What multiplies the products of one kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KindReport {
    pub kind: Kind,
    pub engine: Engine,
    /// The library's time in times of the `gemm` crate's, where it was measured.
    pub ratio: Option<f64>,
}

pub struct Choice {
    blas: Option<Blas>,
    why: Option<Sentence>,
    kinds: [KindReport; Kind::ALL.len()],
}

/// What the environment asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish<'a> {
    /// What is fastest of the default library and the `gemm` crate.
    Best,
    Off,
    /// This library for all kinds.
    Library(&'a str),
}

impl<'a> Wish<'a> {
    fn of(text: &'a str) -> Self {
        match text {
            "" => Self::Best,
            "off" => Self::Off,
            "on" => Self::Library(library::DEFAULT),
            path => Self::Library(path),
        }
    }
}

static CHOICE: OnceLock<Choice> = OnceLock::new();
static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Lets a short measurement (some 100 ms) choose what multiplies, and keeps its result in `folder`
/// for the next runs on this machine. To be called before the first product: later, and a second
/// time, it does nothing, since what has begun is to go on as it began.
pub fn remember_products_in(folder: &Path) {
    if CHOICE.get().is_none() {
        let _ = FOLDER.set(folder.to_owned());
    }
}

/// What multiplies matrices on the CPU; decides it if nothing has been multiplied yet.
pub fn product_report() -> ProductReport {
    Choice::get().report()
}

/// What has multiplied matrices in this process; `None` if nothing has.
pub fn product_report_so_far() -> Option<ProductReport> {
    CHOICE.get().map(Choice::report)
}

impl Choice {
    pub fn get() -> &'static Self {
        CHOICE.get_or_init(|| {
            let wish = std::env::var("LONGTAKE_BLAS").unwrap_or_default();
            let folder = FOLDER.get().map(PathBuf::as_path);
            let (choice, warning) = Self::make(Wish::of(&wish), folder);
            if let Some(warning) = warning {
                // Unlike `eprintln`, no panic where nobody reads it.
                let _ = writeln!(std::io::stderr(), "{warning}");
            }
            choice
        })
    }

    /// The library for products of this kind, if it serves them.
    pub fn library(&self, kind: Kind) -> Option<&Blas> {
        let served = self.kinds[kind as usize].engine == Engine::Library;
        self.blas.as_ref().filter(|_| served)
    }

    /// The choice, and what a person should know of it at once.
    fn make(wish: Wish<'_>, folder: Option<&Path>) -> (Self, Option<Sentence>) {
        let path = match wish {
            Wish::Off => {
                let why = say!(
                    "LONGTAKE_BLAS=off: the built-in product is used",
                    "LONGTAKE_BLAS=off のため、内蔵の行列積を使います"
                );
                return (Self::built_in(why), None);
            }
            Wish::Best => library::DEFAULT,
            Wish::Library(path) => path,
        };
        let blas = match Blas::open(path) {
            Ok(blas) => blas,
            Err(refusal) => {
                let why = refusal.why;
                let why = say!("{why}; the built-in product is used",
                    "{why}。内蔵の行列積を使います"; why);
                // That the usual library is not installed is nothing to warn of.
                let warns = wish != Wish::Best || !refusal.is_missing;
                return (Self::built_in(why.clone()), warns.then_some(why));
            }
        };
        // SAFETY: `check` and `measure` make jobs that fit their slices; none exceeds 31 bits.
        let product = |job: &Job<'_>, c: &mut [f32]| unsafe { blas.multiply(job, c.as_mut_ptr()) };
        if let Err(why) = check(&product) {
            let name = &blas.name;
            let why = say!("{name} multiplies wrongly ({why}); the built-in product is used",
                "{name} の行列積は正しくありません（{why}）。内蔵の行列積を使います"; why);
            return (Self::built_in(why.clone()), Some(why));
        }
        let known = match (wish, folder) {
            (Wish::Best, Some(folder)) => Some(ratios(folder, &blas.name, &|kind| {
                // SAFETY: as above.
                let other = |job: &Job<'_>, c: &mut [f32]| unsafe { built_in(job, c.as_mut_ptr()) };
                measure::ratio(kind, [&product, &other], &measure::clock)
            })),
            (Wish::Best | Wish::Off | Wish::Library(_), _) => None,
        };
        let (ratios, why) = match known {
            None => (None, None),
            Some(Ok(ratios)) => (Some(ratios), None),
            Some(Err(why)) => (None, Some(why)),
        };
        let choice = Self {
            kinds: kinds(ratios),
            blas: Some(blas),
            why: why.clone(),
        };
        (choice, why)
    }

    fn report(&self) -> ProductReport {
        ProductReport {
            library: self.blas.as_ref().map(|blas| blas.name.clone()),
            why: self.why.clone(),
            kinds: self.kinds.to_vec(),
        }
    }

    fn built_in(why: Sentence) -> Self {
        let kinds = Kind::ALL.map(|kind| KindReport {
            kind,
            engine: Engine::BuiltIn,
            ratio: None,
        });
        Self {
            blas: None,
            why: Some(why),
            kinds,
        }
    }
}

/// What serves each kind: the library, unless it was measured to be slow.
fn kinds(ratios: Option<Ratios>) -> [KindReport; Kind::ALL.len()] {
    std::array::from_fn(|i| {
        let ratio = ratios.map(|ratios| ratios[i]);
        let slow = ratio.is_some_and(|ratio| ratio > SLOW);
        KindReport {
            kind: Kind::ALL[i],
            engine: if slow {
                Engine::BuiltIn
            } else {
                Engine::Library
            },
            ratio,
        }
    })
}

/// What is remembered of this library, or is measured now and remembered. What could not be kept is
/// not used: the next run might measure another thing.
fn ratios(folder: &Path, library: &str, measure: &dyn Fn(Kind) -> f64) -> Result<Ratios, Sentence> {
    let key = memory::key(library);
    if let Some(ratios) = memory::recall(folder, &key) {
        return Ok(ratios);
    }
    memory::keep(folder, &key, Kind::ALL.map(measure)).map_err(|error| {
        let folder = folder.display();
        say!(
            "{folder}: which matrix product is fast cannot be kept: {error}; {library} is used for all",
            "{folder}: どの行列積が速いかを保存できません: {error}。すべてに {library} を使います"
        )
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_library_is_left_only_for_the_kinds_it_is_slow_at() {
        let found = kinds(Some([0.5, 1.49, 4.0, 1.0, 1.51]));
        let engines = found.map(|it| it.engine);
        let [library, built_in] = [Engine::Library, Engine::BuiltIn];
        assert_eq!(engines, [library, library, built_in, library, built_in]);
        assert_eq!(found.map(|it| it.kind), Kind::ALL);
        assert!(kinds(None).iter().all(|it| it.engine == library));
    }

    /// By a clock of its own: a maker that takes three times as long.
    #[test]
    fn how_slow_a_maker_is_shows_in_the_ratio() {
        for kind in Kind::ALL {
            let now = Cell::new(Duration::ZERO);
            // The first run, and every other one, is disturbed.
            let runs = Cell::new(0);
            let taking = |ms: u64| {
                let (now, runs) = (&now, &runs);
                move |job: &Job<'_>, c: &mut [f32]| {
                    assert!(c.len() >= (job.size[0] - 1) * job.c_row + job.size[1]);
                    let late = if runs.get() % 4 < 2 { 1000 } else { 0 };
                    runs.set(runs.get() + 1);
                    now.set(now.get() + Duration::from_millis(ms + late));
                }
            };
            let time = |run: &mut dyn FnMut()| {
                now.set(Duration::ZERO);
                run();
                now.get()
            };
            let ratio = measure::ratio(kind, [&taking(9), &taking(3)], &time);
            assert!((ratio - 3.0).abs() < 1e-6, "{kind:?}: {ratio}");
            let still = measure::ratio(kind, [&taking(9), &taking(3)], &|_| Duration::ZERO);
            assert_eq!(still, 1.0, "{kind:?}");
        }
    }

    #[test]
    fn what_was_measured_once_holds_for_the_next_runs() {
        let folder = tempfile::tempdir().unwrap();
        let first = ratios(folder.path(), "a library", &|kind| 1.0 + kind as u8 as f64);
        assert_eq!(first, Ok([1.0, 2.0, 3.0, 4.0, 5.0]));
        let later = |library| ratios(folder.path(), library, &|_| 9.0);
        assert_eq!(later("a library"), first);
        assert_eq!(
            later("another"),
            Ok([9.0; 5]),
            "another library is another thing"
        );
        let files = std::fs::read_dir(folder.path()).unwrap();
        let names: Vec<_> = files.map(|it| it.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "nothing else is left there: {names:?}");
    }

    /// Both measure, one is first: they go on alike.
    #[test]
    fn two_that_measure_at_the_same_time_take_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let other = || memory::keep(folder.path(), &memory::key("a library"), [2.0; 5]);
        let one = ratios(folder.path(), "a library", &|kind| {
            if kind == Kind::FewRows {
                other().unwrap();
            }
            7.0
        });
        assert_eq!(one, Ok([2.0; 5]));
    }

    #[test]
    fn a_damaged_file_is_measured_anew_and_no_folder_is_no_choice() {
        let folder = tempfile::tempdir().unwrap();
        ratios(folder.path(), "a library", &|_| 2.0).unwrap();
        let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap();
        let file = file.unwrap().path();
        let sound = std::fs::read_to_string(&file).unwrap();
        for damaged in [
            String::new(),
            sound.replace("2.000", "NaN"),
            sound.replace("2.000", "-1"),
            sound.replace("linear", "lines"),
            sound.lines().take(3).collect(),
            sound.clone() + "more",
        ] {
            std::fs::write(&file, &damaged).unwrap();
            let found = ratios(folder.path(), "a library", &|_| 3.0);
            assert_eq!(found, Ok([3.0; 5]), "{damaged:?}");
        }
        let why = ratios(&file, "a library", &|_| 2.0).unwrap_err();
        assert_eq!(why.lacks(), None);
    }

    #[test]
    fn wishes_are_heard() {
        let (off, warning) = Choice::make(Wish::of("off"), None);
        assert!(warning.is_none() && off.blas.is_none());
        assert!(off.kinds.iter().all(|it| it.engine == Engine::BuiltIn));
        let (none, warning) = Choice::make(Wish::of("/nowhere/libblas.so"), None);
        assert!(none.blas.is_none());
        let warning = warning.expect("a library that was asked for is missed");
        assert!(warning.en.contains("/nowhere/libblas.so"), "{warning}");
        assert_eq!(warning.lacks(), None);
        assert_eq!(Wish::of(""), Wish::Best);
        assert_eq!(Wish::of("on"), Wish::Library(library::DEFAULT));
    }

    /// Whatever this machine has: a library that is used was found right.
    #[test]
    fn the_report_says_what_is_used_or_why_none_is() {
        let report = product_report();
        assert_eq!(report.kinds.len(), Kind::ALL.len());
        assert!(report.library.is_some() || report.why.is_some());
        let built_in = report.kinds.iter().all(|it| it.engine == Engine::BuiltIn);
        assert!(report.library.is_some() || built_in);
    }
}
