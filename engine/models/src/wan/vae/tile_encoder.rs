//! Frames to latents one tile after the other: the device never holds more than one tile.

use std::ops::Range;

use burn::tensor::DType;

use super::encoder::Encoder;
use super::error::TileOrder;
use super::tiles::{Span, Tiling, weights};
use super::{VaeError, WanVae, latent_frames_of};
use crate::Tensor;

/// A running encode in which the caller gives each tile's frames in turn, so that neither whole
/// frames nor the history of other tiles are ever on the device:
///
/// ```text
/// while let Some([rows, columns]) = encoder.tile() {
///     for chunk in clip { encoder.push_frames(chunk cropped to rows and columns)? }
///     encoder.finish_tile()?
/// }
/// encoder.finish()?
/// ```
///
/// The same latents as [`WanVae::encode_tiled`].
pub struct TileEncoder {
    vae: WanVae,
    /// Rows and columns of each tile in latent positions, with the weight of each.
    tiles: Vec<[(Span, Vec<f32>); 2]>,
    current: usize,
    stream: Encoder,
    /// `[z, frames, height, width]`: finished tiles added up.
    sum: Vec<f32>,
    shape: [usize; 5],
}

impl TileEncoder {
    /// Starts encoding `frames` pictures of `height` by `width` pixels.
    ///
    /// # Errors
    /// [`VaeError::FrameShape`]; [`VaeError::PartNotLoaded`] if `vae` is a decoder alone.
    pub fn new(
        vae: &WanVae,
        frames: usize,
        [height, width]: [usize; 2],
        tiling: Tiling,
    ) -> Result<Self, VaeError> {
        let (spatial, channels) = (vae.dims.spatial(), vae.dims.image);
        let on_grid = height.is_multiple_of(spatial) && width.is_multiple_of(spatial);
        if !on_grid || frames * height * width == 0 {
            return Err(VaeError::FrameShape {
                channels,
                spatial,
                found: [1, channels, frames, height, width],
            });
        }
        let size = [height / spatial, width / spatial];
        let [rows, columns] = size.map(|n| {
            let spans = tiling.on(spatial).spans(n);
            let weights = weights(&spans);
            spans.into_iter().zip(weights).collect::<Vec<_>>()
        });
        let across = |row: &(Span, Vec<f32>)| {
            let row = row.clone();
            columns.iter().map(move |it| [row.clone(), it.clone()])
        };
        let shape = [1, vae.dims.z, latent_frames_of(frames), size[0], size[1]];
        Ok(Self {
            vae: vae.clone(),
            tiles: rows.iter().flat_map(across).collect(),
            current: 0,
            stream: Encoder::new(vae, None)?,
            sum: vec![0.0; shape.iter().product()],
            shape,
        })
    }

    /// Tiles in all.
    pub fn tiles(&self) -> usize {
        self.tiles.len()
    }

    /// Rows and columns, in pixels, of the tile whose frames come next; `None` when all are done.
    pub fn tile(&self) -> Option<[Range<usize>; 2]> {
        let spatial = self.vae.dims.spatial();
        let tile = self.tiles.get(self.current)?;
        Some([0, 1].map(|axis| {
            let span = tile[axis].0.scaled(spatial);
            span.start..span.end()
        }))
    }

    /// Adds frames of the current tile as ComfyUI has images: `[n, rows, columns, 3]` in 0..1.
    ///
    /// # Errors
    /// As [`Encoder::push`]; [`VaeError::Order`] after the last tile.
    pub fn push_frames(&mut self, frames: Tensor<4>) -> Result<(), VaeError> {
        let Some([rows, columns]) = self.tile() else {
            return Err(VaeError::Order(TileOrder::FramesAfterLast));
        };
        let [_, found_height, found_width, _] = frames.dims();
        if [found_height, found_width] != [rows.len(), columns.len()] {
            return Err(VaeError::FrameSizeChanged {
                height: rows.len(),
                width: columns.len(),
                found_height,
                found_width,
            });
        }
        self.stream.push_frames(frames)
    }

    /// Ends the current tile and turns to the next.
    ///
    /// # Errors
    /// [`VaeError::NoFrames`]; [`VaeError::Order`] if the tile got fewer or more frames than said.
    pub fn finish_tile(&mut self) -> Result<(), VaeError> {
        let next = Encoder::new(&self.vae, None)?;
        let part = std::mem::replace(&mut self.stream, next).finish()?;
        let Some([(rows, down), (columns, across)]) = self.tiles.get(self.current) else {
            return Err(VaeError::Order(TileOrder::NoTileLeft));
        };
        let [_, z, frames, height, width] = self.shape;
        if part.dims()[2] != frames {
            return Err(VaeError::Order(TileOrder::OtherFrames));
        }
        let data = part.cast(DType::F32).into_data();
        let values: &[f32] = data.as_slice().expect("just cast to f32");
        debug_assert_eq!(values.len(), z * frames * rows.len * columns.len);
        let planes = self.sum.chunks_exact_mut(height * width);
        for (plane, tile) in planes.zip(values.chunks_exact(rows.len * columns.len)) {
            for (y, line) in tile.chunks_exact(columns.len).enumerate() {
                let at = (rows.start + y) * width + columns.start;
                let sums = &mut plane[at..at + columns.len];
                for ((sum, value), weight) in sums.iter_mut().zip(line).zip(across) {
                    *sum += value * weight * down[y];
                }
            }
        }
        self.current += 1;
        Ok(())
    }

    /// The raw latent `[1, z, F, h, w]`: values and shape.
    ///
    /// # Errors
    /// [`VaeError::Order`] if tiles are missing.
    pub fn finish(self) -> Result<(Vec<f32>, [usize; 5]), VaeError> {
        if self.current < self.tiles.len() {
            return Err(VaeError::Order(TileOrder::TilesMissing));
        }
        Ok((self.sum, self.shape))
    }
}
