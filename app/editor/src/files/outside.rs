//! Files and folders handed over to other programs: the desktop's own for a film, its file manager.
//! On threads: a desktop may take seconds to answer.

use std::path::{Path, PathBuf};

use longtake_graph::Sentence;

use super::system::system_error;
use super::tasks::{Done, Task};
use super::{save, words};
use crate::engine::Engine;
use crate::messages::Tone;
use crate::studio::Studio;

impl Studio {
    /// Opens a file with the program that the desktop has for it.
    pub(crate) fn open_outside(&mut self, path: PathBuf) {
        // Some programs take seconds to show themselves.
        let told = words::HANDED_OVER.with(self.language(), &[&save::shown(&path)]);
        self.messages.tell(Tone::Note, told);
        self.hand_over(path, |engine, path| engine.open_outside(path));
    }

    /// Shows a file in its folder.
    pub(crate) fn show_in_folder(&mut self, path: PathBuf) {
        self.hand_over(path, |engine, path| engine.show_in_folder(path));
    }

    /// Shows a folder.
    pub(crate) fn show_folder(&mut self, path: PathBuf) {
        self.hand_over(path, |engine, path| engine.open_outside(path));
    }

    fn hand_over(&mut self, path: PathBuf, how: fn(&dyn Engine, &Path) -> Result<(), Sentence>) {
        let (engine, to) = (self.engine.clone(), path.clone());
        let work = move || Done::Outside(how(&*engine, &to));
        if let Err(error) = self.files.tasks.start(Task::Outside, work) {
            self.no_thread(&path, &error);
        }
    }

    /// Tells of an error in the language of the window.
    pub(crate) fn tell_error(&mut self, error: &Sentence) {
        let text = self.language().sentence(error).to_owned();
        self.messages.error(text);
    }

    /// Tells that the system gave no thread for something about a file.
    pub(super) fn no_thread(&mut self, path: &Path, error: &std::io::Error) {
        let (language, why) = (self.language(), system_error(error));
        let values = [&*path.display().to_string(), language.sentence(&why)];
        let text = words::NO_THREAD.with(language, &values);
        self.messages.error(text);
    }
}
