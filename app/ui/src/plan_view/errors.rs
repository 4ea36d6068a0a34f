//! What is wrong with the graph; a click shows where.

use egui::{ScrollArea, Sense, Ui, WidgetInfo, WidgetType};
use longtake_editor::reveal::way_to;
use longtake_graph::{Diagnostic, Severity};

use super::words;
use crate::theme::{ROW, UNIT};
use crate::titles::Titles;
use crate::{Cx, theme};

/// Findings listed; a graph that lacks a model in a thousand nodes needs no thousand lines.
const MOST: usize = 100;
/// Height of the list, points.
const HEIGHT: f32 = 132.0;

/// Draws the findings, the errors first; nothing when there are none.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let found = cx.studio.planned.diagnostics.clone();
    if found.is_empty() {
        return;
    }
    let errors = cx.studio.planned.errors();
    let (text, count) = match errors {
        0 => (words::WARNINGS, found.len()),
        n => (words::ERRORS, n),
    };
    let colours = theme::of(ui);
    let text = text.with(cx.studio.language(), &[&count.to_string()]);
    let colour = if errors > 0 {
        colours.bad
    } else {
        colours.warn
    };
    ui.label(egui::RichText::new(text).color(colour));
    let shown = found.len().min(MOST);
    let rows = if errors > 0 { 5 } else { 2 };
    let height = (shown.min(rows) as f32 * ROW).min(HEIGHT);
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ScrollArea::vertical()
            .id_salt("findings")
            .max_height(height)
            .auto_shrink([false, true])
            .show_rows(ui, ROW, shown, |ui, range| {
                for found in &found[range] {
                    row(ui, cx, found);
                }
            });
    });
    if found.len() > MOST {
        let more = (found.len() - MOST).to_string();
        ui.weak(words::MORE.with(cx.studio.language(), &[&more]));
    }
    ui.add_space(UNIT);
}

fn row(ui: &mut Ui, cx: &mut Cx<'_>, found: &Diagnostic) {
    let colours = theme::of(ui);
    let size = egui::vec2(ui.available_width(), ROW);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let message = cx.studio.language().sentence(&found.message);
    let node = found.place.node.as_ref();
    let title = node.map(|id| Titles::new(cx.studio).of(id));
    let place = match (&title, &found.place.input) {
        (Some(title), Some(input)) => format!("{title} · {input}"),
        (Some(title), None) => title.clone(),
        (None, _) => String::new(),
    };
    response.widget_info(|| {
        let text = format!("{place}: {message}");
        WidgetInfo::labeled(WidgetType::Button, true, text)
    });
    if response.hovered() {
        let fill = colours.accent.gamma_multiply(0.16);
        ui.painter().rect_filled(rect, 0.0, fill);
        cx.lit.extend(node.cloned());
    }
    let colour = match found.severity {
        Severity::Error => colours.bad,
        Severity::Warning => colours.warn,
    };
    let painter = ui.painter().with_clip_rect(rect);
    let dot = rect.left_center() + egui::vec2(2.0 * UNIT, 0.0);
    painter.circle_filled(dot, 3.0, colour);
    let font = egui::FontId::proportional(12.5);
    let left = dot + egui::vec2(2.0 * UNIT, 0.0);
    let align = egui::Align2::LEFT_CENTER;
    let drawn = painter.text(left, align, place, font.clone(), colours.text);
    let after = egui::pos2(drawn.right() + 2.0 * UNIT, left.y);
    painter.text(after, align, message, font, colours.weak);
    let clicked = response.clicked();
    response.on_hover_text(message);
    if clicked && let Some(node) = node {
        for action in way_to(&cx.studio.session, node) {
            cx.act(action);
        }
    }
}
