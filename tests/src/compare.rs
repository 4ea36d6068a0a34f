//! Latents and frames beside their goldens.

use std::fs;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;

/// A float tensor of a safetensors file: shape and values.
pub fn tensor(path: &Path, name: &str) -> (Vec<usize>, Vec<f32>) {
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let view = file
        .tensor(name)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let values = view
        .data()
        .chunks_exact(4)
        .map(|it| f32::from_le_bytes(it.try_into().unwrap()));
    (view.shape().to_vec(), values.collect())
}

/// A byte tensor of a safetensors file: shape and values.
pub fn bytes(path: &Path, name: &str) -> (Vec<usize>, Vec<u8>) {
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let view = file.tensor(name).unwrap();
    (view.shape().to_vec(), view.data().to_vec())
}

/// `|a - b| / |b|`.
pub fn relative_l2(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let square = |it: f64| it * it;
    let error: f64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| square(f64::from(*a) - f64::from(*b)))
        .sum();
    let norm: f64 = b.iter().map(|b| square(f64::from(*b))).sum();
    (error / norm).sqrt()
}

/// Peak signal-to-noise ratio of 8-bit pixels, dB; infinite where they are equal.
pub fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let error: f64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2))
        .sum();
    10.0 * (255.0_f64.powi(2) * a.len() as f64 / error).log10()
}

/// PNG files of a folder, in the order of their names, one after another as RGB.
pub fn pngs(folder: &Path) -> (Vec<PathBuf>, Vec<u8>) {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().path())
        .filter(|it| it.extension().is_some_and(|it| it == "png"))
        .collect();
    paths.sort();
    let pixels = paths
        .iter()
        .flat_map(|it| image::open(it).unwrap().to_rgb8().into_raw())
        .collect();
    (paths, pixels)
}

/// Every frame of a video, as RGB.
pub fn film(path: &Path) -> Vec<Vec<u8>> {
    let mut reader = longtake_media::VideoReader::open(path).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = reader.next_rgb().unwrap() {
        frames.push(frame);
    }
    frames
}
