//! Projects with subgraphs compile as if they were drawn flat.

use expect_test::expect;
use longtake_graph::{Input, Link, Mode, Node, Port, Project, Subgraph};

use super::{said, signatures, steps, t2v};
use crate::toy::{GIB, Toy, World, gpu, project};
use crate::{Compiled, Options, compile};

fn port(name: &str, kind: &str) -> Port {
    Port {
        name: name.to_owned(),
        kind: kind.to_owned(),
        ..Port::default()
    }
}

fn link(node: &str) -> Input {
    Input::Link(Link {
        node: node.into(),
        output: 0,
    })
}

/// Sampling and decoding in a subgraph, the prompt through a reroute.
fn nested() -> Project {
    let mut outer = project(&t2v());
    let mut inner = Project::default();
    for id in ["v", "s", "d", "o"] {
        let node = outer.nodes.shift_remove(id).expect("a node of it");
        inner.nodes.insert(id.into(), node);
    }
    let sampler = &mut inner.nodes["s"];
    sampler.inputs.insert("model".to_owned(), link("in"));
    let cond = Link {
        node: "in".into(),
        output: 1,
    };
    sampler.inputs.insert("cond".to_owned(), Input::Link(cond));
    let class = |class: &str, inputs: &[(&str, &str)]| Node {
        class: class.to_owned(),
        inputs: inputs
            .iter()
            .map(|(name, from)| ((*name).to_owned(), link(from)))
            .collect(),
        ..Node::default()
    };
    inner
        .nodes
        .insert("in".into(), class(Subgraph::INPUT_CLASS, &[]));
    let definition = Subgraph {
        inputs: vec![port("model", "MODEL"), port("cond", "CONDITIONING")],
        graph: inner,
        ..Subgraph::default()
    };
    outer.subgraphs.insert("make".to_owned(), definition);
    outer
        .nodes
        .insert("r".into(), class("Reroute", &[("", "p")]));
    outer
        .nodes
        .insert("g".into(), class("make", &[("model", "m"), ("cond", "r")]));
    outer
}

fn compiled(project: &Project, outputs: Option<&str>) -> Compiled {
    let options = Options {
        outputs: outputs.map(|id| vec![id.into()]),
        ..Options::default()
    };
    let (specs, world) = (Toy::default(), World::default());
    compile(project, &specs, &world, &gpu(24 * GIB), &options)
}

#[test]
fn the_same_work_under_ids_with_colons() {
    let plan = |outputs| {
        let result = compiled(&nested(), outputs);
        assert_eq!(said(&result), "\n");
        result.plan.expect("a plan")
    };
    let whole = plan(None);
    expect![[r#"
        p = Encode const
        g:s = Sample const p
        g:d = Decode const g:s
        g:o.encode = EncodeSegment g:d
        g:o = SaveVideo [g:o.encode]
    "#]]
    .assert_eq(&steps(&whole));
    assert_eq!(plan(Some("g")), whole);
    assert_eq!(plan(Some("g:o")), whole);
    let flat = compiled(&project(&t2v()), None).plan.expect("a plan");
    let values = |plan| {
        let mut values: Vec<_> = signatures(plan).into_values().collect();
        values.sort_unstable();
        values
    };
    assert_eq!(values(&whole), values(&flat));
}

#[test]
fn findings_name_the_node_within() {
    let mut project = nested();
    let inner = &mut project.subgraphs["make"].graph.nodes["s"];
    inner
        .inputs
        .insert("width".to_owned(), Input::Literal(833.into()));
    expect![[r#"
        [size_not_multiple] error: node g:s (Sample), input `width`: width must be a multiple of 16, got 833
    "#]].assert_eq(&said(&compiled(&project, None)));

    let mut project = nested();
    project.subgraphs["make"].graph.nodes.insert(
        "again".into(),
        Node {
            class: "make".to_owned(),
            ..Node::default()
        },
    );
    expect![[r#"
        [subgraph_recursion] error: node g:again (make): a subgraph cannot contain itself: make → make; remove one of these instances
    "#]].assert_eq(&said(&compiled(&project, None)));

    let mut project = nested();
    project.nodes["g"].mode = Mode::Mute;
    expect![[r#"
        [prompt_no_outputs] error: graph: expected a node that saves or shows something (SaveVideo, SaveImage, PreviewImage, …), found none, so nothing would run
        [unknown_output] error: graph: The graph has no active output node g; give the id of a node that saves or shows something.
    "#]].assert_eq(&said(&compiled(&project, Some("g"))));
}
