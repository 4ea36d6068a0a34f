//! Making room: what was not used for longest goes first, what is needed never does.
//!
//! A manifest is removed before the files it names, so that an entry is there or it is not, wherever
//! the program dies; files left without a manifest go with the next pruning.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use longtake_graph::{Sentence, say};
use longtake_plan::Signature;

use super::contents::{Contents, Entry, bytes_of};
use super::lock::Turn;
use super::manifest::Manifest;
use super::{PinnedBy, Store, limit};
use crate::RunError;

/// Files that nobody names are left alone for that long: someone may be about to name them.
const YOUNG: Duration = Duration::from_hours(24);
/// Entries removed in one turn; who wants a lease waits for one turn at most.
const PORTION: usize = 32;

/// What is to go.
#[derive(Clone, Copy, Debug, Default)]
pub struct Goal {
    /// As much as makes the store no larger than this.
    pub bytes: Option<u64>,
    /// All that was not used for that long.
    pub older_than: Option<Duration>,
    /// Nothing: only count.
    pub dry_run: bool,
}

/// What went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Pruned {
    /// Entries removed.
    pub entries: usize,
    /// Bytes given back.
    pub bytes: u64,
    /// Bytes that are left.
    pub left: u64,
    /// Bytes that the store should not be larger than.
    pub limit: Option<u64>,
}

impl Pruned {
    /// What a person would want to know of it; `None` when nothing went and nothing is amiss.
    pub fn told(&self) -> Option<Sentence> {
        let gib = |bytes: u64| format!("{:.1}", bytes as f64 / f64::from(1 << 30));
        let (entries, bytes, left) = (self.entries, gib(self.bytes), gib(self.left));
        if let Some(limit) = self.limit.filter(|it| self.left > *it) {
            let limit = gib(limit);
            return Some(say!(
                "the store holds {left} GiB, which is more than its limit of {limit} GiB, and all of it is \
                 needed by open or pinned work; {entries} results were removed ({bytes} GiB). Raise \
                 --store-limit, or close or unpin what is done",
                "ストアは {left} GiB で、上限の {limit} GiB を超えています。残りはすべて使用中か固定中です（{entries} 件、{bytes} GiB を削除しました）。\
                 --store-limit を上げるか、不要なプロジェクトを閉じるか、固定を解除してください。"
            ));
        }
        (entries > 0).then(|| {
            say!(
                "the store made room by removing what was not used for longest ({entries} of its \
                 results, {bytes} GiB); it holds {left} GiB",
                "ストアを整理しました。最も長く使われていない {entries} 件（{bytes} GiB）を削除しました。現在は {left} GiB です。"
            )
        })
    }
}

/// What may not go, and why.
struct Needed {
    leased: HashSet<Signature>,
    pinned: BTreeMap<Signature, Vec<PinnedBy>>,
}

impl Needed {
    fn has(&self, signature: &Signature) -> bool {
        self.leased.contains(signature) || self.pinned.contains_key(signature)
    }
}

impl Store {
    /// Removes what is over the store's limit, if anything is. Cheap when nothing is: a look at the
    /// sizes, and not even that when this program saved nothing since.
    ///
    /// # Errors
    /// The disk.
    pub fn keep_limit(&self) -> Result<Option<Pruned>, RunError> {
        if !self.take_saved() {
            return Ok(None);
        }
        let (used, limit) = self.usage()?;
        match limit.filter(|limit| used > *limit) {
            Some(limit) => self.prune(Goal {
                bytes: Some(limit),
                ..Goal::default()
            }),
            None => Ok(None),
        }
    }

    /// Bytes of the store, and what they should not be more than.
    ///
    /// # Errors
    /// The disk.
    pub fn usage(&self) -> Result<(u64, Option<u64>), RunError> {
        let used = self.walk().map(|it| bytes_of(&it));
        let used = used.map_err(|e| self.pruning(&e))?;
        let limit = self.limit.bytes(used, limit::free_bytes(&self.root));
        Ok((used, limit))
    }

    /// Removes entries, those that were not used for longest first, and never what living programs
    /// or pinned shots need. `None` while another program prunes.
    ///
    /// # Errors
    /// The disk, or a file system that knows no locks, where nobody can tell what is needed.
    pub fn prune(&self, goal: Goal) -> Result<Option<Pruned>, RunError> {
        self.prune_with(goal, &mut |_| {})
    }

    /// As [`Store::prune`]; `before` is told of every file that is about to be removed.
    pub(super) fn prune_with(
        &self,
        goal: Goal,
        before: &mut dyn FnMut(&Path),
    ) -> Result<Option<Pruned>, RunError> {
        let one = Turn::alone(&self.root.join("prune.turn"), Duration::ZERO);
        let Some(_one) = one.map_err(|e| self.pruning(&e))? else {
            return Ok(None);
        };
        let contents = self.contents()?;
        let mut work = Work {
            store: self,
            goal,
            before,
            pruned: Pruned {
                left: contents.bytes,
                limit: goal.bytes,
                ..Pruned::default()
            },
            contents,
        };
        work.all().map_err(|e| self.pruning(&e))?;
        Ok(Some(work.pruned))
    }

    fn pruning(&self, error: &io::Error) -> RunError {
        let doing = say!(
            "removing old results from the store",
            "ストアの古い結果の削除"
        );
        RunError::io(doing, &self.root, error)
    }
}

/// A pruning under way.
struct Work<'a> {
    store: &'a Store,
    goal: Goal,
    before: &'a mut dyn FnMut(&Path),
    contents: Contents,
    pruned: Pruned,
}

impl Work<'_> {
    fn all(&mut self) -> io::Result<()> {
        let entries = std::mem::take(&mut self.contents.entries);
        let now = SystemTime::now();
        let mut rest = &entries[..];
        while !rest.is_empty() {
            let needed = self.needed()?;
            let Some((_turn, needed)) = needed else {
                return Ok(());
            };
            let mut portion: Vec<&Entry> = Vec::new();
            while let Some((first, others)) = rest.split_first() {
                let room = self.contents.room(&portion);
                if portion.len() == PORTION || !self.wanted(first, room, now) {
                    break;
                }
                rest = others;
                let stays = |it: &Signature| needed.has(it);
                let gives = self.old(first, now) || self.contents.gives(first, stays);
                if gives && !needed.has(&first.signature) && self.untouched(first) {
                    portion.push(first);
                }
            }
            if portion.is_empty() {
                break;
            }
            self.remove(&portion)?;
        }
        self.strays(now)
    }

    /// A turn alone, with what is needed now.
    fn needed(&self) -> io::Result<Option<(Turn, Needed)>> {
        let Some(turn) = self.store.alone()? else {
            return Ok(None);
        };
        let leased = self.store.leased()?;
        let pinned = self.store.pinned()?;
        Ok(Some((turn, Needed { leased, pinned })))
    }

    /// Whether an entry is to go, when that much more room is made already. Entries come in the order
    /// of their use, so the first that is not is the last that is looked at.
    fn wanted(&self, entry: &Entry, room: u64, now: SystemTime) -> bool {
        let left = self.pruned.left.saturating_sub(room);
        self.goal.bytes.is_some_and(|most| left > most) || self.old(entry, now)
    }

    fn old(&self, entry: &Entry, now: SystemTime) -> bool {
        let age = now.duration_since(entry.used).unwrap_or_default();
        self.goal.older_than.is_some_and(|most| age > most)
    }

    /// Whether nobody used or made the entry since it was looked at.
    fn untouched(&self, entry: &Entry) -> bool {
        let path = self.store.manifest_path(&entry.signature);
        let modified = fs::metadata(path).and_then(|it| it.modified());
        modified.is_ok_and(|it| it == entry.used)
    }

    fn remove(&mut self, portion: &[&Entry]) -> io::Result<()> {
        let room = self.contents.room(portion);
        for entry in portion {
            let path = self.store.manifest_path(&entry.signature);
            self.unlink(&path)?;
            self.pruned.entries += 1;
        }
        for file in portion.iter().flat_map(|it| &it.files) {
            let Some(left) = self.contents.named.get_mut(file) else {
                continue;
            };
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.unlink(file)?;
            }
        }
        self.contents.forget(portion);
        self.gave(room);
        Ok(())
    }

    fn gave(&mut self, bytes: u64) {
        self.pruned.bytes += bytes;
        self.pruned.left = self.pruned.left.saturating_sub(bytes);
    }

    fn unlink(&mut self, path: &Path) -> io::Result<()> {
        if self.goal.dry_run {
            return Ok(());
        }
        (self.before)(path);
        match fs::remove_file(path) {
            // Someone else was faster.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Removes files that no entry names and that nobody is about to name.
    fn strays(&mut self, now: SystemTime) -> io::Result<()> {
        let strays = std::mem::take(&mut self.contents.strays);
        let old =
            |it: &&(PathBuf, SystemTime)| now.duration_since(it.1).is_ok_and(|age| age > YOUNG);
        let strays: Vec<&(PathBuf, SystemTime)> = strays.iter().filter(old).collect();
        for portion in strays.chunks(PORTION) {
            let Some((_turn, needed)) = self.needed()? else {
                return Ok(());
            };
            for (path, modified) in portion {
                let Ok(about) = fs::metadata(path) else {
                    continue;
                };
                let same = about.modified().is_ok_and(|it| it == *modified);
                if !same || !self.is_nobodys(path, &needed) {
                    continue;
                }
                let bytes = if about.nlink() > 1 { 0 } else { about.len() };
                self.unlink(path)?;
                self.gave(bytes);
            }
        }
        Ok(())
    }
}

impl Work<'_> {
    /// Whether no entry names that file, as things stand now: a half-written one, or what a damaged
    /// manifest or none at all stands beside. What has a name that is not ours is not ours.
    fn is_nobodys(&self, path: &Path, needed: &Needed) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') {
            return name.ends_with(".tmp");
        }
        let Some(owner) = owner_of(path).filter(|it| !needed.has(it)) else {
            return false;
        };
        match fs::read(self.store.manifest_path(&owner)) {
            Ok(text) => Manifest::parse(&text).is_none() && !Manifest::is_foreign(&text),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

/// The entry a data file belongs to, by its name.
fn owner_of(path: &Path) -> Option<Signature> {
    let name = path.file_name()?.to_str()?;
    Signature::from_hex(name.split('.').next()?)
}
