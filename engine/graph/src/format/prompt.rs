//! ComfyUI's prompt JSON ("API format"): a flat map from node id to class and inputs.
//!
//! As ComfyUI's server reads it (`validate_inputs` in its `execution.py`). A link is exactly `[node id, output]`, so a literal
//! list is wrapped as `{"__value__": […]}`. Writing leaves out what does not run; reading keeps
//! everything: what the format does not know stands under the key `comfyui` of `extra`, of the
//! node or the project, and is written back from there.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::print::Printer;
use super::{Wrong, shallow};
use crate::literal::describe;
use crate::live::{Live, Source};
use crate::{Catalog, Diagnostic, Input, Link, Node, NodeId, Place, Project, lower, say};

/// Where foreign keys are kept in `extra`.
const KEPT: &str = "comfyui";
/// ComfyUI's wrapper around a literal list.
const WRAP: &str = "__value__";

/// The prompt of what runs, and what of the graph could not be put into it.
pub fn to_text(project: &Project, catalog: &dyn Catalog) -> (String, Vec<Diagnostic>) {
    let lowered = lower(project, catalog);
    let live = Live::of(&lowered.project, catalog);
    let mut p = Printer::default();
    p.begin('{');
    for at in (0..live.wires.len()).filter(|at| live.runs[*at]) {
        p.key(live.node(at).0.as_str());
        print_node(&mut p, &live, at);
    }
    if let Some(Value::Object(kept)) = project.extra.get(KEPT) {
        for (key, value) in kept
            .iter()
            .filter(|(key, _)| !lowered.project.nodes.contains_key(key.as_str()))
        {
            p.key(key);
            p.value(value);
        }
    }
    p.end('}');
    let left_out = left_out(&live);
    let mut found = lowered.diagnostics;
    found.extend(left_out);
    (p.finish(), found)
}

fn print_node(p: &mut Printer, live: &Live<'_>, at: usize) {
    let node = live.node(at).1;
    // What an editor's workflow said of the node has no place in a prompt.
    let of_prompt = |kept: &&Map<String, Value>| !kept.contains_key("type");
    let kept = node.extra.get(KEPT).and_then(Value::as_object);
    let kept = kept.filter(of_prompt);
    p.begin('{');
    p.key("class_type");
    p.quoted(&node.class);
    let mut meta = Map::new();
    if let Some(title) = &node.title {
        meta.insert("title".to_owned(), json!(title));
    }
    match kept.and_then(|kept| kept.get("_meta")) {
        Some(Value::Object(more)) => {
            for (key, value) in more {
                meta.entry(key).or_insert_with(|| value.clone());
            }
        }
        Some(other) if meta.is_empty() => {
            p.key_beside("_meta");
            p.value(other);
        }
        _ => {}
    }
    if !meta.is_empty() {
        p.key_beside("_meta");
        p.value(&Value::Object(meta));
    }
    p.key("inputs");
    p.begin('{');
    for (name, input) in live.inputs(at) {
        p.key(name);
        match input {
            Input::Link(link) => {
                p.raw("[");
                p.quoted(link.node.as_str());
                p.raw(&format!(", {}]", link.output));
            }
            Input::Literal(value) if needs_wrap(&value) => p.value(&json!({ WRAP: value })),
            Input::Literal(value) => p.value(&value),
        }
    }
    p.end('}');
    for (key, value) in kept.into_iter().flatten() {
        if !matches!(key.as_str(), "class_type" | "inputs" | "_meta") {
            p.key(key);
            p.value(value);
        }
    }
    p.end('}');
}

fn needs_wrap(value: &Value) -> bool {
    match value {
        Value::Array(_) => true,
        Value::Object(map) => map.contains_key(WRAP),
        _ => false,
    }
}

/// Links that a prompt cannot hold, since nothing runs at their other end.
fn left_out(live: &Live<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for at in (0..live.wires.len()).filter(|at| live.runs[*at]) {
        let (id, node) = live.node(at);
        for wire in &live.wires[at] {
            let (Source::Muted(from) | Source::Nothing(from)) = wire.source else {
                continue;
            };
            let Some((name, _)) = node.inputs.get_index(wire.input) else {
                continue;
            };
            let message = say!(
                "the link is left out of the prompt, since node {} is muted or bypassed",
                "ノード {} がミュートまたはバイパスされているため、このリンクはプロンプトに含まれません。",
                live.node(from).0
            );
            let place = Place::node(id, &node.class).input(name);
            found.push(Diagnostic::warning("muted_input", place, message));
        }
    }
    found
}

/// Reads the top object of a prompt. What is wrong with single nodes goes to `found`.
pub(super) fn from_json(
    top: Map<String, Value>,
    found: &mut Vec<Diagnostic>,
) -> Result<Project, Wrong> {
    let mut project = Project::default();
    let mut foreign = Map::new();
    for (id, value) in top {
        match value {
            Value::Object(fields) => {
                let node = node(&id, fields, found)?;
                project.nodes.insert(NodeId::new(&id), node);
            }
            other => {
                kept_shallow(&[&id], &other)?;
                let place = Place {
                    node: Some(NodeId::new(&id)),
                    ..Place::default()
                };
                let found_here = describe(&other);
                let message = say!(
                    "expected a node (an object with `class_type`), found {found_here}; it is kept and not run",
                    "ノード(「class_type」を持つオブジェクト)ではありません(現在: {found_here})。そのまま残しますが、実行しません。";
                    found_here
                );
                found.push(Diagnostic::warning("not_a_node", place, message));
                foreign.insert(id, other);
            }
        }
    }
    if !foreign.is_empty() {
        project
            .extra
            .insert(KEPT.to_owned(), Value::Object(foreign));
    }
    Ok(project)
}

fn node(
    id: &str,
    mut fields: Map<String, Value>,
    found: &mut Vec<Diagnostic>,
) -> Result<Node, Wrong> {
    let class = match fields.shift_remove("class_type") {
        Some(Value::String(class)) => class,
        Some(other) => {
            return Err(Wrong::ty(
                &[id, "class_type"],
                &say!("the name of a node class", "ノードのクラス名"),
                &other,
            ));
        }
        None => String::new(), // reported by the check, in whichever file it is kept
    };
    let mut node = Node {
        class,
        inputs: IndexMap::new(),
        ..Node::default()
    };
    match fields.shift_remove("inputs") {
        None => {}
        Some(Value::Object(inputs)) => {
            for (name, value) in inputs {
                let input = input(id, &node.class, &name, value, found)?;
                node.inputs.insert(name, input);
            }
        }
        Some(other) => {
            return Err(Wrong::ty(
                &[id, "inputs"],
                &say!("an object of inputs", "入力のオブジェクト"),
                &other,
            ));
        }
    }
    if let Some(Value::Object(meta)) = fields.get_mut("_meta")
        && let Some(Value::String(title)) = meta.get("title")
    {
        node.title = Some(title.clone());
        meta.shift_remove("title");
        if meta.is_empty() {
            fields.shift_remove("_meta");
        }
    }
    for (key, value) in &fields {
        kept_shallow(&[id, key], value)?;
    }
    if !fields.is_empty() {
        node.extra.insert(KEPT.to_owned(), Value::Object(fields));
    }
    Ok(node)
}

fn input(
    id: &str,
    class: &str,
    name: &str,
    value: Value,
    found: &mut Vec<Diagnostic>,
) -> Result<Input, Wrong> {
    let path = [id, "inputs", name];
    let literal = match value {
        Value::Array(items) => {
            if let Some(link) = link(&items) {
                return Ok(Input::Link(link));
            }
            let value = Value::Array(items);
            let written = describe(&value);
            let message = say!(
                "expected a link `[\"node id\", output number]` or a literal list wrapped as \
                `{{\"{WRAP}\": […]}}`, found {written}",
                "リンク `[\"ノード ID\", 出力番号]` か、`{{\"{WRAP}\": […]}}` の形で包んだリストを指定してください\
                (現在: {written})。";
                written
            );
            let place = Place::node(&NodeId::new(id), class).input(name);
            found.push(Diagnostic::error("bad_linked_input", place, message));
            value
        }
        Value::Object(mut map) if map.len() == 1 && map.contains_key(WRAP) => {
            map.shift_remove(WRAP).unwrap_or_default()
        }
        other => other,
    };
    shallow(&path, &literal)?;
    Ok(Input::Literal(literal))
}

/// [`shallow`] for what is kept in an object of its own, one level further down.
fn kept_shallow(path: &[&str], value: &Value) -> Result<(), Wrong> {
    if crate::literal::fits_depth(value, super::MAX_LITERAL_DEPTH - 1) {
        Ok(())
    } else {
        Err(Wrong::too_deep(path))
    }
}

/// ComfyUI's `is_link`: a list of a text and a number.
fn link(items: &[Value]) -> Option<Link> {
    let [Value::String(node), Value::Number(output)] = items else {
        return None;
    };
    let whole = output
        .as_f64()
        .filter(|it| it.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(it));
    Some(Link {
        node: NodeId::new(node),
        output: whole? as u32,
    })
}
