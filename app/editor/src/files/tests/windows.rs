//! Two windows on one file, and other programs that write it: nobody's work is lost unasked.

use super::*;

#[test]
fn the_second_window_is_told_and_asks_before_it_saves() {
    let desk = Desk::new(&testing::small());
    let (mut first, mut second) = (desk.opened(), desk.opened());
    assert_eq!(first.files.elsewhere, None);
    let holder = second.files.elsewhere.unwrap();
    assert_eq!(holder.pid, Some(std::process::id()));
    assert!(last_message(&second).contains("open in another window"));

    let old = desk.on_disk();
    retitle(&mut second, "second");
    command(&mut second, Command::Save);
    assert_eq!(
        second.question.as_ref().unwrap().title,
        "Open in another window"
    );
    answer(&mut second, "Cancel");
    assert_eq!(desk.on_disk(), old);
    command(&mut second, Command::Save);
    answer(&mut second, "Save anyway");
    assert_eq!(desk.on_disk(), text(second.session.project()));

    // Now the first finds another file than it read.
    retitle(&mut first, "first");
    command(&mut first, Command::Save);
    assert_eq!(first.question.as_ref().unwrap().title, "Changed on disk");
    answer(&mut first, "Cancel");
    assert_eq!(desk.on_disk(), text(second.session.project()));
    command(&mut first, Command::Save);
    answer(&mut first, "Reload");
    assert_eq!(first.session.project(), second.session.project());
    assert!(!first.session.dirty());

    // The first closes: the file is the second's.
    command(&mut first, Command::Quit);
    retitle(&mut second, "alone");
    command(&mut second, Command::Save);
    assert!(second.question.is_none() && second.files.elsewhere.is_none());
    assert_eq!(desk.on_disk(), text(second.session.project()));
}

#[test]
fn another_programs_change_is_noticed_and_can_be_overwritten() {
    let desk = Desk::new(&testing::small());
    let mut studio = desk.opened();
    retitle(&mut studio, "mine");
    // Same bytes, another time: no change.
    fs::write(&desk.film, desk.on_disk()).unwrap();
    command(&mut studio, Command::Save);
    assert!(studio.question.is_none());

    retitle(&mut studio, "mine again");
    // Same size, other bytes: a change, however fast it came.
    let other = desk.on_disk().replace("mine", "ours");
    fs::write(&desk.film, &other).unwrap();
    command(&mut studio, Command::Save);
    let question = studio.question.as_ref().unwrap();
    assert_eq!(question.choices[question.safe].label, "Cancel");
    assert_eq!(desk.on_disk(), other);
    answer(&mut studio, "Overwrite");
    assert_eq!(desk.on_disk(), text(studio.session.project()));
    assert!(!studio.session.dirty());
}

#[test]
fn saving_onto_a_file_of_another_window_asks() {
    let desk = Desk::new(&testing::small());
    let _first = desk.opened();
    let mut second = desk.window();
    retitle(&mut second, "other");
    act(&mut second, Action::SaveAs(desk.film.clone()));
    assert_eq!(
        second.question.as_ref().unwrap().title,
        "Open in another window"
    );
    assert_eq!(answer(&mut second, "Save as"), [WindowAction::AskSaveAs]);
    act(&mut second, Action::SaveAs(desk.path("other")));
    assert_eq!(desk.names(), ["film.longtake", "other.longtake"]);
}
