//! Whatever the graph, the compiler answers, and what it plans passes its own check. Names, titles and places of nodes have no say in signatures.

use longtake_graph::{Catalog, Input, InputType, Link, Mode, Node, NodeId, Project};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{film, t2v};
use crate::toy::{GIB, Toy, World, cpu, gpu, project};
use crate::{Options, compile};

/// Numbers from which a graph is made: reproducible and easy to shrink.
fn random_project(seeds: &[(u8, u8, u16)]) -> Project {
    random_project_of(seeds, &Toy::default().classes())
}

fn random_project_of(seeds: &[(u8, u8, u16)], classes: &[&'static str]) -> Project {
    let toy = Toy::default();
    let mut project = Project::default();
    for (at, &(class, mode, seed)) in seeds.iter().enumerate() {
        let class = classes[class as usize % classes.len()];
        let mut node = Node {
            class: class.to_owned(),
            ..Node::default()
        };
        node.mode = match mode % 16 {
            0 => Mode::Mute,
            1 => Mode::Bypass,
            _ => Mode::Active,
        };
        let inputs = toy.declaration(class).map_or(&[][..], |decl| decl.inputs);
        for (nth, input) in inputs.iter().enumerate() {
            let roll = usize::from(seed).wrapping_mul(31).wrapping_add(nth * 7919);
            if let Some(value) = given(&toy, seeds, classes, input, at, roll) {
                node.inputs.insert(input.name.to_owned(), value);
            }
        }
        project.nodes.insert(NodeId::new(at.to_string()), node);
    }
    project
}

/// Mostly a link of the right kind to an earlier node, at times one to any node.
fn given(
    toy: &Toy,
    seeds: &[(u8, u8, u16)],
    classes: &[&str],
    input: &longtake_graph::InputDecl,
    at: usize,
    roll: usize,
) -> Option<Input> {
    let link = |node: usize, output: u32| {
        Some(Input::Link(Link {
            node: NodeId::new(node.to_string()),
            output,
        }))
    };
    if roll.is_multiple_of(41) {
        return link(roll % seeds.len(), 0);
    }
    let fits: Vec<(usize, u32)> = (0..at)
        .flat_map(|node| {
            let class = classes[seeds[node].0 as usize % classes.len()];
            let outputs = toy.declaration(class).map_or(&[][..], |decl| decl.outputs);
            let kind = input.kind();
            (0u32..)
                .zip(outputs)
                .filter(move |(_, it)| kind.accepts(&it.kind))
                .map(move |(output, _)| (node, output))
        })
        .collect();
    let literal = |value: Json| Some(Input::Literal(value));
    match input.ty {
        InputType::Shots => literal(json!([
            {"id": "a", "seconds": 1.0, "transition": "fade", "transition_seconds": 0.25},
            {"id": "b", "seconds": 0.5, "seed": roll},
        ])),
        InputType::Model { .. } | InputType::File { .. } if !roll.is_multiple_of(3) => {
            literal(json!("file"))
        }
        _ if fits.is_empty()
            || !matches!(input.ty, InputType::Socket(_)) && !roll.is_multiple_of(3) =>
        {
            None
        }
        _ => fits
            .get(roll % fits.len())
            .and_then(|&(node, output)| link(node, output)),
    }
}

/// Found by chance: the shots of one film ask for the frame before them through another film, of which
/// only the second shot is wanted.
#[rustfmt::skip]
const CROSSED_FILMS: &[(u8, u8, u16)] = &[
    (5, 0, 0), (170, 2, 0), (5, 0, 0), (168, 0, 0), (18, 0, 0), (68, 0, 0),
    (71, 0, 0), (18, 0, 0), (93, 0, 0), (35, 0, 0), (155, 0, 0), (135, 0, 0),
    (5, 0, 0), (118, 0, 0), (49, 0, 0), (170, 2, 1600), (129, 2, 1226), (80, 0, 0),
    (0, 0, 0), (226, 2, 28259), (124, 0, 0), (96, 0, 0), (230, 0, 0), (5, 0, 0),
    (10, 0, 0), (205, 0, 0), (139, 0, 0), (18, 0, 0), (71, 0, 0), (18, 0, 0),
    (35, 0, 0), (10, 0, 0), (68, 0, 0), (60, 0, 0), (40, 2, 56137), (0, 0, 0),
];

#[test]
fn films_that_cross_are_told_not_a_panic() {
    // The numbers stand for the classes there were when it was found.
    let later = ["Experts", "ExpertsHigh", "Guider", "SampleGuided"];
    let mut classes = Toy::default().classes();
    classes.retain(|it| !later.contains(it));
    let project = random_project_of(CROSSED_FILMS, &classes);
    let options = Options {
        shots: Some([2].into()),
        ..Options::default()
    };
    let result = compile(
        &project,
        &Toy::default(),
        &World::default(),
        &cpu(64 * GIB),
        &options,
    );
    assert!(result.plan.is_none());
    assert!(
        result.diagnostics.iter().any(|it| it.code == "two_films"),
        "{:?}",
        result.diagnostics
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_panics(seeds in prop::collection::vec(any::<(u8, u8, u16)>(), 1..40), tight in any::<bool>()) {
        let project = random_project(&seeds);
        let machine = if tight { gpu(6 * GIB) } else { cpu(64 * GIB) };
        let options = Options { shots: (seeds.len().is_multiple_of(3)).then(|| [2].into()), ..Options::default() };
        let result = compile(&project, &Toy::default(), &World::default(), &machine, &options);
        let bug = result.diagnostics.iter().find(|it| it.code == "internal_error");
        prop_assert!(bug.is_none(), "{bug:?}");
        if let Some(plan) = result.plan {
            prop_assert!(!plan.to_text().is_empty());
            prop_assert!(plan.to_full_text().lines().all(|line| line.chars().count() < 120));
            prop_assert!(plan.to_json().is_object());
        }
    }

    #[test]
    fn names_and_places_do_not_matter(order in Just((0..11usize).collect::<Vec<_>>()).prop_shuffle()) {
        let before = project(&film(&[(1.0, 0.25), (1.0, 0.0)], false));
        let mut after = Project::default();
        let name = |id: &NodeId| NodeId::new(format!("renamed {id}"));
        for at in order {
            let (id, node) = before.nodes.get_index(at).expect("eleven nodes");
            let mut node = node.clone();
            node.title = Some("another title".to_owned());
            node.pos = Some([at as f32, 1.0]);
            for input in node.inputs.values_mut() {
                if let Input::Link(link) = input {
                    link.node = name(&link.node);
                }
            }
            after.nodes.insert(name(id), node);
        }
        prop_assert_eq!(signatures(&before), signatures(&after));
    }
}

fn signatures(project: &Project) -> Vec<String> {
    let result = compile(
        project,
        &Toy::default(),
        &World::default(),
        &gpu(24 * GIB),
        &Options::default(),
    );
    let plan = result.plan.expect("a plan");
    let mut signatures: Vec<String> = plan
        .steps
        .iter()
        .map(|it| it.signature.to_string())
        .collect();
    signatures.sort();
    signatures
}

#[test]
fn how_a_step_is_done_is_no_part_of_its_signature() {
    let project = project(&t2v());
    let mut world = World::default();
    world.elements.insert("t5".to_owned(), GIB / 2);
    let plans = [gpu(24 * GIB), gpu(2 * GIB), cpu(20 * GIB)].map(|machine| {
        let plan = compile(
            &project,
            &Toy::default(),
            &world,
            &machine,
            &Options::default(),
        )
        .plan
        .expect("a plan");
        plan.steps.iter().map(|it| it.signature).collect::<Vec<_>>()
    });
    assert_eq!(plans[0], plans[1]);
    assert_eq!(plans[0], plans[2]);
}
