//! What a job wrote: each file with its size and length, and what can be done with it.

use std::path::{Path, PathBuf};

use egui::{Label, RichText, Ui};
use longtake_editor::queue::Job;
use longtake_editor::{Action, Text, ViewerAction, WindowAction};
use longtake_plan::text::units;

use super::{symbol, words};
use crate::Cx;
use crate::pictures::FileFacts;
use crate::theme::{self, ROW, UNIT};
use crate::widgets::shots::clock;

/// Files of a job that are listed until a person asks for all.
pub const FEW: usize = 3;
/// Longest side of a thumbnail, pixels.
pub const SIDE: u32 = 192;

/// The files a job wrote, in the order they were.
pub fn paths(job: &Job) -> impl Iterator<Item = &Path> {
    let outputs = job.report().map(|it| it.outputs.as_slice());
    outputs.unwrap_or_default().iter().map(|it| &*it.path)
}

/// How many rows a job's files take.
pub fn rows(job: &Job, all: bool) -> usize {
    let files = paths(job).count();
    // A row that says how many more there are takes no more room than one more file.
    if all || files <= FEW + 1 {
        files
    } else {
        FEW + 1
    }
}

/// Draws them. True when the person asks for all.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, job: &Job, all: bool) -> bool {
    let files = paths(job).count();
    let shown = if all || files <= FEW + 1 { files } else { FEW };
    let mut turned = false;
    let list: Vec<PathBuf> = paths(job).take(shown).map(Path::to_owned).collect();
    for path in list {
        let rect = egui::Rect::from_min_size(ui.cursor().min, egui::vec2(1.0, ROW));
        if ui.is_rect_visible(rect) {
            row(ui, cx, &path);
        } else {
            ui.add_space(ROW);
        }
    }
    if shown < files {
        ui.horizontal(|ui| {
            ui.set_height(ROW);
            let more = (files - shown).to_string();
            let text = words::MORE_FILES.with(cx.studio.language(), &[&more]);
            turned = ui.link(text).clicked();
        });
    }
    turned
}

/// A file: its name, what it is, and buttons at the right, which are never pushed out.
fn row(ui: &mut Ui, cx: &mut Cx<'_>, path: &Path) {
    let (_, facts) = cx.pictures.file_with_facts(&ui.ctx().clone(), path, SIDE);
    let there = !facts.seen || facts.bytes.is_some();
    let right = egui::Layout::right_to_left(egui::Align::Center);
    let size = egui::vec2(ui.available_width(), ROW);
    ui.allocate_ui_with_layout(size, right, |ui| {
        ui.spacing_mut().item_spacing.x = UNIT;
        buttons(ui, cx, path, there);
        let left = egui::Layout::left_to_right(egui::Align::Center);
        ui.with_layout(left, |ui| {
            let name = shown(cx, path);
            let colours = theme::of(ui);
            let (about, colour) = if there {
                (about(&facts), colours.weak)
            } else {
                (cx.tr(words::NOT_THERE).to_owned(), colours.warn)
            };
            // What the file is stands whole: a long name gives way, at its beginning.
            let about = RichText::new(about).color(colour);
            let room = ui.available_width() - text_width(ui, about.text()) - 2.0 * UNIT;
            let name = cut(ui, &name, room);
            let response = ui.add(Label::new(name).extend());
            response.on_hover_text(path.display().to_string());
            ui.add(Label::new(about).truncate());
        });
    });
}

/// From the right: copy the path, show it in its folder, open it elsewhere, look at it here.
fn buttons(ui: &mut Ui, cx: &mut Cx<'_>, path: &Path, there: bool) {
    if symbol(ui, cx, "📋", words::COPY_PATH, true) {
        let text = path.display().to_string();
        let told = words::COPIED.with(cx.studio.language(), &[&text]);
        cx.act(Action::Window(WindowAction::SetClipboard(text)));
        cx.act(Action::Told(told));
    }
    let mut button = |glyph, name: Text, action: Action| {
        if symbol(ui, cx, glyph, name, there) {
            cx.act(action);
        }
    };
    let own = path.to_owned();
    button(
        "📂",
        words::SHOW_IN_FOLDER,
        Action::ShowInFolder(own.clone()),
    );
    button("↗", words::OPEN_OUTSIDE, Action::OpenOutside(own.clone()));
    let (path, second) = (own, false);
    button("👁", words::VIEW, ViewerAction::File { path, second }.into());
}

/// A path as a person knows it: from the output folder on, where it lies there.
fn shown(cx: &Cx<'_>, path: &Path) -> String {
    let output = cx.studio.engine.folders().output;
    path.strip_prefix(output)
        .unwrap_or(path)
        .display()
        .to_string()
}

/// `12.3 MiB · 1:04 · 832×480`.
fn about(facts: &FileFacts) -> String {
    let mut parts = Vec::new();
    if let Some(bytes) = facts.bytes {
        parts.push(units::bytes(bytes));
    }
    if let Some(clip) = &facts.clip {
        if let Some(fps) = clip.fps {
            parts.push(clock(clip.frames as f64 / fps.as_f64()));
        }
        parts.push(format!("{}×{}", clip.width, clip.height));
    }
    if parts.is_empty() {
        return "…".to_owned();
    }
    parts.join(" · ")
}

fn text_width(ui: &Ui, text: &str) -> f32 {
    let font = egui::TextStyle::Body.resolve(ui.style());
    let galley = ui
        .painter()
        .layout_no_wrap(text.to_owned(), font, egui::Color32::WHITE);
    galley.size().x
}

/// The end of a name that fits into a width: the ends tell files of one run apart.
fn cut(ui: &Ui, name: &str, room: f32) -> String {
    if text_width(ui, name) <= room {
        return name.to_owned();
    }
    let starts: Vec<usize> = name.char_indices().map(|it| it.0).skip(1).collect();
    // The shortest cut whose rest fits.
    let at = starts.partition_point(|&at| text_width(ui, &format!("…{}", &name[at..])) > room);
    match starts.get(at) {
        Some(&at) => format!("…{}", &name[at..]),
        None => "…".to_owned(),
    }
}
