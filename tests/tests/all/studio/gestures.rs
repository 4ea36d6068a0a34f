//! An empty window, a mouse and a keyboard: search, link, mistake, undo.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use longtake_editor::{Action, Command};
use longtake_graph::Input;

use super::Desk;

/// Adds a node by typing into the search.
fn add(desk: &mut Desk, query: &str) {
    desk.press(Modifiers::NONE, Key::Tab);
    desk.type_text(query);
    desk.press(Modifiers::NONE, Key::Enter);
}

#[test]
fn nodes_are_found_linked_and_undone() {
    let mut desk = Desk::new();
    desk.act(Action::Command(Command::New));
    desk.harness.hover_at(egui::pos2(300.0, 300.0));
    desk.steps(2);
    add(&mut desk, "load image");
    desk.harness.hover_at(egui::pos2(700.0, 300.0));
    desk.steps(2);
    add(&mut desk, "画像を反転");
    let graph = desk.studio().session.graph().clone();
    let classes: Vec<&str> = graph.nodes.values().map(|it| it.class.as_str()).collect();
    assert_eq!(classes, ["LoadImage", "ImageInvert"]);
    // The link, from socket to socket.
    let from = desk
        .harness
        .get_by_label("IMAGE output of Load image")
        .rect()
        .center();
    let to = desk
        .harness
        .get_by_label("image input of Invert image")
        .rect()
        .center();
    desk.drag(from, to);
    let linked = |desk: &Desk| {
        let graph = desk.studio().session.graph();
        let invert = graph
            .nodes
            .values()
            .find(|it| it.class == "ImageInvert")
            .unwrap();
        matches!(invert.inputs.get("image"), Some(Input::Link(_)))
    };
    assert!(linked(&desk), "{:?}", desk.studio().messages);
    // A mistake: the mask into an image. It is refused, with a reason.
    desk.press(Modifiers::COMMAND, Key::Z);
    assert!(!linked(&desk), "undone");
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    assert!(linked(&desk), "done again");
    let mask = desk
        .harness
        .get_by_label("MASK output of Load image")
        .rect()
        .center();
    desk.drag(mask, to);
    assert!(linked(&desk), "the link stays");
    for _ in 0..4 {
        desk.press(Modifiers::COMMAND, Key::Z);
    }
    assert_eq!(desk.studio().session.graph().nodes.len(), 0);
    assert!(!desk.studio().session.dirty());
}

#[test]
fn a_double_click_searches_where_the_mouse_is() {
    let mut desk = Desk::new();
    desk.act(Action::Command(Command::New));
    let at = egui::pos2(400.0, 300.0);
    desk.harness.hover_at(at);
    desk.steps(2);
    desk.double_click(at);
    desk.type_text("KSampler");
    desk.press(Modifiers::NONE, Key::Enter);
    let graph = desk.studio().session.graph();
    let classes: Vec<&str> = graph.nodes.values().map(|it| it.class.as_str()).collect();
    assert_eq!(classes, ["KSampler"]);
    // Its missing links are told at the sockets, before anything runs.
    desk.until("findings", 20, |studio| studio.planned.errors() > 0);
}
