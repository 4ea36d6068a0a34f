//! New, open, save, quit, what was answered, and what threads came back with.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::opening::Unreadable;
use super::question::{Next, Question, Then};
use super::saving::Outcome;
use super::system::system_error;
use super::tasks::{Done, Task};
use super::{save, words};
use crate::action::WindowAction;
use crate::language::Text;
use crate::studio::Studio;

impl Studio {
    /// An empty document; asks first when work would be lost.
    pub(crate) fn file_new(&mut self) {
        self.guard(Next::New);
    }

    /// Opens a file; asks first when work would be lost.
    pub(crate) fn file_open(&mut self, path: PathBuf) {
        self.guard(Next::Open(path));
    }

    /// Ends the program; asks first when work would be lost.
    pub(crate) fn file_quit(&mut self) {
        self.guard(Next::Quit);
    }

    /// Saves, or asks for a name first.
    pub(crate) fn file_save(&mut self) {
        self.save(Next::Stay);
    }

    /// Asks for a name to save under.
    pub(crate) fn file_ask_save_as(&mut self) {
        self.ask_name(Next::Stay);
    }

    /// Saves under a name that the person chose, who was warned if it exists.
    pub(crate) fn file_save_as(&mut self, path: &Path) {
        let next = std::mem::take(&mut self.files.after_name);
        let named = save::project_name(path);
        if named != path && named.exists() {
            let text = words::EXISTS_TEXT.with(self.language(), &[&named.display().to_string()]);
            let question = Question::new(self.tr(words::EXISTS), text)
                .choice(self.tr(words::SAVE_AS), Then::SaveAs(next.clone()))
                .choice(self.tr(words::REPLACE), Then::Overwrite(named, next))
                .safe(self.tr(words::CANCEL), Then::Stay);
            return self.ask(question);
        }
        match self.files.holder(&named) {
            Some(holder) => self.ask_elsewhere(named, holder, next),
            None => self.write(named, next),
        }
    }

    /// Forgets a recent file.
    pub(crate) fn file_forget(&mut self, path: &Path) {
        self.files.forget(path);
    }

    /// Does what was chosen of the question that shows. An index beyond the choices is the safe one.
    pub(crate) fn file_answer(&mut self, choice: usize) {
        let Some(mut question) = self.question.take() else {
            return;
        };
        let choice = if choice < question.choices.len() {
            choice
        } else {
            question.safe
        };
        self.question = self.files.waiting.pop_front();
        match question.choices.swap_remove(choice).then {
            Then::Stay => {}
            Then::Save(next) => self.save(next),
            Then::Overwrite(path, next) => self.write(path, next),
            Then::SaveAs(next) => self.ask_name(next),
            Then::ExportAs => self.window.push(WindowAction::AskExport),
            Then::Export(path) => self.export(path),
            Then::Lose(next) => self.go(next),
            Then::Recover(id) => self.recover(&id),
            Then::KeepRecovery => self.files.found.clear(),
            Then::DropRecovery => self.drop_recovery(),
        }
    }

    /// Once per frame: what was read and written, autosave, settings, what could not be kept.
    pub(crate) fn files_tick(&mut self) {
        while let Some(done) = self.files.tasks.next() {
            self.take_in(done);
        }
        let Self {
            files,
            session,
            settings,
            ..
        } = self;
        let suggested = files.suggested.as_deref();
        if let Some(autosave) = &mut files.autosave {
            autosave.tick(session, suggested, settings.autosave_secs, &files.keeper);
        }
        files.keep_settings(settings);
        for failed in self.files.failed() {
            let path = failed.path.display().to_string();
            let (language, why) = (self.language(), system_error(&failed.error));
            let values = [path.as_str(), language.sentence(&why)];
            let error = words::OWN_FILE_FAILED.with(language, &values);
            self.messages.error(error);
        }
    }

    fn take_in(&mut self, done: Done) {
        match done {
            Done::Read(number, outcome) => self.was_read(number, outcome),
            Done::Wrote(outcome) => self.wrote(outcome),
            Done::Exported(path, outcome) => self.exported(&path, outcome),
            Done::Imported(number, outcome) => self.imported(number, outcome),
            Done::Outside(outcome) => {
                if let Err(error) = outcome {
                    self.tell_error(&error);
                }
            }
            Done::Broken(task) => self.broken(task),
        }
    }

    /// A bug of ours ended a thread: told, and what waited for it does not happen.
    fn broken(&mut self, task: Task) {
        let broken = words::A_BUG.sentence();
        match task {
            Task::Read(number) => self.was_read(number, Err(Unreadable::from(broken))),
            Task::Write => {
                let reason = self.language().sentence(&broken).to_owned();
                self.wrote(Outcome::Failed(std::io::Error::other(reason)));
            }
            Task::Export | Task::Outside => self.tell_error(&broken),
            Task::Import(number) => self.imported(number, Err(broken)),
        }
    }

    /// Waits until everything asked for about files is read and written. For what must not go on
    /// before: a test, a tool. The window goes on, and takes it in on [`Self::tick`].
    pub fn finish_files(&mut self) {
        while let Some(done) = self.files.tasks.wait() {
            self.take_in(done);
        }
    }

    /// What is being read or written, in words, and since when.
    pub fn busy(&self) -> Option<(String, Instant)> {
        let language = self.language();
        let text = |text: Text, path: &Path| text.with(language, &[&save::shown(path)]);
        let files = &self.files;
        let writing = files.writing.iter();
        let writing = writing.map(|it| (text(words::SAVING, &it.path), it.began));
        let reading = files.reading.iter();
        let reading = reading.map(|it| (text(words::OPENING, &it.path), it.began));
        let importing = files.importing.iter();
        let importing = importing.map(|it| (text(words::IMPORTING, &it.path), it.began));
        writing.chain(reading).chain(importing).next()
    }

    /// Writes unsaved work aside now. For moments after which no frame may come: the window is
    /// hidden, or ends without being asked.
    pub fn autosave_now(&mut self) {
        let Self { files, session, .. } = self;
        let suggested = files.suggested.as_deref();
        if let Some(autosave) = &mut files.autosave
            && session.dirty()
        {
            autosave.write(session, suggested, &files.keeper);
        }
    }

    /// Shows a question, after the one that shows.
    pub(super) fn ask(&mut self, question: Question) {
        match &self.question {
            None => self.question = Some(question),
            Some(open) if open.title == question.title => {}
            Some(_) => self.files.waiting.push_back(question),
        }
    }

    pub(super) fn ask_name(&mut self, next: Next) {
        self.files.after_name = next;
        self.window.push(WindowAction::AskSaveAs);
    }
}
