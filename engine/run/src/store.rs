//! Content-addressed results on disk: what makes re-render, resume and history work.
//!
//! Layout: `objects/ab/abcdef….json` is the manifest of the step with that signature, beside it
//! the data files it names. A data file is written whole before the manifest, so an entry exists
//! or it does not, whenever the program dies. Entries never change.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use longtake_graph::say;
use longtake_plan::{ClipInfo, ExtrasInfo, Fps, Info, LatentInfo, Signature, Step};
use serde::{Deserialize, Serialize};

use crate::files::{write_atomic, write_bytes};
use crate::frames_file::{open_kept, write_kept};
use crate::tensor_file::{read_conditioning, read_latent, write_conditioning, write_latent};
use crate::{Array, RunError, Segment, Value};

/// A folder of finished results.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Manifest {
    longtake_store: u32,
    class: String,
    node: String,
    values: Vec<Kept>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    Latent {
        file: String,
        shape: [u32; 5],
    },
    Conditioning {
        file: String,
        tokens: u32,
        dim: u32,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        arrays: BTreeMap<String, Vec<u32>>,
    },
    Clip {
        file: String,
        info: Sizes,
    },
    Segment {
        file: String,
        info: Sizes,
    },
    Files(Vec<Written>),
    Json(serde_json::Value),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Sizes {
    frames: u64,
    width: u32,
    height: u32,
    channels: u8,
    fps: Option<[u32; 2]>,
}

/// A file given to the person, as it was when written.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Written {
    path: PathBuf,
    bytes: u64,
    /// Nanoseconds since 1970.
    modified: u64,
}

impl From<ClipInfo> for Sizes {
    fn from(it: ClipInfo) -> Self {
        let fps = it.fps.map(|fps| [fps.num, fps.den]);
        Self {
            frames: it.frames,
            width: it.width,
            height: it.height,
            channels: it.channels,
            fps,
        }
    }
}

impl From<Sizes> for ClipInfo {
    fn from(it: Sizes) -> Self {
        let fps = it.fps.map(|[num, den]| Fps { num, den });
        Self {
            frames: it.frames,
            width: it.width,
            height: it.height,
            channels: it.channels,
            fps,
        }
    }
}

const VERSION: u32 = 1;

impl Store {
    /// Opens a store, making its folders, and clears what killed runs left half-written there.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(root: &Path) -> Result<Self, RunError> {
        let objects = root.join("objects");
        fs::create_dir_all(&objects).map_err(|e| RunError::io("making the store", &objects, &e))?;
        let store = Self {
            root: root.to_path_buf(),
        };
        store.sweep();
        Ok(store)
    }

    /// The store's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A fresh folder for frames on their way. Scratch of runs that are gone is removed.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn scratch(&self) -> Result<PathBuf, RunError> {
        let scratch = self.root.join("scratch");
        if let Ok(entries) = fs::read_dir(&scratch) {
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let pid = name.split('-').next().unwrap_or("").to_owned();
                if !Path::new("/proc").join(&pid).exists() {
                    let _ = fs::remove_dir_all(entry.path());
                }
            }
        }
        let unique = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let folder = scratch.join(format!("{}-{}", std::process::id(), unique.as_nanos()));
        fs::create_dir_all(&folder).map_err(|e| RunError::io("making the folder", &folder, &e))?;
        Ok(folder)
    }

    /// Removes temporary files that no run can still be writing (older than a day).
    fn sweep(&self) {
        let Ok(shelves) = fs::read_dir(self.root.join("objects")) else {
            return;
        };
        let old = |entry: &fs::DirEntry| {
            let modified = entry.metadata().and_then(|it| it.modified());
            modified.is_ok_and(|it| it.elapsed().is_ok_and(|age| age > Duration::from_hours(24)))
        };
        for entry in shelves
            .flatten()
            .filter_map(|it| fs::read_dir(it.path()).ok())
            .flatten()
            .flatten()
        {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if (name.starts_with('.') || name.ends_with(".tmp")) && old(&entry) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn shelf(&self, signature: &Signature) -> PathBuf {
        let hex = signature.to_string();
        self.root.join("objects").join(&hex[..2])
    }

    fn manifest_path(&self, signature: &Signature) -> PathBuf {
        self.shelf(signature).join(format!("{signature}.json"))
    }

    /// Where a step may write a data file of its own (an encoded segment), through a temporary
    /// name; [`Store::save`] then makes it part of the entry.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn data_path(&self, signature: &Signature, suffix: &str) -> Result<PathBuf, RunError> {
        let shelf = self.shelf(signature);
        fs::create_dir_all(&shelf).map_err(|e| RunError::io("making the folder", &shelf, &e))?;
        Ok(shelf.join(format!("{signature}{suffix}")))
    }

    fn manifest(&self, signature: &Signature) -> Option<Manifest> {
        let text = fs::read(self.manifest_path(signature)).ok()?;
        let manifest: Manifest = serde_json::from_slice(&text).ok()?;
        (manifest.longtake_store == VERSION).then_some(manifest)
    }

    /// Whether the store holds a step's results, whole. Files given to the person count only
    /// while they are as they were written, and pass `accept`.
    pub fn has(&self, signature: &Signature, accept: &dyn Fn(&Path) -> bool) -> bool {
        let Some(manifest) = self.manifest(signature) else {
            return false;
        };
        let shelf = self.shelf(signature);
        manifest.values.iter().all(|kept| match kept {
            Kept::Latent { file, .. }
            | Kept::Conditioning { file, .. }
            | Kept::Clip { file, .. }
            | Kept::Segment { file, .. } => shelf.join(file).is_file(),
            Kept::Files(files) => files.iter().all(|it| it.stands() && accept(&it.path)),
            Kept::Json(_) => true,
        })
    }

    /// Sizes of an entry's first value.
    pub fn info(&self, signature: &Signature) -> Option<Info> {
        match self.manifest(signature)?.values.first()? {
            Kept::Latent {
                shape: [batch, channels, frames, height, width],
                ..
            } => Some(Info::Latent(LatentInfo {
                batch: *batch,
                channels: *channels,
                frames: *frames,
                height: *height,
                width: *width,
            })),
            Kept::Conditioning {
                tokens,
                dim,
                arrays,
                ..
            } => Some(Info::Conditioning {
                tokens: *tokens,
                dim: *dim,
                extras: Arc::new(ExtrasInfo {
                    arrays: arrays.clone(),
                    ..ExtrasInfo::default()
                }),
            }),
            Kept::Clip { info, .. } => Some(Info::Clip((*info).into())),
            Kept::Segment { info, .. } => Some(Info::Segment((*info).into())),
            Kept::Files(_) | Kept::Json(_) => None,
        }
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// Absent, damaged, or not readable now. A damaged entry is set aside, so that the next run makes
    /// it anew.
    pub fn load(&self, signature: &Signature) -> Result<Vec<Value>, RunError> {
        self.look(signature).map_err(|error| {
            if !error.is_damaged() {
                return error;
            }
            let _ = fs::remove_file(self.manifest_path(signature));
            let message = error.message;
            RunError::failed(say!(
                "{message}; it has been set aside: run the same command again",
                "{message}。取り除いたので、同じコマンドをもう一度実行してください";
                message
            ))
        })
    }

    /// Reads an entry and leaves it as it is, whatever is wrong with it.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn look(&self, signature: &Signature) -> Result<Vec<Value>, RunError> {
        let manifest = self.manifest(signature).ok_or_else(|| {
            RunError::failed(format!(
                "the store {} has no {signature}",
                self.root.display()
            ))
        })?;
        let shelf = self.shelf(signature);
        let values: Result<Vec<Value>, RunError> = manifest
            .values
            .iter()
            .map(|kept| read_kept(&shelf, kept))
            .collect();
        values.map_err(|mut error| {
            let why = error.message;
            error.message = say!(
                "stored result of {}: {why}",
                "{} の保存済みの結果: {why}",
                manifest.node;
                why
            );
            error
        })
    }

    /// Writes a step's results and gives them back as they will be read: clips come back from the
    /// file, so that a resumed run and an unbroken one see the same pixels.
    ///
    /// # Errors
    /// The disk is full or not writable; nothing half-written counts as an entry.
    pub fn save(&self, step: &Step, values: &[Value]) -> Result<Vec<Value>, RunError> {
        let signature = &step.signature;
        let mut kept = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            kept.push(self.keep(signature, index, value)?);
        }
        let shelf = self.shelf(signature);
        let back: Result<Vec<Value>, RunError> = kept
            .iter()
            .zip(values)
            .map(|(kept, value)| match kept {
                Kept::Clip { .. } => read_kept(&shelf, kept),
                _ => Ok(value.clone()),
            })
            .collect();
        let manifest = Manifest {
            longtake_store: VERSION,
            class: step.class.clone(),
            node: step.path.to_string(),
            values: kept,
        };
        let text = serde_json::to_vec(&manifest)
            .map_err(|e| RunError::failed(format!("writing a manifest: {e}")))?;
        write_bytes(&self.manifest_path(signature), &text)?;
        back
    }

    /// Lets an entry be found under another signature too: its files are shared.
    ///
    /// # Errors
    /// No such entry, or the disk.
    pub fn alias(&self, entry: &Signature, other: &Signature) -> Result<(), RunError> {
        let mut manifest = self.manifest(entry).ok_or_else(|| {
            RunError::failed(format!("the store {} has no {entry}", self.root.display()))
        })?;
        let shelf = entry.to_string()[..2].to_owned();
        for kept in &mut manifest.values {
            if let Kept::Latent { file, .. }
            | Kept::Conditioning { file, .. }
            | Kept::Clip { file, .. }
            | Kept::Segment { file, .. } = kept
            {
                *file = format!("../{shelf}/{file}");
            }
        }
        let text = serde_json::to_vec(&manifest)
            .map_err(|e| RunError::failed(format!("writing a manifest: {e}")))?;
        write_bytes(&self.manifest_path(other), &text)
    }

    fn keep(&self, signature: &Signature, index: usize, value: &Value) -> Result<Kept, RunError> {
        let file = |suffix: &str| format!("{signature}.{index}.{suffix}");
        let path = |file: &str| self.data_path(signature, &file[64..]);
        Ok(match value {
            Value::Latent(latent) => {
                let file = file("latent");
                let it = latent.info;
                let shape = [it.batch, it.channels, it.frames, it.height, it.width];
                write_latent(&path(&file)?, latent)?;
                Kept::Latent { file, shape }
            }
            Value::Conditioning(it) => {
                let file = file("conditioning");
                write_conditioning(&path(&file)?, it)?;
                let shape = |(name, array): (&String, &Array)| (name.clone(), array.shape.clone());
                Kept::Conditioning {
                    file,
                    tokens: it.tokens,
                    dim: it.dim,
                    arrays: it.arrays.iter().map(shape).collect(),
                }
            }
            Value::Clip(clip) => {
                let file = file("frames");
                let path = path(&file)?;
                write_atomic(&path, |out| write_kept(out, clip, &path))?;
                Kept::Clip {
                    file,
                    info: clip.info().into(),
                }
            }
            Value::Segment(segment) => {
                let name = segment.path.file_name().unwrap_or_default();
                let file = name.to_string_lossy().into_owned();
                Kept::Segment {
                    file,
                    info: segment.info.into(),
                }
            }
            Value::Files(paths) => Kept::Files(paths.iter().map(|it| Written::of(it)).collect()),
            Value::Json(json) => Kept::Json(json.clone()),
        })
    }
}

impl Written {
    fn of(path: &Path) -> Self {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let (bytes, modified) = facts(&path).unwrap_or_default();
        Self {
            path,
            bytes,
            modified,
        }
    }

    fn stands(&self) -> bool {
        facts(&self.path) == Some((self.bytes, self.modified))
    }
}

fn facts(path: &Path) -> Option<(u64, u64)> {
    let meta = fs::metadata(path).ok()?;
    let modified = meta
        .modified()
        .ok()?
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()?;
    Some((meta.len(), modified.as_nanos() as u64))
}

fn read_kept(shelf: &Path, kept: &Kept) -> Result<Value, RunError> {
    Ok(match kept {
        Kept::Latent { file, shape } => {
            let [batch, channels, frames, height, width] = *shape;
            let info = LatentInfo {
                batch,
                channels,
                frames,
                height,
                width,
            };
            Value::Latent(read_latent(&shelf.join(file), info)?)
        }
        Kept::Conditioning {
            file,
            tokens,
            dim,
            arrays,
        } => Value::Conditioning(read_conditioning(
            &shelf.join(file),
            [*tokens, *dim],
            arrays,
        )?),
        Kept::Clip { file, .. } => Value::Clip(open_kept(&shelf.join(file))?),
        Kept::Segment { file, info } => Value::Segment(Segment {
            path: shelf.join(file),
            info: (*info).into(),
        }),
        Kept::Files(files) => Value::Files(files.iter().map(|it| it.path.clone()).collect()),
        Kept::Json(json) => Value::Json(json.clone()),
    })
}
