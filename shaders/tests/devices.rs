//! Operations on Burn's Vulkan device against the same on the CPU.
//!
//! Needs a Vulkan driver: `cargo test -p longtake -p longtake-shaders --features longtake/vulkan --test devices`
#![cfg(feature = "vulkan")]

use burn::DispatchDevice;
use burn::backend::wgpu::WgpuDevice;
use longtake_shaders::{
    Tensor, attention, layer_norm_modulate, linear, linear_gelu, rms_norm, rope,
};

const CPU: DispatchDevice = DispatchDevice::Flex(burn::backend::flex::FlexDevice);
const GPU: DispatchDevice = DispatchDevice::Vulkan(WgpuDevice::DefaultDevice);

/// Values that look random, the same on every device.
fn waves<const D: usize>(shape: [usize; D], pace: f32, device: &DispatchDevice) -> Tensor<D> {
    let values = 0..shape.iter().product::<usize>();
    let values: Vec<f32> = values.map(|i| (i as f32 * pace).sin()).collect();
    Tensor::<1>::from_floats(values.as_slice(), device).reshape(shape)
}

/// Largest difference over the largest value.
fn off<const D: usize>(make: impl Fn(&DispatchDevice) -> Tensor<D>) -> f32 {
    let [found, wanted] = [GPU, CPU].map(|device| {
        let data = make(&device).into_data().convert::<f32>();
        data.into_vec::<f32>().unwrap()
    });
    assert_eq!(found.len(), wanted.len());
    let most = wanted.iter().fold(0f32, |all, it| all.max(it.abs()));
    let pairs = found.iter().zip(&wanted);
    pairs.fold(0f32, |all, (a, b)| all.max((a - b).abs())) / most
}

#[test]
fn vulkan_computes_what_the_cpu_computes() {
    let weight = |device: &DispatchDevice| waves([64, 32], 0.37, device);
    let bias = |device: &DispatchDevice| Some(waves([64], 0.5, device));
    let found = [
        (
            "linear",
            off(|d| linear(waves([1, 36, 32], 0.7, d), weight(d), bias(d))),
        ),
        (
            "linear with GELU",
            off(|d| linear_gelu(waves([1, 36, 32], 0.7, d), weight(d), bias(d))),
        ),
        (
            "attention",
            off(|d| {
                let [q, k, v] = [0.3, 0.5, 0.7].map(|pace| waves([1, 36, 2, 16], pace, d));
                attention(q, k, v, 0.25, None)
            }),
        ),
        (
            "layer norm, modulated",
            off(|d| {
                let [scale, shift] = [0.2, 0.4].map(|pace| waves([1, 1, 32], pace, d));
                layer_norm_modulate(waves([1, 36, 32], 0.7, d), scale, shift, 1e-6)
            }),
        ),
        (
            "RMS norm",
            off(|d| rms_norm(waves([1, 36, 32], 0.7, d), waves([32], 0.2, d), 1e-6)),
        ),
        (
            "rotary embedding",
            off(|d| {
                let [cos, sin] = [0.2, 0.4].map(|pace| waves([36, 8], pace, d));
                rope(waves([1, 36, 2, 16], 0.7, d), cos, sin)
            }),
        ),
        (
            "patches to planes",
            off(|d| {
                // Of [batch, frames, rows, columns, 1, 2, 2, channels], as the DiT's last layer.
                let x = waves([1, 36, 64], 0.7, d) + 1.0;
                x.reshape([3, 3, 4, 1, 2, 2, 16])
                    .permute([6, 0, 3, 1, 4, 2, 5])
                    .reshape([1, 16, 3, 6, 8])
            }),
        ),
    ];
    let bad: Vec<_> = found.iter().filter(|it| !(it.1 < 1e-3)).collect();
    assert!(bad.is_empty(), "{found:?}");
}
