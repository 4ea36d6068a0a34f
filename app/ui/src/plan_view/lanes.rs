//! Who works when: a row per lane, steps coloured by node, loads marked.

use std::hash::{DefaultHasher, Hash, Hasher};

use egui::{Align2, Color32, FontId, Pos2, Rangef, Rect, Sense, Stroke, Ui};
use longtake_graph::NodeId;
use longtake_plan::plan::Move;
use longtake_plan::{Lane, Step};

use super::axis::Axis;
use super::chart::highlight;
use super::model::{Model, lane_name};
use super::{table, words};
use crate::Cx;
use crate::theme::{self, UNIT};

/// Height of a lane.
pub const LANE: f32 = 18.0;

/// Colour of a node's bars: the same in every session.
fn node_colour(node: &NodeId, dark: bool) -> Color32 {
    let mut hasher = DefaultHasher::new();
    node.as_str().hash(&mut hasher);
    let hue = (hasher.finish() % 360) as f32 / 360.0;
    let (saturation, value) = if dark { (0.58, 0.22) } else { (0.46, 0.58) };
    egui::ecolor::Hsva::new(hue, saturation, value, 1.0).into()
}

/// Checkpoints that a step brings in first.
fn loads(model: &Model, step: &Step) -> Vec<String> {
    let loads = step.moves.iter().filter_map(|action| match action {
        Move::Load(id) => Some(model.plan.weight(*id).name.clone()),
        Move::Park(_) | Move::Drop(_) => None,
    });
    loads.collect()
}

/// Draws the lanes from `rect`'s top; says which step is under the mouse.
pub fn ui(
    ui: &mut Ui,
    cx: &Cx<'_>,
    model: &Model,
    axis: Axis,
    rect: Rect,
    lit: Option<u32>,
) -> Option<u32> {
    let mut hovered = None;
    for (n, lane) in model.lanes.iter().enumerate() {
        let top = rect.top() + n as f32 * (LANE + 2.0);
        let row = Rect::from_x_y_ranges(rect.x_range(), top..=top + LANE);
        hovered = hovered.or(lane_ui(ui, cx, model, axis, row, *lane));
    }
    let painter = ui.painter().with_clip_rect(rect);
    highlight(&painter, axis, model, lit, rect.y_range(), &theme::of(ui));
    hovered
}

fn lane_ui(
    ui: &mut Ui,
    cx: &Cx<'_>,
    model: &Model,
    axis: Axis,
    row: Rect,
    lane: Lane,
) -> Option<u32> {
    let colours = theme::of(ui);
    let dark = ui.visuals().dark_mode;
    let steps = &model.plan.steps;
    // The longest of those in one column.
    let weight = |at: u32| {
        let step = &steps[at as usize];
        let here = step.lane == lane && !step.lazy && !step.cached;
        here.then_some((step.seconds * 1e6) as u64)
    };
    let runs = axis.runs(model, weight, false);
    let painter = ui.painter().with_clip_rect(row);
    let font = FontId::proportional(11.0);
    let left = Pos2::new(row.left(), row.center().y);
    let name = cx.tr(lane_name(lane));
    painter.text(left, Align2::LEFT_CENTER, name, font, colours.weak);
    let body = Rect::from_x_y_ranges(axis.range, row.y_range());
    painter.rect_filled(body, 0.0, colours.canvas);
    for run in &runs {
        let step = &steps[run.step as usize];
        let x = Rangef::new(body.left() + run.begin, body.left() + run.end);
        // A hair of space keeps neighbours of one colour apart.
        let end = if x.span() > 4.0 { x.max - 1.0 } else { x.max };
        let bar = Rect::from_x_y_ranges(x.min..=end, row.y_range().shrink(1.0));
        let lit = cx.lit.contains(&step.path.node);
        let colour = if lit {
            colours.accent
        } else {
            node_colour(&step.path.node, dark)
        };
        painter.rect_filled(bar, 1.0, colour);
        if step.moves.iter().any(|it| matches!(it, Move::Load(_))) {
            let mark = Stroke::new(2.0, colours.warn);
            painter.vline(x.min + 1.0, row.y_range(), mark);
        }
    }
    let id = ui.id().with(("lane", lane));
    let response = ui.interact(row, id, Sense::click());
    let x = response.hover_pos()?.x - body.left();
    let at = runs.iter().find(|it| (it.begin..it.end).contains(&x))?.step;
    let step = &steps[at as usize];
    response.on_hover_ui_at_pointer(|ui| {
        table::about(ui, cx, step);
        let loads = loads(model, step);
        if !loads.is_empty() {
            let text = words::LOADS.with(cx.studio.language(), &[&loads.join(", ")]);
            ui.add_space(UNIT);
            ui.label(text);
        }
    });
    Some(at)
}
