//! One interaction, one undo unit.

use longtake_graph::{Edit, Input};
use serde_json::json;

use super::fake::{graph, studio};
use crate::{Action, Text, t};

const DRAG: Text = t("Move", "移動");
const TYPE: Text = t("Change value", "値を変更");

fn step(at: f32) -> Action {
    let edit = |id: &str| Edit::Move {
        id: id.into(),
        pos: Some([at, at]),
    };
    Action::Live(DRAG, Edit::Batch(vec![edit("1"), edit("2")]))
}

fn typed(steps: u32) -> Action {
    Action::Live(
        TYPE,
        Edit::SetInput {
            node: "2".into(),
            input: "steps".to_owned(),
            value: Some(Input::Literal(json!(steps))),
        },
    )
}

#[test]
fn a_drag_is_one_unit_however_many_frames_it_takes() {
    let start = graph("1 Pair\n2 KSampler");
    let mut studio = studio(start.clone());
    for frame in 0..500 {
        studio.act(step(frame as f32));
    }
    studio.act(Action::Settle);
    for frame in 0..500 {
        studio.act(typed(frame));
    }
    // Another interaction ends the one before, settled or not.
    studio.act(step(7.0));
    studio.act(Action::Settle);
    studio.act(step(8.0));
    let labels: Vec<_> = studio
        .session
        .history()
        .done()
        .iter()
        .map(|it| it.label.en)
        .collect();
    assert_eq!(labels, ["Move", "Change value", "Move", "Move"]);
    let end = studio.session.graph().clone();
    while studio.session.undo().is_some() {}
    assert_eq!(*studio.session.graph(), start);
    assert!(!studio.session.dirty());
    while studio.session.redo().is_some() {}
    assert_eq!(*studio.session.graph(), end);
}

#[test]
fn a_refused_edit_makes_no_unit_and_keeps_what_can_be_redone() {
    let mut studio = studio(graph("1 Pair"));
    studio.act(step(1.0));
    assert!(
        studio.session.history().done().is_empty(),
        "there is no node 2"
    );
    studio.act(Action::AddNode {
        class: "Pair".to_owned(),
        pos: [0.0; 2],
        link: None,
    });
    studio.session.undo();
    studio.act(step(1.0));
    assert_eq!(studio.session.history().undone().len(), 1);
}
