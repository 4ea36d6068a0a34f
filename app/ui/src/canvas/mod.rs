//! The graph on a canvas.

use crate::Cx;

/// The graph on a canvas.
#[derive(Default)]
pub struct Canvas {}

impl Canvas {
    /// Grants a wish about the view.
    pub fn wish(&mut self, wish: &longtake_editor::WindowAction, studio: &longtake_editor::Studio) {
        let _ = (wish, studio);
    }

    /// Draws it.
    pub fn ui(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let _ = (ui, cx);
    }
}
