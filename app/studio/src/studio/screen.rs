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
