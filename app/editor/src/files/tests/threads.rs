//! Files are read and written on threads: what a person does meanwhile, and what comes of it.

use longtake_graph::Input;

use super::*;
use crate::testing::Fake;
use crate::{Item, Selection};

fn save(studio: &mut Studio) {
    studio.act(Action::Command(Command::Save));
    assert!(studio.busy().is_some());
}

fn title(studio: &Studio) -> &str {
    &studio.session.project().title
}

fn question(studio: &Studio) -> &str {
    studio.question.as_ref().map_or("", |it| &it.title)
}

#[test]
fn what_is_changed_while_saving_is_not_in_the_file_and_still_to_be_saved() {
    let desk = Desk::new(&testing::small());
    let mut studio = desk.opened();
    retitle(&mut studio, "first");
    save(&mut studio);
    retitle(&mut studio, "second");
    studio.finish_files();
    assert!(studio.session.dirty() && studio.busy().is_none());
    assert!(desk.on_disk().contains("first") && !desk.on_disk().contains("second"));
    // Undone, it is what the file holds.
    studio.act(Action::Command(Command::Undo));
    assert!(!studio.session.dirty());
    studio.act(Action::Command(Command::Redo));
    command(&mut studio, Command::Save);
    assert!(!studio.session.dirty() && desk.on_disk().contains("second"));
}

#[test]
fn closing_waits_for_a_save_under_way_and_asks_for_what_came_after_it() {
    let desk = Desk::new(&testing::small());
    let quits = |studio: &mut Studio| studio.window_wishes().contains(&WindowAction::Quit);
    let mut studio = desk.opened();
    retitle(&mut studio, "saved");
    save(&mut studio);
    studio.act(Action::Command(Command::Quit));
    assert!(!quits(&mut studio) && studio.question.is_none());
    studio.finish_files();
    assert!(quits(&mut studio) && studio.question.is_none());
    assert!(desk.on_disk().contains("saved"));

    let mut studio = desk.opened();
    retitle(&mut studio, "saved too");
    save(&mut studio);
    retitle(&mut studio, "not saved");
    studio.act(Action::Command(Command::Quit));
    studio.finish_files();
    assert!(!quits(&mut studio));
    assert_eq!(question(&studio), "Save changes?");
    assert!(answer(&mut studio, "Save").contains(&WindowAction::Quit));
    assert!(desk.on_disk().contains("not saved"));
}

#[test]
fn a_window_that_ends_while_saving_leaves_a_whole_file() {
    let desk = Desk::new(&testing::large(400));
    let mut studio = desk.opened();
    retitle(&mut studio, "the last");
    save(&mut studio);
    drop(studio);
    assert!(desk.on_disk().contains("the last"));
    assert_eq!(desk.names(), ["film.longtake"]);
}

#[test]
fn a_save_that_fails_holds_back_what_waited_for_it() {
    let desk = Desk::new(&testing::small());
    let mut studio = desk.opened();
    fs::remove_file(&desk.film).unwrap();
    fs::create_dir(&desk.film).unwrap();
    retitle(&mut studio, "mine");
    studio.act(Action::SaveAs(desk.film.clone()));
    studio.act(Action::Command(Command::Quit));
    studio.finish_files();
    assert!(!studio.window_wishes().contains(&WindowAction::Quit));
    assert!(last_message(&studio).contains("was not saved"));
    assert!(studio.session.dirty() && title(&studio) == "mine");
}

#[test]
fn saves_in_a_row_come_in_order() {
    let desk = Desk::new(&testing::small());
    let mut studio = desk.opened();
    for (name, at) in [("a", 1), ("b", 2), ("c", 3)] {
        retitle(&mut studio, &format!("{name}{at}"));
        studio.act(Action::Command(Command::Save));
    }
    studio.act(Action::SaveAs(desk.path("copy.longtake")));
    studio.finish_files();
    assert!(desk.on_disk().contains("c3") && studio.question.is_none());
    assert_eq!(
        fs::read_to_string(desk.path("copy.longtake")).unwrap(),
        desk.on_disk()
    );
    assert_eq!(studio.session.path, Some(desk.path("copy.longtake")));
}

#[test]
fn work_done_while_a_file_is_read_is_not_lost_to_it() {
    let desk = Desk::new(&testing::small());
    let mut other = testing::small();
    other.title = "other".to_owned();
    fs::write(desk.path("other.longtake"), text(&other)).unwrap();
    let mut studio = desk.opened();
    studio.act(Action::Open(desk.path("other.longtake")));
    assert!(studio.files.opening());
    retitle(&mut studio, "meanwhile");
    studio.finish_files();
    assert_eq!(
        (title(&studio), question(&studio)),
        ("meanwhile", "Save changes?")
    );
    answer(&mut studio, "Save");
    assert_eq!((title(&studio), question(&studio)), ("other", ""));
    assert!(desk.on_disk().contains("meanwhile"));
}

#[test]
fn of_several_files_the_last_asked_for_opens_and_a_new_document_ends_the_wait() {
    let desk = Desk::new(&testing::small());
    for name in ["a", "b"] {
        let mut project = testing::small();
        name.clone_into(&mut project.title);
        fs::write(desk.path(&format!("{name}.longtake")), text(&project)).unwrap();
    }
    let mut studio = desk.opened();
    studio.act(Action::Open(desk.path("a.longtake")));
    studio.act(Action::Open(desk.path("b.longtake")));
    studio.finish_files();
    assert_eq!(title(&studio), "b");
    studio.act(Action::Open(desk.path("a.longtake")));
    studio.act(Action::Command(Command::New));
    studio.finish_files();
    assert_eq!((title(&studio), studio.session.path.clone()), ("", None));
    // What was read for a document that is gone is not put into another.
    studio.act(Action::Insert(desk.path("a.longtake"), [0.0; 2]));
    act(&mut studio, Action::Open(desk.film.clone()));
    assert_eq!(studio.session.project().nodes.len(), 8);
    act(
        &mut studio,
        Action::Insert(desk.path("a.longtake"), [0.0; 2]),
    );
    assert_eq!(studio.session.project().nodes.len(), 16);
}

#[test]
fn a_file_brought_in_is_written_where_it_was_asked_for() {
    let desk = Desk::new(&testing::small());
    let mut studio = desk.opened();
    studio.engine = std::sync::Arc::new(Fake {
        folder: desk.path("home"),
        ..Fake::default()
    });
    let take = |path: PathBuf| Action::TakeFile {
        node: "1".into(),
        input: "unet_name".to_owned(),
        path,
    };
    let value = |studio: &Studio| match &studio.session.project().nodes["1"].inputs["unet_name"] {
        Input::Literal(value) => value.as_str().unwrap_or_default().to_owned(),
        Input::Link(_) => String::new(),
    };
    act(&mut studio, take(desk.path("home/input/a.png")));
    assert_eq!(value(&studio), "a.png");
    act(&mut studio, take(desk.path("elsewhere.png")));
    assert!(last_message(&studio).contains("copy it there first"));

    // The person goes into a subgraph meanwhile, where another node may bear that id.
    studio.act(Action::Select(Selection::of([Item::Node("7".into())])));
    studio.act(Action::Command(Command::MakeSubgraph));
    let nodes = &studio.session.project().nodes;
    let keys = &studio.session.project().subgraphs;
    let made = nodes.iter().find(|it| keys.contains_key(&it.1.class));
    let made = made.expect("an instance").0.clone();
    studio.act(take(desk.path("home/input/b.png")));
    studio.act(Action::Enter(made));
    assert!(studio.session.subgraph().is_some());
    studio.finish_files();
    assert_eq!(value(&studio), "b.png");
    studio.act(take(desk.path("home/input/c.png")));
    studio.session = crate::Session::new(testing::small(), None);
    studio.finish_files();
    assert_eq!(value(&studio), "wan.safetensors");
}
