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
use types::{Kind, dtype};

use super::error::WeightsError;
use super::header::{BROKEN, CUT, Header, MAX_HEADER_BYTES, MAX_RANK, Slot, bad_tensor, malformed};

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
    let version = reader.u32("a version")?;
    if version != 2 && version != 3 {
        let remedy = "convert the model again with a current llama.cpp (little-endian)";
        return Err(malformed(
            path,
            4,
            "GGUF version 2 or 3",
            version.to_string(),
            remedy,
        ));
    }
    let tensors = reader.count("a number of tensors", 24)?;
    let pairs = reader.count("a number of metadata entries", 13)?;
    let mut meta = Meta::default();
    for _ in 0..pairs {
        reader.pair(&mut meta)?;
    }
    let alignment = match meta.texts.get("general.alignment") {
        None => DEFAULT_ALIGNMENT,
        Some(text) => text.parse().unwrap_or(0),
    };
    if !(1..=1 << 20).contains(&alignment) {
        let expected = "general.alignment of 1 to 1048576";
        return Err(malformed(
            path,
            reader.at,
            expected,
            alignment.to_string(),
            BROKEN,
        ));
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
            let found = "two entries of this name".to_owned();
            return Err(bad_tensor(path, &entry.name, "one entry", found, BROKEN));
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

struct Reader<'a> {
    file: BufReader<&'a mut File>,
    /// Offset of the next byte.
    at: u64,
    /// No header reaches beyond this.
    end: u64,
    path: &'a Path,
}

impl Reader<'_> {
    fn cut(&self, expected: &str, bytes: u64) -> WeightsError {
        let found = format!("{} bytes left", self.end.saturating_sub(self.at));
        let expected = format!("{expected} of {bytes} bytes");
        malformed(self.path, self.at, &expected, found, CUT)
    }

    fn fill(&mut self, into: &mut [u8], what: &str) -> Result<(), WeightsError> {
        if into.len() as u64 > self.end.saturating_sub(self.at) {
            return Err(self.cut(what, into.len() as u64));
        }
        self.file
            .read_exact(into)
            .map_err(|source| WeightsError::Io {
                file: self.path.into(),
                action: "read",
                source,
            })?;
        self.at += into.len() as u64;
        Ok(())
    }

    fn u32(&mut self, what: &str) -> Result<u32, WeightsError> {
        let mut bytes = [0; 4];
        self.fill(&mut bytes, what)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn u64(&mut self, what: &str) -> Result<u64, WeightsError> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes, what)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// A number of things that take at least `least` bytes each.
    fn count(&mut self, what: &str, least: u64) -> Result<u64, WeightsError> {
        let at = self.at;
        let count = self.u64(what)?;
        let left = self.end.saturating_sub(self.at);
        if count.checked_mul(least).is_none_or(|bytes| bytes > left) {
            let expected = format!("{what} that {left} bytes can hold");
            return Err(malformed(self.path, at, &expected, count.to_string(), CUT));
        }
        Ok(count)
    }

    fn skip(&mut self, bytes: u64, what: &str) -> Result<(), WeightsError> {
        if bytes > self.end.saturating_sub(self.at) {
            return Err(self.cut(what, bytes));
        }
        let step = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.file
            .seek_relative(step)
            .map_err(|source| WeightsError::Io {
                file: self.path.into(),
                action: "read",
                source,
            })?;
        self.at += bytes;
        Ok(())
    }

    fn text(&mut self, what: &str, most: u64) -> Result<String, WeightsError> {
        let at = self.at;
        let length = self.u64(what)?;
        if length > most {
            let expected = format!("{what} of at most {most} bytes");
            return Err(malformed(
                self.path,
                at,
                &expected,
                length.to_string(),
                BROKEN,
            ));
        }
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes, what)?;
        String::from_utf8(bytes).map_err(|e| {
            malformed(
                self.path,
                at,
                &format!("{what} in UTF-8"),
                e.to_string(),
                BROKEN,
            )
        })
    }

    fn kind(&mut self, what: &str) -> Result<Kind, WeightsError> {
        let at = self.at;
        let number = self.u32(what)?;
        Kind::of(number).ok_or_else(|| {
            malformed(
                self.path,
                at,
                "a value type of 0 to 12",
                number.to_string(),
                BROKEN,
            )
        })
    }

    fn pair(&mut self, meta: &mut Meta) -> Result<(), WeightsError> {
        let key = self.text("a key", MAX_NAME_BYTES)?;
        let kind = self.kind("a value type")?;
        match kind.size() {
            Some(size) => {
                let mut bytes = [0; 8];
                self.fill(&mut bytes[..size as usize], "a value")?;
                meta.texts.insert(key, kind.text(bytes));
            }
            None if kind == Kind::Text => {
                let at = self.at;
                let length = self.u64("a text's length")?;
                if length > MAX_TEXT_BYTES {
                    return self.skip(length, "a text");
                }
                let mut bytes = vec![0; length as usize];
                self.fill(&mut bytes, "a text")?;
                let text = String::from_utf8(bytes).map_err(|e| {
                    malformed(self.path, at, "text in UTF-8", e.to_string(), BROKEN)
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
        let kind = self.kind("an element type")?;
        let least = kind.size().unwrap_or(8);
        let count = self.count("a number of elements", least)?;
        let start = self.at;
        let mut numbers = Vec::new();
        match kind.size() {
            Some(size) if count <= MAX_RANK as u64 => {
                for _ in 0..count {
                    let mut bytes = [0; 8];
                    self.fill(&mut bytes[..size as usize], "an element")?;
                    numbers.push(usize::try_from(u64::from_le_bytes(bytes)).unwrap_or(usize::MAX));
                }
            }
            Some(size) => self.skip(count * size, "an array")?,
            None if kind == Kind::Text => {
                for _ in 0..count {
                    let length = self.u64("a text's length")?;
                    self.skip(length, "a text")?;
                }
            }
            None if depth < MAX_DEPTH => {
                for _ in 0..count {
                    self.array(depth + 1)?;
                }
            }
            None => {
                let found = format!("more than {MAX_DEPTH}");
                return Err(malformed(
                    self.path,
                    start,
                    "arrays nested a few deep",
                    found,
                    BROKEN,
                ));
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
        let name = self.text("a tensor name", MAX_NAME_BYTES)?;
        let rank = self.u32("a number of axes")?;
        if rank as usize > MAX_RANK {
            let expected = format!("at most {MAX_RANK} axes");
            return Err(bad_tensor(
                self.path,
                &name,
                &expected,
                rank.to_string(),
                BROKEN,
            ));
        }
        let mut axes = Vec::new();
        for _ in 0..rank {
            axes.push(self.u64("an axis")?);
        }
        Ok(Entry {
            name,
            axes,
            ty: self.u32("a tensor type")?,
            offset: self.u64("an offset")?,
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
        let bad = |expected: &str, found: String, remedy| {
            Err(bad_tensor(path, &self.name, expected, found, remedy))
        };
        let Some(dtype) = dtype(self.ty) else {
            let expected = "a type of F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K…Q6_K";
            return bad(
                expected,
                format!("ggml type {}", self.ty),
                "use a Q8_0 or Q4_K file",
            );
        };
        let elements = self
            .axes
            .iter()
            .try_fold(1_u64, |n, &axis| n.checked_mul(axis));
        let width = self.axes.first().copied().unwrap_or(1);
        if !width.is_multiple_of(dtype.block_len()) {
            let expected = format!(
                "rows of whole blocks of {} for {}",
                dtype.block_len(),
                dtype.name()
            );
            return bad(&expected, format!("rows of {width}"), BROKEN);
        }
        let Some(bytes) = elements.and_then(|elements| dtype.bytes_for(elements)) else {
            return bad(
                "a size below 2^64 bytes",
                format!("axes {:?}", self.axes),
                BROKEN,
            );
        };
        if !self.offset.is_multiple_of(alignment) {
            let expected = format!("an offset of whole {alignment} bytes");
            return bad(&expected, self.offset.to_string(), BROKEN);
        }
        let start = data_start.checked_add(self.offset);
        let end = start.and_then(|start| start.checked_add(bytes));
        match (start, end) {
            (Some(start), Some(end)) if end <= file_bytes => Ok(Slot {
                dtype,
                shape: self.axes.iter().rev().map(|&axis| axis as usize).collect(),
                start,
                bytes,
            }),
            _ => bad(
                &format!("{bytes} bytes from offset {}", self.offset),
                format!("a file of {file_bytes} bytes with tensors from {data_start}"),
                CUT,
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
            let expected = format!("a start from byte {end} on, where `{before}` ends");
            return Err(bad_tensor(
                path,
                name,
                &expected,
                second.start.to_string(),
                BROKEN,
            ));
        }
    }
    Ok(())
}
