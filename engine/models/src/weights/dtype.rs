//! Element types of checkpoints and their conversion to f32 and to the GPU's float types.

use half::{bf16, f16};
use rayon::prelude::*;

use super::ggml;

/// Element type of a stored tensor, as the safetensors format names it; from `Q4_0` on the block
/// types of GGUF files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dtype {
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F8E4M3,
    F8E5M2,
    F16,
    Bf16,
    F32,
    F64,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2K,
    Q3K,
    Q4K,
    Q5K,
    Q6K,
}

/// Float type in which weights are kept on a device. On the CPU it is always f32, since `flex`
/// would convert the others anew in every operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FloatKind {
    #[default]
    F32,
    Bf16,
    F16,
}

impl FloatKind {
    /// Burn's name for it.
    pub const fn burn(self) -> burn::tensor::DType {
        match self {
            Self::F32 => burn::tensor::DType::F32,
            Self::Bf16 => burn::tensor::DType::BF16,
            Self::F16 => burn::tensor::DType::F16,
        }
    }

    /// Bytes of one element.
    pub const fn size(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::Bf16 | Self::F16 => 2,
        }
    }
}

const NAMES: &[(&str, Dtype)] = &[
    ("BOOL", Dtype::Bool),
    ("U8", Dtype::U8),
    ("I8", Dtype::I8),
    ("U16", Dtype::U16),
    ("I16", Dtype::I16),
    ("U32", Dtype::U32),
    ("I32", Dtype::I32),
    ("U64", Dtype::U64),
    ("I64", Dtype::I64),
    ("F8_E4M3", Dtype::F8E4M3),
    ("F8_E5M2", Dtype::F8E5M2),
    ("F16", Dtype::F16),
    ("BF16", Dtype::Bf16),
    ("F32", Dtype::F32),
    ("F64", Dtype::F64),
];

impl Dtype {
    /// The dtype of a safetensors entry; `None` for names that Longtake cannot read.
    pub fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(n, _)| *n == name).map(|&(_, d)| d)
    }

    /// The name in the file.
    pub fn name(self) -> &'static str {
        if let Some(format) = ggml::format(self) {
            return format.name;
        }
        NAMES
            .iter()
            .find(|&&(_, d)| d == self)
            .map_or("?", |&(n, _)| n)
    }

    /// Elements that are stored as one: 32 or 256 of the block types, 1 of all others.
    pub fn block_len(self) -> u64 {
        ggml::format(self).map_or(1, |format| format.len as u64)
    }

    /// Bytes of so many elements; `None` if they are no whole blocks, or too many.
    pub fn bytes_for(self, elements: u64) -> Option<u64> {
        let blocks = elements / self.block_len();
        (elements.is_multiple_of(self.block_len()))
            .then(|| blocks.checked_mul(self.size()))
            .flatten()
    }

    /// Elements in so many bytes.
    pub fn elements_in(self, bytes: u64) -> u64 {
        (bytes / self.size()).saturating_mul(self.block_len())
    }

    /// Bytes of one element, or of one block.
    pub fn size(self) -> u64 {
        if let Some(format) = ggml::format(self) {
            return format.bytes as u64;
        }
        match self {
            Self::U16 | Self::I16 | Self::F16 | Self::Bf16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
            // Block types were answered above.
            Self::Bool
            | Self::U8
            | Self::I8
            | Self::F8E4M3
            | Self::F8E5M2
            | Self::Q4_0
            | Self::Q4_1
            | Self::Q5_0
            | Self::Q5_1
            | Self::Q8_0
            | Self::Q2K
            | Self::Q3K
            | Self::Q4K
            | Self::Q5K
            | Self::Q6K => 1,
        }
    }

    /// Whether it is a floating-point type or a block type, that is, whether it can be a weight.
    pub fn is_float(self) -> bool {
        ggml::format(self).is_some()
            || matches!(
                self,
                Self::F8E4M3 | Self::F8E5M2 | Self::F16 | Self::Bf16 | Self::F32 | Self::F64
            )
    }

    /// Whether a matrix of it is kept as stored and widened when it is used: about a byte per
    /// weight or less. Eight-bit integers are such only with a scale beside them.
    pub fn is_packed(self) -> bool {
        self.is_fp8() || self == Self::I8 || ggml::format(self).is_some()
    }

    /// Whether it is one of the eight-bit floats, which usually come with a scale.
    pub const fn is_fp8(self) -> bool {
        matches!(self, Self::F8E4M3 | Self::F8E5M2)
    }
}

/// f8 e4m3 "fn": 4 exponent bits of bias 7, no infinities, NaN only at 0x7f and 0xff
/// (Micikevicius et al., "FP8 formats for deep learning", 2022).
pub fn f8_e4m3_to_f32(byte: u8) -> f32 {
    let sign = if byte & 0x80 == 0 { 1.0 } else { -1.0 };
    let (exp, man) = (i32::from((byte >> 3) & 0xf), f32::from(byte & 7));
    let magnitude = match exp {
        15 if byte & 7 == 7 => f32::NAN,
        0 => man / 8.0 * (-6f32).exp2(),
        _ => (1.0 + man / 8.0) * ((exp - 7) as f32).exp2(),
    };
    sign * magnitude
}

/// f8 e5m2: the upper byte of an IEEE half.
pub fn f8_e5m2_to_f32(byte: u8) -> f32 {
    f16::from_bits(u16::from(byte) << 8).to_f32()
}

/// The nearest e4m3 or e5m2 byte of a number, ties to even, as PyTorch's casts: what lies beyond
/// the largest number becomes that number in e4m3 and infinity in e5m2.
pub fn f32_to_fp8(dtype: Dtype, value: f32) -> u8 {
    let (mantissa, bias, top, beyond) = if dtype == Dtype::F8E5M2 {
        (2, 15, 0x7b, 0x7c)
    } else {
        (3, 7, 0x7e, 0x7e)
    };
    let sign = (value.to_bits() >> 24) as u8 & 0x80;
    let magnitude = value.abs();
    let bits = magnitude.to_bits();
    if magnitude.is_nan() {
        return sign | 0x7f;
    }
    if bits < (128 - bias) << 23 {
        // Below the smallest normal number codes count equal steps.
        let steps = magnitude * ((bias + mantissa) as f32 - 1.0).exp2();
        return sign | steps.round_ties_even() as u8;
    }
    let shift = 23 - mantissa;
    let odd = (bits >> shift) & 1;
    let rounded = (bits + (1 << (shift - 1)) - 1 + odd) >> shift;
    let code = rounded - ((127 - bias) << mantissa);
    sign | if code > top { beyond } else { code as u8 }
}

/// Elements below which a conversion is not worth spreading over threads.
const PARALLEL_FROM: usize = 1 << 16;

/// `bytes` of little-endian `dtype` elements as f32. `None` for dtypes that
/// are not floats. The length must be a whole number of elements, which a parsed header guarantees.
pub fn to_f32(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    let out = match dtype {
        Dtype::F32 => map::<4>(bytes, f32::from_le_bytes),
        Dtype::F64 => map::<8>(bytes, |b| f64::from_le_bytes(b) as f32),
        Dtype::F16 => map::<2>(bytes, |b| f16::from_le_bytes(b).to_f32()),
        Dtype::Bf16 => map::<2>(bytes, |b| bf16::from_le_bytes(b).to_f32()),
        Dtype::F8E4M3 => {
            let table: Vec<f32> = (0..=255).map(f8_e4m3_to_f32).collect();
            map::<1>(bytes, |[b]| table[usize::from(b)])
        }
        Dtype::F8E5M2 => {
            let table: Vec<f32> = (0..=255).map(f8_e5m2_to_f32).collect();
            map::<1>(bytes, |[b]| table[usize::from(b)])
        }
        Dtype::Bool
        | Dtype::U8
        | Dtype::I8
        | Dtype::U16
        | Dtype::I16
        | Dtype::U32
        | Dtype::I32
        | Dtype::U64
        | Dtype::I64 => return None,
        Dtype::Q4_0
        | Dtype::Q4_1
        | Dtype::Q5_0
        | Dtype::Q5_1
        | Dtype::Q8_0
        | Dtype::Q2K
        | Dtype::Q3K
        | Dtype::Q4K
        | Dtype::Q5K
        | Dtype::Q6K => return ggml::format(dtype).map(|format| format.widen(bytes)),
    };
    Some(out)
}

fn map<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f32 + Sync) -> Vec<f32> {
    let (items, _) = bytes.as_chunks::<N>();
    if items.len() < PARALLEL_FROM {
        items.iter().map(|&b| read(b)).collect()
    } else {
        items
            .par_iter()
            .with_min_len(PARALLEL_FROM)
            .map(|&b| read(b))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f8_values_of_the_paper() {
        for (byte, want) in [
            (0x00, 0.0),
            (0x01, 1.0 / 512.0),
            (0x08, 1.0 / 64.0),
            (0x38, 1.0),
            (0x7e, 448.0),
            (0xb8, -1.0),
        ] {
            assert_eq!(f8_e4m3_to_f32(byte), want, "e4m3 {byte:#x}");
        }
        assert!(f8_e4m3_to_f32(0x7f).is_nan());
        for (byte, want) in [
            (0x3c, 1.0),
            (0x7b, 57344.0),
            (0x01, 1.0 / 65536.0),
            (0xfc, f32::NEG_INFINITY),
        ] {
            assert_eq!(f8_e5m2_to_f32(byte), want, "e5m2 {byte:#x}");
        }
    }

    /// PyTorch 2.15: `torch.tensor(v).to(torch.float8_…).view(torch.uint8)`.
    const FP8_CASTS: [(f32, u8, u8); 30] = [
        (0.0, 0x00, 0x00),
        (-0.0, 0x80, 0x80),
        (0.001, 0x01, 0x14),
        (1.0 / 1024.0, 0x00, 0x14),
        (1.0 / 1023.0, 0x01, 0x14),
        (3.0 / 1024.0, 0x02, 0x1a),
        (0.0146, 0x07, 0x23),
        (0.0155, 0x08, 0x24),
        (1.0 / 64.0, 0x08, 0x24),
        (0.017, 0x09, 0x24),
        (0.3, 0x2a, 0x35),
        (-1.0625, 0xb8, 0xbc),
        (1.1875, 0x3a, 0x3d),
        (17.0, 0x58, 0x4c),
        (19.0, 0x5a, 0x4d),
        (448.0, 0x7e, 0x5f),
        (463.9, 0x7e, 0x5f),
        (464.0, 0x7e, 0x5f),
        (465.0, 0x7e, 0x5f),
        (480.0, 0x7e, 0x60),
        (-1e9, 0xfe, 0xfc),
        (57344.0, 0x7e, 0x7b),
        (61440.0, 0x7e, 0x7c),
        (61439.0, 0x7e, 0x7b),
        (1.0 / 131_072.0, 0x00, 0x00),
        (1.5 / 131_072.0, 0x00, 0x01),
        (3e-5, 0x00, 0x02),
        (6.1e-5, 0x00, 0x04),
        (1e-8, 0x00, 0x00),
        (240.5, 0x77, 0x5c),
    ];

    #[test]
    fn casts_to_f8_are_those_of_pytorch() {
        for (value, e4m3, e5m2) in FP8_CASTS {
            assert_eq!(f32_to_fp8(Dtype::F8E4M3, value), e4m3, "{value} to e4m3");
            assert_eq!(f32_to_fp8(Dtype::F8E5M2, value), e5m2, "{value} to e5m2");
        }
        for dtype in [Dtype::F8E4M3, Dtype::F8E5M2] {
            for byte in 0..=255_u8 {
                let [value] = to_f32(dtype, &[byte]).unwrap()[..] else {
                    unreachable!()
                };
                if !value.is_nan() {
                    assert_eq!(f32_to_fp8(dtype, value), byte, "{dtype:?} {byte:#x}");
                }
            }
        }
    }

    #[test]
    fn halves_widen_exactly_and_ints_are_refused() {
        let bits = bf16::from_f32(-3.25).to_le_bytes();
        assert_eq!(to_f32(Dtype::Bf16, &bits), Some(vec![-3.25]));
        assert_eq!(to_f32(Dtype::I32, &[0; 4]), None);
    }
}
