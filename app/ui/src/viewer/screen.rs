//! Frames as textures: uploaded when the frame changes, reduced when far smaller than their pixels,
//! with hard pixel edges when far larger.

use std::sync::Arc;

use egui::{Color32, ColorImage, Context, TextureFilter, TextureHandle, TextureId, TextureOptions};

use crate::pictures::shrink::mean;

/// From this zoom on pixels have hard edges.
const HARD: f32 = 2.0;

/// One texture that follows a frame.
#[derive(Default)]
pub struct Screen {
    texture: Option<TextureHandle>,
    shown: Option<(Arc<ColorImage>, u32, bool)>,
}

impl Screen {
    /// The texture of an image at a zoom (screen pixels per pixel).
    pub fn texture(&mut self, ctx: &Context, image: &Arc<ColorImage>, zoom: f32) -> TextureId {
        let most = ctx.input(|it| it.max_texture_side).max(64);
        let (level, hard) = (level(image.size, zoom, most), zoom > HARD);
        let same = self
            .shown
            .as_ref()
            .filter(|it| Arc::ptr_eq(&it.0, image) && (it.1, it.2) == (level, hard));
        if let (Some(texture), Some(_)) = (&self.texture, same) {
            return texture.id();
        }
        let reduced = match level {
            0 => image.clone(),
            _ => Arc::new(mean(image, image.size.map(|it| (it >> level).max(1)))),
        };
        let options = TextureOptions {
            magnification: if hard {
                TextureFilter::Nearest
            } else {
                TextureFilter::Linear
            },
            ..TextureOptions::LINEAR
        };
        self.shown = Some((image.clone(), level, hard));
        match &mut self.texture {
            Some(texture) => {
                texture.set(reduced, options);
                texture.id()
            }
            none => none
                .insert(ctx.load_texture("viewer", reduced, options))
                .id(),
        }
    }
}

/// How often the image is halved before it is uploaded: until what is shown is at least half of it,
/// and the device takes it.
fn level(size: [usize; 2], zoom: f32, most: usize) -> u32 {
    let longer = size[0].max(size[1]);
    let mut level = 0;
    while level < 16
        && (zoom * (1 << level) as f32 <= 0.5 || longer >> level > most)
        && longer >> level > 1
    {
        level += 1;
    }
    level
}

/// How two frames differ, kept until one of them changes.
#[derive(Default)]
pub struct Difference {
    of: Option<(Arc<ColorImage>, Arc<ColorImage>, u8)>,
    image: Option<Arc<ColorImage>>,
}

impl Difference {
    /// `gain × |a − b|` of each colour, at the size of `a`; `b` is stretched onto it.
    pub fn image(&mut self, a: &Arc<ColorImage>, b: &Arc<ColorImage>, gain: u8) -> Arc<ColorImage> {
        let same = |it: &&(Arc<_>, Arc<_>, u8)| {
            Arc::ptr_eq(&it.0, a) && Arc::ptr_eq(&it.1, b) && it.2 == gain
        };
        if let (Some(_), Some(image)) = (self.of.as_ref().filter(same), &self.image) {
            return image.clone();
        }
        let image = Arc::new(difference(a, b, gain));
        self.of = Some((a.clone(), b.clone(), gain));
        self.image = Some(image.clone());
        image
    }
}

fn difference(a: &ColorImage, b: &ColorImage, gain: u8) -> ColorImage {
    let [width, height] = a.size;
    let columns: Vec<usize> = (0..width).map(|x| x * b.size[0] / width).collect();
    let mut pixels = Vec::with_capacity(a.pixels.len());
    for y in 0..height {
        let row = &b.pixels[y * b.size[1] / height * b.size[0]..][..b.size[0]];
        let line = &a.pixels[y * width..][..width];
        pixels.extend(line.iter().zip(&columns).map(|(a, &x)| {
            let b = row[x];
            let far = |a: u8, b: u8| a.abs_diff(b).saturating_mul(gain);
            Color32::from_rgb(far(a.r(), b.r()), far(a.g(), b.g()), far(a.b(), b.b()))
        }));
    }
    ColorImage::new(a.size, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_halved_until_they_fit() {
        assert_eq!(level([1920, 1080], 1.0, 8192), 0);
        assert_eq!(level([1920, 1080], 0.5, 8192), 1);
        assert_eq!(level([1920, 1080], 0.1, 8192), 3);
        assert_eq!(level([30000, 10], 1.0, 8192), 2);
        assert_eq!(level([1, 1], 0.01, 8192), 0);
    }

    #[test]
    fn differences_are_taken_at_the_size_of_the_first() {
        let a = Arc::new(ColorImage::filled([4, 2], Color32::from_rgb(10, 20, 30)));
        let b = Arc::new(ColorImage::filled([2, 2], Color32::from_rgb(12, 20, 130)));
        let mut kept = Difference::default();
        let image = kept.image(&a, &b, 4);
        assert_eq!(image.size, [4, 2]);
        assert_eq!(image.pixels[5], Color32::from_rgb(8, 0, 255));
        assert!(Arc::ptr_eq(&image, &kept.image(&a, &b, 4)));
    }
}
