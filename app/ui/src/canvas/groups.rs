//! Groups: titled frames under the nodes.

use egui::{Color32, CornerRadius, Painter, Stroke, StrokeKind, Ui, WidgetInfo, WidgetType, pos2};
use longtake_editor::Item;

use super::hit::Hit;
use super::layout::Frame;
use super::node::Near;
use super::rename::Editing;
use super::{lod, paint};
use crate::Cx;
use crate::theme::{Palette, RADIUS};

/// Height of a group's title.
pub const TITLE: f32 = 30.0;

/// A group's colour, or a calm one.
fn colour_of(group: &Frame, palette: &Palette) -> Color32 {
    group.colour.unwrap_or(palette.weak)
}

/// The frame alone, for far views. Points of the screen.
pub fn draw_far(painter: &Painter, group: &Frame, rect: egui::Rect, palette: &Palette) {
    let colour = colour_of(group, palette);
    painter.rect(
        rect,
        CornerRadius::same(2),
        colour.gamma_multiply(0.14),
        Stroke::new(1.0, colour.gamma_multiply(0.45)),
        StrokeKind::Inside,
    );
}

/// Frame and title, in the nodes' layer.
pub fn group_ui(ui: &mut Ui, cx: &mut Cx<'_>, near: &mut Near<'_>, index: usize) {
    let group = &near.layout.groups[index];
    let palette = near.palette;
    let colour = colour_of(group, &palette);
    let item = Item::Group(group.id.clone());
    let selected = cx.studio.session.selection.has(&item);
    let hovered = matches!(near.hover, Hit::Group(at) | Hit::GroupCorner(at) if at == index);
    let rounding = CornerRadius::same(RADIUS + 2);
    let painter = ui.painter();
    painter.rect_filled(group.rect, rounding, colour.gamma_multiply(0.12));
    let mut bar = group.rect;
    bar.max.y = bar.min.y + TITLE;
    let top = CornerRadius {
        nw: RADIUS + 2,
        ne: RADIUS + 2,
        ..CornerRadius::ZERO
    };
    painter.rect_filled(
        bar,
        top,
        colour.gamma_multiply(if hovered { 0.26 } else { 0.18 }),
    );
    let stroke = if selected {
        Stroke::new(2.0, palette.accent)
    } else {
        Stroke::new(1.0, colour.gamma_multiply(0.5))
    };
    painter.rect_stroke(group.rect, rounding, stroke, StrokeKind::Inside);
    paint::grip(painter, group.rect.max, colour.gamma_multiply(0.8));
    let id = ui.id().with(("group", group.id.as_str()));
    let reach = ui.interact(bar, id, egui::Sense::hover());
    reach.widget_info(|| WidgetInfo::labeled(WidgetType::Other, true, &group.text));
    let field = bar.shrink2(egui::vec2(8.0, 4.0));
    if Editing::title_ui(near.editing, ui, cx, &item, field) {
        return;
    }
    let text = lod::mix(colour, palette.text, 0.7);
    let galley = paint::text(ui, &group.text, 16.0, text, bar.width() - 24.0, 1);
    paint::left(
        ui.painter(),
        pos2(bar.left() + 12.0, bar.center().y),
        galley,
    );
}
