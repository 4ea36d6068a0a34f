//! Reading tensors out of a checkpoint: as bytes, as f32 on the host, as Burn tensors on a device.

use burn::tensor::TensorData;
use half::{bf16, f16};
use longtake_sentence::{Sentence, say};

use super::checkpoint::{Checkpoint, Entry};
use super::dtype::{self, Dtype, FloatKind};
use super::error::{Clash, WeightsError};
use super::matrix::Matrix;
use super::packed::{Packed, Raw, scale_rows};
use crate::lora::{Change, Delta};
use crate::{Device, Tensor, device};

/// What the names of a diffusion transformer's blocks begin with, in all layouts.
const BLOCKS: &str = "blocks.";

impl Checkpoint {
    /// The bytes of a tensor as they stand in the file, little-endian.
    ///
    /// # Errors
    /// [`WeightsError::Missing`].
    pub fn bytes_of(&self, name: &str) -> Result<&[u8], WeightsError> {
        Ok(self.slice(self.entry(name)?))
    }

    /// A float tensor on the host, widened to f32; scales are multiplied in and LoRAs put on.
    ///
    /// # Errors
    /// [`WeightsError`] if the tensor is missing, has another shape or is not of floats.
    pub fn vec_f32(&self, name: &str, expected_shape: &[usize]) -> Result<Vec<f32>, WeightsError> {
        let entry = self.checked(name, expected_shape)?;
        let mut out = self.stored_f32(name, entry)?;
        self.forget(entry);
        if entry.stored_shape() != expected_shape {
            out = padded(&out, entry.stored_shape(), expected_shape);
        }
        changed(out, expected_shape, entry.changes())
    }

    /// The tensor as it stands in the file, widened and scaled.
    fn stored_f32(&self, name: &str, entry: &Entry) -> Result<Vec<f32>, WeightsError> {
        let (dtype, bytes) = (entry.slot.dtype, self.slice(entry));
        let rows = entry.stored_shape().first().copied().unwrap_or(1);
        let scale = self.scale(name, entry, rows)?;
        let mut out = if dtype == Dtype::I8 && !scale.is_empty() {
            bytes.iter().map(|&b| f32::from(b as i8)).collect()
        } else {
            dtype::to_f32(dtype, bytes).ok_or_else(|| self.wrong_dtype(entry))?
        };
        let width = out.len() / rows.max(1);
        scale_rows(&mut out, width, &scale);
        Ok(out)
    }

    /// Checks that [`Checkpoint::vec_f32`] can read a tensor, without reading it.
    ///
    /// # Errors
    /// Those that reading would give.
    pub fn check_readable(&self, name: &str) -> Result<(), WeightsError> {
        let entry = self.entry(name)?;
        let rows = entry.stored_shape().first().copied().unwrap_or(1);
        let scale = self.scale(name, entry, rows)?;
        if entry.slot.dtype.is_float() || !scale.is_empty() {
            Ok(())
        } else {
            Err(self.wrong_dtype(entry))
        }
    }

    /// The weight of a linear layer `[out, in]`: packed if the file has it so (or
    /// [`Checkpoint::with_cast`] asks for it), with its LoRAs beside it.
    ///
    /// # Errors
    /// As [`Checkpoint::tensor`].
    pub fn matrix(
        &self,
        name: &str,
        expected_shape: [usize; 2],
        device: &Device,
    ) -> Result<Matrix, WeightsError> {
        let entry = self.checked(name, &expected_shape)?;
        let changes = entry.changes();
        let kind = if device::is_cpu(device) {
            FloatKind::F32
        } else {
            self.float
        };
        let apart = changes.iter().all(Change::adds);
        let (mut beside, mut within) = (Vec::new(), Vec::new());
        for change in changes {
            let pair = apart
                .then(|| change.low_rank(device, kind.burn()))
                .flatten();
            match pair {
                Some(pair) => beside.push(pair?),
                None => within.push(change.clone()),
            }
        }
        let raw = if entry.stored_shape() == expected_shape {
            self.raw(name, entry, expected_shape)?
        } else {
            None
        };
        let matrix = match raw {
            Some(raw) => {
                let deltas = within.into_iter().map(Delta).collect();
                Matrix::packed(Packed::new(raw, kind, device), deltas)
            }
            None if changes.is_empty() => self.tensor(name, expected_shape, device)?.into(),
            None => {
                let mut values = self.stored_f32(name, entry)?;
                self.forget(entry);
                if entry.stored_shape() != expected_shape {
                    values = padded(&values, entry.stored_shape(), &expected_shape);
                }
                let values = changed(values, &expected_shape, &within)?;
                let data = TensorData::new(values, expected_shape).convert_dtype(kind.burn());
                Tensor::<2>::from_data(data, (device, kind.burn())).into()
            }
        };
        Ok(matrix.with_low_rank(beside))
    }

    /// A matrix in the packed type that it is kept in; `None` if it is kept dense.
    fn raw(
        &self,
        name: &str,
        entry: &Entry,
        shape: [usize; 2],
    ) -> Result<Option<Raw>, WeightsError> {
        let dtype = entry.slot.dtype;
        if dtype.is_packed() {
            let scale = self.scale(name, entry, shape[0])?;
            if dtype == Dtype::I8 && scale.is_empty() {
                return Err(self.wrong_dtype(entry));
            }
            let bytes = self.slice(entry).to_vec();
            self.forget(entry);
            return Ok(Some(Raw {
                dtype,
                shape,
                bytes,
                scale,
            }));
        }
        match self.cast {
            Some(cast) if name.starts_with(BLOCKS) => {
                let values = self.stored_f32(name, entry)?;
                self.forget(entry);
                Ok(Some(Raw::cast(&values, shape, cast)))
            }
            _ => Ok(None),
        }
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
        if entry.changes.is_some() {
            let all = self.vec_f32(name, &[height, width])?;
            let rows = rows.iter().filter(|&&row| row < height);
            return Ok(rows
                .flat_map(|row| &all[row * width..][..width])
                .copied()
                .collect());
        }
        if let Some(&row) = rows.iter().find(|&&row| row >= height) {
            return Err(self.wrong_shape(entry, &[row + 1, width]));
        }
        let dtype = entry.slot.dtype;
        let row_bytes = match dtype.bytes_for(width as u64) {
            Some(bytes) => bytes as usize,
            None => return Err(self.wrong_dtype(entry)),
        };
        let bytes = self.slice(entry);
        let mut out = Vec::with_capacity(rows.len() * width);
        for &row in rows {
            let row = &bytes[row * row_bytes..(row + 1) * row_bytes];
            let wide = dtype::to_f32(entry.slot.dtype, row);
            out.extend(wide.ok_or_else(|| self.wrong_dtype(entry))?);
        }
        let scale = self.scale(name, entry, height)?;
        if !scale.is_empty() {
            let scale: Vec<f32> = rows.iter().map(|row| scale[row % scale.len()]).collect();
            scale_rows(&mut out, width, &scale);
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
        let as_stored = entry.changes.is_none();
        let data = match (entry.slot.dtype, kind) {
            // Same type on both sides: no detour over f32.
            (Dtype::Bf16, FloatKind::Bf16) | (Dtype::F16, FloatKind::F16) if as_stored => {
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
            found: entry.slot.dtype.name(),
        }
    }

    /// The scale stored beside eight-bit weights, empty if there is none: ComfyUI's
    /// `<layer>.scale_weight` (`comfy/ops.py`, scaled fp8), or the `<layer>.weight_scale` of its newer
    /// files (`QUANTIZATION.md`) and of LightX2V's; one value, or one per row. Plain casts have neither.
    fn scale(&self, name: &str, entry: &Entry, rows: usize) -> Result<Vec<f32>, WeightsError> {
        let dtype = entry.slot.dtype;
        let eight_bits = dtype.is_fp8() || dtype == Dtype::I8;
        let Some(layer) = name.strip_suffix(".weight").filter(|_| eight_bits) else {
            return Ok(Vec::new());
        };
        self.known_format(layer, entry)?;
        let names = [
            format!("{layer}.scale_weight"),
            format!("{layer}.weight_scale"),
        ];
        let Some(scale_name) = names.iter().find(|n| self.has(n)) else {
            return Ok(Vec::new());
        };
        let entry = self.entry(scale_name)?;
        let scale = dtype::to_f32(entry.slot.dtype, self.slice(entry))
            .ok_or_else(|| self.wrong_dtype(entry))?;
        if scale.len() != 1 && scale.len() != rows {
            return Err(self.wrong_shape(entry, &[rows]));
        }
        Ok(scale)
    }

    /// Refuses the newer quantisations that need more than a scale (`nvfp4`, `mxfp8`, rotations).
    fn known_format(&self, layer: &str, weight: &Entry) -> Result<(), WeightsError> {
        let refuse = |found: Sentence| WeightsError::BadTensor {
            file: self.files[weight.file].path.clone(),
            tensor: weight.stored.to_string(),
            clash: Box::new(Clash {
                expected: say!(
                    "fp8 or int8 with one scale per tensor or per row",
                    "テンソルごとか行ごとに一つのスケールを持つ fp8 か int8"
                ),
                found,
                remedy: say!(
                    "use the bf16, fp8 or GGUF file of this model",
                    "このモデルの bf16、fp8、GGUF のいずれかのファイルを使ってください"
                ),
            }),
        };
        for part in ["weight_scale_2", "pre_quant_scale"] {
            if self.has(&format!("{layer}.{part}")) {
                return Err(refuse(say!("`{layer}.{part}`", "「{layer}.{part}」")));
            }
        }
        let Ok(json) = self.bytes_of(&format!("{layer}.comfy_quant")) else {
            return Ok(());
        };
        let format = serde_json::from_slice::<serde_json::Value>(json).ok();
        let format = format.as_ref().and_then(|it| it.get("format")?.as_str());
        match format {
            Some("float8_e4m3fn" | "float8_e5m2" | "int8_tensorwise" | "int8") => Ok(()),
            other => {
                let other = other.unwrap_or("?").escape_debug();
                Err(refuse(say!("format `{other}`", "形式「{other}」")))
            }
        }
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

    /// Names that share the longest head with `name`, three at most.
    fn near(&self, name: &str) -> Vec<String> {
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
        names.into_iter().map(str::to_owned).collect()
    }
}

/// `values` of shape `from` in the corner of zeros of shape `to`, which has as many axes, none
/// shorter (ComfyUI, `comfy/weight_adapter/base.py`, `pad_tensor_to_shape`).
fn padded(values: &[f32], from: &[usize], to: &[usize]) -> Vec<f32> {
    let mut out = vec![0.0; to.iter().product()];
    let width = from.last().copied().unwrap_or(1).max(1);
    for (row, values) in values.chunks_exact(width).enumerate() {
        let (mut rest, mut stride, mut start) = (row, to.last().copied().unwrap_or(1), 0);
        for (&short, &long) in from.iter().zip(to).rev().skip(1) {
            start += rest % short.max(1) * stride;
            rest /= short.max(1);
            stride *= long;
        }
        out[start..start + width].copy_from_slice(values);
    }
    out
}

/// `values` of this shape with the changes made.
fn changed(
    values: Vec<f32>,
    shape: &[usize],
    changes: &[Change],
) -> Result<Vec<f32>, WeightsError> {
    if changes.is_empty() {
        return Ok(values);
    }
    let rows = shape.first().copied().unwrap_or(1).max(1);
    let data = TensorData::new(values, [rows, shape.iter().product::<usize>() / rows]);
    let mut matrix = Tensor::<2>::from_data(data, (&device::cpu(), FloatKind::F32.burn()));
    for change in changes {
        matrix = change.apply(matrix)?;
    }
    let values = matrix.into_data().into_vec();
    // A tensor made of f32 is readable as f32.
    Ok(values.unwrap_or_else(|e| unreachable!("f32 data read as f32: {e:?}")))
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "advice on a mapped file")]
fn drop_pages(map: &memmap2::Mmap, offset: usize, len: usize) {
    // SAFETY: the map is a read-only view of a file and nothing wrote to it, so dropped pages come
    // back from the file with the same content. Failure only costs memory.
    let _ = unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, offset, len) };
}

#[cfg(not(unix))]
fn drop_pages(_: &memmap2::Mmap, _: usize, _: usize) {}
