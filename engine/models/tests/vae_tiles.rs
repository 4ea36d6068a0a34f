//! Tiles of the VAEs against whole frames: invisible seams, and all ways to go through them.
//!
//! A tile is never exactly the frame's part: the attention of the middle sees the tile alone. That
//! error is spread over the tile and gives the measure for the seams.

#![allow(clippy::unwrap_used)] // a test

mod vae_support;

use burn::tensor::TensorData;
use longtake_models::Tensor;
use longtake_models::wan::vae::{DecodeStep, Decoder, TileEncoder, Tiling, WanVae};
use vae_support::{Model, WAN21, WAN22, cpu, decode, encode, relative_error, values};

/// Latent columns of the pictures here. Two tiles of 34 overlap by 12, two of 28 not at all.
const COLUMNS: usize = 56;
const FADED: (usize, usize) = (34, 12);
const ABRUPT: (usize, usize) = (28, 0);

/// Independent values of unit deviation, about (a sum of uniform ones).
fn random_latent(shape: [usize; 5], seed: u64) -> Tensor<5> {
    let mut state = seed;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
    };
    let count: usize = shape.iter().product();
    let data: Vec<f32> = (0..count)
        .map(|_| (0..12).map(|_| uniform()).sum())
        .collect();
    Tensor::from_data(TensorData::new(data, shape), &cpu())
}

/// Largest value in the columns where tiles meet, and elsewhere; several pictures are gathered, as
/// the largest of few values says little. There are `scale` columns for each latent one, and the
/// tiles meet in the middle.
#[derive(Clone, Copy, Default)]
struct Worst {
    seam: f32,
    elsewhere: f32,
}

impl Worst {
    fn add(&mut self, error: &Tensor<5>, scale: usize) {
        let columns = values::<5>(&error.clone().abs().max_dim(1).max_dim(2).max_dim(3));
        let half = FADED.1 / 2;
        let seam = (COLUMNS / 2 - half) * scale..(COLUMNS / 2 + half) * scale;
        for (i, value) in columns.iter().enumerate() {
            assert!(value.is_finite());
            let most = if seam.contains(&i) {
                &mut self.seam
            } else {
                &mut self.elsewhere
            };
            *most = most.max(*value);
        }
    }
}

fn tiled(model: &Model, vae: &WanVae, latent: &Tensor<5>, tiles: (usize, usize)) -> Tensor<5> {
    let spatial = model.dims().spatial();
    let tiles = (tiles.0 * spatial, tiles.1 * spatial);
    decode(vae, latent.clone(), Some(tiles))
}

fn tiled_encode(
    model: &Model,
    vae: &WanVae,
    frames: &Tensor<5>,
    tiles: (usize, usize),
) -> Tensor<5> {
    let spatial = model.dims().spatial();
    let encoder = vae.encode_tiled(tiles.0 * spatial, tiles.1 * spatial);
    let mut encoder = encoder.unwrap();
    encoder.push(frames.clone()).unwrap();
    encoder.finish().unwrap()
}

/// Where tiles meet, frames and latents differ no more from whole ones than elsewhere; with tiles
/// that do not overlap they do.
#[test]
fn seams_do_not_show() {
    for model in [WAN21, WAN22] {
        let (name, vae, spatial) = (model.folder, model.vae(), model.dims().spatial());
        let mut found = [[Worst::default(); 2]; 2];
        for seed in 1..=4 {
            let latent = random_latent([1, 4, 2, 4, COLUMNS], seed);
            let whole = decode(&vae, latent.clone(), None);
            let encoded = encode(&vae, &whole, &[5]);
            for (found, tiles) in found.iter_mut().zip([FADED, ABRUPT]) {
                let frames = tiled(&model, &vae, &latent, tiles) - whole.clone();
                let latents = tiled_encode(&model, &vae, &whole, tiles) - encoded.clone();
                found[0].add(&frames, spatial);
                found[1].add(&latents, 1);
            }
        }
        for (found, hidden) in found.iter().zip([true, false]) {
            for (Worst { seam, elsewhere }, what) in found.iter().zip(["decode", "encode"]) {
                println!("{name} {what}, overlap {hidden}: {seam:.4}, elsewhere {elsewhere:.4}");
                assert!(
                    (seam <= elsewhere) == hidden,
                    "{name} {what}, overlap {hidden}: {seam} at the seam, {elsewhere} elsewhere"
                );
            }
        }
    }
}

#[test]
fn tile_after_tile_gives_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for model in [WAN21, WAN22] {
        let (vae, spatial) = (model.vae(), model.dims().spatial());
        let latent = random_latent([1, 4, 2, 9, 13], 7);
        let streamed = tiled(&model, &vae, &latent, (8, 2));
        let tiling = Tiling::new(8 * spatial, 2 * spatial).unwrap();
        let [.., height, width] = streamed.dims();
        let tiles = model.dims().tile_count(height, width, tiling);
        assert_eq!(tiles, 2 * 2);

        let mut decoder =
            Decoder::tile_by_tile(&vae, latent.clone(), tiling, folder.path()).unwrap();
        let (mut passes, mut chunks) = (0, Vec::new());
        while let Some(step) = decoder.step().unwrap() {
            match step {
                DecodeStep::Working { done, total } => {
                    passes += 1;
                    assert!(done == passes && total == 2 * tiles);
                }
                DecodeStep::Chunk(frames) => chunks.push(frames),
            }
        }
        assert_eq!(passes, 2 * tiles);
        assert!(relative_error(&Tensor::cat(chunks, 2), &streamed) < 1e-6);

        let whole = tiled_encode(&model, &vae, &streamed, (8, 2));
        let mut encoder = TileEncoder::new(&vae, 5, [height, width], tiling).unwrap();
        assert_eq!(encoder.tiles(), tiles);
        let images = streamed
            .clone()
            .add_scalar(1.0)
            .div_scalar(2.0)
            .permute([0, 2, 3, 4, 1])
            .squeeze_dim::<4>(0);
        while let Some([rows, columns]) = encoder.tile() {
            let part = images.clone().narrow(1, rows.start, rows.len()).narrow(
                2,
                columns.start,
                columns.len(),
            );
            encoder.push_frames(part.clone().narrow(0, 0, 1)).unwrap();
            encoder.push_frames(part.narrow(0, 1, 4)).unwrap();
            encoder.finish_tile().unwrap();
        }
        let (values, shape) = encoder.finish().unwrap();
        let ours = Tensor::from_data(TensorData::new(values, shape), &cpu());
        assert!(relative_error(&ours, &whole) < 1e-5);

        // One tile as large as the frame is the whole frame.
        let lone = tiled(&model, &vae, &latent, (16, 4));
        assert_eq!(relative_error(&lone, &decode(&vae, latent, None)), 0.0);
    }
}

#[test]
fn tiles_in_the_wrong_order_and_full_disks_are_told() {
    let vae = WAN21.vae();
    let tiling = Tiling::new(32, 8).unwrap();
    let mut encoder = TileEncoder::new(&vae, 5, [32, 56], tiling).unwrap();
    let frames = |n, w| Tensor::<4>::zeros([n, 32, w, 3], &cpu());
    let error = encoder.push_frames(frames(1, 56)).unwrap_err().to_string();
    assert!(
        error.contains("32x32") && error.contains("32x56"),
        "{error}"
    );
    encoder.push_frames(frames(1, 32)).unwrap();
    let error = encoder.finish_tile().unwrap_err().to_string();
    assert!(error.contains("same frames"), "{error}");
    assert!(TileEncoder::new(&vae, 5, [33, 56], tiling).is_err());
    let missing = std::path::Path::new("/nowhere/at/all");
    let latent = random_latent([1, 4, 1, 4, 8], 7);
    let error = Decoder::tile_by_tile(&vae, latent, tiling, missing)
        .err()
        .unwrap();
    assert!(error.to_string().contains("/nowhere/at/all"));
}
