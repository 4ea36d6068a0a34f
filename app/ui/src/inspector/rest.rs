//! A group, a note, or the document itself when nothing is selected.

use egui::{RichText, Ui};
use longtake_editor::reveal::way_to;
use longtake_editor::{Action, Text, t};
use longtake_graph::{Diagnostic, Edit, NodeId};

use super::parts;
use crate::Cx;
use crate::theme::{self, UNIT};
use crate::widgets::cell;
use crate::widgets::field::node_title;

const GROUP: Text = t("Change a group", "グループを変更");
const GROUP_TITLE: Text = t("Title of the group", "グループの名前");
const NOTE: Text = t("Write a note", "メモを編集");
const TITLE: Text = t("Title of the document", "文書の名前");
const UNTITLED: Text = t("Untitled", "無題");
const RENAME: Text = t("Rename the document", "文書名を変更");
const COUNTS: Text = t(
    "{} nodes, {} groups, {} notes",
    "ノード {}、グループ {}、メモ {}",
);
const FINDINGS: Text = t("Findings", "問題点");
const FINE: Text = t("Nothing wrong found.", "問題は見つかりませんでした。");
const HINTS: Text = t("Hints", "ヒント");
const HINT: [Text; 6] = [
    t(
        "Double-click the canvas, or press Tab, to add a node.",
        "キャンバスをダブルクリックするか Tab を押すと、ノードを追加できます。",
    ),
    t(
        "Drag a number to change it; click to type, 24*5 too. Shift is fine, Ctrl coarse.",
        "数値はドラッグで変更、クリックで入力できます（24*5 も可）。Shift で細かく、Ctrl で大きく。",
    ),
    t(
        "Right-click a parameter to restore, copy or link it.",
        "パラメーターを右クリックすると、既定値・コピー・リンクを選べます。",
    ),
    t(
        "Drop a node on a link to put it in between; Shift-drag an output to move all its links.",
        "ノードをリンクの上に落とすと間に入ります。出力を Shift+ドラッグすると、リンクをまとめて移せます。",
    ),
    t(
        "Drop a file on a node to load it there, on the canvas to open it, with Alt to insert its graph.",
        "ファイルをノードに落とすと読み込み、キャンバスに落とすと開きます。Alt を押すとグラフを挿入します。",
    ),
    t(
        "Select several nodes to change what they share.",
        "複数のノードを選ぶと、共通の値をまとめて変更できます。",
    ),
];
/// Most findings listed.
const MOST: usize = 50;

/// A group: title and colour.
pub fn group_ui(ui: &mut Ui, cx: &mut Cx<'_>, id: &str) {
    let Some(group) = cx.studio.session.graph().groups.get(id) else {
        return;
    };
    let (typed, left) = parts::title_ui(ui, id, &group.title, "", cx.tr(GROUP_TITLE));
    let set = |change: &dyn Fn(&mut longtake_graph::Group)| {
        let mut group = group.clone();
        change(&mut group);
        Edit::SetGroup {
            id: id.to_owned(),
            group,
        }
    };
    if let Some(title) = typed {
        cx.act(Action::Live(GROUP, set(&|it| it.title.clone_from(&title))));
    }
    if left {
        cx.act(Action::Settle);
    }
    ui.add_space(UNIT);
    if let Some(parts::Picked(colour)) = parts::colours_ui(ui, cx, group.colour.as_deref()) {
        cx.act(Action::Edit(
            GROUP,
            set(&|it| it.colour.clone_from(&colour)),
        ));
    }
}

/// A note: its text.
pub fn note_ui(ui: &mut Ui, cx: &mut Cx<'_>, id: &str) {
    let Some(note) = cx.studio.session.graph().notes.get(id) else {
        return;
    };
    let mut text = note.text.clone();
    let ground = ui.painter().add(egui::Shape::Noop);
    let edit = egui::TextEdit::multiline(&mut text)
        .id(ui.id().with(("note", id)))
        .frame(egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 4)))
        .desired_rows(8)
        .desired_width(f32::INFINITY);
    let response = ui.add(edit);
    let fill = theme::of(ui).canvas;
    let shape = egui::epaint::RectShape::filled(response.rect, cell::CORNERS, fill);
    ui.painter().set(ground, shape);
    if response.changed() {
        let mut note = note.clone();
        note.text = text;
        let id = id.to_owned();
        cx.act(Action::Live(NOTE, Edit::SetNote { id, note }));
    }
    if response.lost_focus() {
        cx.act(Action::Settle);
    }
}

/// The document: title, counts, findings, hints.
pub fn nothing_ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let graph = cx.studio.session.graph();
    let title = &graph.title;
    let (typed, left) = parts::title_ui(ui, "document", title, cx.tr(UNTITLED), cx.tr(TITLE));
    if let Some(title) = typed {
        cx.act(Action::Live(RENAME, Edit::SetProjectTitle { title }));
    }
    if left {
        cx.act(Action::Settle);
    }
    let counts = [graph.nodes.len(), graph.groups.len(), graph.notes.len()];
    let counts = counts.map(|it| it.to_string());
    let counts: Vec<&str> = counts.iter().map(String::as_str).collect();
    ui.weak(COUNTS.with(cx.studio.language(), &counts));
    findings_ui(ui, cx);
    parts::section(ui, cx.tr(HINTS));
    let weak = theme::of(ui).weak;
    for hint in HINT {
        ui.add(egui::Label::new(RichText::new(cx.tr(hint)).color(weak)).wrap());
        ui.add_space(UNIT);
    }
}

fn findings_ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let findings = cx.studio.planned.diagnostics.clone();
    if cx.studio.session.project().nodes.is_empty() {
        return;
    }
    parts::section(ui, cx.tr(FINDINGS));
    if findings.is_empty() {
        ui.weak(cx.tr(FINE));
    }
    for finding in findings.iter().take(MOST) {
        let place = place_of(cx, finding);
        if parts::finding_ui(ui, cx, finding, Some(&place)) {
            reveal(cx, finding);
        }
        ui.add_space(UNIT);
    }
    if findings.len() > MOST {
        ui.weak(format!("+ {}", findings.len() - MOST));
    }
}

/// The node (as far as it is in the open graph) and the input, for people.
fn place_of(cx: &Cx<'_>, finding: &Diagnostic) -> String {
    let place = &finding.place;
    let node = place.node.as_ref();
    let title = node.map(|node| match in_open_graph(cx, node) {
        Some(id) => node_title(cx, &id),
        None => node.to_string(),
    });
    let parts = [title, place.input.clone(), place.shot.clone()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The node of the open graph that a lowered id is, or lies in.
fn in_open_graph(cx: &Cx<'_>, flat: &NodeId) -> Option<NodeId> {
    let session = &cx.studio.session;
    let mut rest = flat.as_str();
    for entered in session.scope() {
        rest = rest
            .strip_prefix(entered.instance.as_str())?
            .strip_prefix(':')?;
    }
    let graph = session.graph();
    // Ids of a prompt may hold colons themselves: the longest that fits.
    let ends = rest.match_indices(':').map(|(at, _)| at);
    let mut ends: Vec<usize> = ends.chain([rest.len()]).collect();
    ends.reverse();
    let ids = ends.into_iter().map(|end| NodeId::new(&rest[..end]));
    ids.into_iter().find(|id| graph.nodes.contains_key(id))
}

fn reveal(cx: &mut Cx<'_>, finding: &Diagnostic) {
    if let Some(flat) = &finding.place.node {
        for action in way_to(&cx.studio.session, flat) {
            cx.act(action);
        }
    }
}
