//! The memory formulas of the Wan DiT against what its passes really allocate.
//!
//! One test in a binary of its own: the counting allocator sees every thread.

#![allow(clippy::unwrap_used, reason = "test code, also in its helpers")]

mod counting;
mod dit_support;
mod workers;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use counting::{Faults, measure};
use dit_support::{RandomModel, load, rewrite, waves};
use longtake_models::wan::dit::{
    Pass, PassShape, Placement, PreparedContext, ScailStreams, Times, WanDit,
};
use safetensors::Dtype;

/// A checkpoint, the bytes of one of its blocks as they are kept, and a pass through it.
struct Run<'a> {
    path: &'a Path,
    block: Option<u64>,
    shape: PassShape,
    per_frame: bool,
}

impl<'a> Run<'a> {
    fn new(path: &'a Path, [batch, frames, height, width]: [usize; 4]) -> Self {
        Self {
            path,
            block: None,
            shape: PassShape {
                text_rows: 20,
                ..PassShape::new(batch, frames, height, width)
            },
            per_frame: false,
        }
    }

    fn with(mut self, edit: impl FnOnce(&mut Self)) -> Self {
        edit(&mut self);
        self
    }
}

const WIDE: RandomModel = RandomModel {
    dim: 256,
    ffn_dim: 1536,
    layers: 3,
    ..RandomModel::SMALL
};

fn write(folder: &Path, name: &str, model: RandomModel) -> PathBuf {
    let path = folder.join(name).with_extension("safetensors");
    model.write(&path);
    path
}

/// The same with the matrices of the blocks in eight bits, and the bytes of one block.
fn pack(from: &Path, to: PathBuf) -> (PathBuf, u64) {
    let mut bytes = 0;
    rewrite(from, &to, |tensors| {
        for it in tensors
            .iter_mut()
            .filter(|it| it.name.starts_with("blocks."))
        {
            if it.shape.len() == 2 {
                it.dtype = Dtype::F8_E4M3;
                it.bytes = vec![0x20; it.shape.iter().product()];
            }
            if it.name.starts_with("blocks.0.") {
                bytes += it.bytes.len() as u64;
            }
        }
    });
    (to, bytes)
}

#[test]
fn formulas_match_what_is_allocated() {
    // Each thread has scratch of its own, so their number must not be the machine's.
    let threads = rayon::ThreadPoolBuilder::new().num_threads(2);
    threads.build_global().unwrap();
    workers::warm_workers();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = &write(folder, "text", WIDE);
    let (packed, block) = pack(text, folder.join("packed.safetensors"));
    let image = RandomModel {
        in_dim: 36,
        image_dim: 64,
        ..WIDE
    };
    let scail = RandomModel {
        in_dim: 20,
        pose_dim: 20,
        ..image
    };
    let [image, scail] = [("image", image), ("scail", scail)].map(|(n, it)| write(folder, n, it));
    let runs = [
        // In turn the feed-forward and the self-attention need the most.
        Run::new(text, [1, 4, 32, 48]),
        Run::new(text, [1, 6, 32, 48]),
        Run::new(text, [2, 5, 25, 40]),
        Run::new(text, [1, 6, 32, 48]).with(|it| it.per_frame = true),
        Run::new(text, [2, 5, 25, 40]).with(|it| it.per_frame = true),
        Run::new(&image, [1, 5, 32, 48]).with(|it| it.shape.image_rows = 257),
        Run::new(&scail, [1, 4, 32, 48]).with(|it| {
            it.shape.image_rows = 257;
            it.shape.references = 2;
            it.shape.pose = true;
        }),
        Run::new(&packed, [1, 4, 32, 48]).with(|it| it.block = Some(block)),
        Run::new(&packed, [1, 9, 32, 48]).with(|it| it.block = Some(block)),
    ];
    let mut faults = Faults::default();
    // Threads keep buffers for packing matrices from the first product on; not part of a pass.
    compare(&mut Faults::default(), Placement::Resident, &runs[0]);
    for placement in [Placement::Resident, Placement::Streamed] {
        for run in &runs {
            // Anew for each: the tables of the grid before would be freed during the pass.
            compare(&mut faults, placement, run);
        }
    }
    nothing_stays_of_a_stopped_pass(text);
    assert!(faults.0.is_empty(), "{:#?}", faults.0);
}

fn compare(faults: &mut Faults, placement: Placement, run: &Run<'_>) {
    let streamed = placement == Placement::Streamed;
    let shape = PassShape {
        streamed,
        block_bytes: run.block,
        ..run.shape
    };
    let (dit, _, weights) = measure(|| load(run.path, placement));
    let dims = dit.dims();
    let block = run.block.unwrap_or(dims.block_parameters() * 4);
    let blocks = if streamed { 0 } else { dims.layers as u64 };
    let expected = dims.outer_parameters() * 4 + blocks * block;
    faults.compare(&format!("{placement:?} weights"), weights, expected);

    let text = waves([shape.batch, shape.text_rows, dims.text_dim]);
    let image = [shape.batch, shape.image_rows, dims.image_dim];
    let image = (shape.image_rows > 0).then(|| waves(image));
    let (context, _, kept) = measure(|| dit.prepare_context(text, image).unwrap());
    let expected = dims.context_bytes(&shape);
    faults.compare(&format!("{placement:?} context"), kept, expected);

    let (peak, what) = (
        peak_of(&dit, &context, run),
        format!("{placement:?} {shape:?}"),
    );
    // The planner counts the block that computes with the weights.
    let computing = if streamed { block } else { 0 };
    faults.compare(&what, peak, dims.workspace_bytes(&shape) + computing);
}

/// The most bytes that a pass held besides its inputs.
fn peak_of(dit: &WanDit, context: &PreparedContext, run: &Run<'_>) -> u64 {
    let PassShape {
        batch,
        frames,
        height,
        width,
        references,
        ..
    } = run.shape;
    let dims = dit.dims();
    let streams = (references > 0).then(|| ScailStreams {
        reference: Some(waves([1, dims.in_dim, references, height, width])),
        pose: Some(waves([1, dims.pose_dim, frames, height / 2, width / 2])),
        ..ScailStreams::default()
    });
    let mut times = vec![500.0; if run.per_frame { frames } else { batch }];
    times[0] = 0.0;
    let times = if run.per_frame {
        Times::PerFrame(&times)
    } else {
        Times::PerItem(&times)
    };
    let latent = waves([batch, dims.in_dim, frames, height, width]);
    let pass = Pass {
        scail: streams.as_ref(),
        ..Pass::new(latent, times, context)
    };
    let mut go_on = |_, _| ControlFlow::Continue(());
    measure(|| dit.forward(pass, &mut go_on).unwrap()).1
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
