//! Context menus: of a node, a link, a group, a note, the canvas.

use std::collections::BTreeMap;

use egui::{
    Color32, Key, Popup, PopupCloseBehavior, PopupKind, Pos2, Sense, Stroke, Ui, WidgetInfo,
    WidgetType, vec2,
};
use longtake_editor::subgraph::Side;
use longtake_editor::{Action, Command, Item, Text, WindowAction};
use longtake_graph::{Edit, Mode, NodeId};

use super::texts;
use crate::Cx;
use crate::menu::command_ui;
use crate::theme::COLOURS;
use crate::widgets::name;

/// What a menu is of.
#[derive(Clone, Debug, PartialEq)]
pub enum Of {
    /// The canvas.
    Canvas,
    /// A node.
    Node(NodeId),
    /// A group or a note.
    Frame(Item),
    /// A port of the open subgraph, at its border, and what it is called; as it is typed anew.
    Port(Side, usize, String),
    /// A link: the input it stands at, and its middle.
    Wire(NodeId, String, Pos2),
}

/// An open menu.
#[derive(Clone, Debug)]
pub struct Menu {
    /// Of what.
    pub of: Of,
    /// Where, points of the screen.
    pub at: Pos2,
    /// Where, points of the graph.
    pub graph: Pos2,
}

/// What a menu asks the canvas itself to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Write this item's title or text.
    Rename(Item),
    /// Open the node search here.
    Search(Pos2),
}

/// Draws the menu. Gives what is left to do, and whether it stays open.
pub fn menu_ui(ui: &Ui, cx: &mut Cx<'_>, menu: &mut Menu) -> (Option<Wish>, bool) {
    let mut open = true;
    let mut wish = None;
    let popup = Popup::new(
        ui.id().with("context menu"),
        ui.ctx().clone(),
        menu.at,
        ui.layer_id(),
    );
    let closes = match menu.of {
        // A click into its field leaves it open.
        Of::Port(..) => PopupCloseBehavior::CloseOnClickOutside,
        Of::Canvas | Of::Node(_) | Of::Frame(_) | Of::Wire(..) => PopupCloseBehavior::CloseOnClick,
    };
    popup
        .kind(PopupKind::Menu)
        .close_behavior(closes)
        .layout(egui::Layout::top_down_justified(egui::Align::Min))
        .style(egui::containers::menu::menu_style)
        .open_bool(&mut open)
        .show(|ui| {
            ui.set_min_width(190.0);
            wish = match &mut menu.of {
                Of::Canvas => canvas(ui, cx, menu.graph),
                Of::Node(id) => node(ui, cx, id),
                Of::Frame(item) => frame(ui, cx, item),
                Of::Port(side, index, name) => {
                    port(ui, cx, *side, *index, name);
                    None
                }
                Of::Wire(node, input, middle) => {
                    wire(ui, cx, node, input, *middle);
                    None
                }
            };
        });
    (wish, open)
}

fn commands(ui: &mut Ui, cx: &mut Cx<'_>, list: &[Command]) {
    for &it in list {
        command_ui(ui, cx, it);
    }
}

fn node(ui: &mut Ui, cx: &mut Cx<'_>, id: &NodeId) -> Option<Wish> {
    let mut wish = None;
    let graph = cx.studio.session.graph();
    let Some(node) = graph.nodes.get(id) else {
        ui.close();
        return None;
    };
    let instance = cx
        .studio
        .session
        .project()
        .subgraphs
        .contains_key(&node.class);
    if instance {
        commands(ui, cx, &[Command::EnterSubgraph, Command::UnpackSubgraph]);
        ui.separator();
    }
    commands(ui, cx, &[Command::ViewResult, Command::CompareResult]);
    ui.separator();
    if ui.button(cx.tr(texts::RENAME)).clicked() {
        wish = Some(Wish::Rename(Item::Node(id.clone())));
        ui.close();
    }
    let modes = [
        (Mode::Active, texts::ACTIVE),
        (Mode::Mute, Command::Mute.title()),
        (Mode::Bypass, Command::Bypass.title()),
    ];
    let now = node.mode;
    ui.menu_button(cx.tr(texts::MODE), |ui| {
        for (mode, text) in modes {
            if ui.radio(now == mode, cx.tr(text)).clicked() {
                each_node(cx, texts::MODE, |id| Edit::SetMode { id, mode });
                ui.close();
            }
        }
    });
    ui.menu_button(cx.tr(texts::COLOUR), |ui| {
        colours(ui, cx);
    });
    commands(ui, cx, &[Command::Collapse, Command::ResetValues]);
    ui.separator();
    arrange(ui, cx);
    commands(ui, cx, &[Command::Group, Command::MakeSubgraph]);
    ui.separator();
    let edit = [
        Command::Cut,
        Command::Copy,
        Command::Duplicate,
        Command::Delete,
    ];
    commands(ui, cx, &edit);
    wish
}

fn arrange(ui: &mut Ui, cx: &mut Cx<'_>) {
    if cx.studio.session.selection.len() < 2 {
        return;
    }
    ui.menu_button(cx.tr(texts::ALIGN), |ui| {
        let all = Command::ALL.iter().copied();
        let here = |it: &Command| it.menu() == longtake_editor::command::Menu::Arrange;
        for it in all.filter(here) {
            command_ui(ui, cx, it);
        }
    });
}

/// One edit of every selected node, as one undo unit.
fn each_node(cx: &mut Cx<'_>, label: Text, edit: impl Fn(NodeId) -> Edit) {
    let nodes = cx.studio.session.selection.nodes().cloned();
    let edits = nodes.map(edit).collect();
    cx.act(Action::Edit(label, Edit::Batch(edits)));
}

/// A row of colours for what is selected.
fn colours(ui: &mut Ui, cx: &mut Cx<'_>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (hex, called) in COLOURS {
            let called = cx.tr(called);
            let (rect, response) = ui.allocate_exact_size(vec2(20.0, 20.0), Sense::click());
            response.widget_info(|| WidgetInfo::labeled(WidgetType::ColorButton, true, called));
            let colour = Color32::from_hex(hex).unwrap_or_default();
            let edge = if response.hovered() { 2.0 } else { 0.0 };
            let stroke = Stroke::new(edge, ui.visuals().text_color());
            ui.painter().circle(rect.center(), 8.0, colour, stroke);
            if response.on_hover_text(called).clicked() {
                cx.act(Action::Colour(Some(hex.to_owned())));
                ui.close();
            }
        }
    });
    if ui.button(cx.tr(texts::NO_COLOUR)).clicked() {
        cx.act(Action::Colour(None));
        ui.close();
    }
}

fn frame(ui: &mut Ui, cx: &mut Cx<'_>, item: &Item) -> Option<Wish> {
    let mut wish = None;
    let label = match item {
        Item::Note(_) => texts::WRITE_NOTE,
        Item::Node(_) | Item::Group(_) => texts::RENAME,
    };
    if ui.button(cx.tr(label)).clicked() {
        wish = Some(Wish::Rename(item.clone()));
        ui.close();
    }
    if matches!(item, Item::Group(_)) {
        ui.menu_button(cx.tr(texts::COLOUR), |ui| {
            colours(ui, cx);
        });
    }
    ui.separator();
    commands(
        ui,
        cx,
        &[Command::Copy, Command::Duplicate, Command::Delete],
    );
    wish
}

/// A port: its name to write, and its end.
fn port(ui: &mut Ui, cx: &mut Cx<'_>, side: Side, index: usize, label: &mut String) {
    ui.label(cx.tr(texts::PORT_NAME));
    let field = ui.text_edit_singleline(label);
    name(&field, cx.tr(texts::PORT_NAME));
    let entered = field.lost_focus() && ui.input(|it| it.key_pressed(Key::Enter));
    if ui.button(cx.tr(texts::RENAME)).clicked() || entered {
        cx.act(Action::RenamePort(side, index, label.clone()));
        ui.close();
    }
    ui.separator();
    if ui.button(cx.tr(texts::REMOVE_PORT)).clicked() {
        cx.act(Action::RemovePort(side, index));
        ui.close();
    }
}

fn wire(ui: &mut Ui, cx: &mut Cx<'_>, node: &NodeId, input: &str, middle: Pos2) {
    if ui.button(cx.tr(texts::ADD_REROUTE)).clicked() {
        cx.act(Action::Bend {
            to: node.clone(),
            input: input.to_owned(),
            pos: (middle - super::measure::REROUTE_SIZE / 2.0).into(),
        });
        ui.close();
    }
    if ui.button(cx.tr(texts::UNLINK)).clicked() {
        cx.act(Action::Disconnect {
            to: node.clone(),
            input: input.to_owned(),
        });
        ui.close();
    }
}

fn canvas(ui: &mut Ui, cx: &mut Cx<'_>, at: Pos2) -> Option<Wish> {
    let mut wish = None;
    if ui.button(cx.tr(Command::AddNode.title())).clicked() {
        wish = Some(Wish::Search(at));
        ui.close();
    }
    ui.menu_button(cx.tr(texts::ADD_NODE), |ui| categories(ui, cx, at));
    command_ui(ui, cx, Command::AddNote);
    if ui.button(cx.tr(texts::INSERT)).clicked() {
        cx.act(Action::Window(WindowAction::AskInsert));
        ui.close();
    }
    ui.separator();
    commands(ui, cx, &[Command::Paste, Command::SelectAll]);
    ui.separator();
    commands(
        ui,
        cx,
        &[Command::Fit, Command::ZoomOne, Command::AutoLayout],
    );
    wish
}

/// A folder of the menu of all nodes.
#[derive(Default)]
struct Folder {
    folders: BTreeMap<&'static str, Folder>,
    classes: Vec<(&'static str, &'static str)>,
}

fn categories(ui: &mut Ui, cx: &mut Cx<'_>, at: Pos2) {
    let catalog = cx.studio.engine.catalog();
    let language = cx.studio.language();
    let mut root = Folder::default();
    for class in catalog.classes() {
        let Some(it) = catalog.declaration(class).filter(|it| !it.internal) else {
            continue;
        };
        let parts = language.category(it).split('/').filter(|it| !it.is_empty());
        let folder = parts.fold(&mut root, |folder, part| {
            folder.folders.entry(part).or_default()
        });
        folder.classes.push((language.title(it), it.class));
    }
    folder_ui(ui, cx, &mut root, at);
}

fn folder_ui(ui: &mut Ui, cx: &mut Cx<'_>, folder: &mut Folder, at: Pos2) {
    for (name, inner) in &mut folder.folders {
        ui.menu_button(*name, |ui| folder_ui(ui, cx, inner, at));
    }
    folder.classes.sort_unstable();
    for (title, class) in &folder.classes {
        if ui.button(*title).clicked() {
            cx.act(Action::AddNode {
                class: (*class).to_owned(),
                pos: at.into(),
                link: None,
            });
            ui.close();
        }
    }
}
