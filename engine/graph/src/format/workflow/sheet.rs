//! One graph of a workflow: the root, or what lies within a subgraph.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::definition::Draft;
use super::reroute::{Before, Ways};
use super::shape::{Item, Sheet, Wire, colour, numbers, text};
use super::{Cx, Names, keeps, node};
use crate::document::{REROUTE, REROUTE_INPUT};
use crate::{Group, Input, Link, Node, NodeId, Note, Project, Subgraph, say};

/// What stands for a saved node where links begin at it.
pub(super) enum End {
    /// This node.
    Node(NodeId),
    /// The value that a `PrimitiveNode` gave to each of its links.
    Value(Value),
    /// Nothing: notes have no outputs.
    Nothing,
}

/// A graph being built.
pub(super) struct Builder<'a, 'b> {
    pub cx: &'a mut Cx<'b>,
    pub project: Project,
    /// By the ids in the file.
    ends: HashMap<String, End>,
    links: indexmap::IndexMap<i64, Wire>,
    ways: Ways,
    /// Links that an input has named.
    used: HashSet<i64>,
    /// Id of the node of each reroute.
    bend_ids: HashMap<i64, NodeId>,
}

/// Builds a graph. `draft` is the definition whose inside it is.
pub(super) fn build(mut sheet: Sheet, cx: &mut Cx<'_>, draft: Option<&Draft>) -> Project {
    if sheet.strange > 0 {
        let message = say!(
            "{} entries of the lists of nodes, links, reroutes and groups are none; left out",
            "ノード、リンク、リルート、グループの一覧のうち {} 項目は形式が違うため、取り込みませんでした。",
            sheet.strange
        );
        cx.say("workflow_shape", None, message);
    }
    let mut builder = Builder {
        cx,
        project: Project::default(),
        ends: HashMap::new(),
        links: std::mem::take(&mut sheet.links),
        ways: Ways::default(),
        used: HashSet::new(),
        bend_ids: HashMap::new(),
    };
    let mut names = Names::default();
    if let Some(draft) = draft {
        builder.borders(draft, &mut names);
    }
    let items = builder.place(std::mem::take(&mut sheet.nodes), &mut names);
    builder.reroutes(&sheet, &mut names);
    for (id, item) in items {
        let node = node::build(&mut builder, item);
        builder.project.nodes.insert(id, node);
    }
    if let Some(draft) = draft {
        builder.leave(draft);
    }
    builder.unused();
    builder.groups(sheet.groups);
    builder.project
}

impl Builder<'_, '_> {
    /// The nodes at a definition's border.
    fn borders(&mut self, draft: &Draft, names: &mut Names) {
        for (id, class, bounds) in [
            (Subgraph::INPUT, Subgraph::INPUT_CLASS, draft.input_bounds),
            (
                Subgraph::OUTPUT,
                Subgraph::OUTPUT_CLASS,
                draft.output_bounds,
            ),
        ] {
            names.fresh(id);
            let node = Node {
                class: class.to_owned(),
                pos: bounds.map(|[x, y, ..]| [x, y]),
                size: bounds.map(|[_, _, width, height]| [width, height]),
                ..Node::default()
            };
            self.project.nodes.insert(NodeId::new(id), node);
        }
        self.ends.insert(
            Subgraph::INPUT.to_owned(),
            End::Node(NodeId::new(Subgraph::INPUT)),
        );
    }

    /// Gives every node its id and takes out what is none: notes, and primitives that are values.
    fn place(&mut self, items: Vec<Item>, names: &mut Names) -> Vec<(NodeId, Item)> {
        let mut placed = Vec::with_capacity(items.len());
        for mut item in items {
            let wanted = if item.id.is_empty() { "node" } else { &item.id };
            let id = names.fresh(wanted);
            if id != item.id {
                let message = say!(
                    "the id is missing or taken; the node is now {id}",
                    "ID がないか既に使われているため、ノードの ID を {id} にしました。"
                );
                self.cx
                    .say("workflow_node", Some((&id, &item.class)), message);
            }
            let id = NodeId::new(id);
            let end = match item.class.as_str() {
                "Note" | "MarkdownNote" => {
                    self.note(&id, &item);
                    End::Nothing
                }
                "PrimitiveNode" => match node::primitive(self, &mut item) {
                    Some(end) => end,
                    None => End::Node(id.clone()),
                },
                _ => End::Node(id.clone()),
            };
            let stays = matches!(end, End::Node(_));
            // Links to an id that stands twice belong to the first.
            self.ends.entry(item.id.clone()).or_insert(end);
            if stays {
                placed.push((id, item));
            }
        }
        placed
    }

    fn note(&mut self, id: &NodeId, item: &Item) {
        let text = match item.json.get("widgets_values") {
            Some(Value::Array(values)) => text(values.first()),
            Some(Value::Object(values)) => {
                text(values.get("text")).or_else(|| text(values.values().next()))
            }
            _ => None,
        };
        let [x, y] = numbers(item.json.get("pos")).unwrap_or_default();
        let [width, height] = numbers(item.json.get("size")).unwrap_or([210.0, 88.0]);
        let mut extra = Map::new();
        if let Some(title) = item.text("title") {
            extra.insert("title".to_owned(), title.into());
        }
        if let Some(colour) = colour(item.json.get("color")) {
            extra.insert("colour".to_owned(), colour.into());
        }
        let note = Note {
            text: text.unwrap_or_default(),
            bounds: [x, y, width, height],
            extra,
        };
        self.project.notes.insert(id.as_str().to_owned(), note);
    }

    /// Where a link begins, without its reroutes.
    fn source(ends: &HashMap<String, End>, wire: &Wire) -> Option<Link> {
        match ends.get(&wire.from)? {
            End::Node(node) => Some(Link {
                node: node.clone(),
                output: wire.output,
            }),
            End::Value(_) | End::Nothing => None,
        }
    }

    fn reroutes(&mut self, sheet: &Sheet, names: &mut Names) {
        let ends = &self.ends;
        self.ways = Ways::of(&self.links, &sheet.bends, |wire| Self::source(ends, wire));
        let made: Vec<i64> = self.ways.before.keys().copied().collect();
        for bend in &made {
            let id = NodeId::new(names.fresh(&format!("r{bend}")));
            self.bend_ids.insert(*bend, id);
        }
        for bend in made {
            let link = match &self.ways.before[&bend] {
                Before::Source(link) => Some(link.clone()),
                Before::Bend(before) => self.bend_link(*before),
            };
            let node = Node {
                class: REROUTE.to_owned(),
                inputs: link
                    .map(|link| (REROUTE_INPUT.to_owned(), Input::Link(link)))
                    .into_iter()
                    .collect(),
                pos: sheet.bends.get(&bend).and_then(|it| it.pos),
                ..Node::default()
            };
            self.project
                .nodes
                .insert(self.bend_ids[&bend].clone(), node);
        }
        let lost = sheet.bends.len() - self.bend_ids.len();
        if lost > 0 || self.ways.straight > 0 {
            let message = say!(
                "{lost} reroutes lie on no link or in a ring and are left out; {} links go straight",
                "リンク上にないか輪になっているリルート {lost} 個を取り込みませんでした。リンク {} 本は直接つながります。",
                self.ways.straight
            );
            self.cx.say("workflow_reroute", None, message);
        }
    }

    fn bend_link(&self, bend: i64) -> Option<Link> {
        let node = self.bend_ids.get(&bend)?.clone();
        Some(Link { node, output: 0 })
    }

    /// What stands at an input that names this link; `None` when the link leads nowhere.
    pub fn follow(&mut self, link: i64) -> Option<Input> {
        self.used.insert(link);
        let wire = self.links.get(&link)?;
        if let Some(End::Value(value)) = self.ends.get(&wire.from) {
            return Some(Input::Literal(value.clone()));
        }
        let last = self.ways.last.get(&link);
        match last.and_then(|bend| self.bend_link(*bend)) {
            Some(link) => Some(Input::Link(link)),
            None => Self::source(&self.ends, wire).map(Input::Link),
        }
    }

    /// The links that leave a definition.
    fn leave(&mut self, draft: &Draft) {
        let leaving: Vec<(i64, u32)> = self
            .links
            .iter()
            .filter(|(_, wire)| wire.to == Subgraph::OUTPUT)
            .map(|(id, wire)| (*id, wire.slot))
            .collect();
        for (id, slot) in leaving {
            let Some(input) = self.follow(id) else {
                continue;
            };
            let port = draft.outputs.get(slot as usize).map(|it| it.name.clone());
            let Some(port) = port else {
                let message = say!(
                    "a link leaves through output {slot}, which it does not have",
                    "存在しない出力 {slot} から出るリンクがあります。"
                );
                self.cx.say("workflow_link", None, message);
                continue;
            };
            if let Some(border) = self.project.nodes.get_mut(Subgraph::OUTPUT) {
                border.inputs.entry(port).or_insert(input);
            }
        }
    }

    fn unused(&mut self) {
        let unused = self
            .links
            .keys()
            .filter(|it| !self.used.contains(*it))
            .count();
        if unused > 0 {
            let message = say!(
                "{unused} links of the table stand at no input and are left out, as ComfyUI does",
                "どの入力にもつながらないリンク {unused} 本を、ComfyUI と同じく取り込みませんでした。"
            );
            self.cx.say("workflow_link", None, message);
        }
    }

    fn groups(&mut self, groups: Vec<Map<String, Value>>) {
        let mut names = Names::default();
        for (at, mut saved) in groups.into_iter().enumerate() {
            let number = saved.get("id").and_then(super::shape::whole);
            let id = names.fresh(&format!("g{}", number.unwrap_or(at as i64 + 1)));
            let mut extra = Map::new();
            for key in ["font_size", "flags", "locked"] {
                let value = saved.shift_remove(key).filter(keeps);
                if let Some(value) = value.filter(|it| *it != json!({})) {
                    extra.insert(key.to_owned(), value);
                }
            }
            let group = Group {
                title: text(saved.get("title")).unwrap_or_default(),
                bounds: numbers(saved.get("bounding")).unwrap_or_default(),
                colour: colour(saved.get("color")),
                extra,
            };
            self.project.groups.insert(id, group);
        }
    }
}
