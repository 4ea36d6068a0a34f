//! How an editor looks: a quiet rounded cell, the label at its left, the value at its right.

use std::sync::Arc;

use egui::text::{LayoutJob, TextWrapping};
use egui::{
    Align2, Color32, CornerRadius, FontId, Galley, Painter, Pos2, Rect, Response, Sense, Stroke,
    StrokeKind, TextStyle, Ui, Vec2, WidgetInfo, WidgetType,
};
use longtake_graph::Severity;

use super::field::Field;
use crate::Cx;
use crate::theme::{self, ROW, UNIT};

/// Corners of cells.
pub const CORNERS: CornerRadius = CornerRadius::same(4);
/// Room between a cell's edge and its text.
pub const PAD: f32 = 2.0 * UNIT;

/// A row in the inspector: the label at the left, the place for the editor at the right.
pub fn beside_label(ui: &mut Ui, cx: &mut Cx<'_>, field: &Field<'_>, rect: Rect) -> Rect {
    let split = rect.left() + (rect.width() * 0.38).min(40.0 * UNIT);
    let label = Rect::from_min_max(rect.min, Pos2::new(split - PAD, rect.bottom()));
    label_ui(ui, cx, field, label);
    Rect::from_min_max(Pos2::new(split, rect.top()), rect.max)
}

/// The label above an editor that takes the whole width.
pub fn heading_ui(ui: &mut Ui, cx: &mut Cx<'_>, field: &Field<'_>) {
    let (_, rect) = ui.allocate_space(Vec2::new(ui.available_width(), ROW - UNIT));
    label_ui(ui, cx, field, rect);
}

fn label_ui(ui: &mut Ui, cx: &mut Cx<'_>, field: &Field<'_>, rect: Rect) {
    let colours = theme::of(ui);
    let colour = match field.severity(cx) {
        Some(severity) => severity_colour(ui, severity),
        None => colours.weak,
    };
    let galley = elided(ui, &field.input.label, colour, rect.width());
    let at = Align2::LEFT_CENTER.align_size_within_rect(galley.size(), rect);
    ui.painter().galley(at.min, galley, colour);
    let id = ui.id().with("label");
    let response = ui.interact(rect, id, Sense::click());
    field.finish(cx, &response);
}

/// Paints the cell's ground; brighter under the mouse, with an outline when focused or when
/// something was found wrong.
pub fn ground(ui: &Ui, cx: &Cx<'_>, field: &Field<'_>, rect: Rect, response: Option<&Response>) {
    paint_ground(ui, rect, response);
    if let Some(severity) = field.severity(cx) {
        let stroke = Stroke::new(1.0, severity_colour(ui, severity));
        ui.painter()
            .rect_stroke(rect, CORNERS, stroke, StrokeKind::Inside);
    }
}

/// [`ground`] of something that is no parameter.
pub fn paint_ground(ui: &Ui, rect: Rect, response: Option<&Response>) {
    let colours = theme::of(ui);
    let hot = response.is_some_and(|it| it.hovered() || it.dragged());
    let fill = if hot {
        colours.canvas.lerp_to_gamma(colours.edge, 0.4)
    } else {
        colours.canvas
    };
    ui.painter().rect_filled(rect, CORNERS, fill);
    if response.is_some_and(Response::has_focus) {
        let stroke = Stroke::new(1.0, colours.accent);
        ui.painter()
            .rect_stroke(rect, CORNERS, stroke, StrokeKind::Inside);
    }
}

/// Red for errors, amber for warnings.
pub fn severity_colour(ui: &Ui, severity: Severity) -> Color32 {
    let colours = theme::of(ui);
    match severity {
        Severity::Error => colours.bad,
        Severity::Warning => colours.warn,
    }
}

/// The font of editors.
pub fn font(ui: &Ui) -> FontId {
    TextStyle::Body.resolve(ui.style())
}

/// One line of text, cut with an ellipsis at a width.
pub fn elided(ui: &Ui, text: &str, colour: Color32, width: f32) -> Arc<Galley> {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), font(ui), colour);
    job.wrap = TextWrapping::truncate_at_width(width.max(0.0));
    ui.painter().layout_job(job)
}

/// Colour of a value: weak when it is only the default.
pub fn value_colour(ui: &Ui, is_default: bool) -> Color32 {
    let colours = theme::of(ui);
    if is_default {
        colours.weak
    } else {
        colours.text
    }
}

/// Paints label and value into a cell. The value keeps at least half of the width.
pub fn texts(ui: &Ui, rect: Rect, label: Option<&str>, value: &str, colour: Color32) {
    let inner = rect.shrink2(Vec2::new(PAD, 0.0));
    let Some(label) = label else {
        let value = elided(ui, value, colour, inner.width());
        paint_galley(ui.painter(), inner, Align2::LEFT_CENTER, value, colour);
        return;
    };
    let weak = theme::of(ui).text;
    let most = inner.width() - PAD;
    let wanted = elided(ui, label, weak, f32::INFINITY).size().x;
    let value_wanted = elided(ui, value, colour, f32::INFINITY).size().x;
    let label_width = wanted.min((most - value_wanted).max(most * 0.5));
    let label = elided(ui, label, weak, label_width);
    let value = elided(ui, value, colour, most - label.size().x);
    paint_galley(ui.painter(), inner, Align2::LEFT_CENTER, label, weak);
    paint_galley(ui.painter(), inner, Align2::RIGHT_CENTER, value, colour);
}

/// Paints text aligned in a rectangle.
pub fn paint_galley(
    painter: &Painter,
    rect: Rect,
    align: Align2,
    galley: Arc<Galley>,
    colour: Color32,
) {
    let at = align.align_size_within_rect(galley.size(), rect);
    painter.galley(at.min, galley, colour);
}

/// A small button inside a row: a sign of one or two letters.
pub fn sign_button(ui: &mut Ui, rect: Rect, sign: &str, name: &str) -> Response {
    let id = ui.id().with(("sign", name));
    let response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, ui.is_enabled(), name));
    paint_ground(ui, rect, Some(&response));
    let colours = theme::of(ui);
    let colour = if response.hovered() {
        colours.text
    } else {
        colours.weak
    };
    let galley = elided(ui, sign, colour, rect.width());
    paint_galley(ui.painter(), rect, Align2::CENTER_CENTER, galley, colour);
    response.on_hover_text(name)
}

/// A small triangle: down, left or right.
pub fn triangle(painter: &Painter, centre: Pos2, towards: Vec2, colour: Color32) {
    let side = towards.rot90();
    let tip = centre + towards * 3.0;
    let back = centre - towards * 2.0;
    let points = vec![tip, back + side * 4.0, back - side * 4.0];
    painter.add(egui::Shape::convex_polygon(points, colour, Stroke::NONE));
}

/// Cuts a piece of that width (and a gap) off the right end.
pub fn cut_right(rect: &mut Rect, width: f32) -> Rect {
    let piece = Rect::from_min_max(Pos2::new(rect.right() - width, rect.top()), rect.max);
    rect.max.x -= width + UNIT / 2.0;
    piece
}
