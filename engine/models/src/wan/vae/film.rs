//! Frames in host memory that add up from tiles, for decoding one tile after the other.

use burn::tensor::{DType, TensorData};

use super::decoder::frames_of;
use super::tiles::Span;
use crate::{Device, Tensor};

/// All frames of a clip, f32, one buffer per chunk so that each can be given away and freed.
pub(super) struct Film {
    /// `[channels, n, height, width]` each; 1 frame, then 4.
    chunks: Vec<Vec<f32>>,
    channels: usize,
    size: [usize; 2],
    /// How many parts were added.
    pub passes: usize,
}

impl Film {
    /// `size`: height and width of a frame.
    pub fn new(channels: usize, size: [usize; 2], chunks: usize) -> Self {
        let frame = channels * size[0] * size[1];
        let chunks = (0..chunks).map(|i| vec![0.0; frame * frames_in(i)]);
        Self {
            chunks: chunks.collect(),
            channels,
            size,
            passes: 0,
        }
    }

    /// Adds a weighted tile `[1, channels, n, rows, columns]` of a chunk.
    pub fn add(&mut self, chunk: usize, [rows, columns]: [Span; 2], part: &Tensor<5>) {
        self.passes += 1;
        let data = part.clone().cast(DType::F32).to_data();
        let values: &[f32] = data.as_slice().expect("just cast to f32");
        let [height, width] = self.size;
        let planes = self.chunks[chunk].chunks_exact_mut(height * width);
        for (plane, tile) in planes.zip(values.chunks_exact(rows.len * columns.len)) {
            for (y, line) in tile.chunks_exact(columns.len).enumerate() {
                let at = (rows.start + y) * width + columns.start;
                for (out, value) in plane[at..at + columns.len].iter_mut().zip(line) {
                    *out += value;
                }
            }
        }
    }

    /// Gives a chunk away, `[1, channels, n, height, width]`.
    pub fn take(&mut self, chunk: usize, device: &Device) -> Tensor<5> {
        let values = std::mem::take(&mut self.chunks[chunk]);
        let shape = [
            1,
            self.channels,
            frames_in(chunk),
            self.size[0],
            self.size[1],
        ];
        Tensor::from_data(TensorData::new(values, shape), device)
    }
}

fn frames_in(chunk: usize) -> usize {
    frames_of(chunk + 1) - if chunk == 0 { 0 } else { frames_of(chunk) }
}
