//! The compiled plan before anything runs: steps in a table, memory and lanes in charts; after a run
//! what was measured beside what was predicted.
//!
//! While a newer plan is made, or when the graph has errors, the last plan stays, dimmed.
//!
//! - `model`: a plan made ready; `table`; `axis`, `chart`, `lanes`: the charts; `errors`.

mod axis;
mod chart;
mod errors;
mod lanes;
mod model;
mod table;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod words;

use egui::{Rect, ScrollArea, Sense, Ui, UiBuilder};
use longtake_editor::reveal::way_to;
use longtake_plan::text::{bytes, units};

use self::axis::{Along, Axis};
use self::chart::{CAPTION, Chart, Memory};
use self::lanes::LANE;
use self::model::{Model, View};
use crate::Cx;
use crate::theme::{ROW, UNIT};

/// A panel wider than this shows table and charts side by side, points.
const WIDE: f32 = 720.0;
/// Seconds a plan may be old before that is shown.
const PATIENCE: f64 = 0.3;
/// Room for names of lanes, points.
const NAMES: f32 = 56.0;
/// Least height of a chart of memory that can still be read, points.
const CHART: f32 = 48.0;
/// Least height of the table below the charts: its head and four rows.
const TABLE: f32 = 5.0 * ROW;

/// The compiled plan as a table and charts.
#[derive(Default)]
pub struct PlanView {
    model: Option<Model>,
    view: View,
    along: Along,
    /// Step under the mouse in the last frame.
    lit: Option<u32>,
    /// Since when the plan shown is not the document's.
    old_since: Option<f64>,
}

impl PlanView {
    /// Another document was opened: nothing of the old one stays.
    pub fn begin_document(&mut self) {
        self.model = None;
        self.lit = None;
        self.old_since = None;
    }

    /// Draws it.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        self.renew(cx);
        let old = self.is_old(ui, cx);
        egui::Frame::NONE
            .inner_margin(egui::Margin::symmetric(2 * UNIT as i8, UNIT as i8))
            .show(ui, |ui| {
                let room = ui.available_height();
                ScrollArea::vertical()
                    .id_salt("plan")
                    .auto_shrink([false, false])
                    .show(ui, |ui| self.all(ui, cx, old, room));
            });
        let node = self.lit.zip(self.model.as_ref()).and_then(|(at, model)| {
            let step = model.plan.steps.get(at as usize)?;
            Some(step.path.node.clone())
        });
        cx.lit.extend(node);
    }

    /// Everything, one below the other. What is left of `room` is the body's, unless that is too
    /// little to read: then the panel scrolls.
    fn all(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, old: bool, room: f32) {
        let top = ui.cursor().top();
        self.header(ui, cx, old);
        errors::ui(ui, cx);
        let Some(model) = &self.model else {
            if cx.studio.planned.errors() == 0 {
                ui.weak(cx.tr(words::NOTHING));
            }
            return;
        };
        if model.plan.steps.is_empty() {
            ui.weak(cx.tr(words::NOTHING));
            return;
        }
        let wide = ui.available_width() > WIDE;
        let table = if wide { 0.0 } else { TABLE };
        let least = charts_least(model) + table + 2.0 * UNIT;
        let left = (room - (ui.cursor().top() - top)).floor();
        ui.scope(|ui| {
            if old || cx.studio.planned.plan.is_none() {
                ui.set_opacity(0.5);
            }
            self.body(ui, cx, left.max(least));
        });
    }

    fn renew(&mut self, cx: &Cx<'_>) {
        let Some(plan) = &cx.studio.planned.plan else {
            if cx.studio.session.project().nodes.is_empty() {
                self.model = None;
            }
            return;
        };
        let model = self.model.get_or_insert_with(|| Model::new(plan.clone()));
        model.renew(plan);
        model.measure(cx.studio);
        model.arrange(&self.view, cx.studio);
    }

    /// Whether the plan shown has not been the document's for a while: a short wait is not shown, so
    /// that nothing flickers while a person edits.
    fn is_old(&mut self, ui: &Ui, cx: &Cx<'_>) -> bool {
        let studio = cx.studio;
        if studio.planned.revision == studio.session.revision() {
            self.old_since = None;
            return false;
        }
        let now = ui.input(|it| it.time);
        let since = *self.old_since.get_or_insert(now);
        if now - since < PATIENCE {
            let left = std::time::Duration::from_secs_f64(PATIENCE - (now - since));
            ui.ctx().request_repaint_after(left);
        }
        now - since >= PATIENCE
    }

    fn header(&mut self, ui: &mut Ui, cx: &Cx<'_>, old: bool) {
        // Where there is no room for both, the sums have a line of their own.
        let narrow = ui.available_width() < WIDE;
        if narrow {
            self.sums(ui, cx);
        }
        ui.horizontal(|ui| {
            ui.set_min_height(ROW);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if self.model.is_some() {
                    self.controls(ui, cx);
                }
                if old {
                    ui.weak(cx.tr(words::COMPILING));
                }
                if !narrow {
                    ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                        self.sums(ui, cx);
                    });
                }
            });
        });
        let last = self.model.as_ref().and_then(|model| {
            let report = model.last_report(cx.studio)?;
            let values = [
                units::time(report.measured.seconds),
                units::time(report.plan.seconds),
                bytes(report.measured.peak_rss_bytes),
                bytes(report.plan.peak_host_bytes),
            ];
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            Some(words::LAST_RUN.with(cx.studio.language(), &values))
        });
        if let Some(last) = last {
            ui.add(egui::Label::new(egui::RichText::new(last).weak()).truncate());
        }
    }

    fn sums(&self, ui: &mut Ui, cx: &Cx<'_>) {
        if let Some(model) = &self.model {
            ui.add(egui::Label::new(summary(cx, model)).truncate());
        }
    }

    fn controls(&mut self, ui: &mut Ui, cx: &Cx<'_>) {
        for (along, text) in [
            (Along::Steps, words::BY_STEP),
            (Along::Time, words::BY_TIME),
        ] {
            ui.selectable_value(&mut self.along, along, cx.tr(text));
        }
        let filter = egui::TextEdit::singleline(&mut self.view.filter)
            .hint_text(cx.tr(words::FILTER))
            .desired_width(140.0);
        ui.add(filter);
    }

    fn body(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, height: f32) {
        let Some(model) = &self.model else { return };
        let place = ui.available_rect_before_wrap();
        let space = Rect::from_min_size(place.min, egui::vec2(place.width(), height));
        let (left, right) = if space.width() > WIDE {
            let at = space.left() + (space.width() * 0.54).floor();
            space.split_left_right_at_x(at)
        } else {
            let charts = charts_least(model).max(space.height() * 0.5);
            let (charts, table) = space.split_top_bottom_at_y(space.top() + charts);
            (table, charts)
        };
        let lit = self.lit;
        let mut hovered = None;
        ui.scope_builder(UiBuilder::new().max_rect(left.shrink(UNIT / 2.0)), |ui| {
            hovered = table::ui(ui, cx, model, &mut self.view, lit);
        });
        let right = right.shrink(UNIT);
        ui.scope_builder(UiBuilder::new().max_rect(right), |ui| {
            let found = charts(ui, cx, model, self.along, right, lit);
            hovered = hovered.or(found);
            if found.is_some() && ui.input(|it| it.pointer.primary_clicked()) {
                reveal(cx, model, found);
            }
        });
        ui.allocate_rect(space, Sense::hover());
        if self.lit != hovered {
            self.lit = hovered;
            ui.ctx().request_repaint();
        }
    }
}

fn reveal(cx: &mut Cx<'_>, model: &Model, at: Option<u32>) {
    let Some(at) = at else { return };
    let node = &model.plan.steps[at as usize].path.node;
    for action in way_to(&cx.studio.session, node) {
        cx.act(action);
    }
}

/// Height the charts need to be read.
fn charts_least(model: &Model) -> f32 {
    let lanes = model.lanes.len() as f32 * (LANE + 2.0);
    let memories = if model.gpu() { 2.0 } else { 1.0 };
    lanes + memories * (CAPTION + CHART + UNIT) + 3.0 * UNIT
}

fn charts(
    ui: &mut Ui,
    cx: &Cx<'_>,
    model: &Model,
    along: Along,
    rect: Rect,
    lit: Option<u32>,
) -> Option<u32> {
    let memories: &[Memory] = if model.gpu() {
        &[Memory::Device, Memory::Host]
    } else {
        &[Memory::Host]
    };
    let range = egui::Rangef::new((rect.left() + NAMES).round(), rect.right().round());
    let axis = Axis::new(model, along, range);
    let lanes = model.lanes.len() as f32 * (LANE + 2.0);
    let height = (rect.height() - lanes - UNIT) / memories.len() as f32;
    let mut hovered = None;
    for (n, memory) in memories.iter().enumerate() {
        let top = rect.top() + n as f32 * height;
        let part = Rect::from_x_y_ranges(rect.x_range(), top..=top + height - UNIT);
        let chart = Chart {
            model,
            memory: *memory,
            axis,
            lit,
        };
        hovered = hovered.or(chart.ui(ui, cx, part));
    }
    let part = Rect::from_x_y_ranges(rect.x_range(), rect.bottom() - lanes..=rect.bottom());
    hovered.or(lanes::ui(ui, cx, model, axis, part, lit))
}

/// `8 steps · 2 in the store · about 12 s · device 5.0 of 22 GiB · host …`.
fn summary(cx: &Cx<'_>, model: &Model) -> String {
    let language = cx.studio.language();
    let plan = &model.plan;
    let mut parts = vec![match plan.steps.len() {
        1 => cx.tr(words::STEP).to_owned(),
        n => words::STEPS.with(language, &[&n.to_string()]),
    }];
    let cached = plan.steps.iter().filter(|it| it.cached).count();
    if cached > 0 {
        parts.push(words::CACHED.with(language, &[&cached.to_string()]));
    }
    parts.push(words::ABOUT.with(language, &[&units::time(plan.seconds)]));
    let machine = &plan.machine;
    if model.gpu() {
        let values = [bytes(plan.peak_device_bytes), bytes(machine.device_budget)];
        parts.push(words::DEVICE_OF.with(language, &[&values[0], &values[1]]));
    }
    let values = [bytes(plan.peak_host_bytes), bytes(machine.host_budget)];
    parts.push(words::HOST_OF.with(language, &[&values[0], &values[1]]));
    parts.join(" · ")
}
