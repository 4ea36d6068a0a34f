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

use longtake_sentence::{Sentence, say};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::dtype::Dtype;
use super::error::{Action, Clash, WeightsError};
use super::gguf::{self, Array};

/// Longest header accepted, as in the `safetensors` crate. The largest real ones are under 1 MB.
pub const MAX_HEADER_BYTES: u64 = 100_000_000;
/// Most axes of a tensor.
pub(super) const MAX_RANK: usize = 8;

/// What to do about a file that ends too early.
pub(super) fn cut() -> Sentence {
    say!(
        "the file is cut short: download or copy it again",
        "ファイルが途中で切れています。もう一度ダウンロードするかコピーしてください"
    )
}

/// What to do about a file that contradicts itself.
pub(super) fn broken() -> Sentence {
    say!(
        "the file is damaged or was written by a faulty program: fetch it again",
        "ファイルが壊れているか、正しく書かれていません。もう一度入手してください"
    )
}

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
            action: Action::Read,
            source,
        };
        let bad = |expected, found, remedy| malformed(path, 0, expected, found, remedy);
        if file_bytes < 8 {
            let expected = say!("8 bytes of header length", "ヘッダー長の 8 バイト");
            let found = say!("{file_bytes} bytes in all", "全部で {file_bytes} バイト");
            return Err(bad(expected, found, cut()));
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
            let expected = say!(
                "a header length of at most {MAX_HEADER_BYTES}",
                "{MAX_HEADER_BYTES} 以下のヘッダー長"
            );
            let remedy = say!(
                "this is no safetensors file (a .pth renamed?): convert it first",
                "safetensors ファイルではありません（.pth の名前を変えたものかもしれません）。先に変換してください"
            );
            return Err(bad(expected, Sentence::same(length), remedy));
        }
        if length > file_bytes - 8 {
            let (expected, left) = (
                say!("a header of {length} bytes", "{length} バイトのヘッダー"),
                file_bytes - 8,
            );
            let found = say!("{left} bytes after its length", "その後ろは {left} バイト");
            return Err(bad(expected, found, cut()));
        }
        let mut json = vec![0; length as usize];
        file.read_exact(&mut json).map_err(io)?;
        Self::parse(&json, file_bytes, path)
    }

    /// Checks the JSON part of a header; `file_bytes` is the length of the whole file.
    fn parse(json: &[u8], file_bytes: u64, path: &Path) -> Result<Self, WeightsError> {
        let raw: RawHeader = serde_json::from_slice(json).map_err(|e| {
            let byte = 8 + e.column().saturating_sub(1) as u64; // headers are one line
            let expected = say!(
                "a JSON object of tensor entries",
                "テンソルの項目からなる JSON オブジェクト"
            );
            malformed(path, byte, expected, json_error(&e), broken())
        })?;
        let data_start = 8 + json.len() as u64;
        let mut tensors = BTreeMap::new();
        for (name, entry) in raw.tensors {
            let slot = check_entry(&name, &entry, file_bytes - data_start, data_start, path)?;
            if tensors.insert(name.clone(), slot).is_some() {
                return Err(two_entries(path, &name));
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
        action: Action::Open,
        source,
    };
    // Looked at before it is opened too: opening a pipe waits for who writes to it.
    let not_a_file = || WeightsError::NotAFile { file: path.into() };
    if !path.metadata().map_err(io)?.is_file() {
        return Err(not_a_file());
    }
    let file = File::open(path).map_err(io)?;
    let meta = file.metadata().map_err(io)?;
    if !meta.is_file() {
        return Err(not_a_file());
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
    let bad = |expected, found, remedy| bad_tensor(path, name, expected, found, remedy);
    let dtype = Dtype::parse(&raw.dtype).ok_or_else(|| {
        let found = clip(&raw.dtype);
        bad(
            say!(
                "a dtype of F32, BF16, F16, F64, F8_E4M3, F8_E5M2, I8…I64, U8…U64, BOOL",
                "F32、BF16、F16、F64、F8_E4M3、F8_E5M2、I8…I64、U8…U64、BOOL のいずれかのデータ型"
            ),
            say!("`{found}`", "「{found}」"),
            say!(
                "convert the checkpoint to bf16",
                "チェックポイントを bf16 に変換してください"
            ),
        )
    })?;
    if raw.shape.len() > MAX_RANK {
        return Err(bad(most_axes(), Sentence::same(raw.shape.len()), broken()));
    }
    let want = raw
        .shape
        .iter()
        .try_fold(dtype.size(), |n, &axis| n.checked_mul(axis));
    let (axes, kind) = (&raw.shape, dtype.name());
    let Some(want) = want else {
        let found = say!("shape {axes:?} of {kind}", "{kind} の形状 {axes:?}");
        return Err(bad(sane_size(), found, broken()));
    };
    let [start, end] = raw.data_offsets;
    if end < start {
        let expected = say!("data_offsets in order", "昇順の data_offsets");
        return Err(bad(
            expected,
            Sentence::same(format!("[{start}, {end}]")),
            broken(),
        ));
    }
    let bytes = end - start;
    if bytes != want {
        let expected = say!(
            "{want} bytes for shape {axes:?} of {kind}",
            "{kind} の形状 {axes:?} に対して {want} バイト"
        );
        let found = say!(
            "data_offsets [{start}, {end}], {bytes} bytes",
            "data_offsets [{start}, {end}]、{bytes} バイト"
        );
        return Err(bad(expected, found, broken()));
    }
    if end > data_bytes {
        let expected = say!(
            "data within the file's {data_bytes} bytes of tensors",
            "ファイルの {data_bytes} バイトのテンソル領域に収まるデータ"
        );
        return Err(bad(
            expected,
            say!("an end at {end}", "終わりの位置は {end}"),
            cut(),
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
    let mut before = say!("the header", "ヘッダー");
    for (name, slot) in order {
        let start = slot.start;
        if start != at {
            let what = if start < at {
                say!("an overlap", "重なり")
            } else {
                say!("a hole", "隙間")
            };
            let expected = say!("a start at byte {at}, where {before} ends",
                "{before}の終わる {at} バイト目からの開始"; before);
            let found = say!("a start at byte {start} ({what})", "{start} バイト目からの開始（{what}）"; what);
            return Err(bad_tensor(path, name, expected, found, broken()));
        }
        at += slot.bytes;
        let name = clip(name);
        before = say!("`{name}`", "「{name}」");
    }
    if at != file_bytes {
        let more = file_bytes - at;
        let expected = say!("the end of the file", "ファイルの終わり");
        let found = say!("{more} more bytes", "あと {more} バイトの続き");
        return Err(malformed(path, at, expected, found, broken()));
    }
    Ok(())
}

/// Expected of a tensor's rank.
pub(super) fn most_axes() -> Sentence {
    say!("at most {MAX_RANK} axes", "{MAX_RANK} 以下の軸")
}

/// Expected of a tensor's size.
pub(super) fn sane_size() -> Sentence {
    say!("a size below 2^64 bytes", "2^64 バイト未満の大きさ")
}

/// A name that stands twice.
pub(super) fn two_entries(path: &Path, tensor: &str) -> WeightsError {
    let expected = say!("one entry", "一つの項目");
    let found = say!("two entries of this name", "同じ名前の項目が二つ");
    bad_tensor(path, tensor, expected, found, broken())
}

/// What the JSON reader says, as something found.
pub(super) fn json_error(error: &serde_json::Error) -> Sentence {
    say!("{error}", "読めない JSON（{error}）")
}

pub(super) fn malformed(
    path: &Path,
    byte: u64,
    expected: Sentence,
    found: Sentence,
    remedy: Sentence,
) -> WeightsError {
    WeightsError::Malformed {
        file: path.into(),
        byte,
        clash: Box::new(Clash {
            expected,
            found,
            remedy,
        }),
    }
}

pub(super) fn bad_tensor(
    path: &Path,
    tensor: &str,
    expected: Sentence,
    found: Sentence,
    remedy: Sentence,
) -> WeightsError {
    WeightsError::BadTensor {
        file: path.into(),
        tensor: clip(tensor),
        clash: Box::new(Clash {
            expected,
            found,
            remedy,
        }),
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
