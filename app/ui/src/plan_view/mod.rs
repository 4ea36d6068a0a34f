//! The compiled plan as a table and a chart.

use crate::Cx;

/// The compiled plan as a table and a chart.
#[derive(Default)]
pub struct PlanView {}

impl PlanView {
    /// Draws it.
    pub fn ui(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let _ = (ui, cx);
    }
}
