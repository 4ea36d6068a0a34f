//! The editor without a window: one open document, its history and selection, the queue, the files.
//!
//! **Invariant:** nothing here knows egui, Burn or GStreamer. Panels read a [`Studio`] and send
//! [`Action`]s; every change of the document is an `Edit`. What the machine must do (compile, run,
//! read pictures) goes through [`engine::Engine`].
//!
//! - [`studio`]: everything the window shows; [`action`], [`command`]: what can be asked of it; `dispatch`:
//!   who does it; [`available`]: what cannot be done now, and why.
//! - [`session`], [`history`], [`selection`]: the document, undo and redo, what is selected.
//! - [`shape`]: what a node looks like; [`scene`]: the open graph with what explains it.
//! - [`connect`], [`search`], [`values`]: links, nodes to add, parameters; [`refusal`]: why not.
//! - [`planned`], [`status`], [`queue`]: before, during and after a run; [`reveal`]: to a node it speaks of.
//! - [`clipboard`], [`insert`], [`arrange`], [`subgraph`], [`seed`]: what commands do; [`draft`]: several edits as one.
//! - [`files`]: the document's file, autosave and recovery, questions before work could be lost.
//! - [`settings`], [`keys`], [`language`], [`messages`]; [`testing`]: a small machine for tests.

// What is added to an enum is handled everywhere or does not compile.
#![cfg_attr(not(test), warn(clippy::wildcard_enum_match_arm))]

pub mod action;
mod add;
pub mod arrange;
pub mod available;
pub mod clipboard;
pub mod command;
pub mod connect;
mod cycle;
mod dispatch;
pub mod draft;
pub mod engine;
pub mod files;
mod fold;
mod gallery;
mod group;
pub mod history;
pub mod insert;
mod items;
pub mod keys;
pub mod language;
pub mod messages;
pub mod planned;
mod ports;
pub mod queue;
pub mod refusal;
pub mod reveal;
pub mod scene;
pub mod search;
pub mod seed;
pub mod selection;
pub mod session;
pub mod settings;
pub mod shape;
pub mod splice;
pub mod status;
pub mod studio;

pub mod subgraph;
pub mod testing;
pub mod values;

pub use action::{Action, CanvasAction, LooseLink, Panel, ViewerAction, WindowAction};
pub use command::Command;
pub use engine::Engine;
pub use files::{Files, Places, Question};
pub use keys::Chord;
pub use language::{Language, Text, t};
pub use refusal::Refusal;
pub use scene::Scene;
pub use selection::{Item, Selection};
pub use session::Session;
pub use settings::Settings;
pub use studio::Studio;

#[cfg(test)]
mod tests;
