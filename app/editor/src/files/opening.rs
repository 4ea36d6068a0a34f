//! Which document is open: new, from a file, from elsewhere, recovered.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use longtake_graph::{Diagnostic, Project, Sentence};

use super::save::{self, Source};
use super::tasks::{Done, Task};
use super::{Holder, Next, Places, Question, Then, recent, words};
use crate::action::{CanvasAction, WindowAction};
use crate::engine::Engine;
use crate::files::settings_file::Broken;
use crate::gallery::bring_files;
use crate::language::{Language, Text};
use crate::messages::Tone;
use crate::planned::Planned;
use crate::session::Session;
use crate::studio::Studio;

/// Findings of a file told one by one.
const MOST_TOLD: usize = 3;
/// Recovered works offered at once.
const MOST_OFFERED: usize = 5;

/// A file that is being read.
pub(crate) struct Reading {
    number: u64,
    pub(super) path: PathBuf,
    pub(super) began: Instant,
    wanted: Wanted,
}

impl Reading {
    /// Whether it takes the place of the open document.
    pub(super) fn replaces(&self) -> bool {
        matches!(self.wanted, Wanted::Document { .. } | Wanted::Copy)
    }
}

/// What a file is read for.
pub(crate) enum Wanted {
    /// To be open. `agreed`: which document may be lost for it, in which state.
    Document { agreed: (u64, u64) },
    /// To be open as a document without a file.
    Copy,
    /// To be put into the open graph of that document, at a point.
    Part { at: [f32; 2], opened: u64 },
}

/// A graph that was read.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The path by which all windows know the file.
    path: PathBuf,
    source: Source,
    project: Project,
    found: Vec<Diagnostic>,
}

/// Why a file was not read.
pub(crate) struct Unreadable {
    error: Sentence,
    /// The frequent reasons in plain words, with the path to fill in.
    plain: Option<Text>,
}

impl From<Sentence> for Unreadable {
    fn from(error: Sentence) -> Self {
        Self { error, plain: None }
    }
}

impl Unreadable {
    fn text(&self, path: &Path, language: Language) -> String {
        match self.plain {
            Some(text) => text.with(language, &[&path.display().to_string()]),
            None => language.sentence(&self.error).to_owned(),
        }
    }
}

fn load(engine: &dyn Engine, path: &Path) -> Result<Loaded, Unreadable> {
    // The stamp is older than what is read: a change in between is seen as one.
    let source = save::source(path);
    match engine.read_graph(path) {
        Ok((project, found)) => Ok(Loaded {
            path: save::canonical(path),
            source,
            project,
            found,
        }),
        Err(error) => Err(Unreadable {
            error,
            plain: match std::fs::metadata(path) {
                Err(error) if error.kind() == ErrorKind::NotFound => Some(words::NOT_THERE),
                Ok(about) if about.is_file() && about.len() == 0 => Some(words::EMPTY),
                _ => None,
            },
        }),
    }
}

impl Studio {
    /// Gives the studio its own folders: from now on settings and recent files are kept, work is
    /// autosaved, and what dead sessions left is offered. `broken` is what was wrong with the
    /// settings.
    pub fn settle_in(&mut self, places: Places, broken: Option<&Broken>) {
        if let Some(broken) = broken {
            self.messages.error(broken.text(self.language()));
        }
        let queue = places.queue();
        self.files.settle_in(places);
        self.open_queue(&queue);
        self.offer_recovery();
    }

    /// Shows a document that comes from no file of the person's (a preset, a finished job); asks
    /// first when work would be lost. Saving it asks for a name and proposes `name`.
    pub fn show(&mut self, project: Arc<Project>, name: Option<String>) {
        self.guard(Next::Show(project, name));
    }

    /// The name for the window's title bar.
    pub fn title(&self) -> String {
        let name = self.session.name();
        let name = name.unwrap_or_else(|| self.tr(words::UNTITLED).to_owned());
        let mark = if self.session.dirty() { " •" } else { "" };
        format!("{name}{mark} — Longtake")
    }

    /// What to propose when a name is asked for: a path where a folder is known, else a name.
    pub fn suggested_save(&self) -> PathBuf {
        if let Some(path) = &self.session.path {
            return path.clone();
        }
        if let Some(path) = &self.files.suggested {
            return save::project_name(path);
        }
        let name = self.session.name();
        let name = name.unwrap_or_else(|| self.tr(words::UNTITLED).to_owned());
        let name: String = name
            .chars()
            .map(|it| {
                if "/\\:*?\"<>|".contains(it) || it.is_control() {
                    '-'
                } else {
                    it
                }
            })
            .collect();
        let last = self.files.recent.iter().find(|it| !it.missing);
        let folder = last.and_then(|it| it.path.parent());
        folder
            .unwrap_or(Path::new(""))
            .join(format!("{name}.longtake"))
    }

    /// What to propose as the name of an exported prompt.
    pub fn suggested_export(&self) -> PathBuf {
        self.suggested_save().with_extension("prompt.json")
    }

    /// Goes on at once when all is saved, else asks.
    pub(super) fn guard(&mut self, next: Next) {
        self.session.settle();
        if self.hold(&next) {
            return;
        }
        if !self.session.dirty() {
            self.go(next);
            return;
        }
        let name = self.session.name();
        let name = name.unwrap_or_else(|| self.tr(words::UNTITLED).to_owned());
        let text = words::UNSAVED_TEXT.with(self.language(), &[&name]);
        let question = Question::new(self.tr(words::UNSAVED), text)
            .choice(self.tr(words::SAVE), Then::Save(next.clone()))
            .choice(self.tr(words::DO_NOT_SAVE), Then::Lose(next))
            .safe(self.tr(words::CANCEL), Then::Stay);
        self.ask(question);
    }

    /// Does what was held up.
    pub(super) fn go(&mut self, next: Next) {
        if matches!(next, Next::Stay) || self.hold(&next) {
            return;
        }
        match next {
            Next::Stay => {}
            Next::New => self.put(Session::new(Project::default(), None)),
            Next::Open(path) => {
                let agreed = (self.session.opened(), self.session.history().state());
                self.read(path, Wanted::Document { agreed });
            }
            Next::Loaded(loaded) => self.put_loaded(&loaded),
            Next::Show(project, name) => {
                self.put(Session::new(Arc::unwrap_or_clone(project), None));
                self.files.suggested = name.map(PathBuf::from);
            }
            Next::Quit => {
                self.files.leave(&self.settings);
                self.window.push(WindowAction::Quit);
            }
        }
    }

    /// Puts a document in the place of the open one.
    pub(super) fn put(&mut self, session: Session) {
        self.files.recovered();
        self.files.let_go();
        self.files.reading.clear();
        self.session = session.after(&self.session);
        self.planned = Planned::default();
        // Sizes of the old document's nodes say nothing about nodes that bear the same ids here.
        self.sizes.clear();
        self.messages.withdraw();
        self.leave_runs();
        self.window.push(WindowAction::Canvas(CanvasAction::Fit));
    }

    /// Reads a file on a thread.
    pub(crate) fn read(&mut self, path: PathBuf, wanted: Wanted) {
        let number = self.files.tasks.number();
        let (engine, from) = (self.engine.clone(), path.clone());
        let copy = matches!(wanted, Wanted::Copy);
        let work = move || {
            let mut loaded = load(&*engine, &from).map(Box::new);
            if let (true, Ok(loaded)) = (copy, &mut loaded) {
                bring_files(&*engine, &from, &mut loaded.project);
            }
            Done::Read(number, loaded)
        };
        if let Err(error) = self.files.tasks.start(Task::Read(number), work) {
            return self.no_thread(&path, &error);
        }
        let reading = Reading {
            number,
            path,
            began: Instant::now(),
            wanted,
        };
        if reading.replaces() {
            // What was asked for last is what is wanted.
            self.files.reading.retain(|it| !it.replaces());
        }
        self.files.reading.push(reading);
    }

    /// Takes in a file that was read.
    pub(super) fn was_read(&mut self, number: u64, outcome: Result<Box<Loaded>, Unreadable>) {
        let place = self.files.reading.iter().position(|it| it.number == number);
        let Some(place) = place else { return };
        let reading = self.files.reading.remove(place);
        let loaded = match outcome {
            Ok(loaded) => loaded,
            Err(error) => {
                self.messages
                    .error(error.text(&reading.path, self.language()));
                recent::look(&mut self.files.recent);
                return;
            }
        };
        let now = (self.session.opened(), self.session.history().state());
        match reading.wanted {
            Wanted::Document { agreed } if agreed == now => self.go(Next::Loaded(loaded.into())),
            // Changed while it was read: that was not agreed to be lost.
            Wanted::Document { .. } => self.guard(Next::Loaded(loaded.into())),
            Wanted::Copy => {
                let name = reading.path.file_stem();
                let name = name.map(|it| it.to_string_lossy().into_owned());
                self.show(Arc::new(loaded.project), name);
            }
            Wanted::Part { at, opened } if opened == now.0 => {
                self.insert_graph(loaded.project, at);
                self.tell_found(&save::shown(&reading.path), &loaded.found);
            }
            Wanted::Part { .. } => {}
        }
    }

    /// Puts a document that was read in the place of the open one.
    fn put_loaded(&mut self, loaded: &Loaded) {
        let shown = save::shown(&loaded.path);
        match &loaded.source {
            Source::Document(stamp) => {
                let path = loaded.path.clone();
                self.put(Session::new(loaded.project.clone(), Some(path.clone())));
                self.files.stamp = Some(stamp.clone());
                self.files.lock(&path);
                self.files.remember(&path);
                if let Some(holder) = self.files.elsewhere {
                    let note = words::OPEN_ELSEWHERE;
                    let note = note.with(self.language(), &[&shown, &self.process(holder)]);
                    self.messages.tell(Tone::Note, note);
                }
            }
            Source::Import => {
                self.put(Session::new(loaded.project.clone(), None));
                self.files.suggested = Some(loaded.path.clone());
                self.files.remember(&loaded.path);
                let note = words::IMPORTED.with(self.language(), &[&shown]);
                self.messages.tell(Tone::Note, note);
            }
        }
        self.tell_found(&shown, &loaded.found);
    }

    /// Tells what is strange in a graph that was read.
    pub(crate) fn tell_found(&mut self, shown: &str, found: &[Diagnostic]) {
        for finding in found.iter().take(MOST_TOLD) {
            let language = self.language();
            let told = language.told(finding);
            let text = words::FOUND_IN_FILE.with(language, &[shown, &told]);
            self.messages.tell(Tone::Note, text);
        }
        if let Some(more @ 1..) = found.len().checked_sub(MOST_TOLD) {
            let text = words::MORE_FOUND.with(self.language(), &[&more.to_string()]);
            self.messages.tell(Tone::Note, text);
        }
    }

    /// A process for a person.
    pub(super) fn process(&self, holder: Holder) -> String {
        match holder.pid {
            Some(pid) => words::PID.with(self.language(), &[&pid.to_string()]),
            None => self.tr(words::UNKNOWN_PID).to_owned(),
        }
    }

    fn offer_recovery(&mut self) {
        if self.files.found.is_empty() {
            return;
        }
        let language = self.language();
        let mut question = Question::new(self.tr(words::RECOVERED), self.tr(words::RECOVERED_TEXT));
        for found in self.files.found.iter().take(MOST_OFFERED) {
            let values = [found.name(language), found.age(language)];
            let label = words::RECOVER.with(language, &[&values[0], &values[1]]);
            question = question.choice(label, Then::Recover(found.id.clone()));
        }
        let discard = match self.files.found.len() {
            1 => words::DISCARD,
            0 | 2.. => words::DISCARD_ALL,
        };
        question = question
            .choice(self.tr(discard), Then::DropRecovery)
            .safe(self.tr(words::KEEP), Then::KeepRecovery);
        self.ask(question);
    }

    /// Opens what a dead session left, as a document that was never saved.
    pub(super) fn recover(&mut self, id: &str) {
        let found = std::mem::take(&mut self.files.found);
        let (mut chosen, rest): (Vec<_>, Vec<_>) = found.into_iter().partition(|it| it.id == id);
        if !rest.is_empty() {
            let count = rest.len().to_string();
            let note = words::STILL_KEPT.with(self.language(), &[&count]);
            self.messages.tell(Tone::Note, note);
        }
        let Some(found) = chosen.pop() else { return };
        // Our own file, at the start, before there is anything to hold up.
        let loaded = match load(&*self.engine, &found.file) {
            Ok(loaded) => loaded,
            Err(error) => {
                let error = error.text(&found.file, self.language());
                return self.messages.error(error);
            }
        };
        let mut session = Session::new(loaded.project, None);
        session.mark_unsaved();
        self.put(session);
        self.files.suggested.clone_from(&found.about.path);
        // It stays on the disk until this document is saved or given up.
        self.files.adopted.push(found);
        self.messages
            .tell(Tone::Good, self.tr(words::RECOVERED_NOTE));
    }

    /// Deletes what dead sessions left, as far as it was shown.
    pub(super) fn drop_recovery(&mut self) {
        let found = std::mem::take(&mut self.files.found);
        for found in found.into_iter().take(MOST_OFFERED) {
            found.delete();
        }
    }
}
