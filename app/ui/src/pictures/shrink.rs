//! Frames as textures want them: 8-bit colours, as large as they are shown.

use std::borrow::Cow;

use egui::{Color32, ColorImage};
use longtake_run::{Frame, Pixels};

/// The frame at its own size.
pub fn full(frame: &Frame) -> ColorImage {
    let size = [frame.width as usize, frame.height as usize];
    let bytes = bytes(frame);
    let pixels = bytes
        .chunks_exact(usize::from(frame.channels).max(1))
        .map(|px| match *px {
            [grey] => Color32::from_gray(grey),
            [r, g, b] => Color32::from_rgb(r, g, b),
            [r, g, b, a, ..] => Color32::from_rgba_unmultiplied(r, g, b, a),
            _ => Color32::BLACK,
        })
        .collect();
    ColorImage::new(size, pixels)
}

/// The frame with its longer side at most `side` pixels, each the mean of what it covers (of the
/// values as they are shown, which is what thumbnails elsewhere do). Never enlarged.
pub fn shrink(frame: &Frame, side: u32) -> ColorImage {
    let image = full(frame);
    let longer = frame.width.max(frame.height);
    if longer <= side.max(1) {
        return image;
    }
    let scaled = |length: u32| {
        let exact = f64::from(length) * f64::from(side.max(1)) / f64::from(longer);
        (exact.round() as usize).max(1)
    };
    mean(&image, [scaled(frame.width), scaled(frame.height)])
}

/// The image at a smaller size, each pixel the mean of what it covers.
pub fn mean(image: &ColorImage, size: [usize; 2]) -> ColorImage {
    let [columns, rows] = [spans(image.size[0], size[0]), spans(image.size[1], size[1])];
    let mut pixels = Vec::with_capacity(size[0] * size[1]);
    let mut sums = vec![[0.0f32; 4]; size[0]];
    for row in &rows {
        sums.fill([0.0; 4]);
        for (y, high) in row.cells() {
            let line = &image.pixels[y * image.size[0]..][..image.size[0]];
            for (sum, column) in sums.iter_mut().zip(&columns) {
                for (x, wide) in column.cells() {
                    let px = line[x].to_array();
                    for (sum, value) in sum.iter_mut().zip(px) {
                        *sum += f32::from(value) * wide * high;
                    }
                }
            }
        }
        pixels.extend(sums.iter().zip(&columns).map(|(sum, column)| {
            let [r, g, b, a] = sum.map(|v| (v / (column.weight() * row.weight()) + 0.5) as u8);
            Color32::from_rgba_premultiplied(r, g, b, a)
        }));
    }
    ColorImage::new(size, pixels)
}

/// A run of source pixels that one pixel covers, the outer two in part.
struct Span {
    from: f64,
    to: f64,
}

impl Span {
    fn weight(&self) -> f32 {
        (self.to - self.from) as f32
    }

    fn cells(&self) -> impl Iterator<Item = (usize, f32)> + '_ {
        let (first, end) = (self.from as usize, self.to.ceil() as usize);
        (first..end).map(|at| {
            let covered = (at as f64 + 1.0).min(self.to) - (at as f64).max(self.from);
            (at, covered as f32)
        })
    }
}

fn spans(from: usize, to: usize) -> Vec<Span> {
    let scale = from as f64 / to.max(1) as f64;
    (0..to)
        .map(|at| Span {
            from: at as f64 * scale,
            to: ((at + 1) as f64 * scale).min(from as f64),
        })
        .collect()
}

fn bytes(frame: &Frame) -> Cow<'_, [u8]> {
    match &*frame.pixels {
        Pixels::U8(data) => Cow::Borrowed(data),
        Pixels::U16(_) | Pixels::F32(_) => Cow::Owned(frame.to_u8()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pixel_is_the_mean_of_what_it_covers() {
        // Six columns to four: 1.5 source pixels each.
        let frame = Frame::new(6, 1, 1, Pixels::U8(vec![0, 30, 60, 90, 120, 150]));
        let image = shrink(&frame, 4);
        assert_eq!(image.size, [4, 1]);
        let greys: Vec<u8> = image.pixels.iter().map(|px| px.r()).collect();
        assert_eq!(greys, [10, 50, 100, 140]);
        assert_eq!(shrink(&frame, 100).size, [6, 1], "never enlarged");
    }

    #[test]
    fn alpha_weighs_its_colour() {
        let data = vec![200, 0, 0, 255, 0, 200, 0, 0];
        let image = shrink(&Frame::new(2, 1, 4, Pixels::U8(data)), 1);
        assert_eq!(image.pixels[0].to_array(), [100, 0, 0, 128]);
    }

    #[test]
    fn thin_frames_keep_a_pixel() {
        let frame = Frame::new(1000, 1, 3, Pixels::F32(vec![0.5; 3000]));
        assert_eq!(shrink(&frame, 10).size, [10, 1]);
    }
}
