//! The document's file, and what is kept so that no work is lost.
//!
//! **Invariant:** a file of a person's changes only when they save, and then at once or not at all.
//! Everything else (autosave, settings, recent files, locks) lies in the program's own [`Places`].
//!
//! A [`Files`] without places (tests, tools) keeps nothing and locks nothing.

mod commands;
mod keeper;
mod lock;
mod opening;
mod outside;
mod question;
mod recent;
mod recovery;
mod save;
mod saving;
mod settings_file;
mod stamp;
mod system;
mod taking;
mod tasks;
#[cfg(test)]
mod tests;
mod words;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use lock::Holder;
pub use longtake_run::Places;
pub use question::{Choice, Question};
pub use recent::RecentFile;
pub use recovery::{About, Found};
pub use settings_file::{Broken, load as load_settings, save as save_settings};
pub use system::{file_error, system_error};

pub(crate) use opening::Wanted;
pub(crate) use question::{Next, Then};

use crate::planned::Wake;
use crate::settings::Settings;
use keeper::{Failed, Keeper, Work};
use lock::{Lock, Taken};
use opening::Reading;
use recovery::Autosave;
use saving::Writing;
use stamp::Stamp;
use taking::Importing;
use tasks::Tasks;

/// Settings are written when they rested this long.
const SETTINGS_REST: Duration = Duration::from_millis(500);

/// What is known of the document's file, and what the program keeps.
pub struct Files {
    /// The files that were open last, the newest first.
    pub recent: Vec<RecentFile>,
    /// Recent files that the person no longer wants to see.
    forgotten: Vec<PathBuf>,
    /// The window that has the document's file open too.
    pub elsewhere: Option<Holder>,
    /// What dead sessions left, until it is decided.
    pub found: Vec<Found>,
    places: Option<Places>,
    keeper: Keeper,
    /// What the document's file was when it was read or written last.
    stamp: Option<Stamp>,
    lock: Option<Lock>,
    /// What to propose as the name of a document without file.
    suggested: Option<PathBuf>,
    /// What was about to happen when a name had to be asked for.
    after_name: Next,
    /// Recovered work that is open: deleted once it is saved or given up.
    adopted: Vec<Found>,
    autosave: Option<Autosave>,
    /// The settings as they are on the disk, or on their way.
    kept: Settings,
    keep_at: Option<Instant>,
    /// Questions behind the one that shows.
    waiting: VecDeque<Question>,
    tasks: Tasks,
    /// The save under way.
    writing: Option<Writing>,
    /// Files that are being read.
    reading: Vec<Reading>,
    /// Files that are being brought into the input folder.
    importing: Vec<Importing>,
    /// How many were: lists of the input folder made before are old.
    pub imported: u64,
}

impl Files {
    /// No file, and nothing kept.
    pub(crate) fn new(settings: &Settings, wake: Wake) -> Self {
        Self {
            recent: Vec::new(),
            forgotten: Vec::new(),
            elsewhere: None,
            found: Vec::new(),
            places: None,
            keeper: Keeper::new(wake.clone()),
            stamp: None,
            lock: None,
            suggested: None,
            after_name: Next::Stay,
            adopted: Vec::new(),
            autosave: None,
            kept: settings.clone(),
            keep_at: None,
            waiting: VecDeque::new(),
            tasks: Tasks::new(wake),
            writing: None,
            reading: Vec::new(),
            importing: Vec::new(),
            imported: 0,
        }
    }

    /// The program's own folders, if it has any.
    pub fn places(&self) -> Option<&Places> {
        self.places.as_ref()
    }

    /// Whether a document is being read that will take the place of the open one.
    pub fn opening(&self) -> bool {
        self.reading.iter().any(Reading::replaces)
    }

    /// From now on keeps things, there.
    fn settle_in(&mut self, places: Places) {
        self.recent = recent::load(&places.recent());
        self.found = recovery::find(&places.recovery());
        self.autosave = Some(Autosave::new(&places.recovery()));
        self.places = Some(places);
    }

    /// Remembers a file as the newest.
    fn remember(&mut self, path: &Path) {
        let Some(places) = &self.places else { return };
        // Another window may have added to it; what this one added may not be written yet.
        let others = recent::load(&places.recent());
        recent::join(&mut self.recent, others, &self.forgotten);
        self.forgotten.retain(|it| it != path);
        recent::add(&mut self.recent, path);
        self.keep_recent();
    }

    /// Forgets a recent file.
    fn forget(&mut self, path: &Path) {
        self.recent.retain(|it| it.path != path);
        self.forgotten.push(path.to_path_buf());
        self.keep_recent();
    }

    fn keep_recent(&self) {
        if let Some(places) = &self.places {
            let bytes = recent::to_bytes(&self.recent);
            self.keeper.ask(Work::Write(places.recent(), bytes));
        }
    }

    /// Takes the lock of the document's file, or learns who has it.
    fn lock(&mut self, path: &Path) {
        let Some(places) = &self.places else { return };
        let path = lock_path(places, path);
        if self.lock.as_ref().is_some_and(|it| it.path() == path) {
            return;
        }
        (self.lock, self.elsewhere) = match Lock::take(&path) {
            Taken::Ours(lock) => (Some(lock), None),
            Taken::Theirs(holder) => (None, Some(holder)),
            Taken::Unknown => (None, None),
        };
    }

    /// Whether another window has that file open, without taking its lock for longer than a moment.
    fn holder(&self, path: &Path) -> Option<Holder> {
        let path = lock_path(self.places.as_ref()?, path);
        if self.lock.as_ref().is_some_and(|it| it.path() == path) {
            return None;
        }
        match Lock::take(&path) {
            Taken::Theirs(holder) => Some(holder),
            Taken::Ours(_) | Taken::Unknown => None,
        }
    }

    /// The document has no file any more.
    fn let_go(&mut self) {
        self.stamp = None;
        self.lock = None;
        self.elsewhere = None;
        self.suggested = None;
        self.after_name = Next::Stay;
    }

    /// Nothing of the document is left to recover: it is saved, or was given up.
    fn recovered(&mut self) {
        if let Some(autosave) = &mut self.autosave {
            autosave.clear(&self.keeper);
        }
        self.drop_adopted();
    }

    /// Recovered work is in a file of the person's, or was given up.
    fn drop_adopted(&mut self) {
        for found in self.adopted.drain(..) {
            found.delete();
        }
    }

    /// Writes changed settings once they rest.
    fn keep_settings(&mut self, settings: &Settings) {
        let Some(places) = &self.places else { return };
        if *settings == self.kept {
            return;
        }
        let now = Instant::now();
        match self.keep_at {
            Some(at) if now >= at => {
                let bytes = settings_file::to_bytes(settings);
                self.keeper.ask(Work::Write(places.settings(), bytes));
                self.kept = settings.clone();
                self.keep_at = None;
            }
            Some(_) => {}
            None => {
                self.keep_at = Some(now + SETTINGS_REST);
                self.keeper.ask(Work::WakeAt(now + SETTINGS_REST));
            }
        }
    }

    /// What could not be kept since the last call.
    fn failed(&mut self) -> Vec<Failed> {
        let failed: Vec<Failed> = self.keeper.failed().collect();
        if let Some(autosave) = &mut self.autosave
            && failed.iter().any(|it| autosave.owns(&it.path))
        {
            autosave.again();
        }
        failed
    }

    /// The end: settings are written, everything asked for is done.
    fn leave(&mut self, settings: &Settings) {
        self.recovered();
        if let Some(places) = &self.places
            && *settings != self.kept
        {
            let bytes = settings_file::to_bytes(settings);
            self.keeper.ask(Work::Write(places.settings(), bytes));
            self.kept = settings.clone();
        }
        self.keeper.finish();
        self.tasks.finish();
        self.autosave = None;
        self.let_go();
    }
}

/// The lock of a file: named by a hash of its path, in the program's own folder.
fn lock_path(places: &Places, path: &Path) -> PathBuf {
    let path = save::canonical(path);
    let hash = blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex();
    places.locks().join(format!("{}.lock", &hash[..32]))
}
