//! Filter weights along one axis, and resampling a frame with one set of weights per axis.
//!
//! Every output row is made on its own: source rows are mixed into one row of floats, then that
//! row is resampled across. Rows are spread over the processors.

use longtake_run::{Frame, Pixels};
use rayon::prelude::*;

/// For every output position: where its taps start in the source, and their weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// First source index of each output's taps; `start + taps` never leaves the source.
    pub starts: Vec<u32>,
    /// Taps per output.
    pub taps: usize,
    /// `[outputs, taps]`.
    pub weights: Vec<f32>,
}

impl Axis {
    /// From the taps of each output. Indices outside `0..len` mean the nearest edge.
    pub fn new(len: u32, outputs: &[Vec<(i64, f64)>]) -> Self {
        let last = i64::from(len) - 1;
        let span = |taps: &Vec<(i64, f64)>| {
            let ends = taps.iter().map(|tap| tap.0.clamp(0, last));
            (ends.clone().min().unwrap_or(0), ends.max().unwrap_or(0))
        };
        let spans: Vec<(i64, i64)> = outputs.iter().map(span).collect();
        let taps = spans.iter().map(|it| it.1 - it.0 + 1).max().unwrap_or(1) as usize;
        let mut starts = Vec::with_capacity(outputs.len());
        let mut weights = vec![0.0f32; outputs.len() * taps];
        for ((output, span), row) in outputs.iter().zip(&spans).zip(weights.chunks_mut(taps)) {
            let start = span.0.min(i64::from(len) - taps as i64);
            starts.push(start as u32);
            for &(index, weight) in output {
                row[(index.clamp(0, last) - start) as usize] += weight as f32;
            }
        }
        Self {
            starts,
            taps,
            weights,
        }
    }

    /// Number of outputs.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there are no outputs.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    fn weights_of(&self, output: usize) -> &[f32] {
        &self.weights[output * self.taps..(output + 1) * self.taps]
    }
}

/// Depth of a resampled frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// As the source.
    Same,
    /// 16 bits; floats stay floats.
    Deep,
    /// Floats: values outside 0..1 are kept.
    Float,
}

/// 2²³: a float that has it added is rounded, and its lowest bits are the whole number. A plain
/// cast looks for NaN in every sample, which costs three times as much.
const ROUND: f32 = 8_388_608.0;

/// A sample type, in its own unit.
trait Sample: Copy + Default + Send + Sync {
    /// What stands for 1.0.
    const ONE: f32;
    fn float(self) -> f32;
    fn of(value: f32) -> Self;
}

impl Sample for u8 {
    const ONE: f32 = 255.0;
    #[inline(always)]
    fn float(self) -> f32 {
        f32::from(self)
    }
    #[inline(always)]
    fn of(value: f32) -> Self {
        (value.clamp(0.0, 255.0) + ROUND).to_bits() as u8
    }
}

impl Sample for u16 {
    const ONE: f32 = 65535.0;
    #[inline(always)]
    fn float(self) -> f32 {
        f32::from(self)
    }
    #[inline(always)]
    fn of(value: f32) -> Self {
        (value.clamp(0.0, 65535.0) + ROUND).to_bits() as u16
    }
}

impl Sample for f32 {
    const ONE: f32 = 1.0;
    #[inline(always)]
    fn float(self) -> f32 {
        self
    }
    #[inline(always)]
    fn of(value: f32) -> Self {
        value
    }
}

/// A frame resampled to `across.len() × down.len()`.
pub fn resample(frame: &Frame, across: &Axis, down: &Axis, depth: Depth) -> Frame {
    let channels = usize::from(frame.channels);
    let pixels = match (&*frame.pixels, depth) {
        (Pixels::U8(data), Depth::Same) => Pixels::U8(pass(data, frame, across, down)),
        (Pixels::U8(data), Depth::Deep) => Pixels::U16(pass(data, frame, across, down)),
        (Pixels::U8(data), Depth::Float) => Pixels::F32(pass(data, frame, across, down)),
        (Pixels::U16(data), Depth::Float) => Pixels::F32(pass(data, frame, across, down)),
        (Pixels::U16(data), _) => Pixels::U16(pass(data, frame, across, down)),
        (Pixels::F32(data), _) => Pixels::F32(pass(data, frame, across, down)),
    };
    Frame::new(
        across.len() as u32,
        down.len() as u32,
        channels as u8,
        pixels,
    )
}

/// Output rows handed to a thread at once: enough that a thread's two row buffers are reused.
const ROWS: usize = 16;

fn pass<S: Sample, T: Sample>(data: &[S], frame: &Frame, across: &Axis, down: &Axis) -> Vec<T> {
    let (row_len, channels) = (frame.row_len(), usize::from(frame.channels));
    let out_len = across.len() * channels;
    let mut out = vec![T::default(); out_len * down.len()];
    let factor = T::ONE / S::ONE;
    let work = |(block, rows): (usize, &mut [T])| {
        // Four samples are read and written at a time: room for what hangs over the end.
        let mut mixed = vec![0.0f32; row_len + 4];
        let mut spread = vec![0.0f32; out_len + 4];
        for (offset, row) in rows.chunks_mut(out_len).enumerate() {
            let y = block * ROWS + offset;
            let start = down.starts[y] as usize;
            mix_rows(
                &data[start * row_len..],
                row_len,
                down.weights_of(y),
                &mut mixed,
            );
            match channels {
                3 => across_pixels::<3>(&mixed, across, &mut spread),
                4 => across_pixels::<4>(&mixed, across, &mut spread),
                _ => across_grey(&mixed, across, &mut spread),
            }
            for (sample, &value) in row.iter_mut().zip(&spread) {
                *sample = T::of(value * factor);
            }
        }
    };
    out.par_chunks_mut(out_len * ROWS)
        .enumerate()
        .for_each(work);
    out
}

/// Weighted sum of consecutive rows. Rows of no weight are not read.
fn mix_rows<S: Sample>(data: &[S], row_len: usize, weights: &[f32], out: &mut [f32]) {
    let rows: Vec<(&[S], f32)> = weights
        .iter()
        .enumerate()
        .filter(|it| *it.1 != 0.0)
        .map(|(t, &w)| (&data[t * row_len..(t + 1) * row_len], w))
        .collect();
    let out = &mut out[..row_len];
    let mut first = true;
    for group in rows.chunks(4) {
        // One walk over the output for up to four rows.
        match group {
            [(a, wa), (b, wb), (c, wc), (d, wd)] => {
                let four = a.iter().zip(*b).zip(c.iter().zip(*d));
                for (sum, ((&a, &b), (&c, &d))) in out.iter_mut().zip(four) {
                    let value = a.float() * wa + b.float() * wb + c.float() * wc + d.float() * wd;
                    *sum = if first { value } else { *sum + value };
                }
            }
            [(a, wa), (b, wb), rest @ ..] => {
                for (sum, (&a, &b)) in out.iter_mut().zip(a.iter().zip(*b)) {
                    let value = a.float() * wa + b.float() * wb;
                    *sum = if first { value } else { *sum + value };
                }
                for (c, wc) in rest {
                    for (sum, &c) in out.iter_mut().zip(*c) {
                        *sum += c.float() * wc;
                    }
                }
            }
            [(a, wa)] => {
                for (sum, &a) in out.iter_mut().zip(*a) {
                    let value = a.float() * wa;
                    *sum = if first { value } else { *sum + value };
                }
            }
            [] => {}
        }
        first = false;
    }
    if first {
        out.fill(0.0);
    }
}

/// A row of `C`-sample pixels. Common numbers of taps are unrolled, since this is where the time of
/// a camera move goes.
fn across_pixels<const C: usize>(row: &[f32], axis: &Axis, out: &mut [f32]) {
    match axis.taps {
        2 => across_taps::<C, 2>(row, axis, out),
        4 => across_taps::<C, 4>(row, axis, out),
        5 => across_taps::<C, 5>(row, axis, out),
        6 => across_taps::<C, 6>(row, axis, out),
        7 => across_taps::<C, 7>(row, axis, out),
        8 => across_taps::<C, 8>(row, axis, out),
        _ => across_any::<C>(row, axis, out),
    }
}

fn across_taps<const C: usize, const T: usize>(row: &[f32], axis: &Axis, out: &mut [f32]) {
    let outputs = axis.starts.iter().zip(axis.weights.as_chunks::<T>().0);
    for ((&start, weights), pixel) in outputs.zip(out.as_chunks_mut::<C>().0) {
        let source = row[start as usize * C..].as_chunks::<C>().0;
        let Some(source) = source.first_chunk::<T>() else {
            return; // an axis's taps lie within its source
        };
        let mut sum = [0.0f32; C];
        for (tap, weight) in source.iter().zip(weights) {
            for (sum, value) in sum.iter_mut().zip(tap) {
                *sum += value * weight;
            }
        }
        *pixel = sum;
    }
}

/// Any number of taps. The fourth lane of a three-sample pixel is the next pixel's first sample; its
/// result is overwritten by that pixel's own.
fn across_any<const C: usize>(row: &[f32], axis: &Axis, out: &mut [f32]) {
    for x in 0..axis.len() {
        let mut sum = [0.0f32; 4];
        let start = axis.starts[x] as usize * C;
        let taps = row[start..].windows(4).step_by(C);
        for (pixel, &weight) in taps.zip(axis.weights_of(x)) {
            for (sum, &value) in sum.iter_mut().zip(pixel) {
                *sum += value * weight;
            }
        }
        out[x * C..x * C + 4].copy_from_slice(&sum);
    }
}

fn across_grey(row: &[f32], axis: &Axis, out: &mut [f32]) {
    let outputs = axis.starts.iter().zip(axis.weights.chunks_exact(axis.taps));
    for (sample, (&start, weights)) in out.iter_mut().zip(outputs) {
        let taps = row[start as usize..].iter().zip(weights);
        *sample = taps.map(|(value, weight)| value * weight).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_repeated_and_equal_frames_stay_equal() {
        let taps = |i: i64| vec![(i - 1, 0.25), (i, 0.5), (i + 1, 0.25)];
        let axis = Axis::new(5, &(0..5).map(taps).collect::<Vec<_>>());
        assert_eq!(
            (axis.starts.as_slice(), axis.taps),
            ([0, 0, 1, 2, 2].as_slice(), 3)
        );
        assert_eq!(axis.weights[..3], [0.75, 0.25, 0.0]);
        for channels in [1u8, 3, 4] {
            let frame = Frame::new(
                5,
                5,
                channels,
                Pixels::U8(vec![77; 25 * usize::from(channels)]),
            );
            assert_eq!(resample(&frame, &axis, &axis, Depth::Same), frame);
        }
    }
}
