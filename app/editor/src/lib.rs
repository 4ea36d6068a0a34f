//! The editor without a window: one open document, its history and selection, the queue, the files.
//!
//! **Invariant:** nothing here knows egui, Burn or GStreamer. Panels read a [`Studio`] and send
//! [`Action`]s; every change of the document is an `Edit`. What the machine must do (compile, run,
//! read pictures) goes through [`engine::Engine`].
//!
//! - [`studio`]: everything the window shows; [`action`], [`command`]: what can be asked of it.
//! - [`session`], [`history`], [`selection`]: the document, undo and redo, what is selected.
//! - [`shape`]: what a node looks like.
//! - [`planned`], [`status`], [`queue`]: before, during and after a run.
//! - [`files`]: the document's file, autosave and recovery, questions before work could be lost.
//! - [`settings`], [`keys`], [`language`], [`messages`]; [`testing`]: a small machine for tests.

pub mod action;
pub mod command;
pub mod engine;
pub mod files;
pub mod history;
pub mod keys;
pub mod language;
pub mod messages;
pub mod planned;
pub mod queue;
pub mod selection;
pub mod session;
pub mod settings;
pub mod shape;
pub mod status;
pub mod studio;
pub mod testing;

pub use action::{Action, LooseLink, WindowAction};
pub use command::Command;
pub use engine::Engine;
pub use files::{Files, Places, Question};
pub use keys::Chord;
pub use language::{Language, Text, t};
pub use selection::{Item, Selection};
pub use session::Session;
pub use settings::Settings;
pub use studio::Studio;
