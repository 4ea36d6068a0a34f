//! Copy, cut, paste, duplicate; also between documents.

use longtake_graph::Project;

use super::fake::{graph, lines, reread, studio};
use crate::{Action, Command, Item, Selection, Studio, WindowAction};

const CHAIN: &str = "
    1 VAEDecode
    2 ImageScale image<-1.0 width=64
    3 SaveVideo images<-2.0";

fn select(studio: &mut Studio, ids: &[&str]) {
    let nodes = ids.iter().map(|id| Item::Node((*id).into()));
    studio.act(Action::Select(Selection::of(nodes)));
}

fn corner(studio: &Studio, id: &str) -> [f32; 2] {
    studio.session.graph().nodes[id].pos.unwrap()
}

#[test]
fn paste_keeps_inner_links_and_on_request_outer_ones() {
    for (linked, wanted) in [
        (false, "4 ImageScale width=64"),
        (true, "4 ImageScale image<-1.0 width=64"),
    ] {
        let mut studio = studio(graph(CHAIN));
        select(&mut studio, &["2", "3"]);
        studio.command(Command::Copy);
        studio.mouse = [10.0, 500.0];
        studio.paste_last(linked);
        let now = lines(studio.session.graph());
        assert_eq!(now[3..], [wanted, "5 SaveVideo images<-4.0"]);
        assert_eq!(corner(&studio, "4"), [10.0, 500.0]);
        assert_eq!(
            corner(&studio, "5"),
            [310.0, 500.0],
            "as far from each other as before"
        );
        let nodes: Vec<_> = studio
            .session
            .selection
            .nodes()
            .map(|it| it.as_str())
            .collect();
        assert_eq!(nodes, ["4", "5"]);
        studio.paste_last(linked);
        assert_eq!(
            corner(&studio, "6"),
            [34.0, 524.0],
            "not over what was pasted before"
        );
        assert_eq!(studio.session.history().done().len(), 2);
        studio.session.undo();
        studio.session.undo();
        assert_eq!(*studio.session.graph(), graph(CHAIN));
    }
}

#[test]
fn the_text_survives_into_another_window() {
    let mut first = studio(graph("1 Pair\n2 KSampler steps<-1.0 cfg=3.5"));
    select(&mut first, &["2"]);
    first.command(Command::Copy);
    let wishes = first.window_wishes();
    let [WindowAction::SetClipboard(text)] = wishes.as_slice() else {
        panic!("{wishes:?}");
    };
    let mut second = studio(graph("1 VAEDecode"));
    second.act(Action::Paste {
        text: text.clone(),
        linked: true,
    });
    // There, node 1 gives no INT.
    assert_eq!(
        lines(second.session.graph()),
        ["1 VAEDecode", "2 KSampler cfg=3.5"]
    );
}

#[test]
fn cut_and_paste_is_a_move_in_two_units() {
    let mut studio = studio(graph(CHAIN));
    select(&mut studio, &["3"]);
    studio.command(Command::Cut);
    assert_eq!(lines(studio.session.graph()).len(), 2);
    studio.paste_last(true);
    assert_eq!(lines(studio.session.graph())[2], "3 SaveVideo images<-2.0");
    let labels: Vec<_> = studio
        .session
        .history()
        .done()
        .iter()
        .map(|it| it.label.en)
        .collect();
    assert_eq!(labels, ["Cut", "Paste"]);
}

#[test]
fn a_duplicate_stands_beside_with_its_links() {
    let mut studio = studio(graph(CHAIN));
    select(&mut studio, &["2"]);
    studio.command(Command::Duplicate);
    assert_eq!(
        lines(studio.session.graph())[3],
        "4 ImageScale image<-1.0 width=64"
    );
    let before = corner(&studio, "2");
    assert_eq!(corner(&studio, "4"), [before[0] + 24.0, before[1] + 24.0]);
}

#[test]
fn any_text_that_is_a_graph_can_be_pasted() {
    let prompt = r#"{"7": {"class_type": "VAEDecode", "inputs": {}},
        "9": {"class_type": "SaveVideo", "inputs": {"images": ["7", 0], "fps": 12}}}"#;
    let mut empty = studio(Project::default());
    empty.mouse = [100.0, 50.0];
    let paste = |studio: &mut Studio, text: &str| {
        studio.act(Action::Paste {
            text: text.to_owned(),
            linked: false,
        });
    };
    paste(&mut empty, prompt);
    assert_eq!(
        lines(empty.session.graph()),
        ["7 VAEDecode", "9 SaveVideo images<-7.0 fps=12"]
    );
    assert_eq!(corner(&empty, "7")[0], 100.0);
    assert!(corner(&empty, "9")[0] > 300.0, "laid out in columns");
    for text in ["hello", "", "{}", "[1]", r#"{"longtake": 99}"#] {
        paste(&mut empty, text);
        let told = empty.messages.list.back().unwrap();
        assert!(
            told.text.starts_with("What was copied is no graph"),
            "{}",
            told.text
        );
    }
    assert_eq!(empty.session.history().done().len(), 1);
}

#[test]
fn a_pasted_workflow_keeps_its_values() {
    let workflow = r#"{"version": 0.4, "last_node_id": 2, "links": [], "nodes": [
        {"id": 2, "type": "KSampler", "pos": [0, 0], "inputs": [], "outputs": [],
         "widgets_values": [42, "randomize", 12, 3.5, "uni_pc"]}]}"#;
    let mut studio = studio(Project::default());
    studio.act(Action::Paste {
        text: workflow.to_owned(),
        linked: false,
    });
    let [line] = &lines(studio.session.graph())[..] else {
        panic!("one node")
    };
    let values = "2 KSampler seed=42 steps=12 cfg=3.5 sampler_name=\"uni_pc\"";
    assert!(line.starts_with(values), "{line}");
}

#[test]
fn definitions_come_along_and_are_told_apart_by_content() {
    let mut first = studio(graph(CHAIN));
    select(&mut first, &["2"]);
    first.command(Command::MakeSubgraph);
    first.command(Command::Copy);
    let text = first.clipboard.clone().unwrap();
    first.act(Action::Paste {
        text: text.clone(),
        linked: false,
    });
    assert_eq!(
        first.session.project().subgraphs.len(),
        1,
        "the same definition is shared"
    );
    let mut second = studio(graph(CHAIN));
    select(&mut second, &["3"]);
    second.command(Command::MakeSubgraph);
    second.act(Action::Paste {
        text,
        linked: false,
    });
    let project = second.session.project();
    let keys: Vec<_> = project.subgraphs.keys().collect();
    assert_eq!(keys, ["subgraph1", "subgraph1-1"]);
    assert_eq!(project.nodes.last().unwrap().1.class, "subgraph1-1");
    assert_eq!(reread(project), **project);
}

#[test]
fn a_subgraph_is_not_pasted_into_itself() {
    let mut studio = studio(graph(CHAIN));
    select(&mut studio, &["2"]);
    studio.command(Command::MakeSubgraph);
    studio.command(Command::Copy);
    studio.command(Command::EnterSubgraph);
    assert_eq!(studio.session.subgraph(), Some("subgraph1"));
    let before = studio.session.project().clone();
    studio.paste_last(false);
    studio.act(Action::AddNode {
        class: "subgraph1".to_owned(),
        pos: [0.0; 2],
        link: None,
    });
    assert_eq!(*studio.session.project(), before);
    assert!(
        studio
            .messages
            .list
            .back()
            .unwrap()
            .text
            .contains("contain itself")
    );
    // The border is neither copied nor deleted.
    studio.command(Command::SelectAll);
    studio.command(Command::Delete);
    assert_eq!(
        lines(studio.session.graph()),
        ["-10 SubgraphInput", "-20 SubgraphOutput"]
    );
}
