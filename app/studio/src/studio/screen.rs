//! The window on the device that computes: previews go from Burn's buffers to its textures.

use std::rc::Rc;

use eframe::egui::TextureId;
use eframe::egui_wgpu::{RenderState, WgpuSetup, WgpuSetupExisting};
use eframe::wgpu;
use longtake_nodes::model::screen::share;
use longtake_run::DevicePicture;
use longtake_ui::pictures::device::DeviceTextures;

/// Burn's device as eframe takes it. Before any tensor is made, and only where there is a driver.
pub fn setup() -> WgpuSetup {
    let shared = share();
    WgpuSetup::Existing(WgpuSetupExisting {
        instance: shared.instance.clone(),
        adapter: shared.adapter.clone(),
        device: shared.device.clone(),
        queue: shared.queue.clone(),
    })
}

/// The window's renderer, to which textures are made known.
pub fn textures(state: &RenderState) -> Rc<dyn DeviceTextures> {
    Rc::new(Textures(state.clone()))
}

struct Textures(RenderState);

impl DeviceTextures for Textures {
    fn register(&self, picture: &DevicePicture) -> Option<TextureId> {
        let texture = picture.handle.downcast_ref::<wgpu::Texture>()?;
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let mut renderer = self.0.renderer.write();
        let linear = wgpu::FilterMode::Linear;
        Some(renderer.register_native_texture(&self.0.device, &view, linear))
    }

    fn free(&self, id: TextureId) {
        self.0.renderer.write().free_texture(&id);
    }
}

/// A texture's pixels, RGBA. Only tests read back.
#[cfg(test)]
pub fn pixels(texture: &wgpu::Texture) -> Vec<u8> {
    let shared = share();
    let row = (texture.width() * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
    let buffer = shared.device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: u64::from(row * texture.height()),
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let mut encoder = shared
        .device
        .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let to = wgpu::TexelCopyBufferInfo {
        buffer: &buffer,
        layout: wgpu::TexelCopyBufferLayout {
            bytes_per_row: Some(row),
            ..wgpu::TexelCopyBufferLayout::default()
        },
    };
    encoder.copy_texture_to_buffer(texture.as_image_copy(), to, texture.size());
    shared.queue.submit([encoder.finish()]);
    buffer.map_async(wgpu::MapMode::Read, .., |it| it.unwrap());
    let wait = wgpu::PollType::wait_indefinitely();
    shared.device.poll(wait).unwrap();
    let bytes = buffer.get_mapped_range(..);
    let rows = bytes.chunks_exact(row as usize);
    rows.flat_map(|it| it[..texture.width() as usize * 4].to_vec())
        .collect()
}
