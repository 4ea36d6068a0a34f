//! Ended jobs: how they ended, what they made, and what can be done with them.

use egui::{Rect, Sense, Ui, UiBuilder};
use longtake_editor::queue::{Job, JobId, JobState, QueueAction};
use longtake_editor::reveal::way_to;
use longtake_editor::{Action, Language, WindowAction};
use longtake_graph::NodeId;
use longtake_plan::text::units;

use super::{paint, section, words};
use crate::Cx;
use crate::theme::{self, ROW, UNIT};

/// Height of a job, points: equal for all, so that only those in view are laid out.
const HEIGHT: f32 = 3.0 * ROW + 2.0 * UNIT;
/// Width of a thumbnail.
const THUMB: f32 = 84.0;
/// Thumbnails shown of a job.
const THUMBS: usize = 3;

/// Draws the ended jobs, if there are any. `compare`: the one chosen first for a comparison.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, compare: &mut Option<JobId>) {
    let studio = cx.studio;
    let ended = &studio.queue.ended;
    if ended.is_empty() {
        return;
    }
    let title = format!("{} ({})", cx.tr(words::ENDED), ended.len());
    if section(ui, &title, Some(cx.tr(words::CLEAR))) {
        cx.act(Action::Queue(QueueAction::ForgetAll));
    }
    if compare.is_some_and(|id| !ended.iter().any(|it| it.id == id)) {
        *compare = None;
    }
    let total = HEIGHT * ended.len() as f32;
    let (space, _) =
        ui.allocate_exact_size(egui::vec2(ui.available_width(), total), Sense::hover());
    let clip = ui.clip_rect();
    for (at, job) in ended.iter().enumerate() {
        let top = space.top() + at as f32 * HEIGHT;
        let rect = Rect::from_x_y_ranges(space.x_range(), top..=top + HEIGHT);
        if !rect.intersects(clip) {
            continue;
        }
        let builder = UiBuilder::new()
            .id_salt(("ended", job.id.0))
            .max_rect(rect.shrink2(egui::vec2(0.0, UNIT)));
        ui.scope_builder(builder, |ui| job_ui(ui, cx, job, compare));
        let stroke = egui::Stroke::new(1.0, theme::of(ui).edge.gamma_multiply(0.5));
        ui.painter().hline(rect.x_range(), rect.bottom(), stroke);
    }
}

fn job_ui(ui: &mut Ui, cx: &mut Cx<'_>, job: &Job, compare: &mut Option<JobId>) {
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        thumbnails(ui, cx, job);
        ui.vertical(|ui| {
            first_line(ui, cx, job);
            second_line(ui, cx, job);
            buttons(ui, cx, job, compare);
        });
    });
}

fn first_line(ui: &mut Ui, cx: &Cx<'_>, job: &Job) {
    let colours = theme::of(ui);
    let (state, colour) = match &job.state {
        JobState::Done(_) => (words::DONE, colours.good),
        JobState::Failed(..) => (words::FAILED, colours.bad),
        _ => (words::CANCELLED, colours.weak),
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
    let text = match seconds {
        0..60 => return Some(words::JUST_NOW.get(language).to_owned()),
        60..3600 => format!("{} min", seconds / 60),
        3600..86400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86400),
    };
    Some(words::AGO.with(language, &[&text]))
}

/// What went wrong, or the names of what was made.
fn second_line(ui: &mut Ui, cx: &mut Cx<'_>, job: &Job) {
    ui.horizontal(|ui| {
        ui.set_height(ROW);
        if let JobState::Failed(message, report) = &job.state {
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
            let text = egui::RichText::new(message).color(theme::of(ui).bad);
            ui.add(egui::Label::new(text).truncate())
                .on_hover_text(message);
            return;
        }
        let outputs = job
            .report()
            .map(|it| it.outputs.as_slice())
            .unwrap_or_default();
        let names = outputs.iter().filter_map(|it| it.path.file_name());
        let names: Vec<_> = names.map(|it| it.to_string_lossy()).collect();
        let text = egui::RichText::new(names.join(", ")).weak();
        ui.add(egui::Label::new(text).truncate());
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
        let first = job.report().and_then(|it| it.outputs.first());
        if let Some(output) = first {
            if ui.small_button(cx.tr(words::VIEW)).clicked() {
                cx.act(Action::Window(WindowAction::ViewFile {
                    path: output.path.clone(),
                    second: false,
                }));
            }
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
        _ => words::COMPARE,
    };
    let button = egui::Button::new(cx.tr(text)).small().selected(chosen);
    if !ui.add(button).clicked() {
        return;
    }
    *compare = match *compare {
        Some(other) if other != job.id => {
            cx.act(Action::Window(WindowAction::Compare(other, job.id)));
            None
        }
        Some(_) => None,
        None => Some(job.id),
    };
}

fn thumbnails(ui: &mut Ui, cx: &mut Cx<'_>, job: &Job) {
    let outputs = job
        .report()
        .map(|it| it.outputs.as_slice())
        .unwrap_or_default();
    let ctx = ui.ctx().clone();
    for output in outputs.iter().take(THUMBS) {
        let size = egui::vec2(THUMB, HEIGHT - 4.0 * UNIT);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let picture = cx.pictures.file(&ctx, &output.path, THUMB as u32 * 2);
        paint(ui, rect, &picture);
        let name = output.path.display().to_string();
        response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Image, true, &name));
        if response.clicked() {
            cx.act(Action::Window(WindowAction::ViewFile {
                path: output.path.clone(),
                second: false,
            }));
        }
        response.on_hover_text(name);
    }
}
