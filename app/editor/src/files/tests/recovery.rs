//! Killed with unsaved work: it is offered at the next start, and the person's file is untouched.

use std::thread;
use std::time::{Duration, Instant};

use super::*;

/// The child: changes the film, waits for the autosave, then for its death.
#[test]
fn working_child() {
    let Some(folder) = child_folder() else { return };
    let places = Places::under(&folder.join("home"));
    let mut studio = window(&places);
    studio.settings.autosave_secs = 1;
    act(&mut studio, Action::Open(folder.join("film.longtake")));
    retitle(&mut studio, "unsaved");
    let began = Instant::now();
    while count(&places, "json") == 0 {
        assert!(began.elapsed() < Duration::from_mins(1), "no autosave");
        studio.tick();
        thread::sleep(Duration::from_millis(5));
    }
    ready();
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}

fn work_and_die(desk: &Desk) {
    let mut child = child("recovery::working_child", desk.film.parent().unwrap())
        .spawn()
        .unwrap();
    wait_ready(&mut child);
    assert!(desk.window().question.is_none(), "its window still lives");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Files of that ending among what is kept for recovery.
fn count(places: &Places, ending: &str) -> usize {
    let names = names(&places.recovery());
    let ends = |it: &&String| Path::new(it).extension().is_some_and(|it| it == ending);
    names.iter().filter(ends).count()
}

fn kept(desk: &Desk) -> usize {
    count(&desk.places(), "longtake")
}

#[test]
fn work_of_a_killed_window_is_offered_until_it_is_decided() {
    let desk = Desk::new(&testing::small());
    let before = desk.on_disk();
    work_and_die(&desk);

    let mut studio = desk.window();
    let question = studio.question.as_ref().expect("an offer");
    assert_eq!(question.title, "Unsaved work was found");
    assert!(question.choices[0].label.contains("“unsaved”"));
    // Only one window offers it, and later is later.
    assert!(desk.window().question.is_none());
    act(&mut studio, Action::Answer(usize::MAX));
    assert_eq!(kept(&desk), 1);

    let mut studio = desk.window();
    answer(&mut studio, "Open “unsaved”");
    assert_eq!(studio.session.project().title, "unsaved");
    assert_eq!(
        (studio.session.path.clone(), studio.session.dirty()),
        (None, true)
    );
    assert_eq!(studio.suggested_save(), desk.film);
    assert_eq!(desk.on_disk(), before);
    assert_eq!(kept(&desk), 1, "still there until it is saved");

    assert_eq!(
        command(&mut studio, Command::Save),
        [WindowAction::AskSaveAs]
    );
    act(&mut studio, Action::SaveAs(desk.film.clone()));
    assert_eq!(desk.on_disk(), text(studio.session.project()));
    command(&mut studio, Command::Quit);
    assert_eq!(names(&desk.places().recovery()), [""; 0]);
    assert!(desk.window().question.is_none());
}

#[test]
fn recovered_work_can_be_deleted() {
    let desk = Desk::new(&testing::small());
    work_and_die(&desk);
    let mut studio = desk.window();
    answer(&mut studio, "Delete");
    assert_eq!(names(&desk.places().recovery()), [""; 0]);
}

#[test]
fn nothing_is_left_to_recover_after_a_save_an_undo_or_a_quit() {
    let desk = Desk::new(&testing::small());
    for end in [Command::Save, Command::Undo, Command::Quit] {
        let mut studio = desk.opened();
        retitle(&mut studio, &format!("changed before {end:?}"));
        autosaved(&mut studio);
        assert_eq!(kept(&desk), 1);
        command(&mut studio, end);
        if end == Command::Quit {
            answer(&mut studio, "Don't save");
        }
        studio.tick();
        drop(studio);
        assert_eq!(kept(&desk), 0, "{end:?}");
    }
}

#[test]
fn of_several_works_each_can_be_chosen_and_the_rest_are_kept() {
    let desk = Desk::new(&testing::small());
    for title in ["first", "second"] {
        let mut studio = desk.window();
        act(&mut studio, Action::Answer(usize::MAX));
        retitle(&mut studio, title);
        autosaved(&mut studio);
    }
    let mut studio = desk.window();
    assert_eq!(studio.question.as_ref().unwrap().choices.len(), 4);
    answer(&mut studio, "Open “first”");
    assert_eq!(studio.session.project().title, "first");
    assert!(
        studio
            .messages
            .list
            .iter()
            .any(|it| it.text.starts_with("1 more"))
    );
    act(&mut studio, Action::Command(Command::New));
    answer(&mut studio, "Don't save");
    assert_eq!(kept(&desk), 1, "given up, the other kept");
}

/// Autosaves now, and waits until it stands on the disk.
fn autosaved(studio: &mut Studio) {
    let places = studio.files.places().unwrap().clone();
    let before = count(&places, "json");
    studio.autosave_now();
    while count(&places, "json") == before {
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_window_that_ends_without_a_word_leaves_its_work() {
    let desk = Desk::new(&testing::small());
    let mut studio = desk.opened();
    retitle(&mut studio, "logged out");
    autosaved(&mut studio);
    drop(studio);
    assert_eq!(kept(&desk), 1);
    assert!(desk.window().question.is_some());
}

#[test]
fn an_autosave_that_fails_is_told_and_tried_again() {
    let desk = Desk::new(&testing::small());
    let mut studio = desk.opened();
    let folder = desk.places().recovery();
    fs::create_dir_all(folder.parent().unwrap()).unwrap();
    let _ = fs::remove_dir_all(&folder);
    fs::write(&folder, "in the way").unwrap();
    studio.settings.autosave_secs = 1;
    retitle(&mut studio, "changed");
    tick_until(&mut studio, |it| {
        last_message(it).contains("could not keep")
    });
    fs::remove_file(&folder).unwrap();
    tick_until(&mut studio, |_| kept(&desk) == 1);
}

fn tick_until(studio: &mut Studio, done: impl Fn(&Studio) -> bool) {
    let began = Instant::now();
    while !done(studio) {
        assert!(
            began.elapsed() < Duration::from_mins(1),
            "{}",
            last_message(studio)
        );
        studio.tick();
        thread::sleep(Duration::from_millis(5));
    }
}
