//! Commands that cannot be done now.

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use longtake_editor::messages::Tone;
use longtake_editor::{Command, Language, testing};
use longtake_graph::Project;

use super::situations::with_note;
use super::stage::Stage;

fn impossible(stage: &Stage) -> Vec<Command> {
    let all = Command::ALL.iter().copied();
    all.filter(|it| stage.studio().unavailable(*it).is_some())
        .collect()
}

#[test]
fn what_cannot_be_done_is_grey_in_the_menu_and_says_why() {
    let mut stage = Stage::new(testing::small());
    let off = impossible(&stage);
    assert!(off.contains(&Command::Undo) && off.contains(&Command::ViewResult));
    let mut menu = None;
    for &command in Command::ALL {
        if menu != Some(command.menu()) {
            stage.harness.key_press(Key::Escape);
            stage.steps(2);
            // The menu bar is the topmost place where the word stands.
            let words = stage.harness.get_all_by_label(command.menu().title().en);
            let top = |it: &egui_kittest::Node<'_>| it.rect().top();
            words
                .min_by(|a, b| top(a).total_cmp(&top(b)))
                .unwrap()
                .click();
            stage.steps(4);
            menu = Some(command.menu());
        }
        let title = command.title().en;
        let mut entries = stage.harness.get_all_by_label_contains(title);
        let entry = entries.rfind(|it| {
            let label = it.accesskit_node().label().unwrap_or_default();
            let rest = label.strip_prefix(title);
            rest.is_some_and(|it| it.trim() == command.default_keys().split(' ').next().unwrap())
        });
        let entry = entry.unwrap_or_else(|| panic!("no entry for {command:?}"));
        assert_eq!(
            entry.accesskit_node().is_disabled(),
            off.contains(&command),
            "{command:?}"
        );
        let at = entry.rect().center();
        drop(entries);
        if let Some(why) = stage.studio().unavailable(command) {
            stage.harness.hover_at(at);
            stage.steps(60);
            assert!(stage.shows(why.en), "{command:?}: {}", why.en);
        }
    }
}

#[test]
fn a_key_of_a_command_that_cannot_be_done_is_answered_with_why() {
    let mut stage = Stage::new(testing::small());
    for command in impossible(&stage) {
        let (keys, why) = (
            command.default_keys(),
            stage.studio().unavailable(command).unwrap(),
        );
        if keys.is_empty() {
            continue;
        }
        stage.studio_mut().messages.list.clear();
        let before = stage.studio().session.project().clone();
        stage.press(keys);
        let told = &stage.studio().messages.list;
        if command == Command::LeaveSubgraph {
            assert!(
                told.is_empty(),
                "Escape where there is nothing to end is quiet"
            );
        } else {
            assert_eq!(told.len(), 1, "{command:?}");
            assert_eq!((told[0].tone, &*told[0].text), (Tone::Note, why.en));
        }
        assert_eq!(stage.studio().session.project(), &before);
    }
}

#[test]
fn the_palette_answers_with_why() {
    let mut stage = Stage::new(testing::small());
    stage
        .harness
        .key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::P);
    stage.steps(4);
    stage.harness.event(egui::Event::Text("Unpack".to_owned()));
    stage.steps(4);
    let row = stage.harness.get_by_label_contains("Unpack subgraph");
    assert!(row.accesskit_node().is_disabled());
    stage.harness.key_press(Key::Enter);
    stage.steps(4);
    assert!(stage.shows("Select a subgraph first."));
    assert!(!stage.shows("Type a command"), "closed");
}

#[test]
fn an_empty_graph_has_nothing_to_run_show_or_lay_out() {
    let stage = Stage::new(Project::default());
    for command in [
        Command::Run,
        Command::Export,
        Command::Fit,
        Command::SelectAll,
        Command::AutoLayout,
    ] {
        let why = stage.studio().unavailable(command).unwrap();
        assert!(why.get(Language::Ja).contains('空'), "{command:?}");
    }
}

#[test]
fn a_note_can_be_copied_and_named_but_not_run_muted_or_viewed() {
    let mut stage = Stage::new(testing::small());
    with_note(&mut stage);
    let off = impossible(&stage);
    for command in [
        Command::Copy,
        Command::Delete,
        Command::Rename,
        Command::Group,
    ] {
        assert!(!off.contains(&command), "{command:?}");
    }
    for command in [Command::Mute, Command::RunSelected, Command::ViewResult] {
        assert!(off.contains(&command), "{command:?}");
    }
    // A checkpoint is no picture.
    stage.select(&["1"]);
    let off = impossible(&stage);
    assert!(off.contains(&Command::ViewResult) && !off.contains(&Command::Mute));
    stage.select(&["6"]);
    assert!(!impossible(&stage).contains(&Command::ViewResult));
}
