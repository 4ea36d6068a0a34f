//! Matrices kept as their file stores them, a byte per weight or less, and widened each time they
//! are used.
//!
//! On the CPU the stored bytes themselves are kept; on a GPU their codes lie in an integer tensor
//! and are widened by ordinary tensor operations ([`portable`]). Both give the numbers that widening
//! the whole file on load would give.

mod portable;

use std::sync::Arc;

use burn::tensor::TensorData;
use rayon::prelude::*;

use self::portable::Codes;
use super::dtype::{self, Dtype, FloatKind};
use super::ggml;
use crate::{Device, Tensor, device};

/// A matrix in host memory in a packed type. `bytes` fit `shape` and `dtype`, `scale` is empty or
/// has one value, or one per row: whoever makes it has checked that.
#[derive(Clone, Debug)]
pub struct Raw {
    pub dtype: Dtype,
    /// Rows and columns, `[out, in]`.
    pub shape: [usize; 2],
    pub bytes: Vec<u8>,
    pub scale: Vec<f32>,
}

impl Raw {
    /// Rounds `values` to fp8, without a scale, as ComfyUI's `weight_dtype` does.
    pub fn cast(values: &[f32], shape: [usize; 2], dtype: Dtype) -> Self {
        let bytes = values
            .par_iter()
            .with_min_len(1 << 14)
            .map(|&value| dtype::f32_to_fp8(dtype, value));
        Self {
            dtype,
            shape,
            bytes: bytes.collect(),
            scale: Vec::new(),
        }
    }

    /// All weights as f32, row by row.
    pub fn widen(&self) -> Vec<f32> {
        let mut out = if self.dtype == Dtype::I8 {
            self.bytes.iter().map(|&b| f32::from(b as i8)).collect()
        } else {
            // Other types than packed ones never come here.
            dtype::to_f32(self.dtype, &self.bytes).unwrap_or_default()
        };
        scale_rows(&mut out, self.shape[1], &self.scale);
        out
    }
}

/// Multiplies rows of `width` values by the scale, one for all or one each.
pub(super) fn scale_rows(values: &mut [f32], width: usize, scale: &[f32]) {
    if scale.is_empty() {
        return;
    }
    let rows = values.par_chunks_mut(width.max(1)).enumerate();
    rows.for_each(|(row, values)| {
        let scale = scale[row % scale.len()];
        for value in values {
            *value *= scale;
        }
    });
}

/// A packed matrix on a device.
#[derive(Clone, Debug)]
pub struct Packed {
    shape: [usize; 2],
    kind: FloatKind,
    device: Device,
    kept: Kept,
}

#[derive(Clone, Debug)]
enum Kept {
    /// The stored bytes, in host memory.
    Host(Arc<Raw>),
    /// Codes and scales on the device.
    Device(Arc<Codes>),
}

impl Packed {
    /// Brings `raw` to `device`; it will be widened to `kind` (to f32 on the CPU).
    pub fn new(raw: Raw, kind: FloatKind, device: &Device) -> Self {
        if !device::is_cpu(device) {
            return Self::portable(&raw, kind, device);
        }
        Self {
            shape: raw.shape,
            kind: FloatKind::F32,
            device: device.clone(),
            kept: Kept::Host(Arc::new(raw)),
        }
    }

    /// Like [`Packed::new`], in the form that GPUs use whatever the device is.
    pub fn portable(raw: &Raw, kind: FloatKind, device: &Device) -> Self {
        Self {
            shape: raw.shape,
            kind,
            device: device.clone(),
            kept: Kept::Device(Arc::new(Codes::upload(raw, device))),
        }
    }

    /// Rows and columns.
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// The type it widens to.
    pub fn kind(&self) -> FloatKind {
        self.kind
    }

    /// The dense matrix.
    pub fn unpack(&self) -> Tensor<2> {
        match &self.kept {
            Kept::Host(raw) => {
                let data = TensorData::new(raw.widen(), self.shape);
                Tensor::from_data(data, (&self.device, FloatKind::F32.burn()))
            }
            Kept::Device(codes) => codes.unpack(self.kind),
        }
    }
}

/// Bytes that a matrix of `elements` weights keeps in memory: those of its file. (The form on GPUs
/// spreads factors and five- and six-bit codes to whole bytes: Q5 and Q6 types are larger there.)
pub fn kept_bytes(dtype: Dtype, elements: u64, gpu: bool) -> u64 {
    let stored = dtype.bytes_for(elements).unwrap_or(elements);
    match ggml::format(dtype).filter(|_| gpu) {
        None => stored,
        Some(format) => Codes::bytes(format, elements),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of every kind, halves among them that are neither huge nor NaN.
    fn noise(len: usize, block: usize) -> Vec<u8> {
        let mut state = 88_172_645_463_325_252_u64;
        let mut bytes: Vec<u8> = (0..len)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 32) as u8
            })
            .collect();
        // A half's high byte at every even place that a scale may stand at: keep its exponent low.
        for block in bytes.chunks_mut(block) {
            if let [_, a, _, b, .., c, _, d] = block {
                for high in [a, b, c, d] {
                    *high &= 0xb7;
                }
            }
        }
        bytes
    }

    #[test]
    fn host_and_portable_forms_agree_to_the_bit() {
        use Dtype::*;
        let types = [
            F8E4M3, F8E5M2, I8, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2K, Q3K, Q4K, Q5K, Q6K,
        ];
        for dtype in types {
            for (shape, scales) in [([3, 256], 1), ([5, 768], 5), ([1030, 256], 0)] {
                let elements = (shape[0] * shape[1]) as u64;
                let len = dtype.bytes_for(elements).unwrap() as usize;
                let raw = Raw {
                    dtype,
                    shape,
                    bytes: noise(len, dtype.size() as usize),
                    scale: (0..scales).map(|n| 0.25 + n as f32 / 7.0).collect(),
                };
                let device = device::cpu();
                let values = |packed: Packed| packed.unpack().into_data().to_vec::<f32>().unwrap();
                let host = values(Packed::new(raw.clone(), FloatKind::F32, &device));
                let portable = values(Packed::portable(&raw, FloatKind::F32, &device));
                assert_eq!(host.len(), portable.len());
                let differ = |(a, b): (&f32, &f32)| a != b && !(a.is_nan() && b.is_nan());
                let apart = host.iter().zip(&portable).filter(|&it| differ(it)).count();
                assert_eq!(apart, 0, "{dtype:?} {shape:?}");
                assert!(host.iter().filter(|it| it.is_finite()).count() > host.len() / 2);
            }
        }
    }

    /// Widths that no word holds whole.
    #[test]
    fn odd_widths_are_padded() {
        let raw = Raw::cast(&[1.0, -2.0, 0.5, 3.0, 4.0, 0.25], [2, 3], Dtype::F8E4M3);
        let packed = Packed::portable(&raw, FloatKind::F32, &device::cpu());
        let values = packed.unpack().into_data().to_vec::<f32>().unwrap();
        assert_eq!(values, [1.0, -2.0, 0.5, 3.0, 4.0, 0.25]);
        assert_eq!(raw.widen(), values);
    }
}
