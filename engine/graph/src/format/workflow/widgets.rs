//! Which value belongs to which widget.
//!
//! A workflow holds a node's values as a bare list in widget order. Some files name them as well
//! (`widgets_values_named`, or an object in place of the list), and today's editor lists every
//! widget among the sockets; only where neither helps does the declaration say the order: all
//! required inputs first, then the optional ones. A widget made into a socket keeps its place.

use serde_json::Value;

use super::shape::Item;
use crate::literal::fit;
use crate::{Declaration, InputDecl, InputType};

/// What follows a seed in the list: what the editor does to it after each run.
const CONTROLS: [&str; 6] = [
    "fixed",
    "increment",
    "decrement",
    "randomize",
    "increment-wrap",
    "decrement-wrap",
];
/// The name of that in files that name their values.
const CONTROL: &str = "control_after_generate";
/// The name of the button that loads a file, which is saved as if it were a value.
const BUTTON: &str = "upload";
/// Classes whose widgets were changed: with that many values, these are their names.
const CHANGED: [(&str, &[&str]); 4] = [
    ("CreateVideo", &["fps", "bit_depth", "color_space"]),
    ("CreateVideo", &["fps", "bit_depth", "color_space", "codec"]),
    (
        "SaveVideo",
        &["filename_prefix", "format", "format.codec", "codec"],
    ),
    (
        "SaveVideo",
        &[
            "filename_prefix",
            "format",
            "format.codec",
            "codec",
            "codec.encoding",
        ],
    ),
];

/// A node's values by name.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Values {
    pub named: Vec<(String, Value)>,
    /// What happens to which value after each run.
    pub controls: Vec<(String, String)>,
    /// Values that belong to no widget known here.
    pub rest: Vec<Value>,
    /// How many widgets were given a value, be it none.
    given: usize,
}

/// Names the values of a node. `declared` is its class's declaration, if the program knows it.
pub(super) fn values(item: &Item, declared: Option<&Declaration>) -> Values {
    match (named(item), item.json.get("widgets_values")) {
        (Some(values), _) => values,
        (None, Some(Value::Array(list))) => of_list(item, declared, list),
        _ => Values::default(),
    }
}

/// The values of a file that names them. Where it also lists them, the list is what the editor
/// loads, and the names say only what is what.
fn named(item: &Item) -> Option<Values> {
    let names = item.json.get("widgets_values_named");
    match (names, item.json.get("widgets_values")) {
        (Some(Value::Object(names)), Some(Value::Array(list))) if names.len() == list.len() => {
            Some(of_pairs(names.keys().zip(list)))
        }
        (_, Some(Value::Object(values))) | (Some(Value::Object(values)), _) => {
            Some(of_pairs(values))
        }
        _ => None,
    }
}

/// The values of a subgraph's instance: those of the ports that lead to widgets, in the order of
/// the ports; `proxies` are the ports in an older order.
pub(super) fn of_instance(item: &Item, promoted: &[&str], proxies: &[Option<&str>]) -> Values {
    if let Some(mut values) = named(item) {
        values
            .named
            .retain(|(name, _)| promoted.contains(&name.as_str()));
        return values;
    }
    let Some(Value::Array(list)) = item.json.get("widgets_values") else {
        return Values::default();
    };
    let mut values = Values::default();
    if list.len() == promoted.len() {
        for (name, value) in promoted.iter().zip(list) {
            values.put(name, value);
        }
        return values;
    }
    if list.len() == proxies.len() {
        for (name, value) in proxies.iter().zip(list) {
            // A widget that no port leads to has its value inside the definition.
            if let Some(name) = name {
                values.put(name, value);
            }
        }
        return values;
    }
    of_names(promoted, list)
}

fn of_pairs<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a Value)>) -> Values {
    let mut values = Values::default();
    for (name, value) in pairs {
        let is_control = is_control(value) && (name == CONTROL || CONTROLS.contains(&&**name));
        match values.named.last() {
            // It stands behind the value that it acts on, under its own name or an old word.
            Some((seed, _)) if is_control => {
                let seed = seed.clone();
                values.control(&seed, value);
            }
            _ => values.put(name, value),
        }
    }
    values
}

fn of_list(item: &Item, declared: Option<&Declaration>, list: &[Value]) -> Values {
    let changed = CHANGED
        .iter()
        .find(|(class, names)| *class == item.class && names.len() == list.len());
    if let Some((_, names)) = changed {
        return of_names(names, list);
    }
    let widgets = declared.map(widgets).unwrap_or_default();
    let mut sockets: Vec<&str> = (item.slots.iter())
        .filter_map(|it| it.widget.as_deref())
        .collect();
    let place = |name: &str| widgets.iter().position(|it| it.name == name);
    if sockets.iter().all(|it| place(it).is_some()) {
        // Old editors listed them in the order in which they had been made sockets.
        sockets.sort_by_key(|it| place(it));
    }
    if !sockets.is_empty() {
        let values = of_names(&sockets, list);
        if values.rest.is_empty() && values.given == sockets.len() {
            return values;
        }
    }
    if declared.is_some() {
        return of_widgets(&widgets, list);
    }
    Values {
        rest: list.to_vec(),
        ..Values::default()
    }
}

/// The inputs that have a widget, in the editor's order.
fn widgets(declared: &Declaration) -> Vec<&'static InputDecl> {
    let of = |required: bool| {
        (declared.inputs.iter())
            .filter(move |it| it.required == required && !matches!(it.ty, InputType::Socket(_)))
    };
    of(true).chain(of(false)).collect()
}

/// Every widget is known by name: a control word behind a whole number is the value of none.
fn of_names(names: &[&str], list: &[Value]) -> Values {
    let mut values = Values::default();
    let mut names = names.iter();
    let mut last = None;
    for value in list {
        match last.take() {
            Some(seed) if is_control(value) => values.control(seed, value),
            _ => match names.next() {
                Some(name) => {
                    values.put(name, value);
                    last = value.is_number().then_some(*name);
                }
                None if is_button(value) && values.rest.is_empty() => {}
                None => values.rest.push(value.clone()),
            },
        }
    }
    values
}

fn of_widgets(widgets: &[&'static InputDecl], list: &[Value]) -> Values {
    let mut values = Values::default();
    let mut list = list.iter().peekable();
    for (at, widget) in widgets.iter().enumerate() {
        let Some(value) = list.next() else { break };
        values.put(widget.name, value);
        let numeric = matches!(
            widget.ty,
            InputType::Int { .. } | InputType::Float { .. } | InputType::Choice { .. }
        );
        let seed = matches!(widget.ty, InputType::Int { seed: true, .. });
        let word = list.next_if(|next| {
            let taken = |it: &&InputDecl| fit(it, next).is_ok();
            is_control(next) && (seed || numeric && !widgets.get(at + 1).is_some_and(taken))
        });
        if let Some(word) = word {
            values.control(widget.name, word);
        }
        if matches!(widget.ty, InputType::File { .. }) && list.len() <= 1 {
            list.next_if(|next| is_button(next));
        }
    }
    values.rest.extend(list.cloned());
    values
}

/// What a button to load files leaves behind the file's name.
fn is_button(value: &Value) -> bool {
    value.is_null() || matches!(value.as_str(), Some("image" | "video" | "audio" | ""))
}

fn is_control(value: &Value) -> bool {
    value.as_str().is_some_and(|it| CONTROLS.contains(&it))
}

impl Values {
    /// `null` stands for a widget that has no value of its own.
    fn put(&mut self, name: &str, value: &Value) {
        self.given += 1;
        let button = name == BUTTON && is_button(value);
        if !button && !value.is_null() {
            self.named.push((name.to_owned(), value.clone()));
        }
    }

    fn control(&mut self, name: &str, word: &Value) {
        if let Some(word) = word.as_str() {
            self.controls.push((name.to_owned(), word.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::Kind;
    use crate::declare::{FileKind, choice, float, input_file, int, seed, socket, text};

    const SAMPLER: Declaration = Declaration {
        inputs: &[
            socket("model", Kind::MODEL),
            seed("seed"),
            int("steps", 20),
            float("cfg", 8.0).optional(),
            choice("sampler", "euler", &["euler", "fixed"]),
        ],
        ..Declaration::EMPTY
    };
    const LOADER: Declaration = Declaration {
        inputs: &[
            input_file("image", FileKind::Image),
            text("note", "").optional(),
        ],
        ..Declaration::EMPTY
    };

    fn check(declared: Option<&Declaration>, node: Value, wanted: Value, rest: &[Value]) {
        let Value::Object(node) = node else {
            panic!("a node")
        };
        let mut sheet = Map::new();
        sheet.insert("nodes".to_owned(), json!([node]));
        let sheet = super::super::shape::Sheet::take(&mut sheet);
        let found = values(&sheet.nodes[0], declared);
        let mut got: Map<String, Value> = found.named.into_iter().collect();
        for (name, word) in found.controls {
            got.insert(format!("{name}!"), word.into());
        }
        assert_eq!(
            (Value::Object(got), found.rest.as_slice()),
            (wanted, rest),
            "{node:?}"
        );
    }

    #[test]
    fn values_find_their_widgets() {
        let sampler = Some(&SAMPLER);
        let all =
            json!({"seed": 5, "steps": 9, "sampler": "euler", "cfg": 2.5, "seed!": "randomize"});
        // The declared order is the rule: optional ones last, and a word behind the seed.
        let list = json!([5, "randomize", 9, "euler", 2.5]);
        check(sampler, json!({"widgets_values": list}), all.clone(), &[]);
        check(
            sampler,
            json!({"widgets_values": [5, 9, "fixed", null, "extra"]}),
            json!({"seed": 5, "steps": 9, "sampler": "fixed"}),
            &[json!("extra")],
        );
        // Sockets of widgets name them in full, whatever the program knows…
        let socket = |name: &str| json!({"name": name, "widget": {"name": name}});
        let full = json!([{"name": "model"}, socket("seed"), socket("steps"), socket("new"), socket("cfg")]);
        check(
            sampler,
            json!({"inputs": full, "widgets_values": [5, "randomize", 9, "x", 2.5]}),
            json!({"seed": 5, "steps": 9, "new": "x", "cfg": 2.5, "seed!": "randomize"}),
            &[],
        );
        check(
            None,
            json!({"inputs": [socket("a"), socket("b")], "widgets_values": [1, {"x": 2}]}),
            json!({"a": 1, "b": {"x": 2}}),
            &[],
        );
        // … or only those that a person made into sockets, in any order.
        let some = json!([socket("cfg"), socket("steps")]);
        check(
            sampler,
            json!({"inputs": some, "widgets_values": list}),
            all.clone(),
            &[],
        );
        let every = json!([
            socket("sampler"),
            socket("steps"),
            socket("cfg"),
            socket("seed")
        ]);
        check(
            sampler,
            json!({"inputs": every, "widgets_values": list}),
            all.clone(),
            &[],
        );
        // Named values need no order.
        let named = json!({"seed": 5, "control_after_generate": "randomize", "cfg": 2.5, "sampler": "euler", "steps": 9});
        check(sampler, json!({"widgets_values": named}), all.clone(), &[]);
        let both = json!({"widgets_values": [1, 2], "widgets_values_named": named});
        check(sampler, both, all, &[]);
        // A list of the same length is newer than the names; the word has stood under itself.
        let both = json!({
            "widgets_values": [7, "increment", 8],
            "widgets_values_named": {"seed": 5, "fixed": "fixed", "steps": 9},
        });
        let newer = json!({"seed": 7, "steps": 8, "seed!": "increment"});
        check(sampler, both, newer, &[]);
        check(
            None,
            json!({"widgets_values": [1, 2]}),
            json!({}),
            &[json!(1), json!(2)],
        );
        check(None, json!({"widgets_values": "?"}), json!({}), &[]);
    }

    #[test]
    fn buttons_are_no_values() {
        let node = json!({"widgets_values": ["a.png", "image"]});
        check(Some(&LOADER), node, json!({"image": "a.png"}), &[]);
        let named = json!({"widgets_values": {"image": "a.png", "upload": "image"}});
        check(Some(&LOADER), named, json!({"image": "a.png"}), &[]);
        let changed = json!({"type": "SaveVideo", "widgets_values": ["p", "mp4", "h264", "auto"]});
        let wanted = json!({"filename_prefix": "p", "format": "mp4", "format.codec": "h264", "codec": "auto"});
        check(None, changed, wanted, &[]);
    }
}
