//! The Burn forms of every operation, which run on GPUs, against the CPU kernels.

use burn::DispatchDevice;
use burn::tensor::{Distribution, Tolerance};
use longtake_shaders::{self as shaders, Activation, Tensor, portable};

fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    let device = DispatchDevice::Flex(burn::backend::flex::FlexDevice);
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), &device)
}

#[track_caller]
fn same<const D: usize>(got: Tensor<D>, want: Tensor<D>) {
    assert_eq!(got.dims(), want.dims());
    got.into_data()
        .assert_approx_eq::<f32>(&want.into_data(), Tolerance::rel_abs(1e-4, 2e-5));
}

#[test]
fn token_operations() {
    let x = || random([2, 9, 24]);
    let (w, b) = (random([7, 24]), random([7]));
    for act in [
        Activation::None,
        Activation::GeluTanh,
        Activation::GeluErf,
        Activation::Silu,
    ] {
        let x = x();
        same(
            portable::linear(x.clone(), w.clone(), Some(b.clone()), act),
            shaders::linear_act(x.clone(), w.clone(), Some(b.clone()), act),
        );
        same(
            portable::activate(x.clone(), act),
            shaders::activate(x, act),
        );
    }
    let (x, scale, shift) = (x(), random([1, 9, 24]), random([2, 1, 24]));
    same(
        portable::layer_norm_modulate(x.clone(), scale.clone(), shift.clone(), 1e-6),
        shaders::layer_norm_modulate(x.clone(), scale, shift, 1e-6),
    );
    let (weight, bias) = (random([24]), random([24]));
    same(
        portable::layer_norm(x.clone(), Some(weight.clone()), Some(bias.clone()), 1e-5),
        shaders::layer_norm(x.clone(), Some(weight.clone()), Some(bias), 1e-5),
    );
    same(
        portable::rms_norm(x.clone(), weight.clone(), 1e-6),
        shaders::rms_norm(x.clone(), weight, 1e-6),
    );
    same(portable::softmax_last(x.clone()), shaders::softmax_last(x));
}

#[test]
fn attention_and_rope() {
    let (q, k, v) = (
        random([2, 5, 3, 8]),
        random([2, 11, 3, 8]),
        random([2, 11, 3, 8]),
    );
    for bias in [
        None,
        Some(random([1, 3, 5, 11])),
        Some(random([2, 3, 5, 11])),
    ] {
        same(
            portable::attention(q.clone(), k.clone(), v.clone(), 0.3, bias.clone()),
            shaders::attention(q.clone(), k.clone(), v.clone(), 0.3, bias),
        );
    }
    let (cos, sin) = (random([5, 4]), random([5, 4]));
    same(
        portable::rope(q.clone(), cos.clone(), sin.clone()),
        shaders::rope(q, cos, sin),
    );
}

#[test]
fn convolutions() {
    let (x, cache) = (random([1, 4, 3, 6, 7]), random([1, 4, 1, 6, 7]));
    let (w, b) = (random([5, 4, 3, 3, 3]), random([5]));
    for cache in [None, Some(cache)] {
        for (stride, pad) in [([1, 1, 1], 1), ([2, 1, 1], 0)] {
            let (w, b) = (w.clone(), Some(b.clone()));
            same(
                portable::causal_conv3d(
                    x.clone(),
                    cache.clone(),
                    w.clone(),
                    b.clone(),
                    stride,
                    pad,
                    2,
                ),
                shaders::causal_conv3d(x.clone(), cache.clone(), w, b, stride, pad, 2),
            );
        }
    }
    let gamma = random([4]);
    for silu in [false, true] {
        same(
            portable::channel_rms_norm_silu(x.clone(), gamma.clone(), silu),
            shaders::channel_rms_norm_silu(x.clone(), gamma.clone(), silu),
        );
    }
    let (x, w) = (random([2, 4, 7, 9]), random([5, 4, 3, 3]));
    for padding in [[1, 1, 1, 1], [0, 1, 0, 1], [2, 0, 1, 0]] {
        same(
            portable::conv2d(x.clone(), w.clone(), None, [2, 1], padding),
            shaders::conv2d(x.clone(), w.clone(), None, [2, 1], padding),
        );
    }
    same(
        portable::upsample_nearest2x_conv2d(x.clone(), w.clone(), Some(b.clone())),
        shaders::upsample_nearest2x_conv2d(x, w, Some(b)),
    );
}
