//! The desktop's dialogs. Where no portal answers they give nothing, as if cancelled; the window then
//! asks for a path itself.

use std::path::{Path, PathBuf};

use longtake_ui::Dialogs;

/// Dialogs by `rfd`.
pub struct Desktop;

impl Dialogs for Desktop {
    fn open(&mut self, title: &str, extensions: &[&str]) -> Option<PathBuf> {
        rfd::FileDialog::new()
            .set_title(title)
            .add_filter(title, extensions)
            .pick_file()
    }

    fn save(&mut self, title: &str, name: &str, extensions: &[&str]) -> Option<PathBuf> {
        rfd::FileDialog::new()
            .set_title(title)
            .set_file_name(name)
            .add_filter(title, extensions)
            .save_file()
    }

    fn show_folder(&mut self, path: &Path) {
        // No desktop, no file manager: nothing happens, as everywhere else on such a machine.
        let _ = std::process::Command::new("xdg-open").arg(path).spawn();
    }
}
