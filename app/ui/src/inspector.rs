//! Everything about the focused node, group or note.

use crate::Cx;

/// Everything about the focused node, group or note.
#[derive(Default)]
pub struct Inspector {}

impl Inspector {
    /// Draws it.
    pub fn ui(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let _ = (ui, cx);
    }
}
