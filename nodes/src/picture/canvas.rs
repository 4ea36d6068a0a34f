//! An 8-bit picture to draw on: filled by a function with dither, rectangles, masks with shadows.

use longtake_run::{Frame, Pixels};
use rayon::prelude::*;

use super::palette::Rgb;

/// Three bytes a pixel.
pub struct Canvas {
    width: u32,
    height: u32,
    data: Vec<u8>,
}

/// Interleaved gradient noise, 0..1: J. Jimenez, "Next Generation Post Processing in Call of Duty:
/// Advanced Warfare" (SIGGRAPH 2014). As dither it breaks up bands in dark gradients.
fn dither(x: u32, y: u32) -> f32 {
    let inner = (0.067_110_56 * x as f32 + 0.005_837_15 * y as f32).fract();
    (52.982_918 * inner).fract()
}

impl Canvas {
    /// A canvas where every pixel is `colour(x, y)`.
    pub fn paint(width: u32, height: u32, colour: impl Fn(u32, u32) -> Rgb + Sync) -> Self {
        let row_len = width as usize * 3;
        let mut data = vec![0; row_len * height as usize];
        data.par_chunks_mut(row_len.max(1))
            .enumerate()
            .for_each(|(y, row)| {
                for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                    let noise = dither(x as u32, y as u32);
                    for (sample, value) in pixel.iter_mut().zip(colour(x as u32, y as u32)) {
                        *sample = (value * 255.0 + noise) as u8;
                    }
                }
            });
        Self {
            width,
            height,
            data,
        }
    }

    /// A canvas over a frame.
    pub fn over(frame: &Frame) -> Self {
        let data = frame.to_rgb().to_u8();
        Self {
            width: frame.width,
            height: frame.height,
            data,
        }
    }

    /// Pixels across.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Pixels down.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The finished frame.
    pub fn into_frame(self) -> Frame {
        Frame::new(self.width, self.height, 3, Pixels::U8(self.data))
    }

    /// Lays a colour over a pixel; outside the canvas nothing happens.
    pub fn cover(&mut self, x: i32, y: i32, colour: Rgb, alpha: f32) {
        if x < 0 || y < 0 || x >= self.width as i32 || y >= self.height as i32 {
            return;
        }
        let at = (y as usize * self.width as usize + x as usize) * 3;
        for (sample, value) in self.data[at..at + 3].iter_mut().zip(colour) {
            let old = f32::from(*sample);
            *sample = (old + (value * 255.0 - old) * alpha + 0.5) as u8;
        }
    }

    /// A rectangle; edges between pixels are smooth.
    pub fn rectangle(
        &mut self,
        (x, y): (f32, f32),
        (width, height): (f32, f32),
        colour: Rgb,
        alpha: f32,
    ) {
        let part = |at: i32, start: f32, extent: f32| {
            ((at as f32 + 1.0).min(start + extent) - (at as f32).max(start)).clamp(0.0, 1.0)
        };
        for py in y.floor() as i32..(y + height).ceil() as i32 {
            for px in x.floor() as i32..(x + width).ceil() as i32 {
                self.cover(
                    px,
                    py,
                    colour,
                    alpha * part(px, x, width) * part(py, y, height),
                );
            }
        }
    }

    /// Lays `colour` over everything, with the alpha of each pixel given by its place (0..1 both).
    pub fn shade(&mut self, colour: Rgb, alpha: impl Fn(f32, f32) -> f32 + Sync) {
        let (width, height) = (self.width as f32, self.height as f32);
        let row_len = self.width as usize * 3;
        self.data
            .par_chunks_mut(row_len.max(1))
            .enumerate()
            .for_each(|(y, row)| {
                let v = (y as f32 + 0.5) / height;
                for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                    let alpha = alpha((x as f32 + 0.5) / width, v);
                    let noise = dither(x as u32, y as u32);
                    for (sample, value) in pixel.iter_mut().zip(colour) {
                        let old = f32::from(*sample);
                        *sample = (old + (value * 255.0 - old) * alpha + noise) as u8;
                    }
                }
            });
    }

    /// Lays a colour over what a mask covers.
    pub fn stamp(&mut self, mask: &Mask, colour: Rgb, alpha: f32) {
        for (row, y) in mask.data.chunks_exact(mask.width.max(1)).zip(mask.top..) {
            for (&cover, x) in row.iter().zip(mask.left..) {
                if cover != 0 {
                    self.cover(x, y, colour, alpha * f32::from(cover) / 255.0);
                }
            }
        }
    }
}

/// One channel of coverage at a place on the canvas.
#[derive(Clone)]
pub struct Mask {
    left: i32,
    top: i32,
    width: usize,
    height: usize,
    data: Vec<u8>,
}

impl Mask {
    /// An empty mask.
    pub fn new((left, top): (i32, i32), (width, height): (usize, usize)) -> Self {
        Self {
            left,
            top,
            width,
            height,
            data: vec![0; width * height],
        }
    }

    /// Raises the coverage at a place of the canvas.
    pub fn raise(&mut self, x: i32, y: i32, cover: u8) {
        let (x, y) = (x - self.left, y - self.top);
        if x >= 0 && y >= 0 && (x as usize) < self.width && (y as usize) < self.height {
            let sample = &mut self.data[y as usize * self.width + x as usize];
            *sample = (*sample).max(cover);
        }
    }

    /// The mask softened over `radius` pixels (three box filters, near a Gaussian) and moved down.
    #[must_use]
    pub fn shadow(&self, radius: usize, down: i32) -> Self {
        let pad = 2 * radius;
        let origin = (self.left - pad as i32, self.top - pad as i32);
        let mut wide = Self::new(origin, (self.width + 2 * pad, self.height + 2 * pad));
        for (y, row) in self.data.chunks_exact(self.width.max(1)).enumerate() {
            let at = (y + pad) * wide.width + pad;
            wide.data[at..at + self.width].copy_from_slice(row);
        }
        for _ in 0..3 {
            wide.data = box_rows(&wide.data, wide.width, radius / 2);
            wide.data = transpose(&wide.data, wide.width);
            wide.data = box_rows(&wide.data, wide.height, radius / 2);
            wide.data = transpose(&wide.data, wide.height);
        }
        wide.top += down;
        wide
    }
}

fn box_rows(data: &[u8], width: usize, radius: usize) -> Vec<u8> {
    let mut out = vec![0; data.len()];
    let extent = 2 * radius + 1;
    for (row, out) in data
        .chunks_exact(width.max(1))
        .zip(out.chunks_exact_mut(width.max(1)))
    {
        let mut sum: usize = row.iter().take(radius).map(|&v| usize::from(v)).sum();
        for x in 0..width {
            sum += row.get(x + radius).map_or(0, |&v| usize::from(v));
            out[x] = (sum / extent) as u8;
            sum -= if x >= radius {
                usize::from(row[x - radius])
            } else {
                0
            };
        }
    }
    out
}

fn transpose(data: &[u8], width: usize) -> Vec<u8> {
    let height = data.len() / width.max(1);
    let mut out = vec![0; data.len()];
    for (y, row) in data.chunks_exact(width.max(1)).enumerate() {
        for (x, &value) in row.iter().enumerate() {
            out[x * height + y] = value;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_have_smooth_edges_and_stay_on_the_canvas() {
        let mut canvas = Canvas::paint(4, 2, |_, _| [0.0; 3]);
        canvas.rectangle((-5.0, 0.0), (6.5, 1.0), [1.0; 3], 1.0);
        let row: Vec<u8> = canvas.into_frame().to_u8().into_iter().step_by(3).collect();
        assert_eq!(row, [255, 128, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn shadows_keep_about_the_weight_of_what_casts_them() {
        let mut mask = Mask::new((10, 10), (20, 20));
        (10..30).for_each(|y| (10..30).for_each(|x| mask.raise(x, y, 200)));
        let weight = |mask: &Mask| mask.data.iter().map(|&v| f64::from(v)).sum::<f64>();
        let shadow = mask.shadow(6, 4);
        assert!((weight(&shadow) / weight(&mask) - 1.0).abs() < 0.05);
        assert_eq!((shadow.left, shadow.top), (-2, 2));
    }

    #[test]
    fn dithered_gradients_have_the_right_mean() {
        let frame = Canvas::paint(64, 64, |_, _| [10.3 / 255.0; 3]).into_frame();
        let mean = frame.to_u8().iter().map(|&v| f64::from(v)).sum::<f64>() / (64.0 * 64.0 * 3.0);
        assert!((mean - 10.3).abs() < 0.05, "{mean}");
    }
}
