//! Images and clips of any node.

use crate::Cx;

/// Images and clips of any node.
#[derive(Default)]
pub struct Viewer {}

impl Viewer {
    /// Draws it.
    pub fn ui(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let _ = (ui, cx);
    }
}
