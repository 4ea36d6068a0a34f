//! A hand that makes random gestures, the same ones each time.

use longtake_graph::{Edit, Input, Link, NodeId};
use serde_json::{Value, json};

use super::super::fake::Classes;
use crate::shape::Shape;
use crate::subgraph::Side;
use crate::{Action, Command, Item, LooseLink, Selection, Studio, Text, WindowAction, t};

const DRAG: Text = t("Move", "移動");
const TYPE: Text = t("Change value", "値を変更");
const TITLE: Text = t("Title", "題名");

/// Classes that are added: one nobody knows, too.
const ADDED: &[&str] = &[
    "KSampler",
    "ImageScale",
    "SaveVideo",
    "VAEDecode",
    "Pair",
    "CLIPTextEncode",
    "Reroute",
    "ModelSamplingSD3",
    "UNETLoader",
    "EmptyHunyuanLatentVideo",
    "NobodyKnowsIt",
];

const COMMANDS: &[Command] = &[
    Command::Undo,
    Command::Undo,
    Command::Redo,
    Command::Cut,
    Command::Copy,
    Command::Paste,
    Command::PasteLinked,
    Command::Duplicate,
    Command::Delete,
    Command::DeleteHeal,
    Command::SelectAll,
    Command::AddNote,
    Command::Mute,
    Command::Bypass,
    Command::Collapse,
    Command::ResetValues,
    Command::Group,
    Command::MakeSubgraph,
    Command::MakeSubgraph,
    Command::UnpackSubgraph,
    Command::EnterSubgraph,
    Command::EnterSubgraph,
    Command::RemoveUnused,
    Command::LeaveSubgraph,
    Command::AutoLayout,
    Command::AlignLeft,
    Command::AlignRight,
    Command::AlignTop,
    Command::AlignBottom,
    Command::SpaceAcross,
    Command::SpaceDown,
];

/// Marsaglia's xorshift: the same gestures each time.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % sides.max(1)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.roll(from.len()))
    }

    fn point(&mut self) -> [f32; 2] {
        [self.roll(2000) as f32, self.roll(2000) as f32]
    }
}

pub struct Hand {
    pub dice: Dice,
    pub studio: Studio,
}

impl Hand {
    fn node(&mut self) -> NodeId {
        let ids: Vec<NodeId> = self.studio.session.graph().nodes.keys().cloned().collect();
        self.dice
            .pick(&ids)
            .cloned()
            .unwrap_or_else(|| "404".into())
    }

    fn shape(&self, id: &NodeId) -> Option<Shape> {
        let scene = self.studio.session.scene(&Classes);
        Some(scene.shape(scene.node(id)?))
    }

    fn input(&mut self) -> (NodeId, String) {
        let id = self.node();
        let names: Vec<String> = self
            .shape(&id)
            .map(|it| it.inputs.into_iter().map(|it| it.name).collect())
            .unwrap_or_default();
        let name = self.dice.pick(&names).cloned();
        (id, name.unwrap_or_else(|| "nothing".to_owned()))
    }

    /// An input that is linked, if there is one.
    fn linked(&mut self) -> (NodeId, String) {
        let mut all = Vec::new();
        for (id, node) in &self.studio.session.graph().nodes {
            let inputs = node
                .inputs
                .iter()
                .filter(|it| matches!(it.1, Input::Link(_)));
            all.extend(inputs.map(|(name, _)| (id.clone(), name.clone())));
        }
        match self.dice.pick(&all).cloned() {
            Some(found) => found,
            None => self.input(),
        }
    }

    fn output(&mut self) -> Link {
        let node = self.node();
        let count = self.shape(&node).map_or(0, |it| it.outputs.len());
        let output = self.dice.roll(count + 1) as u32;
        Link { node, output }
    }

    /// An output that the input takes, if there is one.
    fn fitting(&mut self, (id, input): &(NodeId, String)) -> Link {
        for _ in 0..30 {
            let from = self.output();
            let scene = self.studio.session.scene(&Classes);
            if crate::connect::fits(&scene, id, input, &from).is_ok() {
                return from;
            }
        }
        self.output()
    }

    fn loose(&mut self) -> LooseLink {
        if self.dice.roll(2) == 0 {
            let (node, input) = self.input();
            LooseLink::FromInput { node, input }
        } else {
            let Link { node, output } = self.output();
            LooseLink::FromOutput { node, output }
        }
    }

    fn item(&mut self) -> Item {
        let graph = self.studio.session.graph();
        let nodes = graph.nodes.keys().cloned().map(Item::Node);
        let groups = graph.groups.keys().cloned().map(Item::Group);
        let notes = graph.notes.keys().cloned().map(Item::Note);
        let all: Vec<Item> = nodes.chain(groups).chain(notes).collect();
        let none = || Item::Group("none".to_owned());
        self.dice.pick(&all).cloned().unwrap_or_else(none)
    }

    fn select(&mut self) {
        let count = 1 + self.dice.roll(5);
        let items: Vec<Item> = (0..count).map(|_| self.item()).collect();
        self.act(Action::Select(Selection::of(items)));
        // Only what exists can be picked on the canvas.
        let graph = self.studio.session.graph().clone();
        self.studio.session.selection.keep_existing(&graph);
    }

    fn act(&mut self, action: Action) {
        self.studio.act(action);
        // There is no desktop whose clipboard comes first.
        for wish in self.studio.window_wishes() {
            if let WindowAction::Paste { linked } = wish {
                self.studio.paste_last(linked);
            }
        }
    }

    pub fn gesture(&mut self) {
        match self.dice.roll(21) {
            0..=2 => self.add(),
            3..=5 => {
                let to = self.input();
                let from = self.fitting(&to);
                self.act(Action::Connect {
                    to: to.0,
                    input: to.1,
                    from,
                });
            }
            6 => self.relink(),
            15 => self.splice(),
            7..=9 => self.select(),
            10 => self.drag(),
            11 => self.typing(),
            12 => self.rename(),
            13 => self.ports(),
            14 => self.texts(),
            _ => {
                let command = *self.dice.pick(COMMANDS).unwrap();
                self.studio.mouse = self.dice.point();
                self.act(Action::Command(command));
            }
        }
    }

    /// All links of an output to another one; a node into a link.
    fn splice(&mut self) {
        let action = if self.dice.roll(2) == 0 {
            let (id, input) = self.linked();
            let node = self.studio.session.graph().nodes.get(&id);
            let from = match node.and_then(|it| it.inputs.get(&input)) {
                Some(Input::Link(link)) => Some(link.clone()),
                _ => None,
            };
            let from = from.unwrap_or_else(|| self.output());
            let to = self.output();
            Action::MoveLinks { from, to }
        } else {
            let (to, input) = self.linked();
            let (node, pos) = (self.node(), self.dice.point());
            Action::PutInto {
                node,
                pos,
                to,
                input,
            }
        };
        self.act(action);
    }

    fn add(&mut self) {
        let keys: Vec<String> = self
            .studio
            .session
            .project()
            .subgraphs
            .keys()
            .cloned()
            .collect();
        let own = self
            .dice
            .pick(&keys)
            .filter(|_| self.dice.0.is_multiple_of(4))
            .cloned();
        let class = own.unwrap_or_else(|| (*self.dice.pick(ADDED).unwrap()).to_owned());
        let link = (self.dice.roll(2) == 0).then(|| self.loose());
        let pos = self.dice.point();
        self.act(Action::AddNode { class, pos, link });
    }

    fn relink(&mut self) {
        let (to, input) = self.linked();
        match self.dice.roll(4) {
            0 => self.act(Action::Disconnect { to, input }),
            1 => {
                let other = self.input();
                self.act(Action::Relink {
                    from: (to, input),
                    to: other,
                });
            }
            2 => {
                let pos = self.dice.point();
                self.act(Action::Bend { to, input, pos });
            }
            _ => {
                let exposed = self.dice.roll(2) == 0;
                self.act(Action::Expose {
                    node: to,
                    input,
                    exposed,
                });
            }
        }
    }

    /// Several frames, as a drag makes; not every drag is ended.
    fn drag(&mut self) {
        let ids: Vec<NodeId> = self.studio.session.selection.nodes().cloned().collect();
        for _ in 0..=self.dice.roll(6) {
            let pos = Some(self.dice.point());
            let moves = ids.iter().cloned().map(|id| Edit::Move { id, pos });
            let edit = Edit::Batch(moves.collect());
            self.act(Action::Live(DRAG, edit));
        }
        if self.dice.roll(2) == 0 {
            self.act(Action::Settle);
        }
    }

    fn typing(&mut self) {
        let (node, input) = self.input();
        let linked = self.studio.session.graph().nodes.get(&node);
        if linked.is_some_and(|it| matches!(it.inputs.get(&input), Some(Input::Link(_)))) {
            return; // such a parameter has no editor
        }
        for _ in 0..=self.dice.roll(5) {
            let value = match self.dice.roll(4) {
                0 => json!(self.dice.roll(100)),
                1 => json!({"link": ["1", 0]}),
                2 => Value::Null,
                _ => json!(self.dice.roll(100) as f64 / 7.0),
            };
            let edit = crate::values::set(&node, &input, value);
            self.act(Action::Live(TYPE, edit));
        }
        self.act(Action::Settle);
    }

    fn rename(&mut self) {
        let item = self.item();
        match self.dice.roll(4) {
            0 => self.act(Action::Rename(item, " a name".to_owned())),
            1 => self.act(Action::Rename(item, String::new())),
            2 => self.act(Action::Colour(Some("#336699".to_owned()))),
            _ => {
                let title = self.dice.roll(9).to_string();
                self.act(Action::Edit(TITLE, Edit::SetProjectTitle { title }));
            }
        }
    }

    fn ports(&mut self) {
        let side = [Side::Input, Side::Output][self.dice.roll(2)];
        let index = self.dice.roll(4);
        match self.dice.roll(4) {
            0 => self.act(Action::RemovePort(side, index)),
            1 => self.act(Action::RenamePort(side, index, "label".to_owned())),
            _ => {
                let end = self.loose();
                self.act(Action::AddPort(end));
            }
        }
    }

    fn texts(&mut self) {
        let done = self.studio.session.history().done().len();
        match self.dice.roll(6) {
            0 => {
                let text = r#"{"1": {"class_type": "Pair", "inputs": {}}, "2": {"class_type":
                    "SaveVideo", "inputs": {"images": ["1", 1]}}}"#;
                self.act(Action::Paste {
                    text: text.to_owned(),
                    linked: true,
                });
            }
            1 => self.act(Action::Paste {
                text: "no graph".to_owned(),
                linked: false,
            }),
            2 => {
                let back = self.dice.roll(12);
                self.act(Action::HistoryTo(done.saturating_sub(back)));
            }
            3 => self.act(Action::HistoryTo(done + 6)),
            4 => {
                let id = self.node();
                let control = json!({"seed": "increment"});
                if self.studio.session.graph().nodes.contains_key(&id) {
                    let edit = Edit::SetExtra {
                        id,
                        key: "control_after_generate".to_owned(),
                        value: Some(control),
                    };
                    self.act(Action::Edit(TYPE, edit));
                }
            }
            _ => {
                crate::seed::after_queue(&mut self.studio.session, &Classes).unwrap();
            }
        }
    }

    /// Keeps the document small enough to look through after each gesture.
    pub fn prune(&mut self) {
        let project = self.studio.session.project();
        let inner = project.subgraphs.values().map(|it| it.graph.nodes.len());
        if project.nodes.len() + inner.sum::<usize>() > 120 {
            self.act(Action::LeaveTo(0));
            for command in [Command::SelectAll, Command::Delete, Command::RemoveUnused] {
                self.act(Action::Command(command));
            }
        }
    }
}
