//! New, open, save, export, quit: what each asks, and what each leaves behind.

use std::sync::Arc;

use super::*;
use crate::Settings;
use crate::files::{Broken, load_settings};

#[test]
fn unsaved_work_is_asked_for_before_new_open_and_quit() {
    let desk = Desk::new(&testing::small());
    for how in [
        Action::Command(Command::New),
        Action::Command(Command::Quit),
        Action::Open(desk.film.clone()),
    ] {
        let mut studio = desk.opened();
        act(&mut studio, how.clone());
        assert!(studio.question.is_none(), "nothing to ask: {how:?}");

        let mut studio = desk.opened();
        retitle(&mut studio, "changed");
        act(&mut studio, how.clone());
        let question = studio.question.clone().expect("a question");
        assert_eq!(question.title, "Save changes?");
        // Escape, an index from nowhere, and Cancel are the same.
        act(&mut studio, Action::Answer(usize::MAX));
        assert_eq!(studio.session.project().title, "changed");
        assert!(studio.session.dirty() && studio.window_wishes().is_empty());
        act(&mut studio, how);
        let wishes = answer(&mut studio, "Don't save");
        let left = wishes.contains(&WindowAction::Quit);
        assert!(left || studio.session.project().title != "changed");
    }
    assert_eq!(desk.on_disk(), text(&testing::small()));
}

#[test]
fn saving_on_the_way_out_of_a_nameless_document_asks_for_its_name_first() {
    let desk = Desk::new(&testing::small());
    let mut studio = desk.window();
    retitle(&mut studio, "Rain: a/b");
    assert_eq!(studio.suggested_save(), Path::new("Rain- a-b.longtake"));
    command(&mut studio, Command::Quit);
    assert_eq!(answer(&mut studio, "Save"), [WindowAction::AskSaveAs]);
    // The person closed the file dialog, goes on, and saves later: that quits nothing.
    assert_eq!(
        command(&mut studio, Command::Save),
        [WindowAction::AskSaveAs]
    );
    act(&mut studio, Action::SaveAs(desk.path("rain")));
    assert!(!studio.window_wishes().contains(&WindowAction::Quit));
    retitle(&mut studio, "Rain");
    command(&mut studio, Command::Quit);
    assert!(answer(&mut studio, "Save").contains(&WindowAction::Quit));
    assert_eq!(desk.names(), ["film.longtake", "rain.longtake"]);
}

#[test]
fn what_only_carries_a_graph_opens_as_a_copy() {
    let desk = Desk::new(&testing::small());
    let prompt = desk.path("prompt.json");
    let before = r#"{"1": {"class_type": "KSampler", "inputs": {"seed": 3}}}"#;
    fs::write(&prompt, before).unwrap();
    let mut studio = desk.window();
    act(&mut studio, Action::Open(prompt.clone()));
    assert_eq!(
        (studio.session.path.clone(), studio.session.dirty()),
        (None, false)
    );
    assert!(last_message(&studio).contains("copy of prompt.json"));
    assert_eq!(studio.suggested_save(), desk.path("prompt.longtake"));
    assert_eq!(studio.suggested_export(), desk.path("prompt.prompt.json"));
    let revision = studio.session.revision();
    act(&mut studio, Action::Open(desk.film.clone()));
    assert!(
        studio.session.revision() > revision,
        "the plan is made anew"
    );

    // A name that belongs to another kind of file becomes a project's, and is asked for if taken.
    fs::write(desk.path("prompt.longtake"), "someone's").unwrap();
    act(&mut studio, Action::SaveAs(prompt.clone()));
    assert_eq!(studio.question.as_ref().unwrap().title, "Replace the file?");
    answer(&mut studio, "Cancel");
    assert_eq!(
        fs::read_to_string(desk.path("prompt.longtake")).unwrap(),
        "someone's"
    );
    assert_eq!(fs::read_to_string(&prompt).unwrap(), before);
}

#[test]
fn what_cannot_be_opened_is_told_and_the_open_document_stays() {
    let desk = Desk::new(&testing::small());
    fs::write(desk.path("empty.longtake"), "").unwrap();
    fs::write(desk.path("torn.longtake"), "{\"longtake\": 1, ").unwrap();
    let mut studio = desk.opened();
    for (name, expected) in [
        ("empty.longtake", "is empty (0 bytes)"),
        ("torn.longtake", "torn.longtake:1:"),
        ("nowhere.longtake", "is not there"),
    ] {
        act(&mut studio, Action::Open(desk.path(name)));
        assert!(
            last_message(&studio).contains(expected),
            "{}",
            last_message(&studio)
        );
        assert_eq!(studio.session.path.as_ref(), Some(&desk.film));
    }
}

#[test]
fn an_export_is_a_prompt_beside_and_never_the_document_itself() {
    let desk = Desk::new(&testing::small());
    let mut studio = desk.opened();
    act(&mut studio, Action::ExportPrompt(desk.path("film")));
    let (_, form, _) = format::read(&desk.path("film.json")).unwrap();
    assert_eq!(form, longtake_graph::Format::Prompt);

    let project = desk.path("project.json");
    fs::copy(&desk.film, &project).unwrap();
    act(&mut studio, Action::Open(project.clone()));
    act(&mut studio, Action::ExportPrompt(project.clone()));
    assert!(last_message(&studio).contains("the open document itself"));
    assert_eq!(fs::read_to_string(project).unwrap(), desk.on_disk());
}

#[test]
fn an_export_asks_before_it_replaces_a_file_the_person_did_not_name() {
    let desk = Desk::new(&testing::small());
    let mut studio = desk.opened();
    let there = desk.path("shot.json");
    let held = || fs::read_to_string(desk.path("shot.json")).unwrap();
    fs::write(&there, "mine").unwrap();
    act(&mut studio, Action::ExportPrompt(desk.path("shot")));
    let question = studio.question.as_ref().unwrap();
    assert_eq!(question.title, "Replace the file?");
    assert!(question.choices[question.safe].label == "Cancel");
    answer(&mut studio, "Cancel");
    assert_eq!(held(), "mine");
    act(&mut studio, Action::ExportPrompt(desk.path("shot")));
    let wishes = answer(&mut studio, "Another name");
    assert!(wishes.contains(&WindowAction::AskExport));
    act(&mut studio, Action::ExportPrompt(desk.path("shot")));
    answer(&mut studio, "Replace");
    let (_, form, _) = format::read(&there).unwrap();
    assert_eq!(form, longtake_graph::Format::Prompt);
    // The whole name was the person's: the dialog has asked.
    fs::write(&there, "mine").unwrap();
    act(&mut studio, Action::ExportPrompt(there.clone()));
    assert!(studio.question.is_none() && held() != "mine");
}

#[test]
fn recent_files_and_settings_are_kept_for_the_next_start() {
    let desk = Desk::new(&testing::small());
    let mut studio = desk.opened();
    act(&mut studio, Action::SaveAs(desk.path("second.longtake")));
    studio.settings.scale = 1.25;
    command(&mut studio, Command::Quit);
    fs::remove_file(desk.path("second.longtake")).unwrap();

    let mut studio = desk.window();
    let recent = |studio: &Studio| -> Vec<(PathBuf, bool)> {
        let files = studio.files.recent.iter();
        files.map(|it| (it.path.clone(), it.missing)).collect()
    };
    let second = desk.path("second.longtake");
    assert_eq!(
        recent(&studio),
        [(second.clone(), true), (desk.film.clone(), false)]
    );
    studio.act(Action::ForgetRecent(second));
    assert_eq!(recent(&studio), [(desk.film.clone(), false)]);
    let (settings, broken) = load_settings(&desk.places().settings());
    assert_eq!((settings.scale, broken), (1.25, None));
}

#[test]
fn broken_settings_are_told() {
    let desk = Desk::new(&testing::small());
    let path = desk.places().settings();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "{ no").unwrap();
    let (settings, broken) = load_settings(&path);
    assert_eq!(settings, Settings::default());
    let mut studio = testing::studio(Project::default());
    studio.settle_in(desk.places(), broken.as_ref());
    assert!(last_message(&studio).contains("settings.json.broken"));
    let unreadable = Broken {
        kept: None,
        ..broken.unwrap()
    };
    assert!(!unreadable.text(crate::Language::Ja).is_empty());
}

#[test]
fn a_document_from_elsewhere_has_no_file() {
    let desk = Desk::new(&testing::small());
    let mut studio = desk.opened();
    retitle(&mut studio, "mine");
    studio.show(Arc::new(Project::default()), Some("Animatic".to_owned()));
    answer(&mut studio, "Save");
    assert_eq!(studio.session.path, None);
    assert_eq!(studio.suggested_save(), Path::new("Animatic.longtake"));
    assert!(desk.on_disk().contains("mine"));
    assert!(studio.title().starts_with("Untitled"));
}
