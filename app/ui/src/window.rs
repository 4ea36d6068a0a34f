//! The whole window: menu bar, docked panels, dialogs, messages.

use std::collections::HashSet;
use std::path::PathBuf;

use longtake_editor::{Action, Studio};
use longtake_graph::NodeId;

use crate::canvas::Canvas;
use crate::inspector::Inspector;
use crate::{Cx, Pictures, menu, theme};

/// The desktop's dialogs. A test answers them itself.
pub trait Dialogs {
    /// A file to open; extensions that can be.
    fn open(&mut self, title: &str, extensions: &[&str]) -> Option<PathBuf>;
    /// Where to save.
    fn save(&mut self, title: &str, name: &str, extensions: &[&str]) -> Option<PathBuf>;
    /// Shows a folder in the file manager.
    fn show_folder(&mut self, path: &std::path::Path);
}

/// The window.
pub struct Window {
    /// Everything it shows.
    pub studio: Studio,
    pictures: Pictures,
    canvas: Canvas,
    inspector: Inspector,
    lit: HashSet<NodeId>,
    #[allow(dead_code)]
    dialogs: Box<dyn Dialogs>,
}

impl Window {
    /// A window of that studio.
    pub fn new(ctx: &egui::Context, studio: Studio, dialogs: Box<dyn Dialogs>) -> Self {
        theme::apply(ctx, studio.settings.theme, studio.settings.scale);
        Self {
            studio,
            pictures: Pictures::default(),
            canvas: Canvas::default(),
            inspector: Inspector::default(),
            lit: HashSet::new(),
            dialogs,
        }
    }

    /// Draws one frame and does what was asked in it.
    pub fn ui(&mut self, ui: &mut egui::Ui) {
        self.studio.tick();
        let mut actions: Vec<Action> = Vec::new();
        let mut lit = std::mem::take(&mut self.lit);
        let mut cx = Cx {
            studio: &self.studio,
            actions: &mut actions,
            pictures: &mut self.pictures,
            lit: &mut lit,
        };
        egui::Panel::top("menu").show(ui, |ui| {
            egui::MenuBar::new().ui(ui, |ui| menu::menu_ui(ui, &mut cx));
        });
        egui::Panel::right("inspector").show(ui, |ui| self.inspector.ui(ui, &mut cx));
        egui::CentralPanel::default().show(ui, |ui| self.canvas.ui(ui, &mut cx));
        self.lit = lit;
        for action in actions {
            self.studio.act(action);
        }
    }
}
