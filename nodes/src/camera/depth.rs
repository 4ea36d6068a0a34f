//! Depth maps: from the samples of a picture to distances, cleaned as Uni3C cleans them.

use crate::failure::at_input;
use longtake_graph::say;
use longtake_run::{Frame, Pixels, RunError};

/// What the samples of a depth map stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepthIs {
    /// White is near, and 1 / distance grows evenly with the sample: Depth Anything, MiDaS.
    Disparity,
    /// White is far, and distance grows evenly with the sample.
    Depth,
    /// 16-bit samples count millimetres; 0 is unknown.
    Millimetres,
}

/// Names in files.
pub const DEPTHS: &[&str] = &["disparity", "depth", "millimetres"];

/// Depth beyond this many medians is drawn nearer (`src/pointcloud.py`, `contract`).
const CONTRACT: f32 = 8.0;
/// Steepness of the edge measure (`src/pointcloud.py`, `sobel_beta`).
const BETA: f32 = 10.0;

impl DepthIs {
    /// By its name in files.
    pub fn named(name: &str) -> Option<Self> {
        const ALL: [DepthIs; 3] = [DepthIs::Disparity, DepthIs::Depth, DepthIs::Millimetres];
        DEPTHS.iter().position(|it| *it == name).map(|at| ALL[at])
    }

    /// Distances along the view axis, one per pixel of a one-channel or grey frame; 0 where unknown.
    /// Black and white stand for `near` and `far` (or the other way round); with millimetres those
    /// are not used, and the unit is a metre.
    ///
    /// # Errors
    /// The map is coloured, or is to count millimetres and has 8 bits.
    pub fn distances(self, map: &Frame, near: f32, far: f32) -> Result<Vec<f32>, RunError> {
        let grey = grey(map)?;
        let convert = |sample: &f32| match self {
            Self::Disparity => {
                1.0 / (1.0 / far + (1.0 / near - 1.0 / far) * sample.clamp(0.0, 1.0))
            }
            Self::Depth => near + (far - near) * sample.clamp(0.0, 1.0),
            Self::Millimetres => sample * 65.535,
        };
        if self == Self::Millimetres && matches!(&*map.pixels, Pixels::U8(_)) {
            let why = say!(
                "depth_is = millimetres needs a 16-bit picture, got 8 bits; take `disparity` or `depth` with near and far",
                "depth_is が millimetres の場合は 16 ビットの画像が必要ですが、8 ビットです。「disparity」か「depth」を選び、near と far を指定してください"
            );
            return Err(at_input("depth", &why));
        }
        Ok(grey.iter().map(convert).collect())
    }
}

/// The first channel of a frame whose channels agree.
fn grey(map: &Frame) -> Result<Vec<f32>, RunError> {
    let samples = map.to_f32();
    let channels = usize::from(map.channels);
    if channels < 3 {
        return Ok(samples);
    }
    let pixels = samples.chunks_exact(channels);
    let spread: f32 = pixels
        .clone()
        .map(|px| (px[0] - px[1]).abs().max((px[0] - px[2]).abs()))
        .sum();
    let mean = spread / pixels.len().max(1) as f32;
    // JPEG leaves a little colour in grey pictures.
    if mean > 0.03 {
        let why = say!(
            "expected a grey depth map, got a coloured picture (channels differ by {:.0} % on average); save the map without a colour scale",
            "グレーの深度マップが必要ですが、色の付いた画像です(チャンネルの差は平均 {:.0} %)。カラースケールを使わずに保存してください",
            mean * 100.0
        );
        return Err(at_input("depth", &why));
    }
    Ok(pixels.map(|px| px[0]).collect())
}

/// The median of the known distances (the lower of the middle two, as `torch.median`), among those
/// that `choose` takes; none when there is none.
pub fn median(distances: &[f32], choose: impl Fn(usize) -> bool) -> Option<f32> {
    let known = distances
        .iter()
        .enumerate()
        .filter(|(i, z)| **z > 0.0 && choose(*i));
    let mut known: Vec<f32> = known.map(|(_, z)| *z).collect();
    if known.is_empty() {
        return None;
    }
    let middle = (known.len() - 1) / 2;
    Some(*known.select_nth_unstable_by(middle, f32::total_cmp).1)
}

/// Draws what lies beyond 8 medians nearer, so that nothing is farther than 16
/// (`src/pointcloud.py`, `point_rendering`).
pub fn contract(distances: &mut [f32], median: f32) {
    let bound = median * CONTRACT;
    for z in distances {
        if *z > bound {
            *z = 2.0 * bound - bound * bound / *z;
        }
    }
}

/// True where the map tears: the Sobel magnitude of the disparity, scaled to 0..1, is so large that
/// exp(−10 · magnitude) falls under `threshold` (`src/pointcloud.py`, `get_boundaries_mask`; the
/// kernel is not normalised and the border is repeated, as Kornia's default). Unknown distances
/// count as infinitely far.
pub fn edges(distances: &[f32], width: usize, threshold: f32) -> Vec<bool> {
    let mut disparity: Vec<f32> = distances
        .iter()
        .map(|z| if *z > 0.0 { 1.0 / (z + 1e-7) } else { 0.0 })
        .collect();
    let ends = |it: &[f32]| {
        let low = it.iter().copied().fold(f32::INFINITY, f32::min);
        (low, it.iter().copied().fold(0.0, f32::max))
    };
    let (low, high) = ends(&disparity);
    for it in &mut disparity {
        *it = (*it - low) / (high - low + 1e-6);
    }
    let height = disparity.len() / width.max(1);
    let mut torn = Vec::with_capacity(disparity.len());
    for y in 0..height {
        let rows = [y.saturating_sub(1), y, (y + 1).min(height - 1)].map(|y| y * width);
        for x in 0..width {
            let columns = [x.saturating_sub(1), x, (x + 1).min(width - 1)];
            let d = rows.map(|row| columns.map(|column| disparity[row + column]));
            let across = d[0][2] - d[0][0] + 2.0 * (d[1][2] - d[1][0]) + d[2][2] - d[2][0];
            let down = d[2][0] - d[0][0] + 2.0 * (d[2][1] - d[0][1]) + d[2][2] - d[0][2];
            torn.push((-BETA * across.hypot(down)).exp() < threshold);
        }
    }
    torn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::says;

    fn map(samples: &[u16]) -> Frame {
        Frame::new(samples.len() as u32, 1, 1, Pixels::U16(samples.to_vec()))
    }

    #[test]
    fn samples_become_distances() {
        let check = |is: &str, samples: &[u16], expected: &[f32]| {
            let is = DepthIs::named(is).unwrap();
            let found = is.distances(&map(samples), 1.0, 5.0).unwrap();
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() < 1e-3,
                    "{is:?}: {found} {expected}"
                );
            }
        };
        check("disparity", &[65535, 0, 32768], &[1.0, 5.0, 1.0 / 0.6]);
        check("depth", &[65535, 0, 32768], &[5.0, 1.0, 3.0]);
        check("millimetres", &[0, 1500, 40000], &[0.0, 1.5, 40.0]);
    }

    #[test]
    fn maps_that_cannot_be_read_are_told() {
        let told = |frame: &Frame| {
            let error = DepthIs::Millimetres.distances(frame, 1.0, 2.0).unwrap_err();
            error.message
        };
        let heat = Frame::new(1, 1, 3, Pixels::U8(vec![250, 120, 0]));
        says(&told(&heat), "coloured picture");
        let shallow = Frame::new(1, 1, 1, Pixels::U8(vec![3]));
        says(&told(&shallow), "16-bit");
        let almost = Frame::new(1, 1, 3, Pixels::U8(vec![100, 102, 99]));
        assert!(DepthIs::Depth.distances(&almost, 1.0, 2.0).is_ok());
    }

    #[test]
    fn medians_are_torchs_and_far_things_come_nearer() {
        assert_eq!(median(&[0.0, 4.0, 1.0, 3.0, 2.0], |_| true), Some(2.0));
        assert_eq!(median(&[0.0, 4.0, 1.0], |i| i == 0), None);
        let mut z = [1.0, 8.0, 16.0, 1e9];
        contract(&mut z, 1.0);
        assert_eq!(z[..3], [1.0, 8.0, 12.0]);
        assert!((z[3] - 16.0).abs() < 1e-3);
    }

    #[test]
    fn tears_are_found_at_steps_and_not_on_slopes() {
        let width = 64;
        let row = |z: &dyn Fn(usize) -> f32| -> Vec<f32> {
            (0..width * 8).map(|i| z(i % width)).collect()
        };
        // Disparity 1 and 0.5: the two columns beside the step.
        let step = edges(&row(&|x| if x < 30 { 1.0 } else { 2.0 }), width, 0.35);
        let torn: Vec<usize> = (0..width).filter(|x| step[3 * width + x]).collect();
        assert_eq!(torn, [29, 30]);
        // The largest slope that holds: magnitude 8 per unit and pixel, and −ln(0.35) / 10 = 0.105.
        let slope = |per_pixel: f32| {
            let z = row(&|x| 1.0 / (1.0 + per_pixel * x as f32));
            let mut z = z;
            // One near and one far point fix the scale to 0..1.
            (z[0], z[width * 8 - 1]) = (1.0 / 2.0, 1.0 / 1.0);
            edges(&z, width, 0.35)[4 * width + 20]
        };
        assert!(!slope(0.0128) && slope(0.0136));
        assert!(
            edges(&[3.0; 64], 8, 0.35).iter().all(|torn| !torn),
            "a plane"
        );
    }
}
