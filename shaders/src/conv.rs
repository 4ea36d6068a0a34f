//! Convolutions of the video VAEs and of the frame models.

use crate::{Tensor, portable};

/// Convolution over `[batch, channels, time, height, width]` that never looks ahead in time.
///
/// `cache` holds the frames before `x` (0 to 2 on the time axis). `time_pad` is the number of
/// zero frames to the left that there would be without a cache; the cache's frames take their
/// place, so `max(time_pad - cached, 0)` zeros remain. `spatial_pad` zeros lie on all four
/// sides of a frame. `weight` `[out, in, kt, kh, kw]`. (Wan: `CausalConv3d`,
/// `wan/modules/vae2_1.py`.)
pub fn causal_conv3d(
    x: Tensor<5>,
    cache: Option<Tensor<5>>,
    weight: Tensor<5>,
    bias: Option<Tensor<1>>,
    stride: [usize; 3],
    spatial_pad: usize,
    time_pad: usize,
) -> Tensor<5> {
    portable::causal_conv3d(x, cache, weight, bias, stride, spatial_pad, time_pad)
}

/// 2-D convolution; `padding` is zeros at `[top, bottom, left, right]`.
pub fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: [usize; 2],
    padding: [usize; 4],
) -> Tensor<4> {
    portable::conv2d(x, weight, bias, stride, padding)
}

/// Nearest-neighbour enlargement by two, then a 3x3 convolution with one pixel of padding.
pub fn upsample_nearest2x_conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
) -> Tensor<4> {
    portable::upsample_nearest2x_conv2d(x, weight, bias)
}
