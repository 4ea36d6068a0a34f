//! Pasting from the menu takes what the desktop's clipboard holds, and else what was copied here.

use egui::Event;
use longtake_editor::{Command, Item, Selection, testing};
use longtake_graph::NodeId;

use super::stage::Stage;

fn nodes(stage: &Stage) -> usize {
    stage.studio().session.project().nodes.len()
}

/// What another window copied: three nodes.
fn elsewhere() -> String {
    let other = testing::studio(testing::small());
    let items = ["5", "6", "7"].map(|id| Item::Node(NodeId::new(id)));
    let scene = other.session.scene(other.engine.catalog());
    longtake_editor::clipboard::copy(&scene, &Selection::of(items)).unwrap()
}

#[test]
fn the_desktops_clipboard_comes_before_what_was_copied_here() {
    let mut stage = Stage::new(testing::small());
    stage.select(&["6"]);
    stage.command(Command::Copy);
    let before = nodes(&stage);
    stage.studio_mut().command(Command::Paste);
    stage.steps(1);
    assert!(stage.asked().contains(&"clipboard?".to_owned()));
    // The desktop answers in the next frame.
    stage.harness.event(Event::Paste(elsewhere()));
    stage.steps(10);
    assert_eq!(nodes(&stage), before + 3);
}

#[test]
fn a_desktop_that_tells_nothing_leaves_what_was_copied_here() {
    let mut stage = Stage::new(testing::small());
    let before = nodes(&stage);
    stage.studio_mut().command(Command::Paste);
    stage.steps(10);
    assert_eq!(nodes(&stage), before);
    assert!(stage.shows("Nothing was copied yet."));
    stage.select(&["6"]);
    stage.command(Command::Copy);
    stage.studio_mut().command(Command::PasteLinked);
    stage.steps(10);
    assert_eq!(nodes(&stage), before + 1);
}
