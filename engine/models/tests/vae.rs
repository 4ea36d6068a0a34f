//! The Wan VAEs against diffusers' `AutoencoderKLWan` on the same weights
//! (`tests/reference/wan_vae.py`), and against themselves: portions, layouts, bad input.

#![allow(clippy::unwrap_used)] // a test

mod vae_support;

use longtake_models::Tensor;
use longtake_models::wan::vae::{Parts, Tiling, VaeDims, VaeError, WanVae, frames_of};
use longtake_models::weights::{Checkpoint, Family, probe};
use vae_support::{Model, WAN21, WAN22, cpu, decode, encode, psnr, relative_error};

#[test]
fn decoded_frames_are_the_references() {
    for model in [WAN21, WAN22] {
        decoded(&model);
    }
}

fn decoded(model: &Model) {
    let vae = model.vae();
    for &n in model.decoded {
        let latent = model.golden("latent").narrow(2, 0, n);
        let [.., h, w] = latent.dims().map(|n| n * model.dims().spatial());
        let mut decoder = vae.decode(latent.clone()).unwrap();
        assert_eq!(decoder.total_frames(), 4 * n - 3);
        let mut chunks = Vec::new();
        while let Some(chunk) = decoder.next_chunk().unwrap() {
            chunks.push(chunk);
        }
        let sizes: Vec<_> = chunks.iter().map(|it| it.dims()[2]).collect();
        assert_eq!(sizes, [1, 4, 4, 4][..n]);
        let (ours, theirs) = (Tensor::cat(chunks, 2), model.golden(&format!("frames.{n}")));
        let (error, psnr) = (relative_error(&ours, &theirs), psnr(&ours, &theirs));
        let name = model.folder;
        println!("{name} decode F={n}: relative error {error:.2e}, PSNR {psnr:.1} dB");
        assert!(error <= 1e-4 && psnr >= 45.0, "F={n}: {error} {psnr}");
        let images = vae.decode_frames(latent).unwrap();
        assert_eq!(images.dims(), [4 * n - 3, h, w, 3]);
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
    for model in [WAN21, WAN22] {
        let (vae, video) = (model.vae(), model.golden("video"));
        for &n in model.encoded {
            let golden = model.golden(&format!("mu.{n}"));
            let error = relative_error(&encode(&vae, &video, &[n]), &golden);
            println!("{} encode T={n}: relative error {error:.2e}", model.folder);
            assert!(error <= 1e-4, "T={n}: {error}");
        }
        // One picture is one latent frame.
        let picture = video.narrow(2, 0, 1).add_scalar(1.0).div_scalar(2.0);
        let picture = picture.permute([0, 2, 3, 4, 1]).squeeze_dim::<4>(0);
        let latent = vae.encode_image(picture).unwrap();
        assert!(relative_error(&latent, &model.golden("mu.1")) <= 1e-4);
    }
}

#[test]
fn portions_do_not_matter_and_trailing_frames_are_dropped() {
    for model in [WAN21, WAN22] {
        let vae = model.vae_from("original.safetensors", Parts::Encoder);
        let video = model.golden("video").narrow(2, 0, 9);
        let whole = encode(&vae, &video, &[9]);
        for portions in [&[1; 9][..], &[2, 3, 4], &[4, 4, 1], &[8, 1], &[1, 5, 3]] {
            let error = relative_error(&encode(&vae, &video, portions), &whole);
            assert!(error == 0.0, "{portions:?}: {error}");
        }
        for (frames, kept) in [(4, 1), (8, 2)] {
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
}

#[test]
fn both_layouts_hold_the_same_model() {
    for model in [WAN21, WAN22] {
        let (a, b) = (model.vae(), model.vae_from("diffusers", Parts::Both));
        assert_eq!(a.dims(), b.dims());
        assert_eq!(a.dims(), &model.dims());
        let latent = model.golden("latent").narrow(2, 0, 2);
        assert_eq!(
            relative_error(&decode(&a, latent.clone(), None), &decode(&b, latent, None)),
            0.0
        );
        let video = model.golden("video");
        assert_eq!(
            relative_error(&encode(&a, &video, &[5]), &encode(&b, &video, &[5])),
            0.0
        );
    }
}

/// The planner knows all sizes from the header alone.
#[test]
fn a_probe_tells_the_sizes() {
    for name in ["original.safetensors", "diffusers"] {
        let family = |model: &Model| probe(&model.path(name)).unwrap().family.unwrap();
        let wan21 = Family::WanVae21 {
            latent_channels: 4,
            dim: 4,
        };
        let wan22 = Family::WanVae22 {
            latent_channels: 4,
            dim: 2,
            decoder_dim: 4,
        };
        assert_eq!([family(&WAN21), family(&WAN22)], [wan21, wan22]);
    }
    for model in [WAN21, WAN22] {
        // The list of tensors that benches make random models from.
        let (dims, file) = (model.dims(), model.checkpoint());
        let tensors = dims.tensors(Parts::Both);
        assert_eq!(tensors.len(), file.names().count());
        for (name, shape) in tensors {
            assert_eq!(file.shape(&name), Some(&shape[..]), "{name}");
        }
    }
}

#[test]
fn a_part_loads_alone_and_says_when_it_is_not_there() {
    let (checkpoint, dims) = (WAN21.checkpoint(), WAN21.dims());
    assert_eq!(dims.weight_bytes(Parts::Both, 4), checkpoint.total_bytes());
    let bf16 = WAN22.dims().weight_bytes(Parts::Both, 2);
    assert_eq!(bf16, WAN22.checkpoint().total_bytes());
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
    let encoder = WAN21.vae_from("original.safetensors", Parts::Encoder);
    assert!(matches!(
        encoder.decode(WAN21.golden("latent")),
        Err(VaeError::PartNotLoaded { .. })
    ));
}

#[test]
fn wrong_shapes_are_refused_with_what_was_expected() {
    let zeros = |shape: [usize; 5]| Tensor::<5>::zeros(shape, &cpu());
    for model in [WAN21, WAN22] {
        let (vae, spatial) = (model.vae(), model.dims().spatial());
        let refused = |error: VaeError, shape: [usize; 5], wants: &[&str]| {
            let error = error.to_string();
            for want in wants.iter().copied().chain([&*format!("{shape:?}")]) {
                assert!(error.contains(want), "{error}: no {want}");
            }
        };
        for shape in [[1, 16, 2, 3, 5], [2, 4, 2, 3, 5], [1, 4, 0, 3, 5]] {
            let error = vae.decode(zeros(shape)).err().unwrap();
            let grid = format!("height/{spatial}");
            refused(error, shape, &["[1, 4, frames", &grid]);
        }
        let mut encoder = vae.encode().unwrap();
        for shape in [
            [1, 3, 1, 48, 41],
            [1, 4, 1, 48, 48],
            [2, 3, 1, 48, 48],
            [1, 3, 0, 48, 48],
        ] {
            let error = encoder.push(zeros(shape)).unwrap_err();
            refused(error, shape, &[&format!("multiples of {spatial}")]);
        }
        // Odd numbers of positions are allowed; off the grid the nearest size is named.
        let off = [1, 3, 1, 3 * spatial + 1, 5 * spatial - 1];
        let nearest = format!("is {}x{}", 3 * spatial, 5 * spatial);
        refused(encoder.push(zeros(off)).unwrap_err(), off, &[&nearest]);
        let first = [1, 3, 1, 3 * spatial, spatial];
        encoder.push(zeros(first)).unwrap();
        let second = [1, 3, 1, 3 * spatial, 2 * spatial];
        let error = encoder.push(zeros(second)).unwrap_err().to_string();
        for size in [first, second] {
            assert!(
                error.contains(&format!("{}x{}", size[3], size[4])),
                "{error}"
            );
        }
        assert_eq!(encoder.finish().unwrap().dims(), [1, 4, 1, 3, 1]);
        assert!(matches!(
            vae.encode().unwrap().finish(),
            Err(VaeError::NoFrames)
        ));
    }
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
    let renamed = |model: &Model, from: &'static str, to: &'static str| {
        let renamed = model
            .checkpoint()
            .rename(|name| (name == from).then(|| to.to_owned()))
            .unwrap();
        WanVae::load(&renamed, Parts::Both, &cpu(), |_, _| {})
            .err()
            .unwrap()
            .to_string()
    };
    let without = |name: &'static str| renamed(&WAN21, name, "x");
    assert!(without("decoder.conv1.weight").contains("not a Wan VAE"));
    for name in ["encoder.middle.1.to_qkv.weight", "decoder.head.0.gamma"] {
        assert!(without(name).contains(name));
    }
    assert!(without("encoder.downsamples.5.time_conv.weight").contains("grid"));
    // A layer of one VAE under the name of the other.
    let from = "decoder.upsamples.0.residual.2.weight";
    let to = "decoder.upsamples.0.upsamples.0.residual.2.weight";
    let missing = "decoder.upsamples.0.upsamples.0.residual.6.weight";
    assert!(renamed(&WAN21, from, to).contains(missing));
    let no_time = "decoder.upsamples.1.upsamples.3.time_conv.weight";
    assert!(renamed(&WAN22, no_time, "x").contains("grid"));
    // Without its resampling, a level's shortcut cannot double the channels.
    let no_down = "encoder.downsamples.2.downsamples.2.resample.1.weight";
    assert!(renamed(&WAN22, no_down, "x").contains("encoder.downsamples.2"));
    for model in [WAN21, WAN22] {
        let under = model
            .checkpoint()
            .rename(|name| Some(format!("first_stage_model.{name}")))
            .unwrap();
        assert_eq!(VaeDims::read(&under).unwrap(), model.dims());
    }
    let goldens = Checkpoint::open(&WAN21.path("goldens.safetensors")).unwrap();
    assert!(matches!(
        VaeDims::read(&goldens),
        Err(VaeError::NotAVae { .. })
    ));
}
