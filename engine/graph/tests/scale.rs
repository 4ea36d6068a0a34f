//! Large and knotted graphs: linear time and no recursion. The bounds are generous, since test
//! machines are shared; quadratic work would miss them a hundredfold.

mod common;

use std::time::{Duration, Instant};

use common::{Shelf, node};
use longtake_graph::format::{Format, to_text};
use longtake_graph::{Mode, NodeId, Project, check, read_bytes, topological_order};

const MANY: usize = 100_000;

fn timed<T>(what: &str, bound_secs: f64, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    let took = start.elapsed();
    println!("{what}: {took:?}");
    assert!(
        took < Duration::from_secs_f64(bound_secs),
        "{what} took {took:?}"
    );
    result
}

/// `n0` makes a latent, each node takes from the one before, the last saves it.
fn chain(mode: Mode) -> Project {
    let mut graph = Project::default();
    graph.nodes.insert("n0".into(), node("EmptyLatent", &[]));
    for at in 1..MANY {
        let mut link = node("Mix", &[("a", &format!("n{}", at - 1))]);
        link.mode = mode;
        graph.nodes.insert(NodeId::new(format!("n{at}")), link);
    }
    graph.nodes.insert(
        "save".into(),
        node("Save", &[("samples", &format!("n{}", MANY - 1))]),
    );
    graph
}

#[test]
fn a_chain_of_100_000() {
    let graph = chain(Mode::Active);
    assert_eq!(timed("check", 5.0, || check(&graph, &Shelf)), []);
    let order = timed("order", 5.0, || topological_order(&graph)).unwrap();
    assert!(order.iter().eq(graph.nodes.keys()));
    for format in [Format::Project, Format::Prompt] {
        let (text, _) = timed("write", 5.0, || to_text(&graph, format, &Shelf));
        let (again, ..) = timed("read", 5.0, || read_bytes("chain", text.as_bytes())).unwrap();
        assert_eq!(again, graph);
    }
}

#[test]
fn the_same_chain_backwards_bypassed_muted_and_closed() {
    let mut graph = chain(Mode::Active);
    graph.nodes.reverse();
    assert_eq!(timed("backwards", 5.0, || check(&graph, &Shelf)), []);
    assert_eq!(topological_order(&graph).unwrap()[0], "n0".into());

    let graph = chain(Mode::Bypass);
    assert_eq!(timed("bypassed", 5.0, || check(&graph, &Shelf)), []);

    let mut graph = chain(Mode::Active);
    graph.nodes["n0"].mode = Mode::Mute;
    let found = timed("muted", 5.0, || check(&graph, &Shelf));
    assert_eq!(
        found.len(),
        1,
        "an optional input stays empty, all else runs"
    );

    let mut graph = chain(Mode::Active);
    graph.nodes["n0"] = node("Mix", &[("a", &format!("n{}", MANY - 1))]);
    let found = timed("closed", 5.0, || check(&graph, &Shelf));
    assert_eq!(found.len(), 1);
    assert!(found[0].message.en.len() < 300, "{}", found[0].message);
    assert_eq!(topological_order(&graph).unwrap_err().nodes.len(), MANY);
}

/// Everyone takes from the end of one long bypassed chain: each hop is followed once, not once
/// per consumer.
#[test]
fn a_long_bypass_with_many_consumers() {
    let mut graph = chain(Mode::Bypass);
    for at in 0..MANY / 2 {
        let consumer = node("Save", &[("samples", &format!("n{}", MANY - 1))]);
        graph
            .nodes
            .insert(NodeId::new(format!("save{at}")), consumer);
    }
    assert_eq!(timed("fan", 5.0, || check(&graph, &Shelf)), []);
}

#[test]
fn a_diamond_ladder_has_2_to_the_60_paths() {
    let mut graph = Project::default();
    graph.nodes.insert("t0".into(), node("EmptyLatent", &[]));
    for layer in 1..=60 {
        let from = format!("t{}", layer - 1);
        let (left, right) = (format!("l{layer}"), format!("r{layer}"));
        graph
            .nodes
            .insert(NodeId::new(&left), node("Mix", &[("a", &from)]));
        graph
            .nodes
            .insert(NodeId::new(&right), node("Mix", &[("b", &from)]));
        graph.nodes.insert(
            NodeId::new(format!("t{layer}")),
            node("Mix", &[("a", &left), ("b", &right)]),
        );
    }
    graph
        .nodes
        .insert("save".into(), node("Save", &[("samples", "t60")]));
    assert_eq!(timed("ladder", 0.5, || check(&graph, &Shelf)), []);
    assert_eq!(topological_order(&graph).unwrap().len(), 182);
    for mid in graph.nodes.values_mut().filter(|it| it.class == "Mix") {
        mid.mode = Mode::Bypass;
    }
    // Each top passes on its first LATENT, `a`.
    assert_eq!(timed("bypassed ladder", 0.5, || check(&graph, &Shelf)), []);
}

#[test]
fn unknown_classes_and_missing_nodes_in_bulk() {
    let mut graph = Project::default();
    for at in 0..MANY {
        let class = format!("Mystery{}", at % 5000);
        graph.nodes.insert(
            NodeId::new(format!("n{at}")),
            node(&class, &[("a", &format!("gone{at}"))]),
        );
    }
    let found = timed("bulk", 5.0, || check(&graph, &Shelf));
    assert_eq!(found.len(), 2 * MANY + 1);
}

/// All to all: a knot with a million links.
#[test]
fn a_dense_knot() {
    let mut graph = Project::default();
    for at in 0..1000 {
        let links: Vec<(String, String)> = (0..1000)
            .map(|to| (format!("i{to}"), format!("n{to}")))
            .collect();
        let links: Vec<(&str, &str)> = links
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        graph
            .nodes
            .insert(NodeId::new(format!("n{at}")), node("Unknown", &links));
    }
    let found = timed("knot", 8.0, || check(&graph, &Shelf));
    assert_eq!(
        found
            .iter()
            .filter(|it| it.code == "dependency_cycle")
            .count(),
        1
    );
}
