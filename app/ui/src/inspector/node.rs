//! One node: title, class, help, mode, colour, parameters, sockets.

use egui::{RichText, Ui};
use longtake_editor::shape::{InputShape, Origin, Shape};
use longtake_editor::{Action, CanvasAction, Command, Text, t};
use longtake_graph::{Edit, Input, Link, Node, NodeId, Project};

use super::{facts, parts};
use crate::Cx;
use crate::theme::{self, UNIT};
use crate::widgets::field::node_title;
use crate::widgets::{Room, linked, parameter_ui};

const RENAME: Text = t("Rename a node", "ノード名を変更");
const COLOUR: Text = t("Colour a node", "ノードの色を変更");
const TITLE: Text = t("Title of the node", "ノードの名前");
const PARAMETERS: Text = t("Parameters", "パラメーター");
const OPTIONAL: Text = t("Optional parameters", "任意のパラメーター");
const SOCKETS: Text = t("Links", "リンク");
const LOOSE: Text = t("not linked", "未接続");
const ENTER: Text = t("Open subgraph", "サブグラフを開く");
const RESET: Text = t("Restore all defaults", "すべて既定に戻す");
const UNKNOWN: Text = t(
    "This program does not know the class. The node is kept and saved as it came.",
    "このクラスは未対応です。ノードはそのまま保持・保存されます。",
);

/// Everything about a node of the open graph.
pub fn node_ui(ui: &mut Ui, cx: &mut Cx<'_>, id: &NodeId) {
    let session = &cx.studio.session;
    let Some(node) = session.graph().nodes.get(id) else {
        return;
    };
    let shape = Shape::of(
        session.project(),
        session.subgraph(),
        node,
        cx.studio.engine.catalog(),
        cx.studio.language(),
    );
    ui.push_id(id.as_str(), |ui| {
        head_ui(ui, cx, id, node, &shape);
        facts::findings_ui(ui, cx, id, &shape);
        parameters_ui(ui, cx, id, &shape);
        sockets_ui(ui, cx, id, node, &shape);
        facts::facts_ui(ui, cx, id);
    });
}

fn head_ui(ui: &mut Ui, cx: &mut Cx<'_>, id: &NodeId, node: &Node, shape: &Shape) {
    let now = node.title.as_deref().unwrap_or_default();
    let (typed, left) = parts::title_ui(ui, id.as_str(), now, &shape.title, cx.tr(TITLE));
    if let Some(title) = typed {
        let edit = Edit::SetTitle {
            id: id.clone(),
            title: (!title.is_empty()).then_some(title),
        };
        cx.act(Action::Live(RENAME, edit));
    }
    if left {
        cx.act(Action::Settle);
    }
    let weak = theme::of(ui).weak;
    let language = cx.studio.language();
    let (line, help) = match shape.origin {
        Origin::Known(it) => (
            format!("{} · {}", node.class, language.category(it)),
            language.help(it),
        ),
        Origin::Unknown => (node.class.clone(), cx.tr(UNKNOWN)),
        Origin::Subgraph | Origin::Border | Origin::Reroute => (shape.title.clone(), ""),
    };
    let line = format!("{line} · #{id}");
    ui.add(egui::Label::new(RichText::new(line).small().color(weak)).wrap());
    if !help.is_empty() {
        ui.add(egui::Label::new(RichText::new(help).color(weak)).wrap());
    }
    ui.add_space(UNIT);
    parts::mode_ui(ui, cx, std::slice::from_ref(id));
    if let Some(parts::Picked(colour)) = parts::colours_ui(ui, cx, node.colour.as_deref()) {
        let id = id.clone();
        cx.act(Action::Edit(COLOUR, Edit::Colour { id, colour }));
    }
    if cx
        .studio
        .session
        .project()
        .subgraphs
        .contains_key(&node.class)
        && ui.button(cx.tr(ENTER)).clicked()
    {
        cx.act(Action::Enter(id.clone()));
    }
}

fn parameters_ui(ui: &mut Ui, cx: &mut Cx<'_>, id: &NodeId, shape: &Shape) {
    let all: Vec<&InputShape> = shape.inputs.iter().filter(|it| it.is_parameter()).collect();
    for (required, text) in [(true, PARAMETERS), (false, OPTIONAL)] {
        let mut group = all.iter().filter(|it| it.required == required).peekable();
        if group.peek().is_none() {
            continue;
        }
        parts::section(ui, cx.tr(text));
        ui.scope(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for input in group {
                parameter_ui(ui, cx, id, input, Room::Inspector);
            }
        });
    }
    if !all.is_empty() {
        ui.add_space(UNIT);
        if ui.button(cx.tr(RESET)).clicked() {
            cx.act(Action::Command(Command::ResetValues));
        }
    }
}

fn sockets_ui(ui: &mut Ui, cx: &mut Cx<'_>, id: &NodeId, node: &Node, shape: &Shape) {
    let links = shape.inputs.iter().filter(|it| !it.is_parameter());
    let links: Vec<&InputShape> = links.collect();
    if links.is_empty() && shape.outputs.is_empty() {
        return;
    }
    parts::section(ui, cx.tr(SOCKETS));
    let dark = ui.visuals().dark_mode;
    for input in links {
        let colour = theme::kind_colour(&input.kind, dark);
        socket_row(ui, colour, &input.label, |ui| {
            match node.inputs.get(&input.name) {
                Some(Input::Link(link)) => {
                    let text = format!("← {}", linked::source(cx, link));
                    reveal(ui, cx, &link.node, &text);
                }
                _ => {
                    ui.weak(cx.tr(LOOSE));
                }
            }
        });
    }
    let graph = cx.studio.session.graph();
    for (at, output) in shape.outputs.iter().enumerate() {
        let colour = theme::kind_colour(&output.kind, dark);
        let link = Link {
            node: id.clone(),
            output: at as u32,
        };
        let users = users(graph, &link);
        socket_row(ui, colour, &output.label, |ui| {
            if users.is_empty() {
                ui.weak(cx.tr(LOOSE));
            }
            for user in &users {
                let text = format!("→ {}", node_title(cx, user));
                reveal(ui, cx, user, &text);
            }
        });
    }
}

fn socket_row(ui: &mut Ui, colour: egui::Color32, label: &str, rest: impl FnOnce(&mut Ui)) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = UNIT;
        ui.label(RichText::new("●").color(colour));
        ui.label(label);
        rest(ui);
    });
}

/// A link to a node of the open graph.
fn reveal(ui: &mut Ui, cx: &mut Cx<'_>, node: &NodeId, text: &str) {
    let response = ui.link(RichText::new(text).color(theme::of(ui).weak));
    if response.hovered() {
        cx.lit.insert(cx.studio.session.flat_id(node));
    }
    if response.clicked() {
        cx.act(CanvasAction::Reveal(node.clone()).into());
    }
}

/// Nodes that take an output.
fn users(graph: &Project, link: &Link) -> Vec<NodeId> {
    let takes = |node: &Node| {
        let is = |input: &Input| matches!(input, Input::Link(it) if it == link);
        node.inputs.values().any(is)
    };
    let users = graph.nodes.iter().filter(|(_, node)| takes(node));
    users.map(|(id, _)| id.clone()).collect()
}
