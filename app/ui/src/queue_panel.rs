//! The queue and what became of its jobs.

use crate::Cx;

/// The queue and what became of its jobs.
#[derive(Default)]
pub struct QueuePanel {}

impl QueuePanel {
    /// Draws it.
    pub fn ui(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let _ = (ui, cx);
    }
}
