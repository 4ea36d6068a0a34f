//! From what a person drew to what runs: subgraphs expanded, reroutes followed.
//!
//! An instance's nodes take its place in document order, under ids joined by `:`, the outermost
//! instance first, as in ComfyUI's prompts (Comfy-Org/litegraph.js,
//! `src/subgraph/ExecutableNodeDTO.ts`). Links go straight from a node that runs to a node that
//! runs; only mute and bypass of single nodes are left for [`crate::live`]. All findings, plans and
//! results speak of these ids.
//!
//! Without recursion, and linear in the size of the expanded graph, which is bounded
//! ([`MAX_NODES`], [`MAX_BYTES`], [`MAX_LEVELS`]): a file of a few lines can ask for 2^60 nodes.

mod follow;
mod scope;

use std::borrow::Cow;
use std::collections::HashMap;

use self::follow::{End, Follow};
use self::scope::{Expansion, Role, bytes_of};
use crate::document::is_virtual;
use crate::live::plain_kind;
use crate::{Catalog, Declaration, Diagnostic, Input, Mode, Node, Place, Project, Sentence};

/// Most nodes that subgraphs may add.
pub const MAX_NODES: usize = 100_000;

/// Most text that subgraphs may add: ids, literals and what else stands in their nodes.
pub const MAX_BYTES: usize = 256 << 20;

/// Deepest nesting of instances.
pub const MAX_LEVELS: usize = 64;

/// A project without subgraphs and reroutes.
#[derive(Clone, Debug)]
pub struct Lowered<'a> {
    /// Title, nodes and unknown keys; the project itself where there was nothing to do. Groups and
    /// notes of a project that was changed are left out.
    pub project: Cow<'a, Project>,
    /// What kept an instance from being expanded, and links that lead nowhere.
    pub diagnostics: Vec<Diagnostic>,
    /// Positions and names of the instances that still stand in `project`: muted, bypassed, or not
    /// to be expanded. No catalog knows their class.
    pub instances: HashMap<usize, String>,
}

/// Expands subgraphs and follows reroutes.
///
/// - A muted instance stays as one muted node. A bypassed one passes on what stands at its input of
///   the wanted type, the one with the output's index first; where there is none it stays as a
///   bypassed node, at which [`crate::live`] ends the link.
/// - A literal at an instance's input goes to every input that the port feeds. Where a link leads
///   to nothing, the literal that the consumer remembers (`extra["values"]`) stands again.
/// - An instance that contains itself, or is too large, stays as it is, with an error.
pub fn lower<'a>(project: &'a Project, catalog: &dyn Catalog) -> Lowered<'a> {
    let special =
        |node: &Node| is_virtual(&node.class) || project.subgraphs.contains_key(&node.class);
    if !project.nodes.values().any(special) {
        return Lowered {
            project: Cow::Borrowed(project),
            diagnostics: Vec::new(),
            instances: HashMap::new(),
        };
    }
    let expansion = Expansion::of(project);
    let mut lowering = Lowering {
        follow: Follow::new(&expansion),
        expansion: &expansion,
        catalog,
        declarations: HashMap::new(),
        bytes: expansion.bytes,
        full: false,
        found: Vec::new(),
    };
    let mut lowered = Project {
        title: project.title.clone(),
        extra: project.extra.clone(),
        ..Project::default()
    };
    let mut instances = HashMap::new();
    let mut open = vec![(0, 0)];
    while let Some((scope, at)) = open.pop() {
        let Some(role) = expansion.scopes[scope].roles.get(at) else {
            continue;
        };
        open.push((scope, at + 1));
        match role {
            Role::Plain => {}
            Role::Kept | Role::Bypassed(_) => {
                instances.insert(lowered.nodes.len(), expansion.name(scope, at));
            }
            Role::Instance(inner) => {
                open.push((*inner, 0));
                continue;
            }
            Role::Reroute | Role::Inputs | Role::Outputs => continue,
        }
        let node = lowering.node(scope, at);
        lowered
            .nodes
            .insert(expansion.scopes[scope].ids[at].clone(), node);
    }
    let mut diagnostics = lowering.found;
    diagnostics.splice(0..0, expansion.found.iter().cloned());
    Lowered {
        project: Cow::Owned(lowered),
        diagnostics,
        instances,
    }
}

struct Lowering<'e, 'a> {
    expansion: &'e Expansion<'a>,
    follow: Follow<'e, 'a>,
    catalog: &'e dyn Catalog,
    declarations: HashMap<&'a str, Option<&'static Declaration>>,
    /// Text added so far.
    bytes: usize,
    /// [`MAX_BYTES`] was reached, and said.
    full: bool,
    found: Vec<Diagnostic>,
}

impl<'a> Lowering<'_, 'a> {
    fn node(&mut self, scope: usize, at: usize) -> Node {
        let node = &self.expansion.scopes[scope].graph.nodes[at];
        let mut lowered = Node {
            class: node.class.clone(),
            title: node.title.clone(),
            inputs: indexmap::IndexMap::with_capacity(node.inputs.len()),
            mode: node.mode,
            pos: node.pos,
            size: node.size,
            colour: node.colour.clone(),
            collapsed: node.collapsed,
            extra: node.extra.clone(),
        };
        let stands_only = node.mode != Mode::Active
            && !matches!(self.expansion.scopes[scope].roles[at], Role::Plain);
        if stands_only {
            return lowered; // what stands at its inputs has been followed past it
        }
        for (name, input) in &node.inputs {
            if let Some(input) = self.input(scope, at, node, name, input) {
                lowered.inputs.insert(name.clone(), input);
            }
        }
        lowered
    }

    fn input(
        &mut self,
        scope: usize,
        at: usize,
        node: &'a Node,
        name: &str,
        input: &'a Input,
    ) -> Option<Input> {
        let Input::Link(link) = input else {
            return Some(input.clone());
        };
        let wanted = self
            .declaration(&node.class)
            .and_then(|it| it.input(name))
            .and_then(plain_kind);
        let wrong = match self.follow.end(scope, link, wanted) {
            End::Link(link) => return Some(Input::Link(link)),
            End::Literal(value) => {
                self.bytes = self.bytes.saturating_add(bytes_of(value));
                if self.bytes <= MAX_BYTES {
                    return Some(Input::Literal(value.clone()));
                }
                if std::mem::replace(&mut self.full, true) {
                    return None;
                }
                Expansion::too_large()
            }
            End::Nothing => return node.remembered(name).cloned().map(Input::Literal),
            End::Broken(reason) => self.follow.reasons[reason].clone(),
        };
        let id = &self.expansion.scopes[scope].ids[at];
        let place = Place::node(id, &node.class).input(name);
        self.found
            .push(Diagnostic::error(wrong.code, place, wrong.message));
        None
    }

    fn declaration(&mut self, class: &'a str) -> Option<&'static Declaration> {
        let catalog = self.catalog;
        *self
            .declarations
            .entry(class)
            .or_insert_with(|| catalog.declaration(class))
    }
}

/// A finding that waits for its place.
#[derive(Clone)]
struct Reason {
    code: &'static str,
    message: Sentence,
}
