//! New, open, save, export, quit, and what was answered.

use std::path::{Path, PathBuf};

use longtake_graph::{Format, format};

use super::question::{Next, Question, Then};
use super::stamp::{OnDisk, Stamp};
use super::{Holder, save, words};
use crate::action::WindowAction;
use crate::messages::Tone;
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
            None => {
                self.write(&named, next);
            }
        }
    }

    /// Writes the prompt JSON of the document.
    pub(crate) fn file_export(&mut self, path: &Path) {
        let path = save::prompt_name(path);
        let language = self.language();
        let own = self.session.path.as_deref().map(save::canonical);
        if own.is_some_and(|it| it == save::canonical(&path)) {
            let path = path.display().to_string();
            let error = words::EXPORT_ONTO_ITSELF.with(language, &[&path]);
            return self.messages.error(error);
        }
        let project = self.session.project();
        let (text, left_out) = format::to_text(project, Format::Prompt, self.engine.catalog());
        if let Err(error) = format::replace(&path, text.as_bytes()) {
            return self
                .messages
                .error(save::not_saved(&path, &error, language));
        }
        let done = words::EXPORTED.with(language, &[&save::shown(&path)]);
        self.messages.tell(Tone::Good, done);
        for finding in left_out {
            let note = words::LEFT_OUT.with(language, &[&finding.to_string()]);
            self.messages.tell(Tone::Note, note);
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
            Then::Overwrite(path, next) => {
                self.write(&path, next);
            }
            Then::SaveAs(next) => self.ask_name(next),
            Then::Lose(next) => self.go(next),
            Then::Recover(id) => self.recover(&id),
            Then::KeepRecovery => self.files.found.clear(),
            Then::DropRecovery => self.drop_recovery(),
        }
    }

    /// Once per frame: autosave, settings, what could not be kept.
    pub(crate) fn files_tick(&mut self) {
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
            let values = [path.as_str(), &failed.error.to_string()];
            let error = words::OWN_FILE_FAILED.with(self.language(), &values);
            self.messages.error(error);
        }
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

    fn ask_name(&mut self, next: Next) {
        self.files.after_name = next;
        self.window.push(WindowAction::AskSaveAs);
    }

    /// Saves where the document belongs, unless that would lose someone's work.
    fn save(&mut self, next: Next) {
        self.session.settle();
        let Some(path) = self.session.path.clone() else {
            return self.ask_name(next);
        };
        // The other window may be closed by now.
        self.files.lock(&path);
        let on_disk = self.files.stamp.as_ref().map(|it| it.compare(&path));
        match (on_disk, self.files.elsewhere) {
            (Some(OnDisk::Changed), _) => self.ask_changed(path, next),
            (_, Some(holder)) => self.ask_elsewhere(path, holder, next),
            (Some(OnDisk::Gone), None) => {
                let note = words::WAS_GONE.with(self.language(), &[&save::shown(&path)]);
                if self.write(&path, next) {
                    self.messages.tell(Tone::Note, note);
                }
            }
            (Some(OnDisk::Same) | None, None) => {
                self.write(&path, next);
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

    fn ask_elsewhere(&mut self, path: PathBuf, holder: Holder, next: Next) {
        let values = [path.display().to_string(), self.process(holder)];
        let text = words::ELSEWHERE_TEXT.with(self.language(), &[&values[0], &values[1]]);
        let question = Question::new(self.tr(words::ELSEWHERE), text)
            .choice(self.tr(words::SAVE_AS), Then::SaveAs(next.clone()))
            .choice(self.tr(words::SAVE_ANYWAY), Then::Overwrite(path, next))
            .safe(self.tr(words::CANCEL), Then::Stay);
        self.ask(question);
    }

    /// Writes the document there, then goes on. On an error nothing is lost, and nothing goes on.
    fn write(&mut self, path: &Path, next: Next) -> bool {
        let text = format::project::to_text(self.session.project());
        if let Err(error) = format::replace(path, text.as_bytes()) {
            let error = save::not_saved(path, &error, self.language());
            self.messages.error(error);
            return false;
        }
        let path = save::canonical(path);
        let state = self.session.history().state();
        self.session.mark_saved(path.clone(), state);
        self.files.stamp = Some(Stamp::written(text.as_bytes()));
        self.files.suggested = None;
        self.files.lock(&path);
        self.files.remember(&path);
        self.files.recovered();
        let done = words::SAVED.with(self.language(), &[&save::shown(&path)]);
        self.messages.tell(Tone::Good, done);
        self.go(next);
        true
    }
}
