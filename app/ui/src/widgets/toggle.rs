//! Truth values: a switch.

use egui::{Pos2, Rect, Sense, Ui, Vec2, WidgetInfo, WidgetType};
use longtake_graph::literal;
use serde_json::Value;

use super::cell;
use super::field::Field;
use crate::{Cx, theme};

/// The editor of a truth value: a click anywhere in the row turns it.
pub fn toggle_ui(ui: &mut Ui, cx: &mut Cx<'_>, field: &Field<'_>, rect: Rect) {
    let on = literal::truth(&field.shown());
    let response = ui.interact(rect, ui.id().with("toggle"), Sense::click());
    response.widget_info(|| {
        WidgetInfo::selected(WidgetType::Checkbox, ui.is_enabled(), on, field.name(cx))
    });
    if response.clicked() {
        field.set(cx, Value::Bool(!on));
    }
    cell::ground(ui, cx, field, rect, Some(&response));
    let size = Vec2::new(26.0, 14.0);
    let switch = match field.inner_label() {
        Some(label) => {
            let colour = theme::of(ui).text;
            cell::texts(ui, rect, Some(label), "", colour);
            Rect::from_center_size(
                Pos2::new(rect.right() - cell::PAD - 13.0, rect.center().y),
                size,
            )
        }
        None => Rect::from_center_size(
            Pos2::new(rect.left() + cell::PAD + 13.0, rect.center().y),
            size,
        ),
    };
    paint(ui, switch, on, field.is_default(), response.id);
    field.finish(cx, &response);
}

fn paint(ui: &Ui, rect: Rect, on: bool, dim: bool, id: egui::Id) {
    let colours = theme::of(ui);
    let how = ui.ctx().animate_bool_responsive(id, on);
    let ground = colours.edge.lerp_to_gamma(colours.accent, how);
    let strength = if dim && on { 0.7 } else { 1.0 };
    ui.painter()
        .rect_filled(rect, rect.height() / 2.0, ground.gamma_multiply(strength));
    let radius = rect.height() / 2.0;
    let x = egui::lerp(rect.left() + radius..=rect.right() - radius, how);
    ui.painter()
        .circle_filled(Pos2::new(x, rect.center().y), radius - 2.0, colours.node);
}
