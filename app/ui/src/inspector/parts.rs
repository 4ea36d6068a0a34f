//! Pieces that every page of the inspector is made of.

use egui::{Color32, RichText, Sense, Stroke, StrokeKind, Ui, Vec2};
use longtake_editor::{Action, Text, t};
use longtake_graph::{Diagnostic, Edit, Mode, NodeId};

use crate::Cx;
use crate::theme::{self, COLOURS, ROW, UNIT};
use crate::widgets::cell;
use crate::widgets::number::line;

const MODE: Text = t("Change mode", "モードを変更");
const NO_COLOUR: Text = t("No colour", "色なし");
const MODES: [(Mode, Text); 3] = [
    (Mode::Active, t("Active", "有効")),
    (Mode::Mute, t("Mute", "ミュート")),
    (Mode::Bypass, t("Bypass", "バイパス")),
];
/// A heading between groups of rows.
pub fn section(ui: &mut Ui, text: &str) {
    ui.add_space(3.0 * UNIT);
    let colours = theme::of(ui);
    ui.label(RichText::new(text).color(colours.text).strong());
    let rect = ui.available_rect_before_wrap();
    let stroke = Stroke::new(1.0, colours.edge);
    ui.painter().hline(rect.x_range(), rect.top(), stroke);
    ui.add_space(UNIT);
}

/// A fact: its name at the left, weak, and the value.
pub fn fact(ui: &mut Ui, name: &str, value: &str) {
    ui.horizontal(|ui| {
        let colours = theme::of(ui);
        ui.label(RichText::new(name).color(colours.weak));
        ui.add(egui::Label::new(value).wrap());
    });
}

/// A title to edit: what was typed in this frame, and whether the focus was lost.
pub fn title_ui(
    ui: &mut Ui,
    id: &str,
    now: &str,
    hint: &str,
    name: &str,
) -> (Option<String>, bool) {
    let (_, rect) = ui.allocate_space(Vec2::new(ui.available_width(), ROW + UNIT));
    let mut text = now.to_owned();
    let colour = theme::of(ui).text;
    cell::paint_ground(ui, rect, None);
    let edit = line(&mut text, colour)
        .id(ui.id().with(("title", id)))
        .font(egui::FontSelection::Style(egui::TextStyle::Heading))
        .hint_text(hint);
    let response = ui
        .new_child(egui::UiBuilder::new().max_rect(rect))
        .put(rect, edit);
    ui.ctx()
        .accesskit_node_builder(response.id, |node| node.set_label(name));
    if response.has_focus() {
        let stroke = Stroke::new(1.0, theme::of(ui).accent);
        ui.painter()
            .rect_stroke(rect, cell::CORNERS, stroke, StrokeKind::Inside);
    }
    (response.changed().then_some(text), response.lost_focus())
}

/// Active, mute, bypass: for one node or several.
pub fn mode_ui(ui: &mut Ui, cx: &mut Cx<'_>, nodes: &[NodeId]) {
    let graph = cx.studio.session.graph();
    let has = |mode| {
        let same = |id: &NodeId| graph.nodes.get(id).is_some_and(|it| it.mode == mode);
        nodes.iter().all(same)
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = UNIT;
        for (mode, text) in MODES {
            let chosen = has(mode);
            if ui.selectable_label(chosen, cx.tr(text)).clicked() && !chosen {
                let set = |id: &NodeId| Edit::SetMode {
                    id: id.clone(),
                    mode,
                };
                let edit = Edit::Batch(nodes.iter().map(set).collect());
                cx.act(Action::Edit(MODE, edit));
            }
        }
    });
}

/// A colour that was picked, or none.
pub struct Picked(pub Option<String>);

/// A row of colours; gives another one that was picked.
pub fn colours_ui(ui: &mut Ui, cx: &Cx<'_>, now: Option<&str>) -> Option<Picked> {
    let mut picked = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = UNIT;
        if swatch(ui, None, now.is_none(), cx.tr(NO_COLOUR)) {
            picked = Some(Picked(None));
        }
        for (text, called) in COLOURS {
            let colour = Color32::from_hex(text).ok();
            if swatch(ui, colour, now == Some(text), cx.tr(called)) {
                picked = Some(Picked(Some(text.to_owned())));
            }
        }
    });
    picked.filter(|it| it.0.as_deref() != now)
}

fn swatch(ui: &mut Ui, colour: Option<Color32>, chosen: bool, name: &str) -> bool {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(20.0), Sense::click());
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::WidgetType::ColorButton, true, chosen, name)
    });
    let colours = theme::of(ui);
    let place = rect.shrink(2.0);
    if let Some(colour) = colour {
        ui.painter().rect_filled(place, cell::CORNERS, colour);
    } else {
        let ends = [place.left_bottom(), place.right_top()];
        let ends = ends.map(|it| it + (place.center() - it) * 0.35);
        ui.painter()
            .line_segment(ends, Stroke::new(1.0, colours.weak));
    }
    let edge = match (chosen, response.hovered()) {
        (true, _) => Stroke::new(2.0, colours.accent),
        (_, true) => Stroke::new(1.0, colours.text),
        _ => Stroke::new(1.0, colours.edge),
    };
    ui.painter()
        .rect_stroke(place, cell::CORNERS, edge, StrokeKind::Outside);
    response.on_hover_text(name).clicked()
}

/// A finding in full; gives true when it is clicked.
pub fn finding_ui(ui: &mut Ui, cx: &mut Cx<'_>, finding: &Diagnostic, place: Option<&str>) -> bool {
    let colour = cell::severity_colour(ui, finding.severity);
    let mut job = egui::text::LayoutJob::default();
    let font = cell::font(ui);
    let text = theme::of(ui).text;
    let format = |colour| egui::TextFormat::simple(font.clone(), colour);
    job.append("● ", 0.0, format(colour));
    if let Some(place) = place {
        job.append(&format!("{place}: "), 0.0, format(colour));
    }
    let message = cx.studio.language().sentence(&finding.message);
    job.append(message, 0.0, format(text));
    let sense = if place.is_some() {
        Sense::click()
    } else {
        Sense::hover()
    };
    let response = ui.add(egui::Label::new(job).wrap().sense(sense));
    if response.hovered()
        && let Some(node) = &finding.place.node
    {
        cx.lit.insert(node.clone());
    }
    response.clicked()
}
