//! What lies in a store: entries with their files, last use and size.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use longtake_graph::say;
use longtake_plan::Signature;

use super::manifest::Manifest;
use super::{PinnedBy, Store};
use crate::RunError;

/// One entry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is found by.
    pub signature: Signature,
    /// Class of the step that made it.
    pub class: String,
    /// The step, as a person would name it (`sampler[03]`).
    pub node: String,
    /// Bytes of its manifest and files. Files that entries share are counted with each.
    pub bytes: u64,
    /// When it was last read, or asked for by a plan, to a minute.
    pub used: SystemTime,
    /// Bytes of its manifest.
    pub(super) manifest: u64,
    /// Its data files.
    pub(super) files: Vec<PathBuf>,
}

/// All of a store.
#[derive(Debug, Default)]
pub struct Contents {
    /// Entries, least recently used first.
    pub entries: Vec<Entry>,
    /// Bytes on the disk: files shared by entries are counted once.
    pub bytes: u64,
    /// Files that no entry names: of entries half-made, or half-removed.
    pub(super) strays: Vec<(PathBuf, SystemTime)>,
    /// Entries that name a file.
    pub(super) named: HashMap<PathBuf, usize>,
    /// What is known of each file.
    pub(super) sizes: HashMap<PathBuf, Size>,
    /// Entries that a file holds the data of, under whatever name.
    pub(super) holders: HashMap<FileId, Vec<Signature>>,
}

/// A file's device and number: names that share them are one file.
pub(super) type FileId = (u64, u64);

/// A file's length, and which it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub bytes: u64,
    pub id: FileId,
}

/// A file under `objects`.
pub(super) struct Found {
    pub path: PathBuf,
    pub about: Metadata,
}

impl Store {
    /// Every file of the entries, with those that are half-written.
    pub(super) fn walk(&self) -> io::Result<Vec<Found>> {
        let mut found = Vec::new();
        for shelf in fs::read_dir(self.root.join("objects"))? {
            let shelf = shelf?;
            if !shelf.file_type()?.is_dir() {
                continue;
            }
            for entry in fs::read_dir(shelf.path())? {
                let entry = entry?;
                match entry.metadata() {
                    Ok(about) if about.is_file() => {
                        let path = entry.path();
                        found.push(Found { path, about });
                    }
                    Ok(_) => {}
                    // Another program removed or renamed it meanwhile.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(found)
    }

    /// What lies in the store now.
    ///
    /// # Errors
    /// The disk.
    pub fn contents(&self) -> Result<Contents, RunError> {
        let reading = |e| {
            let doing = say!("reading the store", "ストアの読み込み");
            RunError::io(doing, &self.root, &e)
        };
        self.walk().map(Contents::of).map_err(reading)
    }

    /// What pinned shots need, and who pins it.
    ///
    /// # Errors
    /// The disk.
    pub fn pins_held(&self) -> Result<BTreeMap<Signature, Vec<PinnedBy>>, RunError> {
        let reading = |e| {
            let doing = say!("reading the pins of the store", "固定の一覧の読み込み");
            RunError::io(doing, &self.root, &e)
        };
        self.pinned().map_err(reading)
    }

    /// What living programs need.
    ///
    /// # Errors
    /// The disk, or a file system that knows no locks.
    pub fn leases_held(&self) -> Result<HashSet<Signature>, RunError> {
        let reading = |e| {
            let doing = say!(
                "reading what running programs need in",
                "使用中のデータの確認"
            );
            RunError::io(doing, &self.root, &e)
        };
        let _turn = self.alone().map_err(reading)?;
        self.leased().map_err(reading)
    }
}

/// Bytes of files, each counted once however many names it has.
pub(super) fn bytes_of(found: &[Found]) -> u64 {
    let mut seen = HashSet::new();
    let once = found
        .iter()
        .filter(|it| it.about.nlink() == 1 || seen.insert((it.about.dev(), it.about.ino())));
    once.map(|it| it.about.len()).sum()
}

impl Contents {
    pub(super) fn of(found: Vec<Found>) -> Self {
        let mut contents = Self {
            bytes: bytes_of(&found),
            ..Self::default()
        };
        let mut others = Vec::new();
        let mut manifests = Vec::new();
        for it in found {
            let modified = it.about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let bytes = it.about.len();
            let id = (it.about.dev(), it.about.ino());
            contents.sizes.insert(it.path.clone(), Size { bytes, id });
            match signature_of(&it.path) {
                Some(signature) => manifests.push((signature, it.path, modified, bytes)),
                None => others.push((it.path, modified)),
            }
        }
        for (signature, path, used, bytes) in manifests {
            let manifest = fs::read(&path).ok().and_then(|it| Manifest::parse(&it));
            let Some(manifest) = manifest else {
                // Damaged, or of another layout: no entry, as far as this program goes.
                others.push((path, used));
                continue;
            };
            let shelf = path.parent().unwrap_or(Path::new(""));
            let files: Vec<PathBuf> = manifest.files().map(|it| plain(shelf, it)).collect();
            let mut all = bytes;
            for file in &files {
                *contents.named.entry(file.clone()).or_default() += 1;
                if let Some(size) = contents.sizes.get(file) {
                    all += size.bytes;
                    contents.holders.entry(size.id).or_default().push(signature);
                }
            }
            contents.entries.push(Entry {
                signature,
                class: manifest.class,
                node: manifest.node,
                bytes: all,
                used,
                manifest: bytes,
                files,
            });
        }
        contents.entries.sort_by_key(|it| (it.used, it.signature));
        others.retain(|(path, _)| !contents.named.contains_key(path));
        contents.strays = others;
        contents
    }

    /// Whether room is made by removing an entry together with all that may go: some file of it holds
    /// the data of no entry that stays.
    pub(super) fn gives(&self, entry: &Entry, stays: impl Fn(&Signature) -> bool) -> bool {
        let sizes = entry.files.iter().filter_map(|it| self.sizes.get(it));
        let mut holders = sizes.filter_map(|it| self.holders.get(&it.id));
        holders.any(|all| !all.iter().any(&stays))
    }

    /// Bytes given back when these go and no others.
    pub(super) fn room(&self, going: &[&Entry]) -> u64 {
        let manifests: u64 = going.iter().map(|it| it.manifest).sum();
        let goes = |it: &Signature| going.iter().any(|entry| entry.signature == *it);
        let mut seen = HashSet::new();
        let files = going.iter().flat_map(|it| &it.files);
        let sizes = files.filter_map(|it| self.sizes.get(it));
        let freed = sizes.filter(|it| {
            let all = self.holders.get(&it.id);
            all.is_none_or(|all| all.iter().all(goes)) && seen.insert(it.id)
        });
        manifests + freed.map(|it| it.bytes).sum::<u64>()
    }

    /// These are gone.
    pub(super) fn forget(&mut self, gone: &[&Entry]) {
        for file in gone.iter().flat_map(|it| it.files.iter()) {
            let size = self.sizes.get(file);
            if let Some(all) = size.and_then(|it| self.holders.get_mut(&it.id)) {
                all.retain(|it| !gone.iter().any(|entry| entry.signature == *it));
            }
        }
    }
}

/// The signature that a manifest's name gives.
fn signature_of(path: &Path) -> Option<Signature> {
    let json = path.extension().is_some_and(|it| it == "json");
    let stem = path.file_stem()?.to_str().filter(|_| json)?;
    Signature::from_hex(stem)
}

/// A file as named from a shelf: `../ab/NAME` lies on another one.
fn plain(shelf: &Path, name: &str) -> PathBuf {
    match name.strip_prefix("../") {
        Some(rest) => shelf.parent().unwrap_or(shelf).join(rest),
        None => shelf.join(name),
    }
}
