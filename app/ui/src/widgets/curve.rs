//! Curves: a small graph. A click adds a point, a drag moves one, a double click or Delete removes
//! it.

use egui::{
    Align2, CursorIcon, Id, Key, Modifiers, PointerButton, Pos2, Rect, Response, Sense, Shape,
    Stroke, StrokeKind, Ui, Vec2, WidgetInfo, WidgetType,
};
use longtake_editor::{Text, t};
use longtake_graph::Curve;
use serde_json::{Value, json};

use super::cell;
use super::field::Field;
use crate::Cx;
use crate::theme::{self, UNIT};

/// Height of the graph in the inspector.
const HIGH: f32 = 40.0 * UNIT;
/// How near the mouse must be to a point, points.
const NEAR: f32 = 9.0;
/// Least distance between two points along x.
const GAP: f64 = 0.005;
/// Most points, as the document allows.
const MOST: usize = *longtake_graph::curve::POINTS.end();
/// Seconds within which the second half of a double click does not take back what the first added.
const DOUBLE: f64 = 0.6;

const LINEAR: Text = t("Linear", "直線");
const SMOOTH: Text = t("S curve", "S字");
const EASE: Text = t("Ease in", "ゆるやかに開始");
const INVERT: Text = t("Invert", "反転");

/// The point that is held, or was touched last.
#[derive(Clone, Copy)]
struct Held {
    at: usize,
    dragged: bool,
    added: f64,
}

/// The editor on a node.
pub fn curve_ui(ui: &mut Ui, cx: &mut Cx<'_>, field: &Field<'_>, rect: Rect) {
    graph_ui(ui, cx, field, rect);
}

/// The larger editor of the inspector, with ready curves.
pub fn large_ui(ui: &mut Ui, cx: &mut Cx<'_>, field: &Field<'_>) {
    let (_, rect) = ui.allocate_space(Vec2::new(ui.available_width(), HIGH));
    if ui.is_rect_visible(rect) {
        graph_ui(ui, cx, field, rect);
    }
    ui.add_space(UNIT);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = UNIT;
        let ready = [
            (LINEAR, json!([[0.0, 0.0], [1.0, 1.0]])),
            (
                SMOOTH,
                json!([[0.0, 0.0], [0.25, 0.1], [0.75, 0.9], [1.0, 1.0]]),
            ),
            (EASE, json!([[0.0, 0.0], [0.5, 0.15], [1.0, 1.0]])),
        ];
        for (text, value) in ready {
            if ui.button(cx.tr(text)).clicked() {
                field.set(cx, value);
            }
        }
        if ui.button(cx.tr(INVERT)).clicked() {
            let points = points(field)
                .iter()
                .map(|[x, y]| [*x, round(1.0 - y)])
                .collect();
            field.set(cx, literal_of(points));
        }
    });
    ui.add_space(UNIT);
}

/// The curve in the document; the default's where that is none.
fn curve(field: &Field<'_>) -> Option<Curve> {
    let default = || Curve::parse(&field.decl.default_value()?).ok();
    Curve::parse(&field.shown()).ok().or_else(default)
}

fn points(field: &Field<'_>) -> Vec<[f64; 2]> {
    curve(field).map_or_else(|| vec![[0.0, 0.0], [1.0, 1.0]], |it| it.points().to_vec())
}

fn literal_of(points: Vec<[f64; 2]>) -> Value {
    points.iter().map(|it| Value::from(it.to_vec())).collect()
}

/// Enough digits for any graph on a screen.
fn round(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

fn graph_ui(ui: &mut Ui, cx: &mut Cx<'_>, field: &Field<'_>, rect: Rect) {
    let response = ui.interact(rect, ui.id().with("curve"), Sense::click_and_drag());
    let name = field.name(cx);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Other, ui.is_enabled(), &name));
    let area = rect.shrink(2.0 * UNIT);
    let mut points = points(field);
    let before = points.clone();
    let over = gestures(ui, &response, area, &mut points);
    cell::ground(ui, cx, field, rect, None);
    paint(ui, field, &response, rect, area);
    if points != before {
        field.live(cx, literal_of(points));
    }
    if over {
        field.settle(cx);
    }
    field.finish(cx, &response);
}

/// Where a point of the curve is on the screen.
fn to_screen(area: Rect, [x, y]: [f64; 2]) -> Pos2 {
    Pos2::new(
        egui::lerp(area.x_range(), x as f32),
        egui::lerp(area.bottom()..=area.top(), y as f32),
    )
}

fn from_screen(area: Rect, at: Pos2) -> [f64; 2] {
    let x = (at.x - area.left()) / area.width().max(1.0);
    let y = (area.bottom() - at.y) / area.height().max(1.0);
    [x, y].map(|it| round(f64::from(it).clamp(0.0, 1.0)))
}

fn nearest(area: Rect, points: &[[f64; 2]], mouse: Pos2) -> Option<usize> {
    let distance = |at: &usize| to_screen(area, points[*at]).distance(mouse);
    (0..points.len())
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        .filter(|at| distance(at) <= NEAR)
}

/// Changes the points by what the mouse and keys do; true when an interaction is over.
fn gestures(ui: &Ui, response: &Response, area: Rect, points: &mut Vec<[f64; 2]>) -> bool {
    let id = response.id;
    let now = ui.input(|it| it.time);
    let held = ui.data(|it| it.get_temp::<Held>(id));
    let mouse = response
        .interact_pointer_pos()
        .or_else(|| response.hover_pos());
    let near = mouse.and_then(|mouse| nearest(area, points, mouse));
    if near.is_some() {
        ui.set_cursor_icon(CursorIcon::Grab);
    }
    if response.drag_started_by(PointerButton::Primary) {
        let origin = ui.input(|it| it.pointer.press_origin());
        let origin = origin.map(|it| local(response, it));
        if let Some(at) = origin.and_then(|it| nearest(area, points, it)) {
            keep(ui, id, at, true, f64::NEG_INFINITY);
            response.request_focus();
        }
        return false;
    }
    match (held, mouse) {
        (Some(held), Some(mouse)) if held.dragged && response.dragged() => {
            move_point(points, held.at, from_screen(area, mouse));
            return false;
        }
        (Some(held), _) if held.dragged => {
            keep(ui, id, held.at, false, f64::NEG_INFINITY);
            return true;
        }
        _ => {}
    }
    if response.double_clicked() {
        let just_added = held.is_some_and(|it| now - it.added < DOUBLE);
        return !just_added && near.is_some_and(|at| remove(points, at));
    }
    if response.clicked() {
        response.request_focus();
        if let Some(at) = near {
            keep(ui, id, at, false, f64::NEG_INFINITY);
        } else if let Some(at) = mouse.and_then(|it| add(points, from_screen(area, it))) {
            keep(ui, id, at, false, now);
            return true;
        }
    }
    keys(ui, response, held, points)
}

/// Delete removes the point touched last.
fn keys(ui: &Ui, response: &Response, held: Option<Held>, points: &mut Vec<[f64; 2]>) -> bool {
    let Some(held) = held.filter(|_| response.has_focus()) else {
        return false;
    };
    let pressed = ui.input_mut(|it| {
        it.consume_key(Modifiers::NONE, Key::Delete)
            || it.consume_key(Modifiers::NONE, Key::Backspace)
    });
    pressed && remove(points, held.at)
}

fn keep(ui: &Ui, id: Id, at: usize, dragged: bool, added: f64) {
    let held = Held { at, dragged, added };
    ui.data_mut(|it| it.insert_temp(id, held));
}

/// A place on the screen in the coordinates of the widget's layer, which the canvas may have zoomed.
fn local(response: &Response, at: Pos2) -> Pos2 {
    let from_global = response.ctx.layer_transform_from_global(response.layer_id);
    from_global.map_or(at, |it| it * at)
}

/// Moves a point between its neighbours.
fn move_point(points: &mut [[f64; 2]], at: usize, [x, y]: [f64; 2]) {
    let low = match at {
        0 => 0.0,
        _ => points.get(at - 1).map_or(0.0, |it| it[0] + GAP),
    };
    let high = points.get(at + 1).map_or(1.0, |it| it[0] - GAP);
    if let Some(point) = points.get_mut(at)
        && low <= high
    {
        *point = [round(x.clamp(low, high)), y];
    }
}

/// Adds a point, if there is room; gives its place.
fn add(points: &mut Vec<[f64; 2]>, [x, y]: [f64; 2]) -> Option<usize> {
    let at = points.partition_point(|it| it[0] < x);
    let left = at.checked_sub(1).and_then(|it| points.get(it));
    let clear = |other: Option<&[f64; 2]>| other.is_none_or(|it| (it[0] - x).abs() >= GAP);
    if points.len() >= MOST || !clear(left) || !clear(points.get(at)) {
        return None;
    }
    points.insert(at, [x, y]);
    Some(at)
}

/// Removes a point, unless it is one of the last two.
fn remove(points: &mut Vec<[f64; 2]>, at: usize) -> bool {
    let can = points.len() > 2 && at < points.len();
    if can {
        points.remove(at);
    }
    can
}

fn paint(ui: &Ui, field: &Field<'_>, response: &Response, rect: Rect, area: Rect) {
    let colours = theme::of(ui);
    let painter = ui.painter().with_clip_rect(ui.clip_rect().intersect(rect));
    let grid = Stroke::new(1.0, colours.edge.gamma_multiply(0.5));
    for quarter in 0..=4 {
        let part = quarter as f32 / 4.0;
        painter.vline(egui::lerp(area.x_range(), part), area.y_range(), grid);
        painter.hline(area.x_range(), egui::lerp(area.y_range(), part), grid);
    }
    if let Some(label) = field.inner_label() {
        let galley = cell::elided(ui, label, colours.weak, area.width() * 0.6);
        let place = area.shrink(2.0);
        cell::paint_galley(&painter, place, Align2::LEFT_TOP, galley, colours.weak);
    }
    let Some(curve) = curve(field) else {
        return;
    };
    let count = (area.width() / 3.0).clamp(16.0, 200.0) as usize;
    let line = (0..=count).map(|at| {
        let x = at as f64 / count as f64;
        to_screen(area, [x, curve.at(x)])
    });
    let strength = if field.is_default() { 0.6 } else { 1.0 };
    let stroke = Stroke::new(1.5, colours.accent.gamma_multiply(strength));
    painter.add(Shape::line(line.collect(), stroke));
    let held = ui.data(|it| it.get_temp::<Held>(response.id));
    let mouse = response.hover_pos().filter(|_| response.hovered());
    let near = mouse.and_then(|mouse| nearest(area, curve.points(), mouse));
    for (at, point) in curve.points().iter().enumerate() {
        let focused = response.has_focus() && held.is_some_and(|it| it.at == at);
        let radius = if near == Some(at) || focused {
            5.0
        } else {
            3.5
        };
        let fill = if focused {
            colours.accent
        } else {
            colours.node
        };
        let stroke = Stroke::new(1.5, colours.accent);
        painter.circle(to_screen(area, *point), radius, fill, stroke);
    }
    if response.has_focus() {
        let stroke = Stroke::new(1.0, colours.accent);
        painter.rect_stroke(rect, cell::CORNERS, stroke, StrokeKind::Inside);
    }
}

#[cfg(test)]
mod tests {
    use super::{add, move_point, remove};

    #[test]
    fn points_stay_in_order_and_in_number() {
        let mut points = vec![[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]];
        move_point(&mut points, 1, [2.0, 0.3]);
        assert_eq!(points[1], [0.995, 0.3]);
        move_point(&mut points, 0, [-1.0, 1.0]);
        assert_eq!(points[0], [0.0, 1.0]);
        assert_eq!(add(&mut points, [0.2, 0.9]), Some(1));
        assert_eq!(add(&mut points, [0.201, 0.9]), None);
        assert!(remove(&mut points, 1) && remove(&mut points, 1));
        assert!(!remove(&mut points, 0), "two points stay");
        assert!(!remove(&mut points, 9));
        while points.len() < super::MOST {
            let x = points.len() as f64 / 40.0;
            assert!(add(&mut points, [x, 0.0]).is_some());
        }
        assert_eq!(add(&mut points, [0.99, 0.0]), None);
    }
}
