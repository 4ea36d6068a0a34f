//! An allocator that counts, and what to say of a formula against it.

#![allow(dead_code, reason = "each test uses a part")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn grow(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(live, Ordering::Relaxed);
}

#[allow(
    unsafe_code,
    reason = "an allocator is unsafe by its trait; this one only counts"
)]
// SAFETY: every call is handed to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What `work` gave, the most bytes alive during it, and those still alive after it, both beyond
/// those alive before.
pub fn measure<T>(work: impl FnOnce() -> T) -> (T, u64, u64) {
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let result = work();
    let beyond = |bytes: &AtomicUsize| bytes.load(Ordering::Relaxed).saturating_sub(before) as u64;
    (result, beyond(&PEAK), beyond(&LIVE))
}

/// Lines about quantities that lie further than a fifth from their formula.
#[derive(Default)]
pub struct Faults(pub Vec<String>);

impl Faults {
    pub fn compare(&mut self, what: &str, measured: u64, formula: u64) {
        let ratio = measured as f64 / formula as f64;
        let line = format!("{what}: measured {measured}, formula {formula}, ratio {ratio:.3}");
        println!("{line}");
        if !(0.8..=1.2).contains(&ratio) {
            self.0.push(line);
        }
    }
}
