//! Scaling as ComfyUI's `ImageScale` does it (`comfy/utils.py`, `common_upscale`).
//!
//! `nearest-exact`, `bilinear`, `area` and `bicubic` are `torch.nn.functional.interpolate` with
//! `align_corners=False` and no antialiasing (`aten/src/ATen/native/UpSample.h`); `lanczos` is
//! Pillow's on 8-bit samples, antialiased (`src/libImaging/Resample.c`), bit for bit.

use longtake_run::{Frame, Pixels};
use rayon::prelude::*;

use super::axis::{Axis, Depth, resample};

/// How new pixels are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The nearest source pixel, by pixel centres.
    NearestExact,
    /// Linear between four neighbours.
    Bilinear,
    /// Mean of the covered source pixels.
    Area,
    /// Cubic with a = -0.75.
    Bicubic,
    /// Windowed sinc over three lobes, widened when shrinking.
    Lanczos,
}

/// Names in files, in ComfyUI's order.
pub const METHODS: &[&str] = &["nearest-exact", "bilinear", "area", "bicubic", "lanczos"];

impl Method {
    /// By its name in files.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "nearest-exact" => Self::NearestExact,
            "bilinear" => Self::Bilinear,
            "area" => Self::Area,
            "bicubic" => Self::Bicubic,
            "lanczos" => Self::Lanczos,
            _ => return None,
        })
    }
}

/// The size asked for, where 0 stands for "keeps the shape"; both 0 keep the size
/// (`nodes.py`, `ImageScale.upscale`). Halves round to even, as Python's `round` does.
pub fn target_size(from: (u32, u32), to: (u32, u32)) -> (u32, u32) {
    let keep = |a: u32, b: u32, c: u32| {
        let exact = f64::from(a) * f64::from(b) / f64::from(c.max(1));
        exact.round_ties_even().max(1.0) as u32
    };
    match to {
        (0, 0) => from,
        (0, height) => (keep(from.0, height, from.1), height),
        (width, 0) => (width, keep(from.1, width, from.0)),
        both => both,
    }
}

/// A frame in a new size. With `crop`, what does not fit the new shape is cut off around the
/// centre first; without it the picture is stretched.
pub fn scale(frame: &Frame, (width, height): (u32, u32), method: Method, crop: bool) -> Frame {
    if crop {
        let cut = crop_to_shape(frame, width, height);
        return resize(&cut, width, height, method);
    }
    resize(frame, width, height, method)
}

/// A frame stretched to a new size.
///
/// Depth: `nearest-exact` and `lanczos` keep 8 bits (lanczos always makes them), `bilinear` and
/// `area` give 16 bits, `bicubic` floats, since it leaves 0..1 at edges.
pub fn resize(frame: &Frame, width: u32, height: u32, method: Method) -> Frame {
    let axes = |taps: fn(u32, u32) -> Taps| {
        let across = Axis::new(frame.width, &taps(frame.width, width));
        (across, Axis::new(frame.height, &taps(frame.height, height)))
    };
    let deep = |(across, down): (Axis, Axis), depth| resample(frame, &across, &down, depth);
    match method {
        Method::NearestExact => deep(axes(nearest), Depth::Same),
        Method::Bilinear => deep(axes(linear), Depth::Deep),
        Method::Area => deep(axes(area), Depth::Deep),
        Method::Bicubic => deep(axes(cubic), Depth::Float),
        Method::Lanczos => lanczos(frame, width, height),
    }
}

fn crop_to_shape(frame: &Frame, width: u32, height: u32) -> Frame {
    let (old_w, old_h) = (f64::from(frame.width), f64::from(frame.height));
    let (old, new) = (old_w / old_h, f64::from(width) / f64::from(height));
    let off = |side: f64, ratio: f64| ((side - side * ratio) / 2.0).round_ties_even() as u32;
    let (x, y) = match old.total_cmp(&new) {
        std::cmp::Ordering::Greater => (off(old_w, new / old), 0),
        std::cmp::Ordering::Less => (0, off(old_h, old / new)),
        std::cmp::Ordering::Equal => return frame.clone(),
    };
    // At least one pixel is left, however extreme the shape.
    let (x, y) = (x.min((frame.width - 1) / 2), y.min((frame.height - 1) / 2));
    crop(frame, (x, y), (frame.width - 2 * x, frame.height - 2 * y))
}

/// A rectangle of a frame that lies within it.
pub fn crop(frame: &Frame, (x, y): (u32, u32), (width, height): (u32, u32)) -> Frame {
    fn cut<T: Copy>(
        data: &[T],
        row: usize,
        x: usize,
        len: usize,
        rows: std::ops::Range<usize>,
    ) -> Vec<T> {
        rows.flat_map(|y| data[y * row + x..y * row + x + len].iter().copied())
            .collect()
    }
    let channels = usize::from(frame.channels);
    let (row, start, len) = (
        frame.row_len(),
        x as usize * channels,
        width as usize * channels,
    );
    let rows = y as usize..(y + height) as usize;
    let pixels = match &*frame.pixels {
        Pixels::U8(data) => Pixels::U8(cut(data, row, start, len, rows)),
        Pixels::U16(data) => Pixels::U16(cut(data, row, start, len, rows)),
        Pixels::F32(data) => Pixels::F32(cut(data, row, start, len, rows)),
    };
    Frame::new(width, height, frame.channels, pixels)
}

type Taps = Vec<Vec<(i64, f64)>>;

/// Source position of each output's centre, in pixels from the first source pixel's centre.
/// Computed in f32, as torch does: at exact halves the rounding decides.
fn centres(from: u32, to: u32) -> impl Iterator<Item = f32> {
    let ratio = from as f32 / to as f32;
    (0..to).map(move |i| ratio * (i as f32 + 0.5) - 0.5)
}

fn nearest(from: u32, to: u32) -> Taps {
    let ratio = from as f32 / to as f32;
    let index = |i: u32| ((ratio * (i as f32 + 0.5)).floor() as i64).min(i64::from(from) - 1);
    (0..to).map(|i| vec![(index(i), 1.0)]).collect()
}

fn linear(from: u32, to: u32) -> Taps {
    let taps = |at: f32| {
        let at = at.max(0.0);
        let (index, part) = (at.floor() as i64, f64::from(at.fract()));
        vec![(index, 1.0 - part), (index + 1, part)]
    };
    centres(from, to).map(taps).collect()
}

/// `interpolate(mode="area")` is adaptive average pooling.
fn area(from: u32, to: u32) -> Taps {
    let (from, to) = (u64::from(from), u64::from(to));
    let taps = |i: u64| {
        let (start, end) = (i * from / to, ((i + 1) * from).div_ceil(to));
        let weight = 1.0 / (end - start) as f64;
        (start..end).map(|index| (index as i64, weight)).collect()
    };
    (0..to).map(taps).collect()
}

fn cubic(from: u32, to: u32) -> Taps {
    let taps = |at: f32| {
        let (index, part) = (at.floor() as i64, f64::from(at - at.floor()));
        (-1..=2)
            .map(|k| (index + k, cubic_weight(k as f64 - part, -0.75)))
            .collect()
    };
    centres(from, to).map(taps).collect()
}

/// Keys' cubic: R. Keys, "Cubic convolution interpolation for digital image processing" (1981).
pub fn cubic_weight(x: f64, a: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * a
    } else {
        0.0
    }
}

/// Bits behind the point of Pillow's weights.
const PRECISION: u32 = 32 - 8 - 2;

struct Fixed {
    start: usize,
    weights: Vec<i32>,
}

/// Pillow's weights (`precompute_coeffs` and `normalize_coeffs_8bpc` in `Resample.c`).
fn lanczos_weights(from: u32, to: u32) -> Vec<Fixed> {
    let ratio = f64::from(from) / f64::from(to);
    let stretch = ratio.max(1.0);
    let support = 3.0 * stretch;
    let one = |i: u32| {
        let centre = (f64::from(i) + 0.5) * ratio;
        let start = ((centre - support + 0.5) as i64).max(0);
        let end = ((centre + support + 0.5) as i64).min(i64::from(from));
        let at = |index: i64| sinc_window((index as f64 - centre + 0.5) / stretch);
        let weights: Vec<f64> = (start..end).map(at).collect();
        let sum: f64 = weights.iter().sum();
        let fixed = |w: &f64| {
            let scaled = w / sum * f64::from(1 << PRECISION);
            (if *w < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i32
        };
        Fixed {
            start: start as usize,
            weights: weights.iter().map(fixed).collect(),
        }
    };
    (0..to).map(one).collect()
}

fn sinc_window(x: f64) -> f64 {
    let sinc = |x: f64| {
        let x = x * std::f64::consts::PI;
        if x == 0.0 { 1.0 } else { x.sin() / x }
    };
    if (-3.0..3.0).contains(&x) {
        sinc(x) * sinc(x / 3.0)
    } else {
        0.0
    }
}

fn lanczos(frame: &Frame, width: u32, height: u32) -> Frame {
    let channels = usize::from(frame.channels);
    let mut data = frame.to_u8();
    if width != frame.width {
        let weights = lanczos_weights(frame.width, width);
        let mut out = vec![0u8; width as usize * channels * frame.height as usize];
        let rows = out.par_chunks_mut(width as usize * channels);
        let source = data.par_chunks(frame.row_len());
        rows.zip(source)
            .for_each(|(out, row)| lanczos_row(row, &weights, channels, out));
        data = out;
    }
    if height != frame.height {
        let weights = lanczos_weights(frame.height, height);
        let row_len = width as usize * channels;
        let mut out = vec![0u8; row_len * height as usize];
        let rows = out.par_chunks_mut(row_len).zip(&weights);
        rows.for_each(|(out, fixed)| lanczos_column(&data, row_len, fixed, out));
        data = out;
    }
    Frame::new(width, height, frame.channels, Pixels::U8(data))
}

fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

fn lanczos_row(row: &[u8], weights: &[Fixed], channels: usize, out: &mut [u8]) {
    for (pixel, fixed) in out.chunks_mut(channels).zip(weights) {
        let mut sums = [1i32 << (PRECISION - 1); 4];
        let taps = row[fixed.start * channels..].chunks_exact(channels);
        for (tap, &weight) in taps.zip(&fixed.weights) {
            for (sum, &value) in sums.iter_mut().zip(tap) {
                *sum += i32::from(value) * weight;
            }
        }
        for (sample, &sum) in pixel.iter_mut().zip(&sums) {
            *sample = to_byte(sum);
        }
    }
}

fn lanczos_column(data: &[u8], row_len: usize, fixed: &Fixed, out: &mut [u8]) {
    let mut sums = vec![1i32 << (PRECISION - 1); row_len];
    let taps = data[fixed.start * row_len..].chunks_exact(row_len);
    for (row, &weight) in taps.zip(&fixed.weights) {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += i32::from(value) * weight;
        }
    }
    for (sample, &sum) in out.iter_mut().zip(&sums) {
        *sample = to_byte(sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Case {
        width: u32,
        height: u32,
        method: String,
        crop: String,
        sum: f64,
        picks: Vec<(usize, f64)>,
    }

    /// The picture of `tests/reference/resize.py`.
    fn picture() -> Frame {
        let sample = |y: u32, x: u32, c: u32| (x * 37 + y * 91 + c * 53 + x * y % 7 * 19) as u8;
        let row = |y| (0..23).flat_map(move |x| (0..3).map(move |c| sample(y, x, c)));
        Frame::new(23, 17, 3, Pixels::U8((0..17).flat_map(row).collect()))
    }

    #[test]
    fn scaling_is_comfyuis() {
        let text = include_str!("../../../tests/data/resize/golden.json");
        let cases: Vec<Case> = serde_json::from_str(text).unwrap();
        assert_eq!(cases.len(), 40);
        for case in cases {
            let name = format!(
                "{} {} {}×{}",
                case.method, case.crop, case.width, case.height
            );
            let method = Method::named(&case.method).unwrap();
            let size = (case.width, case.height);
            let frame = scale(&picture(), size, method, case.crop == "center");
            assert_eq!((frame.width, frame.height), size, "{name}");
            let out = frame.to_f32();
            // Sixteen bits hold a sample to half of 1/65535; Lanczos is exact in bytes.
            let close = match method {
                Method::Bilinear | Method::Area => 1e-5,
                _ => 1e-6,
            };
            for (index, expected) in case.picks {
                let found = f64::from(out[index]);
                assert!(
                    (found - expected).abs() < close,
                    "{name}: sample {index}: expected {expected}, got {found}"
                );
            }
            let sum: f64 = out.iter().map(|&v| f64::from(v)).sum();
            assert!(
                (sum - case.sum).abs() < 1e-3 + close * out.len() as f64 * 0.5,
                "{name}: {sum} and {}",
                case.sum
            );
        }
    }

    #[test]
    fn a_side_of_zero_keeps_the_shape() {
        assert_eq!(target_size((832, 480), (0, 0)), (832, 480));
        assert_eq!(target_size((832, 480), (0, 240)), (416, 240));
        assert_eq!(target_size((3, 2), (0, 3)), (4, 3));
        assert_eq!(target_size((1000, 1), (10, 0)), (10, 1));
    }
}
