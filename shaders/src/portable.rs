//! Every operation of this crate as ordinary Burn calls.
//!
//! This is what runs on CUDA and Vulkan, and on the CPU for dtypes other than f32. Statistics
//! (means, norms) are taken in f32 whatever the tensors hold; results keep the dtype of `x`.

use burn::tensor::ops::{AttentionModuleOptions, ConvOptions, InterpolateMode, InterpolateOptions};
use burn::tensor::{DType, activation, module};

use crate::{Activation, Tensor};

pub fn linear(
    x: Tensor<3>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    act: Activation,
) -> Tensor<3> {
    let [batch, tokens, inner] = x.dims();
    let outer = weight.dims()[0];
    let mut y = x
        .reshape([batch * tokens, inner])
        .matmul(weight.transpose());
    if let Some(bias) = bias {
        y = y + bias.unsqueeze();
    }
    activate(y, act).reshape([batch, tokens, outer])
}

pub fn activate<const D: usize>(x: Tensor<D>, act: Activation) -> Tensor<D> {
    match act {
        Activation::None => x,
        Activation::GeluTanh => activation::gelu_approximate(x),
        Activation::GeluErf => activation::gelu(x),
        Activation::Silu => activation::silu(x),
    }
}

pub fn softmax_last<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let dtype = x.dtype();
    activation::softmax(x.cast(DType::F32), D - 1).cast(dtype)
}

pub fn attention(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    scale: f32,
    bias: Option<Tensor<4>>,
) -> Tensor<4> {
    let [batch, queries, heads, _] = q.dims();
    let keys = k.dims()[1];
    let bias = bias.map(|bias| bias.expand([batch, heads, queries, keys]));
    let options = AttentionModuleOptions {
        scale: Some(f64::from(scale)),
        softcap: None,
        is_causal: false,
    };
    let heads_first = |x: Tensor<4>| x.swap_dims(1, 2);
    let y = module::attention(
        heads_first(q),
        heads_first(k),
        heads_first(v),
        None,
        bias,
        options,
    );
    y.swap_dims(1, 2)
}

fn normalised(x: Tensor<3>, eps: f64) -> Tensor<3> {
    let x = x.cast(DType::F32);
    let centred = x.clone() - x.mean_dim(2);
    let variance = centred.clone().powi_scalar(2).mean_dim(2);
    centred / (variance + eps).sqrt()
}

pub fn layer_norm_modulate(
    x: Tensor<3>,
    scale: Tensor<3>,
    shift: Tensor<3>,
    eps: f64,
) -> Tensor<3> {
    let dtype = x.dtype();
    let y = normalised(x, eps) * (scale.cast(DType::F32) + 1.0) + shift.cast(DType::F32);
    y.cast(dtype)
}

pub fn layer_norm(
    x: Tensor<3>,
    weight: Option<Tensor<1>>,
    bias: Option<Tensor<1>>,
    eps: f64,
) -> Tensor<3> {
    let dtype = x.dtype();
    let mut y = normalised(x, eps);
    if let Some(weight) = weight {
        y = y * weight.cast(DType::F32).unsqueeze();
    }
    if let Some(bias) = bias {
        y = y + bias.cast(DType::F32).unsqueeze();
    }
    y.cast(dtype)
}

pub fn rms_norm(x: Tensor<3>, weight: Tensor<1>, eps: f64) -> Tensor<3> {
    let dtype = x.dtype();
    let x = x.cast(DType::F32);
    let root = (x.clone().powi_scalar(2).mean_dim(2) + eps).sqrt();
    (x / root * weight.cast(DType::F32).unsqueeze()).cast(dtype)
}

pub fn rope(x: Tensor<4>, cos: Tensor<2>, sin: Tensor<2>) -> Tensor<4> {
    let dtype = x.dtype();
    let [batch, tokens, heads, dim] = x.dims();
    let half = dim / 2;
    let pairs = x.cast(DType::F32).reshape([batch, tokens, heads, half, 2]);
    let table = |t: Tensor<2>| t.cast(DType::F32).reshape([1, tokens, 1, half, 1]);
    let (cos, sin) = (table(cos), table(sin));
    let a = pairs.clone().narrow(4, 0, 1);
    let b = pairs.narrow(4, 1, 1);
    let even = a.clone() * cos.clone() - b.clone() * sin.clone();
    let odd = a * sin + b * cos;
    Tensor::cat(vec![even, odd], 4)
        .reshape([batch, tokens, heads, dim])
        .cast(dtype)
}

pub fn channel_rms_norm_silu(x: Tensor<5>, gamma: Tensor<1>, silu: bool) -> Tensor<5> {
    let dtype = x.dtype();
    let channels = x.dims()[1];
    let x = x.cast(DType::F32);
    let norm = x
        .clone()
        .powi_scalar(2)
        .sum_dim(1)
        .sqrt()
        .clamp_min(crate::norm::CHANNEL_NORM_FLOOR);
    let gamma = gamma.cast(DType::F32).reshape([1, channels, 1, 1, 1]);
    let y = x / norm * (gamma * (channels as f64).sqrt());
    let y = if silu { activation::silu(y) } else { y };
    y.cast(dtype)
}

pub fn causal_conv3d(
    x: Tensor<5>,
    cache: Option<Tensor<5>>,
    weight: Tensor<5>,
    bias: Option<Tensor<1>>,
    stride: [usize; 3],
    spatial_pad: usize,
    time_pad: usize,
) -> Tensor<5> {
    let cached = cache.as_ref().map_or(0, |cache| cache.dims()[2]);
    let zeros = time_pad.saturating_sub(cached);
    let [batch, channels, _, height, width] = x.dims();
    let mut frames = Vec::new();
    if zeros > 0 {
        let shape = [batch, channels, zeros, height, width];
        frames.push(Tensor::zeros(shape, &x.device()).cast(x.dtype()));
    }
    frames.extend(cache);
    let x = if frames.is_empty() {
        x
    } else {
        frames.push(x);
        Tensor::cat(frames, 2)
    };
    let padding = [0, spatial_pad, spatial_pad];
    module::conv3d(
        x,
        weight,
        bias,
        ConvOptions::new(stride, padding, [1; 3], 1),
    )
}

pub fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: [usize; 2],
    padding: [usize; 4],
) -> Tensor<4> {
    let [top, bottom, left, right] = padding;
    let even = top == bottom && left == right;
    let (x, padding) = if even {
        (x, [top, left])
    } else {
        (x.pad((left, right, top, bottom), 0.0_f32), [0, 0])
    };
    module::conv2d(
        x,
        weight,
        bias,
        ConvOptions::new(stride, padding, [1; 2], 1),
    )
}

pub fn upsample_nearest2x_conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let options = InterpolateOptions::new(InterpolateMode::Nearest);
    let big = module::interpolate(x, [2 * height, 2 * width], options);
    conv2d(big, weight, bias, [1, 1], [1; 4])
}
