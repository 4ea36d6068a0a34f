//! The menu bar, and commands as buttons of any menu.

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
                command_ui(ui, cx, command);
            }
        });
    }
}

/// A command in a menu, with its keys and what it does; where it cannot be done now, grey and with
/// the reason.
pub fn command_ui(ui: &mut egui::Ui, cx: &mut Cx<'_>, command: Command) {
    let keys = cx.studio.settings.keys_of(command);
    let keys = keys.split(' ').next().unwrap_or_default();
    let button = egui::Button::new(cx.tr(command.title())).shortcut_text(keys);
    let why = cx.studio.unavailable(command);
    let response = ui.add_enabled(why.is_none(), button);
    let response = response.on_hover_text(cx.tr(command.help()));
    let response = match why {
        Some(why) => response.on_disabled_hover_text(cx.tr(why)),
        None => response,
    };
    if response.clicked() {
        cx.act(Action::Command(command));
        ui.close();
    }
}
