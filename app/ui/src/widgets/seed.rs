//! Seeds: a number of 64 bits, what becomes of it after each run, and a new one at random.

use egui::{Popup, Rect, Ui};
use longtake_editor::seed::random_seed;
use longtake_editor::{Action, Text, t};
use longtake_graph::{Edit, InputType, NodeId};
use serde_json::{Map, Value};

use super::field::Field;
use super::number::{literal_of, number_ui};
use super::{arithmetic::Num, cell};
use crate::Cx;

/// The key in a node's `extra`, as ComfyUI names the control.
const KEY: &str = "control_after_generate";
const AFTER: Text = t("Change what becomes of a seed", "シードの更新方法を変更");
const DICE: Text = t("New random seed", "新しい乱数シード");
const MODES: [(&str, &str, Text); 4] = [
    ("fixed", "=", t("After each run: keep", "実行後: そのまま")),
    (
        "increment",
        "+1",
        t("After each run: add 1", "実行後: 1を足す"),
    ),
    (
        "decrement",
        "−1",
        t("After each run: subtract 1", "実行後: 1を引く"),
    ),
    (
        "randomize",
        "?",
        t("After each run: new random seed", "実行後: 新しい乱数"),
    ),
];

/// The editor of a seed.
pub fn seed_ui(ui: &mut Ui, cx: &mut Cx<'_>, field: &Field<'_>, mut rect: Rect) {
    let dice = cell::cut_right(&mut rect, 22.0);
    let mode = cell::cut_right(&mut rect, 24.0);
    number_ui(ui, cx, field, rect);
    mode_ui(ui, cx, field, mode);
    if cell::sign_button(ui, dice, "🎲", cx.tr(DICE)).clicked()
        && let InputType::Int { min, max, .. } = field.decl.ty
    {
        field.set(cx, literal_of(Num::Int(random_seed((min, max)))));
    }
}

/// What becomes of a seed after a run.
fn mode_of(cx: &Cx<'_>, node: &NodeId, input: &str) -> usize {
    let graph = cx.studio.session.graph();
    let written = graph
        .nodes
        .get(node)
        .and_then(|it| it.extra.get(KEY)?.get(input)?.as_str());
    let named = |word| MODES.iter().position(|mode| mode.0 == word);
    written.and_then(named).unwrap_or(0)
}

fn mode_ui(ui: &mut Ui, cx: &mut Cx<'_>, field: &Field<'_>, rect: Rect) {
    let now = mode_of(cx, field.node, &field.input.name);
    let (_, sign, text) = MODES[now];
    let response = cell::sign_button(ui, rect, sign, cx.tr(text));
    Popup::menu(&response).show(|ui| {
        for (at, (word, _, text)) in MODES.iter().enumerate() {
            if ui.selectable_label(at == now, cx.tr(*text)).clicked() {
                set_mode(cx, field, word);
                ui.close();
            }
        }
    });
}

fn set_mode(cx: &mut Cx<'_>, field: &Field<'_>, word: &str) {
    let graph = cx.studio.session.graph();
    let edits = std::iter::once(field.node).chain(field.others).map(|id| {
        let old = graph.nodes.get(id).and_then(|it| it.extra.get(KEY));
        let mut modes = match old {
            Some(Value::Object(modes)) => modes.clone(),
            _ => Map::new(),
        };
        modes.insert(field.input.name.clone(), Value::from(word));
        Edit::SetExtra {
            id: id.clone(),
            key: KEY.to_owned(),
            value: Some(Value::Object(modes)),
        }
    });
    let edit = Edit::Batch(edits.collect());
    cx.act(Action::Edit(AFTER, edit));
}

/// Whether a declaration asks for a seed.
pub fn is_seed(ty: &InputType) -> bool {
    matches!(ty, InputType::Int { seed: true, .. })
}
