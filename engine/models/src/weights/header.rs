//! The header of a safetensors file, read and checked without trusting any of its numbers.
//!
//! The format: 8 bytes little-endian header length, that many bytes of JSON, then the tensors'
//! bytes without gaps (huggingface/safetensors, `README.md`, "Format"). The `safetensors` crate
//! keeps its entries in a hash map, so a name that stands twice is lost there, and its errors name
//! neither file nor tensor; hence this reader of our own.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::dtype::Dtype;
use super::error::WeightsError;
use super::gguf::{self, Array};

/// Longest header accepted, as in the `safetensors` crate. The largest real ones are under 1 MB.
pub const MAX_HEADER_BYTES: u64 = 100_000_000;
/// Most axes of a tensor.
pub(super) const MAX_RANK: usize = 8;

pub(super) const CUT: &str = "the file is cut short: download or copy it again";
pub(super) const BROKEN: &str =
    "the file is damaged or was written by a faulty program: fetch it again";

/// Where one tensor lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    /// Offset of the first byte from the start of the file.
    pub start: u64,
    pub bytes: u64,
}

/// A checked header: every slot lies inside the file, slots do not overlap, and each has the size
/// that its shape and dtype ask for.
#[derive(Clone, Debug)]
pub struct Header {
    pub path: PathBuf,
    pub file_bytes: u64,
    /// Offset of the first tensor byte.
    pub data_start: u64,
    pub tensors: BTreeMap<String, Slot>,
    /// The `__metadata__` entry.
    pub metadata: BTreeMap<String, String>,
    /// Arrays of a GGUF file's metadata.
    pub arrays: BTreeMap<String, Array>,
}

impl Header {
    /// Reads the header of `path`, safetensors or GGUF, and nothing else of the file.
    ///
    /// # Errors
    /// [`WeightsError`] on I/O failure and on anything that the format forbids.
    pub fn read(path: &Path) -> Result<Self, WeightsError> {
        let (mut file, file_bytes) = open(path)?;
        Self::read_from(&mut file, file_bytes, path)
    }

    pub(super) fn read_from(
        file: &mut File,
        file_bytes: u64,
        path: &Path,
    ) -> Result<Self, WeightsError> {
        let io = |source| WeightsError::Io {
            file: path.into(),
            action: "read",
            source,
        };
        let bad =
            |byte, expected: &str, found, remedy| malformed(path, byte, expected, found, remedy);
        if file_bytes < 8 {
            return Err(bad(
                0,
                "8 bytes of header length",
                format!("{file_bytes} bytes in all"),
                CUT,
            ));
        }
        let mut length = [0; 8];
        file.read_exact(&mut length).map_err(io)?;
        if length.starts_with(gguf::MAGIC) {
            file.seek(SeekFrom::Start(gguf::MAGIC.len() as u64))
                .map_err(io)?;
            return gguf::read_header(file, file_bytes, path);
        }
        let length = u64::from_le_bytes(length);
        if length > MAX_HEADER_BYTES {
            let remedy = "this is no safetensors file (a .pth renamed?): convert it first";
            return Err(bad(
                0,
                "a header length of at most 100000000",
                length.to_string(),
                remedy,
            ));
        }
        if length > file_bytes - 8 {
            return Err(bad(
                0,
                &format!("a header of {length} bytes"),
                format!("{} bytes after its length", file_bytes - 8),
                CUT,
            ));
        }
        let mut json = vec![0; length as usize];
        file.read_exact(&mut json).map_err(io)?;
        Self::parse(&json, file_bytes, path)
    }

    /// Checks the JSON part of a header; `file_bytes` is the length of the whole file.
    fn parse(json: &[u8], file_bytes: u64, path: &Path) -> Result<Self, WeightsError> {
        let raw: RawHeader = serde_json::from_slice(json).map_err(|e| {
            let byte = 8 + e.column().saturating_sub(1) as u64; // headers are one line
            malformed(
                path,
                byte,
                "a JSON object of tensor entries",
                e.to_string(),
                BROKEN,
            )
        })?;
        let data_start = 8 + json.len() as u64;
        let mut tensors = BTreeMap::new();
        for (name, entry) in raw.tensors {
            let slot = check_entry(&name, &entry, file_bytes - data_start, data_start, path)?;
            if tensors.insert(name.clone(), slot).is_some() {
                return Err(bad_tensor(
                    path,
                    &name,
                    "one entry",
                    "two entries of this name".into(),
                    BROKEN,
                ));
            }
        }
        check_layout(&tensors, data_start, file_bytes, path)?;
        Ok(Self {
            path: path.into(),
            file_bytes,
            data_start,
            tensors,
            metadata: raw.metadata,
            arrays: BTreeMap::new(),
        })
    }
}

/// Opens a regular file and its length.
pub(super) fn open(path: &Path) -> Result<(File, u64), WeightsError> {
    let io = |source| WeightsError::Io {
        file: path.into(),
        action: "open",
        source,
    };
    let file = File::open(path).map_err(io)?;
    let meta = file.metadata().map_err(io)?;
    if !meta.is_file() {
        let source = std::io::Error::new(std::io::ErrorKind::InvalidInput, "not a regular file");
        return Err(WeightsError::Io {
            file: path.into(),
            action: "open",
            source,
        });
    }
    Ok((file, meta.len()))
}

/// One entry on its own: dtype known, size equal to shape × dtype, inside the file.
fn check_entry(
    name: &str,
    raw: &RawEntry,
    data_bytes: u64,
    data_start: u64,
    path: &Path,
) -> Result<Slot, WeightsError> {
    let bad =
        |expected: String, found: String, remedy| bad_tensor(path, name, &expected, found, remedy);
    let dtype = Dtype::parse(&raw.dtype).ok_or_else(|| {
        bad(
            "a dtype of F32, BF16, F16, F64, F8_E4M3, F8_E5M2, I8…I64, U8…U64, BOOL".into(),
            format!("`{}`", clip(&raw.dtype)),
            "convert the checkpoint to bf16",
        )
    })?;
    if raw.shape.len() > MAX_RANK {
        return Err(bad(
            format!("at most {MAX_RANK} axes"),
            format!("{}", raw.shape.len()),
            BROKEN,
        ));
    }
    let want = raw
        .shape
        .iter()
        .try_fold(dtype.size(), |n, &axis| n.checked_mul(axis));
    let Some(want) = want else {
        return Err(bad(
            "a size below 2^64 bytes".into(),
            format!("shape {:?} of {}", raw.shape, dtype.name()),
            BROKEN,
        ));
    };
    let [start, end] = raw.data_offsets;
    if end < start {
        return Err(bad(
            "data_offsets in order".into(),
            format!("[{start}, {end}]"),
            BROKEN,
        ));
    }
    if end - start != want {
        let expected = format!("{want} bytes for shape {:?} of {}", raw.shape, dtype.name());
        return Err(bad(
            expected,
            format!("data_offsets [{start}, {end}], {} bytes", end - start),
            BROKEN,
        ));
    }
    if end > data_bytes {
        return Err(bad(
            format!("data within the file's {data_bytes} bytes of tensors"),
            format!("an end at {end}"),
            CUT,
        ));
    }
    let shape = raw.shape.iter().map(|&axis| axis as usize).collect();
    Ok(Slot {
        dtype,
        shape,
        start: data_start + start,
        bytes: want,
    })
}

/// All entries together: neither overlap nor hole, and nothing after the last.
fn check_layout(
    tensors: &BTreeMap<String, Slot>,
    data_start: u64,
    file_bytes: u64,
    path: &Path,
) -> Result<(), WeightsError> {
    let mut order: Vec<(&String, &Slot)> = tensors.iter().collect();
    order.sort_by_key(|(_, slot)| (slot.start, slot.bytes));
    let mut at = data_start;
    let mut before = "the header";
    for (name, slot) in order {
        if slot.start != at {
            let what = if slot.start < at {
                "an overlap"
            } else {
                "a hole"
            };
            let expected = format!("a start at byte {at}, where `{before}` ends");
            return Err(bad_tensor(
                path,
                name,
                &expected,
                format!("a start at byte {} ({what})", slot.start),
                BROKEN,
            ));
        }
        at += slot.bytes;
        before = name;
    }
    if at != file_bytes {
        return Err(malformed(
            path,
            at,
            "the end of the file",
            format!("{} more bytes", file_bytes - at),
            BROKEN,
        ));
    }
    Ok(())
}

pub(super) fn malformed(
    path: &Path,
    byte: u64,
    expected: &str,
    found: String,
    remedy: &'static str,
) -> WeightsError {
    WeightsError::Malformed {
        file: path.into(),
        byte,
        expected: expected.into(),
        found,
        remedy,
    }
}

pub(super) fn bad_tensor(
    path: &Path,
    tensor: &str,
    expected: &str,
    found: String,
    remedy: &'static str,
) -> WeightsError {
    WeightsError::BadTensor {
        file: path.into(),
        tensor: clip(tensor),
        expected: expected.into(),
        found,
        remedy,
    }
}

/// Keeps a hostile name from filling the screen.
fn clip(text: &str) -> String {
    let short: String = text
        .chars()
        .take(120)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(120).is_some() {
        short + "…"
    } else {
        short
    }
}

#[derive(Deserialize)]
struct RawEntry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

/// Entries in file order, duplicates kept so that they can be refused.
struct RawHeader {
    tensors: Vec<(String, RawEntry)>,
    metadata: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for RawHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = RawHeader;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object of tensor entries")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawHeader, A::Error> {
        let mut header = RawHeader {
            tensors: Vec::new(),
            metadata: BTreeMap::new(),
        };
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                header.metadata = map.next_value()?;
            } else {
                header.tensors.push((name, map.next_value()?));
            }
        }
        Ok(header)
    }
}
