//! The project file, `*.longtake`: the whole document, versioned, in document order.
//!
//! ```json
//! {
//!   "longtake": 1,
//!   "title": "Rain",
//!   "nodes": {
//!     "7": {
//!       "class": "KSampler", "title": "Shot sampler", "pos": [40, 80], "mode": "mute",
//!       "inputs": {
//!         "model": {"link": ["3", 0]},
//!         "seed": 5
//!       }
//!     }
//!   },
//!   "groups": {"g1": {"title": "Sampling", "bounds": [0, 0, 400, 300]}},
//!   "notes": {"n1": {"text": "try 20 steps", "bounds": [0, 320, 200, 80]}}
//! }
//! ```
//!
//! A literal stands as itself. Only an object whose single key is `link` or `literal` could be
//! taken for something else, so it is wrapped: `{"literal": {"link": …}}`. Keys that this version
//! does not know are kept (`extra`) and written back behind the known ones.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::print::Printer;
use super::{ReadErrorKind, Wrong, shallow};
use crate::{Group, Input, Link, Mode, Node, NodeId, Note, Project};

/// The version written, and the newest one read.
pub const VERSION: u64 = 1;

const TOP_KEYS: [&str; 5] = ["longtake", "title", "nodes", "groups", "notes"];
const NODE_KEYS: [&str; 8] = [
    "class",
    "title",
    "pos",
    "size",
    "mode",
    "colour",
    "collapsed",
    "inputs",
];
const GROUP_KEYS: [&str; 3] = ["title", "bounds", "colour"];
const NOTE_KEYS: [&str; 2] = ["text", "bounds"];

/// The text of a project file.
pub fn to_text(project: &Project) -> String {
    let mut p = Printer::default();
    p.begin('{');
    p.key("longtake");
    p.raw(&VERSION.to_string());
    p.key("title");
    p.quoted(&project.title);
    p.key("nodes");
    p.begin('{');
    for (id, node) in &project.nodes {
        p.key(id.as_str());
        print_node(&mut p, node);
    }
    p.end('}');
    if !project.groups.is_empty() {
        p.key("groups");
        p.begin('{');
        for (id, group) in &project.groups {
            p.key(id);
            print_group(&mut p, group);
        }
        p.end('}');
    }
    if !project.notes.is_empty() {
        p.key("notes");
        p.begin('{');
        for (id, note) in &project.notes {
            p.key(id);
            print_note(&mut p, note);
        }
        p.end('}');
    }
    print_extra(&mut p, &project.extra, &TOP_KEYS);
    p.end('}');
    p.finish()
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

/// The single key and its value, of an object that could be taken for a link or a wrapped literal.
fn wrapper(value: &Value) -> Option<(&str, &Value)> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    let (key, inner) = map.iter().next()?;
    matches!(key.as_str(), "link" | "literal").then_some((key.as_str(), inner))
}

/// Reads the top object of a project file.
pub(super) fn from_json(mut top: Map<String, Value>) -> Result<Project, Wrong> {
    version(top.shift_remove("longtake").unwrap_or_default())?;
    let mut project = Project {
        title: text(&["title"], top.shift_remove("title"))?.unwrap_or_default(),
        ..Project::default()
    };
    for (id, value) in object(&["nodes"], top.shift_remove("nodes"))? {
        let node = node(&["nodes", &id], value)?;
        project.nodes.insert(NodeId::new(&id), node);
    }
    for (id, value) in object(&["groups"], top.shift_remove("groups"))? {
        let path = ["groups", &id];
        let mut fields = object(&path, Some(value))?;
        let group = Group {
            title: text(&["groups", &id, "title"], fields.shift_remove("title"))?
                .unwrap_or_default(),
            bounds: points(&["groups", &id, "bounds"], fields.shift_remove("bounds"))?
                .unwrap_or_default(),
            colour: text(&["groups", &id, "colour"], fields.shift_remove("colour"))?,
            extra: kept(&path, fields)?,
        };
        project.groups.insert(id, group);
    }
    for (id, value) in object(&["notes"], top.shift_remove("notes"))? {
        let path = ["notes", &id];
        let mut fields = object(&path, Some(value))?;
        let note = Note {
            text: text(&["notes", &id, "text"], fields.shift_remove("text"))?.unwrap_or_default(),
            bounds: points(&["notes", &id, "bounds"], fields.shift_remove("bounds"))?
                .unwrap_or_default(),
            extra: kept(&path, fields)?,
        };
        project.notes.insert(id, note);
    }
    project.extra = kept(&[], top)?;
    Ok(project)
}

fn version(found: Value) -> Result<(), Wrong> {
    match found.as_u64() {
        Some(VERSION) => Ok(()),
        Some(newer) if newer > VERSION => Err(Wrong {
            kind: ReadErrorKind::Newer,
            ..Wrong::new(
                &["longtake"],
                format!(
                    "this project was saved by a newer Longtake (file version {newer}, this \
                    program reads up to {VERSION}); update Longtake to open it"
                ),
            )
        }),
        _ => Err(Wrong::ty(
            &["longtake"],
            "a file version, 1 or more",
            &found,
        )),
    }
}

fn node(path: &[&str; 2], value: Value) -> Result<Node, Wrong> {
    let mut fields = object(path, Some(value))?;
    let at = |key: &'static str| [path[0], path[1], key];
    let class = match fields.shift_remove("class") {
        Some(class) => text(&at("class"), Some(class))?.unwrap_or_default(),
        None => {
            return Err(Wrong::new(
                path,
                "expected a `class`, the name of a node class; found none",
            ));
        }
    };
    let mut node = Node {
        class,
        title: text(&at("title"), fields.shift_remove("title"))?,
        pos: points(&at("pos"), fields.shift_remove("pos"))?,
        size: points(&at("size"), fields.shift_remove("size"))?,
        mode: mode(&at("mode"), fields.shift_remove("mode"))?,
        colour: text(&at("colour"), fields.shift_remove("colour"))?,
        collapsed: truth(&at("collapsed"), fields.shift_remove("collapsed"))?,
        inputs: IndexMap::new(),
        extra: Map::new(),
    };
    for (name, value) in object(&at("inputs"), fields.shift_remove("inputs"))? {
        let input = input(&[path[0], path[1], "inputs", &name], value)?;
        node.inputs.insert(name, input);
    }
    node.extra = kept(path, fields)?;
    Ok(node)
}

fn input(path: &[&str], value: Value) -> Result<Input, Wrong> {
    let input = match wrapper(&value) {
        Some(("link", end)) => Input::Link(link(path, end)?),
        Some((_, literal)) => Input::Literal(literal.clone()),
        None => Input::Literal(value),
    };
    if let Input::Literal(value) = &input {
        shallow(path, value)?;
    }
    Ok(input)
}

fn link(path: &[&str], end: &Value) -> Result<Link, Wrong> {
    let parts = end.as_array().map(Vec::as_slice);
    if let Some([Value::String(node), output]) = parts
        && let Some(output) = output.as_u64().and_then(|at| u32::try_from(at).ok())
    {
        return Ok(Link {
            node: NodeId::new(node),
            output,
        });
    }
    let expected = "a link `[\"node id\", output number]` (an object literal with the key `link` is \
        written `{\"literal\": {…}}`)";
    Err(Wrong::ty(path, expected, end))
}

fn object(path: &[&str], value: Option<Value>) -> Result<Map<String, Value>, Wrong> {
    match value {
        None => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(other) => Err(Wrong::ty(path, "an object `{…}`", &other)),
    }
}

fn text(path: &[&str], value: Option<Value>) -> Result<Option<String>, Wrong> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(Wrong::ty(path, "a text", &other)),
    }
}

fn truth(path: &[&str], value: Option<Value>) -> Result<bool, Wrong> {
    match value {
        None => Ok(false),
        Some(Value::Bool(truth)) => Ok(truth),
        Some(other) => Err(Wrong::ty(path, "true or false", &other)),
    }
}

fn mode(path: &[&str], value: Option<Value>) -> Result<Mode, Wrong> {
    let Some(value) = value else {
        return Ok(Mode::Active);
    };
    match value.as_str() {
        Some("active") => Ok(Mode::Active),
        Some("mute") => Ok(Mode::Mute),
        Some("bypass") => Ok(Mode::Bypass),
        _ => Err(Wrong::ty(
            path,
            "one of \"active\", \"mute\", \"bypass\"",
            &value,
        )),
    }
}

fn points<const N: usize>(path: &[&str], value: Option<Value>) -> Result<Option<[f32; N]>, Wrong> {
    let Some(value) = value else {
        return Ok(None);
    };
    let numbers = value
        .as_array()
        .filter(|items| items.len() == N)
        .and_then(|items| {
            let number = |item: &Value| item.as_f64().map(|n| n as f32).filter(|n| n.is_finite());
            items.iter().map(number).collect::<Option<Vec<f32>>>()
        });
    match numbers.and_then(|numbers| <[f32; N]>::try_from(numbers).ok()) {
        Some(points) => Ok(Some(points)),
        None => Err(Wrong::ty(
            path,
            &format!("a list of {N} numbers (points on the canvas)"),
            &value,
        )),
    }
}

/// The keys that no field took.
fn kept(path: &[&str], fields: Map<String, Value>) -> Result<Map<String, Value>, Wrong> {
    for (key, value) in &fields {
        shallow(&[path, &[key.as_str()]].concat(), value)?;
    }
    Ok(fields)
}
