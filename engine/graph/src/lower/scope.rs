//! The tree of instances: one scope for the root and one for each instance that is expanded.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{MAX_BYTES, MAX_LEVELS, MAX_NODES, Reason};
use crate::document::REROUTE;
use crate::literal::shorten;
use crate::{Diagnostic, Input, Mode, Node, NodeId, Place, Project, Subgraph, say};

/// What becomes of a node.
pub enum Role<'a> {
    /// It stands in the lowered project.
    Plain,
    /// It stands there for the links that end at it: a muted reroute or instance, or an instance
    /// that cannot be expanded.
    Kept,
    /// An instance that is bypassed.
    Bypassed(&'a Subgraph),
    /// An instance, expanded into that scope.
    Instance(usize),
    /// A bend in a link.
    Reroute,
    /// The input ports of the definition.
    Inputs,
    /// The output ports of the definition.
    Outputs,
}

/// The root, or one instance. Nodes are named by their index in `graph`.
pub struct Scope<'a> {
    pub graph: &'a Project,
    /// Id and definition; `None` at the root.
    pub definition: Option<(&'a str, &'a Subgraph)>,
    /// The scope that holds the instance, and the instance's index there.
    pub outer: Option<(usize, usize)>,
    /// Ids in the lowered project.
    pub ids: Vec<NodeId>,
    pub roles: Vec<Role<'a>>,
    /// The node of the output ports.
    pub outputs: Option<usize>,
}

/// All scopes, outer ones first.
pub struct Expansion<'a> {
    project: &'a Project,
    pub scopes: Vec<Scope<'a>>,
    pub found: Vec<Diagnostic>,
    /// Text that expansion adds.
    pub bytes: usize,
    nodes: usize,
    full: bool,
    /// Ids in use. They meet only where a person's own id has a colon.
    taken: HashSet<NodeId>,
    sizes: HashMap<&'a str, Size>,
    /// Places in definitions that were reported; each instance of them has the same fault.
    said: HashSet<(&'a str, usize)>,
}

#[derive(Clone, Copy)]
struct Size {
    nodes: usize,
    /// Text of ids, which get longer with each level.
    ids: usize,
    bytes: usize,
}

impl<'a> Expansion<'a> {
    /// Expands every active instance.
    pub fn of(project: &'a Project) -> Self {
        let root = Scope {
            graph: project,
            definition: None,
            outer: None,
            ids: project.nodes.keys().cloned().collect(),
            roles: Vec::new(),
            outputs: None,
        };
        let mut it = Self {
            project,
            taken: root.ids.iter().cloned().collect(),
            scopes: vec![root],
            found: Vec::new(),
            bytes: 0,
            nodes: 0,
            full: false,
            sizes: HashMap::new(),
            said: HashSet::new(),
        };
        let mut next = 0;
        while next < it.scopes.len() {
            it.fill(next);
            next += 1;
        }
        it
    }

    /// The id that a node of a scope has when lowered; also of a node that does not exist.
    pub fn id(&self, outer: Option<(usize, usize)>, id: &NodeId) -> NodeId {
        let Some((scope, at)) = outer else {
            return id.clone();
        };
        let mut joined = format!("{}:{id}", self.scopes[scope].ids[at]);
        while self.taken.contains(joined.as_str()) {
            joined.push('~');
        }
        NodeId::new(joined)
    }

    /// What a person calls an instance's class.
    pub fn name(&self, scope: usize, at: usize) -> String {
        let class = &self.scopes[scope].graph.nodes[at].class;
        let definition = self.project.subgraphs.get(class);
        definition.map_or_else(|| class.clone(), |it| name(class, it))
    }

    fn fill(&mut self, scope: usize) {
        let graph = self.scopes[scope].graph;
        let nodes = graph.nodes.values().enumerate();
        let roles: Vec<_> = nodes.map(|(at, node)| self.role(scope, at, node)).collect();
        let is_outputs = |at: &usize| matches!(roles[*at], Role::Outputs);
        let usual = graph.nodes.get_index_of(Subgraph::OUTPUT);
        self.scopes[scope].outputs = usual
            .filter(is_outputs)
            .or_else(|| (0..roles.len()).find(is_outputs));
        self.scopes[scope].roles = roles;
    }

    fn role(&mut self, scope: usize, at: usize, node: &'a Node) -> Role<'a> {
        match (node.class.as_str(), node.mode) {
            (REROUTE, Mode::Mute) => return Role::Kept,
            (REROUTE, Mode::Active | Mode::Bypass) => return Role::Reroute,
            (Subgraph::INPUT_CLASS, _) => return Role::Inputs,
            (Subgraph::OUTPUT_CLASS, _) => return Role::Outputs,
            _ => {}
        }
        let Some((class, definition)) = self.project.subgraphs.get_key_value(&node.class) else {
            return Role::Plain;
        };
        match node.mode {
            Mode::Mute => Role::Kept,
            Mode::Bypass => Role::Bypassed(definition),
            Mode::Active => match self.enter(scope, at, class, definition) {
                Ok(inner) => Role::Instance(inner),
                Err(reason) => {
                    let place = Place::node(&self.scopes[scope].ids[at], &name(class, definition));
                    self.found
                        .extend(reason.map(|it| Diagnostic::error(it.code, place, it.message)));
                    Role::Kept
                }
            },
        }
    }

    /// Opens the scope of an instance. An error without a reason has been said elsewhere.
    fn enter(
        &mut self,
        scope: usize,
        at: usize,
        class: &'a str,
        definition: &'a Subgraph,
    ) -> Result<usize, Option<Reason>> {
        let above = self.definitions_above(scope);
        if let Some(reason) = unfit(&above, class, definition) {
            let holder = self.scopes[scope].definition.map_or("", |(id, _)| id);
            let first = self.said.insert((holder, at));
            return Err(first.then_some(reason));
        }
        let size = *self
            .sizes
            .entry(class)
            .or_insert_with(|| Size::of(definition));
        let prefix = self.scopes[scope].ids[at].as_str().len() + 1;
        // An id stands at its node and at the links to it; `ids` counts both.
        let bytes = size
            .bytes
            .saturating_add(size.ids.saturating_mul(prefix))
            .saturating_add(self.bytes);
        if self.nodes + size.nodes > MAX_NODES || bytes > MAX_BYTES {
            let first = !std::mem::replace(&mut self.full, true);
            return Err(first.then(Self::too_large));
        }
        self.nodes += size.nodes;
        self.bytes = bytes;
        let graph = &definition.graph;
        let mut ids = Vec::with_capacity(graph.nodes.len());
        for id in graph.nodes.keys() {
            let id = self.id(Some((scope, at)), id);
            self.taken.insert(id.clone());
            ids.push(id);
        }
        self.scopes.push(Scope {
            graph,
            definition: Some((class, definition)),
            outer: Some((scope, at)),
            ids,
            roles: Vec::new(),
            outputs: None,
        });
        Ok(self.scopes.len() - 1)
    }

    /// The definitions that a scope stands in, outermost first.
    fn definitions_above(&self, scope: usize) -> Vec<(&'a str, &'a Subgraph)> {
        let mut above = Vec::new();
        let mut at = Some(scope);
        while let Some(scope) = at {
            above.extend(self.scopes[scope].definition);
            at = self.scopes[scope].outer.map(|(scope, _)| scope);
        }
        above.reverse();
        above
    }

    /// Why the rest is not expanded.
    pub fn too_large() -> Reason {
        Reason {
            code: "subgraphs_too_large",
            message: say!(
                "with this and what stands before it, the subgraphs come to more than {MAX_NODES} \
                nodes or {} MiB of text; this instance and further ones are not expanded: use \
                fewer, or smaller ones",
                "ここまでのサブグラフの合計が {MAX_NODES} ノードまたはテキスト {} MiB を超えました。このサブグラフと\
                以降のものは展開されません。数を減らすか、小さくしてください。",
                MAX_BYTES >> 20
            ),
        }
    }
}

/// Why an instance of `class` cannot stand within these definitions.
fn unfit(above: &[(&str, &Subgraph)], class: &str, definition: &Subgraph) -> Option<Reason> {
    if let Some(start) = above.iter().position(|(id, _)| *id == class) {
        let mut names: Vec<_> = above[start..].iter().map(|(id, it)| name(id, it)).collect();
        names.push(name(class, definition));
        if names.len() > 9 {
            let hidden = names.len() - 9;
            names.splice(8..8 + hidden, [format!("… (+{hidden})")]);
        }
        return Some(Reason {
            code: "subgraph_recursion",
            message: say!(
                "a subgraph cannot contain itself: {}; remove one of these instances",
                "サブグラフは自分自身を含むことができません: {}。いずれかを取り除いてください。",
                names.join(" → ")
            ),
        });
    }
    (above.len() >= MAX_LEVELS).then(|| Reason {
        code: "subgraphs_too_deep",
        message: say!(
            "subgraphs are nested deeper than {MAX_LEVELS} levels here, so `{}` is not expanded; \
            merge some of them",
            "サブグラフの入れ子が {MAX_LEVELS} 段を超えているため、「{}」は展開されません。いくつかを 1 つにまとめてください。",
            name(class, definition)
        ),
    })
}

/// What a person calls the definition.
pub fn name(id: &str, definition: &Subgraph) -> String {
    let title = definition.graph.title.as_str();
    shorten(if title.is_empty() { id } else { title }, 60)
}

impl Size {
    fn of(definition: &Subgraph) -> Self {
        let mut size = Self {
            nodes: definition.graph.nodes.len(),
            ids: 0,
            bytes: 0,
        };
        for (id, node) in &definition.graph.nodes {
            size.ids += 1;
            size.bytes += id.as_str().len() + node.class.len();
            size.bytes += node.title.as_ref().map_or(0, String::len);
            size.bytes += node.colour.as_ref().map_or(0, String::len);
            for (name, input) in &node.inputs {
                size.bytes += name.len();
                match input {
                    Input::Literal(value) => size.bytes += bytes_of(value),
                    Input::Link(link) => {
                        size.ids += 1;
                        size.bytes += link.node.as_str().len();
                    }
                }
            }
            for (key, value) in &node.extra {
                size.bytes += key.len() + bytes_of(value);
            }
        }
        size
    }
}

/// Roughly what a value takes in memory.
pub fn bytes_of(value: &Value) -> usize {
    const EACH: usize = 32;
    EACH + match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(bytes_of).sum(),
        Value::Object(map) => map.iter().map(|(key, it)| key.len() + bytes_of(it)).sum(),
    }
}
