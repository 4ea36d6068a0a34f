//! Colours: a swatch with a picker, and the hexadecimal text.

use egui::color_picker::{Alpha, color_picker_hsva_2d, show_color_at};
use egui::ecolor::Hsva;
use egui::{
    Align2, Color32, Id, Popup, PopupCloseBehavior, Pos2, Rect, Response, Sense, Ui, Vec2,
    WidgetInfo, WidgetType,
};
use serde_json::Value;

use super::field::{self, Field};
use super::number::line;
use super::{cell, unfinished};
use crate::{Cx, theme};

/// Width of the swatch.
const SWATCH: f32 = 28.0;
/// Width of the hexadecimal text.
const HEX: f32 = 92.0;

/// The editor of a colour parameter.
pub fn colour_ui(ui: &mut Ui, cx: &mut Cx<'_>, field: &Field<'_>, rect: Rect) {
    let now = field.shown_text();
    let name = field.name(cx);
    let dim = field.is_default();
    cell::ground(ui, cx, field, rect, None);
    let mut inner = rect;
    let swatch = cell::cut_right(&mut inner, SWATCH);
    if let Some(label) = field.inner_label() {
        let text = theme::of(ui).text;
        let place = inner.shrink2(Vec2::new(cell::PAD, 0.0));
        let galley = cell::elided(ui, label, text, place.width() - HEX);
        cell::paint_galley(ui.painter(), place, Align2::LEFT_CENTER, galley, text);
        inner.min.x = (inner.max.x - HEX).max(inner.min.x);
    }
    let (response, picked) = swatch_ui(ui, swatch, &now, &name);
    let typed = hex_ui(ui, cx, field, inner, (&now, cell::value_colour(ui, dim)));
    match picked {
        Picked::Live(colour) => field.live(cx, Value::from(colour)),
        Picked::Over => field.settle(cx),
        Picked::Nothing => {}
    }
    if let Some(colour) = typed {
        field.set(cx, Value::from(colour));
    }
    field.finish(cx, &response);
}

/// What became of a swatch in this frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picked {
    /// Nothing.
    Nothing,
    /// Another colour, while the mouse is down.
    Live(String),
    /// The mouse was let go.
    Over,
}

/// A swatch that opens a picker.
pub fn swatch_ui(ui: &mut Ui, rect: Rect, now: &str, name: &str) -> (Response, Picked) {
    let response = ui.interact(rect, ui.id().with(("swatch", name)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::ColorButton, ui.is_enabled(), name));
    let colour = parse(now).unwrap_or([0, 0, 0, 255]);
    let place = rect.shrink(3.0);
    let [r, g, b, a] = colour;
    show_color_at(
        ui.painter(),
        Color32::from_rgba_unmultiplied(r, g, b, a),
        place,
    );
    let edge = if response.hovered() {
        theme::of(ui).accent
    } else {
        theme::of(ui).edge
    };
    let stroke = egui::Stroke::new(1.0, edge);
    ui.painter()
        .rect_stroke(place, 2.0, stroke, egui::StrokeKind::Outside);
    let id = Popup::default_response_id(&response);
    let popup = Popup::menu(&response).close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    if !popup.is_open() && !response.clicked() {
        ui.data_mut(|it| it.remove::<Hsva>(id));
        return (response, Picked::Nothing);
    }
    let shown = popup.show(|ui| picker_ui(ui, id, colour, now.len() == 9));
    (response, shown.map_or(Picked::Nothing, |it| it.inner))
}

fn picker_ui(ui: &mut Ui, id: Id, colour: [u8; 4], alpha: bool) -> Picked {
    // Grey has no hue and black no saturation: the picker's own state keeps them.
    let kept = ui.data(|it| it.get_temp::<Hsva>(id));
    let mut hsva = kept
        .filter(|it| it.to_srgba_unmultiplied() == colour)
        .unwrap_or_else(|| Hsva::from_srgba_unmultiplied(colour));
    let kind = if alpha {
        Alpha::OnlyBlend
    } else {
        Alpha::Opaque
    };
    ui.spacing_mut().slider_width = 240.0;
    let changed = color_picker_hsva_2d(ui, &mut hsva, kind);
    ui.data_mut(|it| it.insert_temp(id, hsva));
    if changed {
        return Picked::Live(text_of(hsva.to_srgba_unmultiplied(), alpha));
    }
    if ui.input(|it| it.pointer.any_released()) {
        return Picked::Over;
    }
    Picked::Nothing
}

/// The hexadecimal text; gives a colour once it is one and the field is left.
fn hex_ui(
    ui: &mut Ui,
    cx: &Cx<'_>,
    field: &Field<'_>,
    rect: Rect,
    (now, colour): (&str, Color32),
) -> Option<String> {
    let id = ui.id().with("hex");
    let typing = ui.data(|it| it.get_temp::<String>(id));
    let mut text = typing.unwrap_or_else(|| now.to_owned());
    let valid = parse(&text).is_some();
    let colour = if valid { colour } else { theme::of(ui).bad };
    let place = Rect::from_min_max(Pos2::new(rect.left(), rect.top()), rect.max);
    let response = ui.put(place, line(&mut text, colour).id(id.with("edit")));
    if response.has_focus() {
        let new = written(&text).filter(|it| !it.eq_ignore_ascii_case(now));
        let edit = new.map(|it| field.edit(Some(Value::from(it))));
        unfinished::keep(ui.ctx(), cx, id, (field::CHANGE, edit), forget);
        ui.data_mut(|it| it.insert_temp(id, text));
        return None;
    }
    unfinished::done(ui.ctx(), id);
    forget(ui.ctx(), id);
    let text = written(&text)?;
    let cancelled = ui.input(|it| it.key_pressed(egui::Key::Escape));
    (response.lost_focus() && !cancelled && !text.eq_ignore_ascii_case(now)).then_some(text)
}

fn forget(ctx: &egui::Context, field: Id) {
    ctx.data_mut(|it| it.remove::<String>(field));
}

/// A typed colour as it is written in the document.
fn written(text: &str) -> Option<String> {
    let alpha = text.trim().trim_start_matches('#').len() == 8;
    Some(text_of(parse(text)?, alpha))
}

/// Reads `#rgb`, `#rrggbb`, `#rrggbbaa`, with or without the sign.
pub fn parse(text: &str) -> Option<[u8; 4]> {
    let text = text.trim();
    let hex = text.strip_prefix('#').unwrap_or(text);
    if !hex.bytes().all(|it| it.is_ascii_hexdigit()) {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).ok();
    let digit = |at: usize| u8::from_str_radix(&hex[at..=at], 16).ok().map(|it| it * 17);
    match hex.len() {
        3 => Some([digit(0)?, digit(1)?, digit(2)?, 255]),
        6 => Some([byte(0)?, byte(2)?, byte(4)?, 255]),
        8 => Some([byte(0)?, byte(2)?, byte(4)?, byte(6)?]),
        _ => None,
    }
}

/// `#rrggbb`, or with the opacity.
pub fn text_of([r, g, b, a]: [u8; 4], alpha: bool) -> String {
    if alpha {
        format!("#{r:02x}{g:02x}{b:02x}{a:02x}")
    } else {
        format!("#{r:02x}{g:02x}{b:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, text_of};

    #[test]
    fn colours_are_read_and_written() {
        for (text, colour) in [
            ("#12ab EF", None),
            ("#12abEF", Some([0x12, 0xab, 0xef, 255])),
            ("f80", Some([255, 136, 0, 255])),
            ("#00000080", Some([0, 0, 0, 128])),
            ("#é1234", None),
            ("", None),
        ] {
            assert_eq!(parse(text), colour, "{text}");
        }
        assert_eq!(text_of([1, 2, 255, 8], false), "#0102ff");
        assert_eq!(text_of([1, 2, 255, 8], true), "#0102ff08");
    }
}
