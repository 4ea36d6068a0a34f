//! The studio's window, drawn with egui. It knows neither the window system (eframe) nor Burn nor
//! GStreamer: [`Window::ui`] draws into any [`egui::Ui`], a test's too.
//!
//! **Invariant:** panels never change the document. They read a `Studio` and send `Action`s.
//!
//! - [`window`]: menu bar, docked panels, dialogs.
//! - [`canvas`]: the graph.
//! - [`widgets`]: one editor per kind of parameter; [`inspector`]: all of a node's.
//! - [`plan_view`], [`queue_panel`], [`history_panel`]: before, during, after a run.
//! - [`viewer`], [`gallery`], [`models_panel`]; [`pictures`]: textures, loaded on threads.
//! - [`palette`], [`settings_window`]: commands by name, choices.
//! - [`theme`]: spacing, colours, fonts; [`titles`], [`units`]: what nodes and units
//!   are called.

// What is added to an enum is handled everywhere or does not compile.
#![cfg_attr(not(test), warn(clippy::wildcard_enum_match_arm))]

pub mod canvas;
pub mod gallery;
pub mod history_panel;
pub mod inspector;
pub mod memory;
pub mod menu;
pub mod models_panel;
pub mod palette;
pub mod pictures;
pub mod plan_view;
pub mod queue_panel;
pub mod settings_window;
pub mod theme;
pub mod titles;
pub mod units;
pub mod viewer;
pub mod widgets;
pub mod window;

use std::collections::HashSet;

use longtake_editor::{Action, Studio, Text};
use longtake_graph::NodeId;

pub use pictures::Pictures;
pub use window::{Dialogs, Told, Window};

/// What a panel draws from and sends to.
pub struct Cx<'a> {
    /// Everything there is to show.
    pub studio: &'a Studio,
    /// What the panel asks for; done after the frame is drawn.
    pub actions: &'a mut Vec<Action>,
    /// Textures.
    pub pictures: &'a mut Pictures,
    /// Nodes (lowered ids) lit by something under the mouse; the canvas draws them brighter.
    /// Gathered anew each frame by the panels, read by the canvas in the next.
    pub lit: &'a mut HashSet<NodeId>,
}

impl Cx<'_> {
    /// A text in the language of the window.
    pub fn tr(&self, text: Text) -> &'static str {
        self.studio.tr(text)
    }

    /// Asks for something.
    pub fn act(&mut self, action: Action) {
        self.actions.push(action);
    }
}
