//! The block types of GGUF files: how ggml packs 32 or 256 weights with their scales.
//!
//! Every type is taken apart into the same pieces: a small code per weight, a half-precision scale
//! per block, for the K types a small factor per group of weights, and for some a minimum of the
//! same form. Layouts and the order of operations are those of ggml-org/llama.cpp,
//! `ggml/src/ggml-common.h` and `ggml-quants.c` (`dequantize_row_*`), so that results agree to the bit.

use half::f16;
use rayon::prelude::*;

use super::dtype::Dtype;

/// Most weights in a block.
pub(super) const MAX_BLOCK: usize = 256;
/// Most groups in a block.
pub(super) const MAX_GROUPS: usize = 16;

/// What is subtracted from a weight's product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Minimum {
    None,
    /// One per block.
    Block,
    /// The block's, times a factor per group.
    Group,
}

/// A block taken apart. A weight is `scale · factor · (code − offset) − minimum · minimum_factor`.
pub(super) struct Block {
    pub codes: [u8; MAX_BLOCK],
    /// Bits of an `f16`.
    pub scale: u16,
    pub minimum: u16,
    pub factors: [u8; MAX_GROUPS],
    pub minimum_factors: [u8; MAX_GROUPS],
}

/// How one block type is laid out.
#[derive(Debug)]
pub(super) struct Format {
    pub name: &'static str,
    /// Weights in a block.
    pub len: usize,
    /// Bytes of a block.
    pub bytes: usize,
    /// Weights that share a factor.
    pub group: usize,
    /// Bits that a code needs: 4 or 8.
    pub bits: usize,
    /// Subtracted from codes.
    pub offset: u8,
    /// Subtracted from factors; `None`: there are none, the block's scale serves all its weights.
    pub factor_offset: Option<u8>,
    pub minimum: Minimum,
    take_apart: fn(&[u8], &mut Block),
}

const fn simple(name: &'static str, bytes: usize, bits: usize, offset: u8) -> Format {
    Format {
        name,
        len: 32,
        bytes,
        group: 32,
        bits,
        offset,
        factor_offset: None,
        minimum: Minimum::None,
        take_apart: q8_0,
    }
}

const FORMATS: [(Dtype, Format); 10] = [
    (
        Dtype::Q4_0,
        Format {
            take_apart: q4_0,
            ..simple("Q4_0", 18, 4, 8)
        },
    ),
    (
        Dtype::Q4_1,
        Format {
            take_apart: q4_1,
            minimum: Minimum::Block,
            ..simple("Q4_1", 20, 4, 0)
        },
    ),
    (
        Dtype::Q5_0,
        Format {
            take_apart: q5_0,
            ..simple("Q5_0", 22, 8, 16)
        },
    ),
    (
        Dtype::Q5_1,
        Format {
            take_apart: q5_1,
            minimum: Minimum::Block,
            ..simple("Q5_1", 24, 8, 0)
        },
    ),
    (Dtype::Q8_0, simple("Q8_0", 34, 8, 128)),
    (Dtype::Q2K, k("Q2_K", 84, 16, 4, 0, 0, Minimum::Group, q2_k)),
    (
        Dtype::Q3K,
        k("Q3_K", 110, 16, 4, 4, 32, Minimum::None, q3_k),
    ),
    (
        Dtype::Q4K,
        k("Q4_K", 144, 32, 4, 0, 0, Minimum::Group, q4_k),
    ),
    (
        Dtype::Q5K,
        k("Q5_K", 176, 32, 8, 0, 0, Minimum::Group, q5_k),
    ),
    (
        Dtype::Q6K,
        k("Q6_K", 210, 16, 8, 32, 128, Minimum::None, q6_k),
    ),
];

#[allow(clippy::too_many_arguments, reason = "a row of the table above")]
const fn k(
    name: &'static str,
    bytes: usize,
    group: usize,
    bits: usize,
    offset: u8,
    factor_offset: u8,
    minimum: Minimum,
    take_apart: fn(&[u8], &mut Block),
) -> Format {
    Format {
        name,
        len: 256,
        bytes,
        group,
        bits,
        offset,
        factor_offset: Some(factor_offset),
        minimum,
        take_apart,
    }
}

/// The layout of a block type; `None` for all other types.
pub(super) fn format(dtype: Dtype) -> Option<&'static Format> {
    static TABLE: [(Dtype, Format); 10] = FORMATS;
    TABLE.iter().find(|(it, _)| *it == dtype).map(|(_, it)| it)
}

impl Block {
    pub fn empty() -> Self {
        Self {
            codes: [0; MAX_BLOCK],
            scale: 0,
            minimum: 0,
            factors: [0; MAX_GROUPS],
            minimum_factors: [0; MAX_GROUPS],
        }
    }
}

impl Format {
    pub fn take_apart(&self, bytes: &[u8], into: &mut Block) {
        (self.take_apart)(bytes, into);
    }

    /// All weights of whole blocks as f32.
    pub fn widen(&self, bytes: &[u8]) -> Vec<f32> {
        /// Blocks that one thread takes at a time.
        const RUN: usize = 64;
        let mut out = vec![0.0; bytes.len() / self.bytes * self.len];
        out.par_chunks_mut(self.len * RUN)
            .zip(bytes.par_chunks(self.bytes * RUN))
            .for_each(|(out, bytes)| {
                let mut block = Block::empty();
                let blocks = bytes.chunks_exact(self.bytes);
                for (out, bytes) in out.chunks_exact_mut(self.len).zip(blocks) {
                    self.take_apart(bytes, &mut block);
                    self.put_together(&block, out);
                }
            });
        out
    }

    fn put_together(&self, block: &Block, out: &mut [f32]) {
        let (scale, minimum) = (wide(block.scale), wide(block.minimum));
        let offset = i32::from(self.offset);
        let groups = out
            .chunks_exact_mut(self.group)
            .zip(block.codes.chunks_exact(self.group));
        for (at, (out, codes)) in groups.enumerate() {
            let scale = self.factor_offset.map_or(scale, |offset| {
                scale * f32::from(i16::from(block.factors[at]) - i16::from(offset))
            });
            let product = |code: u8| scale * (i32::from(code) - offset) as f32;
            let minimum = match self.minimum {
                Minimum::None => {
                    for (out, &code) in out.iter_mut().zip(codes) {
                        *out = product(code);
                    }
                    continue;
                }
                Minimum::Block => minimum,
                Minimum::Group => minimum * f32::from(block.minimum_factors[at]),
            };
            for (out, &code) in out.iter_mut().zip(codes) {
                *out = product(code) - minimum;
            }
        }
    }
}

fn wide(bits: u16) -> f32 {
    f16::from_bits(bits).to_f32()
}

fn half_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// Low halves of the bytes, then high halves.
fn nibbles(bytes: &[u8], codes: &mut [u8]) {
    let (low, high) = codes.split_at_mut(bytes.len());
    for ((byte, low), high) in bytes.iter().zip(low).zip(high) {
        *low = byte & 0xf;
        *high = byte >> 4;
    }
}

fn q8_0(bytes: &[u8], block: &mut Block) {
    block.scale = half_at(bytes, 0);
    for (code, byte) in block.codes.iter_mut().zip(&bytes[2..34]) {
        *code = byte ^ 0x80; // two's complement, 128 added
    }
}

fn q4_0(bytes: &[u8], block: &mut Block) {
    block.scale = half_at(bytes, 0);
    nibbles(&bytes[2..18], &mut block.codes[..32]);
}

fn q4_1(bytes: &[u8], block: &mut Block) {
    block.scale = half_at(bytes, 0);
    block.minimum = half_at(bytes, 2) ^ 0x8000; // added there, subtracted here
    nibbles(&bytes[4..20], &mut block.codes[..32]);
}

fn q5_0(bytes: &[u8], block: &mut Block) {
    block.scale = half_at(bytes, 0);
    nibbles(&bytes[6..22], &mut block.codes[..32]);
    fifth_bits(&bytes[2..6], block);
}

fn q5_1(bytes: &[u8], block: &mut Block) {
    block.scale = half_at(bytes, 0);
    block.minimum = half_at(bytes, 2) ^ 0x8000;
    nibbles(&bytes[8..24], &mut block.codes[..32]);
    fifth_bits(&bytes[4..8], block);
}

fn fifth_bits(bits: &[u8], block: &mut Block) {
    for (at, code) in block.codes[..32].iter_mut().enumerate() {
        *code |= (bits[at / 8] >> (at % 8) & 1) << 4;
    }
}

/// Two bits per weight: four weights of a half-block share a byte, 32 apart.
fn two_bits(bytes: &[u8], codes: &mut [u8]) {
    for (half, bytes) in bytes.chunks_exact(32).enumerate() {
        for (at, byte) in bytes.iter().enumerate() {
            for part in 0..4 {
                codes[half * 128 + part * 32 + at] = byte >> (2 * part) & 3;
            }
        }
    }
}

fn q2_k(bytes: &[u8], block: &mut Block) {
    for (at, byte) in bytes[..16].iter().enumerate() {
        block.factors[at] = byte & 0xf;
        block.minimum_factors[at] = byte >> 4;
    }
    two_bits(&bytes[16..80], &mut block.codes);
    block.scale = half_at(bytes, 80);
    block.minimum = half_at(bytes, 82);
}

fn q3_k(bytes: &[u8], block: &mut Block) {
    two_bits(&bytes[32..96], &mut block.codes);
    for (at, code) in block.codes.iter_mut().enumerate() {
        // Bit `at / 32` of byte `at % 32`.
        *code |= (bytes[at % 32] >> (at / 32) & 1) << 2;
    }
    let packed = &bytes[96..108];
    for (at, factor) in block.factors.iter_mut().enumerate() {
        let low = packed[at % 8] >> (4 * (at / 8)) & 0xf;
        let high = packed[8 + at % 4] >> (2 * (at / 4)) & 3;
        *factor = low | high << 4;
    }
    block.scale = half_at(bytes, 108);
}

/// Eight six-bit factors and eight six-bit minima in twelve bytes.
fn six_bit_pairs(packed: &[u8], block: &mut Block) {
    for at in 0..4 {
        let (scale, minimum, rest) = (packed[at], packed[at + 4], packed[at + 8]);
        block.factors[at] = scale & 0x3f;
        block.minimum_factors[at] = minimum & 0x3f;
        block.factors[at + 4] = (rest & 0xf) | (scale >> 6) << 4;
        block.minimum_factors[at + 4] = (rest >> 4) | (minimum >> 6) << 4;
    }
}

fn q4_k(bytes: &[u8], block: &mut Block) {
    block.scale = half_at(bytes, 0);
    block.minimum = half_at(bytes, 2);
    six_bit_pairs(&bytes[4..16], block);
    let runs = bytes[16..144].chunks_exact(32);
    for (bytes, codes) in runs.zip(block.codes.chunks_exact_mut(64)) {
        nibbles(bytes, codes);
    }
}

fn q5_k(bytes: &[u8], block: &mut Block) {
    block.scale = half_at(bytes, 0);
    block.minimum = half_at(bytes, 2);
    six_bit_pairs(&bytes[4..16], block);
    let runs = bytes[48..176].chunks_exact(32);
    for (bytes, codes) in runs.zip(block.codes.chunks_exact_mut(64)) {
        nibbles(bytes, codes);
    }
    for (at, code) in block.codes.iter_mut().enumerate() {
        *code |= (bytes[16 + at % 32] >> (at / 32) & 1) << 4;
    }
}

fn q6_k(bytes: &[u8], block: &mut Block) {
    for half in 0..2 {
        let (low, high) = (&bytes[half * 64..][..64], &bytes[128 + half * 32..][..32]);
        let codes = &mut block.codes[half * 128..][..128];
        nibbles(low, codes);
        for (at, code) in codes.iter_mut().enumerate() {
            *code |= (high[at % 32] >> (2 * (at / 32)) & 3) << 4;
        }
    }
    for (factor, byte) in block.factors.iter_mut().zip(&bytes[192..208]) {
        *factor = byte ^ 0x80;
    }
    block.scale = half_at(bytes, 208);
}
