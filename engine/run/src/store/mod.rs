//! Content-addressed results on disk: what makes re-render, resume and history work.
//!
//! Layout: `objects/ab/abcdef….json` is the manifest of the step with that signature, beside it
//! the data files it names. A data file is written whole before the manifest and removed after it, so an
//! entry exists or it does not, whenever the program dies. Entries never change.
//!
//! - [`Store::lease`]: what living programs need; [`Store::pin`]: what projects need for good.
//! - [`Store::prune`]: room is made by last use, which a manifest's time of change keeps.
//! - [`Scratch`]: a run's folder for frames on their way.

mod contents;
mod lease;
mod limit;
mod lock;
mod manifest;
mod pins;
mod prune;
mod scratch;
#[cfg(test)]
mod tests;
mod verify;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use longtake_graph::say;
use longtake_plan::{Info, Plan, Signature, Step, StepId, StepInput};

pub use self::contents::{Contents, Entry};
pub use self::lease::Lease;
pub use self::limit::Limit;
use self::manifest::{Kept, Manifest, VERSION, Written, read_kept};
pub use self::pins::PinnedBy;
pub use self::prune::{Goal, Pruned};
pub use self::scratch::Scratch;
pub use self::verify::Damage;
use crate::files::{open_regular, write_atomic, write_bytes};
use crate::frames_file::write_kept;
use crate::tensor_file::{write_conditioning, write_latent};
use crate::{Array, RunError, Value};

/// A folder of finished results.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
    limit: Limit,
    /// Whether something was saved since the limit was last looked after.
    saved: Arc<AtomicBool>,
}

/// An entry's last use is noted no more often than this: asking for a thousand of them stays cheap.
const USED: Duration = Duration::from_mins(1);

impl Store {
    /// Opens a store, making its folders, and clears what killed runs left half-written there.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(root: &Path) -> Result<Self, RunError> {
        let objects = root.join("objects");
        fs::create_dir_all(&objects)
            .map_err(|e| RunError::io(say!("making the store", "ストアの作成"), &objects, &e))?;
        let store = Self {
            root: root.to_path_buf(),
            limit: Limit::default(),
            saved: Arc::default(),
        };
        store.sweep();
        Ok(store)
    }

    /// The same store, which is to grow no larger than that.
    #[must_use]
    pub fn limited(self, limit: Limit) -> Self {
        Self { limit, ..self }
    }

    /// The store's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A fresh folder for frames on their way. Scratch of runs that are gone is removed.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn scratch(&self) -> Result<Scratch, RunError> {
        Scratch::create(&self.root.join("scratch"))
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
        fs::create_dir_all(&shelf)
            .map_err(|e| RunError::io(say!("making the folder", "フォルダーの作成"), &shelf, &e))?;
        Ok(shelf.join(format!("{signature}{suffix}")))
    }

    fn manifest(&self, signature: &Signature) -> Option<Manifest> {
        Manifest::parse(&fs::read(self.manifest_path(signature)).ok()?)
    }

    /// Reads a manifest, and where it lies is noted when the entry was used.
    fn manifest_in_use(&self, signature: &Signature) -> Option<Manifest> {
        let manifest = self.manifest(signature)?;
        let path = self.manifest_path(signature);
        let modified = fs::metadata(&path).and_then(|it| it.modified());
        let rested = modified.is_ok_and(|it| it.elapsed().is_ok_and(|age| age > USED));
        // A store that may only be read keeps no times, and nobody prunes it.
        if rested && let Ok(file) = File::open(&path) {
            let _ = file.set_modified(SystemTime::now());
        }
        Some(manifest)
    }

    fn missing(&self, signature: &Signature) -> RunError {
        RunError::failed(say!(
            "the store {} has no {signature}; run the same command again to make it",
            "ストア {} に {signature} がありません。同じコマンドをもう一度実行すると作り直せます",
            self.root.display()
        ))
    }

    /// Whether something was saved since this was last asked.
    fn take_saved(&self) -> bool {
        self.saved.swap(false, Ordering::Relaxed)
    }

    /// Whether the store holds a step's results, whole. Files given to the person count only
    /// while they are as they were written, and pass `accept`.
    pub fn has(&self, signature: &Signature, accept: &dyn Fn(&Path) -> bool) -> bool {
        let Some(manifest) = self.manifest_in_use(signature) else {
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

    /// Whether something is gone that a plan counts on: a stored result that a step reads, or that is
    /// the plan's own. To be asked once a lease is held; then the answer stays.
    pub fn lacks(&self, plan: &Plan) -> bool {
        let values = plan.steps.iter().filter(|it| !it.cached).flat_map(|it| {
            it.inputs.values().flat_map(|input| match input {
                StepInput::Literal(_) => &[][..],
                StepInput::Value(id) => std::slice::from_ref(id),
                StepInput::List(ids) => ids,
            })
        });
        let makers = values.filter_map(|id| plan.value(*id).step);
        let read: BTreeSet<StepId> = makers.chain(plan.outputs.iter().copied()).collect();
        let mut stored = read.iter().map(|id| plan.step(*id)).filter(|it| it.cached);
        stored.any(|it| !self.has(&it.signature, &|_| true))
    }

    /// Sizes of an entry's first value.
    pub fn info(&self, signature: &Signature) -> Option<Info> {
        self.manifest(signature)?.values.first()?.info()
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// Absent, damaged, or not readable now. A damaged entry is set aside, so that the next run makes
    /// it anew.
    pub fn load(&self, signature: &Signature) -> Result<Vec<Value>, RunError> {
        let manifest = self.manifest_in_use(signature);
        let manifest = manifest.ok_or_else(|| self.missing(signature))?;
        self.read(signature, &manifest).map_err(|error| {
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
        let manifest = self.manifest(signature);
        let manifest = manifest.ok_or_else(|| self.missing(signature))?;
        self.read(signature, &manifest)
    }

    fn read(&self, signature: &Signature, manifest: &Manifest) -> Result<Vec<Value>, RunError> {
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
                Kept::Latent { .. }
                | Kept::Conditioning { .. }
                | Kept::Segment { .. }
                | Kept::Files(_)
                | Kept::Json(_) => Ok(value.clone()),
            })
            .collect();
        let manifest = Manifest {
            longtake_store: VERSION,
            class: step.class.clone(),
            node: step.path.to_string(),
            values: kept,
        };
        self.write(signature, &manifest)?;
        back
    }

    fn write(&self, signature: &Signature, manifest: &Manifest) -> Result<(), RunError> {
        let text = serde_json::to_vec(manifest).map_err(|e| {
            RunError::failed(say!(
                "writing a manifest: {e}",
                "結果の目録を書き込めません: {e}"
            ))
        })?;
        self.saved.store(true, Ordering::Relaxed);
        write_bytes(&self.manifest_path(signature), &text)
    }

    /// Lets an entry be found under another signature too. Its files get names of their own there,
    /// so that each of the two can go without the other; on the disk they are one.
    ///
    /// # Errors
    /// No such entry, or the disk.
    pub fn alias(&self, entry: &Signature, other: &Signature) -> Result<(), RunError> {
        if entry == other {
            return match self.manifest(entry) {
                Some(_) => Ok(()),
                None => Err(self.missing(entry)),
            };
        }
        let linking =
            |path: &Path, e: &std::io::Error| RunError::io(say!("keeping", "保存"), path, e);
        // Nothing is removed meanwhile. Where nobody can lock, nobody removes.
        let _unmoved = self.unmoved();
        let mut manifest = self.manifest(entry).ok_or_else(|| self.missing(entry))?;
        let shelf = self.shelf(entry);
        let (from, to) = (entry.to_string(), other.to_string());
        for file in manifest.values.iter_mut().filter_map(Kept::file_mut) {
            let old = shelf.join(&*file);
            let ending = file.rsplit('/').next().unwrap_or_default();
            let ending = ending.strip_prefix(&from).unwrap_or(ending);
            let new = self.data_path(other, &format!(".kept{ending}"))?;
            let link = new.with_file_name(format!(".{}.tmp", lock::unique()));
            if fs::hard_link(&old, &link).is_ok() {
                let renamed = fs::rename(&link, &new);
                // Two names of one file are both left by a rename.
                let _ = fs::remove_file(&link);
                renamed.map_err(|e| linking(&new, &e))?;
            } else {
                // This file system has one name for a file.
                write_atomic(&new, |out| {
                    let copied = std::io::copy(&mut open_regular(&old)?, out);
                    copied.map(drop).map_err(|e| linking(&new, &e))
                })?;
            }
            *file = format!("{to}.kept{ending}");
        }
        self.write(other, &manifest)
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
