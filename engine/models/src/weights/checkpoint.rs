//! An opened checkpoint: names, shapes and memory-mapped bytes of one file or one diffusers folder,
//! and the views that make different key layouts answer to the same names.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use longtake_sentence::say;
use memmap2::Mmap;

use super::dtype::{Dtype, FloatKind};
use super::error::{Action, Clash, WeightsError};
use super::folder;
use super::gguf::Array;
use super::header::{Header, Slot, open};
use crate::lora::Change;

/// Prefix under which ComfyUI's all-in-one files keep the diffusion model.
pub const COMFY_PREFIX: &str = "model.diffusion_model.";

/// What is known of a tensor without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    /// Size in the file.
    pub bytes: u64,
}

/// A name in a view, and where its bytes are.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The name as it stands in the file, for error messages.
    pub stored: Arc<str>,
    pub file: usize,
    pub slot: Slot,
    /// What LoRAs do to it.
    pub changes: Option<Arc<Changes>>,
}

/// Changes to one tensor, in order, after it was padded with zeros from its stored shape.
#[derive(Debug)]
pub(super) struct Changes {
    pub stored_shape: Vec<usize>,
    pub list: Vec<Change>,
}

impl Entry {
    pub fn new(stored: &str, file: usize, slot: Slot) -> Self {
        Self {
            stored: stored.into(),
            file,
            slot,
            changes: None,
        }
    }

    /// What it is changed by; empty for most.
    pub fn changes(&self) -> &[Change] {
        self.changes.as_ref().map_or(&[], |it| &it.list)
    }

    /// Its shape in the file.
    pub fn stored_shape(&self) -> &[usize] {
        let changes = self.changes.as_ref();
        changes.map_or(&self.slot.shape, |it| &it.stored_shape)
    }
}

#[derive(Debug)]
pub(super) struct MappedFile {
    pub path: PathBuf,
    pub map: Mmap,
}

/// A checkpoint, or a view of one under other names. Cloning and viewing copy names, never weights;
/// every file is mapped once, whatever the number of views.
///
/// The mapping is private and read-only. As with every memory map, another program that truncates
/// the file while it is in use ends this process; replace checkpoints by renaming over them.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    pub(super) path: PathBuf,
    pub(super) files: Arc<Vec<MappedFile>>,
    pub(super) entries: BTreeMap<String, Entry>,
    pub(super) metadata: Arc<BTreeMap<String, String>>,
    pub(super) config: Option<Arc<serde_json::Value>>,
    /// Of a GGUF file.
    pub(super) arrays: Arc<BTreeMap<String, Array>>,
    pub(super) float: FloatKind,
    /// Type that block weights are rounded to; see [`Checkpoint::with_cast`].
    pub(super) cast: Option<Dtype>,
}

impl Checkpoint {
    /// Opens one `.safetensors` or `.gguf` file, or a diffusers component folder (`*.safetensors`, possibly
    /// sharded with an `*.index.json`, beside a `config.json`). The prefix
    /// `model.diffusion_model.` is taken off the names that have it.
    ///
    /// # Errors
    /// [`WeightsError`] if anything about the files is unsound; no tensor is read yet.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let parts = folder::parts(path)?;
        let mut files = Vec::new();
        let mut entries = BTreeMap::new();
        let (mut metadata, mut arrays) = (BTreeMap::new(), BTreeMap::new());
        for file in &parts.files {
            let (mapped, header) = map_file(file)?;
            files.push(mapped);
            metadata.extend(header.metadata);
            arrays.extend(header.arrays);
            for (name, slot) in header.tensors {
                let entry = Entry::new(&name, files.len() - 1, slot);
                insert(&mut entries, &files, strip(&name).to_owned(), entry)?;
            }
        }
        folder::check_index(&parts, |name| entries.contains_key(strip(name)))?;
        Ok(Self {
            path: path.into(),
            files: Arc::new(files),
            entries,
            metadata: Arc::new(metadata),
            arrays: Arc::new(arrays),
            config: parts.config.map(Arc::new),
            float: FloatKind::F32,
            cast: None,
        })
    }

    /// The same checkpoint, its float tensors to be kept on a GPU as `kind`. Has no effect on the CPU.
    #[must_use]
    pub fn with_dtype(mut self, kind: FloatKind) -> Self {
        self.float = kind;
        self
    }

    /// The same checkpoint, the dense matrices of its blocks rounded to an fp8 type when they are
    /// read by [`Checkpoint::matrix`] (ComfyUI's `weight_dtype`), and kept so.
    #[must_use]
    pub fn with_cast(mut self, dtype: Option<Dtype>) -> Self {
        self.cast = dtype.filter(|dtype| dtype.is_fp8());
        self
    }

    /// A view with changed tensors: `changes` by name, and `shapes` that some are padded to first.
    /// Names that this view does not have are passed over.
    #[must_use]
    pub(crate) fn with_changes(
        &self,
        mut changes: BTreeMap<String, Vec<Change>>,
        mut shapes: BTreeMap<String, Vec<usize>>,
    ) -> Self {
        let mut view = self.clone();
        for (name, entry) in &mut view.entries {
            let (added, shape) = (changes.remove(name), shapes.remove(name));
            if added.is_none() && shape.is_none() {
                continue;
            }
            let mut list = entry.changes().to_vec();
            list.extend(added.unwrap_or_default());
            let stored_shape = entry.stored_shape().to_vec();
            if let Some(shape) = shape {
                entry.slot.shape = shape;
            }
            entry.changes = Some(Arc::new(Changes { stored_shape, list }));
        }
        view
    }

    /// The float type in which [`Checkpoint::tensor`] puts weights on a GPU.
    pub fn float_kind(&self) -> FloatKind {
        self.float
    }

    /// The file or folder it was opened from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `config.json` of a diffusers folder.
    pub fn config(&self) -> Option<&serde_json::Value> {
        self.config.as_deref()
    }

    /// A whole number of `config.json`, such as `num_attention_heads`.
    pub fn config_usize(&self, key: &str) -> Option<usize> {
        usize::try_from(self.config()?.get(key)?.as_u64()?).ok()
    }

    /// The `__metadata__` entries of all files.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// An array of a GGUF file's metadata, and the mapped file that it is read from.
    pub(crate) fn array(&self, key: &str) -> Option<(Array, &[u8])> {
        // A GGUF checkpoint is one file.
        Some((*self.arrays.get(key)?, self.files.first()?.map.as_ref()))
    }

    /// Names in this view, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    pub fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Whether any name starts with `prefix`.
    pub fn has_prefix(&self, prefix: &str) -> bool {
        self.entries
            .range(prefix.to_owned()..)
            .next()
            .is_some_and(|(name, _)| name.starts_with(prefix))
    }

    pub fn get(&self, name: &str) -> Option<TensorInfo> {
        let (name, entry) = self.entries.get_key_value(name)?;
        let Slot {
            dtype,
            ref shape,
            bytes,
            ..
        } = entry.slot;
        Some(TensorInfo {
            name: name.clone(),
            dtype,
            shape: shape.clone(),
            bytes,
        })
    }

    /// Shape of a tensor, without copying its name.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.entries
            .get(name)
            .map(|entry| entry.slot.shape.as_slice())
    }

    /// How many consecutive `{prefix}{i}.` groups there are, counting from 0: the depth of a stack
    /// of blocks.
    pub fn count_blocks(&self, prefix: &str) -> usize {
        (0..self.entries.len())
            .take_while(|i| self.has_prefix(&format!("{prefix}{i}.")))
            .count()
    }

    /// Bytes of this view's tensors in their files.
    pub fn total_bytes(&self) -> u64 {
        self.entries.values().map(|entry| entry.slot.bytes).sum()
    }

    /// Elements of this view's float tensors: times 4 the bytes that they take in f32.
    pub fn total_elements(&self) -> u64 {
        let floats = self
            .entries
            .values()
            .map(|entry| &entry.slot)
            .filter(|slot| slot.dtype.is_float());
        floats.map(|slot| slot.dtype.elements_in(slot.bytes)).sum()
    }

    /// The tensors under `prefix`, the prefix taken off.
    #[must_use]
    pub fn prefix(&self, prefix: &str) -> Self {
        let entries = self.entries.iter().filter_map(|(name, entry)| {
            Some((name.strip_prefix(prefix)?.to_owned(), entry.clone()))
        });
        Self {
            entries: entries.collect(),
            ..self.clone_without_entries()
        }
    }

    /// The tensors under other names: `to` gets each name of this view and gives the new one, or
    /// `None` to keep it. With it a diffusers file answers to the original names.
    ///
    /// # Errors
    /// [`WeightsError::Duplicate`] if two tensors would get one name.
    pub fn rename(&self, to: impl Fn(&str) -> Option<String>) -> Result<Self, WeightsError> {
        let mut entries = BTreeMap::new();
        for (name, entry) in &self.entries {
            let new = to(name).unwrap_or_else(|| name.clone());
            insert(&mut entries, &self.files, new, entry.clone())?;
        }
        Ok(Self {
            entries,
            ..self.clone_without_entries()
        })
    }

    fn clone_without_entries(&self) -> Self {
        Self {
            path: self.path.clone(),
            files: self.files.clone(),
            entries: BTreeMap::new(),
            metadata: self.metadata.clone(),
            arrays: self.arrays.clone(),
            config: self.config.clone(),
            float: self.float,
            cast: self.cast,
        }
    }
}

fn strip(name: &str) -> &str {
    name.strip_prefix(COMFY_PREFIX).unwrap_or(name)
}

fn insert(
    entries: &mut BTreeMap<String, Entry>,
    files: &[MappedFile],
    name: String,
    entry: Entry,
) -> Result<(), WeightsError> {
    if let Some(old) = entries.get(&name) {
        return Err(WeightsError::Duplicate {
            file: files[entry.file].path.clone(),
            tensor: entry.stored.to_string(),
            other: old.stored.to_string(),
            other_file: files[old.file].path.clone(),
        });
    }
    entries.insert(name, entry);
    Ok(())
}

fn map_file(path: &Path) -> Result<(MappedFile, Header), WeightsError> {
    let (mut file, bytes) = open(path)?;
    let header = Header::read_from(&mut file, bytes, path)?;
    let map = map(&file).map_err(|source| WeightsError::Io {
        file: path.into(),
        action: Action::Map,
        source,
    })?;
    if (map.len() as u64) < bytes {
        let mapped = map.len() as u64;
        return Err(WeightsError::Malformed {
            file: path.into(),
            byte: mapped,
            clash: Box::new(Clash {
                expected: say!("{bytes} bytes", "{bytes} バイト"),
                found: say!("{mapped} bytes", "{mapped} バイト"),
                remedy: say!(
                    "another program is changing it: try again when that is done",
                    "別のプログラムが書き換えています。終わってからもう一度試してください"
                ),
            }),
        });
    }
    Ok((
        MappedFile {
            path: path.into(),
            map,
        },
        header,
    ))
}

#[allow(unsafe_code, reason = "mapping a file")]
fn map(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: the map is private and read-only; the hazard that remains (truncation by another
    // program) is documented at `Checkpoint`.
    unsafe { Mmap::map(file) }
}
