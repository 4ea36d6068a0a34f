//! The Wan 2.1 VAE against diffusers' `AutoencoderKLWan` on the same weights
//! (`tests/reference/wan_vae.py`), and against itself: portions, tiles, layouts, bad input.

#![allow(clippy::unwrap_used)] // a test

use std::path::{Path, PathBuf};

use burn::backend::flex::FlexDevice;
use burn::tensor::TensorData;
use longtake_models::wan::vae::{
    DecodeStep, Decoder, Parts, Tiling, VaeDims, VaeError, WanVae, frames_of,
};
use longtake_models::weights::Checkpoint;
use longtake_models::{Device, Tensor};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data/vae")
        .join(name)
}

fn cpu() -> Device {
    Device::Flex(FlexDevice)
}

fn vae_from(name: &str, parts: Parts) -> WanVae {
    let checkpoint = Checkpoint::open(&data(name)).unwrap();
    WanVae::load(&checkpoint, parts, &cpu(), |_, _| {}).unwrap()
}

fn vae() -> WanVae {
    vae_from("original.safetensors", Parts::Both)
}

fn golden(name: &str) -> Tensor<5> {
    let file = Checkpoint::open(&data("goldens.safetensors")).unwrap();
    let shape = file.shape(name).unwrap().try_into().unwrap();
    file.tensor(name, shape, &cpu()).unwrap()
}

fn values<const D: usize>(x: &Tensor<D>) -> Vec<f32> {
    x.to_data().to_vec().unwrap()
}

/// `max|a - b| / max|b|`.
fn relative_error<const D: usize>(a: &Tensor<D>, b: &Tensor<D>) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let (a, b) = (values(a), values(b));
    let most = |it: &mut dyn Iterator<Item = f32>| {
        it.fold(0.0_f32, |m, x| if x.abs() > m { x.abs() } else { m })
    };
    assert!(a.iter().all(|x| x.is_finite()));
    most(&mut a.iter().zip(&b).map(|(a, b)| a - b)) / most(&mut b.iter().copied())
}

/// Peak signal-to-noise ratio in dB of pictures in -1..1, after mapping to 0..1.
fn psnr<const D: usize>(a: &Tensor<D>, b: &Tensor<D>) -> f64 {
    let (a, b) = (values(a), values(b));
    let mse: f64 = a
        .iter()
        .zip(&b)
        .map(|(a, b)| f64::from((a - b) / 2.0).powi(2))
        .sum::<f64>()
        / a.len() as f64;
    -10.0 * mse.max(1e-30).log10()
}

fn decode(vae: &WanVae, latent: Tensor<5>, tiling: Option<(usize, usize)>) -> Tensor<5> {
    let decoder = match tiling {
        None => vae.decode(latent),
        Some((tile, overlap)) => vae.decode_tiled(latent, tile, overlap),
    };
    Tensor::cat(decoder.unwrap().collect(), 2)
}

fn encode(vae: &WanVae, video: &Tensor<5>, portions: &[usize]) -> Tensor<5> {
    let mut encoder = vae.encode().unwrap();
    let mut at = 0;
    for n in portions {
        encoder.push(video.clone().narrow(2, at, *n)).unwrap();
        at += n;
    }
    encoder.finish().unwrap()
}

#[test]
fn decoded_frames_are_the_references() {
    let vae = vae();
    for n in [1, 2, 4] {
        let latent = golden("latent").narrow(2, 0, n);
        let mut decoder = vae.decode(latent.clone()).unwrap();
        assert_eq!(decoder.total_frames(), 4 * n - 3);
        let chunks: Vec<_> = std::iter::from_fn(|| decoder.next_chunk()).collect();
        let sizes: Vec<_> = chunks.iter().map(|it| it.dims()[2]).collect();
        assert_eq!(sizes, [1, 4, 4, 4][..n]);
        let (ours, theirs) = (Tensor::cat(chunks, 2), golden(&format!("frames.{n}")));
        let (error, psnr) = (relative_error(&ours, &theirs), psnr(&ours, &theirs));
        println!("decode F={n}: relative error {error:.2e}, PSNR {psnr:.1} dB");
        assert!(error <= 1e-4 && psnr >= 45.0, "F={n}: {error} {psnr}");
        let images = vae.decode_frames(latent).unwrap();
        assert_eq!(images.dims(), [4 * n - 3, 24, 40, 3]);
        let expected = theirs
            .add_scalar(1.0)
            .div_scalar(2.0)
            .permute([0, 2, 3, 4, 1])
            .squeeze_dim::<4>(0);
        assert!(relative_error(&images, &expected) <= 1e-4);
    }
}

#[test]
fn encoded_latents_are_the_references() {
    let vae = vae();
    for n in [1, 5, 9, 13] {
        let error = relative_error(
            &encode(&vae, &golden("video"), &[n]),
            &golden(&format!("mu.{n}")),
        );
        println!("encode T={n}: relative error {error:.2e}");
        assert!(error <= 1e-4, "T={n}: {error}");
    }
}

#[test]
fn portions_do_not_matter_and_trailing_frames_are_dropped() {
    let (vae, video) = (
        vae_from("original.safetensors", Parts::Encoder),
        golden("video"),
    );
    let whole = encode(&vae, &video, &[13]);
    for portions in [
        vec![1; 13],
        vec![2, 3, 8],
        vec![4, 4, 4, 1],
        vec![12, 1],
        vec![1, 5, 7],
    ] {
        let error = relative_error(&encode(&vae, &video, &portions), &whole);
        assert!(error == 0.0, "{portions:?}: {error}");
    }
    for (frames, kept) in [(4, 1), (8, 2), (12, 3)] {
        let latent = encode(&vae, &video, &[frames]);
        assert!(relative_error(&latent, &whole.clone().narrow(2, 0, kept)) == 0.0);
    }
    let mut images = vae.encode().unwrap();
    let frames = video
        .add_scalar(1.0)
        .div_scalar(2.0)
        .permute([0, 2, 3, 4, 1]);
    images.push_frames(frames.squeeze_dim::<4>(0)).unwrap();
    assert!(relative_error(&images.finish().unwrap(), &whole) < 1e-5);
}

#[test]
fn both_layouts_hold_the_same_model() {
    let (a, b) = (vae(), vae_from("diffusers", Parts::Both));
    assert_eq!(a.dims(), b.dims());
    assert_eq!(a.dims(), &VaeDims::wan21(4, 4));
    let latent = golden("latent");
    assert_eq!(
        relative_error(&decode(&a, latent.clone(), None), &decode(&b, latent, None)),
        0.0
    );
    let video = golden("video");
    assert_eq!(
        relative_error(&encode(&a, &video, &[5]), &encode(&b, &video, &[5])),
        0.0
    );
}

/// A latent that varies slowly over space, as a tile's edge effects must not hide in noise.
fn smooth_latent(frames: usize, h: usize, w: usize) -> Tensor<5> {
    let mut values = Vec::new();
    for c in 0..4 {
        for f in 0..frames {
            for y in 0..h {
                for x in 0..w {
                    let [c, f, y, x] = [c, f, y, x].map(|v| v as f32);
                    values.push((0.6 * x + 0.3 * c).sin() + (0.5 * y - 0.2 * f + c).cos());
                }
            }
        }
    }
    Tensor::from_data(TensorData::new(values, [1, 4, frames, h, w]), &cpu())
}

#[test]
fn tiles_agree_with_the_whole_and_show_no_seam() {
    let vae = vae_from("original.safetensors", Parts::Decoder);
    let latent = smooth_latent(2, 16, 32);
    let whole = decode(&vae, latent.clone(), None);
    let tiled = decode(&vae, latent.clone(), Some((128, 64)));
    let quality = psnr(&tiled, &whole);
    // One tile after the other gives the same frames, and says how far it is.
    let tiling = Tiling::new(128, 64).unwrap();
    let mut by_tile = Decoder::tile_by_tile(&vae, latent.clone(), tiling).unwrap();
    let (mut passes, mut chunks) = (0, Vec::new());
    while let Some(step) = by_tile.step() {
        match step {
            DecodeStep::Working { done, total } => {
                passes += 1;
                assert!(done == passes && total == 2 * tiling.count(16, 32));
            }
            DecodeStep::Chunk(frames) => chunks.push(frames),
        }
    }
    assert_eq!(passes, 2 * tiling.count(16, 32));
    assert!(relative_error(&Tensor::cat(chunks, 2), &tiled) < 1e-6);
    let abrupt = decode(&vae, latent.clone(), Some((128, 0)));
    let without = psnr(&abrupt, &whole);
    println!("tiled decode: PSNR {quality:.1} dB, without overlap {without:.1} dB");
    assert!(
        quality > 30.0 && quality > without + 2.0,
        "{quality} {without}"
    );
    // Largest step between neighbouring columns, over all columns: a seam would raise it.
    let step = |x: &Tensor<5>| {
        let w = x.dims()[4];
        let diff = x.clone().narrow(4, 1, w - 1) - x.clone().narrow(4, 0, w - 1);
        let columns = values(&diff.abs().mean_dim(1).mean_dim(2).mean_dim(3));
        columns.into_iter().fold(0.0_f32, f32::max)
    };
    let (a, b, c) = (step(&tiled), step(&whole), step(&abrupt));
    println!("largest column step: tiled {a:.4}, whole {b:.4}, without overlap {c:.4}");
    assert!(
        a <= 1.05 * b && b < c,
        "largest column step {a}, whole {b}, without overlap {c}"
    );
    // One tile as large as the frame is the whole frame.
    let small = golden("latent");
    let lone = decode(&vae, small.clone(), Some((64, 32)));
    assert_eq!(relative_error(&lone, &decode(&vae, small, None)), 0.0);
}

#[test]
fn tiled_encoding_agrees_with_the_whole() {
    let vae = vae();
    let frames = decode(&vae, smooth_latent(2, 18, 18), None);
    let whole = encode(&vae, &frames, &[5]);
    let mut encoder = vae.encode_tiled(128, 64).unwrap();
    encoder.push(frames).unwrap();
    let tiled = encoder.finish().unwrap();
    let (a, b) = (values(&tiled), values(&whole));
    let error: f32 = a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum();
    let scale: f32 = b.iter().map(|b| b * b).sum();
    println!("tiled encode: relative L2 {:.3}", (error / scale).sqrt());
    assert!((error / scale).sqrt() < 0.1);
}

#[test]
fn a_part_loads_alone_and_says_when_it_is_not_there() {
    let checkpoint = Checkpoint::open(&data("original.safetensors")).unwrap();
    let dims = VaeDims::read(&checkpoint).unwrap();
    assert_eq!(dims.weight_bytes(Parts::Both, 4), checkpoint.total_bytes());
    let mut seen = Vec::new();
    let decoder = WanVae::load(&checkpoint, Parts::Decoder, &cpu(), |done, total| {
        seen.push((done, total));
    })
    .unwrap();
    assert_eq!(seen.last(), Some(&(dims.decoder.len(), dims.decoder.len())));
    assert!(matches!(
        decoder.encode(),
        Err(VaeError::PartNotLoaded { part: "Encoder" })
    ));
    let encoder = vae_from("original.safetensors", Parts::Encoder);
    assert!(matches!(
        encoder.decode(golden("latent")),
        Err(VaeError::PartNotLoaded { .. })
    ));
}

#[test]
fn wrong_shapes_are_refused_with_what_was_expected() {
    let vae = vae();
    let zeros = |shape: [usize; 5]| Tensor::<5>::zeros(shape, &cpu());
    for shape in [[1, 16, 2, 3, 5], [2, 4, 2, 3, 5], [1, 4, 0, 3, 5]] {
        let error = vae.decode(zeros(shape)).err().unwrap().to_string();
        assert!(
            error.contains("[1, 4, frames") && error.contains(&format!("{shape:?}")),
            "{error}"
        );
    }
    let mut encoder = vae.encode().unwrap();
    for shape in [
        [1, 3, 1, 24, 41],
        [1, 4, 1, 24, 40],
        [2, 3, 1, 24, 40],
        [1, 3, 0, 24, 40],
    ] {
        let error = encoder.push(zeros(shape)).unwrap_err().to_string();
        assert!(
            error.contains("multiples of 8") && error.contains(&format!("{shape:?}")),
            "{error}"
        );
    }
    encoder.push(zeros([1, 3, 1, 24, 40])).unwrap();
    let error = encoder
        .push(zeros([1, 3, 1, 24, 48]))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("24x40") && error.contains("24x48"),
        "{error}"
    );
    assert_eq!(encoder.finish().unwrap().dims(), [1, 4, 1, 3, 5]);
    assert!(matches!(
        vae.encode().unwrap().finish(),
        Err(VaeError::NoFrames)
    ));
    assert!(
        Tiling::new(100, 64)
            .unwrap_err()
            .to_string()
            .contains("multiples of 8")
    );
    assert_eq!((frames_of(21), frames_of(1)), (81, 1));
}

#[test]
fn other_files_are_told_apart() {
    let original = Checkpoint::open(&data("original.safetensors")).unwrap();
    let drop_name = |from: &'static str, to: &'static str| {
        let renamed = original
            .rename(|name| (name == from).then(|| to.to_owned()))
            .unwrap();
        WanVae::load(&renamed, Parts::Both, &cpu(), |_, _| {})
            .err()
            .unwrap()
            .to_string()
    };
    let wan22 = "decoder.upsamples.0.upsamples.0.residual.2.weight";
    assert!(drop_name("decoder.upsamples.0.residual.2.weight", wan22).contains("Wan 2.2 VAE"));
    assert!(drop_name("decoder.conv1.weight", "x").contains("not a Wan 2.1 VAE"));
    assert!(
        drop_name("encoder.middle.1.to_qkv.weight", "x").contains("encoder.middle.1.to_qkv.weight")
    );
    assert!(drop_name("decoder.head.0.gamma", "x").contains("decoder.head.0.gamma"));
    assert!(drop_name("encoder.downsamples.5.time_conv.weight", "x").contains("grid"));
    let under = original
        .rename(|name| Some(format!("first_stage_model.{name}")))
        .unwrap();
    assert_eq!(VaeDims::read(&under).unwrap(), VaeDims::wan21(4, 4));
    let goldens = Checkpoint::open(&data("goldens.safetensors")).unwrap();
    assert!(matches!(
        VaeDims::read(&goldens),
        Err(VaeError::NotAVae { .. })
    ));
}
