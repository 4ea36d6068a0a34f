//! Memory over the run: checkpoints by name, work above them, the budget as a line.

use egui::{
    Align2, Color32, FontId, Pos2, Rangef, Rect, Sense, Stroke, Ui, WidgetInfo, WidgetType,
};
use longtake_editor::Text;
use longtake_plan::text::bytes;
use longtake_plan::usage::Place;
use longtake_plan::{Lane, WeightsId};

use super::axis::{Axis, Run};
use super::model::Model;
use super::{table, words};
use crate::Cx;
use crate::theme::{self, Palette, UNIT};

/// Whose memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// The device's.
    Device,
    /// The host's.
    Host,
}

/// Height of the line of text over a chart.
pub const CAPTION: f32 = 18.0;

impl Memory {
    /// Bytes while a step runs; `None` when it does not count here.
    pub fn of(self, model: &Model, at: u32) -> Option<u64> {
        let step = &model.plan.steps[at as usize];
        match self {
            _ if step.cached || step.lazy => None,
            // What runs beside the device does not change what is on it.
            Self::Device => (step.lane == Lane::Device).then_some(step.device_bytes),
            Self::Host => Some(step.host_bytes),
        }
    }

    const fn title(self) -> Text {
        match self {
            Self::Device => words::DEVICE_MEMORY,
            Self::Host => words::HOST_MEMORY,
        }
    }

    fn budget(self, model: &Model) -> u64 {
        match self {
            Self::Device => model.plan.machine.device_budget,
            Self::Host => model.plan.machine.host_budget,
        }
    }

    /// Checkpoints that lie in it during a step.
    fn weights(self, model: &Model, at: u32) -> impl Iterator<Item = WeightsId> + '_ {
        let place = match self {
            Self::Host if model.gpu() => Place::Parked,
            Self::Host | Self::Device => Place::Resident,
        };
        let held = model.uses[at as usize].held.iter();
        held.filter(move |it| it.1 == place).map(|it| it.0)
    }
}

/// Colour of a checkpoint: hues far from each other, all quiet.
pub fn weights_colour(id: WeightsId, dark: bool) -> Color32 {
    let hue = (id.0 as f32 * 0.618_034 + 0.58).fract();
    let (saturation, value) = if dark { (0.62, 0.24) } else { (0.50, 0.55) };
    egui::ecolor::Hsva::new(hue, saturation, value, 1.0).into()
}

/// What a chart is drawn from.
pub struct Chart<'a> {
    pub model: &'a Model,
    pub memory: Memory,
    pub axis: Axis,
    /// The step lit elsewhere.
    pub lit: Option<u32>,
}

impl Chart<'_> {
    /// Draws it in `rect`; says which step is under the mouse.
    pub fn ui(&self, ui: &mut Ui, cx: &Cx<'_>, rect: Rect) -> Option<u32> {
        let colours = theme::of(ui);
        let model = self.model;
        let body = Rect::from_x_y_ranges(self.axis.range, rect.top() + CAPTION..=rect.bottom());
        let runs = self.axis.runs(model, |at| self.memory.of(model, at), true);
        let peak = runs
            .iter()
            .filter(|it| !it.idle)
            .filter_map(|it| Some((self.memory.of(model, it.step)?, *it)))
            .max_by_key(|(all, run)| (*all, std::cmp::Reverse(run.step)));
        let budget = self.memory.budget(model);
        let most = peak.map_or(0, |it| it.0);
        // A budget far beyond the peak would leave nothing to see.
        let full = if budget / 2 > most {
            most + most / 4
        } else {
            budget.max(most)
        };
        let full = full.max(1) as f32 * 1.04;
        let y = |amount: u64| body.bottom() - amount as f32 / full * body.height();
        let painter = ui.painter().with_clip_rect(rect);
        painter.rect_filled(body, 0.0, colours.canvas);
        for run in &runs {
            self.bar(&painter, body, run, &y, &colours, ui.visuals().dark_mode);
        }
        self.caption(cx, &painter, rect, most, &colours);
        if (budget as f32) < full {
            let stroke = Stroke::new(1.0, colours.warn);
            painter.hline(body.x_range(), y(budget), stroke);
        }
        if let Some((most, run)) = peak {
            let x = body.left() + f32::midpoint(run.begin, run.end);
            mark(&painter, Pos2::new(x, y(most)), colours.text);
        }
        highlight(
            &painter,
            self.axis,
            model,
            self.lit,
            body.y_range(),
            &colours,
        );
        let response = ui.interact(
            rect,
            ui.id().with(("chart", self.memory as u8)),
            Sense::click(),
        );
        let title = cx.tr(self.memory.title());
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, title));
        let pos = response.hover_pos()?;
        let x = pos.x - body.left();
        let step = runs.iter().find(|it| (it.begin..it.end).contains(&x))?.step;
        response.on_hover_ui_at_pointer(|ui| self.tooltip(ui, cx, step));
        Some(step)
    }

    fn bar(
        &self,
        painter: &egui::Painter,
        body: Rect,
        run: &Run,
        y: &impl Fn(u64) -> f32,
        colours: &Palette,
        dark: bool,
    ) {
        let x = Rangef::new(body.left() + run.begin, body.left() + run.end);
        let mut below = 0u64;
        for id in self.memory.weights(self.model, run.step) {
            let above = below.saturating_add(self.model.plan.weight(id).bytes);
            let layer = Rect::from_x_y_ranges(x, y(above)..=y(below));
            painter.rect_filled(layer, 0.0, weights_colour(id, dark));
            below = above;
        }
        let all = self.memory.of(self.model, run.step).unwrap_or(0);
        if all > below && !run.idle {
            let layer = Rect::from_x_y_ranges(x, y(all)..=y(below));
            painter.rect_filled(layer, 0.0, colours.weak.gamma_multiply(0.55));
        }
        let seen = self
            .model
            .measured(&self.model.plan.steps[run.step as usize]);
        if let Some(seen) =
            seen.filter(|it| self.memory == Memory::Host && it.bytes > 0 && !run.idle)
        {
            painter.hline(x, y(seen.bytes), Stroke::new(1.5, colours.text));
        }
    }

    fn caption(
        &self,
        cx: &Cx<'_>,
        painter: &egui::Painter,
        rect: Rect,
        most: u64,
        colours: &Palette,
    ) {
        let language = cx.studio.language();
        let font = FontId::proportional(11.5);
        let left = Pos2::new(self.axis.range.min, rect.top() + CAPTION / 2.0);
        let title = cx.tr(self.memory.title());
        let drawn = painter.text(left, Align2::LEFT_CENTER, title, font.clone(), colours.text);
        let peak = words::PEAK.with(language, &[&bytes(most)]);
        let after = Pos2::new(drawn.right() + 2.0 * UNIT, left.y);
        painter.text(after, Align2::LEFT_CENTER, peak, font.clone(), colours.weak);
        let budget = bytes(self.memory.budget(self.model));
        let budget = words::BUDGET.with(language, &[&budget]);
        let right = Pos2::new(self.axis.range.max, left.y);
        painter.text(right, Align2::RIGHT_CENTER, budget, font, colours.weak);
    }

    fn tooltip(&self, ui: &mut Ui, cx: &Cx<'_>, at: u32) {
        let model = self.model;
        table::about(ui, cx, &model.plan.steps[at as usize]);
        ui.separator();
        let dark = ui.visuals().dark_mode;
        let mut sum = 0u64;
        for id in self.memory.weights(model, at) {
            let weights = model.plan.weight(id);
            sum = sum.saturating_add(weights.bytes);
            line(ui, weights_colour(id, dark), &weights.name, weights.bytes);
        }
        let all = self.memory.of(model, at).unwrap_or(sum);
        let colour = theme::of(ui).weak;
        line(ui, colour, cx.tr(words::WORK), all.saturating_sub(sum));
        ui.strong(bytes(all));
        for (id, place) in &*model.uses[at as usize].held {
            let text = match place {
                Place::Streamed => words::STREAMED,
                Place::Parked if self.memory == Memory::Device => words::PARKED,
                Place::Resident | Place::Parked => continue,
            };
            ui.weak(format!("{}: {}", model.plan.weight(*id).name, cx.tr(text)));
        }
    }
}

fn line(ui: &mut Ui, colour: Color32, name: &str, amount: u64) {
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(egui::Vec2::splat(10.0), Sense::hover());
        ui.painter().rect_filled(rect, 2.0, colour);
        ui.label(format!("{name}  {}", bytes(amount)));
    });
}

/// A small triangle that points down at a place.
fn mark(painter: &egui::Painter, at: Pos2, colour: Color32) {
    let points = [(-4.0, -7.0), (4.0, -7.0), (0.0, -1.0)];
    let points = points.map(|(x, y)| at + egui::vec2(x, y)).to_vec();
    painter.add(egui::Shape::convex_polygon(points, colour, Stroke::NONE));
}

/// A band over the step that is lit elsewhere.
pub fn highlight(
    painter: &egui::Painter,
    axis: Axis,
    model: &Model,
    lit: Option<u32>,
    y: Rangef,
    colours: &Palette,
) {
    let Some((at, span)) = lit.and_then(|at| Some((at, *model.spans.get(at as usize)?))) else {
        return;
    };
    let x = axis.span(at, span);
    let x = Rangef::new(x.min, x.max.max(x.min + 2.0));
    let band = Rect::from_x_y_ranges(x, y);
    painter.rect_filled(band, 0.0, colours.accent.gamma_multiply(0.25));
}
