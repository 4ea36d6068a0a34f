//! A parameter that a link feeds: says from where, and can be unlinked.

use egui::{Align2, Rect, Sense, Ui, WidgetInfo, WidgetType};
use longtake_editor::shape::Shape;
use longtake_editor::{Action, CanvasAction, Text, connect, t};
use longtake_graph::{Edit, Link};

use super::cell;
use super::field::{Field, node_title};
use crate::{Cx, theme};

const UNLINK: Text = t("Unlink", "リンクを外す");
const REVEAL: Text = t("Show {}", "{} を表示");

/// The row of a linked parameter: a click shows the node it comes from.
pub fn linked_ui(ui: &mut Ui, cx: &mut Cx<'_>, field: &Field<'_>, mut rect: Rect, link: &Link) {
    let cross = cell::cut_right(&mut rect, 20.0);
    let name = field.name(cx);
    let id = ui.id().with("linked");
    let response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Link, ui.is_enabled(), &name));
    let source = source(cx, link);
    let colours = theme::of(ui);
    let colour = if response.hovered() {
        colours.text
    } else {
        colours.weak
    };
    if let Some(label) = field.inner_label() {
        cell::texts(ui, rect, Some(label), &format!("← {source}"), colour);
    } else {
        let inner = rect.shrink2(egui::Vec2::new(cell::PAD, 0.0));
        let galley = cell::elided(ui, &format!("← {source}"), colour, inner.width());
        cell::paint_galley(ui.painter(), inner, Align2::LEFT_CENTER, galley, colour);
    }
    if let Some(severity) = field.severity(cx) {
        let stroke = egui::Stroke::new(1.0, cell::severity_colour(ui, severity));
        ui.painter()
            .rect_stroke(rect, cell::CORNERS, stroke, egui::StrokeKind::Inside);
    }
    if response.clicked() {
        cx.act(CanvasAction::Reveal(link.node.clone()).into());
    }
    let tip = REVEAL.with(cx.studio.language(), &[&source]);
    response.on_hover_text(tip);
    if cell::sign_button(ui, cross, "×", cx.tr(UNLINK)).clicked() {
        let session = &cx.studio.session;
        let edits = std::iter::once(field.node)
            .chain(field.others)
            .filter_map(|node| connect::disconnect(session, node, &field.input.name).ok());
        let edit = Edit::Batch(edits.collect());
        cx.act(Action::Edit(UNLINK, edit));
    }
}

/// `KSampler · LATENT`: where a link comes from.
pub fn source(cx: &Cx<'_>, link: &Link) -> String {
    let session = &cx.studio.session;
    let title = node_title(cx, &link.node);
    let Some(node) = session.graph().nodes.get(&link.node) else {
        return title;
    };
    let shape = Shape::of(
        session.project(),
        session.subgraph(),
        node,
        cx.studio.engine.catalog(),
        cx.studio.language(),
    );
    match shape.outputs.get(link.output as usize) {
        Some(output) if shape.outputs.len() > 1 => format!("{title} · {}", output.label),
        _ => title,
    }
}
