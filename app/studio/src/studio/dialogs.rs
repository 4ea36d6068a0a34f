//! The desktop's dialogs. Where no portal answers they give nothing, as if cancelled, at once; the window
//! then asks for a path itself.

use std::path::{Path, PathBuf};

use longtake_ui::{Dialogs, Told};

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

    fn open(&mut self, title: &str, endings: &[&str], told: Told) {
        let dialog = rfd::FileDialog::new()
            .set_title(title)
            .add_filter(title, endings);
        ask(move || dialog.pick_file(), told);
    }

    fn save(&mut self, title: &str, proposed: &Path, endings: &[&str], told: Told) {
        let name = proposed.file_name().unwrap_or_default().to_string_lossy();
        let dialog = rfd::FileDialog::new()
            .set_title(title)
            .set_file_name(name)
            .add_filter(title, endings);
        let dialog = match proposed.parent().filter(|it| it.is_dir()) {
            Some(folder) => dialog.set_directory(folder),
            None => dialog,
        };
        ask(move || dialog.save_file(), told);
    }
}

/// Asks on a thread, so that the window goes on while the dialog is open. A Mac shows dialogs on the main
/// thread only.
fn ask(dialog: impl FnOnce() -> Option<PathBuf> + Send + 'static, told: Told) {
    if cfg!(target_os = "macos") {
        told(dialog());
        return;
    }
    // Without a thread nothing is told, which the window takes for no dialog.
    let _ = std::thread::Builder::new()
        .name("dialog".to_owned())
        .spawn(move || told(dialog()));
}
