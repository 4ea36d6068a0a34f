//! Making a subgraph of the selected nodes.

use std::collections::HashSet;

use indexmap::IndexMap;
use longtake_graph::{Edit, Input, Link, Node, NodeId, Port, Project, Subgraph};

use crate::draft::{Draft, Ids, fresh_key};
use crate::group::around;
use crate::items::chosen;
use crate::refusal::Refusal;
use crate::scene::Scene;
use crate::selection::{Item, Selection};

/// Between the border and the nodes inside, points.
const MARGIN: f32 = 120.0;
/// How large an instance is about to be, points: it is put where the middle of its nodes was.
const INSTANCE: [f32; 2] = [220.0, 120.0];

/// Ports being made: each source outside, or output inside, has one.
struct Ports {
    of: IndexMap<Link, Port>,
    names: HashSet<String>,
}

impl Ports {
    fn new() -> Self {
        Self {
            of: IndexMap::new(),
            names: HashSet::new(),
        }
    }

    /// The port of that source; made with a name like the wanted one if there is none yet.
    fn get(&mut self, link: &Link, wanted: &str, kind: impl FnOnce() -> String) -> usize {
        if let Some(at) = self.of.get_index_of(link) {
            return at;
        }
        let wanted = if wanted.is_empty() { "value" } else { wanted };
        let name = if self.names.contains(wanted) {
            fresh_key(&format!("{wanted}_"), |name| self.names.contains(name))
        } else {
            wanted.to_owned()
        };
        self.names.insert(name.clone());
        let port = Port {
            name,
            kind: kind(),
            ..Port::default()
        };
        self.of.insert_full(link.clone(), port).0
    }
}

/// The edit of the whole document that puts the selected nodes, groups and notes into a subgraph
/// with an instance in their place, and the instance's id. A source outside that feeds several of
/// them has one port. `rect` is where a node is and how large.
///
/// # Errors
/// No node is selected.
pub fn make(
    scene: &Scene<'_>,
    selection: &Selection,
    title: &str,
    rect: impl Fn(NodeId) -> [f32; 4],
) -> Result<(Edit, NodeId), Refusal> {
    let graph = scene.graph();
    let chosen: HashSet<NodeId> = chosen(graph, selection).into_iter().collect();
    let ids: Vec<NodeId> = graph
        .nodes
        .keys()
        .filter(|id| chosen.contains(*id))
        .cloned()
        .collect();
    let Some(bounds) = around(ids.iter().cloned().map(rect)) else {
        return Err(Refusal::NothingSelected);
    };
    let mut inputs = Ports::new();
    let mut outputs = Ports::new();
    let mut inner = inside(scene, &ids, &chosen, &mut inputs);
    let outer = outside(scene, &chosen, &mut outputs);
    borders(&mut inner, bounds, &outputs);
    move_frames(graph, selection, &mut inner);
    inner.title = free_title(scene.root, title);

    let instance = Ids::of(graph).take();
    let key = free_key(scene);
    let mut draft = Draft::of_all(scene);
    let node = Node {
        class: key.clone(),
        pos: Some([
            (bounds[0] + bounds[2] / 2.0 - INSTANCE[0] / 2.0).round(),
            (bounds[1] + bounds[3] / 2.0 - INSTANCE[1] / 2.0).round(),
        ]),
        inputs: inputs
            .of
            .iter()
            .map(|(link, port)| (port.name.clone(), Input::Link(link.clone())))
            .collect(),
        ..Node::default()
    };
    let definition = Subgraph {
        inputs: inputs.of.into_values().collect(),
        outputs: outputs.of.into_values().collect(),
        graph: inner,
        ..Subgraph::default()
    };
    draft.push_root(Edit::AddSubgraph {
        id: key,
        subgraph: Box::new(definition),
        at: None,
    })?;
    replace(&mut draft, graph, &ids, (&instance, node), outer, selection)?;
    Ok((draft.finish(), instance))
}

/// The chosen nodes as they stand inside: links from outside come from the border.
fn inside(
    scene: &Scene<'_>,
    ids: &[NodeId],
    chosen: &HashSet<NodeId>,
    ports: &mut Ports,
) -> Project {
    let mut inner = Project::default();
    for id in ids {
        let Some(node) = scene.node(id) else { continue };
        let sockets = scene.shape(node).inputs;
        let mut node = node.clone();
        for (name, input) in &mut node.inputs {
            let Input::Link(link) = input else { continue };
            if chosen.contains(&link.node) {
                continue;
            }
            let socket = sockets.iter().find(|it| it.name == *name);
            let kind = || {
                let known = scene.output_kind(link).filter(|kind| kind != "*");
                let socket = socket.map(|it| it.kind.clone());
                known.or(socket).unwrap_or_else(|| "*".to_owned())
            };
            let output = ports.get(link, name, kind) as u32;
            *input = Input::Link(Link {
                node: Subgraph::INPUT.into(),
                output,
            });
        }
        inner.nodes.insert(id.clone(), node);
    }
    inner
}

/// The inputs outside that the chosen nodes feed, with the output port of each.
fn outside(
    scene: &Scene<'_>,
    chosen: &HashSet<NodeId>,
    ports: &mut Ports,
) -> Vec<(NodeId, String, u32)> {
    let mut fed = Vec::new();
    for (id, node) in &scene.graph().nodes {
        if chosen.contains(id) {
            continue;
        }
        for (name, input) in &node.inputs {
            let link = match input {
                Input::Link(link) if chosen.contains(&link.node) => link,
                Input::Link(_) | Input::Literal(_) => continue,
            };
            let source = scene.node(&link.node).map(|it| scene.shape(it).outputs);
            let output = source.and_then(|it| it.into_iter().nth(link.output as usize));
            let wanted = match &output {
                Some(output) if !output.label.is_empty() => output.label.clone(),
                _ => name.clone(),
            };
            let kind = || output.map_or_else(|| "*".to_owned(), |it| it.kind);
            let port = ports.get(link, &wanted, kind) as u32;
            fed.push((id.clone(), name.clone(), port));
        }
    }
    fed
}

/// The two nodes that stand for the ports, left and right of the others.
fn borders(inner: &mut Project, [x, y, width, height]: [f32; 4], outputs: &Ports) {
    let middle = (y + height / 2.0 - INSTANCE[1] / 2.0).round();
    let input = Node {
        class: Subgraph::INPUT_CLASS.to_owned(),
        pos: Some([x - MARGIN - INSTANCE[0], middle]),
        ..Node::default()
    };
    let ends = outputs.of.iter();
    let output = Node {
        class: Subgraph::OUTPUT_CLASS.to_owned(),
        pos: Some([x + width + MARGIN, middle]),
        inputs: ends
            .map(|(link, port)| (port.name.clone(), Input::Link(link.clone())))
            .collect(),
        ..Node::default()
    };
    inner.nodes.insert(Subgraph::INPUT.into(), input);
    inner.nodes.insert(Subgraph::OUTPUT.into(), output);
}

fn move_frames(graph: &Project, selection: &Selection, inner: &mut Project) {
    for item in selection.items() {
        match item {
            Item::Group(id) => {
                let group = graph.groups.get(id).cloned();
                inner.groups.extend(group.map(|it| (id.clone(), it)));
            }
            Item::Note(id) => {
                let note = graph.notes.get(id).cloned();
                inner.notes.extend(note.map(|it| (id.clone(), it)));
            }
            Item::Node(_) => {}
        }
    }
}

/// Takes the chosen out of the open graph and puts the instance in.
fn replace(
    draft: &mut Draft,
    graph: &Project,
    ids: &[NodeId],
    (instance, node): (&NodeId, Node),
    outer: Vec<(NodeId, String, u32)>,
    selection: &Selection,
) -> Result<(), Refusal> {
    let at = ids.first().and_then(|id| graph.nodes.get_index_of(id));
    draft.push(Edit::AddNode {
        id: instance.clone(),
        node,
        at,
    })?;
    for (id, input, output) in outer {
        draft.push(Edit::SetInput {
            node: id,
            input,
            value: Some(Input::Link(Link {
                node: instance.clone(),
                output,
            })),
        })?;
    }
    for id in ids {
        draft.push(Edit::TakeNode { id: id.clone() })?;
    }
    for item in selection.items() {
        match item.clone() {
            Item::Group(id) => draft.push(Edit::RemoveGroup { id })?,
            Item::Note(id) => draft.push(Edit::RemoveNote { id })?,
            Item::Node(_) => {}
        }
    }
    Ok(())
}

/// A key that neither a definition nor a class has, nor a node of a class that nobody knows.
fn free_key(scene: &Scene<'_>) -> String {
    let definitions = scene.root.subgraphs.values().map(|it| &it.graph);
    let graphs: Vec<&Project> = std::iter::once(scene.root).chain(definitions).collect();
    fresh_key("subgraph", |key| {
        scene.root.subgraphs.contains_key(key)
            || scene.catalog.declaration(key).is_some()
            || graphs
                .iter()
                .any(|graph| graph.nodes.values().any(|node| node.class == key))
    })
}

fn free_title(root: &Project, title: &str) -> String {
    let taken = |title: &str| root.subgraphs.values().any(|it| it.graph.title == title);
    if taken(title) {
        fresh_key(&format!("{title} "), taken)
    } else {
        title.to_owned()
    }
}
