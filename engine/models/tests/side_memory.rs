//! The memory formulas of CLIP's vision tower and of Uni3C against what they really allocate.
//!
//! One test in a binary of its own: the counting allocator sees every thread.

#![allow(clippy::unwrap_used, reason = "test code, also in its helpers")]

mod counting;
mod dit_support;
mod side_support;
mod workers;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use counting::{Faults, measure};
use dit_support::{checkpoint, cpu, waves};
use longtake_models::clip::ClipVision;
use longtake_models::wan::uni3c::{ControlShape, Uni3c, Uni3cInputs};
use longtake_models::weights::Placement;

#[test]
fn formulas_match_what_is_allocated() {
    // Each thread has scratch of its own, so their number must not be the machine's.
    let threads = rayon::ThreadPoolBuilder::new().num_threads(2);
    threads.build_global().unwrap();
    workers::warm_workers();
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.safetensors");
    side_support::write_clip(&clip);
    let control = folder.path().join("uni3c.safetensors");
    side_support::write_uni3c(&control);
    // Threads keep buffers for packing matrices from the first product on; not part of a pass.
    compare_clip(&mut Faults::default(), &clip, Placement::Resident);
    let pair = ControlShape {
        batch: 2,
        frames: 3,
        height: 24,
        width: 32,
        geometry: false,
        streamed: false,
    };
    for _ in 0..3 {
        compare_control(&mut Faults::default(), &control, pair);
    }
    let mut faults = Faults::default();
    for placement in [Placement::Resident, Placement::Streamed] {
        compare_clip(&mut faults, &clip, placement);
    }
    let shape = |frames, geometry, streamed| ControlShape {
        batch: 1,
        frames,
        height: 24,
        width: 32,
        geometry,
        streamed,
    };
    for streamed in [false, true] {
        compare_control(&mut faults, &control, shape(4, false, streamed));
        compare_control(&mut faults, &control, shape(2, true, streamed));
    }
    compare_control(&mut faults, &control, pair);
    assert!(faults.0.is_empty(), "{:#?}", faults.0);
}

fn compare_clip(faults: &mut Faults, path: &Path, placement: Placement) {
    let file = checkpoint(path);
    let load = || ClipVision::load(&file, &cpu(), placement, &mut |_, _| {}).unwrap();
    let (clip, _, weights) = measure(load);
    let dims = clip.dims();
    let block = dims.block_parameters() * 4;
    let streamed = placement == Placement::Streamed;
    let blocks = dims.run_layers() as u64 * block;
    let kept = dims.weight_bytes(4) - if streamed { blocks } else { 0 };
    faults.compare(&format!("CLIP {placement:?} weights"), weights, kept);
    let side = dims.image_side();
    let pixels = waves([2, 3, side, side]);
    let mut go_on = |_, _| ControlFlow::Continue(());
    let (_, peak, _) = measure(|| clip.encode(pixels, &mut go_on).unwrap());
    // The planner counts the block that a streamed model has in memory.
    let expected = dims.workspace_bytes(2) + if streamed { block } else { 0 };
    faults.compare(&format!("CLIP {placement:?} pass"), peak, expected);
}

fn compare_control(faults: &mut Faults, path: &Path, shape: ControlShape) {
    let placement = if shape.streamed {
        Placement::Streamed
    } else {
        Placement::Resident
    };
    let file = checkpoint(path);
    let load = || Uni3c::load(&file, &cpu(), placement, &mut |_, _| {}).unwrap();
    let (net, _, weights) = measure(load);
    let dims = net.dims();
    let net = Arc::new(net);
    let blocks = dims.layers as u64 * dims.block_parameters() * 4;
    let kept = dims.weight_bytes(4) - if shape.streamed { blocks } else { 0 };
    faults.compare(&format!("Uni3C {placement:?} weights"), weights, kept);

    let ControlShape {
        batch,
        frames,
        height,
        width,
        geometry,
        ..
    } = shape;
    let inputs = Uni3cInputs {
        latent: waves([batch, 20, frames, height, width]),
        render: waves([1, 16, frames, height, width]),
        geometry: geometry.then(|| waves([batch, 7, 4 * frames - 3, 8 * height, 8 * width])),
    };
    let e = waves([batch, 1, dims.time_dim]);
    let work = || {
        let mut pass = net.begin(&inputs, &e).unwrap();
        for _ in 1..dims.layers {
            pass.residual(0.5).unwrap();
        }
        pass
    };
    let (pass, peak, held) = measure(work);
    faults.compare(
        &format!("{shape:?} pass"),
        peak,
        dims.workspace_bytes(&shape),
    );
    faults.compare(&format!("{shape:?} held"), held, dims.held_bytes(&shape));
    drop(pass);
}
