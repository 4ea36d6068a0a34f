//! The steps as a table. Only rows in view are laid out.

use egui::{
    Align2, FontId, Rect, Response, ScrollArea, Sense, TextStyle, Ui, WidgetInfo, WidgetType,
};
use longtake_editor::reveal::way_to;
use longtake_plan::Step;
use longtake_plan::text::{bytes, units};

use super::model::{Column, Model, View, lane_name};
use super::words;
use crate::theme::{Palette, ROW, UNIT};
use crate::titles::Titles;
use crate::{Cx, theme};

/// A column: what, width, whether numbers stand at its right edge.
struct Cell {
    column: Column,
    width: f32,
    right: bool,
}

/// Columns in order; those with the highest rank go first where there is no room.
const COLUMNS: [(Column, f32, bool, u8); 10] = [
    (Column::Step, 36.0, true, 0),
    (Column::Shot, 52.0, false, 7),
    (Column::Lane, 60.0, false, 6),
    (Column::Way, 92.0, false, 5),
    (Column::Seconds, 84.0, true, 0),
    (Column::Measured, 84.0, true, 2),
    (Column::Ratio, 52.0, true, 4),
    (Column::Device, 76.0, true, 1),
    (Column::Host, 76.0, true, 3),
    (Column::MeasuredHost, 76.0, true, 8),
];
/// Least width of the node's column.
const NODE: f32 = 150.0;

/// Draws the table; says which step is under the mouse.
pub fn ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    model: &Model,
    view: &mut View,
    lit: Option<u32>,
) -> Option<u32> {
    let cells = columns(ui.available_width() - 2.0 * UNIT, model);
    header(ui, cx, &cells, view);
    if model.rows.is_empty() && !view.filter.is_empty() {
        ui.weak(cx.tr(words::NO_MATCH));
        return None;
    }
    let mut hovered = None;
    let titles = Titles::new(cx.studio);
    let mut clicked = None;
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical()
        .id_salt("steps")
        .auto_shrink([false, false])
        .show_rows(ui, ROW, model.rows.len(), |ui, range| {
            for &at in &model.rows[range] {
                let response = row(ui, cx, model, &cells, &titles, at, lit);
                if response.hovered() {
                    hovered = Some(at);
                }
                if response.clicked() {
                    clicked = Some(at);
                }
                let step = &model.plan.steps[at as usize];
                response.on_hover_ui(|ui| about(ui, cx, step));
            }
        });
    if let Some(at) = clicked {
        let node = &model.plan.steps[at as usize].path.node;
        for action in way_to(&cx.studio.session, node) {
            cx.act(action);
        }
    }
    hovered
}

/// Columns that find room.
fn columns(width: f32, model: &Model) -> Vec<Cell> {
    let measured = model.has_measured();
    let shots = model.plan.steps.iter().any(|it| it.path.shot.is_some());
    let useful = |column: Column| match column {
        Column::Measured | Column::Ratio | Column::MeasuredHost => measured,
        Column::Shot => shots,
        Column::Device => model.gpu(),
        Column::Step
        | Column::Node
        | Column::Lane
        | Column::Way
        | Column::Seconds
        | Column::Host => true,
    };
    let mut kept: Vec<_> = COLUMNS.iter().filter(|it| useful(it.0)).collect();
    let taken = |kept: &[&(Column, f32, bool, u8)]| kept.iter().map(|it| it.1).sum::<f32>();
    while taken(&kept) + NODE > width {
        let Some(last) = kept.iter().map(|it| it.3).max().filter(|it| *it > 0) else {
            break;
        };
        kept.retain(|it| it.3 != last);
    }
    let node = (width - taken(&kept)).max(60.0);
    let mut cells: Vec<Cell> = kept
        .into_iter()
        .map(|&(column, width, right, _)| Cell {
            column,
            width,
            right,
        })
        .collect();
    cells.insert(
        1,
        Cell {
            column: Column::Node,
            width: node,
            right: false,
        },
    );
    cells
}

const fn title(column: Column) -> Option<longtake_editor::Text> {
    match column {
        Column::Step => None,
        Column::Node => Some(words::NODE),
        Column::Shot => Some(words::SHOT),
        Column::Lane => Some(words::LANE),
        Column::Way => Some(words::WAY),
        Column::Seconds => Some(words::SECONDS),
        Column::Measured => Some(words::MEASURED),
        Column::Ratio => Some(words::RATIO),
        Column::Device => Some(words::DEVICE),
        Column::Host => Some(words::HOST),
        Column::MeasuredHost => Some(words::MEASURED_HOST),
    }
}

fn header(ui: &mut Ui, cx: &Cx<'_>, cells: &[Cell], view: &mut View) {
    let (row, _) = ui.allocate_exact_size(egui::vec2(ui.available_width(), ROW), Sense::hover());
    let colours = theme::of(ui);
    let mut x = row.left() + UNIT;
    for cell in cells {
        let rect = Rect::from_min_size(egui::pos2(x, row.top()), egui::vec2(cell.width, ROW));
        x += cell.width;
        let text = title(cell.column).map_or("#", |it| cx.tr(it));
        let id = ui.id().with(("head", cell.column));
        let response = ui.interact(rect, id, Sense::click());
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, text));
        let sorted = view.column == cell.column;
        let mark = match (sorted, view.down) {
            (false, _) => "",
            (true, false) => " ⏶",
            (true, true) => " ⏷",
        };
        let colour = if sorted || response.hovered() {
            colours.text
        } else {
            colours.weak
        };
        write(ui, rect, cell.right, &format!("{text}{mark}"), colour);
        if response.clicked() {
            view.down = sorted && !view.down;
            view.column = cell.column;
        }
    }
    let stroke = egui::Stroke::new(1.0, colours.edge);
    ui.painter()
        .hline(row.x_range(), row.bottom() - 0.5, stroke);
}

fn row(
    ui: &mut Ui,
    cx: &Cx<'_>,
    model: &Model,
    cells: &[Cell],
    titles: &Titles<'_>,
    at: u32,
    lit: Option<u32>,
) -> Response {
    let size = egui::vec2(ui.available_width(), ROW);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let step = &model.plan.steps[at as usize];
    let title = titles.of(&step.path.node);
    response.widget_info(|| {
        WidgetInfo::labeled(WidgetType::Button, true, format!("{} {title}", at + 1))
    });
    let colours = theme::of(ui);
    let is_lit = lit == Some(at) || cx.lit.contains(&step.path.node);
    if response.hovered() || is_lit {
        let fill = colours.accent.gamma_multiply(0.16);
        ui.painter().rect_filled(rect, 0.0, fill);
    }
    let mut x = rect.left() + UNIT;
    for cell in cells {
        let at_cell = Rect::from_min_size(egui::pos2(x, rect.top()), egui::vec2(cell.width, ROW));
        x += cell.width;
        let (text, colour) = cell_text(cx, model, step, cell.column, &title, &colours);
        write(ui, at_cell, cell.right, &text, colour);
    }
    response
}

fn cell_text(
    cx: &Cx<'_>,
    model: &Model,
    step: &Step,
    column: Column,
    title: &str,
    colours: &Palette,
) -> (String, egui::Color32) {
    let measured = model.measured(step);
    let idle = step.cached || step.lazy;
    let plain = if idle { colours.weak } else { colours.text };
    let text = match column {
        Column::Step => return ((step.id.0 + 1).to_string(), colours.weak),
        Column::Node => match &step.path.part {
            Some(part) => format!("{title} · {part}"),
            None => title.to_owned(),
        },
        Column::Shot => step
            .path
            .shot
            .as_ref()
            .map_or(String::new(), |it| it.1.to_string()),
        Column::Lane | Column::Host if idle => String::new(),
        Column::Lane => return (cx.tr(lane_name(step.lane)).to_owned(), colours.weak),
        // A lesser way was chosen: worth a look; the reason is in the tooltip.
        Column::Way if step.why.is_some() => return (step.rung.clone(), colours.warn),
        Column::Way => return (step.rung.clone(), colours.weak),
        Column::Seconds if step.cached => cx.tr(words::STORED).to_owned(),
        Column::Seconds if step.lazy => String::new(),
        Column::Seconds => units::time(step.seconds),
        Column::Measured => measured.map_or(String::new(), |it| units::time(it.seconds)),
        Column::Ratio => match measured.and_then(|it| it.ratio()) {
            Some(ratio) => return (format!("×{ratio:.1}"), far(ratio, colours)),
            None => String::new(),
        },
        Column::Device => model.device_bytes(step.id.0).map_or(String::new(), bytes),
        Column::Host => bytes(step.host_bytes),
        Column::MeasuredHost => measured
            .filter(|it| it.bytes > 0)
            .map_or(String::new(), |it| bytes(it.bytes)),
    };
    (text, plain)
}

/// A prediction off by more than half is worth a look.
fn far(ratio: f64, colours: &Palette) -> egui::Color32 {
    if (0.5..=1.5).contains(&ratio) {
        colours.weak
    } else {
        colours.warn
    }
}

/// Text within a cell, cut where it ends.
fn write(ui: &Ui, rect: Rect, right: bool, text: &str, colour: egui::Color32) {
    if text.is_empty() {
        return;
    }
    let inner = rect.shrink2(egui::vec2(UNIT, 0.0));
    let font = FontId::new(12.5, TextStyle::Body.resolve(ui.style()).family);
    let painter = ui.painter().with_clip_rect(inner);
    let (pos, align) = if right {
        (inner.right_center(), Align2::RIGHT_CENTER)
    } else {
        (inner.left_center(), Align2::LEFT_CENTER)
    };
    painter.text(pos, align, text, font, colour);
}

/// What stands in a step's tooltip.
pub fn about(ui: &mut Ui, cx: &Cx<'_>, step: &Step) {
    let title = Titles::new(cx.studio).of(&step.path.node);
    ui.strong(format!("{} · {title}", step.id.0 + 1));
    ui.weak(format!("{} · {}", step.path, step.class));
    let mut facts = vec![cx.tr(lane_name(step.lane)).to_owned()];
    if step.cached {
        facts.push(cx.tr(words::STORED).to_owned());
    } else {
        facts.push(units::time(step.seconds));
    }
    if !step.rung.is_empty() {
        facts.push(step.rung.clone());
    }
    ui.label(facts.join(" · "));
    if let Some(why) = &step.why {
        let why = cx.studio.language().sentence(why);
        let text = words::WHY.with(cx.studio.language(), &[why]);
        ui.label(egui::RichText::new(text).color(theme::of(ui).warn));
    }
}
