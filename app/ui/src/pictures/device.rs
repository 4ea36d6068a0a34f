//! Textures of pictures that never left the device: of previews, where the window draws with the
//! device that computes.

use std::rc::Rc;

use egui::{TextureHandle, TextureId};
use longtake_run::DevicePicture;

/// Knows the window's own renderer.
pub trait DeviceTextures {
    /// Makes a picture known to the renderer; `None` when it is not on its device.
    fn register(&self, picture: &DevicePicture) -> Option<TextureId>;
    /// The picture is not shown any more.
    fn free(&self, id: TextureId);
}

/// A texture, given back when the last of its users is gone.
#[derive(Clone)]
pub enum Texture {
    /// Uploaded.
    Uploaded(TextureHandle),
    /// Of the device.
    Device(Rc<Registered>),
}

/// A picture that the renderer knows.
pub struct Registered {
    id: TextureId,
    textures: Rc<dyn DeviceTextures>,
}

impl Registered {
    /// Registers a picture.
    pub fn new(textures: &Rc<dyn DeviceTextures>, picture: &DevicePicture) -> Option<Self> {
        let id = textures.register(picture)?;
        Some(Self {
            id,
            textures: Rc::clone(textures),
        })
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.textures.free(self.id);
    }
}

impl Texture {
    /// As painters name it.
    pub fn id(&self) -> TextureId {
        match self {
            Self::Uploaded(it) => it.id(),
            Self::Device(it) => it.id,
        }
    }
}

impl From<TextureHandle> for Texture {
    fn from(texture: TextureHandle) -> Self {
        Self::Uploaded(texture)
    }
}
