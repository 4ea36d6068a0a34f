//! Questions: what must be decided by a person before work could be lost. The window shows
//! `Studio::question` as a modal and answers by `Action::Answer`.

use std::path::PathBuf;
use std::sync::Arc;

use longtake_graph::Project;

use super::opening::Loaded;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// In a few words.
    pub title: String,
    /// What happened and what each choice does.
    pub text: String,
    /// What can be chosen, in the order of the buttons.
    pub choices: Vec<Choice>,
    /// The choice of Enter; drawn as the main button.
    pub main: usize,
    /// The choice of Escape and of closing the question. It loses nothing.
    pub safe: usize,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Choice {
    /// On the button.
    pub label: String,
    /// Something is lost by it: drawn apart.
    pub risky: bool,
    /// What follows.
    pub(crate) then: Then,
}

/// What follows an answer.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    /// Nothing.
    Stay,
    /// Saves, then goes on.
    Save(Next),
    /// Saves whatever stands on the disk, then goes on.
    Overwrite(PathBuf, Next),
    /// Asks for a name, saves, then goes on.
    SaveAs(Next),
    /// Asks for a name to export under.
    ExportAs,
    /// Exports there, whatever stands on the disk.
    Export(PathBuf),
    /// Goes on; unsaved changes are lost.
    Lose(Next),
    /// Opens what a dead session left.
    Recover(String),
    /// Keeps what dead sessions left for the next start.
    KeepRecovery,
    /// Deletes what dead sessions left.
    DropRecovery,
}

/// What a person was about to do when a question came in between.
#[derive(Clone, Debug, Default)]
pub(crate) enum Next {
    /// Nothing further.
    #[default]
    Stay,
    /// An empty document.
    New,
    /// The document of a file.
    Open(PathBuf),
    /// The same, once it is read.
    Loaded(Arc<Loaded>),
    /// A document from elsewhere (a preset, a job), with the name to suggest.
    Show(Arc<Project>, Option<String>),
    /// The end.
    Quit,
}

impl Question {
    /// A question without choices, yet.
    pub(crate) fn new(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            text: text.into(),
            choices: Vec::new(),
            main: 0,
            safe: 0,
        }
    }

    /// Adds a choice.
    pub(crate) fn choice(mut self, label: impl Into<String>, then: Then) -> Self {
        let risky = matches!(
            then,
            Then::Overwrite(..) | Then::Export(_) | Then::Lose(_) | Then::DropRecovery
        );
        self.choices.push(Choice {
            label: label.into(),
            risky,
            then,
        });
        self
    }

    /// Adds the choice that loses nothing, the last.
    pub(crate) fn safe(mut self, label: impl Into<String>, then: Then) -> Self {
        self.safe = self.choices.len();
        self.choice(label, then)
    }
}
