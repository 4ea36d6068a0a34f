//! Language, theme, scale and keys.

use crate::Cx;

/// Language, theme, scale and keys.
#[derive(Default)]
pub struct SettingsWindow {}

impl SettingsWindow {
    /// Draws it.
    pub fn ui(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let _ = (ui, cx);
    }
}
