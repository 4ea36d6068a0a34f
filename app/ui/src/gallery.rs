//! The presets, with pictures.

use crate::Cx;

/// The presets, with pictures.
#[derive(Default)]
pub struct Gallery {}

impl Gallery {
    /// Draws it.
    pub fn ui(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let _ = (ui, cx);
    }
}
