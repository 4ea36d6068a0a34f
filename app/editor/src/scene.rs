//! The open graph with what is needed to understand it: the definitions around it, the classes.

use longtake_graph::{Catalog, Link, Node, NodeId, Project, Subgraph};

use crate::language::Language;
use crate::refusal::Refusal;
use crate::shape::{InputShape, Origin, Shape};

/// The open graph, seen with its document and the catalog.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The whole document.
    pub root: &'a Project,
    /// Key of the subgraph that is open; `None` at the root.
    pub scope: Option<&'a str>,
    /// Every class.
    pub catalog: &'a dyn Catalog,
}

impl<'a> Scene<'a> {
    /// The open graph.
    pub fn graph(&self) -> &'a Project {
        self.definition()
            .map_or(self.root, |definition| &definition.graph)
    }

    /// The definition whose graph is open.
    pub fn definition(&self) -> Option<&'a Subgraph> {
        self.root.subgraphs.get(self.scope?)
    }

    /// The same document with another graph open.
    #[must_use]
    pub fn within(&self, scope: &'a str) -> Self {
        Self {
            scope: Some(scope),
            ..*self
        }
    }

    /// A node of the open graph.
    pub fn node(&self, id: &NodeId) -> Option<&'a Node> {
        self.graph().nodes.get(id)
    }

    /// The sockets of a node of the open graph.
    pub fn shape(&self, node: &Node) -> Shape {
        Shape::of(self.root, self.scope, node, self.catalog, Language::En)
    }

    /// The input of a node of that name.
    ///
    /// # Errors
    /// The node or the input is gone.
    pub fn input(&self, node: &NodeId, input: &str) -> Result<InputShape, Refusal> {
        let gone = || Refusal::NoNode(node.clone());
        let sockets = self.shape(self.node(node).ok_or_else(gone)?).inputs;
        let socket = sockets.into_iter().find(|it| it.name == input);
        socket.ok_or_else(|| Refusal::NoInput {
            node: node.clone(),
            input: input.to_owned(),
        })
    }

    /// What an output carries; `*` where nobody can tell. `None` when there is no such output.
    pub fn output_kind(&self, link: &Link) -> Option<String> {
        let shape = self.shape(self.node(&link.node)?);
        match shape.outputs.into_iter().nth(link.output as usize) {
            Some(output) => Some(output.kind),
            None => matches!(shape.origin, Origin::Unknown).then(|| "*".to_owned()),
        }
    }

    /// A node as a person names it in a message: its title, and its id.
    pub fn name(&self, id: &NodeId, language: Language) -> String {
        match self.node(id) {
            Some(node) => {
                let shape = Shape::of(self.root, self.scope, node, self.catalog, language);
                format!("{} ({id})", crate::shape::title(node, &shape))
            }
            None => id.to_string(),
        }
    }

    /// Whether an instance of `class` in the open graph would put a subgraph into itself.
    pub fn would_contain_itself(&self, class: &str) -> bool {
        self.scope
            .is_some_and(|scope| contains(self.root, class, scope))
    }
}

/// Whether the definition `outer` is `inner`, or uses it at any depth.
pub fn contains(root: &Project, outer: &str, inner: &str) -> bool {
    let mut seen = std::collections::HashSet::new();
    let mut open = vec![outer];
    while let Some(class) = open.pop() {
        if class == inner {
            return true;
        }
        if let Some(definition) = root.subgraphs.get(class)
            && seen.insert(class)
        {
            open.extend(definition.graph.nodes.values().map(|it| it.class.as_str()));
        }
    }
    false
}

/// Whether a node stands for the ports of the open subgraph. It is neither copied nor deleted.
pub fn is_border(node: &Node) -> bool {
    matches!(
        node.class.as_str(),
        Subgraph::INPUT_CLASS | Subgraph::OUTPUT_CLASS
    )
}
