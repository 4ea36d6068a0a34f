//! Files under the input folder: a combo with thumbnails, a name to type, a dialog to pick with.

use std::path::Path;

use egui::{Rect, Ui, Vec2};
use longtake_editor::{Action, Text, WindowAction, t};
use longtake_graph::declare::FileKind;
use serde_json::Value;

use super::combo::{self, Popped};
use super::field::Field;
use super::number::line;
use super::{cell, dropping, names};
use crate::pictures::Picture;
use crate::{Cx, theme};

const CHOOSE: Text = t("choose…", "選択…");
const BROWSE: Text = t("Browse…", "参照…");
const TYPE: Text = t("Name or path", "名前またはパス");
const MISSING: Text = t("There is no {} in {}", "{} は {} にありません");
/// Side of a thumbnail in the list, points.
const SIDE: f32 = 32.0;

/// The editor of a file's name.
pub fn file_ui(ui: &mut Ui, cx: &mut Cx<'_>, field: &Field<'_>, rect: Rect, what: FileKind) {
    let names = names::files(ui.ctx(), cx, what);
    let now = field.shown_text();
    let missing = !now.is_empty() && !names.contains(&now);
    let colours = theme::of(ui);
    let (shown, colour) = match (now.is_empty(), missing) {
        (true, _) => (cx.tr(CHOOSE), colours.weak),
        (_, true) => (now.as_str(), colours.bad),
        _ => (now.as_str(), colours.text),
    };
    let name = field.name(cx);
    let response = combo::button_ui(ui, rect, field.inner_label(), shown, colour, &name);
    combo::outline(ui, cx, field, rect);
    let options: Vec<&str> = names.iter().map(String::as_str).collect();
    let seen = matches!(what, FileKind::Image | FileKind::Video);
    let mut typed = None;
    let mut foot = |ui: &mut Ui, cx: &mut Cx<'_>| typed = foot_ui(ui, cx, field, what, &now);
    let mut thumbnail = |ui: &mut Ui, cx: &mut Cx<'_>, name: &str, rect: Rect| {
        if seen {
            thumbnail_ui(ui, cx, name, rect)
        } else {
            0.0
        }
    };
    let popped = Popped::new(&response, rect.width().max(260.0))
        .row(if seen { SIDE + 4.0 } else { theme::ROW })
        .foot(&mut foot);
    let picked = popped.show(ui, cx, &options, &now, &mut thumbnail);
    if let Some(name) = picked.map(str::to_owned).or(typed) {
        field.set(cx, Value::from(name));
    }
    if missing {
        let folder = cx.studio.engine.folders().input;
        let text = MISSING.with(cx.studio.language(), &[&now, &folder.display().to_string()]);
        response.clone().on_hover_text(text);
    }
    if let Some(path) = dropping::onto(ui, rect, what) {
        cx.act(Action::TakeFile {
            node: field.node.clone(),
            input: field.input.name.clone(),
            path,
        });
    }
    field.finish(cx, &response);
}

fn thumbnail_ui(ui: &mut Ui, cx: &mut Cx<'_>, name: &str, rect: Rect) -> f32 {
    let path = cx.studio.engine.folders().input.join(name);
    let place = Rect::from_center_size(
        egui::Pos2::new(rect.left() + SIDE / 2.0, rect.center().y),
        Vec2::splat(SIDE),
    );
    if let Picture::Ready { texture, size } = cx.pictures.file(ui.ctx(), &path, 64) {
        let size = Vec2::new(size[0] as f32, size[1] as f32);
        let size = size * (SIDE / size.max_elem().max(1.0));
        let place = Rect::from_center_size(place.center(), size);
        let whole = Rect::from_min_max(egui::Pos2::ZERO, egui::Pos2::new(1.0, 1.0));
        ui.painter()
            .image(texture.id(), place, whole, egui::Color32::WHITE);
    }
    SIDE + cell::PAD
}

/// A name to type, and the dialog. A typed path of a file elsewhere is brought into the folder.
fn foot_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    field: &Field<'_>,
    what: FileKind,
    now: &str,
) -> Option<String> {
    let id = ui.id().with("typed");
    ui.add_space(theme::UNIT);
    if ui.button(cx.tr(BROWSE)).clicked() {
        cx.act(Action::Window(WindowAction::AskFile {
            node: field.node.clone(),
            input: field.input.name.clone(),
            kind: what,
        }));
        ui.close();
    }
    let mut text = ui
        .data(|it| it.get_temp::<String>(id))
        .unwrap_or_else(|| now.to_owned());
    let colours = theme::of(ui);
    let (_, rect) = ui.allocate_space(Vec2::new(ui.available_width(), theme::ROW));
    cell::paint_ground(ui, rect, None);
    let response = ui.put(
        rect,
        line(&mut text, colours.text)
            .id(id.with("edit"))
            .hint_text(cx.tr(TYPE)),
    );
    let entered = response.lost_focus() && ui.input(|it| it.key_pressed(egui::Key::Enter));
    let name = text.trim().to_owned();
    ui.data_mut(|it| it.insert_temp(id, text));
    if !entered || name.is_empty() {
        return None;
    }
    ui.close();
    if !Path::new(&name).is_absolute() {
        return Some(name);
    }
    cx.act(Action::TakeFile {
        node: field.node.clone(),
        input: field.input.name.clone(),
        path: name.into(),
    });
    None
}

/// Endings of files of that kind: those a dialog offers, and those of the input folder that are listed.
pub fn extensions(what: FileKind) -> &'static [&'static str] {
    match what {
        FileKind::Image => &["png", "jpg", "jpeg", "webp"],
        FileKind::Video => &["mp4", "mkv", "webm", "mov", "m4v", "avi"],
        FileKind::Latent => &["latent", "safetensors"],
        FileKind::Keypoints => &["json"],
    }
}
