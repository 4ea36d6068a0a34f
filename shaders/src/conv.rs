//! Convolutions of the video VAEs and of the frame models.

#![allow(
    unsafe_code,
    reason = "tiles of one buffer, written by several workers"
)]

use std::mem::MaybeUninit;

use rayon::prelude::*;

use crate::blas::{Kind, Operand, multiply};
use crate::host::{self, Shared, Values};
use crate::im2col::{Frames, Windows};
use crate::{Tensor, portable, simd};

/// Floats of gathered windows per worker (2 MiB).
const COLUMNS: usize = 512 * 1024;

/// Convolution over `[batch, channels, time, height, width]` that never looks ahead in time.
///
/// `cache` holds the frames before `x` (0 to 2 on the time axis). `time_pad` is the number of
/// zero frames to the left that there would be without a cache; the cache's frames take their
/// place, so `max(time_pad - cached, 0)` zeros remain. `spatial_pad` zeros lie on all four
/// sides of a frame. `weight` `[out, in, kt, kh, kw]`. (Wan: `CausalConv3d`,
/// `wan/modules/vae2_1.py`.) Workspace: see [`conv_workspace`].
pub fn causal_conv3d(
    x: Tensor<5>,
    cache: Option<Tensor<5>>,
    weight: Tensor<5>,
    bias: Option<Tensor<1>>,
    stride: [usize; 3],
    spatial_pad: usize,
    time_pad: usize,
) -> Tensor<5> {
    let [batch, channels, time, height, width] = x.dims();
    let [out_channels, inner, kt, kh, kw] = weight.dims();
    assert_eq!(
        channels,
        inner,
        "causal_conv3d: x {:?}, weight {:?}",
        x.dims(),
        weight.dims()
    );
    let cache = cache.filter(|cache| cache.dims()[2] > 0);
    if let Some(cache) = &cache {
        let [b, c, _, h, w] = cache.dims();
        let same = [b, c, h, w] == [batch, channels, height, width];
        assert!(
            same,
            "causal_conv3d: cache {:?} before x {:?}",
            cache.dims(),
            x.dims()
        );
    }
    let ours = host::has(&x)
        && host::has_opt(cache.as_ref())
        && host::has(&weight)
        && host::has_opt(bias.as_ref());
    if !ours {
        return portable::causal_conv3d(x, cache, weight, bias, stride, spatial_pad, time_pad);
    }
    let cached = cache.as_ref().map_or(0, |cache| cache.dims()[2]);
    let (x, cache) = (Values::of(x), cache.map(Values::of));
    let (weight, bias) = (Values::of(weight), bias.map(Values::of));
    let zeros = time_pad.saturating_sub(cached);
    let frames = Frames {
        zeros,
        cache: cache.as_ref(),
        cached,
        x: &x,
        time,
        channels,
        height,
        width,
    };
    let windows = Windows {
        kernel: [kt, kh, kw],
        stride,
        top: spatial_pad,
        left: spatial_pad,
        out: [
            outputs(frames.total(), kt, stride[0], "time"),
            outputs(height + 2 * spatial_pad, kh, stride[1], "height"),
            outputs(width + 2 * spatial_pad, kw, stride[2], "width"),
        ],
    };
    let [out_t, out_h, out_w] = windows.out;
    let out = convolve(
        &frames,
        batch,
        windows,
        &weight,
        bias.as_deref(),
        out_channels,
    );
    host::give_values(out, [batch, out_channels, out_t, out_h, out_w])
}

/// 2-D convolution; `padding` is zeros at `[top, bottom, left, right]`.
///
/// `x` `[batch, in, height, width]`, `weight` `[out, in, kh, kw]`. Workspace: see
/// [`conv_workspace`].
pub fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: [usize; 2],
    padding: [usize; 4],
) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let [out_channels, inner, kh, kw] = weight.dims();
    assert_eq!(
        channels,
        inner,
        "conv2d: x {:?}, weight {:?}",
        x.dims(),
        weight.dims()
    );
    if !(host::has(&x) && host::has(&weight) && host::has_opt(bias.as_ref())) {
        return portable::conv2d(x, weight, bias, stride, padding);
    }
    let (x, weight, bias) = (Values::of(x), Values::of(weight), bias.map(Values::of));
    let [top, bottom, left, right] = padding;
    let windows = Windows {
        kernel: [1, kh, kw],
        stride: [1, stride[0], stride[1]],
        top,
        left,
        out: [
            1,
            outputs(height + top + bottom, kh, stride[0], "height"),
            outputs(width + left + right, kw, stride[1], "width"),
        ],
    };
    let frames = single_frames(&x, channels, height, width);
    let [_, out_h, out_w] = windows.out;
    let out = convolve(
        &frames,
        batch,
        windows,
        &weight,
        bias.as_deref(),
        out_channels,
    );
    host::give_values(out, [batch, out_channels, out_h, out_w])
}

/// Bytes of scratch that the convolutions take on the CPU besides their result, with `threads`
/// workers, for windows of `depth` = channels x kernel values: gathered windows, at most 2 MiB
/// per worker or 16 windows if those are larger. Kernels of one value need none;
/// [`upsample_nearest2x_conv2d`] adds one tile of results, at most as much again.
pub fn conv_workspace(depth: usize, threads: usize) -> usize {
    threads * tile_len(depth, usize::MAX) * depth * size_of::<f32>()
}

fn outputs(size: usize, kernel: usize, stride: usize, axis: &str) -> usize {
    assert!(
        size >= kernel,
        "convolution: {size} padded values of {axis} for a kernel of {kernel}"
    );
    (size - kernel) / stride + 1
}

fn single_frames(x: &Values, channels: usize, height: usize, width: usize) -> Frames<'_> {
    Frames {
        zeros: 0,
        cache: None,
        cached: 0,
        x,
        time: 1,
        channels,
        height,
        width,
    }
}

/// Output positions of one tile.
fn tile_len(depth: usize, positions: usize) -> usize {
    (COLUMNS / depth)
        .next_multiple_of(16)
        .clamp(16, 4096)
        .min(positions)
}

/// The positions one tile covers, small enough that every worker gets some.
fn tile_for(depth: usize, positions: usize, batch: usize) -> usize {
    let share = (batch * positions).div_ceil(2 * rayon::current_num_threads());
    tile_len(depth, positions)
        .min(share.next_multiple_of(16))
        .min(positions)
}

fn convolve(
    frames: &Frames<'_>,
    batch: usize,
    windows: Windows,
    weight: &[f32],
    bias: Option<&[f32]>,
    out_channels: usize,
) -> Vec<f32> {
    let (depth, positions) = (windows.depth(frames.channels), windows.positions());
    let pointwise = windows.kernel == [1; 3]
        && windows.stride == [1; 3]
        && frames.total() == frames.time
        && windows.out == [frames.time, frames.height, frames.width];
    let mut out = host::uninit(batch * out_channels * positions);
    let shared = Shared::new(&mut out);
    let tile = tile_for(depth, positions, batch);
    let tiles = positions.div_ceil(tile);
    let columns = || host::uninit(if pointwise { 0 } else { depth * tile });
    let work = |columns: &mut Vec<MaybeUninit<f32>>, i: usize| {
        let (item, first) = (i / tiles, i % tiles * tile);
        let len = tile.min(positions - first);
        let right = if pointwise {
            Operand::new(&frames.x[item * depth * positions + first..], positions)
        } else {
            let columns = &mut columns[..depth * len];
            Operand::new(windows.gather(frames, item, first, len, columns), len)
        };
        let at = item * out_channels * positions + first;
        let left = Operand::new(weight, depth);
        let size = [out_channels, len, depth];
        let c = shared.rectangle(at, out_channels, len, positions);
        // SAFETY: every tile has its own positions, and the product writes them before bias is added.
        unsafe {
            multiply(Kind::Convolution, size, 1.0, left, right, 0.0, c, positions);
            for (channel, &bias) in bias.into_iter().flatten().enumerate() {
                simd::add_value(shared.slice(at + channel * positions, len), bias);
            }
        }
    };
    (0..batch * tiles)
        .into_par_iter()
        .with_max_len(1)
        .for_each_init(columns, work);
    // SAFETY: the tiles cover all positions of all channels.
    unsafe { host::written(out) }
}

/// Nearest-neighbour enlargement by two, then a 3x3 convolution with one pixel of padding.
///
/// `x` `[batch, in, height, width]`, `weight` `[out, in, 3, 3]`. Each of the four pixels that
/// come from one sees only 2x2 distinct inputs, so the kernel is summed into four 2x2 kernels
/// and the large image is never made: 4/9 of the products. Workspace: see [`conv_workspace`]
/// with `4 in`, twice.
pub fn upsample_nearest2x_conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let [out_channels, ..] = weight.dims();
    assert_eq!(
        weight.dims(),
        [out_channels, channels, 3, 3],
        "upsample_nearest2x_conv2d: weight for x {:?}",
        x.dims()
    );
    if !(host::has(&x) && host::has(&weight) && host::has_opt(bias.as_ref())) {
        return portable::upsample_nearest2x_conv2d(x, weight, bias);
    }
    let (x, weight, bias) = (Values::of(x), Values::of(weight), bias.map(Values::of));
    let run = Upsample {
        frames: single_frames(&x, channels, height, width),
        weights: std::array::from_fn(|phase| phase_weights(&weight, phase / 2, phase % 2)),
        bias: bias.as_deref(),
        out_channels,
    };
    let (depth, positions) = (4 * channels, height * width);
    let tile = tile_for(depth.max(out_channels), positions, batch);
    let tiles = positions.div_ceil(tile);
    let mut out = host::uninit(batch * out_channels * 4 * positions);
    let shared = Shared::new(&mut out);
    let scratch = || {
        (
            host::uninit(depth * tile),
            host::uninit(out_channels * tile),
        )
    };
    (0..batch * tiles)
        .into_par_iter()
        .with_max_len(1)
        .for_each_init(scratch, |scratch, i| {
            let (item, first) = (i / tiles, i % tiles * tile);
            let len = tile.min(positions - first);
            for phase in 0..4 {
                run.tile(item, first, len, phase, scratch, shared);
            }
        });
    // SAFETY: the four phases of the tiles cover all pixels of all channels.
    let out = unsafe { host::written(out) };
    host::give_values(out, [batch, out_channels, 2 * height, 2 * width])
}

struct Upsample<'a> {
    frames: Frames<'a>,
    /// `[out, in, 2, 2]` for the four positions of a pixel within its square.
    weights: [Vec<f32>; 4],
    bias: Option<&'a [f32]>,
    out_channels: usize,
}

impl Upsample<'_> {
    fn tile(
        &self,
        item: usize,
        first: usize,
        len: usize,
        phase: usize,
        (columns, results): &mut (Vec<MaybeUninit<f32>>, Vec<MaybeUninit<f32>>),
        out: Shared<'_>,
    ) {
        let Frames {
            height,
            width,
            channels,
            ..
        } = self.frames;
        let (py, px) = (phase / 2, phase % 2);
        let windows = Windows {
            kernel: [1, 2, 2],
            stride: [1; 3],
            top: 1 - py,
            left: 1 - px,
            out: [1, height, width],
        };
        let depth = 4 * channels;
        let columns = &mut columns[..depth * len];
        let columns = windows.gather(&self.frames, item, first, len, columns);
        let (left, right) = (
            Operand::new(&self.weights[phase], depth),
            Operand::new(columns, len),
        );
        let size = [self.out_channels, len, depth];
        let results = &mut results[..self.out_channels * len];
        let c = results.as_mut_ptr().cast();
        // SAFETY: the tile of results is this worker's own, and is written as a whole.
        let results = unsafe {
            multiply(Kind::Convolution, size, 1.0, left, right, 0.0, c, len);
            host::written_slice(results)
        };
        for channel in 0..self.out_channels {
            let row = &mut results[channel * len..(channel + 1) * len];
            if let Some(bias) = self.bias {
                simd::add_value(row, bias[channel]);
            }
            let plane = (item * self.out_channels + channel) * 4 * height * width;
            for (i, &value) in row.iter().enumerate() {
                let (y, x) = ((first + i) / width, (first + i) % width);
                let at = plane + (2 * y + py) * 2 * width + 2 * x + px;
                // SAFETY: no other tile or phase writes this pixel.
                unsafe { out.write(at, value) };
            }
        }
    }
}

/// Sums a `[.., 3, 3]` kernel into the `[.., 2, 2]` one that the pixel `(py, px)` of each 2x2
/// square sees: its three rows fall on two source rows, 1 + 2 above or 2 + 1 below.
fn phase_weights(weight: &[f32], py: usize, px: usize) -> Vec<f32> {
    let mut sums = vec![0.0; weight.len() / 9 * 4];
    for (kernel, sum) in weight.chunks(9).zip(sums.chunks_mut(4)) {
        for (tap, &w) in kernel.iter().enumerate() {
            let (y, x) = ((tap / 3 + py).div_ceil(2), (tap % 3 + px).div_ceil(2));
            sum[(y - py) * 2 + (x - px)] += w;
        }
    }
    sums
}
