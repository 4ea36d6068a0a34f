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
use longtake_models::wan::dit::{Pass, PassShape, Placement, ScailStreams, Times};

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

/// A pass: its sizes, and whether its frames have times of their own.
struct Run {
    shape: PassShape,
    per_frame: bool,
}

#[test]
fn formulas_match_what_is_allocated() {
    // Each thread has scratch of its own, so their number must not be the machine's.
    let threads = rayon::ThreadPoolBuilder::new().num_threads(2);
    threads.build_global().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, more: RandomModel| {
        let path = folder.path().join(name).with_extension("safetensors");
        let model = RandomModel {
            dim: 256,
            ffn_dim: 1536,
            layers: 3,
            ..more
        };
        model.write(&path);
        path
    };
    let small = RandomModel::SMALL;
    let text = write("text", small);
    let image = write(
        "image",
        RandomModel {
            in_dim: 36,
            image_dim: 64,
            ..small
        },
    );
    let scail = write(
        "scail",
        RandomModel {
            in_dim: 20,
            image_dim: 64,
            pose_dim: 20,
            ..small
        },
    );

    let plain = |shape: [usize; 4]| Run {
        shape: PassShape {
            text_rows: 20,
            ..PassShape::new(shape[0], shape[1], shape[2], shape[3])
        },
        per_frame: false,
    };
    let with = |shape: [usize; 4], edit: fn(&mut Run)| {
        let mut run = plain(shape);
        edit(&mut run);
        run
    };
    let runs = [
        // In turn the feed-forward and the self-attention need the most.
        (&text, plain([1, 4, 32, 48])),
        (&text, plain([1, 6, 32, 48])),
        (&text, plain([2, 5, 25, 40])),
        (&text, with([1, 6, 32, 48], |it| it.per_frame = true)),
        (&text, with([2, 5, 25, 40], |it| it.per_frame = true)),
        (&image, with([1, 5, 32, 48], |it| it.shape.image_rows = 257)),
        (
            &scail,
            with([1, 4, 32, 48], |it| {
                it.shape.image_rows = 257;
                it.shape.references = 2;
                it.shape.pose = true;
            }),
        ),
    ];
    let mut faults = Faults::default();
    // Threads keep buffers for packing matrices from the first product on; not part of a pass.
    compare(
        &mut Faults::default(),
        &text,
        Placement::Resident,
        &runs[0].1,
    );
    for placement in [Placement::Resident, Placement::Streamed] {
        for (path, run) in &runs {
            // Anew for each: the tables of the grid before would be freed during the pass.
            compare(&mut faults, path, placement, run);
        }
    }
    nothing_stays_of_a_stopped_pass(&text);
    assert!(faults.0.is_empty(), "{:#?}", faults.0);
}

fn compare(faults: &mut Faults, path: &Path, placement: Placement, run: &Run) {
    let streamed = placement == Placement::Streamed;
    let shape = PassShape {
        streamed,
        ..run.shape
    };
    let (dit, _, weights) = measure(|| load(path, placement));
    let dims = dit.dims();
    let block = dims.block_parameters() * 4;
    let blocks = dims.layers as u64 * block;
    let expected = dims.weight_bytes(4) - if streamed { blocks } else { 0 };
    faults.compare(&format!("{placement:?} weights"), weights, expected);

    let text = waves([shape.batch, shape.text_rows, dims.text_dim]);
    let image =
        (shape.image_rows > 0).then(|| waves([shape.batch, shape.image_rows, dims.image_dim]));
    let (context, _, kept) = measure(|| dit.prepare_context(text, image).unwrap());
    faults.compare(
        &format!("{placement:?} context"),
        kept,
        dims.context_bytes(&shape),
    );

    let PassShape {
        batch,
        frames,
        height,
        width,
        references,
        ..
    } = shape;
    let streams = (references > 0).then(|| ScailStreams {
        reference: Some(waves([1, dims.in_dim, references, height, width])),
        pose: shape
            .pose
            .then(|| waves([1, dims.pose_dim, frames, height / 2, width / 2])),
        ..ScailStreams::default()
    });
    let mut times = vec![500.0; if run.per_frame { frames } else { batch }];
    times[0] = 0.0;
    let pass = Pass {
        scail: streams.as_ref(),
        ..Pass::new(
            waves([batch, dims.in_dim, frames, height, width]),
            if run.per_frame {
                Times::PerFrame(&times)
            } else {
                Times::PerItem(&times)
            },
            &context,
        )
    };
    let mut go_on = |_, _| ControlFlow::Continue(());
    let (_, peak, _) = measure(|| dit.forward(pass, &mut go_on).unwrap());
    // The planner counts the block that computes with the weights.
    let computing = if streamed { block } else { 0 };
    let expected = dims.workspace_bytes(&shape) + computing;
    let what = format!(
        "{placement:?} pass {shape:?}, times per frame: {}",
        run.per_frame
    );
    faults.compare(&what, peak, expected);
}

/// The block being read when a pass is stopped is gone, with the read, when the pass returns.
fn nothing_stays_of_a_stopped_pass(path: &Path) {
    let dit = load(path, Placement::Streamed);
    let context = dit.prepare_context(waves([1, 20, 64]), None).unwrap();
    let run = |stop: usize| {
        let pass = Pass::new(waves([1, 16, 2, 8, 8]), Times::PerItem(&[1.0]), &context);
        let result = dit.forward(pass, &mut |done, _| {
            if done < stop {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        drop(result);
    };
    run(3); // makes what stays from the first pass on: the thread, the rotary tables
    for stop in 0..3 {
        let ((), _, left) = measure(|| run(stop));
        assert!(
            left < dit.dims().block_parameters() / 10,
            "{left} bytes stay at block {stop}"
        );
    }
}
