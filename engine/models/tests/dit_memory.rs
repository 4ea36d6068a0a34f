//! The memory formulas of the Wan DiT against what its passes really allocate.
//!
//! One test in a binary of its own: the counting allocator sees every thread.

#![allow(clippy::unwrap_used, reason = "test code, also in its helpers")]

mod dit_support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use dit_support::{RandomModel, load, waves};
use longtake_models::wan::dit::{Pass, PassShape, Placement, Times};

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
fn measure<T>(work: impl FnOnce() -> T) -> (T, u64, u64) {
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let result = work();
    let beyond = |bytes: &AtomicUsize| bytes.load(Ordering::Relaxed).saturating_sub(before) as u64;
    (result, beyond(&PEAK), beyond(&LIVE))
}

/// Lines about quantities that lie further than a fifth from their formula.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn compare(&mut self, what: &str, measured: u64, formula: u64) {
        let ratio = measured as f64 / formula as f64;
        let line = format!("{what}: measured {measured}, formula {formula}, ratio {ratio:.3}");
        println!("{line}");
        if !(0.8..=1.2).contains(&ratio) {
            self.0.push(line);
        }
    }
}

#[test]
fn formulas_match_what_is_allocated() {
    // Each thread has scratch of its own, so their number must not be the machine's.
    let threads = rayon::ThreadPoolBuilder::new().num_threads(2);
    threads.build_global().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("random.safetensors");
    let model = RandomModel {
        dim: 256,
        ffn_dim: 1536,
        heads: 2,
        layers: 3,
        text_dim: 64,
    };
    model.write(&path);
    let mut faults = Faults::default();
    // Threads keep buffers for packing matrices from the first product on; not part of a pass.
    compare(
        &mut Faults::default(),
        &path,
        Placement::Resident,
        [1, 4, 32, 48],
    );
    // In turn the feed-forward and the self-attention need the most.
    let shapes = [[1, 4, 32, 48], [1, 6, 32, 48], [2, 5, 25, 40]];
    for placement in [Placement::Resident, Placement::Streamed] {
        for shape in shapes {
            // Anew for each shape: the tables of the grid before would be freed during the pass.
            compare(&mut faults, &path, placement, shape);
        }
    }
    assert!(faults.0.is_empty(), "{:#?}", faults.0);
}

fn compare(faults: &mut Faults, path: &Path, placement: Placement, shape: [usize; 4]) {
    let streamed = placement == Placement::Streamed;
    let [batch, frames, height, width] = shape;
    let (dit, _, weights) = measure(|| load(path, placement));
    let dims = dit.dims();
    let blocks = dims.layers as u64 * dims.block_parameters() * 4;
    let expected = dims.weight_bytes(4) - if streamed { blocks } else { 0 };
    faults.compare(&format!("{placement:?} weights"), weights, expected);

    let cost = PassShape {
        text_rows: 20,
        streamed,
        ..PassShape::new(batch, frames, height, width)
    };
    let text = waves([batch, 20, 64]);
    let (text, _, kept) = measure(|| dit.prepare_context(text, None).unwrap());
    let expected = dims.context_bytes(&cost);
    faults.compare(&format!("{placement:?} context"), kept, expected);

    let latent = waves([batch, 16, frames, height, width]);
    let times = vec![500.0; batch];
    let mut go_on = |_, _| ControlFlow::Continue(());
    let (_, peak, _) = measure(|| {
        dit.forward(Pass::new(latent, Times::PerItem(&times), &text), &mut go_on)
            .unwrap()
    });
    // The planner counts the block that computes with the weights.
    let expected = dims.workspace_bytes(&cost);
    faults.compare(&format!("{placement:?} pass {shape:?}"), peak, expected);
}
