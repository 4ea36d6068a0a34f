//! Reading tensors out of a checkpoint: as bytes, as f32 on the host, as Burn tensors on a device.

use burn::tensor::TensorData;
use half::{bf16, f16};

use super::checkpoint::{Checkpoint, Entry};
use super::dtype::{self, Dtype, FloatKind};
use super::error::WeightsError;
use crate::{Device, Tensor, device};

impl Checkpoint {
    /// The bytes of a tensor as they stand in the file, little-endian.
    ///
    /// # Errors
    /// [`WeightsError::Missing`].
    pub fn bytes_of(&self, name: &str) -> Result<&[u8], WeightsError> {
        Ok(self.slice(self.entry(name)?))
    }

    /// A float tensor on the host, widened to f32; fp8 weights are multiplied by their scale.
    ///
    /// # Errors
    /// [`WeightsError`] if the tensor is missing, has another shape or is not of floats.
    pub fn vec_f32(&self, name: &str, expected_shape: &[usize]) -> Result<Vec<f32>, WeightsError> {
        let entry = self.checked(name, expected_shape)?;
        let (dtype, bytes) = (entry.slot.dtype, self.slice(entry));
        let Some(mut out) = dtype::to_f32(dtype, bytes) else {
            return Err(self.wrong_dtype(entry));
        };
        let rows = expected_shape.first().copied().unwrap_or(1);
        if let Some(scale) = self.fp8_scale(name, dtype, rows)? {
            multiply_rows(&mut out, rows, |row| scale[row % scale.len()]);
        }
        self.forget(entry);
        Ok(out)
    }

    /// Some rows of a float matrix, widened to f32, without reading the others: what an embedding
    /// table is looked up with.
    ///
    /// # Errors
    /// [`WeightsError`] if the tensor is missing, is no matrix, has fewer rows or is not of floats.
    pub fn rows_f32(&self, name: &str, rows: &[usize]) -> Result<Vec<f32>, WeightsError> {
        let entry = self.entry(name)?;
        let &[height, width] = entry.slot.shape.as_slice() else {
            return Err(self.wrong_shape(entry, &[0, 0]));
        };
        if let Some(&row) = rows.iter().find(|&&row| row >= height) {
            return Err(self.wrong_shape(entry, &[row + 1, width]));
        }
        let row_bytes = width * entry.slot.dtype.size() as usize;
        let bytes = self.slice(entry);
        let mut out = Vec::with_capacity(rows.len() * width);
        for &row in rows {
            let row = &bytes[row * row_bytes..(row + 1) * row_bytes];
            let wide = dtype::to_f32(entry.slot.dtype, row);
            out.extend(wide.ok_or_else(|| self.wrong_dtype(entry))?);
        }
        if let Some(scale) = self.fp8_scale(name, entry.slot.dtype, height)? {
            multiply_rows(&mut out, rows.len(), |i| scale[rows[i] % scale.len()]);
        }
        Ok(out)
    }

    /// A float tensor on `device`: f32 on the CPU, [`Checkpoint::with_dtype`]'s choice elsewhere.
    ///
    /// # Errors
    /// [`WeightsError`] if the tensor is missing, has another shape or is not of floats.
    pub fn tensor<const D: usize>(
        &self,
        name: &str,
        expected_shape: [usize; D],
        device: &Device,
    ) -> Result<Tensor<D>, WeightsError> {
        let kind = if device::is_cpu(device) {
            FloatKind::F32
        } else {
            self.float
        };
        let entry = self.checked(name, &expected_shape)?;
        let data = match (entry.slot.dtype, kind) {
            // Same type on both sides: no detour over f32.
            (Dtype::Bf16, FloatKind::Bf16) | (Dtype::F16, FloatKind::F16) => {
                let data = TensorData::from_bytes_vec(
                    self.slice(entry).to_vec(),
                    expected_shape,
                    kind.burn(),
                );
                self.forget(entry);
                data
            }
            (_, FloatKind::F32) => {
                TensorData::new(self.vec_f32(name, &expected_shape)?, expected_shape)
            }
            (_, FloatKind::Bf16) => {
                let wide = self.vec_f32(name, &expected_shape)?;
                TensorData::new(
                    wide.into_iter().map(bf16::from_f32).collect::<Vec<_>>(),
                    expected_shape,
                )
            }
            (_, FloatKind::F16) => {
                let wide = self.vec_f32(name, &expected_shape)?;
                TensorData::new(
                    wide.into_iter().map(f16::from_f32).collect::<Vec<_>>(),
                    expected_shape,
                )
            }
        };
        Ok(Tensor::from_data(data, (device, kind.burn())))
    }

    /// Like [`Checkpoint::tensor`], `None` if there is no tensor of this name.
    ///
    /// # Errors
    /// [`WeightsError`] if it is there but cannot be used.
    pub fn tensor_opt<const D: usize>(
        &self,
        name: &str,
        expected_shape: [usize; D],
        device: &Device,
    ) -> Result<Option<Tensor<D>>, WeightsError> {
        if self.has(name) {
            self.tensor(name, expected_shape, device).map(Some)
        } else {
            Ok(None)
        }
    }

    pub(super) fn entry(&self, name: &str) -> Result<&Entry, WeightsError> {
        self.entries.get(name).ok_or_else(|| WeightsError::Missing {
            file: self.path.clone(),
            tensor: name.into(),
            near: self.near(name),
        })
    }

    fn slice(&self, entry: &Entry) -> &[u8] {
        let start = entry.slot.start as usize;
        &self.files[entry.file].map[start..start + entry.slot.bytes as usize]
    }

    fn checked(&self, name: &str, expected: &[usize]) -> Result<&Entry, WeightsError> {
        let entry = self.entry(name)?;
        if entry.slot.shape == expected {
            return Ok(entry);
        }
        Err(self.wrong_shape(entry, expected))
    }

    fn wrong_shape(&self, entry: &Entry, expected: &[usize]) -> WeightsError {
        WeightsError::Shape {
            file: self.files[entry.file].path.clone(),
            tensor: entry.stored.to_string(),
            expected: expected.to_vec(),
            found: entry.slot.shape.clone(),
        }
    }

    fn wrong_dtype(&self, entry: &Entry) -> WeightsError {
        WeightsError::Dtype {
            file: self.files[entry.file].path.clone(),
            tensor: entry.stored.to_string(),
            expected: "floating-point weights".into(),
            found: entry.slot.dtype.name(),
        }
    }

    /// The scale stored beside fp8 weights, if any: ComfyUI's `<layer>.scale_weight`
    /// (`comfy/ops.py`, scaled fp8) or the newer `<layer>.weight_scale`; one value, or one per row.
    /// Plain-cast files have neither.
    fn fp8_scale(
        &self,
        name: &str,
        dtype: Dtype,
        rows: usize,
    ) -> Result<Option<Vec<f32>>, WeightsError> {
        let Some(layer) = name.strip_suffix(".weight").filter(|_| dtype.is_fp8()) else {
            return Ok(None);
        };
        let names = [
            format!("{layer}.scale_weight"),
            format!("{layer}.weight_scale"),
        ];
        let Some(scale_name) = names.iter().find(|n| self.has(n)) else {
            return Ok(None);
        };
        let entry = self.entry(scale_name)?;
        let scale = dtype::to_f32(entry.slot.dtype, self.slice(entry))
            .ok_or_else(|| self.wrong_dtype(entry))?;
        if scale.len() != 1 && scale.len() != rows {
            return Err(self.wrong_shape(entry, &[rows]));
        }
        Ok(Some(scale).filter(|scale| !scale.is_empty()))
    }

    /// Drops the mapped pages of a tensor that has been copied out, so that a loaded model does not
    /// count twice in this process's memory. The page cache keeps them while there is room.
    fn forget(&self, entry: &Entry) {
        const PAGE: usize = 4096;
        let start = (entry.slot.start as usize).next_multiple_of(PAGE);
        let end = (entry.slot.start + entry.slot.bytes) as usize / PAGE * PAGE;
        if end > start {
            drop_pages(&self.files[entry.file].map, start, end - start);
        }
    }

    /// ` (nearest names: …)`: names that share the longest head or the same tail.
    fn near(&self, name: &str) -> String {
        let common = |other: &str| {
            other
                .bytes()
                .zip(name.bytes())
                .take_while(|(a, b)| a == b)
                .count()
        };
        let mut names: Vec<&str> = self.names().filter(|other| common(other) > 3).collect();
        names.sort_by_key(|other| std::cmp::Reverse(common(other)));
        names.truncate(3);
        if names.is_empty() {
            String::new()
        } else {
            format!(" (nearest names: {})", names.join(", "))
        }
    }
}

/// Multiplies each of `rows` equal parts of `values` by its factor.
fn multiply_rows(values: &mut [f32], rows: usize, factor: impl Fn(usize) -> f32) {
    let width = values.len() / rows.max(1);
    for (i, row) in values.chunks_mut(width.max(1)).enumerate() {
        let factor = factor(i);
        for value in row {
            *value *= factor;
        }
    }
}

#[cfg(unix)]
#[allow(unsafe_code)]
fn drop_pages(map: &memmap2::Mmap, offset: usize, len: usize) {
    // SAFETY: the map is a read-only view of a file and nothing wrote to it, so dropped pages come
    // back from the file with the same content. Failure only costs memory.
    let _ = unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, offset, len) };
}

#[cfg(not(unix))]
fn drop_pages(_: &memmap2::Mmap, _: usize, _: usize) {}
