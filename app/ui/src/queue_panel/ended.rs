//! Ended jobs: how they ended, what they made, and what can be done with them.

use std::collections::HashSet;

use egui::{Rect, Sense, Ui, UiBuilder};
use longtake_editor::queue::{Job, JobId, JobState, QueueAction};
use longtake_editor::reveal::way_to;
use longtake_editor::{Action, Language, ViewerAction};
use longtake_graph::NodeId;
use longtake_plan::text::units;

use super::{outputs, paint, section, words};
use crate::Cx;
use crate::theme::{self, ROW, UNIT};

/// Width of a thumbnail.
const THUMB: f32 = 84.0;
/// Thumbnails shown of a job.
const THUMBS: usize = 3;

/// What a person did with the list.
#[derive(Default)]
pub struct Chosen {
    /// The job chosen first for a comparison.
    compare: Option<JobId>,
    /// Jobs of which every file is listed.
    all: HashSet<JobId>,
}

/// Rows between a job's first line and its buttons.
fn middle(job: &Job, all: bool) -> usize {
    let failed = usize::from(matches!(job.state, JobState::Failed(..)));
    (failed + outputs::rows(job, all)).max(1)
}

/// How high a job is drawn, points: known without layout, so that only those in view are laid out.
fn height(job: &Job, all: bool) -> f32 {
    (2 + middle(job, all)) as f32 * ROW + 2.0 * UNIT
}

/// Draws the ended jobs, if there are any.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, chosen: &mut Chosen) {
    let studio = cx.studio;
    let ended = &studio.queue.ended;
    if ended.is_empty() {
        return;
    }
    let title = format!("{} ({})", cx.tr(words::ENDED), ended.len());
    if section(ui, &title, Some(cx.tr(words::CLEAR))) {
        cx.act(Action::Queue(QueueAction::ForgetAll));
    }
    let known = |id: &JobId| ended.iter().any(|it| it.id == *id);
    chosen.compare = chosen.compare.filter(known);
    if chosen.all.len() > ended.len() {
        chosen.all.retain(known);
    }
    let heights = ended
        .iter()
        .map(|it| height(it, chosen.all.contains(&it.id)));
    let heights: Vec<f32> = heights.collect();
    let total = egui::vec2(ui.available_width(), heights.iter().sum());
    let (space, _) = ui.allocate_exact_size(total, Sense::hover());
    let clip = ui.clip_rect();
    let mut top = space.top();
    for (job, height) in ended.iter().zip(heights) {
        let rect = Rect::from_x_y_ranges(space.x_range(), top..=top + height);
        top += height;
        if !rect.intersects(clip) {
            continue;
        }
        let builder = UiBuilder::new()
            .id_salt(("ended", job.id.0))
            .max_rect(rect.shrink2(egui::vec2(0.0, UNIT)));
        ui.scope_builder(builder, |ui| job_ui(ui, cx, job, chosen));
        let stroke = egui::Stroke::new(1.0, theme::of(ui).edge.gamma_multiply(0.5));
        ui.painter().hline(rect.x_range(), rect.bottom(), stroke);
    }
}

fn job_ui(ui: &mut Ui, cx: &mut Cx<'_>, job: &Job, chosen: &mut Chosen) {
    let all = chosen.all.contains(&job.id);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        thumbnails(ui, cx, job);
        ui.vertical(|ui| {
            first_line(ui, cx, job);
            failure(ui, cx, job);
            if outputs::ui(ui, cx, job, all) {
                chosen.all.insert(job.id);
            }
            if outputs::rows(job, all) == 0 && !matches!(job.state, JobState::Failed(..)) {
                ui.horizontal(|ui| {
                    ui.set_height(ROW);
                    ui.weak(cx.tr(words::NO_FILES));
                });
            }
            buttons(ui, cx, job, &mut chosen.compare);
        });
    });
}

fn first_line(ui: &mut Ui, cx: &Cx<'_>, job: &Job) {
    let colours = theme::of(ui);
    let (state, colour) = match &job.state {
        JobState::Done(_) => (words::DONE, colours.good),
        JobState::Failed(..) => (words::FAILED, colours.bad),
        JobState::Cancelled(_) | JobState::Waiting | JobState::Running => {
            (words::CANCELLED, colours.weak)
        }
    };
    let mut facts = vec![cx.tr(state).to_owned()];
    facts.extend(took(cx, job));
    facts.extend(job.ended.and_then(|it| ago(it, cx.studio.language())));
    ui.horizontal(|ui| {
        ui.set_height(ROW);
        let (dot, _) = ui.allocate_exact_size(egui::Vec2::splat(8.0), Sense::hover());
        ui.painter().circle_filled(dot.center(), 4.0, colour);
        ui.strong(&job.title);
        let facts = egui::RichText::new(facts.join(" · ")).weak();
        ui.add(egui::Label::new(facts).truncate());
    });
}

/// How long it took, beside what was predicted.
fn took(cx: &Cx<'_>, job: &Job) -> Option<String> {
    if let Some(report) = job.report() {
        let (took, predicted) = (report.measured.seconds, report.plan.seconds);
        let values = [units::time(took), units::time(predicted)];
        return Some(words::TOOK.with(cx.studio.language(), &[&values[0], &values[1]]));
    }
    let took = job.ended?.duration_since(job.began?).ok()?;
    Some(units::time(took.as_secs_f64()))
}

/// How long since, in words; exact enough to tell jobs apart.
fn ago(then: std::time::SystemTime, language: Language) -> Option<String> {
    let seconds = then.elapsed().ok()?.as_secs();
    let (text, count) = match seconds {
        0..60 => return Some(words::JUST_NOW.get(language).to_owned()),
        60..3600 => (words::MINUTES_AGO, seconds / 60),
        3600..86400 => (words::HOURS_AGO, seconds / 3600),
        86400.. => (words::DAYS_AGO, seconds / 86400),
    };
    Some(text.with(language, &[&count.to_string()]))
}

/// What went wrong, if anything did.
fn failure(ui: &mut Ui, cx: &mut Cx<'_>, job: &Job) {
    let JobState::Failed(message, report) = &job.state else {
        return;
    };
    ui.horizontal(|ui| {
        ui.set_height(ROW);
        let node = report
            .as_ref()
            .and_then(|it| it.error.as_ref()?.node.clone());
        if let Some(node) = node
            && ui.small_button(cx.tr(words::SHOW_NODE)).clicked()
        {
            for action in way_to(&cx.studio.session, &NodeId::new(node)) {
                cx.act(action);
            }
        }
        let message = cx.studio.language().sentence(message);
        let text = egui::RichText::new(message).color(theme::of(ui).bad);
        ui.add(egui::Label::new(text).truncate())
            .on_hover_text(message);
    });
}

fn buttons(ui: &mut Ui, cx: &mut Cx<'_>, job: &Job, compare: &mut Option<JobId>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = UNIT;
        if ui.small_button(cx.tr(words::RETRY)).clicked() {
            cx.act(Action::Queue(QueueAction::Retry(job.id)));
        }
        let open = ui.small_button(cx.tr(words::REOPEN));
        if open.on_hover_text(cx.tr(words::REOPEN_HELP)).clicked() {
            cx.act(Action::Queue(QueueAction::Reopen(job.id)));
        }
        if outputs::paths(job).next().is_some() {
            compare_button(ui, cx, job, compare);
        }
        if ui.small_button(cx.tr(words::FORGET)).clicked() {
            cx.act(Action::Queue(QueueAction::Forget(job.id)));
        }
    });
}

/// The first click chooses a job, the second, at another, compares both.
fn compare_button(ui: &mut Ui, cx: &mut Cx<'_>, job: &Job, compare: &mut Option<JobId>) {
    let chosen = *compare == Some(job.id);
    let text = match compare {
        Some(other) if *other != job.id => words::COMPARE_WITH,
        Some(_) | None => words::COMPARE,
    };
    let button = egui::Button::new(cx.tr(text)).small().selected(chosen);
    if !ui.add(button).clicked() {
        return;
    }
    *compare = match *compare {
        Some(other) if other != job.id => {
            cx.act(ViewerAction::Jobs(other, job.id).into());
            None
        }
        Some(_) => None,
        None => Some(job.id),
    };
}

fn thumbnails(ui: &mut Ui, cx: &mut Cx<'_>, job: &Job) {
    let ctx = ui.ctx().clone();
    for path in outputs::paths(job).take(THUMBS) {
        let size = egui::vec2(THUMB, 3.0 * ROW - 2.0 * UNIT);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let (picture, _) = cx.pictures.file_with_facts(&ctx, path, outputs::SIDE);
        paint(ui, cx, rect, &picture);
        let name = path.display().to_string();
        response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Image, true, &name));
        if response.clicked() {
            let (path, second) = (path.to_owned(), false);
            cx.act(ViewerAction::File { path, second }.into());
        }
        response.on_hover_text(name);
    }
}
