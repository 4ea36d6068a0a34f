//! The queue panel over the small machine.

#![allow(clippy::unwrap_used, reason = "in tests a panic is a failure")]

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use longtake_editor::queue::JobState;
use longtake_editor::{Settings, Studio, WindowAction, testing};
use longtake_graph::NodeId;
use longtake_run::report::{ErrorReport, OutputReport};
use longtake_run::{Failure, Report};

use super::*;
use crate::plan_view::testing::{World, film, harness, picture};

type Panel = Harness<'static, World<QueuePanel>>;

fn panel() -> Panel {
    let mut panel = harness([460.0, 560.0], QueuePanel::default(), QueuePanel::ui);
    panel.state_mut().studio.queue.paused = true;
    panel
}

fn titles(panel: &Panel) -> Vec<String> {
    let jobs = panel.state().studio.queue.waiting();
    jobs.map(|it| it.title.clone()).collect()
}

fn add(panel: &mut Panel, title: &str) {
    let studio = &mut panel.state_mut().studio;
    let project = studio.session.project().clone();
    studio.queue.add(title.to_owned(), project, None);
}

/// An ended job; one that failed says at which node.
fn ended(panel: &mut Panel, title: &str, fails: bool) {
    add(panel, title);
    let queue = &mut panel.state_mut().studio.queue;
    let mut job = queue.jobs.pop_back().unwrap();
    let mut report = Report::new(&film(3));
    report.measured.seconds = 92.0;
    job.state = if fails {
        report.error = Some(ErrorReport {
            node: Some("7".into()),
            class: Some("VAEDecode".into()),
            shot: None,
            kind: Failure::Failed,
            message: String::new(),
        });
        let message = "node 7 (VAEDecode), shot 02: the file is damaged; load it again".to_owned();
        JobState::Failed(message, Some(Arc::new(report)))
    } else {
        report.outputs = vec![OutputReport {
            node: "8".into(),
            path: format!("/nowhere/output/video/{title}_00001.mp4").into(),
        }];
        JobState::Done(Arc::new(report))
    };
    job.ended = Some(SystemTime::now() - Duration::from_secs(400));
    queue.ended.push_front(job);
}

#[test]
fn waiting_jobs_are_moved_by_buttons_and_by_hand() {
    let mut panel = panel();
    for title in ["one", "two", "three"] {
        add(&mut panel, title);
    }
    panel.run_steps(3);
    panel.get_all_by_label("Down").next().unwrap().click();
    panel.run_steps(3);
    assert_eq!(titles(&panel), ["two", "one", "three"]);
    picture(&mut panel, "queue-waiting");
    let from = panel.get_by_label("three").rect().center();
    let to = panel.get_by_label("two").rect().center() - egui::vec2(0.0, 10.0);
    panel.drag_at(from);
    panel.run_steps(2);
    panel.hover_at(to + egui::vec2(0.0, 30.0));
    panel.run_steps(2);
    panel.hover_at(to);
    panel.run_steps(2);
    picture(&mut panel, "queue-dragged");
    panel.drop_at(to);
    panel.run_steps(3);
    assert_eq!(titles(&panel), ["three", "two", "one"]);
    panel.get_all_by_label("Remove").next().unwrap().click();
    panel.run_steps(3);
    assert_eq!(titles(&panel), ["two", "one"]);
}

#[test]
fn ended_jobs_are_viewed_compared_tried_again_and_forgotten() {
    let mut panel = panel();
    ended(&mut panel, "first", false);
    ended(&mut panel, "second", false);
    ended(&mut panel, "broken", true);
    panel.run_steps(3);
    picture(&mut panel, "queue-ended");
    panel.get_by_label("Show node").click();
    panel.run_steps(2);
    let wishes = panel.state_mut().studio.window_wishes();
    assert_eq!(wishes, [WindowAction::Reveal(NodeId::new("7"))]);
    panel.get_all_by_label("View").next().unwrap().click();
    panel.run_steps(2);
    let wishes = panel.state_mut().studio.window_wishes();
    let path = "/nowhere/output/video/second_00001.mp4".into();
    assert_eq!(
        wishes,
        [WindowAction::ViewFile {
            path,
            second: false
        }]
    );
    panel.get_all_by_label("Compare").next().unwrap().click();
    panel.run_steps(2);
    panel.get_by_label("Compare with this").click();
    panel.run_steps(2);
    let ids: Vec<JobId> = panel
        .state()
        .studio
        .queue
        .ended
        .iter()
        .map(|it| it.id)
        .collect();
    let wishes = panel.state_mut().studio.window_wishes();
    assert_eq!(wishes, [WindowAction::Compare(ids[1], ids[2])]);
    panel.get_all_by_label("Retry").next().unwrap().click();
    panel.run_steps(2);
    assert_eq!(titles(&panel), ["broken"]);
    panel.get_all_by_label("Forget").next().unwrap().click();
    panel.run_steps(2);
    assert_eq!(panel.state().studio.queue.ended.len(), 2);
    panel.get_by_label("Clear").click();
    panel.run_steps(2);
    assert!(panel.state().studio.queue.ended.is_empty());
}

#[test]
fn two_hundred_jobs_are_not_all_laid_out() {
    let mut panel = panel();
    for n in 0..200 {
        ended(&mut panel, &n.to_string(), n % 3 == 0);
    }
    panel.run_steps(3);
    let laid_out = panel.get_all_by_label("Forget").count();
    assert!((3..20).contains(&laid_out), "{laid_out}");
}

#[test]
fn a_job_runs_is_held_and_stopped() {
    let mut panel = panel();
    let fake = testing::Fake {
        pause: Duration::from_millis(40),
        ..testing::Fake::default()
    };
    let settings = Settings {
        language: Some(longtake_editor::Language::En),
        ..Settings::default()
    };
    let state = panel.state_mut();
    state.studio = Studio::new(Arc::new(fake), settings, Arc::new(|| {}));
    state.studio.session = longtake_editor::Session::new(testing::small(), None);
    state.ticks = true;
    panel.run_steps(2);
    panel.get_by_label("Run").click();
    let begun = Instant::now();
    let sampling = |panel: &Panel| {
        let node = panel.state().studio.status.node(&NodeId::new("6"));
        node.is_some_and(|it| it.rate.is_some())
    };
    while !sampling(&panel) {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(5));
        panel.run_steps(1);
    }
    assert!(panel.query_by_label_contains("KSampler").is_some());
    assert!(panel.query_by_label_contains("left").is_some());
    picture(&mut panel, "queue-running");
    panel.get_by_label("Pause").click();
    panel.run_steps(3);
    assert!(panel.state().studio.queue.paused);
    assert!(panel.query_by_label("Resume").is_some());
    panel.get_by_label("Cancel").click();
    while panel.state().studio.queue.ended.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(5));
        panel.run_steps(1);
    }
    let job = &panel.state().studio.queue.ended[0];
    assert!(matches!(job.state, JobState::Cancelled));
}
