//! Everything about what is selected: the focused node, group or note, several nodes, or the
//! document.
//!
//! - [`node`]: one node; [`facts`]: what is known of it before, during and after a run.
//! - [`many`]: several nodes together; [`rest`]: groups, notes, nothing.

mod facts;
mod many;
mod node;
mod parts;
mod rest;
#[cfg(test)]
mod tests;

use longtake_editor::Item;
use longtake_graph::NodeId;

use crate::Cx;
use crate::theme::UNIT;

/// Everything about what is selected.
#[derive(Default)]
pub struct Inspector {}

impl Inspector {
    /// Draws it.
    pub fn ui(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        // Another thing begins at its top.
        let focus = cx.studio.session.selection.focus().cloned();
        egui::ScrollArea::vertical()
            .id_salt(focus)
            .auto_shrink(false)
            .show(ui, |ui| {
                let margin = egui::Margin::symmetric(3 * UNIT as i8, 2 * UNIT as i8);
                egui::Frame::NONE.inner_margin(margin).show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    selected_ui(ui, cx);
                });
            });
    }
}

fn selected_ui(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let selection = &cx.studio.session.selection;
    let nodes: Vec<NodeId> = selection.nodes().cloned().collect();
    match (selection.focus().cloned(), nodes.len()) {
        (Some(_), 2..) => many::nodes_ui(ui, cx, &nodes),
        (Some(Item::Node(id)), _) => node::node_ui(ui, cx, &id),
        (Some(Item::Group(id)), _) => rest::group_ui(ui, cx, &id),
        (Some(Item::Note(id)), _) => rest::note_ui(ui, cx, &id),
        (None, _) => rest::nothing_ui(ui, cx),
    }
}
