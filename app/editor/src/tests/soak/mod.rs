//! Ten thousand random gestures: the document is sound after each, undo to the start gives the
//! start, redo to the end gives the end.

mod hand;

use longtake_graph::kind::accepts;
use longtake_graph::{Input, Project, Subgraph};

use self::hand::{Dice, Hand};
use super::fake::{Classes, graph, reread, studio};
use crate::{Item, Scene, Studio};

/// What is wrong with a document, if anything.
fn wrong(studio: &Studio) -> Option<String> {
    let session = &studio.session;
    let project = session.project();
    if reread(project) != **project {
        return Some("the file reads back as something else".to_owned());
    }
    let graph = session.graph();
    let exists = |item: &Item| match item {
        Item::Node(id) => graph.nodes.contains_key(id),
        Item::Group(id) => graph.groups.contains_key(id),
        Item::Note(id) => graph.notes.contains_key(id),
    };
    if let Some(gone) = session.selection.items().find(|it| !exists(it)) {
        return Some(format!("{gone:?} is selected and gone"));
    }
    let keys = project.subgraphs.keys().map(|key| Some(key.as_str()));
    for scope in std::iter::once(None).chain(keys) {
        let scene = Scene {
            root: project,
            scope,
            catalog: &Classes,
        };
        if let Some(wrong) = wrong_graph(&scene) {
            return Some(format!("{scope:?}: {wrong}"));
        }
    }
    None
}

fn wrong_graph(scene: &Scene<'_>) -> Option<String> {
    let graph = scene.graph();
    if let Some(key) = scene.scope {
        let borders = [
            (Subgraph::INPUT, Subgraph::INPUT_CLASS),
            (Subgraph::OUTPUT, Subgraph::OUTPUT_CLASS),
        ];
        for (id, class) in borders {
            if graph.nodes.get(id).is_none_or(|it| it.class != class) {
                return Some(format!("the border {id} is gone"));
            }
        }
        for node in graph.nodes.values() {
            if crate::scene::contains(scene.root, &node.class, key) {
                return Some("it contains itself".to_owned());
            }
        }
    }
    for (id, node) in &graph.nodes {
        let sockets = scene.shape(node).inputs;
        for (name, input) in &node.inputs {
            let Input::Link(link) = input else { continue };
            if link.node == *id {
                return Some(format!("{id} is linked to itself"));
            }
            if !graph.nodes.contains_key(&link.node) {
                return Some(format!(
                    "{id}.{name} is linked to {}, which is gone",
                    link.node
                ));
            }
            let Some(found) = scene.output_kind(link) else {
                return Some(format!(
                    "{id}.{name} is linked to {link:?}, which has no such output"
                ));
            };
            let socket = sockets.iter().find(|it| it.name == *name);
            if socket.is_some_and(|it| !accepts(&it.kind, &found)) {
                return Some(format!("{id}.{name} gets {found}: {socket:?}"));
            }
        }
    }
    None
}

fn start(dice: &mut Dice) -> Project {
    let films = [
        "",
        "1 Pair\n2 SaveVideo images<-1.1 fps<-1.0",
        "1 UNETLoader unet_name=\"a\"
         2 CLIPTextEncode text=\"sea\"
         4 KSampler model<-1.0 positive<-2.0 steps=7
         5 KSampler model<-1.0 positive<-2.0 latent_image<-4.0
         6 VAEDecode samples<-5.0
         7 ImageScale image<-6.0
         8 SaveVideo images<-7.0 fps=12.0",
    ];
    graph(films[dice.roll(films.len())])
}

/// One document and its gestures.
fn soak(seed: u64, gestures: usize) {
    let mut dice = Dice(seed);
    let first = start(&mut dice);
    let mut hand = Hand {
        dice,
        studio: studio(first.clone()),
    };
    for n in 0..gestures {
        let before = hand.studio.session.clone();
        hand.gesture();
        let place = || format!("document {seed:#x}, gesture {n}");
        let session = &hand.studio.session;
        let (old, new) = (before.history(), session.history());
        let redone = old.undone().len() > new.undone().len() && !old.undone().is_empty();
        let more = new.done().len().saturating_sub(old.done().len());
        assert!(more <= 1 || redone, "{}: {more} units", place());
        assert!(
            session.revision() != before.revision() || session.project() == before.project(),
            "{}: changed without a revision",
            place()
        );
        assert!(
            new.state() != old.state() || session.project() == before.project(),
            "{}: another document, the same state",
            place()
        );
        if let Some(wrong) = wrong(&hand.studio) {
            let text = hand.studio.session.project().to_json();
            let label = new.done().last().map(|unit| unit.label.en);
            panic!("{}: {wrong} after {label:?}\n{text}", place());
        }
        hand.prune();
    }
    let session = &mut hand.studio.session;
    let (end, units) = (session.project().clone(), session.history().done().len());
    assert!(units < 1000, "all of it can be undone");
    while session.undo().is_some() {}
    assert_eq!(**session.project(), first, "document {seed:#x}, undone");
    assert!(!session.dirty());
    while session.history().done().len() < units {
        session.redo();
    }
    assert_eq!(*session.project(), end, "document {seed:#x}, redone");
    assert_eq!(wrong(&hand.studio), None);
}

#[test]
fn ten_thousand_gestures() {
    let seed: u64 = std::env::var("LONGTAKE_SOAK_SEED")
        .ok()
        .and_then(|it| it.parse().ok())
        .unwrap_or(1);
    for document in 0..25 {
        soak(
            (seed * 1000 + document).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            400,
        );
    }
}
