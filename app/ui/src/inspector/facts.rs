//! What is known of a node: findings with fixes, state, prediction, result.

use egui::{RichText, Ui, Vec2};
use longtake_editor::shape::{InputShape, Shape};
use longtake_editor::status::{NodeStatus, State};
use longtake_editor::{Action, Text, ViewerAction, t};
use longtake_graph::{Diagnostic, Edit, Input, InputType, NodeId, near};
use serde_json::Value;

use super::parts;
use crate::pictures::Picture;
use crate::theme::{self, UNIT};
use crate::widgets::{names, shots};
use crate::{Cx, Pictures};

const FINDINGS: Text = t("Findings", "問題点");
const USE: Text = t("Use {}", "{} を使う");
const FIX: Text = t("Use the near name", "近い名前を使う");
const STATE: Text = t("Run", "実行");
const PLAN: Text = t("Prediction", "予測");
const RESULT: Text = t("Result", "結果");
const VIEW: Text = t("View", "見る");
const COMPARE: Text = t("View as B", "Bとして見る");
const FRAMES: Text = t("{} frames", "{} フレーム");
const TIME: Text = t("Time", "時間");
const MEMORY: Text = t("Memory", "メモリ");
const STEPS: Text = t("Steps", "手順");
const CACHED: Text = t("{} of {} stored already", "{} / {} は保存済み");
const IDLE: Text = t("Idle", "待機");
const QUEUED: Text = t("Queued", "順番待ち");
const RUNNING: Text = t("Running", "実行中");
const STORED: Text = t("Stored already", "保存済み");
const DONE: Text = t("Done", "完了");
const FAILED: Text = t("Failed", "失敗");
const SKIPPED: Text = t("Skipped", "省略");

/// The node's findings, each with what would mend it where that is known.
pub fn findings_ui(ui: &mut Ui, cx: &mut Cx<'_>, id: &NodeId, shape: &Shape) {
    let flat = cx.studio.session.flat_id(id);
    let studio = cx.studio;
    let found: Vec<&Diagnostic> = studio.planned.findings(&flat).collect();
    if found.is_empty() {
        return;
    }
    parts::section(ui, cx.tr(FINDINGS));
    for finding in found {
        let place = finding.place.input.clone();
        parts::finding_ui(ui, cx, finding, place.as_deref());
        let input = place.and_then(|name| Some(&shape.inputs[shape.input_index(&name)?]));
        if let Some(input) = input {
            fixes_ui(ui, cx, id, input);
        }
    }
}

/// Near names, for a name that is not there.
fn fixes_ui(ui: &mut Ui, cx: &mut Cx<'_>, id: &NodeId, input: &InputShape) {
    let written = cx.studio.session.graph().nodes.get(id);
    let written = written.and_then(|node| node.inputs.get(&input.name));
    let Some(Input::Literal(Value::String(now))) = written else {
        return;
    };
    let listed = match input.decl.map(|it| it.ty) {
        Some(InputType::Model { folder }) => names::models(ui.ctx(), cx, folder).to_vec(),
        Some(InputType::File { what }) => names::files(ui.ctx(), cx, what).to_vec(),
        Some(InputType::Choice { options, .. }) => {
            options.iter().map(|it| (*it).to_owned()).collect()
        }
        _ => return,
    };
    if listed.contains(now) {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        for name in near::near(now, listed.iter().map(String::as_str)) {
            let text = USE.with(cx.studio.language(), &[name]);
            if ui.button(text).clicked() {
                let edit = Edit::SetInput {
                    node: id.clone(),
                    input: input.name.clone(),
                    value: Some(Input::Literal(Value::from(name))),
                };
                cx.act(Action::Edit(FIX, edit));
            }
        }
    });
}

/// State, prediction and result.
pub fn facts_ui(ui: &mut Ui, cx: &mut Cx<'_>, id: &NodeId) {
    let flat = cx.studio.session.flat_id(id);
    let studio = cx.studio;
    if let Some(status) = studio.status.node(&flat) {
        parts::section(ui, cx.tr(STATE));
        status_ui(ui, cx, status);
    }
    plan_ui(ui, cx, &flat);
    result_ui(ui, cx, &flat);
}

fn status_ui(ui: &mut Ui, cx: &Cx<'_>, status: &NodeStatus) {
    let (colours, language) = (theme::of(ui), cx.studio.language());
    let (text, colour) = match &status.state {
        State::Idle => (IDLE, colours.weak),
        State::Queued => (QUEUED, colours.weak),
        State::Running => (RUNNING, colours.accent),
        State::Cached => (STORED, colours.good),
        State::Done => (DONE, colours.good),
        State::Failed(_) => (FAILED, colours.bad),
        State::Skipped => (SKIPPED, colours.weak),
    };
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(cx.tr(text)).color(colour));
        if status.steps > 1 {
            ui.weak(format!("{} / {}", status.over, status.steps));
        }
        if let Some((done, total, unit)) = status.progress {
            let unit = crate::units::unit(unit, language);
            ui.weak(format!("{unit} {done} / {total}"));
        }
        if let Some(rate) = status.rate {
            ui.weak(format!("{rate:.2} it/s"));
        }
        if status.seconds > 0.0 {
            ui.weak(shots::clock(status.seconds));
        }
    });
    if let Some((done, total, _)) = status.progress {
        let part = done as f32 / total.max(1) as f32;
        ui.add(egui::ProgressBar::new(part).desired_height(UNIT));
    }
    if let State::Failed(message) = &status.state {
        let message = language.sentence(message);
        ui.add(egui::Label::new(RichText::new(message).color(colours.bad)).wrap());
    }
    for note in &status.notes {
        let note = language.sentence(note);
        ui.add(egui::Label::new(RichText::new(note).color(colours.weak)).wrap());
    }
}

/// What the plan says of the steps a node becomes, those inside a subgraph too.
fn plan_ui(ui: &mut Ui, cx: &Cx<'_>, flat: &NodeId) {
    let Some(plan) = &cx.studio.planned.plan else {
        return;
    };
    let of_node = |id: &NodeId| {
        let rest = id.as_str().strip_prefix(flat.as_str());
        rest.is_some_and(|it| it.is_empty() || it.starts_with(':'))
    };
    let steps: Vec<_> = plan
        .steps
        .iter()
        .filter(|it| of_node(&it.path.node))
        .collect();
    if steps.is_empty() {
        return;
    }
    parts::section(ui, cx.tr(PLAN));
    let seconds: f64 = steps
        .iter()
        .filter(|it| !it.cached)
        .map(|it| it.seconds)
        .sum();
    let most = steps.iter().map(|it| it.device_bytes).max().unwrap_or(0);
    let cached = steps.iter().filter(|it| it.cached).count();
    parts::fact(ui, cx.tr(TIME), &shots::clock(seconds));
    parts::fact(ui, cx.tr(MEMORY), &theme::bytes(most));
    if steps.len() > 1 {
        parts::fact(ui, cx.tr(STEPS), &steps.len().to_string());
    }
    if cached > 0 {
        let counts = [cached.to_string(), steps.len().to_string()];
        ui.weak(CACHED.with(cx.studio.language(), &[&counts[0], &counts[1]]));
    }
}

fn result_ui(ui: &mut Ui, cx: &mut Cx<'_>, flat: &NodeId) {
    let ctx = ui.ctx().clone();
    let (picture, frames) = Pictures::result(cx, &ctx, flat, 0, 512);
    match picture {
        Picture::None => return,
        Picture::Loading => {
            parts::section(ui, cx.tr(RESULT));
            ui.spinner();
            return;
        }
        Picture::Failed(why) => {
            parts::section(ui, cx.tr(RESULT));
            let bad = theme::of(ui).bad;
            let why = cx.studio.language().sentence(&why);
            ui.add(egui::Label::new(RichText::new(why).color(bad)).wrap());
            return;
        }
        Picture::Ready { texture, size } => {
            parts::section(ui, cx.tr(RESULT));
            let width = ui.available_width().min(80.0 * UNIT);
            let [across, down] = size.map(|it| it.max(1) as f32);
            let size = Vec2::new(width, width * down / across);
            let image = egui::Image::new((texture.id(), size)).corner_radius(theme::RADIUS);
            let image = image.sense(egui::Sense::click());
            if ui.add(image).on_hover_text(cx.tr(VIEW)).clicked() {
                view(cx, flat, false);
            }
        }
    }
    ui.horizontal(|ui| {
        if ui.button(cx.tr(VIEW)).clicked() {
            view(cx, flat, false);
        }
        if ui.button(cx.tr(COMPARE)).clicked() {
            view(cx, flat, true);
        }
        if frames > 1 {
            ui.weak(FRAMES.with(cx.studio.language(), &[&frames.to_string()]));
        }
    });
}

fn view(cx: &mut Cx<'_>, flat: &NodeId, second: bool) {
    cx.act(
        ViewerAction::Node {
            node: flat.clone(),
            second,
        }
        .into(),
    );
}
