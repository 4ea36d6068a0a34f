//! A question before work could be lost: drawn over everything, answered by button, Enter or Escape.

use egui::{Key, Modifiers, RichText};
use longtake_editor::Action;

use crate::{Cx, theme};

/// Draws the question, if there is one.
pub fn ui(ctx: &egui::Context, cx: &mut Cx<'_>) {
    let Some(question) = &cx.studio.question else {
        return;
    };
    let mut answer = None;
    let mut focused = false;
    theme::modal(ctx, "question").show(ctx, |ui| {
        ui.set_width(440.0);
        ui.add(egui::Label::new(RichText::new(&question.title).heading()).wrap());
        ui.add_space(2.0 * theme::UNIT);
        ui.add(egui::Label::new(&question.text).wrap());
        ui.add_space(4.0 * theme::UNIT);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            for (index, choice) in question.choices.iter().enumerate().rev() {
                let colours = theme::of(ui);
                let button = egui::Button::new(&choice.label);
                let button = if index == question.main {
                    button.fill(colours.accent.gamma_multiply(0.6))
                } else if choice.risky {
                    button.stroke(egui::Stroke::new(1.0, colours.bad))
                } else {
                    button
                };
                let response = ui.add(button);
                focused |= response.has_focus();
                if response.clicked() {
                    answer = Some(index);
                }
            }
        });
    });
    // Enter on a button is a click on it, and else the main choice.
    let keys = ctx.input_mut(|input| {
        let enter = !focused && input.consume_key(Modifiers::NONE, Key::Enter);
        let escape = input.consume_key(Modifiers::NONE, Key::Escape);
        match (enter, escape) {
            (true, _) => Some(question.main),
            (_, true) => Some(question.safe),
            _ => None,
        }
    });
    if let Some(answer) = answer.or(keys) {
        cx.act(Action::Answer(answer));
    }
}
