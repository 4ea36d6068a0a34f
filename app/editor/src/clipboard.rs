//! Copy, cut, paste, duplicate. What is copied is the text of a project with the copied nodes and
//! the subgraphs they use, so that it survives between windows and programs; any text that is a
//! graph can be pasted.

use std::collections::HashSet;
use std::path::PathBuf;

use longtake_graph::{Catalog, Diagnostic, Project, read_bytes_with, say};
use serde_json::Value;

use crate::action::WindowAction;
use crate::files::Wanted;
use crate::insert::{Placement, insert};
use crate::items::{chosen, delete};
use crate::language::{Text, t};
use crate::messages::Tone;
use crate::refusal::Refusal;
use crate::scene::Scene;
use crate::selection::{Item, Selection};
use crate::studio::Studio;

const CUT: Text = t("Cut", "切り取り");
const PASTE: Text = t("Paste", "貼り付け");
const DUPLICATE: Text = t("Duplicate", "複製");
const INSERT: Text = t("Insert graph", "グラフを挿入");
const PASTED_GRAPH: Text = t("The pasted graph", "貼り付けたグラフ");
const PASTED: Text = t("Nothing was copied yet.", "まだ何もコピーされていません。");

/// The key at the top of the text that says that it is a part of a graph.
const MARK: &str = "longtake_clipboard";
/// How far a duplicate stands from what it was made of, points.
const BESIDE: [f32; 2] = [24.0, 24.0];

/// The selected part of the open graph with the definitions it uses. Links that lead out of it
/// still name what they came from.
pub fn fragment(scene: &Scene<'_>, selection: &Selection) -> Project {
    let graph = scene.graph();
    let ids: HashSet<_> = chosen(graph, selection).into_iter().collect();
    let mut part = Project::default();
    for (id, node) in graph.nodes.iter().filter(|(id, _)| ids.contains(*id)) {
        part.nodes.insert(id.clone(), node.clone());
    }
    for item in selection.items() {
        match item {
            Item::Group(id) => {
                let group = graph.groups.get(id).cloned();
                part.groups.extend(group.map(|it| (id.clone(), it)));
            }
            Item::Note(id) => {
                let note = graph.notes.get(id).cloned();
                part.notes.extend(note.map(|it| (id.clone(), it)));
            }
            Item::Node(_) => {}
        }
    }
    let mut open: Vec<&str> = part.nodes.values().map(|it| it.class.as_str()).collect();
    let mut used = HashSet::new();
    while let Some(class) = open.pop() {
        if let Some(definition) = scene.root.subgraphs.get(class)
            && used.insert(class)
        {
            open.extend(definition.graph.nodes.values().map(|it| it.class.as_str()));
        }
    }
    let definitions = scene.root.subgraphs.iter();
    let needed = definitions.filter(|(key, _)| used.contains(key.as_str()));
    let needed: Vec<_> = needed.map(|(key, it)| (key.clone(), it.clone())).collect();
    part.subgraphs.extend(needed);
    part
}

/// The text of [`fragment`]; `None` when nothing is selected.
pub fn copy(scene: &Scene<'_>, selection: &Selection) -> Option<String> {
    let mut part = fragment(scene, selection);
    if part.nodes.is_empty() && part.groups.is_empty() && part.notes.is_empty() {
        return None;
    }
    part.extra.insert(MARK.to_owned(), Value::from(1));
    Some(part.to_json())
}

/// The graph that a text holds (what was copied, or a whole project, prompt or workflow), and what
/// is strange in it.
///
/// # Errors
/// It is no graph, or an empty one.
pub fn graph_of(text: &str, catalog: &dyn Catalog) -> Result<(Project, Vec<Diagnostic>), Refusal> {
    // The values of a workflow have no names there: the classes tell which is which.
    let read = read_bytes_with("clipboard", text.as_bytes(), catalog);
    let read = read.map_err(|error| Refusal::NoGraph(error.sentence()))?;
    let mut graph = read.project;
    graph.extra.shift_remove(MARK);
    if graph.nodes.is_empty() && graph.groups.is_empty() && graph.notes.is_empty() {
        return Err(Refusal::NoGraph(say!(
            "it has no nodes, groups or notes",
            "ノードもグループもメモもありません"
        )));
    }
    Ok((graph, read.diagnostics))
}

impl Studio {
    /// Copies what is selected.
    pub(crate) fn copy(&mut self) {
        let scene = self.session.scene(self.engine.catalog());
        if let Some(text) = copy(&scene, &self.session.selection) {
            self.clipboard = Some(text.clone());
            self.window.push(WindowAction::SetClipboard(text));
        }
    }

    pub(crate) fn cut(&mut self) {
        self.copy();
        let scene = self.session.scene(self.engine.catalog());
        let edit = delete(&scene, &self.session.selection, false);
        self.change(CUT, edit);
    }

    /// Pastes what was copied last here, at the mouse: where the system's clipboard tells nothing.
    pub fn paste_last(&mut self, linked: bool) {
        match self.clipboard.clone() {
            Some(text) => self.paste(&text, linked),
            None => self.messages.tell(Tone::Note, self.tr(PASTED)),
        }
    }

    /// Pastes any text that is a graph, at the mouse.
    pub(crate) fn paste(&mut self, text: &str, linked: bool) {
        match graph_of(text, self.engine.catalog()) {
            Ok((graph, found)) => {
                self.put_graph(PASTE, graph, Placement::At(self.mouse), linked);
                self.tell_found(self.tr(PASTED_GRAPH), &found);
            }
            Err(refusal) => self.tell(Tone::Error, &refusal),
        }
    }

    pub(crate) fn duplicate(&mut self) {
        let scene = self.session.scene(self.engine.catalog());
        let part = fragment(&scene, &self.session.selection);
        self.put_graph(DUPLICATE, part, Placement::By(BESIDE), true);
    }

    /// Puts a graph (of a file that was dropped) into the open one, its top left corner at a point.
    pub fn insert_graph(&mut self, graph: Project, at: [f32; 2]) {
        self.put_graph(INSERT, graph, Placement::At(at), false);
    }

    /// Puts the graph of a file into the open one.
    pub(crate) fn insert_file(&mut self, path: PathBuf, at: [f32; 2]) {
        let opened = self.session.opened();
        self.read(path, Wanted::Part { at, opened });
    }

    fn put_graph(&mut self, label: Text, graph: Project, placement: Placement, linked: bool) {
        let scene = self.session.scene(self.engine.catalog());
        let made = insert(&scene, graph, placement, linked);
        let (edit, items) = match made {
            Ok((edit, items)) => (Ok(edit), items),
            Err(refusal) => (Err(refusal), Vec::new()),
        };
        if self.change_root(label, edit) {
            self.session.selection = Selection::of(items);
        }
    }
}
