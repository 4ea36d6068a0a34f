//! What only the window can do: dialogs, panels, the view.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, bounded};
use longtake_editor::settings::Theme;
use longtake_editor::{Action, Text, WindowAction, t};
use longtake_graph::NodeId;
use longtake_graph::declare::FileKind;

use super::browse::{Answer, Asked, Browse};
use super::{Pane, Told, Window, dock};
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

/// What a file is asked for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    Open,
    Insert,
    SaveAs,
    Export,
    Frame,
    Input {
        node: NodeId,
        input: String,
        kind: FileKind,
    },
}

impl Purpose {
    /// A file is written rather than read.
    fn saves(&self) -> bool {
        matches!(self, Self::SaveAs | Self::Export | Self::Frame)
    }
}

/// No person cancels a dialog that soon: it never showed.
const PRESENT: Duration = Duration::from_millis(200);

/// Frames in which the desktop's clipboard may tell what it holds; it does in the first.
const PATIENCE: u8 = 3;

/// The desktop was asked for what was copied last.
pub(super) struct Pasting {
    /// Links from outside are pasted too.
    linked: bool,
    /// Since then.
    frames: u8,
}

/// A dialog of the desktop that is open.
pub(super) struct Asking {
    purpose: Purpose,
    began: Instant,
    /// What was chosen, and when.
    answer: Receiver<(Option<PathBuf>, Instant)>,
}

impl Window {
    /// Grants what was asked of the window since the last frame.
    pub(super) fn grant(&mut self, ctx: &egui::Context) {
        for wish in self.studio.window_wishes() {
            self.grant_one(ctx, wish);
            ctx.request_repaint();
        }
    }

    fn grant_one(&mut self, ctx: &egui::Context, wish: WindowAction) {
        match wish {
            WindowAction::AskOpen => self.ask(ctx, Purpose::Open),
            WindowAction::AskInsert => self.ask(ctx, Purpose::Insert),
            WindowAction::AskSaveAs => self.ask(ctx, Purpose::SaveAs),
            WindowAction::AskExport => self.ask(ctx, Purpose::Export),
            WindowAction::AskSaveFrame => self.ask(ctx, Purpose::Frame),
            WindowAction::AskFile { node, input, kind } => {
                self.ask(ctx, Purpose::Input { node, input, kind });
            }
            WindowAction::ToggleGallery => {
                self.show_gallery = !self.show_gallery;
                self.gallery.again();
            }
            WindowAction::TogglePanel(panel) => self.toggle_panel(panel.into()),
            WindowAction::ResetPanels => self.reset_panels(),
            WindowAction::ToggleTheme => {
                // What the desktop chose is drawn by now.
                self.studio.settings.theme = if ctx.theme() == egui::Theme::Dark {
                    Theme::Light
                } else {
                    Theme::Dark
                };
            }
            WindowAction::Settings => self.settings.open(),
            WindowAction::Palette => self.palette.open(),
            WindowAction::SetClipboard(text) => ctx.copy_text(text),
            WindowAction::Paste { linked } => {
                ctx.send_viewport_cmd(egui::ViewportCommand::RequestPaste);
                self.pasting = Some(Pasting { linked, frames: 0 });
            }
            WindowAction::Quit => {
                self.quitting = true;
                ctx.send_viewport_cmd(egui::ViewportCommand::Close);
            }
            WindowAction::Canvas(wish) => {
                self.show_gallery = false;
                self.panels.canvas.wish(wish);
            }
            WindowAction::Viewer(wish) => {
                self.show_gallery = false;
                self.panels.viewer.wish(&wish, &self.studio);
                dock::show(&mut self.tree, Pane::Viewer);
            }
        }
    }

    /// What the desktop's clipboard holds, once it was asked for it. One that tells nothing holds no
    /// text, or is not there: what was copied last in this window is pasted then.
    pub(super) fn hear_clipboard(&mut self, ctx: &egui::Context, actions: &mut [Action]) {
        let Some(pasting) = &mut self.pasting else {
            return;
        };
        let mut told = false;
        for action in actions {
            if let Action::Paste { linked, .. } = action {
                *linked |= pasting.linked;
                told = true;
            }
        }
        if told {
            self.pasting = None;
        } else if pasting.frames < PATIENCE {
            pasting.frames += 1;
            ctx.request_repaint();
        } else {
            let linked = pasting.linked;
            self.pasting = None;
            self.studio.paste_last(linked);
        }
    }

    /// Asks for a file: by the desktop's dialog, or by our own where that does not answer.
    fn ask(&mut self, ctx: &egui::Context, purpose: Purpose) {
        let (title, endings, start) = self.asked(&purpose);
        let title = self.studio.tr(title).to_owned();
        let save = purpose.saves();
        if self.dialogs.answer() && !self.mute {
            if self.asking.is_some() {
                return;
            }
            let (send, answer) = bounded(1);
            let ctx = ctx.clone();
            let told: Told = Box::new(move |path| {
                let _ = send.send((path, Instant::now()));
                ctx.request_repaint();
            });
            self.asking = Some(Asking {
                purpose,
                began: Instant::now(),
                answer,
            });
            if save {
                self.dialogs.save(&title, &start, &endings, told);
            } else {
                self.dialogs.open(&title, &endings, told);
            }
            return;
        }
        self.browse_for(purpose);
    }

    /// What the desktop's dialog told.
    pub(super) fn hear_dialog(&mut self) {
        let Some(asking) = &self.asking else { return };
        let told = match asking.answer.try_recv() {
            Ok(told) => told,
            Err(error) if error.is_disconnected() => (None, asking.began),
            Err(_) => return,
        };
        let Some(Asking { purpose, began, .. }) = self.asking.take() else {
            return;
        };
        match told {
            (Some(path), _) => self.answered(purpose, path),
            (None, at) if at.duration_since(began) < PRESENT => {
                self.mute = true;
                self.browse_for(purpose);
            }
            (None, _) => {}
        }
    }

    /// Opens our own dialog.
    fn browse_for(&mut self, purpose: Purpose) {
        let (title, endings, start) = self.asked(&purpose);
        let asked = Asked {
            title: self.studio.tr(title).to_owned(),
            endings: endings.iter().map(|it| (*it).to_owned()).collect(),
            save: purpose.saves(),
        };
        self.browse = Some((purpose, Browse::new(asked, &start)));
    }

    /// Title, endings and where to begin.
    fn asked(&self, purpose: &Purpose) -> (Text, Vec<&'static str>, PathBuf) {
        let folders = self.studio.engine.folders();
        let here = self.studio.session.path.clone();
        let here = here
            .and_then(|it| Some(it.parent()?.to_path_buf()))
            .unwrap_or_default();
        match purpose {
            Purpose::Open => (OPEN, GRAPHS.to_vec(), here),
            Purpose::Insert => (INSERT, GRAPHS.to_vec(), here),
            Purpose::SaveAs => (SAVE, vec!["longtake"], self.studio.suggested_save()),
            Purpose::Export => (EXPORT, vec!["json"], self.studio.suggested_export()),
            Purpose::Frame => {
                let name = self.panels.viewer.frame_name(&self.studio);
                (FRAME, vec!["png"], folders.output.join(name))
            }
            Purpose::Input { kind, .. } => (FILE, file::extensions(*kind).to_vec(), folders.input),
        }
    }

    /// Does what a file was asked for.
    pub(super) fn answered(&mut self, purpose: Purpose, path: PathBuf) {
        match purpose {
            Purpose::Open => self.studio.act(Action::Open(path)),
            Purpose::Insert => {
                let mouse = self.studio.mouse;
                self.studio.act(Action::Insert(path, mouse));
            }
            Purpose::SaveAs => self.studio.act(Action::SaveAs(path)),
            Purpose::Export => self.studio.act(Action::ExportPrompt(path)),
            Purpose::Frame => self.panels.viewer.save_frame(path),
            Purpose::Input { node, input, .. } => {
                self.studio.act(Action::TakeFile { node, input, path });
            }
        }
    }

    /// Our own file dialog, while it is open.
    pub(super) fn browse_ui(&mut self, ctx: &egui::Context) {
        let Some((purpose, mut browse)) = self.browse.take() else {
            return;
        };
        match browse.ui(ctx, &self.studio) {
            Answer::Open => self.browse = Some((purpose, browse)),
            Answer::Cancelled => {}
            Answer::Path(path) => self.answered(purpose, path),
        }
    }

    fn toggle_panel(&mut self, pane: Pane) {
        self.show_gallery = false;
        dock::toggle(&mut self.tree, pane);
        dock::keep(&self.tree, &mut self.studio.settings);
    }

    /// The panels as at the first start.
    fn reset_panels(&mut self) {
        self.show_gallery = false;
        dock::forget(&mut self.studio.settings);
        self.tree = dock::tree(&self.studio.settings);
    }
}
