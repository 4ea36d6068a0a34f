//! The part of a graph that runs: muted nodes gone, bypassed nodes passed through.
//!
//! As ComfyUI's editor does when it makes a prompt (Comfy-Org/ComfyUI_frontend,
//! `src/utils/executionUtil.ts`; Comfy-Org/litegraph.js, `src/subgraph/ExecutableNodeDTO.ts`): a
//! link that ends at a bypassed node goes on upstream through that node's input with the output's index, or the
//! first of the wanted type. Of a class that is not known here, the file it came from says which
//! sockets there are. A link that ends at a muted node is no link: the literal that stood there before
//! takes its place; a node that has none and cannot do without is left out too, and so on down the
//! graph.

use std::collections::HashMap;

use serde_json::Value;

use crate::kind::accepts;
use crate::walk::Edges;
use crate::{
    Catalog, Declaration, Input, InputDecl, InputType, Kind, Link, Mode, Node, NodeId, Project,
};

/// What stands at the far end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An output of a node that runs.
    Output { node: usize, output: u32 },
    /// The node does not exist.
    Missing,
    /// This node is muted, or left out since it needs a muted one.
    Muted(usize),
    /// This bypassed node has nothing of the wanted type to pass on.
    Nothing(usize),
}

/// A link at an input, followed to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    /// Position among the node's inputs.
    pub input: usize,
    /// Where its value comes from.
    pub source: Source,
}

/// A project with its links followed: one that [`crate::lower`] has been over. Nodes are named by their index in document order.
pub struct Live<'a> {
    /// The project.
    pub project: &'a Project,
    /// Declarations by node; `None` for classes this program does not know.
    pub declarations: Vec<Option<&'static Declaration>>,
    /// Which nodes run.
    pub runs: Vec<bool>,
    /// For each active node its linked inputs; empty for muted and bypassed ones.
    pub wires: Vec<Vec<Wire>>,
}

impl<'a> Live<'a> {
    /// Follows every link.
    pub fn of(project: &'a Project, catalog: &dyn Catalog) -> Self {
        let mut known = HashMap::new();
        let declarations: Vec<_> = project
            .nodes
            .values()
            .map(|node| {
                *known
                    .entry(node.class.as_str())
                    .or_insert_with(|| catalog.declaration(&node.class))
            })
            .collect();
        let mut follow = Follow {
            project,
            declarations: &declarations,
            known: HashMap::new(),
        };
        let wires = (0..project.nodes.len())
            .map(|at| follow.wires(at))
            .collect();
        let runs = project
            .nodes
            .values()
            .map(|node| node.mode == Mode::Active)
            .collect();
        let mut live = Self {
            project,
            declarations,
            runs,
            wires,
        };
        live.mute_dependents();
        live
    }

    /// The node with that index.
    pub fn node(&self, at: usize) -> (&'a NodeId, &'a Node) {
        let (id, node) = self
            .project
            .nodes
            .get_index(at)
            .expect("an index of this project");
        (id, node)
    }

    /// The sources of each node that runs.
    pub fn sources(&self) -> Edges {
        Edges::from_rows(self.wires.iter().enumerate().map(|(at, wires)| {
            let wires = if self.runs[at] { wires.as_slice() } else { &[] };
            wires.iter().filter_map(|wire| match wire.source {
                Source::Output { node, .. } => Some(node as u32),
                Source::Missing | Source::Muted(_) | Source::Nothing(_) => None,
            })
        }))
    }

    /// A project of the nodes that run, with every link followed; literals and everything else as
    /// they stand. Links to nodes that do not exist stay, so that they are still reported.
    pub fn to_project(&self) -> Project {
        let mut project = Project {
            title: self.project.title.clone(),
            ..Project::default()
        };
        for at in (0..self.wires.len()).filter(|at| self.runs[*at]) {
            let (id, node) = self.node(at);
            let inputs = self
                .inputs(at)
                .map(|(name, input)| (name.to_owned(), input))
                .collect();
            project.nodes.insert(
                id.clone(),
                Node {
                    inputs,
                    ..node.clone()
                },
            );
        }
        project
    }

    /// The inputs of a node that runs, with its links followed; in the place of links without a
    /// source the literals that stood there before, if any did.
    pub fn inputs(&self, at: usize) -> impl Iterator<Item = (&'a str, Input)> {
        let mut wires = self.wires[at].iter().peekable();
        let node = self.node(at).1;
        node.inputs
            .iter()
            .enumerate()
            .filter_map(move |(position, (name, input))| {
                let wire = wires.next_if(|wire| wire.input == position);
                let input = match (wire.map(|wire| wire.source), input) {
                    (Some(Source::Output { node, output }), _) => Input::Link(Link {
                        node: self.node(node).0.clone(),
                        output,
                    }),
                    (Some(Source::Muted(_) | Source::Nothing(_)), _) => {
                        Input::Literal(node.remembered(name)?.clone())
                    }
                    (Some(Source::Missing) | None, input) => input.clone(),
                };
                Some((name.as_str(), input))
            })
    }

    /// Leaves out the nodes that cannot do without a muted one.
    fn mute_dependents(&mut self) {
        let consumers = self.sources().reversed();
        let mut muted: Vec<usize> = (0..self.wires.len())
            .filter(|at| self.needs_muted(*at))
            .collect();
        for at in &muted {
            self.runs[*at] = false;
        }
        while let Some(gone) = muted.pop() {
            for &consumer in consumers.of(gone) {
                let at = consumer as usize;
                for wire in &mut self.wires[at] {
                    if matches!(wire.source, Source::Output { node, .. } if node == gone) {
                        wire.source = Source::Muted(gone);
                    }
                }
                if self.needs_muted(at) {
                    self.runs[at] = false;
                    muted.push(at);
                }
            }
        }
    }

    fn needs_muted(&self, at: usize) -> bool {
        let Some(declaration) = self.declarations[at].filter(|_| self.runs[at]) else {
            return false;
        };
        let node = self.node(at).1;
        self.wires[at].iter().any(|wire| {
            let name = node.inputs.get_index(wire.input).map(|(name, _)| name);
            matches!(wire.source, Source::Muted(_))
                && name
                    .filter(|name| node.remembered(name).is_none())
                    .and_then(|name| declaration.input(name))
                    .is_some_and(|input| input.required && input.default_value().is_none())
        })
    }
}

/// The project as it runs: what a prompt holds, and what the compiler starts from.
pub fn resolve(project: &Project, catalog: &dyn Catalog) -> Project {
    Live::of(&crate::lower(project, catalog).project, catalog).to_project()
}

/// Follows links through bypassed nodes, each such hop once per wanted type.
struct Follow<'a> {
    project: &'a Project,
    declarations: &'a [Option<&'static Declaration>],
    known: HashMap<(usize, u32, &'a str), Source>,
}

impl<'a> Follow<'a> {
    fn wires(&mut self, at: usize) -> Vec<Wire> {
        let project = self.project;
        let node = &project.nodes[at];
        if node.mode != Mode::Active {
            return Vec::new();
        }
        let mut wires = Vec::new();
        for (position, (name, input)) in node.inputs.iter().enumerate() {
            if let Input::Link(link) = input {
                let wanted = self.declarations[at]
                    .and_then(|it| it.input(name))
                    .and_then(plain_kind);
                wires.push(Wire {
                    input: position,
                    source: self.source(link, wanted),
                });
            }
        }
        wires
    }

    fn source(&mut self, mut link: &'a Link, mut wanted: Option<&'a str>) -> Source {
        let project = self.project;
        let mut hops = Vec::new();
        let source = loop {
            let Some((at, _, node)) = project.nodes.get_full(&link.node) else {
                break Source::Missing;
            };
            match node.mode {
                Mode::Active => {
                    break Source::Output {
                        node: at,
                        output: link.output,
                    };
                }
                Mode::Mute => break Source::Muted(at),
                Mode::Bypass => {}
            }
            // A consumer that takes several types gets what the node would have given it.
            let plain = wanted.filter(|it| *it != Kind::ANY.as_str());
            let Some(kind) = plain.or_else(|| self.output_kind(at, link.output)) else {
                break Source::Nothing(at);
            };
            wanted = Some(kind);
            let hop = (at, link.output, kind);
            if let Some(source) = self.known.get(&hop) {
                break *source;
            }
            // Known for now as a dead end, so that a ring of bypassed nodes ends here.
            self.known.insert(hop, Source::Nothing(at));
            hops.push(hop);
            match self.passed_input(at, link.output, kind) {
                Some(next) => link = next,
                None => break Source::Nothing(at),
            }
        };
        for hop in hops {
            self.known.insert(hop, source);
        }
        source
    }

    fn output_kind(&self, at: usize, output: u32) -> Option<&'a str> {
        match self.declarations[at] {
            Some(known) => Some(known.outputs.get(output as usize)?.kind.as_str()),
            None => slots(&self.project.nodes[at], "outputs")
                .get(output as usize)?
                .get("type")?
                .as_str(),
        }
    }

    /// The link that stands at the input which a bypassed node's output passes on.
    fn passed_input(&self, at: usize, output: u32, kind: &str) -> Option<&'a Link> {
        let node = &self.project.nodes[at];
        let input = match self.declarations[at] {
            Some(known) => {
                let fits = |input: &&InputDecl| plain_kind(input) == Some(kind);
                let same_place = known.inputs.get(output as usize).filter(fits);
                same_place.or_else(|| known.inputs.iter().find(fits))?.name
            }
            None => saved_input(node, output, kind)?,
        };
        match node.inputs.get(input)? {
            Input::Link(link) => Some(link),
            Input::Literal(_) => None,
        }
    }
}

/// The sockets of a node as the ComfyUI workflow that it came from lists them.
fn slots<'a>(node: &'a Node, key: &str) -> &'a [Value] {
    let listed = node.extra.get("comfyui").and_then(|it| it.get(key));
    let listed = listed.and_then(Value::as_array);
    listed.map_or(&[], Vec::as_slice)
}

/// The input that an output of a node of unknown class passes on, as ComfyUI's editor chooses it.
fn saved_input<'a>(node: &'a Node, output: u32, kind: &str) -> Option<&'a str> {
    fn of_slot(slot: &Value) -> &str {
        slot.get("type").and_then(Value::as_str).unwrap_or_default()
    }
    let inputs = slots(node, "inputs");
    let exact = |slot: &&Value| of_slot(slot) == kind;
    let fits = |slot: &&Value| accepts(of_slot(slot), kind);
    let same_place = inputs.get(output as usize).filter(fits);
    let slot = same_place
        .or_else(|| inputs.iter().find(exact))
        .or_else(|| inputs.iter().find(fits));
    slot?.get("name")?.as_str()
}

/// The one type that ComfyUI writes at this input; `None` for a set of types and for anything.
pub(crate) fn plain_kind(input: &InputDecl) -> Option<&'static str> {
    match input.ty {
        InputType::Socket(kind) => {
            Some(kind.as_str()).filter(|name| *name != Kind::ANY.as_str() && !name.contains(','))
        }
        InputType::Float { .. } => Some(Kind::FLOAT.as_str()),
        InputType::Choice { .. } | InputType::Model { .. } | InputType::File { .. } => {
            Some("COMBO")
        }
        InputType::Int { .. }
        | InputType::Text { .. }
        | InputType::Bool { .. }
        | InputType::Colour { .. }
        | InputType::Curve { .. }
        | InputType::Shots => Some(input.kind().as_str()),
    }
}
