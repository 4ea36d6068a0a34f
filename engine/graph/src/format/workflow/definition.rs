//! Subgraphs: their definitions, their ports, and the values that instances take from within.
//!
//! A port that leads to a widget is a widget of every instance. Its value stands at the instance,
//! or, as long as nobody changed it there, at the widget inside: then it is written to the
//! instance here, so that an instance says for itself what it runs with.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::shape::{Item, Sheet, Slot, kind, list, name, numbers, text};
use super::widgets::{self, Values};
use super::{Cx, Names, keeps, sheet};
use crate::{Input, Node, Port, Project, Subgraph, say};

/// Deepest nesting followed for a value.
const MAX_DEPTH: usize = 64;
/// Most definitions read from one file.
const MAX_DEFINITIONS: usize = 10_000;

/// What an instance has to know of its definition.
pub(super) struct Ports {
    pub inputs: Vec<PortFacts>,
    /// The port that leads to a widget inside: by node and widget.
    leads_to: HashMap<(String, String), String>,
}

/// An input port.
pub(super) struct PortFacts {
    pub name: String,
    /// It leads to a widget.
    pub widget: bool,
}

/// A definition whose inside is not built yet: all ports must be known first.
pub(super) struct Draft {
    title: String,
    inputs: Vec<Port>,
    pub outputs: Vec<Port>,
    pub input_bounds: Option<[f32; 4]>,
    pub output_bounds: Option<[f32; 4]>,
    sheet: Sheet,
    extra: Map<String, Value>,
}

/// Takes the definitions out of a workflow, those within definitions too.
pub(super) fn take(top: &mut Map<String, Value>, cx: &mut Cx<'_>) -> IndexMap<String, Draft> {
    let mut drafts = IndexMap::new();
    let mut open = subgraphs(top);
    open.reverse();
    while let Some(value) = open.pop() {
        let Value::Object(mut saved) = value else {
            cx.say(
                "workflow_subgraph",
                None,
                say!(
                    "a definition is no object; left out",
                    "オブジェクトではない定義を取り込みませんでした。"
                ),
            );
            continue;
        };
        open.extend(subgraphs(&mut saved).into_iter().rev());
        let Some(id) = saved.get("id").and_then(name) else {
            cx.say(
                "workflow_subgraph",
                None,
                say!(
                    "a definition has no id; left out",
                    "ID のない定義を取り込みませんでした。"
                ),
            );
            continue;
        };
        if drafts.len() >= MAX_DEFINITIONS {
            let message = say!(
                "more than {MAX_DEFINITIONS} definitions; the rest is left out",
                "定義が {MAX_DEFINITIONS} 個を超えています。残りは取り込みませんでした。"
            );
            cx.say("workflow_subgraph", None, message);
            break;
        }
        if drafts.contains_key(&id) || cx.catalog.declaration(&id).is_some() {
            let message = say!(
                "the id {} of a definition is taken; left out",
                "定義の ID {} は既に使われているため、取り込みませんでした。",
                super::short(&id)
            );
            cx.say("workflow_subgraph", None, message);
            continue;
        }
        let draft = Draft::take(saved, cx);
        cx.ports.insert(id.clone(), draft.facts());
        drafts.insert(id, draft);
    }
    drafts
}

fn subgraphs(graph: &mut Map<String, Value>) -> Vec<Value> {
    match graph.shift_remove("definitions") {
        Some(Value::Object(mut it)) => list(it.shift_remove("subgraphs")),
        _ => Vec::new(),
    }
}

impl Draft {
    fn take(mut saved: Map<String, Value>, cx: &mut Cx<'_>) -> Self {
        let bounds = |key: &str| numbers(saved.get(key).and_then(|it| it.get("bounding")));
        let (input_bounds, output_bounds) = (bounds("inputNode"), bounds("outputNode"));
        let title = text(saved.get("name")).unwrap_or_default();
        cx.scope = Some(title.clone());
        let inputs = ports(saved.shift_remove("inputs"), "input", cx);
        let outputs = ports(saved.shift_remove("outputs"), "output", cx);
        cx.scope = None;
        let sheet = Sheet::take(&mut saved);
        let mut extra = Map::new();
        for key in ["description", "category"] {
            if let Some(value) = saved.shift_remove(key).filter(keeps) {
                extra.insert(key.to_owned(), value);
            }
        }
        Self {
            title,
            inputs,
            outputs,
            input_bounds,
            output_bounds,
            sheet,
            extra,
        }
    }

    /// What instances have to know.
    fn facts(&self) -> Ports {
        let mut facts = Ports {
            inputs: (self.inputs.iter())
                .map(|it| PortFacts {
                    name: it.name.clone(),
                    widget: false,
                })
                .collect(),
            leads_to: HashMap::new(),
        };
        let items: HashMap<&str, &Item> = (self.sheet.nodes.iter())
            .map(|it| (it.id.as_str(), it))
            .collect();
        for wire in self
            .sheet
            .links
            .values()
            .filter(|it| it.from == Subgraph::INPUT)
        {
            let slot = items
                .get(wire.to.as_str())
                .and_then(|it| it.slots.get(wire.slot as usize));
            let port = facts.inputs.get_mut(wire.output as usize);
            if let (Some(port), Some(widget)) = (port, slot.and_then(|it| it.widget.clone())) {
                port.widget = true;
                let inside = (wire.to.clone(), widget);
                facts
                    .leads_to
                    .entry(inside)
                    .or_insert_with(|| port.name.clone());
            }
        }
        facts
    }

    /// Builds the inside.
    pub fn build(mut self, cx: &mut Cx<'_>) -> Subgraph {
        cx.scope = Some(self.title.clone());
        let inside = std::mem::take(&mut self.sheet);
        let mut graph = sheet::build(inside, cx, Some(&self));
        graph.title = self.title;
        Subgraph {
            inputs: self.inputs,
            outputs: self.outputs,
            graph,
            extra: self.extra,
        }
    }
}

fn ports(saved: Option<Value>, what: &str, cx: &mut Cx<'_>) -> Vec<Port> {
    let mut names = Names::default();
    let mut ports = Vec::new();
    for (at, value) in list(saved).into_iter().enumerate() {
        let label = |key: &str| text(value.get(key)).filter(|it| !it.is_empty());
        let wanted = label("name").unwrap_or_else(|| format!("{what}_{at}"));
        let name = names.fresh(&wanted);
        if name != wanted {
            let message = say!(
                "two ports are called `{}`; one is now {name}",
                "「{}」という名前のポートが 2 つあるため、一方を {name} にしました。",
                super::short(&wanted)
            );
            cx.say("workflow_subgraph", None, message);
        }
        ports.push(Port {
            label: label("label").filter(|it| *it != name),
            kind: kind(value.get("type")),
            name,
            extra: Map::new(),
        });
    }
    ports
}

impl Ports {
    /// The values of an instance.
    pub fn values(&self, item: &Item) -> Values {
        let own = |name: &str| {
            let is = |it: &Slot| it.name == name && it.widget.is_some();
            item.slots.iter().any(is)
        };
        let promoted: Vec<&str> = (self.inputs.iter())
            .filter(|port| port.widget || own(&port.name))
            .map(|it| it.name.as_str())
            .collect();
        widgets::of_instance(item, &promoted, &self.proxies(item))
    }

    /// The ports that `proxyWidgets` stand for: pairs of a node inside and its widget, as some
    /// versions of the editor listed an instance's widgets.
    fn proxies(&self, item: &Item) -> Vec<Option<&str>> {
        let pairs = (item.json.get("properties")).and_then(|it| it.get("proxyWidgets"));
        let Some(Value::Array(pairs)) = pairs else {
            return Vec::new();
        };
        let port = |pair: &Value| {
            let inside = (name(pair.get(0)?)?, text(pair.get(1))?);
            if inside.0 == "-1" {
                let port = self.inputs.iter().find(|it| it.name == inside.1)?;
                return Some(port.name.as_str());
            }
            self.leads_to.get(&inside).map(String::as_str)
        };
        pairs.iter().map(port).collect()
    }
}

/// Where a port leads.
enum Leads {
    Value(Value),
    /// To a port of another definition.
    Port(String, String),
}

/// Gives every instance the values that stand inside its definition and not at itself.
pub(super) fn fill(project: &mut Project, ports: &IndexMap<String, Ports>) {
    let leads: HashMap<String, HashMap<String, Leads>> = (project.subgraphs.iter())
        .map(|(id, subgraph)| (id.clone(), inside(subgraph, ports)))
        .collect();
    let fill = |node: &mut Node| {
        let Some(ports) = ports.get(&node.class) else {
            return;
        };
        for port in ports.inputs.iter().filter(|it| it.widget) {
            if node.inputs.contains_key(&port.name) {
                continue;
            }
            if let Some(value) = value_of(&leads, &node.class, &port.name) {
                node.inputs
                    .insert(port.name.clone(), Input::Literal(value.clone()));
            }
        }
    };
    project.nodes.values_mut().for_each(fill);
    for subgraph in project.subgraphs.values_mut() {
        subgraph.graph.nodes.values_mut().for_each(fill);
    }
}

fn value_of<'a>(
    leads: &'a HashMap<String, HashMap<String, Leads>>,
    definition: &str,
    port: &str,
) -> Option<&'a Value> {
    let mut at = leads.get(definition)?.get(port)?;
    for _ in 0..MAX_DEPTH {
        match at {
            Leads::Value(value) => return Some(value),
            Leads::Port(definition, port) => at = leads.get(definition)?.get(port)?,
        }
    }
    None // definitions within each other, in a ring
}

/// Where each port of a definition leads: to the first widget with a value, else to another port.
fn inside(subgraph: &Subgraph, ports: &IndexMap<String, Ports>) -> HashMap<String, Leads> {
    let mut leads = HashMap::new();
    for node in subgraph.graph.nodes.values() {
        let remembered = node.extra.get("values");
        for (name, input) in &node.inputs {
            let Input::Link(link) = input else { continue };
            let port = subgraph.inputs.get(link.output as usize);
            let Some(port) = port.filter(|_| link.node.as_str() == Subgraph::INPUT) else {
                continue;
            };
            if let Some(value) = remembered.and_then(|it| it.get(name)) {
                if !matches!(leads.get(&port.name), Some(Leads::Value(_))) {
                    leads.insert(port.name.clone(), Leads::Value(value.clone()));
                }
            } else if ports.contains_key(&node.class) {
                leads
                    .entry(port.name.clone())
                    .or_insert_with(|| Leads::Port(node.class.clone(), name.clone()));
            }
        }
    }
    leads
}
