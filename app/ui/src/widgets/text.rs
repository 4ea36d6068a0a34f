//! Texts: one line, or an area. Typing is one undo unit until the focus is lost.

use egui::{Align2, Margin, Pos2, Rect, ScrollArea, TextEdit, Ui, UiBuilder, Vec2};
use serde_json::Value;

use super::cell;
use super::field::Field;
use super::number::line;
use crate::Cx;
use crate::theme::{self, UNIT};

/// The editor of a text on a row: one line, or an area that scrolls once it is focused.
pub fn text_ui(ui: &mut Ui, cx: &mut Cx<'_>, field: &Field<'_>, rect: Rect, multiline: bool) {
    cell::ground(ui, cx, field, rect, None);
    let mut text = field.shown_text();
    let id = ui.id().with("text");
    let colour = cell::value_colour(ui, field.is_default());
    let response = if multiline {
        area_in(ui, field, rect, &mut text, id)
    } else {
        let place = match field.inner_label() {
            Some(label) => {
                let weak = theme::of(ui).text;
                let galley = cell::elided(ui, label, weak, rect.width() * 0.4);
                let mut place = rect;
                place.min.x += cell::PAD + galley.size().x;
                let inner = rect.shrink2(Vec2::new(cell::PAD, 0.0));
                cell::paint_galley(ui.painter(), inner, Align2::LEFT_CENTER, galley, weak);
                place
            }
            None => rect,
        };
        ui.put(place, line(&mut text, colour).id(id))
    };
    finish(ui, cx, field, rect, &response, text);
}

/// The editor of a long text in the inspector: as high as the text.
pub fn area_ui(ui: &mut Ui, cx: &mut Cx<'_>, field: &Field<'_>) {
    let mut text = field.shown_text();
    let id = ui.id().with("text");
    let ground = ui.painter().add(egui::Shape::Noop);
    let response = ui.add(area(&mut text, 4).id(id));
    let fill = theme::of(ui).canvas;
    let shape = egui::epaint::RectShape::filled(response.rect, cell::CORNERS, fill);
    ui.painter().set(ground, shape);
    let rect = response.rect;
    finish(ui, cx, field, rect, &response, text);
    ui.add_space(UNIT);
}

fn area(text: &mut String, rows: usize) -> TextEdit<'_> {
    TextEdit::multiline(text)
        .frame(egui::Frame::new().inner_margin(Margin::symmetric(8, 4)))
        .desired_rows(rows)
        .desired_width(f32::INFINITY)
}

fn area_in(
    ui: &mut Ui,
    field: &Field<'_>,
    rect: Rect,
    text: &mut String,
    id: egui::Id,
) -> egui::Response {
    let label = field.input.label.clone();
    let focused = ui.memory(|it| it.has_focus(id));
    let inner = Rect::from_min_max(
        rect.min + Vec2::new(0.0, 1.0),
        Pos2::new(rect.right(), rect.bottom() - 1.0),
    );
    // egui's least height has no bearing on what can be clicked; rows have.
    let line = ui.text_style_height(&egui::TextStyle::Body);
    let rows = ((inner.height() - 2.0 * UNIT) / line).floor().max(1.0) as usize;
    // Until it is focused the wheel belongs to the canvas.
    let source = egui::scroll_area::ScrollSource {
        mouse_wheel: focused,
        scroll_bar: focused,
        ..egui::scroll_area::ScrollSource::default()
    };
    ui.scope_builder(UiBuilder::new().max_rect(inner), |ui| {
        ScrollArea::vertical()
            .max_height(inner.height())
            .min_scrolled_height(inner.height())
            .auto_shrink(false)
            .scroll_source(source)
            .show(ui, |ui| {
                let edit = area(text, rows)
                    .id(id)
                    .hint_text(label)
                    .min_size(Vec2::new(0.0, inner.height()));
                ui.add(edit)
            })
            .inner
    })
    .inner
}

fn finish(
    ui: &Ui,
    cx: &mut Cx<'_>,
    field: &Field<'_>,
    rect: Rect,
    response: &egui::Response,
    text: String,
) {
    // The field's own node keeps its role and selection.
    ui.ctx()
        .accesskit_node_builder(response.id, |node| node.set_label(field.name(cx)));
    if response.has_focus() {
        let stroke = egui::Stroke::new(1.0, theme::of(ui).accent);
        ui.painter()
            .rect_stroke(rect, cell::CORNERS, stroke, egui::StrokeKind::Inside);
    }
    if response.changed() {
        field.live(cx, Value::from(text));
    }
    if response.lost_focus() {
        field.settle(cx);
    }
    field.finish(cx, response);
}
