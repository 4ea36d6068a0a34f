//! What a workflow file holds, read leniently: the same fields in every form that editors have
//! saved them in, and a default where one is missing or strange.

use indexmap::IndexMap;
use serde_json::{Map, Value};

/// A graph as saved: the workflow itself, or one definition of a subgraph.
#[derive(Default)]
pub(super) struct Sheet {
    pub nodes: Vec<Item>,
    pub links: IndexMap<i64, Wire>,
    pub bends: IndexMap<i64, Bend>,
    pub groups: Vec<Map<String, Value>>,
    /// Entries of the lists above that were none.
    pub strange: usize,
}

/// A node as saved.
pub(super) struct Item {
    pub id: String,
    pub class: String,
    pub slots: Vec<Slot>,
    pub outputs: Vec<Slot>,
    /// All of it, as it came.
    pub json: Map<String, Value>,
}

/// A socket as saved.
#[derive(Clone)]
pub(super) struct Slot {
    pub name: String,
    pub kind: String,
    pub link: Option<i64>,
    /// The widget that this is the socket of.
    pub widget: Option<String>,
}

/// A link as saved.
#[derive(Clone)]
pub(super) struct Wire {
    pub from: String,
    pub output: u32,
    pub to: String,
    pub slot: u32,
    /// The last reroute on its way.
    pub bend: Option<i64>,
}

/// A reroute as today's editor saves it: a point on a link.
pub(super) struct Bend {
    pub before: Option<i64>,
    pub pos: Option<[f32; 2]>,
}

impl Sheet {
    /// Takes the lists out of a graph's object; what else it holds stays there.
    pub fn take(graph: &mut Map<String, Value>) -> Self {
        let mut sheet = Self::default();
        for value in list(graph.shift_remove("nodes")) {
            match value {
                Value::Object(json) => sheet.nodes.push(Item::read(json)),
                _ => sheet.strange += 1,
            }
        }
        for value in list(graph.shift_remove("links")) {
            match link(&value) {
                Some((id, wire)) => drop(sheet.links.insert(id, wire)),
                // Old editors left `null` where a link was deleted.
                None => sheet.strange += usize::from(!value.is_null()),
            }
        }
        let mut extra = match graph.get_mut("extra") {
            Some(Value::Object(extra)) => std::mem::take(extra),
            _ => Map::new(),
        };
        let bends = graph
            .shift_remove("reroutes")
            .or_else(|| extra.shift_remove("reroutes"));
        for value in list(bends) {
            match bend(&value) {
                Some((id, bend)) => drop(sheet.bends.insert(id, bend)),
                None => sheet.strange += 1,
            }
        }
        for value in list(extra.shift_remove("linkExtensions")) {
            let ends = value.get("id").and_then(whole);
            match (ends, value.get("parentId").and_then(whole)) {
                (Some(id), Some(bend)) => {
                    if let Some(wire) = sheet.links.get_mut(&id) {
                        wire.bend = Some(bend);
                    }
                }
                _ => sheet.strange += 1,
            }
        }
        for value in list(graph.shift_remove("groups")) {
            match value {
                Value::Object(group) => sheet.groups.push(group),
                _ => sheet.strange += 1,
            }
        }
        sheet
    }
}

impl Item {
    fn read(json: Map<String, Value>) -> Self {
        let slots = |key: &str| match json.get(key) {
            Some(Value::Array(items)) => items.iter().map(slot).collect(),
            _ => Vec::new(),
        };
        Self {
            id: json.get("id").and_then(name).unwrap_or_default(),
            class: text(json.get("type")).unwrap_or_default(),
            slots: slots("inputs"),
            outputs: slots("outputs"),
            json,
        }
    }

    /// A text field that is not empty.
    pub fn text(&self, key: &str) -> Option<String> {
        text(self.json.get(key)).filter(|it| !it.is_empty())
    }
}

fn slot(value: &Value) -> Slot {
    let widget = value.get("widget").and_then(|it| text(it.get("name")));
    Slot {
        name: text(value.get("name")).unwrap_or_default(),
        kind: kind(value.get("type")),
        link: value.get("link").and_then(whole),
        widget,
    }
}

/// A socket's type: a name, a list of choices in old files, or a number for "anything".
pub(super) fn kind(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(kind)) => kind.clone(),
        Some(Value::Array(_)) => "COMBO".to_owned(),
        _ => "*".to_owned(),
    }
}

/// Both forms of a link: `[id, node, output, node, input, type]` and an object.
fn link(value: &Value) -> Option<(i64, Wire)> {
    let wire = |id: &Value, ends: [&Value; 4], bend: Option<&Value>| {
        let [from, output, to, slot] = ends;
        let wire = Wire {
            from: name(from)?,
            output: u32::try_from(whole(output)?).ok()?,
            to: name(to)?,
            slot: u32::try_from(whole(slot)?).ok()?,
            bend: bend.and_then(whole),
        };
        Some((whole(id)?, wire))
    };
    match value {
        Value::Array(parts) => match parts.as_slice() {
            [id, from, output, to, slot, ..] => wire(id, [from, output, to, slot], None),
            _ => None,
        },
        Value::Object(map) => {
            let ends = [
                map.get("origin_id")?,
                map.get("origin_slot")?,
                map.get("target_id")?,
                map.get("target_slot")?,
            ];
            wire(map.get("id")?, ends, map.get("parentId"))
        }
        _ => None,
    }
}

fn bend(value: &Value) -> Option<(i64, Bend)> {
    let bend = Bend {
        before: value.get("parentId").and_then(whole),
        pos: numbers(value.get("pos")),
    };
    Some((whole(value.get("id")?)?, bend))
}

/// A list, or nothing.
pub(super) fn list(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

/// A text.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(str::to_owned)
}

/// An id: a number or a text.
pub(super) fn name(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(_) => Some(match whole(value) {
            Some(number) => number.to_string(),
            None => value.to_string(),
        }),
        _ => None,
    }
}

/// A whole number, also as text or with a point.
pub(super) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let real = number.as_f64()?;
            (real.fract() == 0.0 && real.abs() < 9e15).then_some(real as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Points: a list, or an object with the keys `0`, `1`, … as typed arrays were saved.
pub(super) fn numbers<const N: usize>(value: Option<&Value>) -> Option<[f32; N]> {
    let value = value?;
    let mut points = [0.0; N];
    for (at, point) in points.iter_mut().enumerate() {
        let number = match value {
            Value::Array(items) => items.get(at)?,
            Value::Object(map) => map.get(at.to_string().as_str())?,
            _ => return None,
        };
        *point = number
            .as_f64()
            .map(|it| it as f32)
            .filter(|it| it.is_finite())?;
    }
    Some(points)
}

/// A colour as `#rrggbb`, from that or `#rgb`.
pub(super) fn colour(value: Option<&Value>) -> Option<String> {
    let hex = value?.as_str()?.strip_prefix('#')?;
    if !hex.bytes().all(|it| it.is_ascii_hexdigit()) {
        return None;
    }
    match hex.len() {
        3 => Some(hex.chars().fold("#".to_owned(), |mut long, digit| {
            long.extend([digit, digit]);
            long
        })),
        6 => Some(format!("#{hex}")),
        _ => None,
    }
}
