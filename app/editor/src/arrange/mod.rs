//! Placing what is selected: aligned, at equal distances, in columns along the links.

mod align;
mod crossings;
pub mod layout;
mod levels;
mod untangle;

use longtake_graph::{Edit, Project};

pub use align::{Align, align, distribute};

use crate::language::{Text, t};
use crate::selection::Item;
use crate::studio::Studio;

const ALIGN: Text = t("Align", "整列");
const DISTRIBUTE: Text = t("Distribute", "等間隔に配置");
const LAYOUT: Text = t("Auto-layout", "自動レイアウト");

/// Something that can be moved: what it is and where, `[x, y, width, height]`.
pub type Placed = (Item, [f32; 4]);

/// The edits that move things to new corners; what stays makes no edit.
pub(crate) fn moves(graph: &Project, corners: impl IntoIterator<Item = (Item, [f32; 2])>) -> Edit {
    let mut edits = Vec::new();
    for (item, [x, y]) in corners {
        match item {
            Item::Node(id) => {
                let pos = Some([x, y]);
                if graph.nodes.get(&id).is_some_and(|node| node.pos != pos) {
                    edits.push(Edit::Move { id, pos });
                }
            }
            Item::Group(id) => {
                if let Some(mut group) = graph.groups.get(&id).cloned()
                    && group.bounds[..2] != [x, y]
                {
                    group.bounds[..2].copy_from_slice(&[x, y]);
                    edits.push(Edit::SetGroup { id, group });
                }
            }
            Item::Note(id) => {
                if let Some(mut note) = graph.notes.get(&id).cloned()
                    && note.bounds[..2] != [x, y]
                {
                    note.bounds[..2].copy_from_slice(&[x, y]);
                    edits.push(Edit::SetNote { id, note });
                }
            }
        }
    }
    Edit::Batch(edits)
}

impl Studio {
    /// The selected nodes and notes. A group stays: it is a frame around nodes, not a thing beside
    /// them.
    fn placed(&self) -> Vec<Placed> {
        let items = self.session.selection.items();
        let items = items.filter(|item| !matches!(item, Item::Group(_)));
        items
            .filter_map(|item| Some((item.clone(), self.rect(item)?)))
            .collect()
    }

    pub(crate) fn align_selected(&mut self, how: Align) {
        let corners = align(&self.placed(), how);
        let edit = moves(self.session.graph(), corners);
        self.change(ALIGN, Ok(edit));
    }

    pub(crate) fn distribute_selected(&mut self, down: bool) {
        let corners = distribute(&self.placed(), down);
        let edit = moves(self.session.graph(), corners);
        self.change(DISTRIBUTE, Ok(edit));
    }

    /// Lays out the selected nodes, or all when fewer than two are selected.
    pub(crate) fn auto_layout(&mut self) {
        let graph = self.session.graph();
        let selection = &self.session.selection;
        let some = selection.nodes().count() > 1;
        let wanted = |id: &&longtake_graph::NodeId| !some || selection.has_node(id);
        let ids: Vec<_> = graph.nodes.keys().filter(wanted).cloned().collect();
        let rect = |id| self.rect(&Item::Node(id)).unwrap_or_default();
        let edit = layout::layout(graph, &ids, rect);
        self.change(LAYOUT, Ok(edit));
    }
}
