//! Writing a project file.

use serde_json::{Map, Value};

use super::{
    FILE_KEYS, GRAPH_KEYS, GROUP_KEYS, NODE_KEYS, NOTE_KEYS, PORT_KEYS, SUBGRAPH_KEYS, VERSION,
    wrapper,
};
use crate::format::print::Printer;
use crate::{Group, Input, Mode, Node, Note, Port, Project, Subgraph};

/// The text of a project file.
pub fn to_text(project: &Project) -> String {
    let mut p = Printer::default();
    p.begin('{');
    p.key("longtake");
    p.raw(&VERSION.to_string());
    print_graph(&mut p, project);
    if !project.subgraphs.is_empty() {
        p.key("subgraphs");
        p.begin('{');
        for (id, subgraph) in &project.subgraphs {
            p.key(id);
            print_subgraph(&mut p, subgraph);
        }
        p.end('}');
    }
    print_extra(
        &mut p,
        &project.extra,
        &[&FILE_KEYS[..], &GRAPH_KEYS].concat(),
    );
    p.end('}');
    p.finish()
}

/// The fields of a graph, in an object that is open.
fn print_graph(p: &mut Printer, graph: &Project) {
    p.key("title");
    p.quoted(&graph.title);
    p.key("nodes");
    p.begin('{');
    for (id, node) in &graph.nodes {
        p.key(id.as_str());
        print_node(p, node);
    }
    p.end('}');
    if !graph.groups.is_empty() {
        p.key("groups");
        p.begin('{');
        for (id, group) in &graph.groups {
            p.key(id);
            print_group(p, group);
        }
        p.end('}');
    }
    if !graph.notes.is_empty() {
        p.key("notes");
        p.begin('{');
        for (id, note) in &graph.notes {
            p.key(id);
            print_note(p, note);
        }
        p.end('}');
    }
}

fn print_subgraph(p: &mut Printer, subgraph: &Subgraph) {
    p.begin('{');
    for (key, ports) in [("inputs", &subgraph.inputs), ("outputs", &subgraph.outputs)] {
        p.key(key);
        p.begin('[');
        for port in ports {
            p.item();
            print_port(p, port);
        }
        p.end(']');
    }
    p.key("graph");
    p.begin('{');
    print_graph(p, &subgraph.graph);
    print_extra(p, &subgraph.graph.extra, &GRAPH_KEYS);
    p.end('}');
    print_extra(p, &subgraph.extra, &SUBGRAPH_KEYS);
    p.end('}');
}

/// A port is one line.
fn print_port(p: &mut Printer, port: &Port) {
    let mut fields = Map::new();
    fields.insert("name".to_owned(), Value::from(port.name.as_str()));
    fields.insert("kind".to_owned(), Value::from(port.kind.as_str()));
    if let Some(label) = &port.label {
        fields.insert("label".to_owned(), Value::from(label.as_str()));
    }
    for (key, value) in &port.extra {
        if !PORT_KEYS.contains(&key.as_str()) {
            fields.insert(key.clone(), value.clone());
        }
    }
    p.value(&Value::Object(fields));
}

fn print_node(p: &mut Printer, node: &Node) {
    let extra = node
        .extra
        .keys()
        .any(|key| !NODE_KEYS.contains(&key.as_str()));
    // A node that is all small things is one line: an open object, but never a new line in it.
    let one_line = node.inputs.is_empty() && !extra;
    if one_line {
        p.raw("{\"class\": ");
    } else {
        p.begin('{');
        p.key("class");
    }
    p.quoted(&node.class);
    if let Some(title) = &node.title {
        p.raw(", \"title\": ");
        p.quoted(title);
    }
    if let Some(pos) = &node.pos {
        p.raw(", \"pos\": ");
        p.points(pos);
    }
    if let Some(size) = &node.size {
        p.raw(", \"size\": ");
        p.points(size);
    }
    match node.mode {
        Mode::Active => {}
        Mode::Mute => p.raw(", \"mode\": \"mute\""),
        Mode::Bypass => p.raw(", \"mode\": \"bypass\""),
    }
    if let Some(colour) = &node.colour {
        p.raw(", \"colour\": ");
        p.quoted(colour);
    }
    if node.collapsed {
        p.raw(", \"collapsed\": true");
    }
    if one_line {
        p.raw("}");
        return;
    }
    if !node.inputs.is_empty() {
        p.key("inputs");
        p.begin('{');
        for (name, input) in &node.inputs {
            p.key(name);
            print_input(p, input);
        }
        p.end('}');
    }
    print_extra(p, &node.extra, &NODE_KEYS);
    p.end('}');
}

fn print_input(p: &mut Printer, input: &Input) {
    match input {
        Input::Link(link) => {
            p.raw("{\"link\": [");
            p.quoted(link.node.as_str());
            p.raw(&format!(", {}]}}", link.output));
        }
        Input::Literal(value) if wrapper(value).is_some() => {
            p.begin('{');
            p.key_beside("literal");
            p.value(value);
            p.end('}');
        }
        Input::Literal(value) => p.value(value),
    }
}

fn print_group(p: &mut Printer, group: &Group) {
    p.begin('{');
    p.key("title");
    p.quoted(&group.title);
    p.key_beside("bounds");
    p.points(&group.bounds);
    if let Some(colour) = &group.colour {
        p.key_beside("colour");
        p.quoted(colour);
    }
    print_extra(p, &group.extra, &GROUP_KEYS);
    p.end('}');
}

fn print_note(p: &mut Printer, note: &Note) {
    p.begin('{');
    p.key("text");
    p.quoted(&note.text);
    p.key("bounds");
    p.points(&note.bounds);
    print_extra(p, &note.extra, &NOTE_KEYS);
    p.end('}');
}

/// Unknown keys. One that has become known since (set by code, not by a file) is not written twice.
fn print_extra(p: &mut Printer, extra: &Map<String, Value>, known: &[&str]) {
    for (key, value) in extra
        .iter()
        .filter(|(key, _)| !known.contains(&key.as_str()))
    {
        p.key(key);
        p.value(value);
    }
}
