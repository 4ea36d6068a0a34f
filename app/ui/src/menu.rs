//! The menu bar.

use longtake_editor::command::Menu;
use longtake_editor::{Action, Command};

use crate::Cx;

/// Draws the menus: every command, with its keys.
pub fn menu_ui(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    egui::MenuBar::new().ui(ui, |ui| menus(ui, cx));
}

fn menus(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    for menu in Menu::ALL {
        ui.menu_button(cx.tr(menu.title()), |ui| {
            for &command in Command::ALL.iter().filter(|it| it.menu() == menu) {
                let keys = cx.studio.settings.keys_of(command);
                let keys = keys.split(' ').next().unwrap_or_default();
                let button = egui::Button::new(cx.tr(command.title())).shortcut_text(keys);
                let help = cx.tr(command.help());
                if ui.add(button).on_hover_text(help).clicked() {
                    cx.act(Action::Command(command));
                    ui.close();
                }
            }
        });
    }
}
