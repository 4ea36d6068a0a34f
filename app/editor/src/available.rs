//! Which commands can be done now, and why the others cannot. Menus and the palette show it; a key
//! that was pressed all the same is answered with it.
//!
//! Asked for every command in every frame in which a menu is open: only what is at hand is looked
//! at. What takes longer to find out is said when the command is tried.

use longtake_graph::{Input, NodeId};
use longtake_plan::{Info, Plan, Step};

use crate::action::ViewerAction;
use crate::command::Command;
use crate::items::chosen;
use crate::language::{Text, t};
use crate::selection::Item;
use crate::studio::Studio;
use crate::subgraph::unused;

const EMPTY: Text = t("The open graph is empty.", "開いているグラフは空です。");
const NOTHING_TO_RUN: Text = t(
    "There is nothing to run: the graph is empty.",
    "実行するものがありません。グラフが空です。",
);
const NOTHING_DONE: Text = t("There is nothing to undo.", "元に戻す変更がありません。");
const NOTHING_UNDONE: Text = t(
    "There is nothing to do again.",
    "やり直す変更がありません。",
);
const NOTHING_SELECTED: Text = t(
    "Select a node, a group or a note first.",
    "先にノード、グループ、メモのいずれかを選択してください。",
);
const NO_NODE: Text = t("Select a node first.", "先にノードを選択してください。");
const NO_INSTANCE: Text = t(
    "Select a subgraph first.",
    "先にサブグラフを選択してください。",
);
const NO_TITLE: Text = t(
    "The inputs and outputs of a subgraph have no title; name their sockets instead.",
    "サブグラフの入力と出力にはタイトルがありません。ソケットに名前を付けてください。",
);
const ALL_DEFAULT: Text = t(
    "Every value of what is selected is at its default.",
    "選択したものの値はすべて既定値です。",
);
const ALL_USED: Text = t(
    "Every subgraph of this document is used.",
    "この文書のサブグラフはすべて使われています。",
);
const NOT_INSIDE: Text = t("No subgraph is open.", "サブグラフを開いていません。");
const NOT_TWO: Text = t(
    "Select two nodes or notes first, or more.",
    "先にノードかメモを 2 つ以上選択してください。",
);
const NOT_THREE: Text = t(
    "Select three nodes or notes first, or more.",
    "先にノードかメモを 3 つ以上選択してください。",
);
const NOTHING_RUNS: Text = t("Nothing is running.", "実行中のジョブはありません。");
const NOT_TO_SEE: Text = t(
    "This node makes nothing to look at. Select one that makes pictures or a latent, or an output.",
    "このノードの結果は表示できません。画像や潜在変数を作るノードか、出力ノードを選択してください。",
);

impl Studio {
    /// Why a command cannot be done now; `None` when it can be.
    pub fn unavailable(&self, command: Command) -> Option<Text> {
        let need = |there: bool, why: Text| (!there).then_some(why);
        let session = &self.session;
        let (graph, history) = (session.graph(), session.history());
        match command {
            Command::New
            | Command::Open
            | Command::Gallery
            | Command::Save
            | Command::SaveAs
            | Command::Quit
            // Whether the desktop's clipboard holds a graph is known once it is read.
            | Command::Paste
            | Command::PasteLinked
            | Command::Settings
            | Command::AddNode
            | Command::AddNote
            | Command::Palette
            | Command::ZoomOne
            | Command::ToggleInspector
            | Command::TogglePlan
            | Command::ToggleQueue
            | Command::ToggleViewer
            | Command::ToggleModels
            | Command::ToggleHistory
            | Command::ResetPanels
            | Command::ToggleMinimap
            | Command::ToggleTheme
            | Command::Pause => None,
            Command::Export | Command::AutoLayout => need(!graph.nodes.is_empty(), EMPTY),
            Command::SelectAll | Command::Fit => need(
                !(graph.nodes.is_empty() && graph.groups.is_empty() && graph.notes.is_empty()),
                EMPTY,
            ),
            Command::Undo => need(!history.done().is_empty(), NOTHING_DONE),
            Command::Redo => need(!history.undone().is_empty(), NOTHING_UNDONE),
            Command::Cut
            | Command::Copy
            | Command::Duplicate
            | Command::Delete
            | Command::DeleteHeal => need(self.holds_something(), NOTHING_SELECTED),
            Command::Group | Command::FitSelection => {
                need(!session.selection.is_empty(), NOTHING_SELECTED)
            }
            Command::Rename => self.no_title(),
            Command::Mute | Command::Bypass | Command::Collapse | Command::MakeSubgraph => {
                need(!self.chosen().is_empty(), NO_NODE)
            }
            Command::ResetValues => self.all_default(),
            Command::UnpackSubgraph => {
                let instance = self.chosen().iter().any(|id| self.is_instance(id));
                need(instance, NO_INSTANCE)
            }
            Command::EnterSubgraph => {
                let focus = session.selection.focus_node();
                need(focus.is_some_and(|id| self.is_instance(id)), NO_INSTANCE)
            }
            Command::RemoveUnused => need(!unused(session.project()).is_empty(), ALL_USED),
            Command::LeaveSubgraph => need(!session.scope().is_empty(), NOT_INSIDE),
            Command::AlignLeft
            | Command::AlignRight
            | Command::AlignTop
            | Command::AlignBottom => need(self.placeable() > 1, NOT_TWO),
            Command::SpaceAcross | Command::SpaceDown => need(self.placeable() > 2, NOT_THREE),
            Command::ViewResult | Command::CompareResult => self.not_to_see(),
            Command::Run => need(!session.project().nodes.is_empty(), NOTHING_TO_RUN),
            Command::RunSelected => need(session.selection.focus_node().is_some(), NO_NODE),
            Command::Cancel => need(self.queue.running().is_some(), NOTHING_RUNS),
        }
    }

    /// The selected nodes that may be changed.
    fn chosen(&self) -> Vec<NodeId> {
        chosen(self.session.graph(), &self.session.selection)
    }

    /// Whether something is selected that can be copied and deleted.
    fn holds_something(&self) -> bool {
        let mut items = self.session.selection.items();
        items.any(|it| !matches!(it, Item::Node(_))) || !self.chosen().is_empty()
    }

    fn is_instance(&self, id: &NodeId) -> bool {
        let node = self.session.graph().nodes.get(id);
        node.is_some_and(|it| self.session.project().subgraphs.contains_key(&it.class))
    }

    /// How many of the selected things have a place of their own: a group is a frame around others.
    fn placeable(&self) -> usize {
        let items = self.session.selection.items();
        items.filter(|it| !matches!(it, Item::Group(_))).count()
    }

    fn no_title(&self) -> Option<Text> {
        match self.session.selection.focus() {
            None => Some(NOTHING_SELECTED),
            Some(Item::Group(_) | Item::Note(_)) => None,
            Some(Item::Node(id)) => {
                let node = self.session.graph().nodes.get(id);
                node.is_none_or(crate::scene::is_border).then_some(NO_TITLE)
            }
        }
    }

    fn all_default(&self) -> Option<Text> {
        let chosen = self.chosen();
        if chosen.is_empty() {
            return Some(NO_NODE);
        }
        let nodes = &self.session.graph().nodes;
        let written = |id: &NodeId| {
            let mut inputs = nodes[id].inputs.values();
            inputs.any(|it| matches!(it, Input::Literal(_)))
        };
        // Cheap first: most of what is selected has something written.
        let scene = self.session.scene(self.engine.catalog());
        let some = chosen.iter().any(written);
        let none = !some || crate::draft::is_empty(&crate::values::reset(&scene, &chosen));
        none.then_some(ALL_DEFAULT)
    }

    fn not_to_see(&self) -> Option<Text> {
        let Some(id) = self.session.selection.focus_node() else {
            return Some(NO_NODE);
        };
        let flat = self.session.flat_id(id);
        // Without a plan nothing is known but what was made before.
        let plan = self.planned.plan.as_ref()?;
        let current = self.planned.revision == self.session.revision();
        let of_node = |step: &&Step| is_within(&step.path.node, &flat);
        let mut steps = plan.steps.iter().filter(of_node);
        let seen = steps.any(|step| can_be_seen(plan, step));
        (current && !seen).then_some(NOT_TO_SEE)
    }

    /// Shows what the focused node made in the viewer, alone or beside what it shows.
    pub(crate) fn view_result(&mut self, second: bool) {
        if let Some(id) = self.session.selection.focus_node() {
            let node = self.session.flat_id(id);
            self.act(ViewerAction::Node { node, second }.into());
        }
    }
}

/// Whether a step's result can be looked at: it makes pictures, or writes what a person wanted.
pub fn can_be_seen(plan: &Plan, step: &Step) -> bool {
    plan.outputs.contains(&step.id)
        || step.writes.iter().any(|&id| match &plan.value(id).info {
            Info::Clip(_) | Info::Latent(_) | Info::Segment(_) => true,
            Info::Conditioning { .. }
            | Info::Weights(_)
            | Info::Constant(_)
            | Info::Storyboard(_)
            | Info::Nothing => false,
        })
}

/// Whether a node (lowered id) is another, or stands inside of it.
fn is_within(id: &NodeId, outer: &NodeId) -> bool {
    let rest = id.as_str().strip_prefix(outer.as_str());
    rest.is_some_and(|it| it.is_empty() || it.starts_with(':'))
}
