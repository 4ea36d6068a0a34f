//! The numbers that GGUF files give types of tensors and of metadata.

use crate::weights::dtype::Dtype;

/// Numbers of `enum ggml_type` (ggml-org/llama.cpp, `ggml/include/ggml.h`).
const TYPES: &[(u32, Dtype)] = &[
    (0, Dtype::F32),
    (1, Dtype::F16),
    (2, Dtype::Q4_0),
    (3, Dtype::Q4_1),
    (6, Dtype::Q5_0),
    (7, Dtype::Q5_1),
    (8, Dtype::Q8_0),
    (10, Dtype::Q2K),
    (11, Dtype::Q3K),
    (12, Dtype::Q4K),
    (13, Dtype::Q5K),
    (14, Dtype::Q6K),
    (24, Dtype::I8),
    (25, Dtype::I16),
    (26, Dtype::I32),
    (27, Dtype::I64),
    (28, Dtype::F64),
    (30, Dtype::Bf16),
];

/// The element type with this number; `None` for those that Longtake cannot read.
pub(super) fn dtype(number: u32) -> Option<Dtype> {
    let found = TYPES.iter().find(|(it, _)| *it == number);
    found.map(|&(_, dtype)| dtype)
}

/// A value's type in the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    Bool,
    Text,
    Array,
    U64,
    I64,
    F64,
}

impl Kind {
    pub fn of(number: u32) -> Option<Self> {
        use Kind::{Array, Bool, F32, F64, I8, I16, I32, I64, Text, U8, U16, U32, U64};
        const KINDS: [Kind; 13] = [
            U8, I8, U16, I16, U32, I32, F32, Bool, Text, Array, U64, I64, F64,
        ];
        KINDS.get(number as usize).copied()
    }

    /// Bytes of a number; `None` of texts and arrays.
    pub fn size(self) -> Option<u64> {
        match self {
            Self::U8 | Self::I8 | Self::Bool => Some(1),
            Self::U16 | Self::I16 => Some(2),
            Self::U32 | Self::I32 | Self::F32 => Some(4),
            Self::U64 | Self::I64 | Self::F64 => Some(8),
            Self::Text | Self::Array => None,
        }
    }

    /// A number as text, the way metadata is kept.
    pub fn text(self, bytes: [u8; 8]) -> String {
        let wide = u64::from_le_bytes(bytes);
        match self {
            Self::Bool => (bytes[0] != 0).to_string(),
            Self::I8 => (bytes[0] as i8).to_string(),
            Self::I16 => (wide as i16).to_string(),
            Self::I32 => (wide as i32).to_string(),
            Self::I64 => (wide as i64).to_string(),
            Self::F32 => f32::from_bits(wide as u32).to_string(),
            Self::F64 => f64::from_bits(wide).to_string(),
            Self::U8 | Self::U16 | Self::U32 | Self::U64 | Self::Text | Self::Array => {
                wide.to_string()
            }
        }
    }
}
