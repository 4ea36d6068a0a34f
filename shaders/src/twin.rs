//! The plain twin of each CPU kernel: naive loops over row-major slices, sums in f64.
//!
//! They define what the kernels compute; tests here and in the models compare against them.

use crate::Activation;

/// See [`crate::activate`]. The error function is the series and continued fraction of
/// Abramowitz and Stegun 7.1.6 and 7.1.14, to double precision.
pub fn activate(x: f32, act: Activation) -> f32 {
    let x = f64::from(x);
    let y = match act {
        Activation::None => x,
        Activation::GeluTanh => {
            let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
            0.5 * x * (1.0 + u.tanh())
        }
        Activation::GeluErf => 0.5 * x * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2)),
        Activation::Silu => x / (1.0 + (-x).exp()),
    };
    y as f32
}

fn erf(x: f64) -> f64 {
    let two_over_root_pi = std::f64::consts::FRAC_2_SQRT_PI;
    if x.abs() > 3.0 {
        let fraction = (1..60)
            .rev()
            .fold(x.abs(), |f, n| x.abs() + f64::from(n) / 2.0 / f);
        return x.signum() * (1.0 - (-x * x).exp() / fraction * two_over_root_pi / 2.0);
    }
    let mut term = x;
    let mut sum = x;
    for n in 1..100 {
        term *= 2.0 * x * x / f64::from(2 * n + 1);
        sum += term;
    }
    two_over_root_pi * (-x * x).exp() * sum
}

/// See [`crate::linear_act`]: `x` `[rows, inner]`, `weight` `[outer, inner]`.
pub fn linear(
    x: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    inner: usize,
    act: Activation,
) -> Vec<f32> {
    let mut out = Vec::new();
    for row in x.chunks(inner) {
        for (o, weight) in weight.chunks(inner).enumerate() {
            let sum: f64 = row
                .iter()
                .zip(weight)
                .map(|(&a, &b)| f64::from(a) * f64::from(b))
                .sum();
            let bias = bias.map_or(0.0, |bias| f64::from(bias[o]));
            out.push(activate((sum + bias) as f32, act));
        }
    }
    out
}

/// See [`crate::softmax_last`].
pub fn softmax(x: &[f32], width: usize) -> Vec<f32> {
    let mut out = Vec::new();
    for row in x.chunks(width) {
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let exps: Vec<f64> = row.iter().map(|&x| f64::from(x - top).exp()).collect();
        let total: f64 = exps.iter().sum();
        out.extend(exps.iter().map(|e| (e / total) as f32));
    }
    out
}

/// See [`crate::attention`]: `shape` is `[batch, queries, heads, dim]`, `bias` has `batch` or
/// one item.
pub fn attention(
    [q, k, v]: [&[f32]; 3],
    shape: [usize; 4],
    keys: usize,
    scale: f32,
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let [batch, queries, heads, dim] = shape;
    let mut out = vec![0.0; q.len()];
    let at = |tokens: usize, b: usize, t: usize, h: usize| ((b * tokens + t) * heads + h) * dim;
    for b in 0..batch {
        for h in 0..heads {
            for i in 0..queries {
                let query = &q[at(queries, b, i, h)..][..dim];
                let score = |j: usize| {
                    let key = &k[at(keys, b, j, h)..][..dim];
                    let dot: f64 = query
                        .iter()
                        .zip(key)
                        .map(|(&a, &b)| f64::from(a) * f64::from(b))
                        .sum();
                    let index = ((b * heads + h) * queries + i) * keys + j;
                    let bias = bias.map_or(0.0, |bias| f64::from(bias[index % bias.len()]));
                    (dot * f64::from(scale) + bias) as f32
                };
                let weights = softmax(&(0..keys).map(score).collect::<Vec<_>>(), keys);
                for d in 0..dim {
                    let value = |j: usize| f64::from(v[at(keys, b, j, h) + d]);
                    let sum: f64 = weights
                        .iter()
                        .enumerate()
                        .map(|(j, &w)| f64::from(w) * value(j))
                        .sum();
                    out[at(queries, b, i, h) + d] = sum as f32;
                }
            }
        }
    }
    out
}

/// Layer norm without parameters; see [`crate::layer_norm`].
pub fn layer_norm(x: &[f32], width: usize, eps: f64) -> Vec<f32> {
    let mut out = Vec::new();
    for row in x.chunks(width) {
        let count = width as f64;
        let mean = row.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        let variance = row
            .iter()
            .map(|&x| (f64::from(x) - mean).powi(2))
            .sum::<f64>()
            / count;
        let normal = |&x: &f32| ((f64::from(x) - mean) / (variance + eps).sqrt()) as f32;
        out.extend(row.iter().map(normal));
    }
    out
}

/// See [`crate::rms_norm`].
pub fn rms_norm(x: &[f32], weight: &[f32], eps: f64) -> Vec<f32> {
    let mut out = Vec::new();
    for row in x.chunks(weight.len()) {
        let mean = row.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / row.len() as f64;
        let normal =
            |(&x, &w): (&f32, &f32)| (f64::from(x) / (mean + eps).sqrt() * f64::from(w)) as f32;
        out.extend(row.iter().zip(weight).map(normal));
    }
    out
}

/// See [`crate::rope`]: `x` `[batch, tokens, heads, dim]`, tables `[tokens, dim / 2]`.
pub fn rope(x: &[f32], cos: &[f32], sin: &[f32], heads: usize, dim: usize) -> Vec<f32> {
    let mut out = x.to_vec();
    for (i, pair) in out.chunks_mut(2).enumerate() {
        let (head, j) = (i / (dim / 2), i % (dim / 2));
        let at = (head / heads * (dim / 2) + j) % cos.len();
        let (a, b) = (pair[0], pair[1]);
        pair[0] = a * cos[at] - b * sin[at];
        pair[1] = a * sin[at] + b * cos[at];
    }
    out
}

/// See [`crate::channel_rms_norm_silu`]: `x` `[batch, gamma.len(), plane]`.
pub fn channel_rms_norm(x: &[f32], gamma: &[f32], plane: usize, silu: bool) -> Vec<f32> {
    let channels = gamma.len();
    let mut out = vec![0.0; x.len()];
    for (item, x) in x.chunks(channels * plane).enumerate() {
        for i in 0..plane {
            let squares = (0..channels).map(|c| f64::from(x[c * plane + i]).powi(2));
            let norm = squares.sum::<f64>().sqrt().max(1e-12);
            for c in 0..channels {
                let k = (channels as f64).sqrt() * f64::from(gamma[c]) / norm;
                let y = (f64::from(x[c * plane + i]) * k) as f32;
                let act = if silu {
                    Activation::Silu
                } else {
                    Activation::None
                };
                out[(item * channels + c) * plane + i] = activate(y, act);
            }
        }
    }
    out
}

/// A convolution over `[batch, channels, time, height, width]`; see [`conv3d`].
pub struct Conv {
    pub x: [usize; 5],
    pub weight: [usize; 5],
    pub stride: [usize; 3],
    /// Zeros before and after each of time, height, width.
    pub padding: [[usize; 2]; 3],
}

impl Conv {
    pub fn out(&self) -> [usize; 5] {
        let side = |i: usize| {
            let [before, after] = self.padding[i];
            (self.x[2 + i] + before + after - self.weight[2 + i]) / self.stride[i] + 1
        };
        [self.x[0], self.weight[0], side(0), side(1), side(2)]
    }
}

/// Direct convolution; see [`crate::causal_conv3d`] and [`crate::conv2d`].
pub fn conv3d(x: &[f32], weight: &[f32], bias: Option<&[f32]>, conv: &Conv) -> Vec<f32> {
    let [batch, outer, out_t, out_h, out_w] = conv.out();
    let mut out = Vec::new();
    for i in 0..batch * outer * out_t * out_h * out_w {
        let (px, rest) = (i % out_w, i / out_w);
        let (py, rest) = (rest % out_h, rest / out_h);
        let (pt, rest) = (rest % out_t, rest / out_t);
        let (o, b) = (rest % outer, rest / outer);
        let bias = bias.map_or(0.0, |bias| f64::from(bias[o]));
        out.push((bias + window(x, weight, conv, b, o, [pt, py, px])) as f32);
    }
    out
}

fn window(x: &[f32], weight: &[f32], conv: &Conv, b: usize, o: usize, at: [usize; 3]) -> f64 {
    let [_, channels, time, height, width] = conv.x;
    let [_, _, kt, kh, kw] = conv.weight;
    let mut sum = 0.0;
    for c in 0..channels {
        for tap in 0..kt * kh * kw {
            let tap3 = [tap / (kh * kw), tap / kw % kh, tap % kw];
            let side = |i: usize, size: usize| {
                let source = at[i] * conv.stride[i] + tap3[i];
                source.checked_sub(conv.padding[i][0]).filter(|&s| s < size)
            };
            let (Some(t), Some(y), Some(x_)) = (side(0, time), side(1, height), side(2, width))
            else {
                continue;
            };
            let value = x[(((b * channels + c) * time + t) * height + y) * width + x_];
            let w = weight[(o * channels + c) * kt * kh * kw + tap];
            sum += f64::from(value) * f64::from(w);
        }
    }
    sum
}
