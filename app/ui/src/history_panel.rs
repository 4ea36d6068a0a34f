//! What was done, to go back to.

use crate::Cx;

/// What was done, to go back to.
#[derive(Default)]
pub struct HistoryPanel {}

impl HistoryPanel {
    /// Draws it.
    pub fn ui(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let _ = (ui, cx);
    }
}
