//! What packed checkpoints and LoRAs keep in memory, measured.
//!
//! One test in a binary of its own: the counting allocator sees every thread.

#![allow(clippy::unwrap_used, reason = "test code, also in its helpers")]

mod counting;
mod dit_support;
mod workers;

use counting::measure;
use dit_support::{RandomModel, cpu, load, rewrite};
use longtake_models::wan::dit::{Placement, WanDit};
use longtake_models::weights::{Checkpoint, Dtype, Raw, probe};

fn near(what: &str, measured: u64, expected: u64) {
    let ratio = measured as f64 / expected as f64;
    println!("{what}: measured {measured}, expected {expected}, ratio {ratio:.3}");
    assert!(
        (0.95..=1.05).contains(&ratio),
        "{what}: {measured}, expected {expected}"
    );
}

#[test]
fn a_byte_per_weight_is_kept() {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(2);
    threads.build_global().unwrap();
    workers::warm_workers();
    let folder = tempfile::tempdir().unwrap();
    let (plain, packed) = (
        folder.path().join("f32.safetensors"),
        folder.path().join("fp8.safetensors"),
    );
    let model = RandomModel {
        dim: 256,
        ffn_dim: 1536,
        heads: 2,
        layers: 6,
        ..RandomModel::SMALL
    };
    model.write(&plain);
    rewrite(&plain, &packed, |tensors| {
        let blocks = tensors
            .iter_mut()
            .filter(|it| it.name.starts_with("blocks."));
        for it in blocks.filter(|it| it.shape.len() == 2 && it.name.ends_with(".weight")) {
            let wide: Vec<f32> = it
                .bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(|&b| f32::from_le_bytes(b))
                .collect();
            it.bytes = Raw::cast(&wide, [it.shape[0], it.shape[1]], Dtype::F8E4M3).bytes;
            it.dtype = safetensors::Dtype::F8_E4M3;
        }
    });
    let kept = probe(&packed).unwrap().kept;
    let linear = 6 * (8 * 256 * 256 + 2 * 256 * 1536);
    assert_eq!(kept.whole.packed, linear);
    let (dit, _, bytes) = measure(|| load(&packed, Placement::Resident));
    near("resident", bytes, kept.whole.packed + kept.whole.dense * 4);
    // What loading took on the way: never much beyond what stays.
    let (wide, _, all) = measure(|| load(&plain, Placement::Resident));
    assert_eq!(probe(&plain).unwrap().kept.whole.linear, linear);
    near("widened", all, (linear + kept.whole.dense) * 4);
    drop(wide);

    drop(dit);

    // A cast on load keeps the same, and its transient is one layer, not the model.
    let (_, peak, bytes) = measure(|| {
        let file = Checkpoint::open(&plain)
            .unwrap()
            .with_cast(Some(Dtype::F8E5M2));
        WanDit::load(&file, &cpu(), Placement::Resident, &mut |_, _| {}).unwrap()
    });
    let expected = kept.whole.packed + kept.whole.dense * 4;
    near("cast", bytes, expected);
    assert!(
        peak < expected + 4 * 3 * 256 * 1536,
        "peak of the cast: {peak}"
    );
}
