//! From the gallery to a film on the disk.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use longtake_editor::queue::JobState;
use longtake_editor::{Action, ViewerAction};
use longtake_graph::{Edit, Input, NodeId};

use super::Desk;

/// The storyboard's first two shots, short and small: the preset itself takes a minute.
fn shorten(desk: &mut Desk) {
    let graph = desk.studio().session.graph().clone();
    let (board, node) = graph
        .nodes
        .iter()
        .find(|(_, node)| node.class == "Storyboard")
        .unwrap();
    let Some(Input::Literal(shots)) = node.inputs.get("shots") else {
        panic!("no shots: {node:?}");
    };
    let mut shots: Vec<serde_json::Value> = shots.as_array().unwrap()[..2].to_vec();
    for shot in &mut shots {
        shot["seconds"] = 2.into();
    }
    let set = |node: &NodeId, input: &str, value: serde_json::Value| Edit::SetInput {
        node: node.clone(),
        input: input.to_owned(),
        value: Some(Input::Literal(value)),
    };
    let mut edits = vec![set(board, "shots", shots.into())];
    for (id, node) in &graph.nodes {
        for (input, value) in [("width", 320), ("height", 180)] {
            if matches!(node.inputs.get(input), Some(Input::Literal(it)) if it.is_number()) {
                edits.push(set(id, input, value.into()));
            }
        }
    }
    let label = longtake_editor::t("Shorten", "短縮");
    desk.act(Action::Edit(label, Edit::Batch(edits)));
}

#[test]
fn a_preset_is_opened_run_and_seen() {
    let mut desk = Desk::new();
    desk.until("the gallery", 20, |_| true);
    for _ in 0..200 {
        if desk
            .harness
            .query_by_label_contains("The Last Letter")
            .is_some()
        {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        desk.steps(1);
    }
    desk.click("The Last Letter");
    desk.until("the preset, read on a thread", 20, |studio| {
        studio.session.graph().nodes.len() > 5
    });
    assert!(desk.studio().session.path.is_none(), "as a copy");
    shorten(&mut desk);
    desk.until("a plan", 60, |studio| {
        studio.planned.revision == studio.session.revision() && studio.planned.plan.is_some()
    });
    desk.press(Modifiers::COMMAND, Key::Enter);
    desk.until("the film", 120, |studio| !studio.queue.ended.is_empty());
    let job = &desk.studio().queue.ended[0];
    let JobState::Done(report) = &job.state else {
        panic!("{:?}", job.state);
    };
    let film = &report.outputs[0].path;
    assert!(film.starts_with(desk.folder.path()), "{film:?}");
    let clip = desk.studio().engine.open_media(film).unwrap();
    assert_eq!((clip.info().width, clip.info().height), (320, 180));
    assert!(clip.info().frames > 12, "{:?}", clip.info());
    // The plan knows now what is stored: a second run has nothing to do.
    desk.until("cached", 60, |studio| {
        let plan = studio.planned.plan.as_ref();
        plan.is_some_and(|plan| plan.outputs.iter().all(|it| plan.step(*it).cached))
    });
    // The viewer shows the film's frames.
    let output = report_node(&desk);
    desk.act(
        ViewerAction::Node {
            node: output,
            second: false,
        }
        .into(),
    );
    desk.until("nothing wrong", 1, |studio| studio.planned.errors() == 0);
}

fn report_node(desk: &Desk) -> NodeId {
    let graph = desk.studio().session.graph();
    let save = graph.nodes.iter().find(|(_, it)| it.class == "SaveVideo");
    save.unwrap().0.clone()
}
