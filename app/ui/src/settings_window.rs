//! Language, theme, scale and keys.

use egui::{Event, Key, Modifiers, RichText};
use longtake_editor::settings::Theme;
use longtake_editor::{Action, Command, Language, Settings, Text, t};

use crate::widgets::name;
use crate::{Cx, theme};

const TITLE: Text = t("Settings", "設定");
const LANGUAGE: Text = t("Language", "言語");
const THEME: Text = t("Theme", "テーマ");
const SCALE: Text = t("Scale", "拡大率");
const AUTOSAVE: Text = t("Autosave", "自動保存");
const SECONDS: Text = t("seconds after a change (0: never)", "秒後（0：しない）");
const SNAP: Text = t("Nodes snap to the grid", "ノードをグリッドに揃える");
const GUIDES: Text = t(
    "Nodes line up with others while dragged (not with Alt)",
    "ドラッグ中のノードを他のノードに揃える（Alt で無効）",
);
const KEYS: Text = t("Keys", "キー");
const FILTER: Text = t("Find a command", "コマンドを探す");
const PRESS: Text = t("Press keys…", "キーを押す…");
const TAKEN: Text = t(
    "{} stands for both {} and {}",
    "{} は {} と {} の両方に割り当てられています",
);
const RESTORE: Text = t("Default", "既定");
const SYSTEM: Text = t("As the desktop", "デスクトップに合わせる");

/// The settings window.
#[derive(Default)]
pub struct SettingsWindow {
    open: bool,
    filter: String,
    /// The command whose keys are being pressed.
    recording: Option<Command>,
}

impl SettingsWindow {
    /// Opens it.
    pub fn open(&mut self) {
        self.open = true;
    }

    /// Whether the next keys are taken down rather than obeyed.
    pub fn records(&self) -> bool {
        self.open && self.recording.is_some()
    }

    /// Draws it, if it is open.
    pub fn ui(&mut self, ctx: &egui::Context, cx: &mut Cx<'_>) {
        let mut open = self.open;
        let mut settings = cx.studio.settings.clone();
        egui::Window::new(cx.tr(TITLE))
            .id(egui::Id::new("settings"))
            .open(&mut open)
            .default_size([560.0, 560.0])
            .collapsible(false)
            .show(ctx, |ui| {
                // Before any field can hear the keys.
                self.record(ui, &mut settings);
                look_ui(ui, cx, &mut settings);
                ui.separator();
                self.keys_ui(ui, cx, &mut settings);
            });
        self.open = open;
        if !open {
            self.recording = None;
        }
        if settings != cx.studio.settings {
            cx.act(Action::SetSettings(Box::new(settings)));
        }
    }

    fn keys_ui(&mut self, ui: &mut egui::Ui, cx: &Cx<'_>, settings: &mut Settings) {
        ui.horizontal(|ui| {
            ui.strong(cx.tr(KEYS));
            let filter = ui.text_edit_singleline(&mut self.filter);
            name(&filter, cx.tr(FILTER));
        });
        for (first, second, chord) in longtake_editor::keys::conflicts(settings) {
            let names = [first, second].map(|it| cx.tr(it.title()));
            let text = TAKEN.with(
                cx.studio.language(),
                &[&chord.to_string(), names[0], names[1]],
            );
            ui.colored_label(theme::of(ui).warn, text);
        }
        let found = longtake_editor::command::find(&self.filter, cx.studio.language());
        egui::ScrollArea::vertical()
            .auto_shrink([false; 2])
            .show(ui, |ui| {
                egui::Grid::new("keys")
                    .num_columns(3)
                    .striped(true)
                    .show(ui, |ui| {
                        for command in found {
                            ui.label(cx.tr(command.title()))
                                .on_hover_text(cx.tr(command.help()));
                            let text = if self.recording == Some(command) {
                                cx.tr(PRESS).to_owned()
                            } else {
                                settings.keys_of(command).to_owned()
                            };
                            if ui
                                .add(egui::Button::new(text).min_size([180.0, 0.0].into()))
                                .clicked()
                            {
                                self.recording = Some(command);
                            }
                            let own = settings.keys.contains_key(command.id());
                            if ui
                                .add_enabled(own, egui::Button::new(cx.tr(RESTORE)))
                                .clicked()
                            {
                                let _ = settings.set_keys(command, None);
                            }
                            ui.end_row();
                        }
                    });
            });
    }

    /// Takes the next chord as the keys of the command that waits for one; Escape gives it none.
    #[expect(clippy::wildcard_enum_match_arm, reason = "egui's own")]
    fn record(&mut self, ui: &egui::Ui, settings: &mut Settings) {
        let Some(command) = self.recording else {
            return;
        };
        let chord = ui.input_mut(|input| {
            let found = input.events.iter().find_map(|event| match event {
                Event::Key {
                    key,
                    pressed: true,
                    modifiers,
                    ..
                } => Some((*key, *modifiers)),
                // The window system turns these keys into words of its own.
                Event::Copy => Some((Key::C, Modifiers::COMMAND)),
                Event::Cut => Some((Key::X, Modifiers::COMMAND)),
                Event::Paste(_) => Some((Key::V, Modifiers::COMMAND)),
                _ => None,
            });
            input.events.retain(|event| {
                !matches!(
                    event,
                    Event::Key { .. } | Event::Text(_) | Event::Copy | Event::Cut | Event::Paste(_)
                )
            });
            found
        });
        if let Some((key, modifiers)) = chord {
            let text = if key == Key::Escape {
                String::new()
            } else {
                chord_text(key, modifiers)
            };
            // Keys come from the keyboard: they can be read.
            let _ = settings.set_keys(command, Some(&text));
            self.recording = None;
        }
    }
}

fn chord_text(key: Key, modifiers: Modifiers) -> String {
    let held = [
        (modifiers.command, "Ctrl+"),
        (modifiers.shift, "Shift+"),
        (modifiers.alt, "Alt+"),
    ];
    let held: String = held.iter().filter(|it| it.0).map(|it| it.1).collect();
    format!("{held}{}", key.name())
}

fn look_ui(ui: &mut egui::Ui, cx: &Cx<'_>, settings: &mut Settings) {
    egui::Grid::new("look")
        .num_columns(2)
        .spacing([24.0, 8.0])
        .show(ui, |ui| {
            ui.label(cx.tr(LANGUAGE));
            ui.horizontal(|ui| {
                for language in Language::ALL {
                    let chosen = cx.studio.language() == language;
                    if ui.selectable_label(chosen, language.name()).clicked() {
                        settings.language = Some(language);
                    }
                }
            });
            ui.end_row();
            ui.label(cx.tr(THEME));
            ui.horizontal(|ui| {
                let themes = [
                    (Theme::Dark, t("Dark", "ダーク")),
                    (Theme::Light, t("Light", "ライト")),
                    (Theme::System, SYSTEM),
                ];
                for (theme, text) in themes {
                    ui.selectable_value(&mut settings.theme, theme, cx.tr(text));
                }
            });
            ui.end_row();
            ui.label(cx.tr(SCALE));
            ui.horizontal(|ui| {
                for scale in [0.8, 1.0, 1.25, 1.5, 2.0] {
                    let text = RichText::new(format!("{:.0} %", scale * 100.0));
                    ui.selectable_value(&mut settings.scale, scale, text);
                }
            });
            ui.end_row();
            ui.label(cx.tr(AUTOSAVE));
            ui.horizontal(|ui| {
                let secs = egui::DragValue::new(&mut settings.autosave_secs).range(0..=600);
                name(&ui.add(secs), cx.tr(AUTOSAVE));
                ui.label(cx.tr(SECONDS));
            });
            ui.end_row();
            ui.label("");
            ui.checkbox(&mut settings.snap, cx.tr(SNAP));
            ui.end_row();
            ui.label("");
            ui.checkbox(&mut settings.guides, cx.tr(GUIDES));
            ui.end_row();
        });
    ui.add_space(theme::UNIT);
}
