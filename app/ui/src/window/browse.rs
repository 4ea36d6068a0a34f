//! A file dialog of our own, for desktops whose dialogs do not answer: folders, files that fit, a field
//! for the path.

use std::path::{Path, PathBuf};

use egui::{Id, Key, Modifiers, RichText, ScrollArea, TextEdit};
use longtake_editor::{Studio, Text, t};

use crate::theme;
use crate::widgets::name;

const OPEN: Text = t("Open", "開く");
const SAVE: Text = t("Save", "保存");
const CANCEL: Text = t("Cancel", "キャンセル");
const NAME: Text = t("Name or path", "名前またはパス");
const ALL: Text = t("All files", "すべてのファイル");
const EXISTS: Text = t("Replace the file?", "ファイルを置き換えますか?");
const EXISTS_TEXT: Text = t("{} is there already.", "{} は既に存在します。");
const REPLACE: Text = t("Replace", "置き換え");
const UNREADABLE: Text = t(
    "This folder cannot be read: {}",
    "このフォルダーは読めません：{}",
);

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Title of the dialog.
    pub title: String,
    /// Endings that fit.
    pub endings: Vec<String>,
    /// A file to write rather than one to read.
    pub save: bool,
}

/// The dialog.
pub struct Browse {
    asked: Asked,
    folder: PathBuf,
    /// The path field: a name in the folder, or a whole path.
    field: String,
    all: bool,
    entries: Result<Vec<Entry>, String>,
    just_opened: bool,
    /// A file that is there and would be written: the question shows in place of the list.
    replace: Option<PathBuf>,
}

struct Entry {
    name: String,
    folder: bool,
}

/// How the dialog stands after a frame.
pub enum Answer {
    /// Still open.
    Open,
    /// Closed without a choice.
    Cancelled,
    /// This file.
    Path(PathBuf),
}

impl Browse {
    /// A dialog at `start`: a folder, or a file whose name is proposed.
    pub fn new(asked: Asked, start: &Path) -> Self {
        let start = std::path::absolute(start).unwrap_or_else(|_| start.to_path_buf());
        let (folder, field) = if start.is_dir() {
            (start, String::new())
        } else {
            let name = start
                .file_name()
                .map(|it| it.to_string_lossy().into_owned());
            let folder = start.parent().map(Path::to_path_buf);
            (
                folder.unwrap_or_else(|| PathBuf::from("/")),
                name.unwrap_or_default(),
            )
        };
        let mut this = Self {
            asked,
            folder: PathBuf::new(),
            field,
            all: false,
            entries: Ok(Vec::new()),
            just_opened: true,
            replace: None,
        };
        this.enter(folder);
        this
    }

    fn enter(&mut self, folder: PathBuf) {
        self.entries = read(&folder);
        self.folder = folder;
    }

    fn fits(&self, name: &str) -> bool {
        let ending = Path::new(name)
            .extension()
            .map(|it| it.to_string_lossy().to_lowercase());
        self.all || ending.is_some_and(|it| self.asked.endings.contains(&it))
    }

    /// Draws it.
    pub fn ui(&mut self, ctx: &egui::Context, studio: &Studio) -> Answer {
        if let Some(path) = self.replace.take() {
            return self.replace_ui(ctx, studio, path);
        }
        // Enter on a button is a click on it.
        let field = Id::new("browse field");
        let focused = ctx.memory(egui::Memory::focused);
        let typing = focused.is_none_or(|it| it == field);
        let (enter, escape) = ctx.input_mut(|input| {
            (
                typing && input.consume_key(Modifiers::NONE, Key::Enter),
                input.consume_key(Modifiers::NONE, Key::Escape),
            )
        });
        let mut chosen = enter.then(|| self.typed());
        let mut cancelled = escape;
        theme::modal(ctx, "browse").show(ctx, |ui| {
            ui.set_width(600.0);
            ui.heading(&self.asked.title);
            ui.add_space(theme::UNIT);
            self.crumbs_ui(ui);
            if let Some(path) = self.list_ui(ui, studio) {
                chosen = Some(path);
            }
            ui.add_space(theme::UNIT);
            let edit = TextEdit::singleline(&mut self.field)
                .id(field)
                .desired_width(f32::INFINITY);
            let response = ui.add(edit);
            name(&response, studio.tr(NAME));
            if std::mem::take(&mut self.just_opened) {
                response.request_focus();
            }
            ui.add_space(2.0 * theme::UNIT);
            let (done, cancel) = self.foot_ui(ui, studio);
            if done {
                chosen = Some(self.typed());
            }
            cancelled |= cancel;
        });
        match chosen {
            Some(path) if path.is_dir() => {
                self.field.clear();
                self.enter(path);
                Answer::Open
            }
            Some(path) if self.asked.save && path.exists() => {
                self.replace = Some(path);
                Answer::Open
            }
            Some(path) if !self.field.trim().is_empty() || path.is_file() => Answer::Path(path),
            _ if cancelled => Answer::Cancelled,
            _ => Answer::Open,
        }
    }

    /// Asks whether a file may be replaced. Only a click says so; Escape goes back.
    fn replace_ui(&mut self, ctx: &egui::Context, studio: &Studio, path: PathBuf) -> Answer {
        let escape = ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
        let (mut replace, mut back) = (false, escape);
        theme::modal(ctx, "browse-replace").show(ctx, |ui| {
            ui.set_width(440.0);
            ui.heading(studio.tr(EXISTS));
            ui.add_space(2.0 * theme::UNIT);
            let text = EXISTS_TEXT.with(studio.language(), &[&path.display().to_string()]);
            ui.add(egui::Label::new(text).wrap());
            ui.add_space(4.0 * theme::UNIT);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                back |= ui.button(studio.tr(CANCEL)).clicked();
                let stroke = egui::Stroke::new(1.0, theme::of(ui).bad);
                let button = egui::Button::new(studio.tr(REPLACE)).stroke(stroke);
                replace = ui.add(button).clicked();
            });
        });
        match (replace, back) {
            (true, _) => Answer::Path(path),
            (false, true) => Answer::Open,
            (false, false) => {
                self.replace = Some(path);
                Answer::Open
            }
        }
    }

    /// All files or those that fit; says whether to take what stands in the field, or nothing.
    fn foot_ui(&mut self, ui: &mut egui::Ui, studio: &Studio) -> (bool, bool) {
        ui.horizontal(|ui| {
            if !self.asked.save {
                ui.checkbox(&mut self.all, studio.tr(ALL));
            }
            let right = egui::Layout::right_to_left(egui::Align::Center);
            ui.with_layout(right, |ui| {
                let verb = if self.asked.save { SAVE } else { OPEN };
                let ready = !self.field.trim().is_empty();
                let done = ui.add_enabled(ready, egui::Button::new(studio.tr(verb)));
                (done.clicked(), ui.button(studio.tr(CANCEL)).clicked())
            })
            .inner
        })
        .inner
    }

    /// The path that stands in the field.
    fn typed(&self) -> PathBuf {
        let field = self.field.trim();
        match (field.strip_prefix("~/"), std::env::var_os("HOME")) {
            (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
            _ => self.folder.join(field),
        }
    }

    fn crumbs_ui(&mut self, ui: &mut egui::Ui) {
        let mut to = None;
        ui.horizontal_wrapped(|ui| {
            let parents: Vec<&Path> = self.folder.ancestors().collect();
            for folder in parents.into_iter().rev() {
                let name = folder
                    .file_name()
                    .map(|it| it.to_string_lossy().into_owned());
                let name = name.unwrap_or_else(|| "/".to_owned());
                if ui.small_button(name).clicked() {
                    to = Some(folder.to_path_buf());
                }
            }
        });
        if let Some(folder) = to {
            self.enter(folder);
        }
    }

    /// The folder's entries. A double click chooses; a folder opens at once.
    fn list_ui(&mut self, ui: &mut egui::Ui, studio: &Studio) -> Option<PathBuf> {
        let mut chosen = None;
        let mut named = None;
        let entries = match &self.entries {
            Ok(entries) => entries.as_slice(),
            Err(error) => {
                let text = UNREADABLE.with(studio.language(), &[error]);
                ui.colored_label(theme::of(ui).bad, text);
                &[]
            }
        };
        // Of a folder of thousands only what shows is laid out.
        let fits = |it: &&Entry| it.folder || self.fits(&it.name);
        let fitting: Vec<&Entry> = entries.iter().filter(fits).collect();
        ScrollArea::vertical()
            .max_height(320.0)
            .min_scrolled_height(320.0)
            .auto_shrink([false; 2])
            .show_rows(ui, theme::ROW, fitting.len(), |ui, rows| {
                for entry in &fitting[rows] {
                    let text = if entry.folder {
                        RichText::new(format!("{}/", entry.name)).strong()
                    } else {
                        RichText::new(&entry.name)
                    };
                    let button = egui::Button::selectable(self.field == entry.name, text)
                        .min_size(egui::vec2(ui.available_width(), theme::ROW));
                    let response = ui.add(button);
                    if response.double_clicked() || (entry.folder && response.clicked()) {
                        chosen = Some(self.folder.join(&entry.name));
                    } else if response.clicked() {
                        named = Some(entry.name.clone());
                    }
                }
            });
        if let Some(name) = named {
            self.field = name;
        }
        chosen
    }
}

/// Folders first, then files, by name; hidden ones are left out.
fn read(folder: &Path) -> Result<Vec<Entry>, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| e.to_string())?;
    let mut entries: Vec<Entry> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let folder = entry.path().is_dir();
            (!name.starts_with('.')).then_some(Entry { name, folder })
        })
        .collect();
    entries.sort_by_key(|it| (!it.folder, it.name.to_lowercase()));
    Ok(entries)
}
