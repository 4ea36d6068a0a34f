//! Sockets that no class declares: those of subgraph instances, of the border inside a subgraph,
//! and of reroutes.

use std::collections::HashMap;

use longtake_graph::document::{REROUTE, REROUTE_INPUT};
use longtake_graph::kind::accepts;
use longtake_graph::{Input, Link, Node, Port, Subgraph};

use crate::connect::ends;
use crate::language::{Language, Text, t};
use crate::scene::Scene;
use crate::shape::{InputShape, Origin, OutputShape, Shape};

const INPUTS: Text = t("Inputs", "入力");
const OUTPUTS: Text = t("Outputs", "出力");
const REROUTE_TITLE: Text = t("Reroute", "リルート");

/// Subgraphs within subgraphs that a port is followed into, and reroutes in a row.
const DEEPEST: usize = 32;

/// The shape of an instance, a border or a reroute; `None` for any other node.
pub(crate) fn virtual_shape(scene: &Scene<'_>, node: &Node, language: Language) -> Option<Shape> {
    if let Some((key, definition)) = scene.root.subgraphs.get_key_value(&node.class) {
        return Some(instance(scene, key, definition));
    }
    match node.class.as_str() {
        REROUTE => Some(reroute(scene, node, language)),
        Subgraph::INPUT_CLASS => {
            let ports = &scene.definition()?.inputs;
            Some(Shape {
                title: INPUTS.get(language).to_owned(),
                inputs: Vec::new(),
                outputs: ports.iter().map(output).collect(),
                origin: Origin::Border,
            })
        }
        Subgraph::OUTPUT_CLASS => {
            let ports = &scene.definition()?.outputs;
            Some(Shape {
                title: OUTPUTS.get(language).to_owned(),
                inputs: ports.iter().map(input).collect(),
                outputs: Vec::new(),
                origin: Origin::Border,
            })
        }
        _ => None,
    }
}

fn input(port: &Port) -> InputShape {
    InputShape {
        name: port.name.clone(),
        label: shown(port),
        kind: port.kind.clone(),
        decl: None,
        required: false,
    }
}

fn output(port: &Port) -> OutputShape {
    OutputShape {
        label: shown(port),
        kind: port.kind.clone(),
    }
}

fn shown(port: &Port) -> String {
    port.shown().replace('_', " ")
}

fn instance(scene: &Scene<'_>, key: &str, definition: &Subgraph) -> Shape {
    let mut known = Consumers::new();
    first_consumers(scene, key, definition, 0, &mut known);
    let consumers = known.remove(key).unwrap_or_default();
    let inputs = definition.inputs.iter().zip(consumers);
    let title = match definition.graph.title.as_str() {
        "" => key,
        title => title,
    };
    Shape {
        title: title.to_owned(),
        inputs: inputs
            .map(|(port, inner)| InputShape {
                decl: inner.as_ref().and_then(|it| it.decl),
                required: inner.is_some_and(|it| it.required),
                ..input(port)
            })
            .collect(),
        outputs: definition.outputs.iter().map(output).collect(),
        origin: Origin::Subgraph,
    }
}

/// For each input port of definitions, the input of a node inside that takes it.
type Consumers = HashMap<String, Vec<Option<InputShape>>>;

/// For each input port, finds the input of a node inside that takes it first, in document order. Each
/// definition is walked once, however often it is used.
fn first_consumers(
    scene: &Scene<'_>,
    key: &str,
    definition: &Subgraph,
    depth: usize,
    known: &mut Consumers,
) {
    let mut found: Vec<Option<InputShape>> = vec![None; definition.inputs.len()];
    // Known before its graph is entered: a definition that contains itself ends there.
    known.insert(key.to_owned(), found.clone());
    if depth >= DEEPEST {
        return;
    }
    let inner = scene.within(key);
    let nodes = &definition.graph.nodes;
    for (_, node) in nodes {
        for (name, value) in &node.inputs {
            let Some(port) = port_behind(&inner, value) else {
                continue;
            };
            match found.get_mut(port) {
                Some(slot @ None) if node.class != REROUTE => {
                    *slot = consumer(&inner, node, name, depth, known);
                }
                _ => {}
            }
        }
    }
    known.insert(key.to_owned(), found);
}

fn consumer(
    scene: &Scene<'_>,
    node: &Node,
    name: &str,
    depth: usize,
    known: &mut Consumers,
) -> Option<InputShape> {
    if let Some((key, definition)) = scene.root.subgraphs.get_key_value(&node.class) {
        let at = definition.inputs.iter().position(|it| it.name == *name)?;
        if !known.contains_key(key) {
            first_consumers(scene, key, definition, depth + 1, known);
        }
        return known.get(key)?.get(at)?.clone();
    }
    let declaration = scene.catalog.declaration(&node.class)?;
    let decl = declaration.input(name)?;
    Some(InputShape {
        name: name.to_owned(),
        label: String::new(),
        kind: decl.kind().as_str().to_owned(),
        decl: Some(decl),
        required: decl.required,
    })
}

/// The input port at the far end of a link, reroutes followed.
fn port_behind(scene: &Scene<'_>, value: &Input) -> Option<usize> {
    let Input::Link(link) = value else {
        return None;
    };
    let link = behind_reroutes(scene, link)?;
    let node = scene.node(&link.node)?;
    (node.class == Subgraph::INPUT_CLASS).then_some(link.output as usize)
}

/// The link that does not come from a reroute. `None` when nothing stands there.
pub(crate) fn behind_reroutes<'a>(scene: &Scene<'a>, mut link: &'a Link) -> Option<&'a Link> {
    // No more reroutes than nodes, unless they form a ring.
    for _ in 0..=scene.graph().nodes.len() {
        match scene.node(&link.node) {
            Some(node) if node.class == REROUTE => match node.inputs.get(REROUTE_INPUT) {
                Some(Input::Link(further)) => link = further,
                Some(Input::Literal(_)) | None => return None,
            },
            Some(_) | None => return Some(link),
        }
    }
    None
}

/// What a reroute carries: what its source gives, or else what it leads to takes.
fn reroute(scene: &Scene<'_>, node: &Node, language: Language) -> Shape {
    let source = match node.inputs.get(REROUTE_INPUT) {
        Some(Input::Link(link)) => behind_reroutes(scene, link),
        Some(Input::Literal(_)) | None => None,
    };
    let kind = source.and_then(|link| scene.output_kind(link));
    let kind = kind.or_else(|| kind_it_leads_to(scene, node));
    let kind = kind.unwrap_or_else(|| "*".to_owned());
    Shape {
        title: REROUTE_TITLE.get(language).to_owned(),
        inputs: vec![InputShape {
            name: REROUTE_INPUT.to_owned(),
            label: String::new(),
            kind: kind.clone(),
            decl: None,
            required: false,
        }],
        outputs: vec![OutputShape {
            label: String::new(),
            kind,
        }],
        origin: Origin::Reroute,
    }
}

fn kind_it_leads_to(scene: &Scene<'_>, node: &Node) -> Option<String> {
    let nodes = &scene.graph().nodes;
    // All reroutes of a tree without a source must agree, so the topmost is asked.
    let mut top = node;
    for _ in 0..=nodes.len() {
        match top.inputs.get(REROUTE_INPUT) {
            Some(Input::Link(link)) => match nodes.get(&link.node) {
                Some(above) if above.class == REROUTE => top = above,
                Some(_) | None => break,
            },
            Some(Input::Literal(_)) | None => break,
        }
    }
    let (id, _) = nodes.iter().find(|(_, it)| std::ptr::eq(*it, top))?;
    let kinds = ends(scene, id).into_iter().filter_map(|(end, input)| {
        let sockets = scene.shape(scene.node(&end)?).inputs;
        let socket = sockets.into_iter().find(|it| it.name == input)?;
        Some(socket.kind)
    });
    common(kinds)
}

/// What all of these sockets take; `*` when there is no such thing, as after a source that gave
/// anything has gone.
fn common(mut kinds: impl Iterator<Item = String>) -> Option<String> {
    let mut all = kinds.next()?;
    for kind in kinds {
        if all == "*" {
            all = kind;
            continue;
        }
        let taken = |it: &&str| accepts(&kind, it.trim());
        let both: Vec<&str> = all.split(',').filter(taken).collect();
        if both.is_empty() {
            return Some("*".to_owned());
        }
        all = both.join(",");
    }
    Some(all)
}
