//! Several edits made one after the other on a copy, so that each sees what those before it did;
//! then all of them as one.

use longtake_graph::{Catalog, Edit, EditError, NodeId, Project, apply};

use crate::scene::Scene;

/// A copy of a graph with the edits that were made on it.
pub struct Draft {
    whole: Project,
    /// Key of the definition whose graph is edited.
    scope: Option<String>,
    edits: Vec<Edit>,
}

impl Draft {
    /// A copy of the open graph alone; its edits are edits of that graph.
    pub fn of(graph: &Project) -> Self {
        let whole = Project {
            title: graph.title.clone(),
            nodes: graph.nodes.clone(),
            groups: graph.groups.clone(),
            notes: graph.notes.clone(),
            ..Project::default()
        };
        Self {
            whole,
            scope: None,
            edits: Vec::new(),
        }
    }

    /// A copy of the whole document; its edits are edits of the document.
    pub fn of_all(scene: &Scene<'_>) -> Self {
        Self {
            whole: scene.root.clone(),
            scope: scene.scope.map(str::to_owned),
            edits: Vec::new(),
        }
    }

    /// The open graph with the edits applied.
    pub fn graph(&self) -> &Project {
        let scope = self.scope.as_ref();
        let definition = scope.and_then(|it| self.whole.subgraphs.get(it));
        definition.map_or(&self.whole, |it| &it.graph)
    }

    /// The document with the edits applied, seen as a scene.
    pub fn scene<'a>(&'a self, catalog: &'a dyn Catalog) -> Scene<'a> {
        Scene {
            root: &self.whole,
            scope: self.scope.as_deref(),
            catalog,
        }
    }

    /// Makes an edit of the open graph.
    ///
    /// # Errors
    /// It does not fit; the draft stays as it was.
    pub fn push(&mut self, edit: Edit) -> Result<(), EditError> {
        let edit = match &self.scope {
            None => edit,
            Some(scope) => Edit::Within {
                subgraph: scope.clone(),
                edit: Box::new(edit),
            },
        };
        self.push_root(edit)
    }

    /// Makes an edit of the whole document.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn push_root(&mut self, edit: Edit) -> Result<(), EditError> {
        apply(&mut self.whole, edit.clone())?;
        self.edits.push(edit);
        Ok(())
    }

    /// Does something with another graph open.
    ///
    /// # Errors
    /// What `work` refused.
    pub fn within<E>(
        &mut self,
        scope: Option<&str>,
        work: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        let before = std::mem::replace(&mut self.scope, scope.map(str::to_owned));
        let outcome = work(self);
        self.scope = before;
        outcome
    }

    /// All edits as one.
    pub fn finish(self) -> Edit {
        Edit::Batch(self.edits)
    }
}

/// Whether an edit says nothing.
pub fn is_empty(edit: &Edit) -> bool {
    matches!(edit, Edit::Batch(edits) if edits.iter().all(is_empty))
}

/// Hands out ids that nothing has: the next whole numbers, as ComfyUI does.
pub struct Ids {
    next: u64,
}

/// Numbers beyond it are not counted on from: other programs read ids as floats.
const LARGEST: u64 = 1 << 52;

impl Ids {
    /// Ids that no node of the graph has.
    pub fn of(graph: &Project) -> Self {
        let numbers = graph.nodes.keys().filter_map(|id| id.as_str().parse().ok());
        let largest = numbers.filter(|it| *it < LARGEST).max().unwrap_or(0);
        Self { next: largest + 1 }
    }

    /// The next.
    pub fn take(&mut self) -> NodeId {
        let id = NodeId::new(self.next.to_string());
        self.next += 1;
        id
    }
}

/// A key with that beginning which is not taken: `g1`, `g2`, ….
pub fn fresh_key(prefix: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut number = 1u64;
    loop {
        let key = format!("{prefix}{number}");
        if !taken(&key) {
            return key;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Draft, Ids, fresh_key};
    use longtake_graph::{Edit, Node, NodeId, Project};

    #[test]
    fn ids_follow_the_largest_number() {
        let mut graph = Project::default();
        for id in ["3", "x", "-10", "12:4", "18446744073709551615"] {
            graph.nodes.insert(id.into(), Node::default());
        }
        let mut ids = Ids::of(&graph);
        assert_eq!([ids.take(), ids.take()], ["4".into(), NodeId::new("5")]);
        assert_eq!(fresh_key("g", |key| key == "g1"), "g2");
    }

    #[test]
    fn a_refused_edit_leaves_the_draft() {
        let mut draft = Draft::of(&Project::default());
        assert!(draft.push(Edit::RemoveNode { id: "1".into() }).is_err());
        assert_eq!(draft.finish(), Edit::Batch(Vec::new()));
    }
}
