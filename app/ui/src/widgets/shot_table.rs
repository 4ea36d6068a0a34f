//! The compact table of a shot list: words, length, seed and transition of each shot; add, remove,
//! duplicate, reorder.

use egui::{Align2, Rect, Ui, UiBuilder, Vec2};
use longtake_editor::{Action, Text, t};
use longtake_graph::{Edit, EditError, add_shot, literal, move_shot, remove_shot, shot_edit};
use serde_json::{Value, json};

use super::arithmetic::Num;
use super::field::Field;
use super::number::{self, Number, Range, line, literal_of};
use super::{cell, combo, shots};
use crate::Cx;
use crate::theme::{self, ROW, UNIT};

const CHANGE: Text = t("Change a shot", "ショットを変更");
const ADD: Text = t("Add shot", "ショットを追加");
const REMOVE: Text = t("Remove shot", "ショットを削除");
const DUPLICATE: Text = t("Duplicate shot", "ショットを複製");
const UP: Text = t("Move up", "上へ");
const DOWN: Text = t("Move down", "下へ");
const PROMPT: Text = t("what is to be seen", "映るもの");
const NAMELESS: Text = t(
    "This shot has no id of its own; give it one in the file.",
    "このショットには固有の id がありません。ファイルで付けてください。",
);
const SECONDS: Range = Range::Real {
    min: 0.1,
    max: 86_400.0,
    step: 0.1,
};
const SEED: Range = Range::Int {
    min: 0,
    max: u64::MAX as i128,
    step: 1,
};
/// Names of `TransitionKind`.
const TRANSITIONS: [&str; 3] = ["cut", "fade", "dissolve"];
/// Height of a shot: two rows and a gap.
const CARD: f32 = 2.0 * ROW + UNIT;

/// The table. Shots out of view are not laid out.
pub fn table_ui(ui: &mut Ui, cx: &mut Cx<'_>, field: &Field<'_>) {
    let value = field.shown();
    let list = value.as_array().map_or(&[][..], Vec::as_slice);
    ui.weak(shots::summary(cx, &value));
    ui.add_space(UNIT);
    ui.spacing_mut().item_spacing.y = 0.0;
    for (at, shot) in list.iter().enumerate() {
        let size = Vec2::new(ui.available_width(), CARD);
        let (_, rect) = ui.allocate_space(size);
        if ui.is_rect_visible(rect) {
            let row = UiBuilder::new().id_salt(("shot", at)).max_rect(rect);
            shot_ui(&mut ui.new_child(row), cx, field, list, at, shot);
        }
    }
    ui.add_space(UNIT);
    if ui.button(cx.tr(ADD)).clicked() {
        let id = free_id(list);
        let shot = json!({ "id": id, "seconds": 4.0 });
        let edit = add_shot(cx.studio.session.graph(), field.node, list.len(), shot);
        once(cx, ADD, edit);
    }
    ui.add_space(UNIT);
}

fn shot_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    field: &Field<'_>,
    list: &[Value],
    at: usize,
    shot: &Value,
) {
    let rect = ui.max_rect();
    let top =
        Rect::from_min_size(rect.min, Vec2::new(rect.width(), ROW)).shrink2(Vec2::new(0.0, 1.0));
    let bottom = top.translate(Vec2::new(0.0, ROW));
    let Some(id) = shot.get("id").and_then(Value::as_str) else {
        let bad = theme::of(ui).bad;
        let galley = cell::elided(ui, cx.tr(NAMELESS), bad, top.width());
        cell::paint_galley(ui.painter(), top, Align2::LEFT_CENTER, galley, bad);
        return;
    };
    let mut row = Row { field, id, shot };
    let mut rest = top;
    buttons_ui(ui, cx, &row, list, at, &mut rest);
    let width = rest.width() - 30.0;
    let number = Rect::from_min_size(rest.min, Vec2::new(28.0, rest.height()));
    let colours = theme::of(ui);
    let galley = cell::elided(ui, id, colours.weak, number.width());
    cell::paint_galley(
        ui.painter(),
        number,
        Align2::LEFT_CENTER,
        galley,
        colours.weak,
    );
    let piece = |from: f32, share: f32| {
        let min = rest.min + Vec2::new(30.0 + from * width, 0.0);
        Rect::from_min_size(min, Vec2::new(share * width - UNIT / 2.0, rest.height()))
    };
    row.number_ui(ui, cx, piece(0.0, 0.27), "seconds", SECONDS, "s");
    row.number_ui(ui, cx, piece(0.27, 0.29), "seed", SEED, "");
    row.transition_ui(ui, cx, piece(0.56, 0.44));
    row.prompt_ui(ui, cx, bottom);
}

fn buttons_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    row: &Row<'_>,
    list: &[Value],
    at: usize,
    rest: &mut Rect,
) {
    let node = row.field.node;
    let signs = [("×", REMOVE), ("+", DUPLICATE), ("⏷", DOWN), ("⏶", UP)];
    for (sign, text) in signs {
        let place = cell::cut_right(rest, 20.0);
        let name = cx.tr(text);
        let clicked = ui
            .push_id(sign, |ui| {
                cell::sign_button(ui, place, sign, name).clicked()
            })
            .inner;
        if !clicked {
            continue;
        }
        let graph = cx.studio.session.graph();
        let edit = match sign {
            "×" => remove_shot(graph, node, row.id),
            "+" => {
                let mut copy = row.shot.clone();
                if let Some(fields) = copy.as_object_mut() {
                    fields.insert("id".to_owned(), Value::from(free_id(list)));
                    fields.shift_remove("pinned");
                }
                add_shot(graph, node, at + 1, copy)
            }
            "⏶" if at > 0 => move_shot(graph, node, row.id, at - 1),
            "⏷" if at + 1 < list.len() => move_shot(graph, node, row.id, at + 1),
            _ => continue,
        };
        once(cx, text, edit);
    }
}

/// A shot being drawn.
struct Row<'a> {
    field: &'a Field<'a>,
    id: &'a str,
    shot: &'a Value,
}

impl Row<'_> {
    fn edit(&self, cx: &Cx<'_>, key: &str, value: Value) -> Result<Edit, EditError> {
        let graph = cx.studio.session.graph();
        shot_edit(graph, self.field.node, self.id, &[(key, Some(value))])
    }

    fn live(&self, cx: &mut Cx<'_>, key: &str, value: Value) {
        match self.edit(cx, key, value) {
            Ok(edit) => cx.act(Action::Live(CHANGE, edit)),
            Err(error) => told(cx, &error),
        }
    }

    fn number_ui(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        rect: Rect,
        key: &str,
        range: Range,
        unit: &str,
    ) {
        let written = self.shot.get(key);
        let value = match range {
            Range::Int { min, .. } => Num::Int(written.and_then(literal::integer).unwrap_or(min)),
            Range::Real { .. } => Num::Real(written.and_then(literal::real).unwrap_or(0.0)),
        };
        let number = Number {
            label: None,
            value,
            range,
            unit,
            dim: written.is_none(),
        };
        let name = || format!("{key}: {}", self.id);
        let outcome = ui
            .push_id(key, |ui| number::edit_ui(ui, rect, &number, &name))
            .inner;
        outcome.keep(ui.ctx(), cx, CHANGE, |it| self.edit(cx, key, it).ok());
        if let Some(value) = outcome.changed {
            self.live(cx, key, literal_of(value));
        }
        if outcome.settled {
            cx.act(Action::Settle);
        }
        outcome.response.on_hover_text(key);
    }

    fn transition_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect) {
        let written = self.shot.get("transition").and_then(Value::as_str);
        let now = written.unwrap_or(TRANSITIONS[0]);
        let colour = cell::value_colour(ui, written.is_none());
        let name = format!("transition: {}", self.id);
        let response = combo::button_ui(ui, rect, None, now, colour, &name);
        let popped = combo::Popped::new(&response, rect.width());
        let picked = popped.show(ui, cx, &TRANSITIONS, now, &mut combo::plain);
        let Some(picked) = picked else {
            return;
        };
        let seconds = (picked != "cut").then(|| {
            let written = self.shot.get("transition_seconds").and_then(literal::real);
            Value::from(written.filter(|it| *it > 0.0).unwrap_or(0.5))
        });
        let graph = cx.studio.session.graph();
        let changes = [
            ("transition", Some(Value::from(picked))),
            ("transition_seconds", seconds),
        ];
        let edit = shot_edit(graph, self.field.node, self.id, &changes);
        once(cx, CHANGE, edit);
    }

    fn prompt_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect) {
        let written = self.shot.get("prompt").and_then(Value::as_str);
        let mut text = written.unwrap_or_default().to_owned();
        cell::paint_ground(ui, rect, None);
        let colour = theme::of(ui).text;
        let edit = line(&mut text, colour)
            .id(ui.id().with("prompt"))
            .hint_text(cx.tr(PROMPT));
        let response = ui.put(rect, edit);
        if response.changed() {
            self.live(cx, "prompt", Value::from(text));
        }
        if response.lost_focus() {
            cx.act(Action::Settle);
        }
    }
}

fn once(cx: &mut Cx<'_>, label: Text, edit: Result<Edit, EditError>) {
    match edit {
        Ok(edit) => cx.act(Action::Edit(label, edit)),
        Err(error) => told(cx, &error),
    }
}

/// What cannot be edited is told by the window.
fn told(cx: &mut Cx<'_>, error: &EditError) {
    cx.act(Action::Tell(error.to_string()));
}

/// An id no shot has yet: the next number of two digits.
fn free_id(list: &[Value]) -> String {
    let taken = |id: &str| {
        let has = |shot: &Value| shot.get("id").and_then(Value::as_str) == Some(id);
        list.iter().any(has)
    };
    (list.len() + 1..=2 * list.len() + 1)
        .map(|number| format!("{number:02}"))
        .find(|id| !taken(id))
        .unwrap_or_default()
}
