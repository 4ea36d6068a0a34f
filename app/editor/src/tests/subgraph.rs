//! Subgraphs mean what their nodes meant.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use longtake_graph::{Input, NodeId, Project, lower};

use super::fake::{Classes, graph, lines, reread, studio};
use crate::subgraph::{Side, unused};
use crate::{Action, Command, Item, LooseLink, Selection, Studio};

const FILM: &str = "
    1 UNETLoader unet_name=\"a\"
    2 CLIPTextEncode text=\"sea\"
    3 CLIPTextEncode text=\"blur\"
    4 KSampler model<-1.0 positive<-2.0 negative<-3.0 steps=7
    5 KSampler model<-1.0 positive<-2.0 latent_image<-4.0
    6 VAEDecode samples<-5.0
    7 SaveVideo images<-6.0
    8 SaveVideo images<-6.0 fps=12.0
    9 VAEDecode samples<-4.0";

fn select(studio: &mut Studio, ids: &[&str]) {
    let nodes = ids.iter().map(|id| Item::Node((*id).into()));
    studio.act(Action::Select(Selection::of(nodes)));
}

/// What a graph means, without ids: each node's class, values and what it is fed by, as one number
/// per node.
pub fn meaning(project: &Project) -> Vec<u64> {
    fn of(project: &Project, id: &NodeId, known: &mut HashMap<NodeId, u64>) -> u64 {
        if let Some(known) = known.get(id) {
            return *known;
        }
        let Some(node) = project.nodes.get(id) else {
            return 1;
        };
        known.insert(id.clone(), 2); // in a ring
        let mut inputs: Vec<(&String, String)> = Vec::new();
        for (name, input) in &node.inputs {
            let value = match input {
                Input::Literal(value) => value.to_string(),
                Input::Link(link) => {
                    format!("{}.{}", of(project, &link.node, known), link.output)
                }
            };
            inputs.push((name, value));
        }
        inputs.sort();
        let mut hasher = DefaultHasher::new();
        (&node.class, format!("{:?}", node.mode), inputs).hash(&mut hasher);
        let number = hasher.finish();
        known.insert(id.clone(), number);
        number
    }
    let lowered = lower(project, &Classes);
    let mut known = HashMap::new();
    let nodes = lowered.project.nodes.keys();
    let mut all: Vec<u64> = nodes
        .map(|id| of(&lowered.project, id, &mut known))
        .collect();
    all.sort_unstable();
    all
}

#[test]
fn making_and_unpacking_keep_the_meaning() {
    let ids = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let start = graph(FILM);
    let wanted = meaning(&start);
    for chosen in 1u32..512 {
        let mut studio = studio(start.clone());
        let some = ids.iter().enumerate().filter(|(n, _)| chosen >> n & 1 == 1);
        let some: Vec<&str> = some.map(|it| *it.1).collect();
        select(&mut studio, &some);
        studio.command(Command::MakeSubgraph);
        assert_eq!(
            studio.session.graph().nodes.len(),
            ids.len() - some.len() + 1
        );
        assert_eq!(
            meaning(studio.session.project()),
            wanted,
            "made of {some:?}"
        );
        assert_eq!(reread(studio.session.project()), **studio.session.project());
        studio.command(Command::UnpackSubgraph);
        assert_eq!(
            meaning(studio.session.project()),
            wanted,
            "unpacked {some:?}"
        );
        assert_eq!(studio.session.graph().nodes.len(), ids.len());
        assert_eq!(studio.session.selection.len(), some.len());
        studio.session.undo();
        studio.session.undo();
        assert_eq!(**studio.session.project(), start);
    }
}

#[test]
fn ports_are_named_typed_and_shared() {
    let mut studio = studio(graph(FILM));
    select(&mut studio, &["4", "5"]);
    studio.command(Command::MakeSubgraph);
    let project = studio.session.project();
    let definition = &project.subgraphs["subgraph1"];
    let ports = |ports: &[longtake_graph::Port]| -> Vec<String> {
        ports
            .iter()
            .map(|it| format!("{} {}", it.name, it.kind))
            .collect()
    };
    let inputs = [
        "model MODEL",
        "positive CONDITIONING",
        "negative CONDITIONING",
    ];
    assert_eq!(ports(&definition.inputs), inputs);
    assert_eq!(
        ports(&definition.outputs),
        ["LATENT LATENT", "LATENT_1 LATENT"]
    );
    assert_eq!(definition.graph.title, "Subgraph");
    assert_eq!(
        lines(&definition.graph),
        [
            "4 KSampler model<--10.0 positive<--10.1 negative<--10.2 steps=7",
            "5 KSampler model<--10.0 positive<--10.1 latent_image<-4.0",
            "-10 SubgraphInput",
            "-20 SubgraphOutput LATENT<-5.0 LATENT_1<-4.0",
        ]
    );
    assert_eq!(definition.graph.nodes["4"].pos, graph(FILM).nodes["4"].pos);
    assert_eq!(
        lines(project)[3..],
        [
            "10 subgraph1 model<-1.0 positive<-2.0 negative<-3.0",
            "6 VAEDecode samples<-10.0",
            "7 SaveVideo images<-6.0",
            "8 SaveVideo images<-6.0 fps=12.0",
            "9 VAEDecode samples<-10.1",
        ]
    );
}

#[test]
fn subgraphs_nest_and_are_reused() {
    let start = graph(FILM);
    let mut studio = studio(start.clone());
    select(&mut studio, &["4", "5"]);
    studio.command(Command::MakeSubgraph);
    studio.command(Command::EnterSubgraph);
    select(&mut studio, &["5"]);
    studio.command(Command::MakeSubgraph);
    assert_eq!(studio.session.project().subgraphs.len(), 2);
    studio.command(Command::LeaveSubgraph);
    assert_eq!(meaning(studio.session.project()), meaning(&start));
    assert_eq!(studio.session.selection.focus_node(), Some(&"10".into()));
    studio.command(Command::Duplicate);
    studio.command(Command::UnpackSubgraph);
    // The inner instance stays an instance; the definition has one instance left.
    let classes: Vec<_> = studio
        .session
        .graph()
        .nodes
        .values()
        .map(|it| it.class.as_str())
        .collect();
    assert_eq!(classes.iter().filter(|it| **it == "subgraph2").count(), 1);
    assert!(unused(studio.session.project()).is_empty());
    select(&mut studio, &["10"]);
    studio.command(Command::Delete);
    assert_eq!(unused(studio.session.project()), ["subgraph1"]);
    studio.command(Command::RemoveUnused);
    assert_eq!(studio.session.project().subgraphs.len(), 1);
    while studio.session.undo().is_some() {}
    assert_eq!(**studio.session.project(), start);
}

#[test]
fn ports_are_added_renamed_and_removed() {
    let mut studio = studio(graph(FILM));
    select(&mut studio, &["4", "5"]);
    studio.command(Command::MakeSubgraph);
    let wanted = meaning(studio.session.project());
    studio.command(Command::EnterSubgraph);
    studio.act(Action::AddPort(LooseLink::FromInput {
        node: "4".into(),
        input: "steps".to_owned(),
    }));
    studio.act(Action::AddPort(LooseLink::FromOutput {
        node: "4".into(),
        output: 0,
    }));
    let project = studio.session.project();
    assert_eq!(project.subgraphs["subgraph1"].inputs[3].name, "steps");
    assert_eq!(project.subgraphs["subgraph1"].outputs[2].name, "LATENT_2");
    assert_eq!(meaning(project), wanted, "the old value is remembered");
    studio.act(Action::RenamePort(Side::Input, 3, "how many".to_owned()));
    assert_eq!(
        studio.session.project().subgraphs["subgraph1"].inputs[3].shown(),
        "how many"
    );
    studio.act(Action::RemovePort(Side::Input, 3));
    studio.act(Action::RemovePort(Side::Output, 2));
    assert_eq!(meaning(studio.session.project()), wanted);
    studio.act(Action::RemovePort(Side::Output, 0));
    assert_eq!(lines(studio.session.project())[4], "6 VAEDecode");
    assert_eq!(
        lines(studio.session.project())[7],
        "9 VAEDecode samples<-10.0",
        "moved up"
    );
    studio.act(Action::RemovePort(Side::Input, 0));
    assert_eq!(
        lines(studio.session.project())[3],
        "10 subgraph1 positive<-2.0 negative<-3.0"
    );
    let inner = studio.session.graph();
    assert_eq!(
        lines(inner)[0],
        "4 KSampler positive<--10.0 negative<--10.1 steps=7"
    );
}

#[test]
fn an_instance_may_feed_what_feeds_it_through_other_ports() {
    let mut studio = studio(graph(
        "1 ImageScale
         2 ImageScale image<-1.0
         3 ImageScale image<-2.0
         4 ImageScale",
    ));
    select(&mut studio, &["1", "3"]);
    studio.command(Command::MakeSubgraph);
    assert_eq!(lines(studio.session.graph())[0], "5 subgraph1 image<-2.0");
    let link = |to: &str, from: &str| Action::Connect {
        to: to.into(),
        input: "image".to_owned(),
        from: longtake_graph::Link {
            node: from.into(),
            output: 0,
        },
    };
    let units = |studio: &Studio| studio.session.history().done().len();
    studio.act(Action::Disconnect {
        to: "2".into(),
        input: "image".to_owned(),
    });
    studio.act(link("2", "5"));
    assert_eq!(
        units(&studio),
        3,
        "no ring: that output does not need that input"
    );
    studio.command(Command::EnterSubgraph);
    assert_eq!(
        studio.session.subgraph(),
        Some("subgraph1"),
        "the new instance is selected"
    );
    studio.act(link("1", "3"));
    assert_eq!(units(&studio), 4);
    studio.command(Command::LeaveSubgraph);
    studio.act(link("2", "5"));
    assert_eq!(units(&studio), 4, "now it does");
    assert!(
        studio
            .messages
            .list
            .back()
            .unwrap()
            .text
            .contains("need each other")
    );
}

#[test]
fn healing_makes_no_ring() {
    // Bending the link around the instance and healing over it would link the reroute to itself.
    let mut studio = studio(graph("1 Pair\n2 SaveVideo\n3 Reroute <-1.0"));
    select(&mut studio, &["1", "2"]);
    studio.command(Command::MakeSubgraph);
    studio.command(Command::EnterSubgraph);
    studio.act(Action::AddPort(LooseLink::FromInput {
        node: "2".into(),
        input: "fps".to_owned(),
    }));
    studio.command(Command::LeaveSubgraph);
    studio.act(Action::Connect {
        to: "4".into(),
        input: "fps".to_owned(),
        from: longtake_graph::Link {
            node: "3".into(),
            output: 0,
        },
    });
    assert_eq!(
        lines(studio.session.graph()),
        ["4 subgraph1 fps<-3.0", "3 Reroute <-4.0"]
    );
    select(&mut studio, &["4"]);
    studio.command(Command::DeleteHeal);
    assert_eq!(lines(studio.session.graph()), ["3 Reroute"]);
}

#[test]
fn a_detour_through_a_subgraph_is_kept_when_it_is_unpacked() {
    // 1 feeds 2 by way of a reroute that is a subgraph of its own; 1 and 2 are in another one.
    let start =
        graph("1 UNETLoader\n2 KSampler model<-3.0\n3 Reroute <-1.0\n4 VAEDecode samples<-2.0");
    let wanted = meaning(&start);
    for last in [Command::UnpackSubgraph, Command::DeleteHeal] {
        let mut studio = studio(start.clone());
        select(&mut studio, &["3"]);
        studio.command(Command::MakeSubgraph);
        select(&mut studio, &["1", "2"]);
        studio.command(Command::MakeSubgraph);
        let now = lines(studio.session.graph());
        assert_eq!(now[0], "6 subgraph2 model<-5.0");
        select(&mut studio, &["5"]);
        studio.command(last);
        let own = |line: &String| line.starts_with("6 ") && line.contains("<-6.");
        assert!(!lines(studio.session.graph()).iter().any(own));
        if last == Command::UnpackSubgraph {
            assert_eq!(meaning(studio.session.project()), wanted);
        }
    }
}

#[test]
fn a_plain_way_through_becomes_a_reroute() {
    let mut project = graph("5 through x<-6.0\n6 both model<-5.0\n4 VAEDecode samples<-6.1");
    let port = |name: &str, kind: &str| longtake_graph::Port {
        name: name.to_owned(),
        kind: kind.to_owned(),
        ..longtake_graph::Port::default()
    };
    let through = longtake_graph::Subgraph {
        inputs: vec![port("x", "MODEL")],
        outputs: vec![port("y", "MODEL")],
        graph: graph("-10 SubgraphInput\n-20 SubgraphOutput y<--10.0"),
        ..longtake_graph::Subgraph::default()
    };
    let both = longtake_graph::Subgraph {
        inputs: vec![port("model", "MODEL")],
        outputs: vec![port("a", "MODEL"), port("b", "LATENT")],
        graph: graph(
            "-10 SubgraphInput
             1 UNETLoader
             2 KSampler model<--10.0
             -20 SubgraphOutput a<-1.0 b<-2.0",
        ),
        ..longtake_graph::Subgraph::default()
    };
    project.subgraphs.insert("through".to_owned(), through);
    project.subgraphs.insert("both".to_owned(), both);
    let wanted = meaning(&project);
    let mut studio = studio(project);
    select(&mut studio, &["5"]);
    studio.command(Command::UnpackSubgraph);
    assert_eq!(
        lines(studio.session.graph()),
        [
            "6 both model<-7.0",
            "4 VAEDecode samples<-6.1",
            "7 Reroute <-6.0"
        ]
    );
    assert_eq!(meaning(studio.session.project()), wanted);
}
