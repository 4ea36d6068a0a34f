//! Every command by name.

use crate::Cx;

/// Every command by name.
#[derive(Default)]
pub struct Palette {}

impl Palette {
    /// Draws it.
    pub fn ui(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let _ = (ui, cx);
    }
}
