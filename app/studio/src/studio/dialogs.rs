//! The desktop's dialogs. Where no portal answers they give nothing, as if cancelled; the window then
//! asks for a path itself.

use std::path::{Path, PathBuf};

use longtake_ui::Dialogs;

/// Dialogs by `rfd`.
pub struct Desktop;

impl Dialogs for Desktop {
    fn answer(&self) -> bool {
        // On Linux dialogs come from a portal on the session bus, or from zenity.
        let zenity = || {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path).any(|it| it.join("zenity").is_file())
        };
        !cfg!(target_os = "linux")
            || std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some()
            || zenity()
    }

    fn open(&mut self, title: &str, endings: &[&str]) -> Option<PathBuf> {
        rfd::FileDialog::new()
            .set_title(title)
            .add_filter(title, endings)
            .pick_file()
    }

    fn save(&mut self, title: &str, proposed: &Path, endings: &[&str]) -> Option<PathBuf> {
        let name = proposed.file_name().unwrap_or_default().to_string_lossy();
        let dialog = rfd::FileDialog::new()
            .set_title(title)
            .set_file_name(name)
            .add_filter(title, endings);
        let folder = proposed.parent().filter(|it| it.is_dir());
        folder
            .map_or(dialog.clone(), |it| dialog.set_directory(it))
            .save_file()
    }

    fn show_folder(&mut self, path: &Path) {
        let opener = if cfg!(target_os = "macos") {
            "open"
        } else if cfg!(windows) {
            "explorer"
        } else {
            "xdg-open"
        };
        // No desktop, no file manager: nothing happens, as everywhere else on such a machine.
        let _ = std::process::Command::new(opener).arg(path).spawn();
    }
}
