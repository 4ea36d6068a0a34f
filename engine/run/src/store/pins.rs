//! Pins: clips that projects name, and that nothing makes again as they are.
//!
//! `pins/SIGNATURE.HASH` holds the path of a project that names that entry. A pin is over when the
//! project is there and names it no more. A project that is not there (moved, on a disk that is not
//! plugged in) keeps its pins: nobody can tell whether it comes back.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use longtake_plan::{Plan, Signature};

use super::Store;
use crate::RunError;
use crate::files::write_bytes;

/// A document without a file keeps what it named for that long after it was last open.
const NAMELESS: Duration = Duration::from_hours(24 * 90);
/// Stands where a project's hash would.
const NO_FILE: &str = "open";
/// The class that reads a pinned shot's frames.
pub(super) const STORED_CLIP: &str = "StoredClip";
/// Larger files are no project; they are not searched.
const LARGEST: u64 = 256 << 20;

/// What keeps a pinned entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PinnedBy {
    /// This project names it.
    Project(PathBuf),
    /// This project named it, and is not there now.
    Missing(PathBuf),
    /// A document that was open lately and has no file that is known.
    Document,
}

impl Store {
    /// Keeps an entry for a project until the project names it no more.
    ///
    /// # Errors
    /// The disk.
    pub fn pin(&self, entry: &Signature, project: &Path) -> Result<(), RunError> {
        let bytes = project.as_os_str().as_bytes();
        let hash = blake3::hash(bytes).to_hex();
        let path = self.pins().join(format!("{entry}.{}", &hash[..16]));
        if path.exists() {
            return Ok(());
        }
        write_bytes(&path, bytes)
    }

    /// Keeps the clips of pinned shots that a plan reads: for the project it comes from, or for a
    /// document whose file is not known.
    ///
    /// # Errors
    /// The disk.
    pub fn pin_plan(&self, plan: &Plan, project: Option<&Path>) -> Result<(), RunError> {
        for step in plan.steps.iter().filter(|it| it.class == STORED_CLIP) {
            match project {
                Some(project) => self.pin(&step.signature, project)?,
                None => self.pin_nameless(&step.signature)?,
            }
        }
        Ok(())
    }

    fn pin_nameless(&self, entry: &Signature) -> Result<(), RunError> {
        let path = self.pins().join(format!("{entry}.{NO_FILE}"));
        let fresh = age(&path).is_some_and(|it| it < Duration::from_hours(1));
        if fresh {
            Ok(())
        } else {
            write_bytes(&path, b"")
        }
    }

    /// Forgets pins of projects that are not there. Gives how many.
    ///
    /// # Errors
    /// The disk.
    pub fn forget_missing(&self) -> Result<usize, RunError> {
        let folder = self.pins();
        let reading = |e| {
            let doing = longtake_graph::say!("reading the pins in", "固定の一覧の読み込み");
            RunError::io(doing, &folder, &e)
        };
        let mut gone = 0;
        for (path, _, by) in self.records().map_err(reading)? {
            if matches!(by, PinnedBy::Missing(_)) && fs::remove_file(path).is_ok() {
                gone += 1;
            }
        }
        Ok(gone)
    }

    fn pins(&self) -> PathBuf {
        self.root.join("pins")
    }

    /// What pinned shots need, and who pins it. Pins that are over are removed.
    pub(super) fn pinned(&self) -> io::Result<BTreeMap<Signature, Vec<PinnedBy>>> {
        let mut pinned: BTreeMap<Signature, Vec<PinnedBy>> = BTreeMap::new();
        for (_, entry, by) in self.records()? {
            pinned.entry(entry).or_default().push(by);
        }
        Ok(pinned)
    }

    fn records(&self) -> io::Result<Vec<(PathBuf, Signature, PinnedBy)>> {
        let mut records = Vec::new();
        let entries = match fs::read_dir(self.pins()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(records),
            Err(error) => return Err(error),
        };
        let mut projects = HashMap::new();
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let Some((hex, by)) = name.split_once('.') else {
                continue;
            };
            let Some(signature) = Signature::from_hex(hex) else {
                continue;
            };
            let by = if by == NO_FILE {
                let lately = age(&path).is_none_or(|it| it < NAMELESS);
                lately.then_some(PinnedBy::Document)
            } else {
                let bytes = fs::read(&path)?;
                let project = PathBuf::from(OsStr::from_bytes(&bytes));
                let text = projects
                    .entry(project.clone())
                    .or_insert_with(|| Project::read(&project));
                text.holds(hex, project)
            };
            match by {
                Some(by) => records.push((path, signature, by)),
                None => drop(fs::remove_file(&path)),
            }
        }
        records.sort();
        Ok(records)
    }
}

fn age(path: &Path) -> Option<Duration> {
    let modified = fs::metadata(path).ok()?.modified().ok()?;
    SystemTime::now().duration_since(modified).ok()
}

/// A project, as far as pins go.
enum Project {
    /// Text in which signatures can be looked for.
    Text(Vec<u8>),
    /// A file that carries its graph in some other way, or cannot be read now.
    Closed,
    /// Not there.
    Missing,
}

impl Project {
    fn read(path: &Path) -> Self {
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::Missing,
            Err(_) => return Self::Closed,
            Ok(about) if about.len() > LARGEST => return Self::Closed,
            Ok(_) => {}
        }
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        if !["longtake", "json"].contains(&ending.to_ascii_lowercase().as_str()) {
            return Self::Closed;
        }
        crate::files::read_regular(path).map_or(Self::Closed, Self::Text)
    }

    fn holds(&self, hex: &str, path: PathBuf) -> Option<PinnedBy> {
        match self {
            Self::Text(text) => {
                let named = text.windows(hex.len()).any(|it| it == hex.as_bytes());
                named.then_some(PinnedBy::Project(path))
            }
            Self::Closed => Some(PinnedBy::Project(path)),
            Self::Missing => Some(PinnedBy::Missing(path)),
        }
    }
}
