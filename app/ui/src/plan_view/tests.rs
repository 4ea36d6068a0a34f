//! The plan view driven by mouse and keys, and what it is drawn from.

#![allow(clippy::unwrap_used, reason = "in tests a panic is a failure")]

use std::sync::Arc;
use std::time::SystemTime;

use egui::Rangef;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use longtake_editor::queue::JobState;
use longtake_editor::{Action, CanvasAction, Command, Studio, WindowAction, testing};
use longtake_graph::{Diagnostic, NodeId, Place, Subgraph, say};
use longtake_run::Report;
use longtake_run::report::Status;

use super::axis::{Along, Axis};
use super::model::{Column, Model, View};
use super::testing::{World, film, harness, picture, show};
use super::*;
use crate::titles::Titles;

type Panel = Harness<'static, World<PlanView>>;

fn panel(size: [f32; 2]) -> Panel {
    harness(size, PlanView::default(), PlanView::ui)
}

fn studio(panel: &mut Panel) -> &mut Studio {
    &mut panel.state_mut().studio
}

/// Labels of the rows, from the top.
fn rows(panel: &Panel) -> Vec<String> {
    let found = panel.query_all_by_role(Role::Button);
    let mut rows: Vec<(f32, String)> = found
        .filter_map(|it| Some((it.rect().top(), it.accesskit_node().label()?)))
        .filter(|(_, text)| text.starts_with(|it: char| it.is_ascii_digit()))
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    rows.into_iter().map(|it| it.1).collect()
}

/// A job that ran this plan, with everything taking twice as long and half as much.
fn ran(studio: &mut Studio) {
    let plan = studio.planned.plan.clone().unwrap();
    let mut report = Report::new(&plan);
    for step in &mut report.steps {
        step.status = Status::Done;
        step.seconds = step.predicted_seconds * 2.0;
        step.measured_bytes = step.predicted_bytes / 8;
    }
    report.measured.seconds = report.plan.seconds * 2.0;
    report.measured.peak_rss_bytes = 3 << 30;
    let project = studio.session.project().clone();
    studio.queue.paused = true;
    studio.queue.add("film".into(), project, None);
    let mut job = studio.queue.jobs.pop_front().unwrap();
    job.state = JobState::Done(Arc::new(report));
    job.ended = Some(SystemTime::now());
    studio.queue.ended.push_front(job);
}

#[test]
fn rows_are_sorted_and_lead_to_their_nodes() {
    let mut panel = panel([1300.0, 420.0]);
    show(studio(&mut panel), film(4));
    panel.run_steps(3);
    assert_eq!(
        rows(&panel)[..2],
        ["1 CLIP text encode (prompt)", "2 CLIP text encode (prompt)"]
    );
    panel.get_by_role_and_label(Role::Button, "Time").click();
    panel.run_steps(3);
    panel.get_by_role_and_label(Role::Button, "Time").click();
    panel.run_steps(3);
    assert_eq!(rows(&panel)[0], "7 KSampler", "the longest first");
    picture(&mut panel, "plan-sorted");
    panel.get_by_label("7 KSampler").click();
    panel.run_steps(2);
    let wishes = studio(&mut panel).window_wishes();
    assert_eq!(
        wishes,
        [WindowAction::Canvas(CanvasAction::Reveal(NodeId::new("6")))]
    );
    panel.get_by_label("7 KSampler").hover();
    panel.run_steps(2);
    assert!(panel.state().lit.contains(&NodeId::new("6")));
    picture(&mut panel, "plan-hover");
}

#[test]
fn a_filter_finds_nodes_shots_and_ways() {
    let mut panel = panel([1300.0, 420.0]);
    show(studio(&mut panel), film(4));
    for (text, found) in [("ksampler", 4), ("TILED", 2), ("[03]", 4), ("nothing", 0)] {
        panel.state_mut().panel.view.filter = text.to_owned();
        panel.run_steps(2);
        assert_eq!(rows(&panel).len(), found, "{text}");
    }
    assert!(panel.query_by_label("No step matches.").is_some());
}

#[test]
fn of_ten_thousand_steps_few_are_laid_out() {
    let mut panel = panel([1300.0, 420.0]);
    show(studio(&mut panel), film(2500));
    panel.run_steps(3);
    let shown = rows(&panel).len();
    assert!((8..40).contains(&shown), "{shown} rows");
    picture(&mut panel, "plan-large");
}

#[test]
fn what_was_measured_stands_beside_the_prediction() {
    let mut panel = panel([1500.0, 420.0]);
    show(studio(&mut panel), film(6));
    panel.run_steps(2);
    assert!(panel.query_by_label("Took").is_none(), "nothing ran yet");
    ran(studio(&mut panel));
    panel.run_steps(3);
    assert!(panel.query_by_label("Took").is_some());
    assert!(panel.query_by_label_contains("Last run:").is_some());
    picture(&mut panel, "plan-measured");
    let model = panel.state().panel.model.as_ref().unwrap();
    let measured = model.measured(&model.plan.steps[0]).unwrap();
    assert!((measured.ratio().unwrap() - 2.0).abs() < 1e-9);
}

#[test]
fn errors_are_listed_and_the_last_plan_stays() {
    let mut panel = panel([1300.0, 420.0]);
    show(studio(&mut panel), film(4));
    panel.run_steps(2);
    let place = Place::node(&NodeId::new("7"), "VAEDecode").input("samples");
    let message = say!(
        "Nothing is linked to `samples`.",
        "「samples」に何もリンクされていません。"
    );
    let error = Diagnostic::error("missing", place, message);
    let studio = studio(&mut panel);
    studio.planned.plan = None;
    studio.planned.diagnostics = Arc::new(vec![error]);
    panel.run_steps(3);
    assert!(
        panel
            .query_by_label("1 to mend before this can run")
            .is_some()
    );
    assert!(!rows(&panel).is_empty(), "the last plan stays");
    picture(&mut panel, "plan-errors");
    panel.get_by_label_contains("Nothing is linked").click();
    panel.run_steps(2);
    let wishes = panel.state_mut().studio.window_wishes();
    assert_eq!(
        wishes,
        [WindowAction::Canvas(CanvasAction::Reveal(NodeId::new("7")))]
    );
}

#[test]
fn a_short_wait_for_the_compiler_is_not_shown() {
    let mut panel = panel([1300.0, 420.0]);
    show(studio(&mut panel), film(4));
    panel.run_steps(2);
    let studio = studio(&mut panel);
    studio.act(Action::Command(Command::SelectAll));
    studio.act(Action::Command(Command::Mute));
    assert_ne!(studio.planned.revision, studio.session.revision());
    panel.run_steps(1);
    assert!(panel.query_by_label("compiling…").is_none());
    panel.run_steps(10);
    assert!(panel.query_by_label("compiling…").is_some());
    assert!(!rows(&panel).is_empty());
}

#[test]
fn a_narrow_panel_and_an_empty_one() {
    let mut narrow = panel([380.0, 640.0]);
    narrow.run_steps(2);
    assert!(
        narrow
            .query_by_label_contains("before anything runs")
            .is_some()
    );
    show(studio(&mut narrow), film(4));
    narrow.run_steps(3);
    assert!(!rows(&narrow).is_empty());
    picture(&mut narrow, "plan-narrow");
}

#[test]
fn in_a_low_panel_the_charts_stay_readable_and_the_panel_scrolls() {
    for (size, name) in [
        ([1300.0, 150.0], "plan-low"),
        ([600.0, 150.0], "plan-low-narrow"),
    ] {
        let mut low = panel(size);
        show(studio(&mut low), film(4));
        low.run_steps(3);
        picture(&mut low, name);
        let charts = |panel: &Panel| {
            let labels = ["Device memory", "Host memory"];
            labels.map(|it| panel.get_by_label(it).rect())
        };
        let before = charts(&low);
        for chart in before {
            assert!(chart.height() >= CAPTION + CHART, "{name}: {chart}");
        }
        assert!(before[1].bottom() > size[1], "{name}: {}", before[1]);
        low.hover_at(egui::pos2(size[0] - 60.0, 130.0));
        low.run_steps(1);
        for _ in 0..30 {
            low.event(egui::Event::MouseWheel {
                unit: egui::MouseWheelUnit::Point,
                delta: egui::vec2(0.0, -60.0),
                phase: egui::TouchPhase::Move,
                modifiers: egui::Modifiers::NONE,
            });
            low.run_steps(2);
        }
        low.run_steps(20);
        let after = charts(&low);
        assert!(after[1].bottom() <= size[1], "{name}: {}", after[1]);
        picture(&mut low, &format!("{name}-scrolled"));
    }
}

#[test]
fn hovering_a_chart_lights_the_step() {
    let mut panel = panel([1300.0, 420.0]);
    show(studio(&mut panel), film(4));
    panel.run_steps(2);
    // The samplers fill most of the time.
    panel.hover_at(egui::pos2(980.0, 150.0));
    panel.run_steps(40);
    assert!(
        panel.state().lit.contains(&NodeId::new("6")),
        "{:?}",
        panel.state().lit
    );
    picture(&mut panel, "plan-chart-hover");
}

#[test]
fn columns_of_a_chart_hold_the_step_that_weighs_most() {
    let model = Model::new(Arc::new(film(2500)));
    let axis = Axis::new(&model, Along::Steps, Rangef::new(10.0, 110.0));
    let runs = axis.runs(&model, |at| Memory::Device.of(&model, at), true);
    assert!(runs.len() <= 100);
    // Seamless from end to end, and the peak is among them.
    assert!(runs.windows(2).all(|it| it[0].end == it[1].begin));
    assert_eq!((runs[0].begin, runs[runs.len() - 1].end), (0.0, 100.0));
    let most = runs
        .iter()
        .filter_map(|it| Memory::Device.of(&model, it.step))
        .max();
    assert_eq!(most, Some(model.plan.peak_device_bytes));
    // The last quarter runs on the processor: the device keeps what it had.
    assert!(runs[runs.len() - 1].idle);
}

#[test]
fn sorting_by_every_column() {
    let mut studio = testing::studio(testing::small());
    show(&mut studio, film(5));
    ran(&mut studio);
    let mut model = Model::new(studio.planned.plan.clone().unwrap());
    model.measure(&studio);
    for column in [
        Column::Node,
        Column::Shot,
        Column::Lane,
        Column::Way,
        Column::Seconds,
        Column::Measured,
        Column::Ratio,
        Column::Device,
        Column::Host,
        Column::MeasuredHost,
    ] {
        let mut view = View {
            column,
            ..View::default()
        };
        model.arrange(&view, &studio);
        let up = model.rows.clone();
        view.down = true;
        model.arrange(&view, &studio);
        model.rows.reverse();
        assert_eq!(model.rows, up, "{column:?}");
        model.rows.sort_unstable();
        assert_eq!(model.rows, (0..20).collect::<Vec<_>>(), "{column:?}");
    }
}

#[test]
fn titles_name_the_instances_around() {
    let mut project = testing::small();
    let inner = Subgraph {
        graph: testing::small(),
        ..Subgraph::default()
    };
    project.subgraphs.insert("Soften".into(), inner);
    let mut instance = testing::node("Soften", [0.0; 2], &[]);
    instance.title = Some("Softer".into());
    project.nodes.insert(NodeId::new("12"), instance);
    let studio = testing::studio(project);
    let title = |id: &str| Titles::new(&studio).of(&NodeId::new(id));
    assert_eq!(title("6"), "KSampler");
    assert_eq!(title("12:7"), "Softer › VAE decode");
    assert_eq!(title("12:99"), "Softer › 99");
    assert_eq!(title("99"), "99");
}
