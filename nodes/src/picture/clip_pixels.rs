//! A picture as CLIP's vision tower takes it (ComfyUI `comfy/clip_vision.py`, `clip_preprocess`).

use std::ops::Range;

use longtake_models::clip::{MEAN, STD};
use longtake_run::Frame;

use super::axis::{Axis, Depth, resample};
use super::resize::cubic_weight;

/// Normalised values `[3, side, side]` of a picture: scaled to `side` with torch's antialiased
/// bicubic, rounded to bytes, `(value − mean) / deviation`. With `crop` its shape is kept and
/// what stands over at the longer side is left out at both ends; without it is stretched.
pub fn clip_pixels(frame: &Frame, side: u32, crop: bool) -> Vec<f32> {
    let bytes = clip_bytes(frame, side, crop);
    let plane = |channel: usize| {
        let samples = bytes.iter().skip(channel).step_by(3);
        samples.map(move |&it| (f32::from(it) / 255.0 - MEAN[channel]) / STD[channel])
    };
    (0..3).flat_map(plane).collect()
}

/// The picture before normalisation, `[side, side, 3]`.
fn clip_bytes(frame: &Frame, side: u32, crop: bool) -> Vec<u8> {
    let frame = frame.to_rgb();
    let (width, height) = (frame.width, frame.height);
    let scaled = if (width, height) == (side, side) {
        frame
    } else {
        let axis = |from: u32| {
            let whole = if crop {
                let scale = f64::from(side) / f64::from(width.min(height).max(1));
                (scale * f64::from(from)).round_ties_even().max(1.0) as u32
            } else {
                side
            };
            // Only what is kept is made: a strip of paper is not blown up to its whole length.
            let start = whole.saturating_sub(side) / 2;
            let kept = start..whole.min(start + side);
            Axis::new(from, &antialiased_cubic(from, whole, kept))
        };
        resample(&frame, &axis(width), &axis(height), Depth::Float)
    };
    let byte = |it: &f32| (it * 255.0).clamp(0.0, 255.0).round_ties_even() as u8;
    scaled.to_f32().iter().map(byte).collect()
}

/// Taps of `outputs`, some of `to` from `from` samples: Keys' cubic with a = -0.5, widened when
/// shrinking, what lies outside left out and the rest weighed up to 1 (torch
/// `aten/src/ATen/native/cpu/UpSampleKernel.cpp`, `_compute_indices_min_size_weights_aa`). Ends are
/// found in f32, as torch does: at exact halves the rounding decides.
fn antialiased_cubic(from: u32, to: u32, outputs: Range<u32>) -> Vec<Vec<(i64, f64)>> {
    let scale = from as f32 / to as f32;
    let stretch = scale.max(1.0);
    let support = 2.0 * stretch;
    let taps = |i: u32| {
        let centre = scale * (i as f32 + 0.5);
        let start = ((centre - support + 0.5) as i64).max(0);
        let end = ((centre + support + 0.5) as i64).min(i64::from(from));
        let weight = |index: i64| {
            let at = (index as f32 - centre + 0.5) / stretch;
            cubic_weight(f64::from(at), -0.5)
        };
        let sum: f64 = (start..end).map(weight).sum();
        (start..end).map(|it| (it, weight(it) / sum)).collect()
    };
    outputs.map(taps).collect()
}

#[cfg(test)]
mod tests {
    use longtake_run::Pixels;

    use super::*;

    #[derive(serde::Deserialize)]
    struct Golden {
        mean: [f32; 3],
        std: [f32; 3],
        cases: Vec<Case>,
    }

    #[derive(serde::Deserialize)]
    struct Case {
        width: u32,
        height: u32,
        crop: bool,
        sum: i64,
        picks: Vec<u8>,
    }

    /// The picture of `tests/reference/clip_vision.py`.
    fn picture(width: u32, height: u32) -> Frame {
        let sample =
            |y: u32, x: u32, c: u32| (x * 3 + y * 5 + c * 53 + (x / 16 + y / 16) % 2 * 90) as u8;
        let row = |y| (0..width).flat_map(move |x| (0..3).map(move |c| sample(y, x, c)));
        Frame::new(
            width,
            height,
            3,
            Pixels::U8((0..height).flat_map(row).collect()),
        )
    }

    #[test]
    fn pictures_are_made_ready_as_in_comfyui() {
        let text = include_str!("../../../tests/data/clip/preprocess.json");
        let golden: Golden = serde_json::from_str(text).unwrap();
        assert_eq!((golden.mean, golden.std), (MEAN, STD));
        assert_eq!(golden.cases.len(), 12);
        for case in golden.cases {
            let name = format!("{}×{} crop {}", case.width, case.height, case.crop);
            let found = clip_bytes(&picture(case.width, case.height), 224, case.crop);
            assert_eq!(found.len(), 224 * 224 * 3);
            let mut off = 0;
            for (i, &expected) in case.picks.iter().enumerate() {
                let apart = found[i * 229].abs_diff(expected);
                assert!(apart <= 1, "{name}: sample {}: {apart} apart", i * 229);
                off += usize::from(apart);
            }
            // Where a value lies on a half, the last bit of a sum decides.
            assert!(off * 200 <= case.picks.len(), "{name}: {off} differ");
            let sum: i64 = found.iter().map(|&it| i64::from(it)).sum();
            assert!((sum - case.sum).abs() < 300, "{name}: {sum} {}", case.sum);
        }
    }

    #[test]
    fn planes_are_normalised_and_alpha_is_left_out() {
        let pixels = [[255u8, 0, 128, 7]; 16].concat();
        let frame = Frame::new(4, 4, 4, Pixels::U8(pixels));
        let found = clip_pixels(&frame, 2, true);
        let expected = [1.0, 0.0, 128.0 / 255.0];
        for (i, value) in found.iter().enumerate() {
            let channel = i / 4;
            let want = (expected[channel] - MEAN[channel]) / STD[channel];
            assert!((value - want).abs() < 1e-6, "{i}: {value} {want}");
        }
    }

    #[test]
    fn a_strip_of_paper_needs_no_memory() {
        let frame = Frame::new(1, 60_000, 3, Pixels::U8(vec![9; 180_000]));
        assert_eq!(clip_bytes(&frame, 224, true), vec![9; 224 * 224 * 3]);
    }
}
