//! Every CPU kernel against its plain twin, over odd sizes, with the system BLAS and without,
//! on buffers that may be reused and on buffers that may not.

use burn::DispatchDevice;
use burn::tensor::TensorData;
use longtake_shaders::{self as shaders, Activation, Tensor, twin};

const ACTIVATIONS: [Activation; 4] = [
    Activation::None,
    Activation::GeluTanh,
    Activation::GeluErf,
    Activation::Silu,
];

/// Seeded values in [-1, 1) (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn values(&mut self, len: usize) -> Vec<f32> {
        (0..len)
            .map(|_| (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0)
            .collect()
    }

    fn pick(&mut self, from: usize, to: usize) -> usize {
        from + self.next() as usize % (to - from)
    }
}

fn tensor<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<D> {
    let device = DispatchDevice::Flex(burn::backend::flex::FlexDevice);
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &device)
}

fn values<const D: usize>(x: &Tensor<D>) -> Vec<f32> {
    x.to_data().to_vec().expect("f32 values")
}

/// Largest difference relative to the largest value of `want`.
#[track_caller]
fn close(got: &[f32], want: &[f32], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    let top = want.iter().fold(1e-6_f32, |m, x| m.max(x.abs()));
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!(
            (g - w).abs() <= 1e-5 * top,
            "{what}: [{i}] is {g}, expected {w} (largest {top})"
        );
    }
}

fn with_and_without_blas(test: impl Fn(&str)) {
    for (on, name) in [(true, "blas"), (false, "gemm")] {
        shaders::use_blas(on);
        test(name);
    }
    shaders::use_blas(true);
}

#[test]
fn linear_layers() {
    with_and_without_blas(|blas| {
        let mut random = Random(1);
        for (rows, inner, outer) in [
            (1, 1, 1),
            (1, 256, 96),
            (3, 7, 5),
            (77, 33, 131),
            (130, 64, 1300),
            (1100, 19, 70),
        ] {
            let (x, w) = (random.values(rows * inner), random.values(outer * inner));
            let b = random.values(outer);
            for act in ACTIVATIONS {
                for bias in [None, Some(&b[..])] {
                    let got = shaders::linear_act(
                        tensor(&x, [1, rows, inner]),
                        tensor(&w, [outer, inner]),
                        bias.map(|b| tensor(b, [outer])),
                        act,
                    );
                    let want = twin::linear(&x, &w, bias, inner, act);
                    close(
                        &values(&got),
                        &want,
                        &format!("{blas} {rows}x{inner}x{outer} {act:?}"),
                    );
                }
            }
        }
    });
}

#[test]
fn linear_reads_transposed_views() {
    let mut random = Random(2);
    let (x, w) = (random.values(2 * 5 * 8), random.values(8 * 6));
    let weight = tensor(&w, [8, 6]).transpose();
    let got = shaders::linear(tensor(&x, [2, 5, 8]), weight.clone(), None);
    let want = twin::linear(&x, &values(&weight), None, 8, Activation::None);
    close(&values(&got), &want, "transposed weight");
}

#[test]
fn attention_of_all_sizes() {
    with_and_without_blas(|blas| {
        let mut random = Random(3);
        for (shape, keys) in [
            ([1, 1, 1, 1], 1),
            ([2, 5, 3, 8], 7),
            ([1, 300, 2, 16], 40),
            ([2, 33, 2, 24], 1030),
            ([1, 9, 1, 40], 2500),
            ([1, 8200, 1, 4], 300),
        ] {
            let [batch, queries, heads, dim] = shape;
            let q = random.values(batch * queries * heads * dim);
            let k = random.values(batch * keys * heads * dim);
            let v = random.values(batch * keys * heads * dim);
            for bias_batch in [0, 1, batch] {
                let mut bias = random.values(bias_batch * heads * queries * keys);
                for b in &mut bias {
                    *b *= 20.0;
                }
                let bias = (bias_batch > 0).then_some(bias);
                let got = shaders::attention(
                    tensor(&q, shape),
                    tensor(&k, [batch, keys, heads, dim]),
                    tensor(&v, [batch, keys, heads, dim]),
                    0.7,
                    bias.as_ref()
                        .map(|b| tensor(b, [bias_batch, heads, queries, keys])),
                );
                let want = twin::attention([&q, &k, &v], shape, keys, 0.7, bias.as_deref());
                close(
                    &values(&got),
                    &want,
                    &format!("{blas} {shape:?} {keys} {bias_batch}"),
                );
            }
        }
    });
}

#[test]
fn attention_reads_slices_of_one_projection() {
    let mut random = Random(4);
    let all = tensor(&random.values(2 * 6 * 3 * 2 * 8), [2, 6, 6, 8]);
    let part = |i: usize| all.clone().narrow(2, 2 * i, 2);
    let copy = |i: usize| values(&part(i));
    let got = shaders::attention(part(0), part(1), part(2), 1.0, None);
    let want = twin::attention([&copy(0), &copy(1), &copy(2)], [2, 6, 2, 8], 6, 1.0, None);
    close(&values(&got), &want, "slices");
}

#[test]
fn a_masked_key_has_no_weight() {
    let (q, k) = ([1.0, 2.0], [0.5, -0.5, 3.0, 1.0]);
    let bias = tensor(&[0.0, f32::NEG_INFINITY], [1, 1, 1, 2]);
    let k = tensor(&k, [1, 2, 1, 2]);
    let got = shaders::attention(tensor(&q, [1, 1, 1, 2]), k.clone(), k, 1.0, Some(bias));
    assert_eq!(values(&got), [0.5, -0.5]);
}

/// Runs `op` on a buffer it may reuse and on one it may not, which must stay as it was.
fn both_ways<const D: usize, const E: usize>(
    x: &[f32],
    shape: [usize; D],
    want: &[f32],
    op: impl Fn(Tensor<D>) -> Tensor<E>,
) {
    close(
        &values(&op(tensor(x, shape))),
        want,
        &format!("owned {shape:?}"),
    );
    let kept = tensor(x, shape);
    close(
        &values(&op(kept.clone())),
        want,
        &format!("shared {shape:?}"),
    );
    assert_eq!(values(&kept), x, "a shared input changed");
}

#[test]
fn pointwise_functions() {
    let mut random = Random(5);
    for len in [1, 15, 64, 4097, 70_001] {
        let x: Vec<f32> = random.values(len).iter().map(|x| x * 12.0).collect();
        for act in ACTIVATIONS {
            let want: Vec<f32> = x.iter().map(|&x| twin::activate(x, act)).collect();
            both_ways(&x, [len], &want, |x| shaders::activate(x, act));
        }
    }
}

#[test]
fn extremes_stay_finite_and_nan_stays_nan() {
    let x = [-1e30, -200.0, -90.0, 0.0, 90.0, 200.0, 1e12, f32::NAN];
    for act in [Activation::GeluErf, Activation::GeluTanh, Activation::Silu] {
        let got = values(&shaders::activate(tensor(&x, [8]), act));
        assert!(got[0].abs() < 1.0, "{act:?}: {got:?}");
        assert_eq!(
            got[1..4].iter().map(|x| x.round()).collect::<Vec<_>>(),
            [0.0; 3],
            "{act:?}"
        );
        assert_eq!(got[4..7], x[4..7], "{act:?}");
        assert!(got[7].is_nan(), "{act:?}");
    }
}

#[test]
fn softmax_rows() {
    let mut random = Random(6);
    for (rows, width) in [(1, 1), (3, 17), (40, 1000), (2, 9000)] {
        let x: Vec<f32> = random
            .values(rows * width)
            .iter()
            .map(|x| x * 30.0)
            .collect();
        let want = twin::softmax(&x, width);
        both_ways(&x, [rows, width], &want, shaders::softmax_last::<2>);
    }
}

#[test]
fn gates_and_modulation_broadcast() {
    let mut random = Random(7);
    for (batch, tokens, width) in [(1, 1, 3), (2, 5, 17), (2, 33, 300)] {
        let shape = [batch, tokens, width];
        let len = batch * tokens * width;
        let (x, y) = (random.values(len), random.values(len));
        for (b, t) in [(1, 1), (batch, 1), (1, tokens), (batch, tokens)] {
            let (g, h) = (random.values(b * t * width), random.values(b * t * width));
            let spread = |g: &[f32]| values(&tensor(g, [b, t, width]).expand(shape));
            let (gs, hs) = (spread(&g), spread(&h));

            let want: Vec<f32> = (0..len).map(|i| x[i] + gs[i] * y[i]).collect();
            both_ways(&x, shape, &want, |x| {
                shaders::gate_residual(x, tensor(&g, [b, t, width]), tensor(&y, shape))
            });

            let normal = twin::layer_norm(&x, width, 1e-6);
            let want: Vec<f32> = (0..len)
                .map(|i| normal[i] * (1.0 + gs[i]) + hs[i])
                .collect();
            both_ways(&x, shape, &want, |x| {
                let (g, h) = (tensor(&g, [b, t, width]), tensor(&h, [b, t, width]));
                shaders::layer_norm_modulate(x, g, h, 1e-6)
            });
        }
    }
}

#[test]
fn norms_and_gated_gelu() {
    let mut random = Random(8);
    for (rows, width) in [(1, 2), (3, 17), (70, 1536), (5, 4100)] {
        let shape = [1, rows, width];
        let x = random.values(rows * width);
        let (w, b) = (random.values(width), random.values(width));

        both_ways(&x, shape, &twin::rms_norm(&x, &w, 1e-6), |x| {
            shaders::rms_norm(x, tensor(&w, [width]), 1e-6)
        });
        let normal = twin::layer_norm(&x, width, 1e-5);
        both_ways(&x, shape, &normal, |x| {
            shaders::layer_norm(x, None, None, 1e-5)
        });
        let want: Vec<f32> = (0..x.len())
            .map(|i| normal[i] * w[i % width] + b[i % width])
            .collect();
        both_ways(&x, shape, &want, |x| {
            shaders::layer_norm(
                x,
                Some(tensor(&w, [width])),
                Some(tensor(&b, [width])),
                1e-5,
            )
        });

        let up = random.values(x.len());
        let gelu = |i: usize| twin::activate(x[i], Activation::GeluTanh);
        let want: Vec<f32> = (0..x.len()).map(|i| gelu(i) * up[i]).collect();
        both_ways(&x, shape, &want, |x| {
            shaders::gated_gelu(x, tensor(&up, shape))
        });
    }
}

#[test]
fn rotary_embedding() {
    let mut random = Random(9);
    for (batch, tokens, heads, dim) in [(1, 1, 1, 2), (2, 7, 3, 10), (1, 40, 12, 128)] {
        let x = random.values(batch * tokens * heads * dim);
        let angles = random.values(tokens * dim / 2);
        let cos: Vec<f32> = angles.iter().map(|a| (a * 9.0).cos()).collect();
        let sin: Vec<f32> = angles.iter().map(|a| (a * 9.0).sin()).collect();
        let table = |t: &[f32]| tensor(t, [tokens, dim / 2]);
        let want = twin::rope(&x, &cos, &sin, heads, dim);
        both_ways(&x, [batch, tokens, heads, dim], &want, |x| {
            shaders::rope(x, table(&cos), table(&sin))
        });
        let width = heads * dim;
        let w = random.values(width);
        let want = twin::rope(&twin::rms_norm(&x, &w, 1e-6), &cos, &sin, heads, dim);
        both_ways(&x, [batch, tokens, width], &want, |x| {
            let (cos, sin) = (table(&cos), table(&sin));
            shaders::rms_norm_rope(x, tensor(&w, [width]), 1e-6, cos, sin, heads)
        });
    }
}

#[test]
fn channel_norm() {
    let mut random = Random(10);
    for shape in [[1, 1, 1, 1, 1], [2, 5, 3, 4, 7], [1, 96, 2, 17, 19]] {
        let [batch, channels, t, h, w] = shape;
        let mut x = random.values(batch * channels * t * h * w);
        for c in 0..channels {
            x[c * t * h * w] = 0.0; // a pixel of norm zero
        }
        let gamma = random.values(channels);
        for silu in [false, true] {
            let want = twin::channel_rms_norm(&x, &gamma, t * h * w, silu);
            both_ways(&x, shape, &want, |x| {
                shaders::channel_rms_norm_silu(x, tensor(&gamma, [channels]), silu)
            });
        }
    }
}

#[test]
fn causal_convolution() {
    with_and_without_blas(|blas| {
        let mut random = Random(11);
        for round in 0..40 {
            let kernel = [[3, 3, 3], [1, 1, 1], [3, 1, 1], [1, 3, 3], [2, 2, 4]][round % 5];
            let stride = [[1, 1, 1], [1, 1, 1], [2, 1, 1], [1, 2, 2], [1, 3, 2]][random.pick(0, 5)];
            let (pad, time_pad, cached) = (random.pick(0, 2), random.pick(0, 3), random.pick(0, 3));
            let shape = [
                random.pick(1, 3),
                [1, 3, 16, 33][random.pick(0, 4)],
                random.pick(3, 5),
                random.pick(4, 9),
                [4, 7, 16, 35, 61][random.pick(0, 5)],
            ];
            let outer = [1, 3, 12, 31, 48][random.pick(0, 5)];
            let [batch, channels, time, height, width] = shape;
            let weight_shape = [outer, channels, kernel[0], kernel[1], kernel[2]];
            let x = tensor(&random.values(shape.iter().product()), shape);
            let cache_shape = [batch, channels, cached, height, width];
            let cache = tensor(&random.values(cache_shape.iter().product()), cache_shape);
            let weight = random.values(weight_shape.iter().product());
            let bias = random.values(outer);
            let bias = (round % 3 > 0).then_some(&bias[..]);
            let got = shaders::causal_conv3d(
                x.clone(),
                (cached > 0).then(|| cache.clone()),
                tensor(&weight, weight_shape),
                bias.map(|b| tensor(b, [outer])),
                stride,
                pad,
                time_pad,
            );
            let joined = Tensor::cat(vec![cache, x], 2);
            let conv = twin::Conv {
                x: [batch, channels, cached + time, height, width],
                weight: weight_shape,
                stride,
                padding: [[time_pad.saturating_sub(cached), 0], [pad, pad], [pad, pad]],
            };
            let what = format!("{blas} {shape:?} {kernel:?} {stride:?} {pad} {time_pad} {cached}");
            assert_eq!(got.dims(), conv.out(), "{what}");
            close(
                &values(&got),
                &twin::conv3d(&values(&joined), &weight, bias, &conv),
                &what,
            );
        }
    });
}

#[test]
fn flat_convolution() {
    with_and_without_blas(|blas| {
        let mut random = Random(12);
        for (shape, weight_shape, stride, padding) in [
            ([1, 3, 8, 9], [5, 3, 3, 3], [1, 1], [1, 1, 1, 1]),
            ([2, 4, 9, 12], [6, 4, 3, 3], [2, 2], [0, 1, 0, 1]),
            ([1, 2, 5, 40], [1, 2, 1, 1], [1, 1], [0, 0, 0, 0]),
            ([1, 2, 5, 40], [3, 2, 1, 1], [2, 2], [0, 0, 0, 0]),
            ([1, 3, 30, 41], [7, 3, 7, 5], [3, 2], [3, 3, 2, 0]),
        ] {
            let x = random.values(shape.iter().product());
            let (w, b) = (
                random.values(weight_shape.iter().product()),
                random.values(weight_shape[0]),
            );
            let got = shaders::conv2d(
                tensor(&x, shape),
                tensor(&w, weight_shape),
                Some(tensor(&b, [weight_shape[0]])),
                stride,
                padding,
            );
            let [n, c, h, width] = shape;
            let [o, i, kh, kw] = weight_shape;
            let conv = twin::Conv {
                x: [n, c, 1, h, width],
                weight: [o, i, 1, kh, kw],
                stride: [1, stride[0], stride[1]],
                padding: [[0, 0], [padding[0], padding[1]], [padding[2], padding[3]]],
            };
            close(
                &values(&got),
                &twin::conv3d(&x, &w, Some(&b), &conv),
                &format!("{blas} {shape:?}"),
            );
        }
    });
}

#[test]
fn enlarging_convolution() {
    with_and_without_blas(|blas| {
        let mut random = Random(13);
        for (shape, outer) in [([1, 1, 1, 1], 1), ([2, 5, 3, 7], 4), ([1, 24, 37, 45], 12)] {
            let [batch, channels, height, width] = shape;
            let x = random.values(shape.iter().product());
            let (w, b) = (random.values(outer * channels * 9), random.values(outer));
            let got = shaders::upsample_nearest2x_conv2d(
                tensor(&x, shape),
                tensor(&w, [outer, channels, 3, 3]),
                Some(tensor(&b, [outer])),
            );
            let mut big = Vec::new();
            for plane in x.chunks(height * width) {
                for i in 0..4 * height * width {
                    big.push(plane[i / (2 * width) / 2 * width + i % (2 * width) / 2]);
                }
            }
            let conv = twin::Conv {
                x: [batch, channels, 1, 2 * height, 2 * width],
                weight: [outer, channels, 1, 3, 3],
                stride: [1; 3],
                padding: [[0, 0], [1, 1], [1, 1]],
            };
            close(
                &values(&got),
                &twin::conv3d(&big, &w, Some(&b), &conv),
                &format!("{blas} {shape:?}"),
            );
        }
    });
}
