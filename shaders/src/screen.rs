//! Pictures for the window that never leave the GPU: one wgpu device for Burn and for the window, and
//! tensors copied to textures on it.
//!
//! Burn opens the device ([`share`]), since it asks for more than a window needs (SPIR-V passthrough,
//! memory model, subgroup features); the window takes it over. A picture is packed into one 32-bit
//! word per pixel by ordinary tensor operations, in rows that are whole multiples of 256 bytes as a
//! copy wants them, and copied in the queue's order: no buffer is mapped.

#![allow(unsafe_code, reason = "the tensor behind a dispatched one")]

use std::mem::ManuallyDrop;
use std::sync::OnceLock;

use burn::backend::wgpu::graphics::Vulkan;
use burn::backend::wgpu::{
    CubeBackend, CubeTensor, RuntimeOptions, WgpuDevice, WgpuRuntime, WgpuSetup, init_setup,
};
use burn::tensor::{DType, Int};
use burn::{BackendTensor, DispatchDevice, DispatchTensor, DispatchTensorKind};

use crate::Tensor;

type Ints<const D: usize> = burn::tensor::Tensor<burn::Dispatch, D, Int>;

/// What Burn's Vulkan backend is inside of its fusion layer.
type Inner = CubeBackend<WgpuRuntime, f32, i32, u8>;

/// Pixels to which rows are filled up: 256 bytes (`wgpu::COPY_BYTES_PER_ROW_ALIGNMENT`).
const ROW: usize = 64;

static SHARED: OnceLock<WgpuSetup> = OnceLock::new();

/// Opens Burn's Vulkan device for others to draw with; the same one at every call. Call it before
/// any tensor is made on that device, and only where there is a driver.
pub fn share() -> &'static WgpuSetup {
    SHARED
        .get_or_init(|| init_setup::<Vulkan>(&WgpuDevice::DefaultDevice, RuntimeOptions::default()))
}

/// Whether tensors of this device can become textures of the window.
pub fn is_shared(device: &DispatchDevice) -> bool {
    SHARED.get().is_some() && matches!(device, DispatchDevice::Vulkan(WgpuDevice::DefaultDevice))
}

/// A picture `[height, width, 3]` in 0..1 as a texture on the shared device, `Rgba8Unorm`, opaque,
/// samples cut off as ComfyUI's previews. `None` where the tensor is not on that device.
pub fn texture(rgb: Tensor<3>) -> Option<wgpu::Texture> {
    let shared = SHARED.get()?;
    let [height, width, 3] = rgb.dims() else {
        return None;
    };
    if !is_shared(&rgb.device()) {
        return None;
    }
    let words = inner(packed(rgb))?;
    let buffer = words.client.get_resource(words.handle.clone()).ok()?;
    // What computes it is on its way before the copy.
    words.client.flush().ok()?;
    let buffer = buffer.resource();
    let size = wgpu::Extent3d {
        width: width as u32,
        height: height as u32,
        depth_or_array_layers: 1,
    };
    let texture = shared.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("preview"),
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::TEXTURE_BINDING
            | wgpu::TextureUsages::COPY_DST
            | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let mut encoder = shared.device.create_command_encoder(&Default::default());
    encoder.copy_buffer_to_texture(
        wgpu::TexelCopyBufferInfo {
            buffer: &buffer.buffer,
            layout: wgpu::TexelCopyBufferLayout {
                offset: buffer.offset,
                bytes_per_row: Some((width.next_multiple_of(ROW) * 4) as u32),
                rows_per_image: None,
            },
        },
        texture.as_image_copy(),
        size,
    );
    shared.queue.submit([encoder.finish()]);
    Some(texture)
}

/// `[height, width]` words of red, green, blue and full alpha, little end first; columns filled up to
/// a multiple of [`ROW`].
fn packed(rgb: Tensor<3>) -> Ints<2> {
    let [height, width, _] = rgb.dims();
    let device = rgb.device();
    let bytes = rgb.clamp(0.0, 1.0).mul_scalar(255.0).int();
    let channel = |at: usize| -> Ints<2> {
        let plane = bytes.clone().slice([0..height, 0..width, at..at + 1]);
        plane.reshape([height, width])
    };
    let words = channel(0) + channel(1).mul_scalar(1 << 8) + channel(2).mul_scalar(1 << 16);
    let words = words.add_scalar(0xff_i32 << 24);
    let fill = width.next_multiple_of(ROW) - width;
    if fill == 0 {
        return words;
    }
    Ints::cat(vec![words, Ints::zeros([height, fill], &device)], 1)
}

/// The tensor of the backend inside, computed; as [`crate::host`] does it for the CPU.
fn inner(words: Ints<2>) -> Option<CubeTensor<WgpuRuntime>> {
    if words.dtype() != DType::I32 {
        return None;
    }
    let tensor = ManuallyDrop::new(words.into_primitive());
    // SAFETY: `host` checks that the struct holds its kind alone; `tensor` is not dropped, so the
    // value moves.
    let kind = unsafe { (&raw const *tensor).cast::<DispatchTensorKind>().read() };
    let DispatchTensorKind::Vulkan(BackendTensor::Int(fused)) = kind else {
        return None;
    };
    let client = fused.client.clone();
    let words = client.resolve_tensor_int::<Inner>(fused);
    words.is_contiguous().then_some(words)
}

const _: () = assert!(size_of::<DispatchTensor>() == size_of::<DispatchTensorKind>());
