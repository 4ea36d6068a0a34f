//! The form of packed matrices on GPUs: codes in an `i32` tensor, four or eight to a word, taken
//! apart by shifts and masks and turned into numbers through a table or a product. Plain tensor
//! operations only, so it runs wherever Burn does.

use burn::tensor::{DType, Int, TensorData};

use super::Raw;
use crate::weights::dtype::{self, Dtype, FloatKind};
use crate::weights::ggml::{self, Block, Format, Minimum};
use crate::{Device, Tensor};

type Ints<const D: usize> = burn::tensor::Tensor<burn::Dispatch, D, Int>;

/// Weights that are widened at a time: what is made on the way takes some 12 bytes for each.
const SLAB: usize = 8 << 20;
/// Rows that a slab has a whole multiple of, so that codes, factors and scales of all formats begin
/// with a word at its start: scales stand two to a word and serve up to 256 weights.
const ROW_STEP: usize = 512;

/// Small unsigned numbers in a tensor of words.
#[derive(Debug)]
struct Words {
    words: Ints<1>,
    bits: usize,
}

impl Words {
    fn upload(codes: &[u8], bits: usize, device: &Device) -> Self {
        let per_byte = 8 / bits;
        let mut bytes: Vec<u8> = if bits == 8 {
            codes.to_vec()
        } else {
            let pairs = codes.chunks(per_byte);
            pairs
                .map(|it| it[0] | it.get(1).unwrap_or(&0) << 4)
                .collect()
        };
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        Self::of_bytes(&bytes, bits, device)
    }

    fn of_bytes(bytes: &[u8], bits: usize, device: &Device) -> Self {
        let words: Vec<i32> = bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&it| i32::from_le_bytes(it))
            .collect();
        let count = words.len();
        let data = TensorData::new(words, [count]);
        Self {
            words: Ints::from_data(data, (device, DType::I32)),
            bits,
        }
    }

    /// `count` numbers from the `start`th, which begins a word.
    fn get(&self, start: usize, count: usize) -> Ints<1> {
        let per_word = 32 / self.bits;
        let first = start / per_word;
        let words = count.div_ceil(per_word);
        let slice = self.words.clone().slice(first..first + words);
        let mask = (1_i32 << self.bits) - 1;
        let parts = (0..per_word).map(|part| {
            let shifted = slice
                .clone()
                .bitwise_right_shift_scalar((part * self.bits) as i32);
            shifted.bitwise_and_scalar(mask)
        });
        let numbers = Ints::stack::<2>(parts.collect(), 1).reshape([words * per_word]);
        if words * per_word == count {
            numbers
        } else {
            numbers.slice(0..count)
        }
    }

    /// The same as f32, `offset` subtracted.
    fn numbers(&self, start: usize, count: usize, offset: u8) -> Tensor<1> {
        let numbers = self.get(start, count).float().cast(DType::F32);
        if offset == 0 {
            numbers
        } else {
            numbers.sub_scalar(f32::from(offset))
        }
    }
}

/// Half-precision numbers, two to a word, and the table that widens them: no GPU type is needed.
#[derive(Debug)]
struct Halves {
    words: Words,
    table: Tensor<1>,
}

impl Halves {
    fn upload(halves: &[u16], device: &Device) -> Self {
        let mut bytes: Vec<u8> = halves.iter().flat_map(|it| it.to_le_bytes()).collect();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let values = (0..=u16::MAX).map(|bits| half::f16::from_bits(bits).to_f32());
        Self {
            words: Words::of_bytes(&bytes, 16, device),
            table: table(values.collect(), device),
        }
    }

    fn get(&self, start: usize, count: usize) -> Tensor<1> {
        self.table.clone().select(0, self.words.get(start, count))
    }
}

fn table(values: Vec<f32>, device: &Device) -> Tensor<1> {
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), (device, DType::F32))
}

/// Scales and minima of a block type.
#[derive(Debug)]
struct Blocks {
    format: &'static Format,
    scale: Halves,
    minimum: Option<Halves>,
    factors: Option<Words>,
    minimum_factors: Option<Words>,
}

/// What a code stands for.
#[derive(Debug)]
enum Meaning {
    /// A place in a table of 256 values.
    Table(Tensor<1>),
    /// The number itself, 128 added.
    Signed,
    Blocks(Box<Blocks>),
}

/// A packed matrix as tensors.
#[derive(Debug)]
pub(super) struct Codes {
    shape: [usize; 2],
    words: Words,
    meaning: Meaning,
    /// Of rows, or one for all.
    scale: Option<Tensor<1>>,
    device: Device,
}

impl Codes {
    pub fn upload(raw: &Raw, device: &Device) -> Self {
        let (codes, meaning) = match ggml::format(raw.dtype) {
            Some(format) => blocks(format, &raw.bytes, device),
            None if raw.dtype == Dtype::I8 => {
                let codes: Vec<u8> = raw.bytes.iter().map(|byte| byte ^ 0x80).collect();
                (Words::upload(&codes, 8, device), Meaning::Signed)
            }
            None => {
                let all: Vec<u8> = (0..=255).collect();
                let values = dtype::to_f32(raw.dtype, &all).unwrap_or_default();
                let meaning = Meaning::Table(table(values, device));
                (Words::upload(&raw.bytes, 8, device), meaning)
            }
        };
        let scale = (!raw.scale.is_empty()).then(|| table(raw.scale.clone(), device));
        Self {
            shape: raw.shape,
            words: codes,
            meaning,
            scale,
            device: device.clone(),
        }
    }

    /// Bytes that a block type takes in this form.
    pub fn bytes(format: &Format, elements: u64) -> u64 {
        let (blocks, groups) = (elements / format.len as u64, elements / format.group as u64);
        let factors =
            u64::from(format.factor_offset.is_some()) + u64::from(format.minimum == Minimum::Group);
        let halves = 1 + u64::from(format.minimum != Minimum::None);
        elements * format.bits as u64 / 8 + groups * factors + blocks * 2 * halves
    }

    pub fn unpack(&self, kind: FloatKind) -> Tensor<2> {
        let [rows, width] = self.shape;
        let step = (SLAB / width.max(1) / ROW_STEP * ROW_STEP).max(ROW_STEP);
        if rows <= step {
            return self.rows(0, rows).cast(kind.burn());
        }
        let mut all = Tensor::<2>::zeros([rows, width], (&self.device, kind.burn()));
        for start in (0..rows).step_by(step) {
            let end = rows.min(start + step);
            let slab = self.rows(start, end).cast(kind.burn());
            all = all.slice_assign([start..end, 0..width], slab);
        }
        all
    }

    fn rows(&self, start: usize, end: usize) -> Tensor<2> {
        let (rows, width) = (end - start, self.shape[1]);
        let (first, count) = (start * width, rows * width);
        let values = match &self.meaning {
            Meaning::Table(table) => table.clone().select(0, self.words.get(first, count)),
            Meaning::Signed => self.words.numbers(first, count, 128),
            Meaning::Blocks(blocks) => blocks.values(&self.words, first, count),
        };
        let values = values.reshape([rows, width]);
        match &self.scale {
            None => values,
            Some(one) if one.dims() == [1] => values * one.clone().reshape([1, 1]),
            Some(each) => values * each.clone().slice(start..end).reshape([rows, 1]),
        }
    }
}

impl Blocks {
    fn values(&self, codes: &Words, first: usize, count: usize) -> Tensor<1> {
        let format = self.format;
        let (block, blocks) = (first / format.len, count / format.len);
        let (group, groups) = (first / format.group, count / format.group);
        let per_block = format.len / format.group;
        // One value per block, spread over its groups, times the groups' own factors.
        let spread = |halves: &Halves, factors: Option<&Words>, offset: u8| -> Tensor<2> {
            let each = halves.get(block, blocks).reshape([blocks, 1]);
            let each = each.repeat_dim(1, per_block).reshape([groups]);
            let each = match factors {
                Some(factors) => each * factors.numbers(group, groups, offset),
                None => each,
            };
            each.reshape([groups, 1])
        };
        let scale = spread(
            &self.scale,
            self.factors.as_ref(),
            format.factor_offset.unwrap_or(0),
        );
        let numbers = codes.numbers(first, count, format.offset);
        let mut values = numbers.reshape([groups, format.group]) * scale;
        if let Some(minimum) = &self.minimum {
            values = values - spread(minimum, self.minimum_factors.as_ref(), 0);
        }
        values.reshape([count])
    }
}

fn blocks(format: &'static Format, bytes: &[u8], device: &Device) -> (Words, Meaning) {
    let count = bytes.len() / format.bytes;
    let per_block = format.len / format.group;
    let mut codes = Vec::with_capacity(count * format.len);
    let (mut scales, mut minima) = (Vec::with_capacity(count), Vec::new());
    let (mut factors, mut minimum_factors) = (Vec::new(), Vec::new());
    let mut block = Block::empty();
    for bytes in bytes.chunks_exact(format.bytes) {
        format.take_apart(bytes, &mut block);
        codes.extend_from_slice(&block.codes[..format.len]);
        scales.push(block.scale);
        minima.push(block.minimum);
        factors.extend_from_slice(&block.factors[..per_block]);
        minimum_factors.extend_from_slice(&block.minimum_factors[..per_block]);
    }
    let words = |numbers: &[u8]| Words::upload(numbers, 8, device);
    let nested = format.minimum == Minimum::Group;
    let blocks = Blocks {
        format,
        scale: Halves::upload(&scales, device),
        minimum: (format.minimum != Minimum::None).then(|| Halves::upload(&minima, device)),
        factors: format.factor_offset.map(|_| words(&factors)),
        minimum_factors: nested.then(|| words(&minimum_factors)),
    };
    let codes = Words::upload(&codes, format.bits, device);
    (codes, Meaning::Blocks(Box::new(blocks)))
}
