//! What only the window can do: dialogs, panels, the view.

use longtake_editor::{Action, Text, WindowAction, t};

use super::{Window, dock};
use crate::widgets::file;

/// Endings of files that hold a graph.
const GRAPHS: [&str; 9] = [
    "longtake", "json", "png", "webp", "mp4", "mkv", "webm", "mov", "latent",
];
const OPEN: Text = t("Open a graph", "グラフを開く");
const SAVE: Text = t("Save the graph", "グラフを保存");
const EXPORT: Text = t("Export prompt JSON", "プロンプトJSONを書き出す");
const FRAME: Text = t("Save the frame", "フレームを保存");
const FILE: Text = t("Choose a file", "ファイルを選択");
const INSERT: Text = t("Insert a graph", "グラフを挿入");

impl Window {
    /// Grants what was asked of the window since the last frame.
    pub(super) fn grant(&mut self, ctx: &egui::Context) {
        for wish in self.studio.window_wishes() {
            self.grant_one(ctx, wish);
        }
    }

    fn grant_one(&mut self, ctx: &egui::Context, wish: WindowAction) {
        match wish {
            WindowAction::AskOpen => {
                let path = self.dialogs.open(self.studio.tr(OPEN), &GRAPHS);
                self.act_on(path.map(Action::Open));
            }
            WindowAction::AskInsert => {
                let path = self.dialogs.open(self.studio.tr(INSERT), &GRAPHS);
                let mouse = self.studio.mouse;
                self.act_on(path.map(|path| Action::Insert(path, mouse)));
            }
            WindowAction::AskSaveAs => self.ask_save(SAVE, "longtake", Action::SaveAs),
            WindowAction::AskExport => self.ask_save(EXPORT, "json", Action::ExportPrompt),
            WindowAction::AskFile { node, input, kind } => {
                let endings = file::extensions(kind);
                if let Some(path) = self.dialogs.open(self.studio.tr(FILE), endings) {
                    file::take_file(ctx, &mut self.studio, &node, &input, kind, &path);
                }
            }
            WindowAction::TakeFile {
                node,
                input,
                kind,
                path,
            } => file::take_file(ctx, &mut self.studio, &node, &input, kind, &path),
            WindowAction::TogglePanel("gallery") => self.show_gallery = !self.show_gallery,
            WindowAction::TogglePanel(key) => self.toggle_panel(key),
            WindowAction::Settings => self.settings.open(),
            WindowAction::Palette => self.palette.open(),
            WindowAction::ShowFolder(path) => self.dialogs.show_folder(&path),
            WindowAction::Quit => ctx.send_viewport_cmd(egui::ViewportCommand::Close),
            WindowAction::AskSaveFrame => {
                let name = self.panels.viewer.frame_name(&self.studio);
                let title = self.studio.tr(FRAME);
                if let Some(path) = self.dialogs.save(title, &name, &["png"]) {
                    self.panels.viewer.save_frame(path);
                }
            }
            other => {
                self.show_gallery = false;
                if self.panels.viewer.wish(&other, &self.studio) {
                    dock::show(&mut self.tree, "viewer");
                }
            }
        }
        ctx.request_repaint();
    }

    fn ask_save(&mut self, title: Text, ending: &str, action: fn(std::path::PathBuf) -> Action) {
        let name = self
            .studio
            .session
            .name()
            .unwrap_or_else(|| "film".to_owned());
        let name = format!("{}.{ending}", name.replace('/', "-"));
        let path = self.dialogs.save(self.studio.tr(title), &name, &[ending]);
        self.act_on(path.map(action));
    }

    fn act_on(&mut self, action: Option<Action>) {
        if let Some(action) = action {
            self.show_gallery = false;
            self.studio.act(action);
        }
    }

    fn toggle_panel(&mut self, key: &str) {
        self.show_gallery = false;
        dock::toggle(&mut self.tree, key);
        let hidden = dock::hidden(&self.tree);
        let hidden = hidden.into_iter().map(serde_json::Value::from).collect();
        self.studio
            .settings
            .extra
            .insert("hidden_panels".to_owned(), serde_json::Value::Array(hidden));
    }
}
