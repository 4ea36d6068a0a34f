//! What the studio tells in passing, at the lower left: notes fade, errors stay until closed.

use std::time::Duration;

use egui::{Align2, Area, Frame, Id, RichText, vec2};
use longtake_editor::Action;
use longtake_editor::messages::Tone;

use crate::{Cx, theme};

/// How long a note stays.
const STAYS: Duration = Duration::from_secs(6);

/// Draws the messages.
pub fn ui(ctx: &egui::Context, cx: &mut Cx<'_>) {
    let shown: Vec<_> = cx
        .studio
        .messages
        .list
        .iter()
        .enumerate()
        .filter(|(_, it)| it.tone == Tone::Error || it.at.elapsed() < STAYS)
        .collect();
    if shown.is_empty() {
        return;
    }
    let fading = shown.iter().filter(|(_, it)| it.tone != Tone::Error);
    if let Some(next) = fading
        .map(|(_, it)| STAYS.saturating_sub(it.at.elapsed()))
        .min()
    {
        ctx.request_repaint_after(next + Duration::from_millis(20));
    }
    let mut close = None;
    Area::new(Id::new("messages"))
        .anchor(Align2::LEFT_BOTTOM, vec2(16.0, -16.0))
        .order(egui::Order::Tooltip)
        .show(ctx, |ui| {
            ui.set_max_width(520.0);
            for (index, message) in &shown {
                let colours = theme::of(ui);
                let colour = match message.tone {
                    Tone::Good => colours.good,
                    Tone::Note => colours.accent,
                    Tone::Error => colours.bad,
                };
                Frame::popup(ui.style())
                    .stroke(egui::Stroke::new(1.0, colour))
                    .show(ui, |ui| {
                        ui.horizontal(|ui| {
                            ui.label(RichText::new("●").color(colour));
                            ui.add(egui::Label::new(&message.text).wrap());
                            if message.tone == Tone::Error && ui.small_button("✕").clicked() {
                                close = Some(*index);
                            }
                        });
                    });
            }
        });
    if let Some(index) = close {
        cx.act(Action::CloseMessage(index));
    }
}
