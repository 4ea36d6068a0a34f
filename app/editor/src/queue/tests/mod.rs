//! The queue's rules, its files, and a program killed in the middle of a job.

#![allow(clippy::unwrap_used, reason = "in tests a panic is a failure")]

mod disk;

use std::fs;
use std::time::{Duration, Instant};

use super::*;
use crate::selection::{Item, Selection};
use crate::testing::{Fake, small};
use crate::{Action, CanvasAction, Command, Settings, Studio, WindowAction};

fn engine(pause: u64) -> Arc<Fake> {
    Arc::new(Fake {
        pause: Duration::from_millis(pause),
        ..Fake::default()
    })
}

fn studio_with(engine: Arc<Fake>) -> Studio {
    let settings = Settings {
        language: Some(crate::Language::En),
        ..Settings::default()
    };
    let mut studio = Studio::new(engine, settings, Arc::new(|| {}));
    studio.session = crate::Session::new(small(), None);
    studio
}

/// Ticks until it holds.
fn until(studio: &mut Studio, what: &str, holds: impl Fn(&Studio) -> bool) {
    let begun = Instant::now();
    while !holds(studio) {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "waiting for {what}"
        );
        std::thread::sleep(Duration::from_millis(2));
        studio.tick();
    }
}

fn titles<'a>(jobs: impl IntoIterator<Item = &'a Job>) -> Vec<&'a str> {
    jobs.into_iter().map(|it| it.title.as_str()).collect()
}

fn add(queue: &mut Queue, title: &str) -> JobId {
    queue.add(title.to_owned(), Arc::new(small()), None)
}

fn said(studio: &Studio) -> String {
    let texts = studio.messages.list.iter().map(|it| it.text.clone());
    texts.collect::<Vec<_>>().join("\n")
}

#[test]
fn runs_one_after_the_other_and_keeps_what_became_of_them() {
    let mut studio = studio_with(engine(0));
    studio.act(Action::Command(Command::Run));
    until(&mut studio, "the first", |it| it.queue.ended.len() == 1);
    add(&mut studio.queue, "second");
    until(&mut studio, "the second", |it| it.queue.ended.len() == 2);
    assert_eq!(titles(&studio.queue.ended), ["second", "Small"]);
    let job = &studio.queue.ended[0];
    assert_eq!(job.report().unwrap().steps.len(), 8);
    assert!(job.began <= job.ended && job.plan.is_some());
    assert_eq!(studio.status.steps, (8, 8));
}

#[test]
fn waiting_jobs_change_places() {
    let mut studio = studio_with(engine(50));
    let queue = &mut studio.queue;
    add(queue, "runs");
    let waiting: Vec<JobId> = ["a", "b", "c"].map(|it| add(queue, it)).into();
    studio.tick();
    let queue = &mut studio.queue;
    queue.act(&QueueAction::Move(waiting[2], 0)).unwrap();
    assert_eq!(titles(&queue.jobs), ["runs", "c", "a", "b"]);
    queue.act(&QueueAction::Move(waiting[2], 99)).unwrap();
    assert_eq!(titles(&queue.jobs), ["runs", "a", "b", "c"]);
    let running = queue.running().unwrap().id;
    queue.act(&QueueAction::Move(running, 2)).unwrap();
    assert_eq!(titles(&queue.jobs), ["runs", "a", "b", "c"], "it runs");
    queue.act(&QueueAction::Cancel(waiting[1])).unwrap();
    assert_eq!(titles(queue.waiting()), ["a", "c"]);
    assert!(matches!(queue.ended[0].state, JobState::Cancelled(_)));
    queue.act(&QueueAction::Cancel(running)).unwrap();
    until(&mut studio, "cancel", |it| it.queue.ended.len() == 2);
    assert!(matches!(
        studio.queue.ended[0].state,
        JobState::Cancelled(_)
    ));
}

#[test]
fn paused_nothing_moves() {
    let mut studio = studio_with(engine(5));
    studio.act(Action::Command(Command::Run));
    until(&mut studio, "it to begin", |it| it.status.steps.0 > 1);
    studio.act(Action::Command(Command::Pause));
    std::thread::sleep(Duration::from_millis(60));
    studio.tick();
    let steps = studio.status.steps;
    std::thread::sleep(Duration::from_millis(120));
    studio.tick();
    assert_eq!(studio.status.steps, steps);
    assert!(
        studio.queue.running().is_some(),
        "it holds, it is not stopped"
    );
    studio.act(Action::Command(Command::Pause));
    until(&mut studio, "it to end", |it| it.queue.ended.len() == 1);
}

#[test]
fn a_failed_job_is_tried_again() {
    let engine = engine(0);
    engine.fails.lock().unwrap().push("7".to_owned());
    let mut studio = studio_with(engine.clone());
    studio.act(Action::Command(Command::Run));
    until(&mut studio, "the failure", |it| it.queue.ended.len() == 1);
    let job = studio.queue.ended[0].clone();
    assert!(matches!(&job.state, JobState::Failed(text, Some(_)) if text.en.contains("node 7")));
    engine.fails.lock().unwrap().clear();
    studio.act(Action::Queue(QueueAction::Retry(job.id)));
    until(&mut studio, "the second try", |it| {
        it.queue.ended.len() == 2
    });
    assert!(matches!(studio.queue.ended[0].state, JobState::Done(_)));
    assert_ne!(studio.queue.ended[0].id, job.id);
    studio.act(Action::Queue(QueueAction::Forget(job.id)));
    assert_eq!(studio.queue.ended.len(), 1);
}

#[test]
fn run_refuses_what_cannot_run_and_shows_where() {
    let mut studio = studio_with(engine(0));
    let mut project = small();
    project.nodes["7"].inputs.shift_remove("samples");
    studio.session = crate::Session::new(project, None);
    studio.act(Action::Command(Command::Run));
    until(&mut studio, "a refusal", |it| !it.messages.list.is_empty());
    assert!(
        said(&studio).starts_with("Not queued: node 7 (VAEDecode)"),
        "{}",
        said(&studio)
    );
    assert!(studio.queue.jobs.is_empty() && studio.queue.ended.is_empty());
    let wishes = studio.window_wishes();
    assert_eq!(
        wishes,
        [WindowAction::Canvas(CanvasAction::Reveal(NodeId::new("7")))]
    );
    studio.session = crate::Session::default();
    studio.act(Action::Command(Command::Run));
    assert!(said(&studio).contains("the graph is empty"));
}

/// A checkpoint that is missing until it is copied.
#[test]
fn run_looks_at_the_disk_again_before_it_refuses() {
    let there = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let copied = there.clone();
    let on_compile = move |_: &Project| {
        let missing = || longtake_plan::Compiled {
            plan: None,
            diagnostics: vec![longtake_graph::Diagnostic::error(
                "file_missing",
                longtake_graph::Place::default(),
                Sentence::same("no wan.safetensors"),
            )],
        };
        (!copied.load(std::sync::atomic::Ordering::Relaxed)).then(missing)
    };
    let engine = Arc::new(Fake {
        on_compile: Some(Box::new(on_compile)),
        ..Fake::default()
    });
    let mut studio = studio_with(engine);
    studio.queue.paused = true;
    until(&mut studio, "the error", |it| it.planned.errors() == 1);
    studio.act(Action::Command(Command::Run));
    until(&mut studio, "a refusal", |it| !it.messages.list.is_empty());
    assert!(
        said(&studio).contains("no wan.safetensors"),
        "{}",
        said(&studio)
    );
    there.store(true, std::sync::atomic::Ordering::Relaxed);
    studio.act(Action::Command(Command::Run));
    until(&mut studio, "the job", |it| it.queue.jobs.len() == 1);
    // Removed again while the person was elsewhere.
    there.store(false, std::sync::atomic::Ordering::Relaxed);
    studio.look_again();
    until(&mut studio, "the error", |it| it.planned.errors() == 1);
}

#[test]
fn each_job_has_seeds_of_its_own() {
    let mut project = small();
    let control = serde_json::json!({"seed": "increment"});
    project.nodes["6"]
        .extra
        .insert("control_after_generate".into(), control);
    let mut studio = studio_with(engine(0));
    studio.session = crate::Session::new(project, None);
    studio.queue.paused = true;
    // Twice before the plan is there, once after.
    studio.act(Action::Command(Command::Run));
    studio.act(Action::Command(Command::Run));
    until(&mut studio, "both", |it| it.queue.jobs.len() == 2);
    studio.act(Action::Command(Command::Run));
    until(&mut studio, "all", |it| it.queue.jobs.len() == 3);
    let seed = |job: &Job| match &job.project.as_ref().unwrap().nodes["6"].inputs["seed"] {
        longtake_graph::Input::Literal(value) => value.as_u64(),
        longtake_graph::Input::Link(_) => None,
    };
    let seeds: Vec<_> = studio.queue.jobs.iter().filter_map(seed).collect();
    assert_eq!(seeds, [7, 8, 9]);
}

#[test]
fn selected_outputs_alone() {
    let mut project = small();
    let second = project.nodes["8"].clone();
    project.nodes.insert(NodeId::new("9"), second);
    // A second output that cannot run does not stand in the way of the first.
    let mut broken = project.nodes["8"].clone();
    broken.inputs.shift_remove("images");
    project.nodes.insert(NodeId::new("10"), broken);
    let mut studio = studio_with(engine(0));
    studio.session = crate::Session::new(project, None);
    for (selected, outputs) in [("9", vec!["9"]), ("7", vec!["8", "9"]), ("10", vec![])] {
        studio.queue.paused = true;
        studio.queue.jobs.clear();
        studio.session.selection = Selection::of([Item::Node(NodeId::new(selected))]);
        studio.act(Action::Command(Command::RunSelected));
        until(&mut studio, "an answer", |it| {
            it.queue.asked.is_empty() && it.planned.revision == it.session.revision()
        });
        let wanted = studio
            .queue
            .jobs
            .front()
            .and_then(|it| it.options.outputs.clone());
        let wanted: Vec<String> = wanted
            .into_iter()
            .flatten()
            .map(|it| it.to_string())
            .collect();
        assert_eq!(wanted, outputs, "{selected} selected");
    }
    assert!(
        said(&studio).contains("Not queued: node 10"),
        "{}",
        said(&studio)
    );
}

#[test]
fn history_and_order_outlive_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("queue");
    {
        let mut studio = studio_with(engine(0));
        studio.open_queue(&place);
        studio.act(Action::Command(Command::Run));
        until(&mut studio, "a job", |it| it.queue.ended.len() == 1);
        studio.queue.paused = true;
        let ids = ["a", "b", "c"].map(|it| add(&mut studio.queue, it));
        studio.act(Action::Queue(QueueAction::Move(ids[2], 0)));
    }
    let mut studio = studio_with(engine(0));
    studio.open_queue(&place);
    assert!(studio.queue.paused, "a person says when");
    assert_eq!(titles(&studio.queue.jobs), ["c", "a", "b"]);
    assert!(said(&studio).contains("3 jobs"), "{}", said(&studio));
    let done = studio.queue.ended[0].clone();
    assert_eq!(done.title, "Small");
    let report = done.report().unwrap();
    assert_eq!(report.steps.len(), 8);
    assert!((report.steps[3].predicted_seconds - 4.0).abs() < 1e-9);
    // The document of an ended job lies on the disk, and can be run or opened again.
    assert!(done.project.is_none());
    assert_eq!(*studio.queue.project(done.id).unwrap(), small());
    studio.act(Action::Queue(QueueAction::Retry(done.id)));
    assert_eq!(titles(&studio.queue.jobs), ["c", "a", "b", "Small"]);
    let ids: Vec<u64> = studio.queue.jobs.iter().map(|it| it.id.0).collect();
    assert!(
        ids[3] > *ids[..3].iter().max().unwrap(),
        "numbers are not used twice"
    );
    studio.act(Action::Queue(QueueAction::Pause(false)));
    until(&mut studio, "all of them", |it| it.queue.ended.len() == 5);
    studio.act(Action::Queue(QueueAction::ForgetAll));
    drop(studio);
    let left = fs::read_dir(&place).unwrap().flatten();
    let left: Vec<String> = left
        .map(|it| it.file_name().into_string().unwrap())
        .collect();
    assert_eq!(left.len(), 2, "the lock and the order: {left:?}");
}

#[test]
fn a_job_is_opened_again_but_loses_no_work() {
    let mut studio = studio_with(engine(0));
    studio.queue.paused = true;
    let id = add(&mut studio.queue, "earlier");
    studio.session = crate::Session::default();
    studio.act(Action::Queue(QueueAction::Reopen(id)));
    assert_eq!(**studio.session.project(), small());
    assert!(studio.session.path.is_none());
    studio.act(Action::Command(Command::SelectAll));
    studio.act(Action::Command(Command::Mute));
    studio.act(Action::Queue(QueueAction::Reopen(id)));
    assert!(studio.question.is_some(), "changes would be lost");
}

#[test]
fn a_run_of_another_document_is_not_drawn_on_this_one() {
    let mut studio = studio_with(engine(20));
    studio.act(Action::Command(Command::Run));
    until(&mut studio, "it to begin", |it| it.status.steps.0 > 0);
    let node = NodeId::new("6");
    assert!(studio.status.node(&node).is_some());
    studio.show(Arc::new(small()), None);
    assert!(studio.status.node(&node).is_none());
    assert!(
        studio.status.node_of_run(&node).is_some(),
        "the queue still tells of it"
    );
    add(&mut studio.queue, "of this one");
    until(&mut studio, "the next", |it| {
        it.queue.ended.len() == 1 && it.status.node(&node).is_some()
    });
}

#[test]
fn a_job_is_of_the_document_it_was_asked_for() {
    // Asked of the first, of which no plan is known yet; then another is opened.
    let mut studio = studio_with(engine(0));
    studio.queue.paused = true;
    studio.act(Action::Command(Command::Run));
    studio.show(Arc::new(small()), None);
    until(&mut studio, "the job", |it| it.queue.jobs.len() == 1);
    assert!(!studio.queue.is_of_open(&studio.queue.jobs[0]));
    // Tried again, it is still of the first.
    let id = studio.queue.jobs[0].id;
    studio.act(Action::Queue(QueueAction::Cancel(id)));
    studio.act(Action::Queue(QueueAction::Retry(id)));
    assert!(!studio.queue.is_of_open(&studio.queue.jobs[0]));
}
