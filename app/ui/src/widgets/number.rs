//! Numbers: dragged, stepped by arrows, typed as an expression.

use egui::text::{CCursor, CCursorRange};
use egui::{
    Align, Color32, Context, CursorIcon, EventFilter, Id, Key, Margin, PointerButton, Rect,
    Response, Sense, TextEdit, Ui, Vec2, WidgetInfo,
};
use longtake_editor::Text;
use longtake_graph::{Edit, literal};
use serde_json::Value;

use super::arithmetic::{Num, evaluate};
use super::field::{self, Field};
pub use super::range::Range;
use super::{cell, unfinished};
use crate::{Cx, theme};

/// Points dragged for one step.
const POINTS_A_STEP: f32 = 5.0;
/// Width of the arrows at both ends.
const ARROW: f32 = 14.0;
/// A number as it is shown: reals with a point, long ones cut.
pub fn shown(value: Num) -> String {
    match value {
        Num::Int(whole) => whole.to_string(),
        Num::Real(real) => {
            let short = format!("{real}");
            if short.len() > 12 {
                format!("{real:.6e}")
            } else if short.contains('.') || !real.is_finite() {
                short
            } else {
                format!("{short}.0")
            }
        }
    }
}

/// A number as it is written in the document.
pub fn literal_of(value: Num) -> Value {
    match value {
        Num::Int(whole) => i64::try_from(whole)
            .map(Value::from)
            .or_else(|_| u64::try_from(whole).map(Value::from))
            .unwrap_or(Value::Null),
        Num::Real(real) => Value::from(real),
    }
}

/// A number to edit.
pub struct Number<'a> {
    /// Painted at the left.
    pub label: Option<&'a str>,
    /// What it is now.
    pub value: Num,
    /// What it can be.
    pub range: Range,
    /// Painted behind it.
    pub unit: &'a str,
    /// Only the default.
    pub dim: bool,
}

/// What became of it in this frame.
pub struct Outcome {
    /// Of the whole cell.
    pub response: Response,
    /// A new value.
    pub changed: Option<Num>,
    /// The interaction is over.
    pub settled: bool,
    /// Digits are half typed, and what they stand for, if it can be read and is new.
    pub half: Option<(Id, Option<Num>)>,
}

impl Outcome {
    /// Has what is half typed taken in should the cell not be drawn any more.
    pub fn keep(
        &self,
        ctx: &Context,
        cx: &Cx<'_>,
        label: Text,
        edit: impl Fn(Value) -> Option<Edit>,
    ) {
        if let Some((field, value)) = self.half {
            let edit = value.and_then(|it| edit(literal_of(it)));
            unfinished::keep(ctx, cx, field, (label, edit), forget);
        }
    }
}

fn forget(ctx: &Context, field: Id) {
    ctx.data_mut(|it| it.remove::<Typing>(field));
}

/// Half-typed digits.
#[derive(Clone)]
struct Typing {
    text: String,
    /// The field has not been drawn yet, so that it cannot have the focus.
    fresh: bool,
}

/// Where a drag began, and how far it went.
#[derive(Clone, Copy)]
struct Drag {
    start: Num,
    steps: f64,
}

/// The editor of a number parameter.
pub fn number_ui(ui: &mut Ui, cx: &mut Cx<'_>, field: &Field<'_>, rect: Rect) {
    let Some(range) = Range::of(&field.decl.ty) else {
        return;
    };
    let value = field.shown();
    let value = match range {
        Range::Int { min, .. } => Num::Int(literal::integer(&value).unwrap_or(min)),
        Range::Real { min, .. } => Num::Real(literal::real(&value).unwrap_or(min)),
    };
    let number = Number {
        label: field.inner_label(),
        value,
        range,
        unit: field.decl.unit,
        dim: field.is_default(),
    };
    let name = || field.name(cx);
    let outcome = edit_ui(ui, rect, &number, &name);
    outline(ui, cx, field, rect);
    outcome.keep(ui.ctx(), cx, field::CHANGE, |it| Some(field.edit(Some(it))));
    if let Some(value) = outcome.changed {
        field.live(cx, literal_of(value));
    }
    if outcome.settled {
        field.settle(cx);
    }
    field.finish(cx, &outcome.response);
}

fn outline(ui: &Ui, cx: &Cx<'_>, field: &Field<'_>, rect: Rect) {
    if let Some(severity) = field.severity(cx) {
        let stroke = egui::Stroke::new(1.0, cell::severity_colour(ui, severity));
        ui.painter()
            .rect_stroke(rect, cell::CORNERS, stroke, egui::StrokeKind::Inside);
    }
}

/// Edits a number in a cell. `name` is what accessibility calls it.
pub fn edit_ui(ui: &mut Ui, rect: Rect, number: &Number<'_>, name: &dyn Fn() -> String) -> Outcome {
    let id = ui.id().with("number");
    if let Some(typing) = ui.data(|it| it.get_temp::<Typing>(id)) {
        return typing_ui(ui, rect, number, id, typing);
    }
    let response = ui.interact(rect, id, Sense::click_and_drag());
    response.widget_info(|| WidgetInfo {
        label: Some(name()),
        ..WidgetInfo::drag_value(ui.is_enabled(), number.value.real())
    });
    paint(ui, rect, number, &response);
    let mut outcome = Outcome {
        changed: None,
        settled: false,
        half: None,
        response,
    };
    drag(ui, rect, number, &mut outcome);
    keys(ui, number, &mut outcome);
    if outcome.response.clicked() {
        click(ui, rect, number, id, &mut outcome);
    }
    let response = outcome
        .response
        .on_hover_and_drag_cursor(CursorIcon::ResizeHorizontal);
    Outcome {
        response,
        ..outcome
    }
}

fn paint(ui: &Ui, rect: Rect, number: &Number<'_>, response: &Response) {
    let colours = theme::of(ui);
    cell::paint_ground(ui, rect, Some(response));
    if let Some(fraction) = number.range.fraction(number.value) {
        let filled =
            Rect::from_min_size(rect.min, Vec2::new(rect.width() * fraction, rect.height()));
        let painter = ui
            .painter()
            .with_clip_rect(ui.clip_rect().intersect(filled));
        let strength = if number.dim { 0.18 } else { 0.32 };
        painter.rect_filled(rect, cell::CORNERS, colours.accent.gamma_multiply(strength));
    }
    let mut text = shown(number.value);
    if !number.unit.is_empty() {
        text.push(' ');
        text.push_str(number.unit);
    }
    let colour = cell::value_colour(ui, number.dim);
    let arrows = if number.label.is_some() {
        ARROW / 2.0
    } else {
        0.0
    };
    let room = rect.shrink2(Vec2::new(arrows, 0.0));
    cell::texts(ui, room, number.label, &text, colour);
    if response.hovered() && rect.width() > 6.0 * ARROW {
        let from = rect.left() + ARROW / 2.0 - if arrows > 0.0 { 0.0 } else { 2.0 };
        for (x, towards) in [(from, -Vec2::X), (rect.right() - ARROW / 2.0, Vec2::X)] {
            let centre = egui::Pos2::new(x, rect.center().y);
            cell::triangle(ui.painter(), centre, towards, colours.weak);
        }
    }
}

fn drag(ui: &Ui, rect: Rect, number: &Number<'_>, outcome: &mut Outcome) {
    let response = &outcome.response;
    if response.drag_started_by(PointerButton::Primary) {
        let start = Drag {
            start: number.value,
            steps: 0.0,
        };
        ui.data_mut(|it| it.insert_temp(response.id, start));
    }
    if let Some(mut drag) = ui.data(|it| it.get_temp::<Drag>(response.id)) {
        let modifiers = ui.input(|it| it.modifiers);
        let points = if number.range.fraction(number.value).is_some() {
            // A filled bar follows the mouse.
            f64::from(rect.width()) / number.range.span_steps().max(1.0)
        } else {
            f64::from(POINTS_A_STEP)
        };
        let pace = match (modifiers.shift, modifiers.command) {
            (true, _) => 0.1,
            (_, true) => 10.0,
            _ => 1.0,
        };
        drag.steps += f64::from(response.drag_delta().x) / points * pace;
        let value = number.range.moved(drag.start, drag.steps, modifiers.shift);
        if response.dragged() && value != number.value && drag.steps != 0.0 {
            outcome.changed = Some(value);
        }
        if response.dragged() {
            ui.data_mut(|it| it.insert_temp(response.id, drag));
        } else {
            ui.data_mut(|it| it.remove::<Drag>(response.id));
            outcome.settled = true;
        }
    }
}

/// Arrows step a focused number; assistive tools do too.
fn keys(ui: &Ui, number: &Number<'_>, outcome: &mut Outcome) {
    let id = outcome.response.id;
    let mut steps = 0.0;
    if outcome.response.has_focus() {
        let filter = EventFilter {
            horizontal_arrows: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|it| it.set_focus_lock_filter(id, filter));
        ui.input(|it| {
            let pace = if it.modifiers.command { 10.0 } else { 1.0 };
            steps += pace * it.num_presses(Key::ArrowRight) as f64;
            steps -= pace * it.num_presses(Key::ArrowLeft) as f64;
        });
    }
    ui.input(|it| {
        let asked = |action| it.num_accesskit_action_requests(id, action) as f64;
        steps += asked(egui::accesskit::Action::Increment);
        steps -= asked(egui::accesskit::Action::Decrement);
    });
    if steps != 0.0 {
        step(number, steps, outcome);
    }
}

fn step(number: &Number<'_>, steps: f64, outcome: &mut Outcome) {
    let value = number.range.moved(number.value, steps, false);
    outcome.changed = (value != number.value).then_some(value);
    outcome.settled = true;
}

fn click(ui: &Ui, rect: Rect, number: &Number<'_>, id: Id, outcome: &mut Outcome) {
    let at = outcome.response.interact_pointer_pos().map(|it| it.x);
    let wide = rect.width() > 6.0 * ARROW;
    match at {
        Some(x) if wide && x < rect.left() + ARROW => step(number, -1.0, outcome),
        Some(x) if wide && x > rect.right() - ARROW => step(number, 1.0, outcome),
        _ => {
            let text = match number.value {
                Num::Int(whole) => whole.to_string(),
                Num::Real(real) => real.to_string(),
            };
            let typing = Typing { text, fresh: true };
            ui.data_mut(|it| it.insert_temp(id, typing));
            ui.ctx().request_repaint();
        }
    }
}

fn typing_ui(ui: &mut Ui, rect: Rect, number: &Number<'_>, id: Id, typing: Typing) -> Outcome {
    let Typing { mut text, fresh } = typing;
    cell::paint_ground(ui, rect, None);
    let colours = theme::of(ui);
    let worked_out = |text: &str| evaluate(text, number.unit).map(|it| number.range.clamp(it));
    let colour = match worked_out(&text) {
        Some(_) => colours.text,
        None => colours.bad,
    };
    let edit = id.with("typing");
    if fresh {
        select_all(ui, edit, &text);
    }
    let response = ui.put(rect, line(&mut text, colour).id(edit));
    if fresh {
        response.request_focus();
    }
    let stroke = egui::Stroke::new(1.0, colours.accent);
    ui.painter()
        .rect_stroke(rect, cell::CORNERS, stroke, egui::StrokeKind::Inside);
    let over = !fresh && !response.has_focus();
    let mut changed = None;
    let mut half = None;
    if over {
        unfinished::done(ui.ctx(), id);
        let cancelled = ui.input(|it| it.key_pressed(Key::Escape));
        changed = worked_out(&text).filter(|it| !cancelled && *it != number.value);
        ui.data_mut(|it| it.remove::<Typing>(id));
    } else {
        let new = worked_out(&text).filter(|it| *it != number.value);
        half = Some((id, new));
        let typing = Typing { text, fresh: false };
        ui.data_mut(|it| it.insert_temp(id, typing));
    }
    Outcome {
        response,
        changed,
        settled: over,
        half,
    }
}

fn select_all(ui: &Ui, edit: Id, text: &str) {
    let mut state = TextEdit::load_state(ui.ctx(), edit).unwrap_or_default();
    let all = CCursorRange::two(CCursor::default(), CCursor::new(text.chars().count()));
    state.cursor.set_char_range(Some(all));
    state.store(ui.ctx(), edit);
}

/// A text field of one line without a frame of its own.
pub fn line(text: &mut String, colour: Color32) -> TextEdit<'_> {
    TextEdit::singleline(text)
        .frame(egui::Frame::new().inner_margin(Margin::symmetric(8, 0)))
        .vertical_align(Align::Center)
        .text_color(colour)
        .desired_width(f32::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::{Num, Range, shown};

    #[test]
    fn steps_stay_on_the_grid_and_in_range() {
        let width = Range::Int {
            min: 16,
            max: 4096,
            step: 16,
        };
        let part = Range::Real {
            min: 0.0,
            max: 1.0,
            step: 0.05,
        };
        let seed = Range::Int {
            min: 0,
            max: u64::MAX.into(),
            step: 1,
        };
        // ComfyUI's PrimitiveFloat.
        let any = Range::Real {
            min: -1e300,
            max: 1e300,
            step: 0.01,
        };
        let most = Num::Int(u64::MAX.into());
        for (range, start, steps, fine, to) in [
            (width, Num::Int(512), 2.0, false, Num::Int(544)),
            (width, Num::Int(500), 0.0, false, Num::Int(496)),
            (width, Num::Int(32), -9.0, false, Num::Int(16)),
            (part, Num::Real(0.1), 4.0, false, Num::Real(0.3)),
            (part, Num::Real(0.1), 0.1, true, Num::Real(0.105)),
            (part, Num::Real(0.9), 50.0, false, Num::Real(1.0)),
            (seed, most, -1.0, false, Num::Int((u64::MAX - 1).into())),
            (seed, most, 5.0, false, most),
            (any, Num::Real(3.5), 1.0, false, Num::Real(3.51)),
            (any, Num::Real(-3.5), -2.0, false, Num::Real(-3.52)),
        ] {
            assert_eq!(range.moved(start, steps, fine), to, "{start:?} {steps}");
        }
    }

    #[test]
    fn reals_are_shown_short() {
        for (value, text) in [
            (Num::Real(8.0), "8.0"),
            (Num::Real(0.35), "0.35"),
            (Num::Real(1.0 / 3.0), "3.333333e-1"),
            (Num::Int(-3), "-3"),
        ] {
            assert_eq!(shown(value), text);
        }
    }
}
