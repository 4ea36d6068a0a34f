//! One open document: the project, its history, what is selected, which subgraph is open.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use longtake_graph::{Catalog, Edit, EditError, NodeId, Project};

use crate::history::{History, Unit};
use crate::language::Text;
use crate::scene::Scene;
use crate::selection::Selection;
use crate::shape;

/// An instance that was entered: the node and the subgraph it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// The instance, in the graph around it.
    pub instance: NodeId,
    /// Key of the definition.
    pub subgraph: String,
}

/// One open document.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// The whole document. Shared with the compiler's thread, hence counted.
    project: Arc<Project>,
    /// Undo and redo.
    history: History,
    /// What is selected in the open graph.
    pub selection: Selection,
    /// Instances entered, outermost first; empty: the root graph is open.
    scope: Vec<Entered>,
    /// The file, once it has one.
    pub path: Option<PathBuf>,
    /// [`History::state`] of what the file holds.
    saved: u64,
    /// Rises with every change, undo and redo too.
    revision: u64,
    /// Rises with every change of what runs.
    meaning: u64,
    /// The revision it began with: older ones were another document's.
    first: u64,
    /// Tells this document from those open before it.
    opened: u64,
}

/// How many documents were opened.
static OPENED: AtomicU64 = AtomicU64::new(1);

impl Session {
    /// A document just read, or a new one.
    pub fn new(project: Project, path: Option<PathBuf>) -> Self {
        Self {
            project: Arc::new(project),
            path,
            opened: OPENED.fetch_add(1, Ordering::Relaxed),
            ..Self::default()
        }
    }

    /// This document in the place of `old`: revisions go on rising, so that nothing made for the old
    /// one (its plan, its autosave) is taken for this one's.
    #[must_use]
    pub fn after(mut self, old: &Self) -> Self {
        self.revision = old.revision + 1;
        self.meaning = old.meaning + 1;
        self.first = self.revision;
        self
    }

    /// A number of this opening of a document: another one, another document (or the same anew).
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// Whether what was made for a revision was made for this document.
    pub fn owns(&self, revision: u64) -> bool {
        revision >= self.first
    }

    /// The whole document.
    pub fn project(&self) -> &Arc<Project> {
        &self.project
    }

    /// The graph that is open: the root's, or the entered subgraph's.
    pub fn graph(&self) -> &Project {
        self.scope
            .last()
            .and_then(|entered| self.project.subgraphs.get(&entered.subgraph))
            .map_or(&*self.project, |subgraph| &subgraph.graph)
    }

    /// The open graph with what is needed to understand it.
    pub fn scene<'a>(&'a self, catalog: &'a dyn Catalog) -> Scene<'a> {
        Scene {
            root: &self.project,
            scope: self.subgraph(),
            catalog,
        }
    }

    /// Instances entered, outermost first.
    pub fn scope(&self) -> &[Entered] {
        &self.scope
    }

    /// Key of the open subgraph; `None` at the root.
    pub fn subgraph(&self) -> Option<&str> {
        self.scope.last().map(|entered| entered.subgraph.as_str())
    }

    /// Opens the graph of an instance in the open graph. False when the node is no instance.
    pub fn enter(&mut self, instance: &NodeId) -> bool {
        let Some(node) = self.graph().nodes.get(instance) else {
            return false;
        };
        let subgraph = node.class.clone();
        if !self.project.subgraphs.contains_key(&subgraph) {
            return false;
        }
        self.settle();
        self.scope.push(Entered {
            instance: instance.clone(),
            subgraph,
        });
        self.selection.clear();
        true
    }

    /// Goes back out until `depth` instances are entered.
    pub fn leave_to(&mut self, depth: usize) {
        if depth < self.scope.len() {
            self.settle();
            let left = self.scope[depth].instance.clone();
            self.scope.truncate(depth);
            self.selection.clear();
            self.selection.only(crate::selection::Item::Node(left));
            self.selection.keep_existing(&self.graph().clone());
        }
    }

    /// The id a node of the open graph has in plans, findings and statuses.
    pub fn flat_id(&self, id: &NodeId) -> NodeId {
        let scope: Vec<NodeId> = self.scope.iter().map(|it| it.instance.clone()).collect();
        shape::flat_id(&scope, id)
    }

    /// Applies an edit of the open graph as one undo unit.
    ///
    /// # Errors
    /// The edit does not fit; nothing changed.
    pub fn edit(&mut self, label: Text, edit: Edit) -> Result<(), EditError> {
        let edit = self.scoped(edit);
        let looks = edit.only_looks();
        let project = Arc::make_mut(&mut self.project);
        self.history.edit(project, label, edit)?;
        self.changed(looks);
        Ok(())
    }

    /// Applies an edit of the open graph within the interaction `label`.
    ///
    /// # Errors
    /// As [`Self::edit`].
    pub fn live(&mut self, label: Text, edit: Edit) -> Result<(), EditError> {
        let edit = self.scoped(edit);
        let looks = edit.only_looks();
        let project = Arc::make_mut(&mut self.project);
        self.history.live(project, label, edit)?;
        self.changed(looks);
        Ok(())
    }

    /// Applies an edit of the whole document (subgraph definitions) as one undo unit. Inside, wrap
    /// edits of the open graph by [`Self::scoped`].
    ///
    /// # Errors
    /// As [`Self::edit`].
    pub fn edit_root(&mut self, label: Text, edit: Edit) -> Result<(), EditError> {
        let looks = edit.only_looks();
        let project = Arc::make_mut(&mut self.project);
        self.history.edit(project, label, edit)?;
        self.changed(looks);
        Ok(())
    }

    /// Places things of a document just opened, as if its file had said so: nothing to undo, nothing
    /// to save.
    pub(crate) fn place(&mut self, edit: Edit) {
        let edit = self.scoped(edit);
        let looks = edit.only_looks();
        if longtake_graph::apply(Arc::make_mut(&mut self.project), edit).is_ok() {
            self.changed(looks);
        }
    }

    /// An edit of the open graph as an edit of the whole document.
    pub fn scoped(&self, edit: Edit) -> Edit {
        match self.subgraph() {
            None => edit,
            Some(subgraph) => Edit::Within {
                subgraph: subgraph.to_owned(),
                edit: Box::new(edit),
            },
        }
    }

    /// Ends an interaction.
    pub fn settle(&mut self) {
        self.history.settle();
    }

    /// Takes back the newest unit; says which.
    pub fn undo(&mut self) -> Option<Text> {
        let looks = self.history.done().last().is_some_and(Unit::only_looks);
        let label = self.history.undo(Arc::make_mut(&mut self.project))?;
        self.changed(looks);
        Some(label)
    }

    /// Does again what was taken back last; says which.
    pub fn redo(&mut self) -> Option<Text> {
        let looks = self.history.undone().last().is_some_and(Unit::only_looks);
        let label = self.history.redo(Arc::make_mut(&mut self.project))?;
        self.changed(looks);
        Some(label)
    }

    /// Undo and redo, for the history panel.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Rises with every change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Another one, and a plan made before may no longer hold. It stays when nodes are moved, named
    /// or coloured.
    pub fn meaning(&self) -> (u64, u64) {
        (self.opened, self.meaning)
    }

    /// Whether the document differs from its file.
    pub fn dirty(&self) -> bool {
        self.history.state() != self.saved
    }

    /// The file now holds what stood at that state.
    pub fn mark_saved(&mut self, path: PathBuf, state: u64) {
        self.path = Some(path);
        self.saved = state;
    }

    /// The document never was in a file as it stands (recovered work): it counts as changed.
    pub fn mark_unsaved(&mut self) {
        self.saved = u64::MAX;
    }

    /// Names the document: its title, its file, or nothing.
    pub fn name(&self) -> Option<String> {
        let file = self.path.as_ref().and_then(|path| path.file_stem());
        match self.project.title.as_str() {
            "" => file.map(|stem| stem.to_string_lossy().into_owned()),
            title => Some(title.to_owned()),
        }
    }

    /// After a change: what is gone is neither selected nor entered.
    fn changed(&mut self, only_looks: bool) {
        self.revision += 1;
        self.meaning += u64::from(!only_looks);
        let mut depth = 0;
        let mut graph = &*self.project;
        for entered in &self.scope {
            let still = graph.nodes.get(&entered.instance);
            match self.project.subgraphs.get(&entered.subgraph) {
                Some(inner) if still.is_some_and(|it| it.class == entered.subgraph) => {
                    graph = &inner.graph;
                }
                _ => break,
            }
            depth += 1;
        }
        self.scope.truncate(depth);
        let mut selection = std::mem::take(&mut self.selection);
        selection.keep_existing(self.graph());
        self.selection = selection;
    }
}
