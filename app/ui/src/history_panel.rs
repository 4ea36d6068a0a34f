//! Undo history: every unit, the oldest first; a click goes there.

use egui::{Align2, FontId, ScrollArea, Sense, Ui, WidgetInfo, WidgetType};
use longtake_editor::{Action, Text, t};

use crate::theme::{ROW, UNIT};
use crate::{Cx, theme};

const START: Text = t("Start", "開始");
const NOTHING: Text = t(
    "Changes appear here. A click goes back to one.",
    "変更がここに表示されます。クリックでその時点に戻ります。",
);

/// The undo history.
#[derive(Default)]
pub struct HistoryPanel {
    /// Units done when it was drawn last.
    done: usize,
}

impl HistoryPanel {
    /// Draws it.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let history = cx.studio.session.history();
        let (done, undone) = (history.done().len(), history.undone().len());
        let moved = std::mem::replace(&mut self.done, done) != done;
        egui::Frame::NONE
            .inner_margin(egui::Margin::same(2 * UNIT as i8))
            .show(ui, |ui| {
                if done + undone == 0 {
                    ui.weak(cx.tr(NOTHING));
                    return;
                }
                ui.spacing_mut().item_spacing.y = 0.0;
                let mut area = ScrollArea::vertical().auto_shrink([false, false]);
                // The present stays in view when it changes by keys.
                if moved {
                    let top = done as f32 * ROW - ui.available_height() / 2.0;
                    area = area.vertical_scroll_offset(top.max(0.0));
                }
                area.show_rows(ui, ROW, done + undone + 1, |ui, range| {
                    for at in range {
                        row(ui, cx, at, done);
                    }
                });
            });
    }
}

/// The state after `at` units.
fn row(ui: &mut Ui, cx: &mut Cx<'_>, at: usize, done: usize) {
    let history = cx.studio.session.history();
    let unit = match at.checked_sub(1) {
        None => None,
        Some(n) if n < done => history.done().get(n),
        Some(n) => history.undone().iter().rev().nth(n - done),
    };
    let text = cx.tr(unit.map_or(START, |it| it.label));
    let size = egui::vec2(ui.available_width(), ROW);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let now = at == done;
    response.widget_info(|| WidgetInfo::selected(WidgetType::SelectableLabel, true, now, text));
    let colours = theme::of(ui);
    if now || response.hovered() {
        let strength = if now { 0.32 } else { 0.14 };
        let fill = colours.accent.gamma_multiply(strength);
        ui.painter().rect_filled(rect, theme::RADIUS, fill);
    }
    let colour = if at > done {
        colours.weak
    } else {
        colours.text
    };
    let painter = ui.painter().with_clip_rect(rect);
    let left = rect.left_center() + egui::vec2(2.0 * UNIT, 0.0);
    let font = FontId::proportional(13.0);
    painter.text(left, Align2::LEFT_CENTER, text, font.clone(), colour);
    if at > 0 {
        let right = rect.right_center() - egui::vec2(2.0 * UNIT, 0.0);
        painter.text(right, Align2::RIGHT_CENTER, at, font, colours.weak);
    }
    if response.clicked() && !now {
        cx.act(Action::HistoryTo(at));
    }
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable;

    use super::*;
    use crate::plan_view::testing::{harness, picture};
    use longtake_editor::Command;

    #[test]
    fn a_click_goes_there_and_back() {
        let mut harness = harness([260.0, 300.0], HistoryPanel::default(), HistoryPanel::ui);
        let studio = &mut harness.state_mut().studio;
        for command in [
            Command::SelectAll,
            Command::Mute,
            Command::Collapse,
            Command::Bypass,
        ] {
            studio.act(Action::Command(command));
        }
        assert_eq!(studio.session.history().done().len(), 3);
        let before = studio.session.project().clone();
        harness.run_steps(3);
        harness.get_by_label("Start").click();
        harness.run_steps(3);
        assert_eq!(harness.state().studio.session.history().undone().len(), 3);
        picture(&mut harness, "history");
        let labels = harness.state().studio.session.history().undone().to_vec();
        let newest = labels[0].label.en;
        harness.get_by_label(newest).click();
        harness.run_steps(3);
        assert_eq!(*harness.state().studio.session.project(), before);
    }
}
