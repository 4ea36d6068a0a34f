//! The queue on the disk: broken files, several windows, a full disk, a kill.

use std::fs;
use std::process::{Command as Program, Stdio};
use std::time::{Duration, Instant};

use super::*;

#[test]
fn broken_files_are_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("queue");
    {
        let mut studio = studio_with(engine(0));
        studio.open_queue(&place);
        studio.queue.paused = true;
        for title in ["cut", "fine", "no document"] {
            add(&mut studio.queue, title);
        }
    }
    let text = fs::read(place.join("1.json")).unwrap();
    fs::write(place.join("1.json"), &text[..text.len() / 2]).unwrap();
    fs::remove_file(place.join("3.longtake")).unwrap();
    fs::write(place.join("order.json"), "[").unwrap();
    fs::write(place.join("77.json"), "{}").unwrap();
    fs::write(place.join("notes.txt"), "mine").unwrap();
    let mut studio = studio_with(engine(0));
    studio.open_queue(&place);
    assert_eq!(titles(&studio.queue.jobs), ["fine"]);
    assert!(said(&studio).contains("set aside"), "{}", said(&studio));
    assert_eq!(
        fs::read(place.join("1.json.broken")).unwrap(),
        text[..text.len() / 2]
    );
    assert!(place.join("1.longtake.broken").exists());
    assert!(place.join("3.json.broken").exists());
    assert!(place.join("notes.txt").exists());
    assert_eq!(add(&mut studio.queue, "next").0, 78);
}

#[test]
fn two_windows_do_not_share_jobs() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("queue");
    let (mut one, mut two) = (studio_with(engine(0)), studio_with(engine(0)));
    one.open_queue(&place);
    two.open_queue(&place);
    one.queue.paused = true;
    add(&mut one.queue, "mine");
    drop(one);
    assert!(two.queue.jobs.is_empty());
    assert!(folder.path().join("queue-2/order.json").exists());
    let mut three = studio_with(engine(0));
    three.open_queue(&place);
    assert_eq!(titles(&three.queue.jobs), ["mine"]);
}

#[test]
fn what_a_second_window_left_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("queue");
    {
        let (mut one, mut two) = (studio_with(engine(0)), studio_with(engine(0)));
        one.open_queue(&place);
        two.open_queue(&place);
        two.act(Action::Command(Command::Run));
        until(&mut two, "a job", |it| it.queue.ended.len() == 1);
        for (studio, titles) in [(&mut one, ["a", "b"]), (&mut two, ["c", "d"])] {
            studio.queue.paused = true;
            for title in titles {
                add(&mut studio.queue, title);
            }
        }
    }
    let mut studio = studio_with(engine(0));
    studio.open_queue(&place);
    assert_eq!(titles(&studio.queue.jobs), ["a", "b", "c", "d"]);
    assert_eq!(titles(&studio.queue.ended), ["Small"]);
    let ids = studio.queue.jobs.iter().chain(&studio.queue.ended);
    let ids: std::collections::HashSet<JobId> = ids.map(|it| it.id).collect();
    assert_eq!(ids.len(), 5, "numbers of their own: {ids:?}");
    let done = studio.queue.ended[0].id;
    assert_eq!(*studio.queue.project(done).unwrap(), small());
    drop(studio);
    let mut later = studio_with(engine(0));
    later.open_queue(&place);
    assert_eq!(titles(&later.queue.jobs), ["a", "b", "c", "d"], "once");
    assert_eq!(later.queue.ended.len(), 1);
}

#[test]
fn a_document_without_its_record_is_not_run_under_another_title() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("queue");
    fs::create_dir_all(&place).unwrap();
    // A program was killed between the two.
    let old = longtake_graph::format::project::to_text(&Project::default());
    fs::write(place.join("7.longtake"), old).unwrap();
    {
        let mut studio = studio_with(engine(0));
        studio.open_queue(&place);
        studio.queue.paused = true;
        studio.queue.next = studio.queue.next.max(7);
        add(&mut studio.queue, "new");
    }
    let mut studio = studio_with(engine(0));
    studio.open_queue(&place);
    assert_eq!(
        *studio.queue.project(studio.queue.jobs[0].id).unwrap(),
        small()
    );
}

#[test]
fn a_full_or_missing_disk_is_told_and_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("queue");
    let mut studio = studio_with(engine(0));
    studio.open_queue(&place);
    fs::remove_dir_all(&place).unwrap();
    studio.act(Action::Command(Command::Run));
    until(&mut studio, "a job", |it| it.queue.ended.len() == 1);
    assert!(
        said(&studio).contains("could not be written"),
        "{}",
        said(&studio)
    );
    assert!(studio.queue.project(studio.queue.ended[0].id).is_ok());
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let mut studio = studio_with(engine(0));
    studio.open_queue(&file.join("queue"));
    assert!(
        said(&studio).contains("cannot be kept"),
        "{}",
        said(&studio)
    );
}

#[test]
fn a_long_history_stays_small() {
    let mut studio = studio_with(engine(0));
    for n in 0..MOST_ENDED + 5 {
        add(&mut studio.queue, &n.to_string());
        until(&mut studio, "a job", |it| it.queue.jobs.is_empty());
    }
    let ended = &studio.queue.ended;
    assert_eq!(ended.len(), MOST_ENDED);
    let whole = ended
        .iter()
        .filter(|it| !it.report().unwrap().steps.is_empty());
    assert_eq!(whole.count(), MOST_WHOLE);
    assert_eq!(ended[0].title, (MOST_ENDED + 4).to_string());
}

/// The program that is killed: begins two jobs that take long, and says so.
#[test]
#[ignore = "run by the test below"]
fn child() {
    let Some(place) = std::env::var_os("LONGTAKE_TEST_QUEUE") else {
        return;
    };
    let mut studio = studio_with(engine(30_000));
    studio.open_queue(Path::new(&place));
    add(&mut studio.queue, "runs");
    add(&mut studio.queue, "waits");
    until(&mut studio, "it to begin", |it| {
        it.queue.running().is_some_and(|job| job.plan.is_some())
    });
    fs::write(Path::new(&place).join("begun"), "").unwrap();
    std::thread::sleep(Duration::from_secs(30));
}

#[test]
fn a_killed_program_finds_its_jobs_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("queue");
    let mut child = Program::new(std::env::current_exe().unwrap())
        .args(["--exact", "queue::tests::disk::child", "--ignored"])
        .env("LONGTAKE_TEST_QUEUE", &place)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !place.join("begun").exists() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the child begins"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    // SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();
    let mut studio = studio_with(engine(0));
    studio.open_queue(&place);
    assert_eq!(titles(&studio.queue.jobs), ["runs", "waits"]);
    assert!(studio.queue.jobs[0].interrupted && !studio.queue.jobs[1].interrupted);
    assert!(studio.queue.paused);
    assert!(said(&studio).contains("interrupted"), "{}", said(&studio));
    studio.tick();
    assert!(studio.queue.running().is_none(), "nothing starts by itself");
    studio.act(Action::Queue(QueueAction::Pause(false)));
    until(&mut studio, "both", |it| it.queue.ended.len() == 2);
    assert!(
        studio
            .queue
            .ended
            .iter()
            .all(|it| matches!(it.state, JobState::Done(_)))
    );
}

#[test]
fn why_a_job_failed_is_kept_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("queue");
    let machine = engine(0);
    machine.fails.lock().unwrap().push("7".to_owned());
    let message = |studio: &Studio| match &studio.queue.ended[0].state {
        JobState::Failed(message, _) => message.clone(),
        other => panic!("{other:?}"),
    };
    let told = {
        let mut studio = studio_with(machine);
        studio.open_queue(&place);
        studio.act(Action::Command(Command::Run));
        until(&mut studio, "the failure", |it| it.queue.ended.len() == 1);
        message(&studio)
    };
    assert_eq!(told.lacks(), None);
    assert_ne!(told.en, told.ja);
    let reopened = || {
        let mut studio = studio_with(engine(0));
        studio.open_queue(&place);
        message(&studio)
    };
    assert_eq!(reopened(), told);
    // As an older program wrote it.
    let path = place.join("1.json");
    let mut record: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    record
        .as_object_mut()
        .unwrap()
        .remove("message_ja")
        .unwrap();
    fs::write(&path, record.to_string()).unwrap();
    assert_eq!(reopened(), Sentence::same(told.en));
}

#[test]
fn what_a_cancelled_job_had_done_by_then_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("queue");
    {
        let mut studio = studio_with(engine(100));
        studio.open_queue(&place);
        studio.act(Action::Command(Command::Run));
        until(&mut studio, "it to begin", |it| it.status.steps.0 > 0);
        studio.act(Action::Command(Command::Cancel));
        until(&mut studio, "the end", |it| it.queue.ended.len() == 1);
    }
    let mut studio = studio_with(engine(0));
    studio.open_queue(&place);
    let job = &studio.queue.ended[0];
    assert!(matches!(job.state, JobState::Cancelled(_)));
    assert!(
        job.report()
            .is_some_and(|it| it.error.is_some() || !it.steps.is_empty())
    );
}
