//! The transport below the picture: buttons, the scrub bar, frame number and timecode.

use std::ops::Range;

use egui::{Align2, Button, FontId, Rect, Response, Sense, Ui, Vec2, WidgetInfo, WidgetType, pos2};
use longtake_editor::{Studio, Text};

use super::transport::{Transport, timecode};
use super::words;
use crate::theme;

/// What the bar shows besides the transport.
pub struct Bar<'a> {
    /// Frames of the clip.
    pub frames: u64,
    /// Frames per second.
    pub rate: f64,
    /// Frames that are decoded.
    pub runs: &'a [Range<u64>],
}

/// A button with a sign on it, named for those who cannot see it.
pub fn sign(ui: &mut Ui, studio: &Studio, face: &str, name: Text, on: bool) -> Response {
    let name = studio.tr(name);
    let size = Vec2::splat(theme::ROW);
    let button = Button::selectable(on, face).min_size(size);
    let response = ui.add(button);
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, on, name));
    response.on_hover_text(name)
}

/// Draws the transport and does what is asked of it.
pub fn bar_ui(ui: &mut Ui, studio: &Studio, transport: &mut Transport, bar: &Bar<'_>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::UNIT / 2.0;
        buttons_ui(ui, studio, transport, bar.frames);
        ui.add_space(theme::UNIT);
        let numbers = numbers(transport.frame(), bar);
        // As wide as the widest it can be, so that nothing moves while it plays.
        let width = numbers.len() as f32 * 7.5 + 2.0 * theme::UNIT;
        let room = (ui.available_width() - width).max(60.0);
        scrub_ui(ui, studio, transport, bar, room);
        let at = ui.available_rect_before_wrap();
        ui.painter().text(
            pos2(at.right() - theme::UNIT, at.center().y),
            Align2::RIGHT_CENTER,
            numbers,
            FontId::monospace(12.0),
            theme::of(ui).weak,
        );
    });
}

fn buttons_ui(ui: &mut Ui, studio: &Studio, transport: &mut Transport, frames: u64) {
    let last = frames.saturating_sub(1);
    if sign(ui, studio, "⏮", words::FIRST, false).clicked() {
        transport.go(0);
    }
    if sign(ui, studio, "−1", words::BACK, false).clicked() {
        transport.step(-1, frames);
    }
    let (face, name) = if transport.playing() {
        ("⏸", words::PAUSE)
    } else {
        ("▶", words::PLAY)
    };
    if sign(ui, studio, face, name, false).clicked() {
        let now = ui.input(|it| it.time);
        transport.toggle(now, frames);
    }
    if sign(ui, studio, "+1", words::ON, false).clicked() {
        transport.step(1, frames);
    }
    if sign(ui, studio, "⏭", words::END, false).clicked() {
        transport.go(last);
    }
    if sign(ui, studio, "🔁", words::LOOP, transport.looping).clicked() {
        transport.looping = !transport.looping;
    }
}

/// `frame / frames  timecode`, frames counted from 1 as people do, padded so that it keeps its
/// width.
fn numbers(frame: u64, bar: &Bar<'_>) -> String {
    let width = bar.frames.to_string().len();
    let code = timecode(frame, bar.rate);
    format!("{:>width$}/{}  {code}", frame + 1, bar.frames)
}

fn scrub_ui(ui: &mut Ui, studio: &Studio, transport: &mut Transport, bar: &Bar<'_>, width: f32) {
    let size = Vec2::new(width, theme::ROW);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    let last = bar.frames.saturating_sub(1);
    let track = rect.shrink2(Vec2::new(theme::UNIT, theme::ROW * 0.5 - 2.0));
    if (response.dragged() || response.clicked() || response.drag_started())
        && let Some(at) = response.interact_pointer_pos()
    {
        let part = ((at.x - track.left()) / track.width().max(1.0)).clamp(0.0, 1.0);
        transport.go((f64::from(part) * last as f64).round() as u64);
    }
    if response.has_focus() {
        keys(ui, transport, bar.frames);
    }
    let name = studio.tr(words::FRAME);
    let frame = transport.frame();
    response.widget_info(|| WidgetInfo::slider(true, (frame + 1) as f64, name));
    paint_track(
        ui,
        track,
        bar,
        frame,
        response.hovered() || response.dragged(),
    );
}

fn keys(ui: &Ui, transport: &mut Transport, frames: u64) {
    let (back, on) = ui.input(|it| {
        let pressed = |key| it.num_presses(key) as i64;
        (
            pressed(egui::Key::ArrowLeft),
            pressed(egui::Key::ArrowRight),
        )
    });
    if back + on > 0 {
        transport.step(on - back, frames);
    }
}

fn paint_track(ui: &Ui, track: Rect, bar: &Bar<'_>, frame: u64, awake: bool) {
    let (palette, painter) = (theme::of(ui), ui.painter());
    let x = |at: f64| {
        let part = (at / bar.frames.saturating_sub(1).max(1) as f64).clamp(0.0, 1.0);
        track.left() + part as f32 * track.width()
    };
    painter.rect_filled(track, 2.0, palette.edge);
    for run in bar.runs {
        let left = x(run.start as f64 - 0.5);
        let right = x(run.end as f64 - 0.5);
        let held = Rect::from_x_y_ranges(left..=right, track.y_range());
        painter.rect_filled(held, 0.0, palette.weak.gamma_multiply(0.7));
    }
    let at = pos2(x(frame as f64), track.center().y);
    let done = Rect::from_x_y_ranges(track.left()..=at.x, track.y_range());
    painter.rect_filled(done, 2.0, palette.accent);
    painter.circle_filled(at, if awake { 7.0 } else { 6.0 }, palette.accent);
}
