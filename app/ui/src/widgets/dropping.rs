//! Files dropped from the desktop onto what takes one: a parameter, or a node that has it.

use std::path::{Path, PathBuf};

use egui::{Rect, Stroke, StrokeKind, Ui};
use longtake_graph::declare::FileKind;

use super::{cell, file};
use crate::theme;

/// Whether a file's name says that it is of that kind.
pub fn is_kind(path: &Path, kind: FileKind) -> bool {
    let ending = path.extension().and_then(|it| it.to_str());
    let known = file::extensions(kind);
    ending.is_some_and(|ending| known.iter().any(|it| ending.eq_ignore_ascii_case(it)))
}

/// The first dropped file of one of those kinds, which nobody else takes then.
pub fn taken(ctx: &egui::Context, kinds: &[FileKind]) -> Option<PathBuf> {
    ctx.input_mut(|input| {
        let files = &mut input.raw.dropped_files;
        let fits = |path: &Path| kinds.iter().any(|kind| is_kind(path, *kind));
        let place = files
            .iter()
            .position(|it| it.path.as_deref().is_some_and(fits))?;
        files.remove(place).path
    })
}

/// A file dropped onto a parameter. While one is held over it, the parameter is outlined.
pub fn onto(ui: &Ui, rect: Rect, kind: FileKind) -> Option<PathBuf> {
    let (held, dropped) = ui.input(|input| {
        let held = input.raw.hovered_files.iter();
        let held = held.filter_map(|it| it.path.as_deref());
        let fits = held.into_iter().any(|it| is_kind(it, kind));
        (fits, !input.raw.dropped_files.is_empty())
    });
    if !(held || dropped) || !ui.rect_contains_pointer(rect) {
        return None;
    }
    if held {
        let stroke = Stroke::new(1.5, theme::of(ui).accent);
        ui.painter()
            .rect_stroke(rect, cell::CORNERS, stroke, StrokeKind::Inside);
    }
    taken(ui.ctx(), &[kind])
}
