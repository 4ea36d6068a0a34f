//! The running job: how far it is, at what, how long yet.

use egui::{ProgressBar, Sense, Ui};
use longtake_plan::Plan;
use longtake_plan::text::units;

use super::{paint, words};
use crate::theme::{self, UNIT};
use crate::titles::Titles;
use crate::{Cx, Pictures};

/// Size of the preview, points.
const PREVIEW: egui::Vec2 = egui::vec2(112.0, 63.0);

/// Draws the running job, if there is one.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let Some(job) = cx.studio.queue.running() else {
        return;
    };
    let (title, plan) = (job.title.clone(), job.plan.clone());
    let colours = theme::of(ui);
    egui::Frame::NONE
        .fill(colours.head)
        .corner_radius(theme::RADIUS)
        .inner_margin(egui::Margin::same(2 * UNIT as i8))
        .show(ui, |ui| {
            ui.horizontal_top(|ui| {
                preview(ui, cx, plan.as_deref());
                ui.vertical(|ui| {
                    ui.add(egui::Label::new(egui::RichText::new(title).strong()).truncate());
                    facts(ui, cx, plan.as_deref());
                });
            });
        });
}

fn preview(ui: &mut Ui, cx: &mut Cx<'_>, plan: Option<&Plan>) {
    let (rect, _) = ui.allocate_exact_size(PREVIEW, Sense::hover());
    let step = plan.zip(cx.studio.status.current());
    let node = step.and_then(|(plan, id)| Some(plan.steps.get(id.0 as usize)?.path.node.clone()));
    let picture = match node {
        Some(node) => Pictures::preview(cx, &ui.ctx().clone(), &node),
        None => crate::pictures::Picture::None,
    };
    paint(ui, cx, rect, &picture);
}

fn facts(ui: &mut Ui, cx: &Cx<'_>, plan: Option<&Plan>) {
    let (status, language) = (&cx.studio.status, cx.studio.language());
    let fraction = plan.map_or(0.0, |plan| status.fraction(plan));
    let (done, all) = status.steps;
    let percent = format!("{:.0} %", fraction * 100.0);
    let bar = ProgressBar::new(fraction as f32)
        .desired_height(14.0)
        .fill(theme::of(ui).accent)
        .text(egui::RichText::new(percent).size(11.0));
    ui.add(bar);
    let Some(plan) = plan else {
        ui.weak(cx.tr(words::PREPARING));
        return;
    };
    ui.add(egui::Label::new(now(cx, plan)).truncate());
    let step = (done + 1).min(all).to_string();
    let mut parts = vec![words::OF_STEPS.with(language, &[&step, &all.to_string()])];
    parts.push(units::time(status.seconds()));
    if let Some(left) = status.eta(plan) {
        parts.push(words::LEFT.with(language, &[&units::time(left)]));
    }
    let text = egui::RichText::new(parts.join(" · ")).weak();
    ui.add(egui::Label::new(text).truncate());
    // The time left counts down by itself.
    if !cx.studio.queue.paused {
        let second = std::time::Duration::from_secs(1);
        ui.ctx().request_repaint_after(second);
    }
}

/// What is done at this moment: `KSampler [03] · 12/20 step · 2.1 step/s`.
fn now(cx: &Cx<'_>, plan: &Plan) -> String {
    let status = &cx.studio.status;
    if let Some((name, fraction)) = &status.loading {
        let percent = format!("{:.0}", fraction * 100.0);
        return words::LOADING.with(cx.studio.language(), &[name, &percent]);
    }
    let current = status.current();
    let Some(step) = current.and_then(|id| plan.steps.get(id.0 as usize)) else {
        return " ".to_owned();
    };
    let mut parts = vec![Titles::new(cx.studio).of(&step.path.node)];
    if let Some((_, shot)) = &step.path.shot {
        parts[0] = format!("{} [{shot}]", parts[0]);
    }
    let node = status.node_of_run(&step.path.node);
    if let Some((node, (done, all, unit))) = node.and_then(|it| Some((it, it.progress?))) {
        let unit = crate::units::unit(unit, cx.studio.language());
        parts.push(format!("{done}/{all} {unit}"));
        parts.extend(node.rate.map(|rate| {
            if rate >= 1.0 {
                format!("{rate:.1} {unit}/s")
            } else {
                format!("{:.1} s/{unit}", 1.0 / rate)
            }
        }));
    }
    parts.join(" · ")
}
