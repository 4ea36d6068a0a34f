//! The queue panel over the small machine.

#![allow(clippy::unwrap_used, reason = "in tests a panic is a failure")]

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use longtake_editor::messages::Tone;
use longtake_editor::queue::JobState;
use longtake_editor::{
    CanvasAction, Language, Settings, Studio, ViewerAction, WindowAction, testing,
};
use longtake_graph::{NodeId, say};
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
            message_ja: String::new(),
        });
        let message = say!(
            "node 7 (VAEDecode), shot 02: the file is damaged; load it again",
            "ノード 7 (VAEDecode)、ショット 02: ファイルが壊れています。読み込み直してください"
        );
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
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("second_00001.mp4");
    std::fs::write(&path, "film").unwrap();
    let files = [path.clone()];
    wrote(&mut panel, "second", &files);
    ended(&mut panel, "broken", true);
    panel.run_steps(3);
    picture(&mut panel, "queue-ended");
    panel.get_by_label("Show node").click();
    panel.run_steps(2);
    let wishes = panel.state_mut().studio.window_wishes();
    assert_eq!(
        wishes,
        [WindowAction::Canvas(CanvasAction::Reveal(NodeId::new("7")))]
    );
    panel.get_all_by_label("View").next().unwrap().click();
    panel.run_steps(2);
    let wishes = panel.state_mut().studio.window_wishes();
    assert_eq!(
        wishes,
        [WindowAction::Viewer(ViewerAction::File {
            path,
            second: false
        })]
    );
    panel.get_all_by_label("Compare").next().unwrap().click();
    panel.run_steps(2);
    panel.get_by_label("Compare with this").click();
    panel.run_steps(2);
    let ids: Vec<longtake_editor::queue::JobId> = panel
        .state()
        .studio
        .queue
        .ended
        .iter()
        .map(|it| it.id)
        .collect();
    let wishes = panel.state_mut().studio.window_wishes();
    assert_eq!(
        wishes,
        [WindowAction::Viewer(ViewerAction::Jobs(ids[1], ids[2]))]
    );
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
        language: Some(Language::En),
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
    assert!(matches!(job.state, JobState::Cancelled(_)));
}

/// A panel in that language, and the machine behind it.
fn panel_in(language: Language, size: [f32; 2]) -> (Panel, Arc<testing::Fake>) {
    let mut panel = harness(size, QueuePanel::default(), QueuePanel::ui);
    let fake = Arc::new(testing::Fake::default());
    let settings = Settings {
        language: Some(language),
        ..Settings::default()
    };
    let studio = Studio::new(fake.clone(), settings, Arc::new(|| {}));
    panel.state_mut().studio = studio;
    panel.state_mut().studio.queue.paused = true;
    (panel, fake)
}

/// A finished job that wrote these files.
fn wrote(panel: &mut Panel, title: &str, files: &[std::path::PathBuf]) {
    ended(panel, title, false);
    let job = panel.state_mut().studio.queue.ended.front_mut().unwrap();
    let JobState::Done(report) = &mut job.state else {
        panic!("done");
    };
    let output = |path: &std::path::PathBuf| OutputReport {
        node: "8".into(),
        path: path.clone(),
    };
    Arc::make_mut(report).outputs = files.iter().map(output).collect();
}

/// Pictures are read on threads.
fn wait(panel: &mut Panel, label: &str) {
    let begun = Instant::now();
    while panel.query_all_by_label_contains(label).next().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{label}");
        std::thread::sleep(Duration::from_millis(5));
        panel.run_steps(1);
    }
}

fn click(panel: &mut Panel, label: &str) {
    panel.get_by_label(label).click();
    panel.run_steps(2);
    panel.state_mut().studio.finish_files();
    panel.run_steps(1);
}

#[test]
fn what_a_job_wrote_is_listed_opened_shown_copied_and_viewed() {
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film_00001.mp4");
    std::fs::write(&film, vec![0; 3 << 20]).unwrap();
    let (mut panel, fake) = panel_in(Language::En, [700.0, 300.0]);
    wrote(&mut panel, "Harbour", std::slice::from_ref(&film));
    // 48 frames at 16 a second.
    wait(&mut panel, "3.0 MiB · 3.0 s · 64×36");
    panel
        .get_all_by_label_contains("film_00001.mp4")
        .next()
        .unwrap();
    click(&mut panel, "Open in another program");
    click(&mut panel, "Show in folder");
    let path = film.display().to_string();
    assert_eq!(
        fake.handed_over(),
        [format!("open {path}"), format!("show {path}")]
    );
    let wishes = panel.state_mut().studio.window_wishes();
    assert_eq!(wishes, []);
    click(&mut panel, "Copy path");
    click(&mut panel, "View");
    let wishes = panel.state_mut().studio.window_wishes();
    let view = ViewerAction::File {
        path: film,
        second: false,
    };
    assert_eq!(
        wishes,
        [WindowAction::SetClipboard(path), WindowAction::Viewer(view)]
    );
}

#[test]
fn a_file_that_is_gone_is_told_so_and_what_no_program_opens_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("gone.mp4");
    std::fs::write(&film, "film").unwrap();
    let (mut panel, fake) = panel_in(Language::Ja, [700.0, 300.0]);
    wrote(&mut panel, "Harbour", std::slice::from_ref(&film));
    wait(&mut panel, "4 B");
    // The machine refuses what it cannot find.
    click(&mut panel, "別のプログラムで開く");
    let told = &panel.state().studio.messages.list;
    let error = told.iter().find(|it| it.tone == Tone::Error).unwrap();
    assert!(error.text.contains("もうありません"), "{}", error.text);
    assert!(fake.handed_over().is_empty());
    std::fs::remove_file(&film).unwrap();
    wait(&mut panel, "見つかりません");
    for button in ["別のプログラムで開く", "フォルダーで表示", "見る"] {
        let node = panel.get_by_label(button);
        assert!(node.accesskit_node().is_disabled(), "{button}");
    }
}

#[test]
fn of_many_files_a_few_are_listed_until_all_are_wanted() {
    let (mut panel, _) = panel_in(Language::En, [700.0, 500.0]);
    let files: Vec<_> = (0..12)
        .map(|n| format!("/nowhere/output/shot_{n:02}.png").into())
        .collect();
    wrote(&mut panel, "Stills", &files);
    panel.run_steps(3);
    assert_eq!(panel.query_all_by_label("Copy path").count(), 3);
    panel
        .get_all_by_label_contains("shot_00.png")
        .next()
        .unwrap();
    panel.get_by_label("9 more files").click();
    panel.run_steps(3);
    assert_eq!(panel.query_all_by_label("Copy path").count(), 12);
    assert!(panel.query_by_label("9 more files").is_none());
}

#[test]
fn long_names_leave_the_buttons_in_sight_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    let long = "a_very_long_name_that_a_person_gave_to_the_film_of_the_harbour_at_dawn".repeat(2);
    let name = format!("{long}_港の夜明け_00012.mp4");
    let film = folder.path().join(&name);
    std::fs::write(&film, vec![0; 123_456_789]).unwrap();
    for (language, picture_name) in [(Language::En, "outputs-en"), (Language::Ja, "outputs-ja")] {
        let (mut panel, _) = panel_in(language, [560.0, 420.0]);
        let short = folder.path().join("film_00001.mp4");
        std::fs::write(&short, vec![0; 5 << 20]).unwrap();
        let missing = std::path::PathBuf::from("/nowhere/output/deleted_00003.mp4");
        ended(&mut panel, "broken", true);
        wrote(
            &mut panel,
            "夜明けの港 — a title that is rather long as well",
            std::slice::from_ref(&film),
        );
        wrote(&mut panel, "Two", &[short, missing]);
        wait(&mut panel, "118");
        panel.run_steps(10);
        let label = match language {
            Language::En => "Copy path",
            Language::Ja => "パスをコピー",
        };
        let rects: Vec<_> = panel
            .query_all_by_label(label)
            .map(|it| it.rect())
            .collect();
        assert_eq!(rects.len(), 3);
        let right = rects[0].right();
        assert!(rects.iter().all(|it| (it.right() - right).abs() < 1.0));
        assert!(right < 560.0);
        // The end of the name tells files apart.
        panel.get_all_by_label_contains("00012.mp4").next().unwrap();
        picture(&mut panel, picture_name);
    }
}
