//! What the planner wants to know of a checkpoint before a run, without mapping its tensors.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use super::checkpoint::COMFY_PREFIX;
use super::dtype::{Dtype, FloatKind};
use super::error::{Action, WeightsError};
use super::family::Family;
use super::folder;
use super::header::{Header, Slot, open};
use super::packed::kept_bytes;

/// What loading keeps of a checkpoint whose linear layers stay packed: numbers that are widened to
/// the device's type, and bytes that are kept as stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// All but an embedding table, whose rows are read from the file.
    pub whole: Share,
    /// Its largest block.
    pub block: Share,
}

/// Part of a checkpoint in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Numbers kept in the device's type.
    pub dense: u64,
    /// Those of them in linear layers of blocks, which a cast to fp8 would pack.
    pub linear: u64,
    /// Bytes of packed matrices on the CPU.
    pub packed: u64,
    /// And on a GPU; see [`kept_bytes`].
    pub packed_gpu: u64,
}

impl Share {
    fn add(&mut self, name: &str, slot: &Slot, in_block: bool) {
        let elements = slot.dtype.elements_in(slot.bytes);
        let is_matrix = slot.shape.len() == 2 && name.ends_with(".weight");
        if is_matrix && slot.dtype.is_packed() {
            let kept = |gpu| kept_bytes(slot.dtype, elements, gpu);
            self.packed = self.packed.saturating_add(kept(false));
            self.packed_gpu = self.packed_gpu.saturating_add(kept(true));
        } else if slot.dtype.is_float() {
            self.dense = self.dense.saturating_add(elements);
            if is_matrix && in_block {
                self.linear = self.linear.saturating_add(elements);
            }
        }
    }
}

/// Names of UMT5's embedding table.
const TABLES: &[&str] = &[
    "shared.weight",
    "encoder.embed_tokens.weight",
    "token_embedding.weight",
];

impl Kept {
    fn of(headers: &[Header]) -> Self {
        let mut blocks = BTreeMap::<&str, Share>::new();
        let mut kept = Self::default();
        for (name, slot) in headers.iter().flat_map(|header| &header.tensors) {
            let name = name.strip_prefix(COMFY_PREFIX).unwrap_or(name);
            if TABLES.contains(&name) {
                continue;
            }
            let inner = ["blocks.", "encoder.block."]
                .iter()
                .find_map(|prefix| name.strip_prefix(prefix));
            kept.whole.add(name, slot, inner.is_some());
            if let Some((block, _)) = inner.and_then(|inner| inner.split_once('.')) {
                blocks.entry(block).or_default().add(name, slot, true);
            }
        }
        let size = |share: &Share| share.dense.saturating_mul(4).saturating_add(share.packed);
        kept.block = blocks.into_values().max_by_key(size).unwrap_or_default();
        kept
    }
}

/// A checkpoint seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// `None` if it is of no family known here.
    pub family: Option<Family>,
    /// The dtype that most bytes are in.
    pub dtype: Dtype,
    /// Size of the files.
    pub bytes: u64,
    /// Size of what loading keeps, widened to f32 as the CPU keeps it: all float tensors, but for
    /// the embedding table of a UMT5 encoder, whose rows are read from the file when needed, and of
    /// CLIP all but the vision tower's blocks that are run.
    pub tensor_bytes_f32: u64,
    pub tensors: usize,
    /// What a diffusion transformer or text encoder keeps of it.
    pub kept: Kept,
    /// See [`fingerprint`].
    pub fingerprint: blake3::Hash,
}

/// Reads the headers of a checkpoint (file or diffusers folder) and its fingerprint.
///
/// # Errors
/// As [`super::Checkpoint::open`].
pub fn probe(path: &Path) -> Result<Probe, WeightsError> {
    let (headers, config) = headers(path)?;
    let mut family = Family::of_headers(&headers);
    if let Some(family) = &mut family {
        let metadata = headers
            .iter()
            .flat_map(|header| header.metadata.clone())
            .collect();
        family.set_heads(config.as_ref(), &metadata);
    }
    let mut by_dtype = BTreeMap::<Dtype, u64>::new();
    let (mut tensors, mut tensor_bytes_f32) = (0, 0);
    for slot in headers.iter().flat_map(|header| header.tensors.values()) {
        *by_dtype.entry(slot.dtype).or_default() += slot.bytes;
        tensors += 1;
        if slot.dtype.is_float() {
            let elements = slot.dtype.elements_in(slot.bytes);
            tensor_bytes_f32 += elements.saturating_mul(FloatKind::F32.size());
        }
    }
    match &family {
        // A file may have the table under two names.
        Some(Family::Umt5(dims)) => {
            tensor_bytes_f32 = crate::umt5::weight_bytes(dims, FloatKind::F32);
        }
        // A file may hold the text tower too; the last block is never loaded.
        Some(Family::ClipVision(dims)) => tensor_bytes_f32 = dims.weight_bytes(4),
        Some(
            Family::WanDit(_)
            | Family::WanVae21 { .. }
            | Family::WanVae22 { .. }
            | Family::T5
            | Family::Uni3c(_)
            | Family::Lora,
        )
        | None => {}
    }
    Ok(Probe {
        family,
        dtype: by_dtype
            .into_iter()
            .max_by_key(|&(_, bytes)| bytes)
            .map_or(Dtype::F32, |(dtype, _)| dtype),
        bytes: headers.iter().map(|header| header.file_bytes).sum(),
        tensor_bytes_f32,
        tensors,
        kept: Kept::of(&headers),
        fingerprint: fingerprint_of(&headers)?,
    })
}

/// Samples taken of a file's tensors for its fingerprint.
const SAMPLES: u64 = 64;
const SAMPLE_BYTES: u64 = 64 << 10;
/// Sample in the middle of every tensor.
const TENSOR_SAMPLE_BYTES: u64 = 4 << 10;

/// Identity of a checkpoint's content, for the signatures of steps.
///
/// A blake3 hash over each file's length and header, 64 samples of 64 KiB spread evenly over its
/// tensors, and 4 KiB from the middle of every tensor. A whole hash of a 28 GB file takes as long
/// as reading it; this reads some 8 MB. What changes weights (training, merging a LoRA, another
/// quantisation) changes nearly every value of the tensors it touches, so it shows in them; a single
/// flipped bit may not. Names and times of files do not enter: a copy has the same fingerprint.
///
/// # Errors
/// [`WeightsError`] if a header is unsound or the file cannot be read.
pub fn fingerprint(path: &Path) -> Result<blake3::Hash, WeightsError> {
    fingerprint_of(&headers(path)?.0)
}

fn headers(path: &Path) -> Result<(Vec<Header>, Option<serde_json::Value>), WeightsError> {
    let parts = folder::parts(path)?;
    let headers = parts
        .files
        .iter()
        .map(|file| Header::read(file))
        .collect::<Result<Vec<_>, _>>()?;
    folder::check_index(&parts, |name| {
        headers
            .iter()
            .any(|header| header.tensors.contains_key(name))
    })?;
    Ok((headers, parts.config))
}

fn fingerprint_of(headers: &[Header]) -> Result<blake3::Hash, WeightsError> {
    let mut hasher = blake3::Hasher::new();
    for header in headers {
        let (file, _) = open(&header.path)?;
        let io = |source| WeightsError::Io {
            file: header.path.clone(),
            action: Action::Read,
            source,
        };
        hasher.update(&header.file_bytes.to_le_bytes());
        for (start, len) in samples(header) {
            feed(&mut hasher, &file, start, len).map_err(io)?;
        }
    }
    Ok(hasher.finalize())
}

/// Ranges of the file that are hashed: `(start, bytes)`.
fn samples(header: &Header) -> Vec<(u64, u64)> {
    let (start, end) = (header.data_start, header.file_bytes);
    if end - start <= SAMPLES * SAMPLE_BYTES {
        return vec![(0, end)];
    }
    let room = end - start - SAMPLE_BYTES;
    // u128: room × 63 must not overflow for sparse files of exabytes.
    let at = |i: u64| start + (u128::from(room) * u128::from(i) / u128::from(SAMPLES - 1)) as u64;
    let mut ranges = vec![(0, start)];
    ranges.extend((0..SAMPLES).map(|i| (at(i), SAMPLE_BYTES)));
    ranges.extend(header.tensors.values().map(|slot| {
        let len = slot.bytes.min(TENSOR_SAMPLE_BYTES);
        (slot.start + (slot.bytes - len) / 2, len)
    }));
    ranges
}

/// Hashes `len` bytes of `file` from `start`; plain reads, since a map would count as memory used.
fn feed(hasher: &mut blake3::Hasher, mut file: &File, start: u64, len: u64) -> io::Result<()> {
    file.seek(io::SeekFrom::Start(start))?;
    let copied = io::copy(&mut file.take(len), hasher)?;
    if copied < len {
        Err(io::ErrorKind::UnexpectedEof.into())
    } else {
        Ok(())
    }
}
