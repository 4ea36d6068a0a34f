//! Subgraphs: made of a selection, unpacked again, entered, their ports changed.

mod make;
mod ports;
mod unpack;

use std::collections::HashSet;

use longtake_graph::{Edit, Project};

pub use make::make;
pub use ports::{Side, add_port, remove_port, rename_port};
pub use unpack::unpack;

use crate::action::LooseLink;
use crate::items::chosen;
use crate::language::{Text, t};
use crate::refusal::Refusal;
use crate::selection::{Item, Selection};
use crate::studio::Studio;

const MAKE: Text = t("Make subgraph", "サブグラフにする");
const UNPACK: Text = t("Unpack subgraph", "サブグラフを展開");
const RENAME: Text = t("Rename socket", "ソケット名を変更");
const ADD_PORT: Text = t("Add socket", "ソケットを追加");
const REMOVE_PORT: Text = t("Remove socket", "ソケットを削除");
const REMOVE_UNUSED: Text = t("Remove unused subgraphs", "未使用のサブグラフを削除");
/// What a new subgraph is called.
const TITLE: Text = t("Subgraph", "サブグラフ");

/// Definitions that no instance uses, at any depth. They are kept until a person removes them: one
/// can be added again from the node search.
pub fn unused(root: &Project) -> Vec<String> {
    let mut used = HashSet::new();
    let mut open: Vec<&Project> = vec![root];
    while let Some(graph) = open.pop() {
        for node in graph.nodes.values() {
            if let Some(definition) = root.subgraphs.get(&node.class)
                && used.insert(node.class.as_str())
            {
                open.push(&definition.graph);
            }
        }
    }
    let keys = root.subgraphs.keys();
    keys.filter(|key| !used.contains(key.as_str()))
        .cloned()
        .collect()
}

impl Studio {
    pub(crate) fn make_subgraph(&mut self) {
        let scene = self.session.scene(self.engine.catalog());
        let rect = |id| self.rect(&Item::Node(id)).unwrap_or_default();
        let made = make(&scene, &self.session.selection, self.tr(TITLE), rect);
        let (edit, id) = match made {
            Ok((edit, id)) => (Ok(edit), Some(id)),
            Err(refusal) => (Err(refusal), None),
        };
        if self.change_root(MAKE, edit) {
            self.session.selection = Selection::of(id.map(Item::Node));
        }
    }

    /// Unpacks every selected instance.
    pub(crate) fn unpack_subgraphs(&mut self) {
        let scene = self.session.scene(self.engine.catalog());
        let ids = chosen(scene.graph(), &self.session.selection);
        let (edit, items) = match unpack(&scene, &ids, |id| self.size(id)) {
            Ok((edit, items)) => (Ok(edit), items),
            Err(refusal) => (Err(refusal), Vec::new()),
        };
        if self.change_root(UNPACK, edit) {
            self.session.selection = Selection::of(items);
        }
    }

    pub(crate) fn enter_focused(&mut self) {
        if let Some(id) = self.session.selection.focus_node().cloned() {
            self.session.enter(&id);
        }
    }

    pub(crate) fn rename_port(&mut self, side: Side, index: usize, label: &str) {
        let edit = rename_port(&self.session, side, index, label);
        self.change_root(RENAME, edit);
    }

    pub(crate) fn add_port(&mut self, end: &LooseLink) {
        let scene = self.session.scene(self.engine.catalog());
        let edit = add_port(&scene, end);
        self.change_root(ADD_PORT, edit);
    }

    pub(crate) fn remove_port(&mut self, side: Side, index: usize) {
        let scene = self.session.scene(self.engine.catalog());
        let edit = remove_port(&scene, side, index);
        self.change_root(REMOVE_PORT, edit);
    }

    pub(crate) fn remove_unused(&mut self) {
        let unused = unused(self.session.project());
        if unused.is_empty() {
            self.change_root(REMOVE_UNUSED, Err(Refusal::NothingSelected));
            return;
        }
        let edits = unused.into_iter().map(|id| Edit::RemoveSubgraph { id });
        let edit = Edit::Batch(edits.collect());
        self.change_root(REMOVE_UNUSED, Ok(edit));
    }
}
