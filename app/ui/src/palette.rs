//! The command palette: every command by name.

use egui::{Align2, Id, Key, RichText, vec2};
use longtake_editor::{Action, Command, Text, t};

use crate::widgets::name;
use crate::{Cx, theme};

const HINT: Text = t("Type a command", "コマンドを入力");

/// The command palette.
#[derive(Default)]
pub struct Palette {
    open: bool,
    just_opened: bool,
    query: String,
    chosen: usize,
}

impl Palette {
    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Opens it.
    pub fn open(&mut self) {
        *self = Self {
            open: true,
            just_opened: true,
            ..Self::default()
        };
    }

    /// Draws it, if it is open.
    pub fn ui(&mut self, ctx: &egui::Context, cx: &mut Cx<'_>) {
        if !self.open {
            return;
        }
        let found = longtake_editor::command::find(&self.query, cx.studio.language());
        let field = Id::new("palette field");
        let [down, up, enter, escape] = keys(ctx, field);
        let last = found.len().saturating_sub(1);
        self.chosen = match (down, up) {
            (true, false) => (self.chosen + 1).min(last),
            (false, true) => self.chosen.saturating_sub(1),
            (true, true) | (false, false) => self.chosen.min(last),
        };
        let mut picked = enter.then(|| found.get(self.chosen).copied()).flatten();
        let window = egui::Window::new("palette")
            .title_bar(false)
            .resizable(false)
            .anchor(Align2::CENTER_TOP, vec2(0.0, 96.0))
            .fixed_size([520.0, 420.0]);
        let shown = window.show(ctx, |ui| {
            let edit = egui::TextEdit::singleline(&mut self.query)
                .id(field)
                .hint_text(cx.tr(HINT))
                .desired_width(f32::INFINITY);
            let response = ui.add(edit);
            name(&response, cx.tr(HINT));
            if std::mem::take(&mut self.just_opened) {
                response.request_focus();
            }
            if response.changed() {
                self.chosen = 0;
            }
            ui.add_space(theme::UNIT);
            egui::ScrollArea::vertical()
                .auto_shrink([false; 2])
                .show(ui, |ui| {
                    for (index, command) in found.iter().enumerate() {
                        if row(ui, cx, *command, index == self.chosen, down || up) {
                            picked = Some(*command);
                        }
                    }
                });
        });
        let outside = shown.is_some_and(|it| it.response.clicked_elsewhere());
        if let Some(command) = picked {
            cx.act(Action::Command(command));
        }
        if picked.is_some() || escape || (outside && !self.just_opened) {
            self.open = false;
        }
    }
}

/// Down, up, Enter, Escape. Enter on an entry that Tab went to is a click on it.
fn keys(ctx: &egui::Context, field: Id) -> [bool; 4] {
    let focused = ctx.memory(egui::Memory::focused);
    let typing = focused.is_none_or(|it| it == field);
    let take = |key| ctx.input_mut(|input| input.consume_key(egui::Modifiers::NONE, key));
    [
        take(Key::ArrowDown),
        take(Key::ArrowUp),
        typing && take(Key::Enter),
        take(Key::Escape),
    ]
}

fn row(ui: &mut egui::Ui, cx: &Cx<'_>, command: Command, chosen: bool, moved: bool) -> bool {
    let keys = cx
        .studio
        .settings
        .keys_of(command)
        .split(' ')
        .next()
        .unwrap_or_default();
    let title = format!(
        "{}: {}",
        cx.tr(command.menu().title()),
        cx.tr(command.title())
    );
    let button = egui::Button::selectable(chosen, title)
        .shortcut_text(RichText::new(keys).weak())
        .min_size(vec2(ui.available_width(), theme::ROW));
    let why = cx.studio.unavailable(command);
    let response = ui.add_enabled(why.is_none(), button);
    if chosen && moved {
        response.scroll_to_me(None);
    }
    let response = response.on_hover_text(cx.tr(command.help()));
    match why {
        Some(why) => response.on_disabled_hover_text(cx.tr(why)).clicked(),
        None => response.clicked(),
    }
}
