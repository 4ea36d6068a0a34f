//! Graphs as lines of text, read and shown.
//!
//! `5 Mix a<1.0 amount=3 @b=7`: node 5 takes output 0 of node 1 and a literal, and remembers one;
//! `5! Mix` is muted, `5? Mix` bypassed. `[soft a:LATENT -> out:LATENT]` starts a definition.

use longtake_graph::{Input, Link, Mode, Node, NodeId, Port, Project, Subgraph};
use serde_json::{Map, Value};

pub fn graph(text: &str) -> Project {
    let mut project = Project::default();
    let mut open: Option<(String, Subgraph)> = None;
    for line in text.lines().map(str::trim).filter(|it| !it.is_empty()) {
        if let Some(header) = line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            project.subgraphs.extend(open.take());
            let (inputs, outputs) = header.split_once("->").expect("ports");
            let (name, inputs) = inputs.split_once(' ').expect("a name");
            let subgraph = Subgraph {
                inputs: ports(inputs),
                outputs: ports(outputs),
                ..Subgraph::default()
            };
            open = Some((name.to_owned(), subgraph));
            continue;
        }
        let (id, node) = node(line);
        match &mut open {
            Some((_, subgraph)) => subgraph.graph.nodes.insert(id, node),
            None => project.nodes.insert(id, node),
        };
    }
    project.subgraphs.extend(open);
    project
}

fn ports(text: &str) -> Vec<Port> {
    let port = |it: &str| {
        let (name, kind) = it.split_once(':').expect("name:KIND");
        Port {
            name: name.to_owned(),
            kind: kind.to_owned(),
            ..Port::default()
        }
    };
    text.split_whitespace().map(port).collect()
}

fn node(line: &str) -> (NodeId, Node) {
    let mut words = line.split_whitespace();
    let id = words.next().expect("an id");
    let (id, mode) = match (id.strip_suffix('!'), id.strip_suffix('?')) {
        (Some(id), _) => (id, Mode::Mute),
        (_, Some(id)) => (id, Mode::Bypass),
        _ => (id, Mode::Active),
    };
    let mut node = Node {
        class: words.next().expect("a class").to_owned(),
        mode,
        ..Node::default()
    };
    let mut remembered = Map::new();
    for word in words {
        if let Some((name, from)) = word.split_once('<') {
            let (from, output) = from.rsplit_once('.').expect("node.output");
            let link = Link {
                node: from.into(),
                output: output.parse().expect("a number"),
            };
            node.inputs.insert(name.to_owned(), Input::Link(link));
            continue;
        }
        let (name, value) = word.split_once('=').expect("name=value");
        let value: Value = serde_json::from_str(value).expect("JSON");
        match name.strip_prefix('@') {
            Some(name) => drop(remembered.insert(name.to_owned(), value)),
            None => drop(node.inputs.insert(name.to_owned(), Input::Literal(value))),
        }
    }
    if !remembered.is_empty() {
        node.extra.insert("values".to_owned(), remembered.into());
    }
    (id.into(), node)
}

/// The nodes in the same notation, without what they remember.
pub fn shown(project: &Project) -> String {
    let input = |(name, input): (&String, &Input)| match input {
        Input::Link(link) => format!(" {name}<{}.{}", link.node, link.output),
        Input::Literal(value) => format!(" {name}={value}"),
    };
    let node = |(id, node): (&NodeId, &Node)| {
        let mode = match node.mode {
            Mode::Active => "",
            Mode::Mute => "!",
            Mode::Bypass => "?",
        };
        let inputs: Vec<_> = node.inputs.iter().map(input).collect();
        format!("{id}{mode} {}{}\n", node.class, inputs.concat())
    };
    let nodes: Vec<_> = project.nodes.iter().map(node).collect();
    nodes.concat()
}
