//! What lies in the models tree and what the graph misses.

use crate::Cx;

/// What lies in the models tree and what the graph misses.
#[derive(Default)]
pub struct ModelsPanel {}

impl ModelsPanel {
    /// Draws it.
    pub fn ui(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let _ = (ui, cx);
    }
}
