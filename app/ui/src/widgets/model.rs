//! Checkpoints: a combo of what lies in a folder of the models tree.

use egui::{Rect, Ui};
use longtake_editor::{Text, t};
use longtake_graph::ModelFolder;
use serde_json::Value;

use super::combo::{self, Popped};
use super::field::Field;
use super::{cell, names};
use crate::{Cx, theme};

const MISSING: Text = t(
    "Missing: put it in {}",
    "見つかりません。{} に置いてください",
);
const CHOOSE: Text = t("choose…", "選択…");

/// The editor of a checkpoint's name. A missing one is red and says where to put it.
pub fn model_ui(ui: &mut Ui, cx: &mut Cx<'_>, field: &Field<'_>, rect: Rect, folder: ModelFolder) {
    let names = names::models(ui.ctx(), cx, folder);
    let now = field.shown_text();
    let missing = !now.is_empty() && names.binary_search(&now).is_err() && !names.contains(&now);
    let colours = theme::of(ui);
    let (shown, colour) = match (now.is_empty(), missing) {
        (true, _) => (cx.tr(CHOOSE), colours.weak),
        (_, true) => (now.as_str(), colours.bad),
        _ => (now.as_str(), cell::value_colour(ui, false)),
    };
    let name = field.name(cx);
    let response = combo::button_ui(ui, rect, field.inner_label(), shown, colour, &name);
    combo::outline(ui, cx, field, rect);
    let options: Vec<&str> = names.iter().map(String::as_str).collect();
    let width = rect.width().max(280.0);
    let mut place = |ui: &mut Ui, cx: &mut Cx<'_>| {
        if missing || names.is_empty() {
            ui.add_space(theme::UNIT);
            ui.weak(where_to(cx, folder, &now));
        }
    };
    let popped = Popped::new(&response, width).foot(&mut place);
    if let Some(picked) = popped.show(ui, cx, &options, &now, &mut combo::plain) {
        field.set(cx, Value::from(picked));
    }
    if missing {
        response.clone().on_hover_text(where_to(cx, folder, &now));
    }
    field.finish(cx, &response);
}

fn where_to(cx: &Cx<'_>, folder: ModelFolder, name: &str) -> String {
    let models = cx.studio.engine.folders().models;
    let path = models.join(folder.names()[0]).join(name);
    MISSING.with(cx.studio.language(), &[&path.display().to_string()])
}
