//! Seeds after a run, wherever they stand.

use serde_json::json;

use super::fake::{Classes, graph, lines, studio};
use crate::seed::after_queue_with;
use crate::{Action, Command, Item, Selection};

#[test]
fn every_controlled_seed_moves_on_in_one_unit() {
    let mut project = graph("1 KSampler seed=5\n2 KSampler\n3 KSampler seed=9\n4 KSampler seed=1");
    for (id, mode) in [("1", "increment"), ("2", "decrement"), ("4", "randomize")] {
        let node = &mut project.nodes[id];
        node.extra
            .insert("control_after_generate".to_owned(), json!({"seed": mode}));
    }
    let mut studio = studio(project.clone());
    // One of them goes into a subgraph.
    studio.act(Action::Select(Selection::of([Item::Node("1".into())])));
    studio.command(Command::MakeSubgraph);
    let before = studio.session.project().clone();
    let mut random = || 77;
    assert_eq!(
        after_queue_with(&mut studio.session, &Classes, &mut random),
        Ok(true)
    );
    let seeds: Vec<String> = studio
        .session
        .project()
        .nodes
        .values()
        .map(|node| format!("{:?}", node.inputs.get("seed")))
        .collect();
    assert!(
        seeds[1].contains("18446744073709551615"),
        "below 0 the range wraps: {seeds:?}"
    );
    assert!(
        seeds[2].contains('9') && seeds[3].contains("77"),
        "{seeds:?}"
    );
    let inner = &studio.session.project().subgraphs["subgraph1"].graph;
    assert!(
        lines(inner)[0].starts_with("1 KSampler seed=6"),
        "{:?}",
        lines(inner)
    );
    studio.session.undo();
    assert_eq!(*studio.session.project(), before);
}

#[test]
fn without_control_nothing_happens() {
    let mut studio = studio(graph("1 KSampler seed=5"));
    assert_eq!(
        crate::seed::after_queue(&mut studio.session, &Classes),
        Ok(false)
    );
    assert!(!studio.session.dirty());
}
