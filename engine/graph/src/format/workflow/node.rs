//! One node of a workflow.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::shape::{Item, Slot, colour, numbers, whole};
use super::sheet::{Builder, End};
use super::widgets::{self, Values};
use super::{KEPT, keeps, short};
use crate::document::{REROUTE, REROUTE_INPUT, is_virtual};
use crate::{Declaration, Input, Mode, Node, say};

/// Fields of `extra`, as agreed in the document.
const CONTROL: &str = "control_after_generate";
const VALUES: &str = "values";
/// Values of a known class that it has no widget for.
const MORE: &str = "more_values";

/// Builds a node with its inputs.
pub(super) fn build(builder: &mut Builder<'_, '_>, item: Item) -> Node {
    let declared = builder.cx.catalog.declaration(&item.class);
    let ports = builder.cx.ports.get(&item.class);
    let known = declared.is_some() || ports.is_some();
    let values = match ports {
        Some(ports) => ports.values(&item),
        None => widgets::values(&item, declared),
    };
    let mut node = Node {
        title: item.text("title").filter(|it| *it != item.class),
        mode: mode(builder, &item),
        pos: numbers(item.json.get("pos")),
        size: numbers(item.json.get("size")),
        colour: colour(item.json.get("color")),
        collapsed: item.json.get("flags").and_then(|it| it.get("collapsed")) == Some(&json!(true)),
        ..Node::default()
    };
    inputs(builder, &item, declared, values, known, &mut node);
    let models = item.json.get("properties").and_then(|it| it.get("models"));
    if let Some(models) = models.filter(|it| known && keeps(it)) {
        node.extra.insert("models".to_owned(), models.clone());
    }
    if !known && !is_virtual(&item.class) {
        *builder.cx.unknown.entry(item.class.clone()).or_insert(0) += 1;
        let kept = original(item.json);
        node.extra.insert(KEPT.to_owned(), Value::Object(kept));
    }
    node.class = item.class;
    node
}

/// All of an unknown node, but for values that no file of ours could hold.
fn original(mut json: Map<String, Value>) -> Map<String, Value> {
    let one_deeper =
        |value: &Value| crate::literal::fits_depth(value, super::MAX_LITERAL_DEPTH - 1);
    json.retain(|_, value| one_deeper(value));
    json
}

fn mode(builder: &mut Builder<'_, '_>, item: &Item) -> Mode {
    match item.json.get("mode").and_then(whole) {
        None | Some(0) => Mode::Active,
        Some(2) => Mode::Mute,
        Some(4) => Mode::Bypass,
        Some(other) => {
            let message = say!(
                "mode {other} is not used any more; the node takes part",
                "モード {other} は使われなくなりました。ノードは有効として扱います。"
            );
            builder
                .cx
                .say("workflow_node", Some((&item.id, &item.class)), message);
            Mode::Active
        }
    }
}

/// Values, then links: a link at a widget's socket wins, and its value is remembered.
fn inputs(
    builder: &mut Builder<'_, '_>,
    item: &Item,
    declared: Option<&'static Declaration>,
    values: Values,
    known: bool,
    node: &mut Node,
) {
    let at = Some((item.id.as_str(), item.class.as_str()));
    for (name, value) in values.named {
        if keeps(&value) {
            node.inputs.insert(name, Input::Literal(value));
        } else {
            let message = say!(
                "the value of `{}` is nested too deeply; left out",
                "「{}」の値は入れ子が深すぎるため、取り込みませんでした。",
                short(&name)
            );
            builder.cx.say("workflow_values", at, message);
        }
    }
    let mut remembered = Map::new();
    let mut linked: HashSet<String> = HashSet::new();
    for slot in &item.slots {
        let Some(link) = slot.link else { continue };
        let name = input_name(item, slot, declared);
        let Some(input) = builder.follow(link) else {
            let message = say!(
                "the link at `{}` begins nowhere in this workflow; left out",
                "「{}」のリンク元がこのワークフローにないため、取り込みませんでした。",
                short(name)
            );
            builder.cx.say("workflow_link", at, message);
            continue;
        };
        if !linked.insert(name.to_owned()) {
            let message = say!(
                "two sockets are called `{}`; the first link stays",
                "「{}」という名前のソケットが 2 つあります。最初のリンクを残しました。",
                short(name)
            );
            builder.cx.say("workflow_link", at, message);
            continue;
        }
        let is_link = matches!(input, Input::Link(_));
        if let Some(Input::Literal(old)) = node.inputs.insert(name.to_owned(), input)
            && is_link
        {
            remembered.insert(name.to_owned(), old);
        }
    }
    if let Some(declared) = declared {
        let place = |name: &str| declared.inputs.iter().position(|it| it.name == name);
        node.inputs
            .sort_by_cached_key(|name, _| place(name).unwrap_or(usize::MAX));
    }
    if known && !values.rest.is_empty() {
        let message = say!(
            "{} values belong to no widget that this program knows; they are kept and not used",
            "このプログラムが知らないウィジェットの値が {} 個あります。残しますが、使いません。",
            values.rest.len()
        );
        builder.cx.say("workflow_values", at, message);
        let rest = Value::Array(values.rest);
        if keeps(&rest) {
            node.extra.insert(MORE.to_owned(), rest);
        }
    }
    if !remembered.is_empty() {
        node.extra
            .insert(VALUES.to_owned(), Value::Object(remembered));
    }
    controls(values.controls, node);
}

fn controls(controls: Vec<(String, String)>, node: &mut Node) {
    let mut map = Map::new();
    for (name, word) in controls {
        let word = word.strip_suffix("-wrap").unwrap_or(&word);
        map.insert(name, word.into());
    }
    if !map.is_empty() {
        node.extra.insert(CONTROL.to_owned(), Value::Object(map));
    }
}

/// The input that a socket is: its own name, but the widget's where only that is declared.
fn input_name<'a>(item: &Item, slot: &'a Slot, declared: Option<&Declaration>) -> &'a str {
    if item.class == REROUTE {
        return REROUTE_INPUT;
    }
    let has = |name: &str| declared.is_some_and(|it| it.input(name).is_some());
    match &slot.widget {
        Some(widget) if !has(&slot.name) && has(widget) => widget,
        _ => &slot.name,
    }
}

/// Makes a `PrimitiveNode` the node of its type. What is of no such type (a choice, a file) cannot
/// be a node: then its value, for each of its links.
pub(super) fn primitive(builder: &mut Builder<'_, '_>, item: &mut Item) -> Option<End> {
    let list = match item.json.get("widgets_values") {
        Some(Value::Array(list)) => list.clone(),
        Some(Value::Object(named)) => named.values().cloned().collect(),
        _ => Vec::new(),
    };
    let value = list.into_iter().next().unwrap_or_default();
    let kind = item.outputs.first().map_or("*", |it| it.kind.as_str());
    let class = match (kind, &value) {
        ("INT", _) => "PrimitiveInt",
        ("FLOAT", _) => "PrimitiveFloat",
        ("BOOLEAN", _) => "PrimitiveBoolean",
        ("STRING", Value::String(text)) if text.contains('\n') => "PrimitiveStringMultiline",
        ("STRING", _) => "PrimitiveString",
        _ => "",
    };
    if builder.cx.catalog.declaration(class).is_some() {
        class.clone_into(&mut item.class);
        return None;
    }
    if value.is_null() || !keeps(&value) {
        return Some(End::Nothing);
    }
    let message = say!(
        "a primitive of this type is no node here: its value stands at each input it led to",
        "この型のプリミティブはここではノードになりません。値は、つながっていた各入力に書き込みました。"
    );
    let at = Some((item.id.as_str(), item.class.as_str()));
    builder.cx.say("workflow_node", at, message);
    Some(End::Value(value))
}
