//! What is done to everything selected: delete, mute, bypass, collapse, colour, title.

use std::collections::HashSet;

use longtake_graph::kind::accepts;
use longtake_graph::{Edit, Input, Link, Mode, Node, NodeId, Project};

use crate::connect::{put_link, take_link};
use crate::cycle::cycle;
use crate::draft::Draft;
use crate::language::{Text, t};
use crate::refusal::Refusal;
use crate::scene::{Scene, is_border};
use crate::selection::{Item, Selection};
use crate::studio::Studio;

const DELETE: Text = t("Delete", "削除");
const MUTE: Text = t("Mute", "ミュート");
const BYPASS: Text = t("Bypass", "バイパス");
const ACTIVATE: Text = t("Activate", "有効にする");
const COLLAPSE: Text = t("Collapse", "折りたたむ");
const EXPAND: Text = t("Expand", "展開");
const COLOUR: Text = t("Colour", "色");
const RENAME: Text = t("Rename", "名前を変える");

/// The selected nodes that may be changed: not the border of a subgraph.
pub(crate) fn chosen(graph: &Project, selection: &Selection) -> Vec<NodeId> {
    let own = |id: &&NodeId| graph.nodes.get(*id).is_some_and(|node| !is_border(node));
    selection.nodes().filter(own).cloned().collect()
}

/// Deletes what is selected. Parameters whose links go get back the literals they had. With `heal`,
/// what the deleted nodes fed is linked to what fed them, where the types agree.
pub(crate) fn delete(
    scene: &Scene<'_>,
    selection: &Selection,
    heal: bool,
) -> Result<Edit, Refusal> {
    let graph = scene.graph();
    let ids = chosen(graph, selection);
    let gone: HashSet<&NodeId> = ids.iter().collect();
    let mut draft = Draft::of(graph);
    for (id, node) in graph.nodes.iter().filter(|(id, _)| !gone.contains(id)) {
        for (name, input) in &node.inputs {
            let link = match input {
                Input::Link(link) if gone.contains(&link.node) => link,
                Input::Link(_) | Input::Literal(_) => continue,
            };
            let around = if heal { past(scene, link, &gone) } else { None };
            // A ring can come of it where a subgraph's ports do not depend on each other.
            let sound = |it: &Link| {
                it.node != *id
                    && takes(scene, node, name, it)
                    && cycle(scene, id, name, it).is_none()
            };
            match around.filter(sound) {
                Some(source) => put_link(&mut draft, id, name, source)?,
                None => take_link(&mut draft, id, name)?,
            }
        }
    }
    for id in ids.iter().cloned() {
        draft.push(Edit::TakeNode { id })?;
    }
    for item in selection.items() {
        match item.clone() {
            Item::Group(id) if graph.groups.contains_key(&id) => {
                draft.push(Edit::RemoveGroup { id })?;
            }
            Item::Note(id) if graph.notes.contains_key(&id) => {
                draft.push(Edit::RemoveNote { id })?;
            }
            // A node went above; what the graph no longer has is gone.
            Item::Node(_) | Item::Group(_) | Item::Note(_) => {}
        }
    }
    Ok(draft.finish())
}

/// Where a link comes from once the nodes `gone` pass on their first input of the same type.
fn past(scene: &Scene<'_>, link: &Link, gone: &HashSet<&NodeId>) -> Option<Link> {
    let mut link = link.clone();
    for _ in 0..=gone.len() {
        if !gone.contains(&link.node) {
            return Some(link);
        }
        let kind = scene.output_kind(&link)?;
        let node = scene.node(&link.node)?;
        let sockets = scene.shape(node).inputs;
        let linked = |name: &str| match node.inputs.get(name) {
            Some(Input::Link(link)) => Some(link.clone()),
            Some(Input::Literal(_)) | None => None,
        };
        let same = sockets.iter().filter(|it| accepts(&it.kind, &kind));
        link = same.map(|it| linked(&it.name)).find(Option::is_some)??;
    }
    None
}

fn takes(scene: &Scene<'_>, node: &Node, input: &str, from: &Link) -> bool {
    let sockets = scene.shape(node).inputs;
    let socket = sockets.into_iter().find(|it| it.name == input);
    let kinds = socket.zip(scene.output_kind(from));
    kinds.is_some_and(|(socket, kind)| accepts(&socket.kind, &kind))
}

impl Studio {
    pub(crate) fn delete_selected(&mut self, heal: bool) {
        let scene = self.session.scene(self.engine.catalog());
        let edit = delete(&scene, &self.session.selection, heal);
        self.change(DELETE, edit);
    }

    /// Mutes or bypasses what is selected; when all of it is so already, activates it.
    pub(crate) fn toggle_mode(&mut self, mode: Mode) {
        let graph = self.session.graph();
        let ids = chosen(graph, &self.session.selection);
        let all = ids.iter().all(|id| graph.nodes[id].mode == mode);
        let wanted = if all { Mode::Active } else { mode };
        let label = match wanted {
            Mode::Active => ACTIVATE,
            Mode::Mute => MUTE,
            Mode::Bypass => BYPASS,
        };
        let edits = ids.into_iter().filter(|id| graph.nodes[id].mode != wanted);
        let edits = edits.map(|id| Edit::SetMode { id, mode: wanted });
        let edit = Edit::Batch(edits.collect());
        self.change(label, Ok(edit));
    }

    /// Collapses what is selected; when all of it is, expands it.
    pub(crate) fn toggle_collapsed(&mut self) {
        let graph = self.session.graph();
        let ids = chosen(graph, &self.session.selection);
        let collapsed = !ids.iter().all(|id| graph.nodes[id].collapsed);
        let label = if collapsed { COLLAPSE } else { EXPAND };
        let edits = ids
            .into_iter()
            .filter(|id| graph.nodes[id].collapsed != collapsed)
            .map(|id| Edit::Collapse { id, collapsed });
        let edit = Edit::Batch(edits.collect());
        self.change(label, Ok(edit));
    }

    /// Colours the selected nodes and groups, or takes their colour away.
    pub(crate) fn colour_selected(&mut self, colour: Option<&str>) {
        let graph = self.session.graph();
        let colour = colour.map(str::to_owned);
        let mut edits = Vec::new();
        for id in chosen(graph, &self.session.selection) {
            if graph.nodes[&id].colour != colour {
                let colour = colour.clone();
                edits.push(Edit::Colour { id, colour });
            }
        }
        for item in self.session.selection.items() {
            let Item::Group(id) = item else { continue };
            let Some(group) = graph.groups.get(id).filter(|it| it.colour != colour) else {
                continue;
            };
            let mut group = group.clone();
            group.colour.clone_from(&colour);
            edits.push(Edit::SetGroup {
                id: id.clone(),
                group,
            });
        }
        self.change(COLOUR, Ok(Edit::Batch(edits)));
    }

    /// Gives a node or group a title (none: its class's), or a note its text.
    pub(crate) fn rename(&mut self, item: &Item, title: &str) {
        let graph = self.session.graph();
        let title = title.trim();
        let edit = match item {
            Item::Node(id) => graph.nodes.get(id).map(|_| Edit::SetTitle {
                id: id.clone(),
                title: (!title.is_empty()).then(|| title.to_owned()),
            }),
            Item::Group(id) => graph.groups.get(id).cloned().map(|mut group| {
                title.clone_into(&mut group.title);
                let id = id.clone();
                Edit::SetGroup { id, group }
            }),
            Item::Note(id) => graph.notes.get(id).cloned().map(|mut note| {
                title.clone_into(&mut note.text);
                let id = id.clone();
                Edit::SetNote { id, note }
            }),
        };
        if let Some(edit) = edit {
            self.change(RENAME, Ok(edit));
        }
    }
}
