//! Pictures of what a model is making, without its leaving the device: for a window that draws with
//! the device that computes. Other builds and other devices have none.

use std::any::Any;
use std::sync::Arc;

use burn::tensor::DType;
use burn::tensor::backend::Backend;
#[cfg(feature = "vulkan")]
pub use longtake_shaders::screen::share;

use crate::{Device, Tensor};

/// Whether a window draws with this device.
pub fn is_shared(device: &Device) -> bool {
    #[cfg(feature = "vulkan")]
    return longtake_shaders::screen::is_shared(device);
    #[cfg(not(feature = "vulkan"))]
    {
        let _ = device;
        false
    }
}

/// Waits until the device has done what it was given. Its queue is the window's too: what waits in
/// it, the window's next frame waits for.
pub fn settle(device: &Device) {
    // A device that is lost says so to the step that reads its result.
    let _ = burn::Dispatch::sync(device);
}

/// A picture `[height, width, 3]` in 0..1 as a texture (`wgpu::Texture`, `Rgba8Unorm`) of the
/// window; `None` when it is not on the window's device.
pub fn texture(rgb: Tensor<3>) -> Option<Arc<dyn Any + Send + Sync>> {
    #[cfg(feature = "vulkan")]
    return longtake_shaders::screen::texture(rgb).map(|it| Arc::new(it) as _);
    #[cfg(not(feature = "vulkan"))]
    {
        let _ = rgb;
        None
    }
}

/// Channels `[channels, height, width]` as a picture `[height, width, 3]`:
/// `0.5 + 0.5 * (bias + sum of weight * channel)`, with red, green and blue of each channel.
pub fn weighted(channels: Tensor<3>, weights: &[[f32; 3]], bias: [f32; 3]) -> Tensor<3> {
    let device = channels.device();
    let [count, height, width] = channels.dims();
    let columns = |at: usize| weights.iter().map(move |it| it[at]);
    let weights: Vec<f32> = (0..3).flat_map(columns).collect();
    let weights = Tensor::<1>::from_floats(weights.as_slice(), &device).reshape([3, count]);
    let bias = Tensor::<1>::from_floats(bias.as_slice(), &device).reshape([3, 1]);
    let planes = channels.cast(DType::F32).reshape([count, height * width]);
    let rgb = (weights.matmul(planes) + bias)
        .mul_scalar(0.5)
        .add_scalar(0.5);
    rgb.transpose().reshape([height, width, 3])
}
