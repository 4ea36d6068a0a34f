//! A picture from Burn to a texture of the window's device, without a buffer being mapped on the way.
//!
//! Needs a Vulkan driver; Mesa's lavapipe will do:
//! `cargo test -p longtake -p longtake-shaders --features longtake/vulkan --test screen`
#![cfg(feature = "vulkan")]

use burn::DispatchDevice;
use burn::backend::wgpu::WgpuDevice;
use longtake_shaders::{Tensor, screen};

/// The texture's pixels. Only the test reads back.
fn pixels(texture: &wgpu::Texture) -> Vec<[u8; 4]> {
    let shared = screen::share();
    let (width, height) = (texture.width(), texture.height());
    let row = (width * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
    let buffer = shared.device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: u64::from(row * height),
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let mut encoder = shared.device.create_command_encoder(&Default::default());
    let layout = wgpu::TexelCopyBufferLayout {
        offset: 0,
        bytes_per_row: Some(row),
        rows_per_image: None,
    };
    encoder.copy_texture_to_buffer(
        texture.as_image_copy(),
        wgpu::TexelCopyBufferInfo {
            buffer: &buffer,
            layout,
        },
        texture.size(),
    );
    shared.queue.submit([encoder.finish()]);
    buffer.map_async(wgpu::MapMode::Read, .., |it| it.unwrap());
    shared
        .device
        .poll(wgpu::PollType::wait_indefinitely())
        .unwrap();
    let bytes = buffer.get_mapped_range(..).to_vec();
    let rows = bytes.chunks_exact(row as usize);
    rows.flat_map(|it| it[..width as usize * 4].as_chunks().0.to_vec())
        .collect()
}

#[test]
fn a_tensor_becomes_a_texture() {
    screen::share();
    let device = DispatchDevice::Vulkan(WgpuDevice::DefaultDevice);
    // Rows that fill 256 bytes and rows that do not; values beyond both ends.
    for (height, width) in [(3, 64), (6, 104), (5, 7)] {
        let values = 0..height * width * 3;
        let values: Vec<f32> = values
            .map(|i| (i as f32 * 0.61).sin() * 0.7 + 0.5)
            .collect();
        let rgb = Tensor::<1>::from_floats(values.as_slice(), &device);
        let texture = screen::texture(rgb.reshape([height, width, 3])).unwrap();
        let found = pixels(&texture);
        assert_eq!(found.len(), height * width);
        for (found, wanted) in found.iter().zip(values.as_chunks::<3>().0) {
            let wanted = wanted.map(|it| (it.clamp(0.0, 1.0) * 255.0) as u8);
            let off = wanted.iter().zip(found).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(
                off <= Some(1) && found[3] == 255,
                "{found:?}, expected {wanted:?}"
            );
        }
    }
    let cpu = DispatchDevice::Flex(burn::backend::flex::FlexDevice);
    assert!(screen::texture(Tensor::zeros([2, 2, 3], &cpu)).is_none());
}
