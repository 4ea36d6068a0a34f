//! The memory formulas of the VAEs against a counting allocator, on random mid-size models.

#![allow(clippy::unwrap_used)] // a test

mod workers;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use burn::backend::flex::FlexDevice;
use longtake_models::wan::vae::{Decoder, Encoder, Parts, TileEncoder, Tiling, VaeDims, WanVae};
use longtake_models::weights::Checkpoint;
use longtake_models::{Device, Tensor};

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call goes to `System` unchanged; only sizes are counted.
#[allow(
    unsafe_code,
    reason = "an allocator is unsafe by its trait; this one only counts"
)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(now, Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Most bytes alive at once during `work`, beyond those alive before.
fn peak_of(work: impl FnOnce()) -> usize {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    work();
    PEAK.load(Relaxed) - before
}

fn random_vae(dims: &VaeDims, folder: &std::path::Path, parts: Parts) -> WanVae {
    let path = folder.join("vae.safetensors");
    let mut state = 1_u32;
    let tensors: Vec<_> = dims
        .tensors(Parts::Both)
        .into_iter()
        .map(|(name, shape)| {
            let count: usize = shape.iter().product();
            let values = (0..count).flat_map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((state >> 8) as f32 / 1e8 - 0.08).to_le_bytes()
            });
            (name, shape, values.collect::<Vec<u8>>())
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        (
            name,
            safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), bytes)
                .unwrap(),
        )
    });
    std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    drop(tensors);
    let checkpoint = Checkpoint::open(&path).unwrap();
    assert_eq!(checkpoint.total_bytes(), dims.weight_bytes(Parts::Both, 4));
    WanVae::load(&checkpoint, parts, &Device::Flex(FlexDevice), |_, _| {}).unwrap()
}

fn close(what: &str, measured: usize, predicted: u64) {
    let ratio = measured as f64 / predicted as f64;
    println!("{what}: measured {measured}, predicted {predicted}, ratio {ratio:.3}");
    assert!(
        (0.9..=1.1).contains(&ratio),
        "{what}: measured {measured}, predicted {predicted}"
    );
}

/// One test, since the counters are the process's.
#[test]
fn predicted_bytes_are_the_measured_ones() {
    workers::warm_workers();
    let folder = tempfile::tempdir().unwrap();
    for (name, dims) in [
        ("2.1", VaeDims::wan21(16, 8)),
        ("2.2", VaeDims::wan22(16, 16, 8)),
    ] {
        println!("VAE {name}");
        let mut vae: Option<WanVae> = None;
        for (parts, name) in [
            (Parts::Encoder, "encoder"),
            (Parts::Decoder, "decoder"),
            (Parts::Both, "both"),
        ] {
            drop(vae.take());
            let before = NOW.load(Relaxed);
            vae = Some(random_vae(&dims, folder.path(), parts));
            close(
                &format!("weights of {name}"),
                NOW.load(Relaxed) - before,
                dims.weight_bytes(parts, 4),
            );
        }
        let vae = vae.unwrap();
        for (h, w, tiling) in [(128, 160, None), (144, 160, Some((96, 32)))] {
            let tiling = tiling.map(|(tile, overlap)| Tiling::new(tile, overlap).unwrap());
            decoding(&vae, [h, w], tiling, folder.path());
            encoding(&vae, [h, w], tiling);
        }
        flat(&vae);
    }
}

fn scratch(dims: &VaeDims) -> u64 {
    dims.cpu_scratch_bytes(rayon::current_num_threads())
}

fn latent(vae: &WanVae, frames: usize, [h, w]: [usize; 2]) -> Tensor<5> {
    let spatial = vae.dims().spatial();
    let shape = [1, vae.dims().z, frames, h / spatial, w / spatial];
    Tensor::ones(shape, &Device::Flex(FlexDevice))
}

/// Decodes three latent frames, whole or in tiles, and in tiles one after the other.
fn decoding(vae: &WanVae, [h, w]: [usize; 2], tiling: Option<Tiling>, folder: &std::path::Path) {
    let (dims, scratch) = (vae.dims(), scratch(vae.dims()));
    let frames = latent(vae, 3, [h, w]);
    let measured = peak_of(|| Decoder::new(vae, frames, tiling).unwrap().for_each(drop));
    let predicted = scratch + dims.decode_workspace_bytes(h, w, tiling, 4);
    close(&format!("decode {h}x{w}"), measured, predicted);
    let Some(tiling) = tiling else { return };
    let frames = latent(vae, 3, [h, w]);
    let measured = peak_of(|| {
        let decoder = Decoder::tile_by_tile(vae, frames, tiling, folder).unwrap();
        decoder.for_each(drop);
    });
    let predicted = scratch + dims.decode_by_tile_device_bytes(h, w, tiling, 4);
    close(&format!("decode {h}x{w} by tile"), measured, predicted);
}

fn encoding(vae: &WanVae, [h, w]: [usize; 2], tiling: Option<Tiling>) {
    let (dims, scratch) = (vae.dims(), scratch(vae.dims()));
    let device = Device::Flex(FlexDevice);
    let video = Tensor::<5>::ones([1, 3, 9, h, w], &device);
    let measured = peak_of(|| {
        let mut encoder = Encoder::new(vae, tiling).unwrap();
        for (at, n) in [(0, 1), (1, 4), (5, 4)] {
            encoder.push(video.clone().narrow(2, at, n)).unwrap();
        }
        encoder.finish().unwrap();
    });
    let predicted = scratch + dims.encode_workspace_bytes(h, w, tiling, 4);
    close(&format!("encode {h}x{w}"), measured, predicted);
    let Some(tiling) = tiling else { return };
    let measured = peak_of(|| {
        let mut encoder = TileEncoder::new(vae, 9, [h, w], tiling).unwrap();
        while let Some([rows, columns]) = encoder.tile() {
            for n in [1, 4, 4] {
                let shape = [n, rows.len(), columns.len(), 3];
                encoder.push_frames(Tensor::ones(shape, &device)).unwrap();
            }
            encoder.finish_tile().unwrap();
        }
        encoder.finish().unwrap();
    });
    let predicted = scratch + dims.encode_by_tile_device_bytes(h, w, tiling, 4);
    close(&format!("encode {h}x{w} by tile"), measured, predicted);
}

/// After the second chunk a decode holds no more bytes, however long the film, and never more than
/// predicted.
fn flat(vae: &WanVae) {
    let (size, dims) = ([48, 64], vae.dims());
    let mut decoder = Decoder::new(vae, latent(vae, 12, size), None).unwrap();
    let before = NOW.load(Relaxed);
    let mut held = Vec::new();
    let peak = peak_of(|| {
        while let Some(chunk) = decoder.next_chunk().unwrap() {
            drop(chunk);
            held.push(NOW.load(Relaxed) - before);
        }
    });
    println!("held after each chunk: {held:?}, peak {peak}");
    let (settled, rest) = (held[1], &held[2..]);
    assert!(
        rest.iter().all(|it| it.abs_diff(settled) <= settled / 1000),
        "{held:?}"
    );
    let predicted = scratch(dims) + dims.decode_workspace_bytes(size[0], size[1], None, 4);
    assert!(
        peak as u64 <= predicted + predicted / 10,
        "{peak}, predicted {predicted}"
    );
}
