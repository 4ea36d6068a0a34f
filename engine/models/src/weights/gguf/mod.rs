//! GGUF files, the container of llama.cpp: the same view of names, shapes and bytes as a safetensors
//! header gives, read without trusting any of its numbers.
//!
//! The format (ggml-org/ggml, `docs/gguf.md`): magic, version, counts; key-value pairs; one entry per
//! tensor with its axes, fastest first; padding to the alignment; tensors. Wan's files are written by
//! city96/ComfyUI-GGUF (`tools/convert.py`), UMT5's by llama.cpp, whose names [`names`] translates.

mod arrays;
mod names;
mod types;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

pub use arrays::Array;
use longtake_sentence::{Sentence, say};
use types::{Kind, dtype};

use super::error::{Action, WeightsError};
use super::header::{
    Header, MAX_HEADER_BYTES, MAX_RANK, Slot, bad_tensor, broken, cut, malformed, most_axes,
    sane_size, two_entries,
};

/// The first four bytes.
pub const MAGIC: &[u8; 4] = b"GGUF";
/// Longest key or tensor name.
const MAX_NAME_BYTES: u64 = 65_535;
/// Longest text kept of the metadata; longer ones (a chat template) are of no use here.
const MAX_TEXT_BYTES: u64 = 1 << 20;
/// Arrays within arrays.
const MAX_DEPTH: usize = 4;
const DEFAULT_ALIGNMENT: u64 = 32;
/// Entry with the shape that a converter took from a tensor whose rows no block type divides.
const SHAPE_KEY: &str = "comfy.gguf.orig_shape.";

/// Reads the header of a GGUF file, positioned behind its magic.
pub(super) fn read_header(
    file: &mut File,
    file_bytes: u64,
    path: &Path,
) -> Result<Header, WeightsError> {
    let mut reader = Reader {
        file: BufReader::with_capacity(1 << 16, file),
        at: 4,
        end: file_bytes.min(MAX_HEADER_BYTES),
        path,
    };
    let version = reader.u32(What::Version)?;
    if version != 2 && version != 3 {
        let expected = say!("GGUF version 2 or 3", "GGUF のバージョン 2 か 3");
        let remedy = say!(
            "convert the model again with a current llama.cpp (little-endian)",
            "新しい llama.cpp で変換し直してください（リトルエンディアン）"
        );
        return Err(malformed(
            path,
            4,
            expected,
            Sentence::same(version),
            remedy,
        ));
    }
    let tensors = reader.count(What::Tensors, 24)?;
    let pairs = reader.count(What::Pairs, 13)?;
    let mut meta = Meta::default();
    for _ in 0..pairs {
        reader.pair(&mut meta)?;
    }
    let alignment = match meta.texts.get("general.alignment") {
        None => DEFAULT_ALIGNMENT,
        Some(text) => text.parse().unwrap_or(0),
    };
    if !(1..=1 << 20).contains(&alignment) {
        let expected = say!(
            "general.alignment of 1 to 1048576",
            "1 から 1048576 までの general.alignment"
        );
        let found = Sentence::same(alignment);
        return Err(malformed(path, reader.at, expected, found, broken()));
    }
    let mut entries = Vec::new();
    for _ in 0..tensors {
        entries.push(reader.entry()?);
    }
    let data_start = reader.at.next_multiple_of(alignment);
    let mut slots = BTreeMap::new();
    for entry in entries {
        let slot = entry.slot(data_start, alignment, file_bytes, path)?;
        if slots.insert(entry.name.clone(), slot).is_some() {
            return Err(two_entries(path, &entry.name));
        }
    }
    check_overlap(&slots, path)?;
    names::restore_shapes(&mut slots, &meta.shapes);
    Ok(Header {
        path: path.into(),
        file_bytes,
        data_start: data_start.min(file_bytes),
        tensors: names::translated(slots),
        metadata: meta.texts,
        arrays: meta.arrays,
    })
}

/// What is kept of the metadata.
#[derive(Default)]
struct Meta {
    texts: BTreeMap<String, String>,
    arrays: BTreeMap<String, Array>,
    /// Shapes under [`SHAPE_KEY`].
    shapes: BTreeMap<String, Vec<usize>>,
}

/// What is read next, for messages.
#[derive(Clone, Copy)]
enum What {
    Version,
    Tensors,
    Pairs,
    Key,
    ValueType,
    Value,
    TextLength,
    Text,
    ElementType,
    Elements,
    Element,
    Array,
    Name,
    Axes,
    Axis,
    TensorType,
    Offset,
}

impl What {
    fn sentence(self) -> Sentence {
        match self {
            Self::Version => say!("a version", "バージョン"),
            Self::Tensors => say!("a number of tensors", "テンソルの数"),
            Self::Pairs => say!("a number of metadata entries", "メタデータの項目の数"),
            Self::Key => say!("a key", "キー"),
            Self::ValueType => say!("a value type", "値の型"),
            Self::Value => say!("a value", "値"),
            Self::TextLength => say!("a text's length", "テキストの長さ"),
            Self::Text => say!("a text", "テキスト"),
            Self::ElementType => say!("an element type", "要素の型"),
            Self::Elements => say!("a number of elements", "要素の数"),
            Self::Element => say!("an element", "要素"),
            Self::Array => say!("an array", "配列"),
            Self::Name => say!("a tensor name", "テンソルの名前"),
            Self::Axes => say!("a number of axes", "軸の数"),
            Self::Axis => say!("an axis", "軸の長さ"),
            Self::TensorType => say!("a tensor type", "テンソルの型"),
            Self::Offset => say!("an offset", "オフセット"),
        }
    }
}

fn not_utf8(error: &std::string::FromUtf8Error) -> Sentence {
    say!("{error}", "UTF-8 でない文字列（{error}）")
}

struct Reader<'a> {
    file: BufReader<&'a mut File>,
    /// Offset of the next byte.
    at: u64,
    /// No header reaches beyond this.
    end: u64,
    path: &'a Path,
}

impl Reader<'_> {
    fn cut(&self, what: What, bytes: u64) -> WeightsError {
        let (what, left) = (what.sentence(), self.end.saturating_sub(self.at));
        let expected = say!("{what} of {bytes} bytes", "{bytes} バイトの{what}"; what);
        let found = say!("{left} bytes left", "残り {left} バイト");
        malformed(self.path, self.at, expected, found, cut())
    }

    fn fill(&mut self, into: &mut [u8], what: What) -> Result<(), WeightsError> {
        if into.len() as u64 > self.end.saturating_sub(self.at) {
            return Err(self.cut(what, into.len() as u64));
        }
        self.file
            .read_exact(into)
            .map_err(|source| WeightsError::Io {
                file: self.path.into(),
                action: Action::Read,
                source,
            })?;
        self.at += into.len() as u64;
        Ok(())
    }

    fn u32(&mut self, what: What) -> Result<u32, WeightsError> {
        let mut bytes = [0; 4];
        self.fill(&mut bytes, what)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn u64(&mut self, what: What) -> Result<u64, WeightsError> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes, what)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// A number of things that take at least `least` bytes each.
    fn count(&mut self, what: What, least: u64) -> Result<u64, WeightsError> {
        let at = self.at;
        let count = self.u64(what)?;
        let left = self.end.saturating_sub(self.at);
        if count.checked_mul(least).is_none_or(|bytes| bytes > left) {
            let what = what.sentence();
            let expected =
                say!("{what} that {left} bytes can hold", "{left} バイトに収まる{what}"; what);
            let found = Sentence::same(count);
            return Err(malformed(self.path, at, expected, found, cut()));
        }
        Ok(count)
    }

    fn skip(&mut self, bytes: u64, what: What) -> Result<(), WeightsError> {
        if bytes > self.end.saturating_sub(self.at) {
            return Err(self.cut(what, bytes));
        }
        let step = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.file
            .seek_relative(step)
            .map_err(|source| WeightsError::Io {
                file: self.path.into(),
                action: Action::Read,
                source,
            })?;
        self.at += bytes;
        Ok(())
    }

    fn text(&mut self, what: What, most: u64) -> Result<String, WeightsError> {
        let at = self.at;
        let length = self.u64(what)?;
        if length > most {
            let what = what.sentence();
            let expected =
                say!("{what} of at most {most} bytes", "{most} バイト以下の{what}"; what);
            let found = Sentence::same(length);
            return Err(malformed(self.path, at, expected, found, broken()));
        }
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes, what)?;
        String::from_utf8(bytes).map_err(|e| {
            let what = what.sentence();
            let expected = say!("{what} in UTF-8", "UTF-8 の{what}"; what);
            malformed(self.path, at, expected, not_utf8(&e), broken())
        })
    }

    fn kind(&mut self, what: What) -> Result<Kind, WeightsError> {
        let at = self.at;
        let number = self.u32(what)?;
        Kind::of(number).ok_or_else(|| {
            let expected = say!("a value type of 0 to 12", "0 から 12 までの値の型");
            malformed(self.path, at, expected, Sentence::same(number), broken())
        })
    }

    fn pair(&mut self, meta: &mut Meta) -> Result<(), WeightsError> {
        let key = self.text(What::Key, MAX_NAME_BYTES)?;
        let kind = self.kind(What::ValueType)?;
        match kind.size() {
            Some(size) => {
                let mut bytes = [0; 8];
                self.fill(&mut bytes[..size as usize], What::Value)?;
                meta.texts.insert(key, kind.text(bytes));
            }
            None if kind == Kind::Text => {
                let at = self.at;
                let length = self.u64(What::TextLength)?;
                if length > MAX_TEXT_BYTES {
                    return self.skip(length, What::Text);
                }
                let mut bytes = vec![0; length as usize];
                self.fill(&mut bytes, What::Text)?;
                let text = String::from_utf8(bytes).map_err(|e| {
                    let expected = say!("text in UTF-8", "UTF-8 のテキスト");
                    malformed(self.path, at, expected, not_utf8(&e), broken())
                })?;
                meta.texts.insert(key, text);
            }
            None => {
                let array = self.array(0)?;
                match key.strip_prefix(SHAPE_KEY) {
                    Some(tensor) => {
                        meta.shapes.insert(tensor.to_owned(), array.numbers);
                    }
                    None => {
                        meta.arrays.insert(key, array.place);
                    }
                }
            }
        }
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<ReadArray, WeightsError> {
        let kind = self.kind(What::ElementType)?;
        let least = kind.size().unwrap_or(8);
        let count = self.count(What::Elements, least)?;
        let start = self.at;
        let mut numbers = Vec::new();
        match kind.size() {
            Some(size) if count <= MAX_RANK as u64 => {
                for _ in 0..count {
                    let mut bytes = [0; 8];
                    self.fill(&mut bytes[..size as usize], What::Element)?;
                    numbers.push(usize::try_from(u64::from_le_bytes(bytes)).unwrap_or(usize::MAX));
                }
            }
            Some(size) => self.skip(count * size, What::Array)?,
            None if kind == Kind::Text => {
                for _ in 0..count {
                    let length = self.u64(What::TextLength)?;
                    self.skip(length, What::Text)?;
                }
            }
            None if depth < MAX_DEPTH => {
                for _ in 0..count {
                    self.array(depth + 1)?;
                }
            }
            None => {
                let expected = say!("arrays nested a few deep", "数段までの入れ子の配列");
                let found = say!("more than {MAX_DEPTH}", "{MAX_DEPTH} 段を超える入れ子");
                return Err(malformed(self.path, start, expected, found, broken()));
            }
        }
        let place = Array {
            kind,
            count,
            start,
            end: self.at,
        };
        Ok(ReadArray { place, numbers })
    }

    fn entry(&mut self) -> Result<Entry, WeightsError> {
        let name = self.text(What::Name, MAX_NAME_BYTES)?;
        let rank = self.u32(What::Axes)?;
        if rank as usize > MAX_RANK {
            let found = Sentence::same(rank);
            return Err(bad_tensor(self.path, &name, most_axes(), found, broken()));
        }
        let mut axes = Vec::new();
        for _ in 0..rank {
            axes.push(self.u64(What::Axis)?);
        }
        Ok(Entry {
            name,
            axes,
            ty: self.u32(What::TensorType)?,
            offset: self.u64(What::Offset)?,
        })
    }
}

struct ReadArray {
    place: Array,
    /// Its elements, if they are few and numbers.
    numbers: Vec<usize>,
}

/// A tensor's entry as it stands in the file.
struct Entry {
    name: String,
    /// Fastest first.
    axes: Vec<u64>,
    ty: u32,
    offset: u64,
}

impl Entry {
    fn slot(
        &self,
        data_start: u64,
        alignment: u64,
        file_bytes: u64,
        path: &Path,
    ) -> Result<Slot, WeightsError> {
        let bad =
            |expected, found, remedy| Err(bad_tensor(path, &self.name, expected, found, remedy));
        let Self { ty, offset, .. } = *self;
        let Some(dtype) = dtype(ty) else {
            let expected = say!(
                "a type of F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K…Q6_K",
                "F32、F16、BF16、Q4_0、Q4_1、Q5_0、Q5_1、Q8_0、Q2_K…Q6_K のいずれかの型"
            );
            let remedy = say!(
                "use a Q8_0 or Q4_K file",
                "Q8_0 か Q4_K のファイルを使ってください"
            );
            return bad(expected, say!("ggml type {ty}", "ggml の型 {ty}"), remedy);
        };
        let elements = self
            .axes
            .iter()
            .try_fold(1_u64, |n, &axis| n.checked_mul(axis));
        let width = self.axes.first().copied().unwrap_or(1);
        if !width.is_multiple_of(dtype.block_len()) {
            let (len, kind) = (dtype.block_len(), dtype.name());
            let expected = say!(
                "rows of whole blocks of {len} for {kind}",
                "{kind} のブロック長 {len} の倍数の行"
            );
            let found = say!("rows of {width}", "長さ {width} の行");
            return bad(expected, found, broken());
        }
        let Some(bytes) = elements.and_then(|elements| dtype.bytes_for(elements)) else {
            let axes = &self.axes;
            return bad(sane_size(), say!("axes {axes:?}", "軸 {axes:?}"), broken());
        };
        if !offset.is_multiple_of(alignment) {
            let expected = say!(
                "an offset of whole {alignment} bytes",
                "{alignment} バイトの倍数のオフセット"
            );
            return bad(expected, Sentence::same(offset), broken());
        }
        let start = data_start.checked_add(offset);
        let end = start.and_then(|start| start.checked_add(bytes));
        match (start, end) {
            (Some(start), Some(end)) if end <= file_bytes => Ok(Slot {
                dtype,
                shape: self.axes.iter().rev().map(|&axis| axis as usize).collect(),
                start,
                bytes,
            }),
            _ => bad(
                say!(
                    "{bytes} bytes from offset {offset}",
                    "オフセット {offset} から {bytes} バイト"
                ),
                say!(
                    "a file of {file_bytes} bytes with tensors from {data_start}",
                    "{data_start} バイト目からテンソルが始まる {file_bytes} バイトのファイル"
                ),
                cut(),
            ),
        }
    }
}

fn check_overlap(slots: &BTreeMap<String, Slot>, path: &Path) -> Result<(), WeightsError> {
    let mut order: Vec<(&String, &Slot)> = slots.iter().filter(|(_, it)| it.bytes > 0).collect();
    order.sort_by_key(|(_, slot)| slot.start);
    for pair in order.windows(2) {
        let [(before, first), (name, second)] = pair else {
            continue;
        };
        let end = first.start + first.bytes;
        if second.start < end {
            let expected = say!(
                "a start from byte {end} on, where `{before}` ends",
                "「{before}」の終わる {end} バイト目以降からの開始"
            );
            let found = Sentence::same(second.start);
            return Err(bad_tensor(path, name, expected, found, broken()));
        }
    }
    Ok(())
}
