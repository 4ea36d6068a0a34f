//! Links: what may be linked to what, and the edits that link, unlink and bend.

use longtake_graph::document::{REROUTE, REROUTE_INPUT};
use longtake_graph::kind::accepts;
use longtake_graph::{Catalog, Edit, EditError, Input, Link, Node, NodeId};
use serde_json::{Map, Value};

use crate::cycle::cycle;
use crate::draft::{Draft, Ids};
use crate::language::{Text, t};
use crate::refusal::Refusal;
use crate::scene::Scene;
use crate::session::Session;
use crate::shape::{Origin, Shape};

/// Label of the undo unit of a new link.
pub const CONNECT: Text = t("Link", "リンク");
/// Label of the undo unit of a link taken away.
pub const DISCONNECT: Text = t("Unlink", "リンクを外す");
/// Label of the undo unit of a new bend.
pub const BEND: Text = t("Add reroute", "リルートを追加");

/// Where a node remembers the literals of parameters that are linked.
const VALUES: &str = "values";

/// The edit that links `from` to an input of the open graph. What stood there goes; a literal is
/// remembered.
///
/// # Errors
/// The sockets do not exist or do not fit, or nodes would need each other.
pub fn connect(
    session: &Session,
    catalog: &dyn Catalog,
    to: &NodeId,
    input: &str,
    from: Link,
) -> Result<Edit, Refusal> {
    let scene = session.scene(catalog);
    fits(&scene, to, input, &from)?;
    if let Some(nodes) = cycle(&scene, to, input, &from) {
        return Err(Refusal::Cycle(nodes));
    }
    let mut draft = Draft::of(scene.graph());
    put_link(&mut draft, to, input, from)?;
    Ok(draft.finish())
}

/// The edit that takes the link at an input away; a literal that stood there before comes back.
///
/// # Errors
/// There is no such node.
pub fn disconnect(session: &Session, to: &NodeId, input: &str) -> Result<Edit, Refusal> {
    let mut draft = Draft::of(session.graph());
    take_link(&mut draft, to, input)?;
    Ok(draft.finish())
}

/// The edit of the whole document that takes a link from one input to another.
///
/// # Errors
/// There is no link, or it does not fit there.
pub fn relink(
    scene: &Scene<'_>,
    from: (&NodeId, &str),
    to: (&NodeId, &str),
) -> Result<Edit, Refusal> {
    let node = scene.node(from.0);
    let Some(Input::Link(link)) = node.and_then(|it| it.inputs.get(from.1)) else {
        return Err(Refusal::NoInput {
            node: from.0.clone(),
            input: from.1.to_owned(),
        });
    };
    if from == to {
        return Ok(Edit::Batch(Vec::new()));
    }
    let mut draft = Draft::of_all(scene);
    take_link(&mut draft, from.0, from.1)?;
    let without = draft.scene(scene.catalog);
    fits(&without, to.0, to.1, link)?;
    if let Some(nodes) = cycle(&without, to.0, to.1, link) {
        return Err(Refusal::Cycle(nodes));
    }
    put_link(&mut draft, to.0, to.1, link.clone())?;
    Ok(draft.finish())
}

/// The edit that puts a reroute with that top left corner into the link at an input.
///
/// # Errors
/// There is no link.
pub fn bend(session: &Session, to: &NodeId, input: &str, pos: [f32; 2]) -> Result<Edit, Refusal> {
    let graph = session.graph();
    let node = graph
        .nodes
        .get(to)
        .ok_or_else(|| Refusal::NoNode(to.clone()))?;
    let Some(Input::Link(link)) = node.inputs.get(input) else {
        return Err(Refusal::NoInput {
            node: to.clone(),
            input: input.to_owned(),
        });
    };
    let id = Ids::of(graph).take();
    let mut reroute = Node {
        class: REROUTE.to_owned(),
        pos: Some(pos),
        ..Node::default()
    };
    reroute
        .inputs
        .insert(REROUTE_INPUT.to_owned(), Input::Link(link.clone()));
    let mut draft = Draft::of(graph);
    draft.push(Edit::AddNode {
        id: id.clone(),
        node: reroute,
        at: None,
    })?;
    put_link(
        &mut draft,
        to,
        input,
        Link {
            node: id,
            output: 0,
        },
    )?;
    Ok(draft.finish())
}

/// Whether `from` may stand at that input, cycles aside.
///
/// # Errors
/// Why not.
pub fn fits(scene: &Scene<'_>, to: &NodeId, input: &str, from: &Link) -> Result<(), Refusal> {
    let Some(node) = scene.node(to) else {
        return Err(Refusal::NoNode(to.clone()));
    };
    if scene.node(&from.node).is_none() {
        return Err(Refusal::NoNode(from.node.clone()));
    }
    if *to == from.node {
        return Err(Refusal::Cycle(vec![to.clone(), to.clone()]));
    }
    let found = scene.output_kind(from).ok_or_else(|| Refusal::NoOutput {
        node: from.node.clone(),
        output: from.output,
    })?;
    if node.class == REROUTE {
        // What it leads to must take the new kind too.
        return ends(scene, to)
            .into_iter()
            .try_for_each(|(end, input)| takes(scene, &end, &input, &found));
    }
    takes(scene, to, input, &found)
}

fn takes(scene: &Scene<'_>, to: &NodeId, input: &str, found: &str) -> Result<(), Refusal> {
    let Some(node) = scene.node(to) else {
        return Err(Refusal::NoNode(to.clone()));
    };
    let shape = scene.shape(node);
    let expected = match shape.inputs.into_iter().find(|it| it.name == input) {
        Some(socket) => socket.kind,
        None if matches!(shape.origin, Origin::Unknown) => "*".to_owned(),
        None => {
            return Err(Refusal::NoInput {
                node: to.clone(),
                input: input.to_owned(),
            });
        }
    };
    if accepts(&expected, found) {
        return Ok(());
    }
    Err(Refusal::Kind {
        node: to.clone(),
        input: input.to_owned(),
        expected,
        found: found.to_owned(),
    })
}

/// The inputs that a reroute leads to, through further reroutes.
pub fn ends(scene: &Scene<'_>, reroute: &NodeId) -> Vec<(NodeId, String)> {
    let mut ends = Vec::new();
    let mut seen = vec![reroute.clone()];
    let mut at = 0;
    while at < seen.len() {
        for (id, node) in &scene.graph().nodes {
            for (name, input) in &node.inputs {
                match input {
                    Input::Link(link) if link.node == seen[at] => {}
                    Input::Link(_) | Input::Literal(_) => continue,
                }
                if node.class != REROUTE {
                    ends.push((id.clone(), name.clone()));
                } else if !seen.contains(id) {
                    seen.push(id.clone());
                }
            }
        }
        at += 1;
    }
    ends
}

/// Positions of the inputs that take `kind`, the best first: sockets of just that kind, other
/// sockets, then parameters.
pub fn fitting_inputs(shape: &Shape, kind: &str) -> Vec<usize> {
    let mut fitting: Vec<(u8, usize)> = Vec::new();
    for (at, input) in shape.inputs.iter().enumerate() {
        if accepts(&input.kind, kind) {
            let rank = match (input.is_parameter(), input.kind == kind) {
                (false, true) => 0,
                (false, false) if input.kind != "*" => 1,
                (true, true) => 2,
                (true, false) => 3,
                (false, false) => 4,
            };
            fitting.push((rank, at));
        }
    }
    fitting.sort_unstable();
    fitting.into_iter().map(|(_, at)| at).collect()
}

/// Positions of the outputs that an input of that kind takes, the best first.
pub fn fitting_outputs(shape: &Shape, kind: &str) -> Vec<usize> {
    let outputs = shape.outputs.iter().enumerate();
    let mut fitting: Vec<(bool, usize)> = outputs
        .filter(|(_, output)| accepts(kind, &output.kind))
        .map(|(at, output)| (output.kind != kind, at))
        .collect();
    fitting.sort_unstable();
    fitting.into_iter().map(|(_, at)| at).collect()
}

/// Puts a link at an input; a literal that stands there is remembered.
pub(crate) fn put_link(
    draft: &mut Draft,
    to: &NodeId,
    input: &str,
    from: Link,
) -> Result<(), EditError> {
    if let Some(node) = draft.graph().nodes.get(to)
        && let Some(Input::Literal(value)) = node.inputs.get(input)
        && let Some(mut values) = remembered(node)
    {
        values.insert(input.to_owned(), value.clone());
        draft.push(Edit::SetExtra {
            id: to.clone(),
            key: VALUES.to_owned(),
            value: Some(Value::Object(values)),
        })?;
    }
    draft.push(Edit::SetInput {
        node: to.clone(),
        input: input.to_owned(),
        value: Some(Input::Link(from)),
    })
}

/// Takes a link away; a literal that was remembered comes back.
pub(crate) fn take_link(draft: &mut Draft, to: &NodeId, input: &str) -> Result<(), EditError> {
    let node = draft.graph().nodes.get(to);
    if node.is_some_and(|it| !matches!(it.inputs.get(input), Some(Input::Link(_)))) {
        return Ok(());
    }
    let mut values = node.and_then(remembered).unwrap_or_default();
    let literal = values.shift_remove(input);
    let was_remembered = literal.is_some();
    draft.push(Edit::SetInput {
        node: to.clone(),
        input: input.to_owned(),
        value: literal.map(Input::Literal),
    })?;
    if was_remembered {
        draft.push(Edit::SetExtra {
            id: to.clone(),
            key: VALUES.to_owned(),
            value: (!values.is_empty()).then_some(Value::Object(values)),
        })?;
    }
    Ok(())
}

/// The literals a node remembers. `None` when a foreign file has something else there.
fn remembered(node: &Node) -> Option<Map<String, Value>> {
    match node.extra.get(VALUES) {
        None => Some(Map::new()),
        Some(Value::Object(values)) => Some(values.clone()),
        Some(_) => None,
    }
}
