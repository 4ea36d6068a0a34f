//! Saving: on a thread, one at a time. What is asked for meanwhile waits for its end; edits made
//! meanwhile leave the document changed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use longtake_graph::{Diagnostic, Format, Project, format};

use super::question::{Next, Question, Then};
use super::stamp::{OnDisk, Stamp};
use super::tasks::{Done, Task};
use super::{Holder, save, words};
use crate::messages::Tone;
use crate::studio::Studio;

/// A save under way.
pub(crate) struct Writing {
    /// [`crate::Session::opened`] of the document.
    opened: u64,
    /// [`crate::history::History::state`] of what is written.
    state: u64,
    pub(super) path: PathBuf,
    pub(super) began: Instant,
    /// What follows once it is saved.
    next: Next,
    /// What was asked for meanwhile, in order.
    held: Vec<Held>,
}

/// What waits for the end of a save.
pub(crate) enum Held {
    /// Another save.
    Save(Next),
    /// A save under a name that was chosen.
    Write(PathBuf, Next),
    /// Another document, or the end.
    Guard(Next),
}

/// What is done about someone else's work under the name.
enum Care {
    /// Writes only over what was read or written here last.
    Same(Option<Stamp>),
    /// Another window has the file open: looks, and writes nothing.
    Look(Option<Stamp>, Holder),
    /// Writes whatever stands there: the person said so.
    Over,
}

/// What came of a save.
pub(crate) enum Outcome {
    /// It stands on the disk.
    Written {
        /// The path by which all windows know it.
        path: PathBuf,
        stamp: Stamp,
        /// The file had been removed.
        was_gone: bool,
    },
    /// Another program changed the file: nothing was written.
    Changed,
    /// Nothing was written: another window has the file open.
    Elsewhere(Holder),
    /// It could not be written.
    Failed(io::Error),
}

fn write(project: &Project, path: &Path, care: Care) -> Outcome {
    let on_disk = match &care {
        Care::Same(stamp) | Care::Look(stamp, _) => stamp.as_ref().map(|it| it.compare(path)),
        Care::Over => None,
    };
    match (on_disk, care) {
        (Some(OnDisk::Changed), _) => return Outcome::Changed,
        (_, Care::Look(_, holder)) => return Outcome::Elsewhere(holder),
        (Some(OnDisk::Same | OnDisk::Gone) | None, Care::Same(_) | Care::Over) => {}
    }
    let text = format::project::to_text(project);
    match format::replace(path, text.as_bytes()) {
        Ok(()) => Outcome::Written {
            path: save::canonical(path),
            stamp: Stamp::written(text.as_bytes()),
            was_gone: on_disk == Some(OnDisk::Gone),
        },
        Err(error) => Outcome::Failed(error),
    }
}

impl Studio {
    /// Saves where the document belongs, unless that would lose someone's work.
    pub(super) fn save(&mut self, next: Next) {
        self.session.settle();
        if let Some(writing) = &mut self.files.writing {
            writing.held.push(Held::Save(next));
            return;
        }
        let Some(path) = self.session.path.clone() else {
            return self.ask_name(next);
        };
        // The other window may be closed by now.
        self.files.lock(&path);
        let stamp = self.files.stamp.clone();
        let care = match self.files.elsewhere {
            Some(holder) => Care::Look(stamp, holder),
            None => Care::Same(stamp),
        };
        self.begin_write(path, care, next);
    }

    /// Writes the document there, whatever stands there, then goes on.
    pub(super) fn write(&mut self, path: PathBuf, next: Next) {
        match &mut self.files.writing {
            Some(writing) => writing.held.push(Held::Write(path, next)),
            None => self.begin_write(path, Care::Over, next),
        }
    }

    /// Whether a save is under way, which `held` now waits for.
    pub(super) fn hold(&mut self, next: &Next) -> bool {
        match &mut self.files.writing {
            Some(writing) => {
                writing.held.push(Held::Guard(next.clone()));
                true
            }
            None => false,
        }
    }

    fn begin_write(&mut self, path: PathBuf, care: Care, next: Next) {
        let project = Arc::clone(self.session.project());
        let to = path.clone();
        let work = move || Done::Wrote(write(&project, &to, care));
        if let Err(error) = self.files.tasks.start(Task::Write, work) {
            let error = save::not_saved(&path, &error, self.language());
            return self.messages.error(error);
        }
        self.files.writing = Some(Writing {
            opened: self.session.opened(),
            state: self.session.history().state(),
            path,
            began: Instant::now(),
            next,
            held: Vec::new(),
        });
    }

    /// Takes in what came of a save. On an error nothing is lost, and nothing goes on.
    pub(super) fn wrote(&mut self, outcome: Outcome) {
        let Some(writing) = self.files.writing.take() else {
            return;
        };
        match outcome {
            Outcome::Changed => self.ask_changed(writing.path, writing.next),
            Outcome::Elsewhere(holder) => self.ask_elsewhere(writing.path, holder, writing.next),
            Outcome::Failed(error) => {
                let error = save::not_saved(&writing.path, &error, self.language());
                self.messages.error(error);
            }
            Outcome::Written {
                path,
                stamp,
                was_gone,
            } => {
                self.saved(&writing, &path, stamp);
                if was_gone {
                    let note = words::WAS_GONE.with(self.language(), &[&save::shown(&path)]);
                    self.messages.tell(Tone::Note, note);
                }
                // What was changed meanwhile is in no file: asked for again.
                self.go_on(writing.next);
                self.go_on_held(writing.held);
            }
        }
    }

    fn saved(&mut self, writing: &Writing, path: &Path, stamp: Stamp) {
        self.files.remember(path);
        let done = words::SAVED.with(self.language(), &[&save::shown(path)]);
        self.messages.tell(Tone::Good, done);
        if self.session.opened() != writing.opened {
            return;
        }
        self.session.mark_saved(path.to_path_buf(), writing.state);
        self.files.stamp = Some(stamp);
        self.files.suggested = None;
        self.files.lock(path);
        if self.session.dirty() {
            // The autosave may hold what was changed meanwhile.
            self.files.drop_adopted();
        } else {
            self.files.recovered();
        }
    }

    fn go_on(&mut self, next: Next) {
        if !matches!(next, Next::Stay) {
            self.guard(next);
        }
    }

    fn go_on_held(&mut self, held: Vec<Held>) {
        for one in held {
            match one {
                Held::Save(next) if !self.session.dirty() => self.go_on(next),
                Held::Save(next) => self.save(next),
                Held::Write(path, next) => self.write(path, next),
                Held::Guard(next) => self.go_on(next),
            }
        }
    }

    fn ask_changed(&mut self, path: PathBuf, next: Next) {
        let text = words::CHANGED_TEXT.with(self.language(), &[&path.display().to_string()]);
        let reload = Then::Lose(Next::Open(path.clone()));
        let question = Question::new(self.tr(words::CHANGED), text)
            .choice(self.tr(words::SAVE_AS), Then::SaveAs(next.clone()))
            .choice(self.tr(words::OVERWRITE), Then::Overwrite(path, next))
            .choice(self.tr(words::RELOAD), reload)
            .safe(self.tr(words::CANCEL), Then::Stay);
        self.ask(question);
    }

    pub(super) fn ask_elsewhere(&mut self, path: PathBuf, holder: Holder, next: Next) {
        let values = [path.display().to_string(), self.process(holder)];
        let text = words::ELSEWHERE_TEXT.with(self.language(), &[&values[0], &values[1]]);
        let question = Question::new(self.tr(words::ELSEWHERE), text)
            .choice(self.tr(words::SAVE_AS), Then::SaveAs(next.clone()))
            .choice(self.tr(words::SAVE_ANYWAY), Then::Overwrite(path, next))
            .safe(self.tr(words::CANCEL), Then::Stay);
        self.ask(question);
    }

    /// Writes the prompt JSON of the document under a name that the person chose, who was warned if
    /// it exists.
    pub(crate) fn file_export(&mut self, path: &Path) {
        let named = save::prompt_name(path);
        if named != path && named.exists() && !self.is_open(&named) {
            let shown = named.display().to_string();
            let text = words::EXPORT_EXISTS_TEXT.with(self.language(), &[&shown]);
            let question = Question::new(self.tr(words::EXISTS), text)
                .choice(self.tr(words::EXPORT_AS), Then::ExportAs)
                .choice(self.tr(words::REPLACE), Then::Export(named))
                .safe(self.tr(words::CANCEL), Then::Stay);
            return self.ask(question);
        }
        self.export(named);
    }

    /// Whether it is the file of the open document.
    fn is_open(&self, path: &Path) -> bool {
        let own = self.session.path.as_deref().map(save::canonical);
        own.is_some_and(|it| it == save::canonical(path))
    }

    /// Writes the prompt JSON of the document there, whatever stands there.
    pub(super) fn export(&mut self, path: PathBuf) {
        if self.is_open(&path) {
            let path = path.display().to_string();
            let error = words::EXPORT_ONTO_ITSELF.with(self.language(), &[&path]);
            return self.messages.error(error);
        }
        let (project, engine) = (Arc::clone(self.session.project()), self.engine.clone());
        let to = path.clone();
        let work = move || {
            let (text, left_out) = format::to_text(&project, Format::Prompt, engine.catalog());
            let written = format::replace(&to, text.as_bytes());
            Done::Exported(to, written.map(|()| left_out))
        };
        if let Err(error) = self.files.tasks.start(Task::Export, work) {
            self.exported(&path, Err(error));
        }
    }

    /// Takes in what came of an export.
    pub(super) fn exported(&mut self, path: &Path, outcome: io::Result<Vec<Diagnostic>>) {
        let language = self.language();
        let left_out = match outcome {
            Ok(left_out) => left_out,
            Err(error) => {
                let error = save::not_saved(path, &error, language);
                return self.messages.error(error);
            }
        };
        let done = words::EXPORTED.with(language, &[&save::shown(path)]);
        self.messages.tell(Tone::Good, done);
        for finding in left_out {
            let note = words::LEFT_OUT.with(language, &[&language.told(&finding)]);
            self.messages.tell(Tone::Note, note);
        }
    }
}
