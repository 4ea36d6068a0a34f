//! What is done to everything selected.

use longtake_graph::Mode::{self, Active, Mute};
use serde_json::json;

use super::fake::{graph, lines, studio};
use crate::{Action, Command, Item, Selection, Studio};

const CHAIN: &str = "
    1 VAEDecode
    2 ImageScale image<-1.0 width=64
    3 ImageScale image<-2.0
    4 SaveVideo images<-3.0";

fn selected(ids: &[&str]) -> Studio {
    let mut studio = studio(graph(CHAIN));
    select(&mut studio, ids);
    studio
}

fn select(studio: &mut Studio, ids: &[&str]) {
    let nodes = ids.iter().map(|id| Item::Node((*id).into()));
    studio.act(Action::Select(Selection::of(nodes)));
}

#[test]
fn delete_cuts_links_and_healing_ties_them() {
    for (command, ids, wanted) in [
        (
            Command::Delete,
            &["2", "3"][..],
            vec!["1 VAEDecode", "4 SaveVideo"],
        ),
        (
            Command::DeleteHeal,
            &["2", "3"],
            vec!["1 VAEDecode", "4 SaveVideo images<-1.0"],
        ),
        (
            Command::DeleteHeal,
            &["1"],
            vec![
                "2 ImageScale width=64",
                "3 ImageScale image<-2.0",
                "4 SaveVideo images<-3.0",
            ],
        ),
    ] {
        let mut studio = selected(ids);
        studio.command(command);
        assert_eq!(lines(studio.session.graph()), wanted);
        assert!(studio.session.selection.is_empty());
        studio.session.undo();
        assert_eq!(*studio.session.graph(), graph(CHAIN));
    }
}

#[test]
fn modes_toggle_all_together() {
    let mut studio = selected(&["2", "3"]);
    let modes = |studio: &Studio| -> Vec<Mode> {
        studio
            .session
            .graph()
            .nodes
            .values()
            .map(|it| it.mode)
            .collect()
    };
    studio.command(Command::Mute);
    assert_eq!(modes(&studio), [Active, Mute, Mute, Active]);
    select(&mut studio, &["3", "4"]);
    studio.command(Command::Mute);
    assert_eq!(modes(&studio), [Active, Mute, Mute, Mute]);
    studio.command(Command::Bypass);
    studio.command(Command::Bypass);
    assert_eq!(modes(&studio), [Active, Mute, Active, Active]);
    let labels: Vec<_> = studio
        .session
        .history()
        .done()
        .iter()
        .map(|it| it.label.en)
        .collect();
    assert_eq!(labels, ["Mute", "Mute", "Bypass", "Activate"]);
    studio.command(Command::Collapse);
    assert!(studio.session.graph().nodes["4"].collapsed);
    studio.command(Command::Collapse);
    assert!(!studio.session.graph().nodes["4"].collapsed);
}

#[test]
fn a_command_without_a_target_makes_no_unit() {
    let mut studio = selected(&[]);
    for command in [
        Command::Delete,
        Command::DeleteHeal,
        Command::Mute,
        Command::Collapse,
        Command::ResetValues,
        Command::Group,
    ] {
        studio.command(command);
    }
    assert!(studio.session.history().done().is_empty());
}

#[test]
fn a_group_is_drawn_around_the_nodes_and_a_note_at_the_mouse() {
    let mut studio = selected(&["1", "2"]);
    studio.act(Action::Sizes(
        [("1".into(), [100.0, 50.0]), ("2".into(), [100.0, 90.0])].into(),
    ));
    studio.command(Command::Group);
    let group = &studio.session.graph().groups["g1"];
    // Rows of the text stand 300 points apart; the first is empty.
    assert_eq!(group.bounds, [280.0, -48.0, 440.0, 158.0]);
    studio.act(Action::Rename(
        Item::Group("g1".to_owned()),
        " Loaders ".to_owned(),
    ));
    studio.act(Action::Colour(Some("#334455".to_owned())));
    let group = &studio.session.graph().groups["g1"];
    assert_eq!(
        (group.title.as_str(), group.colour.as_deref()),
        ("Loaders", Some("#334455"))
    );
    studio.mouse = [5.0, 6.0];
    studio.command(Command::AddNote);
    assert_eq!(
        studio.session.graph().notes["n1"].bounds,
        [5.0, 6.0, 240.0, 120.0]
    );
    studio.command(Command::SelectAll);
    studio.command(Command::Delete);
    let graph = studio.session.graph();
    assert!(graph.nodes.is_empty() && graph.groups.is_empty() && graph.notes.is_empty());
}

#[test]
fn values_go_back_to_defaults_but_files_stay() {
    let mut studio = studio(graph(
        r#"1 UNETLoader unet_name="a.safetensors"
           2 KSampler steps=3 model<-1.0 cfg=1.0 unheard="x""#,
    ));
    studio.command(Command::SelectAll);
    studio.command(Command::ResetValues);
    assert_eq!(
        lines(studio.session.graph()),
        [
            r#"1 UNETLoader unet_name="a.safetensors""#,
            r#"2 KSampler model<-1.0 unheard="x""#
        ]
    );
}

#[test]
fn a_parameter_shows_as_an_input_and_turns_back() {
    let mut studio = studio(graph("1 Pair\n2 KSampler steps=3"));
    let expose = |exposed| Action::Expose {
        node: "2".into(),
        input: "steps".to_owned(),
        exposed,
    };
    studio.act(expose(true));
    let node = &studio.session.graph().nodes["2"];
    assert!(crate::values::is_exposed(node, "steps"));
    assert_eq!(node.extra["exposed"], json!(["steps"]));
    studio.act(Action::Connect {
        to: "2".into(),
        input: "steps".to_owned(),
        from: longtake_graph::Link {
            node: "1".into(),
            output: 0,
        },
    });
    studio.act(expose(false));
    assert_eq!(lines(studio.session.graph())[1], "2 KSampler steps=3");
}
