//! What the studio tells in passing, at the lower left: notes fade, errors stay until closed.

use std::time::{Duration, Instant};

use egui::{Align2, Area, Frame, Id, RichText, vec2};
use longtake_editor::messages::{Message, Tone};
use longtake_editor::{Action, Text, t};

use crate::widgets::name;
use crate::{Cx, theme};

/// How long reading or writing may take unseen.
const PATIENCE: Duration = Duration::from_millis(300);

const CLOSE: Text = t("Close this message", "メッセージを閉じる");

/// Draws the messages.
pub fn ui(ctx: &egui::Context, cx: &mut Cx<'_>) {
    let now = Instant::now();
    // What is left of its time; an error has no end.
    let left = |it: &Message| match it.stays() {
        None => Some(Duration::MAX),
        Some(stays) => (it.at + stays)
            .checked_duration_since(now)
            .filter(|it| !it.is_zero()),
    };
    let list = cx.studio.messages.list.iter().enumerate();
    let shown: Vec<_> = list
        .filter_map(|(at, it)| Some((at, it, left(it)?)))
        .collect();
    let busy = busy(ctx, cx);
    let next = shown.iter().map(|it| it.2).min();
    if next.is_none() && busy.is_none() {
        return;
    }
    if let Some(next) = next.filter(|it| *it < Duration::MAX) {
        ctx.request_repaint_after(next + Duration::from_millis(20));
    }
    let mut answers = Vec::new();
    Area::new(Id::new("messages"))
        .anchor(Align2::LEFT_BOTTOM, vec2(16.0, -16.0))
        .order(egui::Order::Tooltip)
        .show(ctx, |ui| {
            ui.set_max_width(520.0);
            if let Some(text) = busy {
                Frame::popup(ui.style()).show(ui, |ui| {
                    ui.horizontal(|ui| {
                        ui.add(egui::Spinner::new().size(theme::ROW / 2.0));
                        ui.label(text);
                    });
                });
            }
            for (index, message, _) in &shown {
                answers.extend(message_ui(ui, cx, *index, message));
            }
        });
    for answer in answers {
        cx.act(answer);
    }
}

/// One message; what was answered to it.
fn message_ui(ui: &mut egui::Ui, cx: &Cx<'_>, index: usize, message: &Message) -> Vec<Action> {
    let colours = theme::of(ui);
    let colour = match message.tone {
        Tone::Good => colours.good,
        Tone::Note => colours.accent,
        Tone::Error => colours.bad,
    };
    let mut answers = Vec::new();
    Frame::popup(ui.style())
        .stroke(egui::Stroke::new(1.0, colour))
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.label(RichText::new("●").color(colour));
                ui.add(egui::Label::new(&message.text).wrap());
                if let Some(command) = message.offer
                    && ui.button(cx.tr(command.title())).clicked()
                {
                    answers.push(Action::CloseMessage(index));
                    answers.push(Action::Command(command));
                }
                let closes = message.tone == Tone::Error || message.offer.is_some();
                if closes {
                    let button = ui.small_button("✕");
                    name(&button, cx.tr(CLOSE));
                    if button.on_hover_text(cx.tr(CLOSE)).clicked() {
                        answers.push(Action::CloseMessage(index));
                    }
                }
            });
        });
    answers
}

/// What is read or written, once that takes long enough to be noticed: a short one shows nothing.
fn busy(ctx: &egui::Context, cx: &Cx<'_>) -> Option<String> {
    let (text, since) = cx.studio.busy()?;
    let left = PATIENCE.saturating_sub(since.elapsed());
    if left.is_zero() {
        return Some(text);
    }
    ctx.request_repaint_after(left);
    None
}
