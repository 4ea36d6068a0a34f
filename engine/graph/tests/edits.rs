//! Edits: what a removal brings back, what is refused, and edits of single shots.

mod common;

use common::project;
use longtake_graph::{
    Edit, EditError, Input, Node, NodeId, Project, add_shot, apply, move_shot, remove_shot,
    shot_edit,
};
use serde_json::json;

fn graph() -> Project {
    project(
        r#"{"longtake": 1, "nodes": {
        "a": {"class": "EmptyLatent"},
        "b": {"class": "Mix", "inputs": {"a": {"link": ["a", 0]}, "b": {"link": ["a", 0]}, "amount": 0.5}},
        "s": {"class": "Storyboard", "inputs": {"title": "t", "shots": [{"id": "1", "seconds": 2}, {"id": "2", "seconds": 3}]}}}}"#,
    )
}

#[test]
fn a_removed_node_comes_back_with_its_wires_in_their_order() {
    let mut project = graph();
    let text = project.to_json();
    let inverse = apply(&mut project, Edit::RemoveNode { id: "a".into() }).unwrap();
    assert_eq!(
        project.nodes["b"].inputs.keys().collect::<Vec<_>>(),
        ["amount"]
    );
    apply(&mut project, inverse).unwrap();
    assert_eq!(project.to_json(), text);
}

#[test]
fn refused_edits_change_nothing_and_say_why() {
    let add = |id: &str, at| Edit::AddNode {
        id: id.into(),
        node: Node::default(),
        at,
    };
    let nan = |id: &str| Edit::Move {
        id: id.into(),
        pos: Some([0.0, f32::NAN]),
    };
    let rows = [
        (Edit::RemoveNode { id: "x".into() }, "there is no node `x`"),
        (
            add("a", None),
            "there is a node `a` already; choose another id",
        ),
        (
            add("n", Some(9)),
            "position 9 is behind the end; there are 3",
        ),
        (
            Edit::ReorderNode {
                id: "a".into(),
                at: 3,
            },
            "position 3 is behind the end; there are 3",
        ),
        (
            nan("a"),
            "expected finite numbers of points, found [0.0, NaN]",
        ),
        (
            Edit::SetInput {
                node: "a".into(),
                input: "x".into(),
                value: Some(Input::Literal(
                    (0..65).fold(json!(1), |inner, _| json!([inner])),
                )),
            },
            "the value is nested deeper than 64 levels, which no file could hold",
        ),
        (
            Edit::RemoveGroup { id: "g".into() },
            "there is no group `g`",
        ),
        (Edit::RemoveNote { id: "n".into() }, "there is no note `n`"),
        (
            Edit::Batch(vec![
                add("n", None),
                Edit::RemoveNode { id: "a".into() },
                nan("b"),
            ]),
            "expected finite numbers of points, found [0.0, NaN]",
        ),
    ];
    for (edit, wanted) in rows {
        let mut project = graph();
        let error = apply(&mut project, edit).unwrap_err();
        assert_eq!(error.to_string(), wanted);
        assert_eq!(project.to_json(), graph().to_json());
    }
}

#[test]
fn shots_are_edited_through_their_list() {
    let storyboard = NodeId::new("s");
    let base = graph();
    let shots = |edit: Result<Edit, EditError>| {
        let mut project = base.clone();
        let inverse = match edit {
            Ok(edit) => apply(&mut project, edit).unwrap(),
            Err(error) => return error.to_string(),
        };
        let Input::Literal(shots) = project.nodes["s"].inputs["shots"].clone() else {
            panic!("a list")
        };
        apply(&mut project, inverse).unwrap();
        assert_eq!(project.to_json(), base.to_json());
        shots.to_string()
    };
    let changes = [("prompt", Some(json!("rain"))), ("seconds", Some(json!(4)))];
    for (edit, wanted) in [
        (
            shot_edit(&base, &storyboard, "2", &changes),
            r#"[{"id":"1","seconds":2},{"id":"2","seconds":4,"prompt":"rain"}]"#,
        ),
        (
            shot_edit(&base, &storyboard, "1", &[("seconds", None)]),
            r#"[{"id":"1"},{"id":"2","seconds":3}]"#,
        ),
        (
            add_shot(&base, &storyboard, 0, json!({"id": "0"})),
            r#"[{"id":"0"},{"id":"1","seconds":2},{"id":"2","seconds":3}]"#,
        ),
        (
            remove_shot(&base, &storyboard, "1"),
            r#"[{"id":"2","seconds":3}]"#,
        ),
        (
            move_shot(&base, &storyboard, "1", 1),
            r#"[{"id":"2","seconds":3},{"id":"1","seconds":2}]"#,
        ),
        (
            shot_edit(&base, &storyboard, "9", &[]),
            "node s: there is no shot `9`",
        ),
        (
            add_shot(&base, &storyboard, 0, json!({"id": "2"})),
            "there is a shot `2` already; choose another id",
        ),
        (
            move_shot(&base, &storyboard, "1", 2),
            "position 2 is behind the end; there are 2",
        ),
        (
            remove_shot(&base, &"b".into(), "1"),
            "node b: there is no shot `1`",
        ),
        (remove_shot(&base, &"x".into(), "1"), "there is no node `x`"),
    ] {
        assert_eq!(shots(edit), wanted);
    }
}
