//! Frames in a scratch file that add up from tiles, for decoding one tile after the other.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use burn::tensor::{DType, TensorData};

use super::VaeError;
use super::decoder::frames_of;
use super::tiles::Span;
use crate::{Device, Tensor};

/// Bytes of an f32.
const VALUE: u64 = 4;

/// All frames of a clip, f32: chunks of 1 frame, then 4, each `[channels, n, height, width]`. The file
/// has no name and goes with this value, however the program ends.
pub(super) struct Film {
    file: File,
    folder: PathBuf,
    channels: usize,
    size: [usize; 2],
    /// How many parts were added.
    pub passes: usize,
}

impl Film {
    /// `size`: height and width of a frame.
    pub fn new(
        channels: usize,
        size: [usize; 2],
        chunks: usize,
        folder: &Path,
    ) -> Result<Self, VaeError> {
        let failed = |source| VaeError::Scratch {
            folder: folder.to_owned(),
            source,
        };
        let file = tempfile::tempfile_in(folder).map_err(failed)?;
        let values = channels * size[0] * size[1] * frames_of(chunks);
        // A file grows with zeros, which is where sums begin.
        file.set_len(values as u64 * VALUE).map_err(failed)?;
        Ok(Self {
            file,
            folder: folder.to_owned(),
            channels,
            size,
            passes: 0,
        })
    }

    /// Adds a weighted tile `[1, channels, n, rows, columns]` of a chunk.
    pub fn add(
        &mut self,
        chunk: usize,
        [rows, columns]: [Span; 2],
        part: Tensor<5>,
    ) -> Result<(), VaeError> {
        self.passes += 1;
        let data = part.cast(DType::F32).into_data();
        let values: &[f32] = data.as_slice().expect("just cast to f32");
        let [height, width] = self.size;
        let mut line = vec![0_f32; columns.len];
        let planes = values.chunks_exact(rows.len * columns.len);
        for (plane, tile) in planes.enumerate() {
            let first = self.start(chunk) + (plane * height * width) as u64;
            for (y, new) in tile.chunks_exact(columns.len).enumerate() {
                let at = first + ((rows.start + y) * width + columns.start) as u64;
                self.read(&mut line, at)?;
                for (sum, value) in line.iter_mut().zip(new) {
                    *sum += value;
                }
                let bytes = bytemuck::cast_slice(&line);
                let written = self.file.write_all_at(bytes, at * VALUE);
                written.map_err(|source| self.failed(source))?;
            }
        }
        Ok(())
    }

    /// A finished chunk, `[1, channels, n, height, width]`.
    pub fn take(&self, chunk: usize, device: &Device) -> Result<Tensor<5>, VaeError> {
        let [height, width] = self.size;
        let shape = [1, self.channels, frames_in(chunk), height, width];
        let mut values = vec![0_f32; shape.iter().product()];
        self.read(&mut values, self.start(chunk))?;
        Ok(Tensor::from_data(TensorData::new(values, shape), device))
    }

    fn read(&self, values: &mut [f32], at: u64) -> Result<(), VaeError> {
        let bytes = bytemuck::cast_slice_mut(values);
        let read = self.file.read_exact_at(bytes, at * VALUE);
        read.map_err(|source| self.failed(source))
    }

    /// Values before a chunk.
    fn start(&self, chunk: usize) -> u64 {
        let frames = if chunk == 0 { 0 } else { frames_of(chunk) };
        (frames * self.channels * self.size[0] * self.size[1]) as u64
    }

    fn failed(&self, source: std::io::Error) -> VaeError {
        VaeError::Scratch {
            folder: self.folder.clone(),
            source,
        }
    }
}

fn frames_in(chunk: usize) -> usize {
    frames_of(chunk + 1) - if chunk == 0 { 0 } else { frames_of(chunk) }
}
