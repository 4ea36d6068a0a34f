//! The graph on a canvas.

use crate::Cx;

/// The graph on a canvas.
#[derive(Default)]
pub struct Canvas {}

impl Canvas {
    /// Draws it.
    pub fn ui(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let _ = (ui, cx);
    }
}
