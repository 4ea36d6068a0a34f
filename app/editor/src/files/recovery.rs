//! Work that was not saved: written aside every few seconds, offered at the next start.
//!
//! A window writes `<session>.longtake`, `<session>.json` (what is known of it) and holds
//! `<session>.lock`. When the lock can be taken, the window is dead. The person's own file is never
//! touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::keeper::{Keeper, Work};
use super::lock::{Lock, Taken};
use super::recent::now;
use super::words;
use crate::language::Language;
use crate::session::Session;

/// What is known of autosaved work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// The document's file, if it had one.
    pub path: Option<PathBuf>,
    /// Its name.
    pub title: Option<String>,
    /// The process that wrote it.
    pub pid: u32,
    /// When, seconds since 1970.
    pub time: u64,
}

/// Work that a dead session left.
#[derive(Debug)]
pub struct Found {
    /// The session.
    pub id: String,
    /// What is known of it.
    pub about: About,
    /// The document.
    pub file: PathBuf,
    /// Held so that no other window offers it too.
    _lock: Option<Lock>,
}

impl Found {
    /// Its name for a person.
    pub fn name(&self, language: Language) -> String {
        let file = self.about.path.as_ref().and_then(|it| it.file_stem());
        let stem = || file.map(|it| it.to_string_lossy().into_owned());
        let title = self.about.title.clone();
        title
            .or_else(stem)
            .unwrap_or_else(|| words::UNTITLED.get(language).to_owned())
    }

    /// How long ago it was written.
    pub fn age(&self, language: Language) -> String {
        let minutes = now().saturating_sub(self.about.time) / 60;
        let (text, count) = match minutes {
            0 => return words::JUST_NOW.get(language).to_owned(),
            1..=119 => (words::MINUTES, minutes),
            120..=2879 => (words::HOURS, minutes / 60),
            _ => (words::DAYS, minutes / 60 / 24),
        };
        text.with(language, &[&count.to_string()])
    }

    /// Deletes it.
    pub fn delete(self) {
        let _ = fs::remove_file(&self.file);
        let _ = fs::remove_file(self.file.with_extension("json"));
    }
}

/// What dead sessions left, the newest first.
pub fn find(folder: &Path) -> Vec<Found> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<Found> = entries.filter_map(|it| look(&it.path())).collect();
    found.sort_by(|a, b| (b.about.time, &b.id).cmp(&(a.about.time, &a.id)));
    found
}

fn look(file: &Path) -> Option<Found> {
    if file.extension()? != "longtake" {
        return None;
    }
    let lock = match Lock::take(&file.with_extension("lock")) {
        Taken::Ours(lock) => Some(lock),
        Taken::Theirs(_) => return None,
        // Better offered twice than lost.
        Taken::Unknown => None,
    };
    let about = fs::read(file.with_extension("json")).unwrap_or_default();
    let mut about: About = serde_json::from_slice(&about).unwrap_or_default();
    if about.time == 0 {
        let written = fs::metadata(file).and_then(|it| it.modified()).ok()?;
        let since = written.duration_since(UNIX_EPOCH).ok()?;
        about.time = since.as_secs();
    }
    Some(Found {
        id: file.file_stem()?.to_string_lossy().into_owned(),
        about,
        file: file.to_path_buf(),
        _lock: lock,
    })
}

/// The autosave of one window.
#[derive(Debug)]
pub(crate) struct Autosave {
    file: PathBuf,
    lock: Option<Lock>,
    /// Revision that was written.
    written: Option<u64>,
    /// When the next is due.
    due: Option<Instant>,
    /// Whether the files may be there.
    exists: bool,
}

impl Autosave {
    /// The autosave of a new session. Nothing is written yet.
    pub fn new(folder: &Path) -> Self {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = nanos.map_or(0, |it| it.as_nanos());
        let id = format!("{nanos:x}-{:x}", std::process::id());
        Self {
            file: folder.join(format!("{id}.longtake")),
            lock: None,
            written: None,
            due: None,
            exists: false,
        }
    }

    /// Once per frame. Costs a few comparisons unless something is due.
    pub fn tick(
        &mut self,
        session: &Session,
        suggested: Option<&Path>,
        every: u32,
        keeper: &Keeper,
    ) {
        if !session.dirty() || every == 0 {
            self.clear(keeper);
            return;
        }
        if self.written == Some(session.revision()) {
            return;
        }
        match self.due {
            None => {
                let at = Instant::now() + Duration::from_secs(u64::from(every));
                self.due = Some(at);
                keeper.ask(Work::WakeAt(at));
            }
            Some(at) if Instant::now() >= at => self.write(session, suggested, keeper),
            Some(_) => {}
        }
    }

    /// Writes the document aside now.
    pub fn write(&mut self, session: &Session, suggested: Option<&Path>, keeper: &Keeper) {
        if self.lock.is_none()
            && let Taken::Ours(lock) = Lock::take(&self.file.with_extension("lock"))
        {
            self.lock = Some(lock);
        }
        let path = session.path.as_deref().or(suggested);
        let about = About {
            // JSON holds text: a name that is none is not remembered.
            path: path
                .filter(|it| it.to_str().is_some())
                .map(Path::to_path_buf),
            title: session.name(),
            pid: std::process::id(),
            time: now(),
        };
        let about = serde_json::to_vec_pretty(&about).unwrap_or_default();
        keeper.ask(Work::Document(
            Arc::clone(session.project()),
            self.file.clone(),
            (self.file.with_extension("json"), about),
        ));
        self.written = Some(session.revision());
        self.due = None;
        self.exists = true;
    }

    /// The last attempt failed: the next is due after the usual time.
    pub fn again(&mut self) {
        self.written = None;
    }

    /// Whether this is one of its files.
    pub fn owns(&self, path: &Path) -> bool {
        path.with_extension("") == self.file.with_extension("")
    }

    /// There is nothing left to recover.
    pub fn clear(&mut self, keeper: &Keeper) {
        if std::mem::take(&mut self.exists) {
            let about = self.file.with_extension("json");
            keeper.ask(Work::Remove(vec![self.file.clone(), about]));
        }
        self.written = None;
        self.due = None;
    }
}
