//! One picture: pixels in the depth they came in, shared without copying.

use std::sync::Arc;

use longtake_plan::ClipInfo;

/// Samples in row-major order, channels interleaved.
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    /// 0..=255 stands for 0..=1.
    U8(Vec<u8>),
    /// 0..=65535 stands for 0..=1.
    U16(Vec<u16>),
    /// 0..1; values outside are kept until they are written.
    F32(Vec<f32>),
}

/// A picture of `height × width × channels` samples. Cloning shares the pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// 1 (mask), 3 (RGB) or 4 (RGBA).
    pub channels: u8,
    /// The samples.
    pub pixels: Arc<Pixels>,
}

impl Frame {
    /// A frame over samples that must fill it exactly.
    ///
    /// # Panics
    /// When the number of samples is not `width * height * channels`: a bug of ours.
    pub fn new(width: u32, height: u32, channels: u8, pixels: Pixels) -> Self {
        let samples = match &pixels {
            Pixels::U8(data) => data.len(),
            Pixels::U16(data) => data.len(),
            Pixels::F32(data) => data.len(),
        };
        assert_eq!(
            samples,
            width as usize * height as usize * usize::from(channels)
        );
        Self {
            width,
            height,
            channels,
            pixels: Arc::new(pixels),
        }
    }

    /// Samples in a row.
    pub fn row_len(&self) -> usize {
        self.width as usize * usize::from(self.channels)
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.row_len() * self.height as usize
    }

    /// Samples as 0..1 floats.
    pub fn to_f32(&self) -> Vec<f32> {
        match &*self.pixels {
            Pixels::U8(data) => data.iter().map(|&v| f32::from(v) / 255.0).collect(),
            Pixels::U16(data) => data.iter().map(|&v| f32::from(v) / 65535.0).collect(),
            Pixels::F32(data) => data.clone(),
        }
    }

    /// Samples as bytes. Floats are scaled by 255, clamped and truncated, as ComfyUI's savers do
    /// (`nodes.py`, `SaveImage`); 16-bit samples, which stand for such floats, likewise.
    pub fn to_u8(&self) -> Vec<u8> {
        match &*self.pixels {
            Pixels::U8(data) => data.clone(),
            // Half a 16-bit step is added, so that a byte value survives the way through 16 bits.
            Pixels::U16(data) => data
                .iter()
                .map(|&v| ((u32::from(v) * 255 + 128) / 65535).min(255) as u8)
                .collect(),
            Pixels::F32(data) => data
                .iter()
                .map(|&v| (v * 255.0).clamp(0.0, 255.0) as u8)
                .collect(),
        }
    }

    /// Samples as 16-bit numbers, rounded.
    pub fn to_u16(&self) -> Vec<u16> {
        match &*self.pixels {
            Pixels::U8(data) => data.iter().map(|&v| u16::from(v) * 257).collect(),
            Pixels::U16(data) => data.clone(),
            Pixels::F32(data) => data
                .iter()
                .map(|&v| (v.clamp(0.0, 1.0) * 65535.0).round() as u16)
                .collect(),
        }
    }

    /// The frame with three channels: grey is repeated, alpha is left out.
    #[must_use]
    pub fn to_rgb(&self) -> Frame {
        fn spread<T: Copy>(data: &[T], channels: usize) -> Vec<T> {
            data.chunks_exact(channels)
                .flat_map(|px| {
                    if channels == 1 {
                        [px[0]; 3]
                    } else {
                        [px[0], px[1], px[2]]
                    }
                })
                .collect()
        }
        let channels = usize::from(self.channels);
        if channels == 3 {
            return self.clone();
        }
        let pixels = match &*self.pixels {
            Pixels::U8(data) => Pixels::U8(spread(data, channels)),
            Pixels::U16(data) => Pixels::U16(spread(data, channels)),
            Pixels::F32(data) => Pixels::F32(spread(data, channels)),
        };
        Frame::new(self.width, self.height, 3, pixels)
    }

    /// The facts of a clip of `frames` such frames.
    pub fn info(&self, frames: u64) -> ClipInfo {
        ClipInfo {
            frames,
            width: self.width,
            height: self.height,
            channels: self.channels,
            fps: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_every_depth() {
        let bytes: Vec<u8> = (0..=255).collect();
        let frame = Frame::new(256, 1, 1, Pixels::U8(bytes.clone()));
        let deep = Frame::new(256, 1, 1, Pixels::U16(frame.to_u16()));
        assert_eq!(deep.to_u8(), bytes);
        assert_eq!(frame.to_rgb().to_u8()[3..6], [1, 1, 1]);
    }

    #[test]
    fn floats_are_truncated_as_comfyui_does() {
        let frame = Frame::new(4, 1, 1, Pixels::F32(vec![-0.1, 0.999, 1.5, 0.5]));
        assert_eq!(frame.to_u8(), [0, 254, 255, 127]);
    }
}
