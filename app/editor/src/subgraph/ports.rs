//! The ports of the open subgraph: added by dropping a link on its border, named, removed.

use longtake_graph::{Edit, Input, Link, NodeId, Port, Subgraph};

use crate::action::LooseLink;
use crate::connect::{put_link, take_link};
use crate::draft::{Draft, fresh_key};
use crate::refusal::Refusal;
use crate::scene::Scene;
use crate::session::Session;

/// Which border of a subgraph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What it takes.
    Input,
    /// What it gives.
    Output,
}

/// Gives a port of the open subgraph another label; its name in files stays, so that no link is
/// lost.
///
/// # Errors
/// There is no such port, or no subgraph is open.
pub fn rename_port(
    session: &Session,
    side: Side,
    index: usize,
    label: &str,
) -> Result<Edit, Refusal> {
    let key = session.subgraph().ok_or(Refusal::NothingSelected)?;
    let definition = session.project().subgraphs.get(key);
    let definition = definition.ok_or(Refusal::NothingSelected)?;
    let (mut inputs, mut outputs) = (definition.inputs.clone(), definition.outputs.clone());
    let ports = match side {
        Side::Input => &mut inputs,
        Side::Output => &mut outputs,
    };
    let port = ports.get_mut(index).ok_or(Refusal::NothingSelected)?;
    let label = label.trim();
    port.label = (!label.is_empty() && label != port.name).then(|| label.to_owned());
    Ok(Edit::SetPorts {
        subgraph: key.to_owned(),
        inputs,
        outputs,
    })
}

/// Adds a port to the open subgraph and links it: an input port that feeds the loose end, or an
/// output port that it feeds. A parameter's literal stays remembered: an instance without a value
/// of its own has it.
///
/// # Errors
/// The loose end is gone, or no subgraph is open.
pub fn add_port(scene: &Scene<'_>, end: &LooseLink) -> Result<Edit, Refusal> {
    let definition = scene.definition().ok_or(Refusal::NothingSelected)?;
    let (mut inputs, mut outputs) = (definition.inputs.clone(), definition.outputs.clone());
    let mut draft = Draft::of_all(scene);
    let (ports, name, kind) = match end {
        LooseLink::FromInput { node, input } => {
            let socket = scene.input(node, input)?;
            (&mut inputs, input.clone(), socket.kind)
        }
        LooseLink::FromOutput { node, output } => {
            let source = scene
                .node(node)
                .ok_or_else(|| Refusal::NoNode(node.clone()))?;
            let sockets = scene.shape(source).outputs;
            let socket = sockets.into_iter().nth(*output as usize);
            let socket = socket.ok_or_else(|| Refusal::NoOutput {
                node: node.clone(),
                output: *output,
            })?;
            (&mut outputs, socket.label, socket.kind)
        }
    };
    let index = ports.len() as u32;
    let name = free_name(ports, &name);
    ports.push(Port {
        name: name.clone(),
        kind,
        ..Port::default()
    });
    draft.push_root(Edit::SetPorts {
        subgraph: scene.scope.unwrap_or_default().to_owned(),
        inputs,
        outputs,
    })?;
    match end {
        LooseLink::FromInput { node, input } => {
            let from = Link {
                node: Subgraph::INPUT.into(),
                output: index,
            };
            put_link(&mut draft, node, input, from)?;
        }
        LooseLink::FromOutput { node, output } => {
            let from = Link {
                node: node.clone(),
                output: *output,
            };
            put_link(&mut draft, &Subgraph::OUTPUT.into(), &name, from)?;
        }
    }
    Ok(draft.finish())
}

fn free_name(ports: &[Port], wanted: &str) -> String {
    let taken = |name: &str| ports.iter().any(|it| it.name == name);
    let wanted = if wanted.is_empty() { "value" } else { wanted };
    if taken(wanted) {
        fresh_key(&format!("{wanted}_"), taken)
    } else {
        wanted.to_owned()
    }
}

/// Removes a port of the open subgraph, with its links inside and at every instance; links at the
/// ports behind it move up.
///
/// # Errors
/// There is no such port, or no subgraph is open.
pub fn remove_port(scene: &Scene<'_>, side: Side, index: usize) -> Result<Edit, Refusal> {
    let (key, definition) = scene
        .scope
        .zip(scene.definition())
        .ok_or(Refusal::NothingSelected)?;
    let (mut inputs, mut outputs) = (definition.inputs.clone(), definition.outputs.clone());
    let ports = match side {
        Side::Input => &mut inputs,
        Side::Output => &mut outputs,
    };
    if index >= ports.len() {
        return Err(Refusal::NothingSelected);
    }
    let port = ports.remove(index);
    let mut draft = Draft::of_all(scene);
    let inside = |draft: &mut Draft| match side {
        Side::Input => shift_up(draft, index, |id, _| id.as_str() == Subgraph::INPUT),
        Side::Output => clear(draft, &port.name, |id, _| id.as_str() == Subgraph::OUTPUT),
    };
    inside(&mut draft)?;
    let keys = scene.root.subgraphs.keys().map(|it| Some(it.as_str()));
    for graph in std::iter::once(None).chain(keys) {
        draft.within(graph, |draft| match side {
            Side::Input => clear(draft, &port.name, |_, class| class == key),
            Side::Output => shift_up(draft, index, |_, class| class == key),
        })?;
    }
    draft.push_root(Edit::SetPorts {
        subgraph: key.to_owned(),
        inputs,
        outputs,
    })?;
    Ok(draft.finish())
}

/// Takes away what stands at that input of the nodes asked for.
fn clear(
    draft: &mut Draft,
    input: &str,
    wanted: impl Fn(&NodeId, &str) -> bool,
) -> Result<(), Refusal> {
    let nodes = draft.graph().nodes.iter();
    let nodes =
        nodes.filter(|(id, node)| wanted(id, &node.class) && node.inputs.contains_key(input));
    let ids: Vec<NodeId> = nodes.map(|(id, _)| id.clone()).collect();
    for node in ids {
        draft.push(Edit::SetInput {
            node,
            input: input.to_owned(),
            value: None,
        })?;
    }
    Ok(())
}

/// Cuts the links from that output of the nodes asked for; those from later outputs move up.
fn shift_up(
    draft: &mut Draft,
    index: usize,
    wanted: impl Fn(&NodeId, &str) -> bool,
) -> Result<(), Refusal> {
    let mut found = Vec::new();
    let nodes = &draft.graph().nodes;
    for (id, node) in nodes {
        for (name, input) in &node.inputs {
            if let Input::Link(link) = input
                && link.output as usize >= index
                && nodes
                    .get(&link.node)
                    .is_some_and(|it| wanted(&link.node, &it.class))
            {
                found.push((id.clone(), name.clone(), link.clone()));
            }
        }
    }
    for (id, name, link) in found {
        if link.output as usize == index {
            take_link(draft, &id, &name)?;
        } else {
            let output = link.output - 1;
            let link = Link { output, ..link };
            draft.push(Edit::SetInput {
                node: id,
                input: name,
                value: Some(Input::Link(link)),
            })?;
        }
    }
    Ok(())
}
