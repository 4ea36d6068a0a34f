//! Links: what fits, what is refused, what is remembered.

use longtake_graph::{Link, NodeId};

use super::fake::{Classes, graph, lines, studio};
use crate::connect::{connect, ends};
use crate::refusal::Refusal;
use crate::{Action, Language, LooseLink, Studio};

const GRAPH: &str = "
    1 UNETLoader
    2 KSampler steps=30 model<-1.0
    3 VAEDecode samples<-2.0
    4 SaveVideo images<-3.0
    5 Pair
    6 Gone.Class";

fn link(node: &str, output: u32) -> Link {
    Link {
        node: node.into(),
        output,
    }
}

fn try_link(studio: &Studio, to: &str, input: &str, from: Link) -> Result<(), Refusal> {
    let catalog = studio.engine.catalog();
    connect(&studio.session, catalog, &to.into(), input, from).map(|_| ())
}

fn connected(studio: &mut Studio, to: &str, input: &str, from: Link) {
    studio.act(Action::Connect {
        to: to.into(),
        input: input.to_owned(),
        from,
    });
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let studio = studio(graph(GRAPH));
    for (to, input, from, wanted) in [
        (
            "4",
            "images",
            link("1", 0),
            "Save video (4): the input images takes IMAGE, this link carries MODEL.",
        ),
        (
            "4",
            "sound",
            link("3", 0),
            "Save video (4) has no input sound.",
        ),
        (
            "4",
            "images",
            link("3", 7),
            "Decode latent (3) has no output 7.",
        ),
        (
            "9",
            "images",
            link("3", 0),
            "There is no node 9 here any more.",
        ),
        (
            "2",
            "latent_image",
            link("2", 0),
            "This link would make nodes need each other: Sampler (2) → Sampler (2).",
        ),
    ] {
        let refusal = try_link(&studio, to, input, from).unwrap_err();
        let text = refusal.text(&studio.session, &Classes, Language::En);
        assert_eq!(text, wanted);
        assert_ne!(
            refusal.text(&studio.session, &Classes, Language::Ja),
            wanted
        );
    }
    assert_eq!(
        try_link(&studio, "4", "fps", link("5", 0)),
        Ok(()),
        "INT flows into FLOAT"
    );
    assert_eq!(
        try_link(&studio, "6", "anything", link("5", 3)),
        Err(Refusal::NoOutput {
            node: "5".into(),
            output: 3
        })
    );
    assert_eq!(
        try_link(&studio, "6", "anything", link("5", 1)),
        Ok(()),
        "nobody knows what an unknown node takes"
    );
    assert_eq!(try_link(&studio, "4", "images", link("6", 2)), Ok(()));
}

#[test]
fn nodes_never_need_each_other() {
    let studio = studio(graph(
        "1 ImageScale
         2 ImageScale image<-1.0
         3 Reroute <-2.0
         4 ImageScale image<-3.0",
    ));
    let refusal = try_link(&studio, "1", "image", link("4", 0)).unwrap_err();
    let ids = ["1", "2", "3", "4", "1"].map(NodeId::from);
    assert_eq!(refusal, Refusal::Cycle(ids.to_vec()));
}

#[test]
fn a_literal_comes_back_when_its_link_goes() {
    let mut studio = studio(graph(GRAPH));
    connected(&mut studio, "2", "steps", link("5", 0));
    let with_link = r#"2 KSampler steps<-5.0 model<-1.0 {"values":{"steps":30}}"#;
    assert_eq!(lines(studio.session.graph())[1], with_link);
    studio.act(Action::Disconnect {
        to: "2".into(),
        input: "steps".to_owned(),
    });
    assert_eq!(lines(studio.session.graph()), lines(&graph(GRAPH)));
    studio.session.undo();
    assert_eq!(lines(studio.session.graph())[1], with_link);
    studio.act(Action::Select(crate::Selection::of([crate::Item::Node(
        "5".into(),
    )])));
    studio.command(crate::Command::Delete);
    assert_eq!(
        lines(studio.session.graph())[1],
        "2 KSampler steps=30 model<-1.0"
    );
}

#[test]
fn a_loose_link_takes_the_best_socket_of_a_new_node() {
    let mut studio = studio(graph(GRAPH));
    let added = |studio: &mut Studio, class: &str, link| {
        studio.act(Action::AddNode {
            class: class.to_owned(),
            pos: [7.0, 8.0],
            link: Some(link),
        });
        lines(studio.session.graph()).pop().unwrap()
    };
    let from = |node: &str, output| LooseLink::FromOutput {
        node: node.into(),
        output,
    };
    let to = |node: &str, input: &str| LooseLink::FromInput {
        node: node.into(),
        input: input.to_owned(),
    };
    assert_eq!(
        added(&mut studio, "ImageScale", from("3", 0)),
        "7 ImageScale image<-3.0"
    );
    assert_eq!(
        added(&mut studio, "SaveVideo", from("5", 0)),
        "8 SaveVideo fps<-5.0"
    );
    assert_eq!(
        added(&mut studio, "ModelSamplingSD3", to("2", "model")),
        "9 ModelSamplingSD3"
    );
    assert_eq!(
        lines(studio.session.graph())[1],
        "2 KSampler steps=30 model<-9.0"
    );
    assert_eq!(
        added(&mut studio, "VAELoader", from("3", 0)),
        "10 VAELoader"
    );
    let told = studio.messages.list.back().unwrap();
    assert_eq!(
        told.text,
        "VAELoader has no socket for IMAGE; it was added without a link."
    );
    added(&mut studio, "Gone.Class", from("3", 0));
    assert_eq!(studio.session.graph().nodes.len(), 10);
    assert_eq!(studio.session.history().done().len(), 4);
}

#[test]
fn a_reroute_carries_what_it_is_given_and_feeds_only_what_takes_it() {
    let mut studio = studio(graph(GRAPH));
    studio.act(Action::Bend {
        to: "4".into(),
        input: "images".to_owned(),
        pos: [1.0, 2.0],
    });
    let now = lines(studio.session.graph());
    assert_eq!(now[3], "4 SaveVideo images<-7.0");
    assert_eq!(now[6], "7 Reroute <-3.0");
    let scene = studio.session.scene(&Classes);
    assert_eq!(scene.output_kind(&link("7", 0)).unwrap(), "IMAGE");
    assert_eq!(
        ends(&scene, &"7".into()),
        [("4".into(), "images".to_owned())]
    );
    assert!(matches!(
        try_link(&studio, "7", "", link("1", 0)),
        Err(Refusal::Kind { .. })
    ));
    assert_eq!(try_link(&studio, "7", "", link("5", 1)), Ok(()));
}

#[test]
fn a_link_moves_to_another_input_as_one_unit() {
    let mut studio = studio(graph(GRAPH));
    let relink = |from: (&str, &str), to: (&str, &str)| Action::Relink {
        from: (from.0.into(), from.1.to_owned()),
        to: (to.0.into(), to.1.to_owned()),
    };
    studio.act(relink(("3", "samples"), ("2", "latent_image")));
    assert!(!studio.session.dirty(), "refused: nothing changed");
    studio.act(Action::AddNode {
        class: "SaveVideo".to_owned(),
        pos: [0.0; 2],
        link: None,
    });
    studio.act(relink(("4", "images"), ("7", "images")));
    assert_eq!(lines(studio.session.graph())[3], "4 SaveVideo");
    assert_eq!(lines(studio.session.graph())[6], "7 SaveVideo images<-3.0");
    studio.session.undo();
    assert_eq!(lines(studio.session.graph())[3], "4 SaveVideo images<-3.0");
}
