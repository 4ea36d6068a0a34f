//! The queue: what runs, what waits, what became of the rest.
//!
//! - `running`, `waiting`, `ended`: one section each; `outputs`: the files of an ended one.

mod ended;
mod outputs;
mod running;
#[cfg(test)]
mod tests;
mod waiting;
mod words;

use egui::{Rect, ScrollArea, Ui};
use longtake_editor::queue::QueueAction;
use longtake_editor::{Action, Command, Text};

use crate::pictures::{Picture, picture_ui};
use crate::theme::{RADIUS, ROW, UNIT};
use crate::{Cx, theme};

/// The queue and what became of its jobs.
#[derive(Default)]
pub struct QueuePanel {
    ended: ended::Chosen,
}

impl QueuePanel {
    /// Draws it.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        egui::Frame::NONE
            .inner_margin(egui::Margin::same(2 * UNIT as i8))
            .show(ui, |ui| {
                head(ui, cx);
                ui.add_space(UNIT);
                ScrollArea::vertical()
                    .id_salt("queue")
                    .auto_shrink([false, false])
                    .show(ui, |ui| {
                        running::ui(ui, cx);
                        waiting::ui(ui, cx);
                        ended::ui(ui, cx, &mut self.ended);
                        let queue = &cx.studio.queue;
                        if queue.jobs.is_empty() && queue.ended.is_empty() {
                            ui.weak(cx.tr(words::EMPTY));
                        }
                    });
            });
    }
}

fn head(ui: &mut Ui, cx: &mut Cx<'_>) {
    let queue = &cx.studio.queue;
    let (paused, running) = (queue.paused, queue.running().map(|it| it.id));
    ui.horizontal(|ui| {
        if ui.button(cx.tr(words::RUN)).clicked() {
            cx.act(Action::Command(Command::Run));
        }
        let text = if paused { words::RESUME } else { words::PAUSE };
        // As wide in either state: nothing jumps.
        let button = egui::Button::new(cx.tr(text)).min_size(egui::vec2(72.0, ROW));
        let button = ui.add(button).on_hover_text(cx.tr(words::PAUSE_HELP));
        if button.clicked() {
            cx.act(Action::Queue(QueueAction::Pause(!paused)));
        }
        let cancel = egui::Button::new(cx.tr(words::CANCEL));
        if ui.add_enabled(running.is_some(), cancel).clicked()
            && let Some(id) = running
        {
            cx.act(Action::Queue(QueueAction::Cancel(id)));
        }
        if paused {
            let colour = theme::of(ui).warn;
            ui.label(egui::RichText::new(cx.tr(words::PAUSED)).color(colour));
        }
    });
}

/// A section's title; says whether the button at its end was clicked.
fn section(ui: &mut Ui, title: &str, button: Option<&str>) -> bool {
    ui.add_space(2.0 * UNIT);
    let row = ui.horizontal(|ui| {
        ui.strong(title);
        let end = egui::Layout::right_to_left(egui::Align::Center);
        let clicked = ui.with_layout(end, |ui| {
            button.is_some_and(|text| ui.small_button(text).clicked())
        });
        clicked.inner
    });
    row.inner
}

/// A button of a symbol with its name for those who cannot see it.
fn symbol(ui: &mut Ui, cx: &Cx<'_>, glyph: &str, name: Text, enabled: bool) -> bool {
    let name = cx.tr(name);
    let button = egui::Button::new(glyph)
        .frame_when_inactive(false)
        .min_size(egui::vec2(ROW, ROW));
    let response = ui.add_enabled(enabled, button);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Button, enabled, name));
    response.on_hover_text(name).clicked()
}

/// A picture within a rectangle, on a calm ground while there is none.
fn paint(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, picture: &Picture) {
    let ground = theme::of(ui).canvas;
    ui.painter().rect_filled(rect, RADIUS, ground);
    let inner = egui::UiBuilder::new().id_salt("picture").max_rect(rect);
    let language = cx.studio.language();
    picture_ui(&mut ui.new_child(inner), language, rect, picture);
}
