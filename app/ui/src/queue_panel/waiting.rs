//! Jobs that wait: dragged into another order, or moved by buttons.

use egui::{Align2, FontId, Rect, Sense, Ui};
use longtake_editor::Action;
use longtake_editor::queue::{Job, JobId, QueueAction};

use super::{section, symbol, words};
use crate::Cx;
use crate::theme::{self, ROW, UNIT};

/// Height of a row.
const HEIGHT: f32 = ROW + UNIT;

/// Draws the waiting jobs, if there are any.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let studio = cx.studio;
    let jobs: Vec<&Job> = studio.queue.waiting().collect();
    if jobs.is_empty() {
        return;
    }
    let title = format!("{} ({})", cx.tr(words::WAITING), jobs.len());
    section(ui, &title, None);
    let mut rects = Vec::with_capacity(jobs.len());
    let mut dropped = None;
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (at, job) in jobs.iter().enumerate() {
            let (rect, released) = row(ui, cx, job, at, jobs.len());
            rects.push(rect);
            dropped = dropped.or(released.then_some(job.id));
        }
    });
    let dragged = jobs
        .iter()
        .position(|job| ui.ctx().is_being_dragged(drag_id(job.id)));
    let pointer = ui.input(|it| it.pointer.latest_pos());
    let gap = pointer.map(|pos| rects.iter().filter(|it| it.center().y < pos.y).count());
    if let (Some(_), Some(gap)) = (dragged, gap) {
        let y = rects
            .get(gap)
            .map_or_else(|| rects[rects.len() - 1].bottom(), Rect::top);
        let stroke = egui::Stroke::new(2.0, theme::of(ui).accent);
        ui.painter().hline(rects[0].x_range(), y, stroke);
    }
    if let (Some(id), Some(gap)) = (dropped, gap) {
        let from = jobs.iter().position(|it| it.id == id).unwrap_or(gap);
        // Taken out first, it no longer counts.
        let to = if gap > from { gap - 1 } else { gap };
        if to != from {
            cx.act(Action::Queue(QueueAction::Move(id, to)));
        }
    }
}

fn drag_id(id: JobId) -> egui::Id {
    egui::Id::new(("waiting", id.0))
}

/// Draws a job; says whether it was let go after a drag.
fn row(ui: &mut Ui, cx: &mut Cx<'_>, job: &Job, at: usize, count: usize) -> (Rect, bool) {
    let colours = theme::of(ui);
    let size = egui::vec2(ui.available_width(), HEIGHT);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let buttons = 3.0 * (ROW + UNIT);
    let (handle, tools) = rect.split_left_right_at_x(rect.right() - buttons);
    let response = ui.interact(handle, drag_id(job.id), Sense::drag());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Label, true, &job.title));
    if response.dragged() {
        let fill = colours.accent.gamma_multiply(0.16);
        ui.painter().rect_filled(rect, theme::RADIUS, fill);
    }
    let painter = ui.painter().with_clip_rect(handle);
    let font = FontId::proportional(13.0);
    let left = handle.left_center() + egui::vec2(UNIT, 0.0);
    for n in 0..6u8 {
        let dot = egui::vec2(f32::from(n % 2) * 4.0, f32::from(n / 2) * 4.0 - 4.0);
        painter.circle_filled(left + dot, 1.0, colours.weak);
    }
    let after = left + egui::vec2(4.0 * UNIT, 0.0);
    let align = Align2::LEFT_CENTER;
    let drawn = painter.text(after, align, &job.title, font.clone(), colours.text);
    if job.interrupted {
        let after = egui::pos2(drawn.right() + 2.0 * UNIT, after.y);
        let text = cx.tr(words::INTERRUPTED);
        painter.text(after, align, text, font, colours.warn);
    }
    let released = response.drag_stopped();
    response.on_hover_cursor(egui::CursorIcon::Grab);
    let layout = egui::Layout::right_to_left(egui::Align::Center);
    let tools = egui::UiBuilder::new().max_rect(tools).layout(layout);
    ui.scope_builder(tools, |ui| {
        ui.spacing_mut().item_spacing.x = UNIT;
        if symbol(ui, cx, "✖", words::REMOVE, true) {
            cx.act(Action::Queue(QueueAction::Cancel(job.id)));
        }
        if symbol(ui, cx, "⏷", words::DOWN, at + 1 < count) {
            cx.act(Action::Queue(QueueAction::Move(job.id, at + 1)));
        }
        if symbol(ui, cx, "⏶", words::UP, at > 0) {
            cx.act(Action::Queue(QueueAction::Move(job.id, at - 1)));
        }
    });
    (rect, released)
}
