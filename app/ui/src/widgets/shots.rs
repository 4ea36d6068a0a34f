//! Shot lists: a summary on the node, a compact table in the inspector.

use egui::{Rect, Sense, Ui, WidgetInfo, WidgetType};
use longtake_editor::{Text, t};
use longtake_graph::literal;
use serde_json::Value;

use super::cell;
use super::field::Field;
use crate::{Cx, theme};

pub use super::shot_table::table_ui;

const SUMMARY: Text = t("{} shots, {}", "{} ショット、{}");
const ONE: Text = t("{} shot, {}", "{} ショット、{}");

/// The list in a few words: `12 shots, 1:04`.
pub fn summary(cx: &Cx<'_>, value: &Value) -> String {
    let list = value.as_array().map_or(&[][..], Vec::as_slice);
    let seconds: f64 = list
        .iter()
        .filter_map(|shot| literal::real(shot.get("seconds")?))
        // Not `sum`: of nothing it is -0.
        .fold(0.0, |all, it| all + it);
    let language = cx.studio.language();
    let text = if list.len() == 1 { ONE } else { SUMMARY };
    text.with(language, &[&list.len().to_string(), &clock(seconds)])
}

/// `1:04`, or `3.5 s` below ten seconds.
pub fn clock(seconds: f64) -> String {
    if !(10.0..1e9).contains(&seconds) {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// The row on a node. The shots themselves are edited in the inspector.
pub fn summary_ui(ui: &mut Ui, cx: &mut Cx<'_>, field: &Field<'_>, rect: Rect) {
    let response = ui.interact(rect, ui.id().with("shots"), Sense::click());
    let name = field.name(cx);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, ui.is_enabled(), &name));
    cell::ground(ui, cx, field, rect, None);
    let text = summary(cx, &field.shown());
    let colours = theme::of(ui);
    cell::texts(ui, rect, field.inner_label(), &text, colours.text);
    field.finish(cx, &response);
}

#[cfg(test)]
mod tests {
    use super::clock;

    #[test]
    fn lengths_read_like_a_clock() {
        for (seconds, text) in [
            (0.0, "0.0 s"),
            (3.5, "3.5 s"),
            (64.2, "1:04"),
            (3723.0, "1:02:03"),
            (f64::NAN, "NaN s"),
        ] {
            assert_eq!(clock(seconds), text);
        }
    }
}
