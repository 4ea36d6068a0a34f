//! What lies in the models tree, what the open graph names of it, and what it misses.

mod missing;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam::channel::{Receiver, bounded};
use egui::{
    Align, Button, CollapsingHeader, Layout, RichText, ScrollArea, TextEdit, TextWrapMode, Ui, vec2,
};
use longtake_editor::engine::ModelFile;
use longtake_editor::{Action, Text, t};
use longtake_graph::ModelFolder;
use longtake_plan::text::bytes;

use crate::{Cx, theme};
pub use missing::{Named, Use, named};
use missing::{candidates, is};

const FILTER: Text = t("Filter…", "絞り込み…");
const REFRESH: Text = t("Look again", "再読み込み");
const SHOW: Text = t("Show folder", "フォルダーを開く");
const LOADING: Text = t("Reading the models tree…", "モデルフォルダーを読み込み中…");
const EMPTY: Text = t(
    "There are no checkpoints yet. Put them into the folders of {}.",
    "モデルがまだありません。{}の各フォルダーに置いてください。",
);
const MISSING: Text = t("Missing in this graph", "このグラフに足りないモデル");
const ALL_THERE: Text = t(
    "Everything this graph names is there.",
    "このグラフのモデルはすべて揃っています。",
);
const PUT: Text = t("Put it at {}", "置き場所：{}");
const USE: Text = t("Use instead:", "代わりに使う：");
const OTHER: Text = t("Another…", "ほかから選ぶ…");
const REPLACE: Text = t("Use another checkpoint", "別のモデルを使う");
const USED: Text = t("Named by this graph", "このグラフで使用");

/// What lies in the models tree and what the graph misses.
#[derive(Default)]
pub struct ModelsPanel {
    files: Option<Vec<ModelFile>>,
    coming: Option<Receiver<Vec<ModelFile>>>,
    /// Read again as soon as the present reading is over.
    again: bool,
    filter: String,
    named: Option<(usize, u64, Arc<Vec<Named>>)>,
}

impl ModelsPanel {
    /// Draws it.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        self.load(ui, cx);
        self.head_ui(ui, cx);
        ui.add_space(2.0 * theme::UNIT);
        let named = self.named(cx);
        let Some(files) = &self.files else {
            ui.weak(cx.tr(LOADING));
            return;
        };
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            missing_ui(ui, cx, files, &named);
            let folder = cx.studio.engine.folders().models;
            if files.is_empty() {
                let text = EMPTY.with(cx.studio.language(), &[&folder.display().to_string()]);
                ui.weak(text);
            }
            for kind in ModelFolder::ALL {
                self.folder_ui(ui, cx, kind, files, &named);
            }
        });
    }

    fn head_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.horizontal(|ui| {
            let size = vec2(
                (ui.available_width() - 240.0).clamp(80.0, 280.0),
                theme::ROW,
            );
            let field = TextEdit::singleline(&mut self.filter)
                .vertical_align(Align::Center)
                .hint_text(cx.tr(FILTER));
            ui.add_sized(size, field);
            if ui.button(cx.tr(REFRESH)).clicked() {
                self.again = true;
            }
            if ui.button(cx.tr(SHOW)).clicked() {
                let folder = cx.studio.engine.folders().models;
                show_folder(cx, &folder);
            }
            if self.coming.is_some() {
                ui.spinner();
            }
        });
    }

    /// The tree is read anew: files may have been put there.
    pub fn again(&mut self) {
        self.again = true;
    }

    /// The tree is read on a thread: at first, on demand, and when the window comes back to front.
    fn load(&mut self, ui: &Ui, cx: &Cx<'_>) {
        if let Some(coming) = &self.coming {
            match coming.try_recv() {
                Ok(files) => {
                    self.files = Some(files);
                    self.coming = None;
                }
                Err(error) if error.is_disconnected() => {
                    self.files.get_or_insert_default();
                    self.coming = None;
                }
                Err(_) => return,
            }
        }
        if self.files.is_some() && !self.again {
            return;
        }
        self.again = false;
        let (send, coming) = bounded(1);
        let (engine, ctx) = (cx.studio.engine.clone(), ui.ctx().clone());
        let work = move || {
            let _ = send.send(engine.models());
            ctx.request_repaint();
        };
        let _ = std::thread::Builder::new()
            .name("models".to_owned())
            .stack_size(16 << 20)
            .spawn(work);
        self.coming = Some(coming);
    }

    fn named(&mut self, cx: &Cx<'_>) -> Arc<Vec<Named>> {
        let project = cx.studio.session.project();
        let of = (Arc::as_ptr(project) as usize, cx.studio.session.revision());
        if let Some((at, revision, named)) = &self.named
            && (*at, *revision) == of
        {
            return named.clone();
        }
        let found = Arc::new(named(project, cx.studio.engine.catalog()));
        self.named = Some((of.0, of.1, found.clone()));
        found
    }

    fn folder_ui(
        &self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        folder: ModelFolder,
        files: &[ModelFile],
        named: &[Named],
    ) {
        let wanted = self.filter.trim().to_lowercase();
        let fits = |file: &&ModelFile| {
            let what = file.what.as_deref().unwrap_or("").to_lowercase();
            file.name.to_lowercase().contains(&wanted) || what.contains(&wanted)
        };
        let rows: Vec<&ModelFile> = files
            .iter()
            .filter(|it| it.folder == folder)
            .filter(fits)
            .collect();
        if rows.is_empty() && !wanted.is_empty() {
            return;
        }
        let total: u64 = rows.iter().map(|it| it.bytes).sum();
        let mut title = folder.names()[0].to_owned();
        if !rows.is_empty() {
            title = format!("{title}   {} · {}", rows.len(), bytes(total));
        }
        CollapsingHeader::new(title)
            .id_salt(folder.names()[0])
            .default_open(!rows.is_empty())
            .open((!wanted.is_empty()).then_some(true))
            .show(ui, |ui| {
                for file in rows {
                    let used = named.iter().find(|it| is(file, it));
                    file_ui(ui, cx, file, used);
                }
            });
    }
}

/// A checkpoint: a dot when the graph names it, name, what it is, size.
fn file_ui(ui: &mut Ui, cx: &mut Cx<'_>, file: &ModelFile, used: Option<&Named>) {
    let palette = theme::of(ui);
    let row = ui.horizontal(|ui| {
        ui.set_min_height(theme::ROW - theme::UNIT);
        let dot = ui.allocate_exact_size(vec2(10.0, 10.0), egui::Sense::hover());
        if used.is_some() {
            let at = dot.0.center();
            ui.painter().circle_filled(at, 3.0, palette.accent);
            dot.1.on_hover_text(cx.tr(USED));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(RichText::new(bytes(file.bytes)).color(palette.weak));
            match &file.what {
                Ok(what) => ui.label(RichText::new(what).color(palette.weak)),
                Err(error) => {
                    let why = cx.studio.language().sentence(error);
                    ui.colored_label(palette.warn, "⚠").on_hover_text(why)
                }
            };
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.style_mut().wrap_mode = Some(TextWrapMode::Truncate);
                let path = file.path.display().to_string();
                ui.label(&file.name).on_hover_text(path);
            });
        });
    });
    let Some(used) = used else { return };
    if ui.rect_contains_pointer(row.response.rect) {
        light(cx, used);
    }
}

/// What the graph names and the tree lacks: where to put it, what may be used instead.
fn missing_ui(ui: &mut Ui, cx: &mut Cx<'_>, files: &[ModelFile], named: &[Named]) {
    let palette = theme::of(ui);
    let lacks = |it: &&Named| !files.iter().any(|file| is(file, it));
    let missing: Vec<&Named> = named.iter().filter(lacks).collect();
    if named.is_empty() {
        return;
    }
    if missing.is_empty() {
        ui.colored_label(palette.good, cx.tr(ALL_THERE));
        ui.add_space(2.0 * theme::UNIT);
        return;
    }
    let title = format!("{} · {}", cx.tr(MISSING), missing.len());
    ui.label(RichText::new(title).strong().color(palette.warn));
    for named in missing {
        ui.push_id((named.folder.names()[0], &named.name), |ui| {
            one_missing_ui(ui, cx, files, named);
        });
    }
    ui.add_space(2.0 * theme::UNIT);
}

fn one_missing_ui(ui: &mut Ui, cx: &mut Cx<'_>, files: &[ModelFile], named: &Named) {
    let palette = theme::of(ui);
    let frame = egui::Frame::NONE
        .fill(palette.head)
        .corner_radius(theme::RADIUS)
        .inner_margin(2.0 * theme::UNIT);
    let shown = frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(RichText::new(&named.name).strong());
        let folder = place(&cx.studio.engine.folders().models, named.folder);
        let at = folder.join(named.name.replace('\\', "/"));
        let at = PUT.with(cx.studio.language(), &[&at.display().to_string()]);
        ui.label(RichText::new(at).color(palette.weak).size(12.0));
        ui.horizontal_wrapped(|ui| {
            if ui.button(cx.tr(SHOW)).clicked() {
                show_folder(cx, &folder);
            }
            instead_ui(ui, cx, files, named);
        });
    });
    if ui.rect_contains_pointer(shown.response.rect) {
        light(cx, named);
    }
}

fn instead_ui(ui: &mut Ui, cx: &mut Cx<'_>, files: &[ModelFile], named: &Named) {
    let near = candidates(named, files);
    let mut chosen = None;
    if !near.is_empty() {
        ui.weak(cx.tr(USE));
    }
    for name in &near {
        if ui.add(Button::new(*name).truncate()).clicked() {
            chosen = Some((*name).to_owned());
        }
    }
    let mut others = files
        .iter()
        .filter(|it| it.folder == named.folder)
        .peekable();
    if others.peek().is_some() {
        ui.menu_button(cx.tr(OTHER), |ui| {
            ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
                for file in others {
                    if ui.button(&file.name).clicked() {
                        chosen = Some(file.name.clone());
                        ui.close();
                    }
                }
            });
        });
    }
    if let Some(name) = chosen {
        cx.act(Action::EditRoot(REPLACE, missing::replace(named, &name)));
    }
}

/// Nodes of the root graph that name it are lit.
fn light(cx: &mut Cx<'_>, named: &Named) {
    let outer = named.uses.iter().filter(|it| it.subgraph.is_none());
    cx.lit.extend(outer.map(|it| it.node.clone()));
}

/// The folder a checkpoint belongs in: the one that is there, or today's name.
fn place(models: &Path, folder: ModelFolder) -> PathBuf {
    let mut names = folder.names().iter().map(|name| models.join(name));
    let there = names.clone().find(|it| it.is_dir());
    there
        .or_else(|| names.next())
        .unwrap_or_else(|| models.to_owned())
}

/// Shows a folder, or the nearest around it that is there.
fn show_folder(cx: &mut Cx<'_>, folder: &Path) {
    let there = folder.ancestors().find(|it| it.is_dir());
    let path = there.unwrap_or(folder).to_owned();
    cx.act(Action::ShowFolder(path));
}

#[cfg(test)]
mod tests;
