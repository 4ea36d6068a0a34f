//! Edits: what a removal brings back, what is refused, and edits of single shots.

mod common;

use common::project;
use longtake_graph::{
    Edit, EditError, Input, Node, NodeId, Port, Project, add_shot, apply, move_shot, remove_shot,
    shot_edit,
};
use serde_json::json;

fn graph() -> Project {
    project(
        r#"{"longtake": 1, "nodes": {
        "a": {"class": "EmptyLatent"},
        "b": {"class": "Mix", "inputs": {"a": {"link": ["a", 0]}, "b": {"link": ["a", 0]}, "amount": 0.5}},
        "s": {"class": "Storyboard", "inputs": {"title": "t", "shots": [{"id": "1", "seconds": 2}, {"id": "2", "seconds": 3}]}}},
        "subgraphs": {"soft": {"inputs": [{"name": "image", "kind": "IMAGE", "later": 1}], "outputs": [],
            "graph": {"title": "Soften", "nodes": {"1": {"class": "Mix", "inputs": {"a": 1, "b": 2}}}}}}}"#,
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
fn a_definition_is_changed_within_and_as_a_whole() {
    let mut project = graph();
    let start = project.to_json();
    let within = |edit| Edit::Within {
        subgraph: "soft".into(),
        edit: Box::new(edit),
    };
    let undo = apply(
        &mut project,
        Edit::Batch(vec![
            within(Edit::SetProjectTitle {
                title: "Blur".into(),
            }),
            within(Edit::SetInput {
                node: "1".into(),
                input: "a".into(),
                value: None,
            }),
            Edit::SetPorts {
                subgraph: "soft".into(),
                inputs: Vec::new(),
                outputs: vec![Port {
                    name: "out".into(),
                    kind: "IMAGE".into(),
                    ..Port::default()
                }],
            },
        ]),
    )
    .unwrap();
    let soft = &project.subgraphs["soft"];
    assert_eq!(soft.graph.title, "Blur");
    assert_eq!(soft.graph.nodes["1"].inputs.len(), 1);
    assert_eq!(soft.outputs[0].shown(), "out");
    let redo = apply(&mut project, undo).unwrap();
    assert_eq!(project.to_json(), start);
    apply(&mut project, redo).unwrap();
    let removed = Edit::RemoveSubgraph { id: "soft".into() };
    let text = project.to_json();
    let undo = apply(&mut project, removed).unwrap();
    assert!(project.subgraphs.is_empty());
    apply(&mut project, undo).unwrap();
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
            Edit::RemoveSubgraph { id: "s".into() },
            "there is no subgraph `s`",
        ),
        (
            Edit::Within {
                subgraph: "soft".into(),
                edit: Box::new(Edit::Batch(vec![Edit::RemoveSubgraph {
                    id: "soft".into(),
                }])),
            },
            "subgraphs are defined at the root of the project, not within subgraph `soft`",
        ),
        (
            Edit::Within {
                subgraph: "soft".into(),
                edit: Box::new(Edit::RemoveNode { id: "a".into() }),
            },
            "there is no node `a`",
        ),
        (
            Edit::SetExtra {
                id: "a".into(),
                key: "class".into(),
                value: Some(json!("b")),
            },
            "`class` is a field of the node itself; use the edit for that field",
        ),
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
