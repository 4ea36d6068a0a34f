//! What nodes look like that no class declares.

use longtake_graph::{NodeId, Port, Project, Subgraph};
use serde_json::json;

use super::fake::{Classes, graph};
use crate::scene::Scene;
use crate::shape::{Origin, Shape};

fn port(name: &str, kind: &str) -> Port {
    Port {
        name: name.to_owned(),
        kind: kind.to_owned(),
        ..Port::default()
    }
}

/// `outer` uses `inner`, which has a sampler; `steps` leads through both and a reroute.
fn nested() -> Project {
    let inner = Subgraph {
        inputs: vec![port("model", "MODEL"), port("steps", "INT")],
        outputs: vec![port("latent", "LATENT")],
        graph: graph(
            "-10 SubgraphInput
             -20 SubgraphOutput latent<-1.0
             1 KSampler model<--10.0 steps<-2.0
             2 Reroute <--10.1",
        ),
        ..Subgraph::default()
    };
    let mut outer = Subgraph {
        inputs: vec![port("count", "INT"), port("loose", "IMAGE")],
        outputs: vec![port("latent", "LATENT")],
        graph: graph(
            "-10 SubgraphInput
             -20 SubgraphOutput latent<-1.0
             1 inner steps<--10.0",
        ),
        ..Subgraph::default()
    };
    outer.graph.title = "Outer".to_owned();
    outer.inputs[0].label = Some("how many".to_owned());
    let mut project = graph("1 outer count=5\n2 Reroute <-1.0\n3 Reroute <-2.0\n4 Reroute");
    project.subgraphs.insert("inner".to_owned(), inner);
    project.subgraphs.insert("outer".to_owned(), outer);
    project
}

fn shape(project: &Project, scope: Option<&str>, id: &str) -> Shape {
    let scene = Scene {
        root: project,
        scope,
        catalog: &Classes,
    };
    scene.shape(scene.node(&NodeId::from(id)).unwrap())
}

#[test]
fn a_definition_is_walked_once_however_often_it_is_used() {
    // Two ports in a row through 31 definitions, and one that holds itself: 2^31 walks if each
    // asked for all that the next says.
    let mut project = graph("1 s0 a=1 b=2\n2 own");
    let definition = |text: &str| Subgraph {
        inputs: vec![port("a", "INT"), port("b", "INT")],
        graph: graph(text),
        ..Subgraph::default()
    };
    for n in 0..30 {
        let inner = format!("-10 SubgraphInput\n1 s{} a<--10.0 b<--10.1", n + 1);
        project
            .subgraphs
            .insert(format!("s{n}"), definition(&inner));
    }
    let last = definition("-10 SubgraphInput\n1 KSampler steps<--10.1 seed<--10.0");
    project.subgraphs.insert("s30".to_owned(), last);
    let own = definition("-10 SubgraphInput\n1 own a<--10.0 b<--10.1");
    project.subgraphs.insert("own".to_owned(), own);
    let names = |id: &str| -> Vec<_> {
        let inputs = shape(&project, None, id).inputs;
        inputs
            .into_iter()
            .map(|it| it.decl.map(|it| it.name))
            .collect()
    };
    assert_eq!(names("1"), [Some("seed"), Some("steps")]);
    assert_eq!(names("2"), [None, None]);
}

#[test]
fn a_port_takes_the_widget_of_what_it_leads_to() {
    let project = nested();
    let outer = shape(&project, None, "1");
    assert_eq!(outer.title, "Outer");
    assert!(matches!(outer.origin, Origin::Subgraph));
    assert_eq!(outer.inputs[0].label, "how many");
    assert!(
        outer.inputs[0].is_parameter(),
        "found through the inner instance and a reroute"
    );
    assert_eq!(outer.inputs[0].decl.unwrap().name, "steps");
    assert!(!outer.inputs[1].is_parameter() && outer.inputs[1].decl.is_none());
    assert_eq!(outer.outputs[0].kind, "LATENT");
}

#[test]
fn the_border_has_the_ports() {
    let project = nested();
    let inputs = shape(&project, Some("inner"), "-10");
    let kinds: Vec<_> = inputs.outputs.iter().map(|it| it.kind.as_str()).collect();
    assert_eq!(kinds, ["MODEL", "INT"]);
    let outputs = shape(&project, Some("inner"), "-20");
    assert_eq!(outputs.inputs[0].name, "latent");
    assert!(matches!(outputs.origin, Origin::Border));
}

#[test]
fn a_reroute_has_the_kind_of_its_source() {
    let project = nested();
    assert_eq!(shape(&project, None, "3").outputs[0].kind, "LATENT");
    assert_eq!(shape(&project, None, "4").outputs[0].kind, "*");
    assert_eq!(shape(&project, Some("inner"), "2").inputs[0].kind, "INT");
    let ring = graph("1 Reroute <-2.0\n2 Reroute <-1.0");
    assert_eq!(shape(&ring, None, "1").outputs[0].kind, "*");
    let forward = graph("1 Reroute\n2 Reroute <-1.0\n3 SaveVideo images<-2.0");
    assert_eq!(shape(&forward, None, "1").outputs[0].kind, "IMAGE");
    let torn = graph("1 Reroute\n2 SaveVideo images<-1.0\n3 KSampler steps<-1.0");
    assert_eq!(
        shape(&torn, None, "1").outputs[0].kind,
        "*",
        "nothing suits both"
    );
    let tree = graph(
        "1 Reroute\n2 SaveVideo fps<-1.0\n3 Reroute <-1.0\n4 KSampler steps<-3.0\n5 Reroute <-1.0",
    );
    for id in ["1", "3", "5"] {
        assert_eq!(
            shape(&tree, None, id).outputs[0].kind,
            "INT",
            "what all of them take"
        );
    }
}

#[test]
fn a_subgraph_within_itself_is_still_drawn() {
    let mut project = graph("1 s");
    let own = Subgraph {
        inputs: vec![port("a", "INT")],
        graph: graph("-10 SubgraphInput\n1 s a<--10.0"),
        ..Subgraph::default()
    };
    project.subgraphs.insert("s".to_owned(), own);
    assert!(!shape(&project, None, "1").inputs[0].is_parameter());
}

#[test]
fn an_unknown_node_shows_what_its_file_and_its_links_say() {
    let mut project = graph("1 Gone a<-9.0 text=\"x\"\n2 SaveVideo images<-1.2");
    let slots = json!({"inputs": [{"name": "b", "type": "MASK"}], "outputs": [{"name": "OUT", "type": "MASK"}]});
    project.nodes[0].extra.insert("comfyui".to_owned(), slots);
    let found = shape(&project, None, "1");
    let inputs: Vec<_> = found
        .inputs
        .iter()
        .map(|it| (it.name.as_str(), it.kind.as_str()))
        .collect();
    assert_eq!(inputs, [("b", "MASK"), ("a", "*")]);
    let outputs: Vec<_> = found
        .outputs
        .iter()
        .map(|it| (it.label.as_str(), it.kind.as_str()))
        .collect();
    assert_eq!(outputs, [("OUT", "MASK"), ("1", "*"), ("2", "*")]);
}
