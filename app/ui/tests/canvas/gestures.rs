//! Every gesture, and what it becomes.

use egui::{Key, Modifiers, PointerButton, Pos2, Vec2, pos2, vec2};
use egui_kittest::kittest::Queryable;
use longtake_editor::testing::{node, small};
use longtake_editor::{Action, CanvasAction, Item, Selection};
use longtake_graph::{Edit, Group, Input, Mode};

use super::stage::{at, click, drag, pair, selected, settle, stage, title};

#[test]
fn a_link_is_dragged_from_socket_to_socket_and_undone() {
    let mut harness = stage(pair());
    let from = at(&harness, "MODEL output of Load diffusion model");
    let to = at(&harness, "model input of KSampler");
    drag(&mut harness, from, to, Modifiers::NONE);
    let Some(Input::Link(link)) = harness.state().input("2", "model") else {
        panic!("no link: {:?}", harness.state().node("2"));
    };
    assert_eq!((link.node.as_str(), link.output), ("1", 0));
    assert_eq!(harness.state().units(), 1);
    harness.state_mut().studio.session.undo();
    assert!(harness.state().input("2", "model").is_none());
}

#[test]
fn a_link_dropped_on_a_body_finds_its_input_and_one_dragged_off_is_gone() {
    let mut harness = stage(pair());
    let from = at(&harness, "MODEL output of Load diffusion model");
    let body = title(&harness, "KSampler");
    drag(&mut harness, from, body, Modifiers::NONE);
    assert!(matches!(
        harness.state().input("2", "model"),
        Some(Input::Link(_))
    ));
    let socket = at(&harness, "model input of KSampler");
    drag(
        &mut harness,
        socket,
        socket + vec2(-60.0, 300.0),
        Modifiers::NONE,
    );
    assert!(harness.state().input("2", "model").is_none());
}

#[test]
fn a_link_dropped_on_nothing_asks_for_a_node_that_takes_it() {
    let mut harness = stage(pair());
    let from = at(&harness, "LATENT output of KSampler");
    drag(
        &mut harness,
        from,
        from + vec2(120.0, 200.0),
        Modifiers::NONE,
    );
    assert!(harness.query_by_label("Load VAE").is_none());
    harness.get_by_label("VAE decode").click();
    settle(&mut harness);
    let graph = harness.state().studio.session.graph();
    let (id, added) = graph.nodes.last().expect("a node");
    assert_eq!(added.class, "VAEDecode", "{id}");
    assert!(matches!(added.inputs.get("samples"), Some(Input::Link(_))));
}

#[test]
fn a_double_click_searches_and_enter_adds_where_the_mouse_was() {
    let mut harness = stage(pair());
    let spot = pos2(300.0, 60.0);
    click(&mut harness, spot, 2, Modifiers::NONE);
    harness.event(egui::Event::Text("saveV".to_owned()));
    settle(&mut harness);
    harness.key_press(Key::Enter);
    settle(&mut harness);
    let stage = harness.state();
    let (_, added) = stage.studio.session.graph().nodes.last().expect("a node");
    assert_eq!(added.class, "SaveVideo");
    let place = stage.canvas.screen_at(added.pos.expect("a place").into());
    assert!((place - spot).length() < 2.0, "{place} {spot}");
}

#[test]
fn a_drag_moves_all_that_is_selected_as_one_undo_unit() {
    let mut harness = stage(pair());
    let first = title(&harness, "Load diffusion model");
    let second = title(&harness, "KSampler");
    click(&mut harness, first, 1, Modifiers::NONE);
    click(&mut harness, second, 1, Modifiers::SHIFT);
    assert_eq!(selected(&harness), ["1", "2"]);
    drag(
        &mut harness,
        first,
        first + vec2(40.0, 24.0),
        Modifiers::NONE,
    );
    let zoom = harness.state().canvas.view().zoom;
    let moved = vec2(40.0, 24.0) / zoom;
    for (id, before) in [("1", pos2(0.0, 0.0)), ("2", pos2(400.0, 0.0))] {
        let now: Pos2 = harness.state().node(id).pos.expect("a place").into();
        assert!((now - before - moved).length() < 1.5, "{id}: {now}");
    }
    assert_eq!(harness.state().units(), 1);
}

#[test]
fn escape_takes_a_drag_back() {
    let mut harness = stage(pair());
    let from = title(&harness, "KSampler");
    harness.hover_at(from);
    harness.step();
    harness.drag_at(from);
    harness.step();
    harness.hover_at(from + vec2(80.0, 80.0));
    harness.step();
    harness.key_press(Key::Escape);
    harness.step();
    harness.drop_at(from + vec2(80.0, 80.0));
    settle(&mut harness);
    assert_eq!(harness.state().units(), 0);
    assert_eq!(harness.state().node("2").pos, Some([400.0, 0.0]));
    assert!((title(&harness, "KSampler") - from).length() < 1.0);
}

#[test]
fn a_box_selects_and_a_click_on_nothing_unselects() {
    let mut harness = stage(pair());
    drag(
        &mut harness,
        pos2(14.0, 14.0),
        pos2(1260.0, 780.0),
        Modifiers::COMMAND,
    );
    assert_eq!(selected(&harness), ["1", "2"]);
    click(&mut harness, pos2(14.0, 780.0), 1, Modifiers::NONE);
    assert!(selected(&harness).is_empty());
}

#[test]
fn a_drag_on_nothing_pans_and_a_wheel_zooms_to_the_mouse() {
    let mut harness = stage(pair());
    let before = harness.state().canvas.view();
    drag(
        &mut harness,
        pos2(20.0, 700.0),
        pos2(90.0, 640.0),
        Modifiers::NONE,
    );
    let after = harness.state().canvas.view();
    assert!((after.offset - before.offset - vec2(70.0, -60.0)).length() < 1.0);
    let mouse = pos2(500.0, 300.0);
    harness.hover_at(mouse);
    harness.step();
    let under = harness.state().canvas.graph_at(mouse);
    harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Line,
        delta: vec2(0.0, -3.0),
        phase: egui::TouchPhase::Move,
        modifiers: Modifiers::NONE,
    });
    settle(&mut harness);
    let stage = harness.state();
    assert!(stage.canvas.view().zoom < after.zoom * 0.8);
    assert!((stage.canvas.graph_at(mouse) - under).length() < 0.5);
    assert_eq!(stage.units(), 0);
}

#[test]
fn a_group_takes_what_is_in_it_along() {
    let mut project = pair();
    let group = Group {
        title: "Loaders".to_owned(),
        bounds: [-30.0, -60.0, 330.0, 260.0],
        ..Group::default()
    };
    project.groups.insert("g".to_owned(), group);
    let mut harness = stage(project);
    let bar = at(&harness, "Loaders");
    drag(&mut harness, bar, bar + vec2(0.0, 50.0), Modifiers::NONE);
    let moved = harness.state().node("1").pos.expect("a place");
    assert!(moved[1] > 30.0, "{moved:?}");
    assert_eq!(harness.state().node("2").pos, Some([400.0, 0.0]));
    assert!(harness.state().studio.session.graph().groups["g"].bounds[1] > -30.0);
    assert_eq!(harness.state().units(), 1);
}

#[test]
fn a_node_is_renamed_folded_and_resized() {
    let mut harness = stage(pair());
    let bar = title(&harness, "KSampler");
    click(&mut harness, bar, 2, Modifiers::NONE);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.event(egui::Event::Text("First pass".to_owned()));
    settle(&mut harness);
    harness.key_press(Key::Enter);
    settle(&mut harness);
    assert_eq!(
        harness.state().node("2").title.as_deref(),
        Some("First pass")
    );
    let rect = harness.get_by_label("First pass").rect();
    let corner = rect.right_bottom() - vec2(4.0, 4.0);
    drag(
        &mut harness,
        corner,
        corner + vec2(60.0, 40.0),
        Modifiers::NONE,
    );
    let wide = harness.get_by_label("First pass").rect();
    assert!((wide.width() - rect.width() - 60.0).abs() < 2.0, "{wide}");
    let zoom = harness.state().canvas.view().zoom;
    let fold = wide.left_top() + Vec2::splat(14.0 * zoom);
    click(&mut harness, fold, 1, Modifiers::NONE);
    assert!(harness.state().node("2").collapsed);
    assert!(harness.get_by_label("First pass").rect().height() < 40.0);
}

#[test]
fn a_parameter_takes_a_link_and_gives_its_value_back() {
    let mut project = pair();
    let int = node("PrimitiveInt", [0.0, 300.0], &[]);
    project.nodes.insert("3".into(), int);
    let sampler = project.nodes.get_mut("2").expect("a sampler");
    sampler
        .inputs
        .insert("steps".to_owned(), Input::Literal(33.into()));
    let mut harness = stage(project);
    let from = at(&harness, "INT output of Int");
    let to = at(&harness, "steps input of KSampler");
    drag(&mut harness, from, to, Modifiers::NONE);
    assert!(matches!(
        harness.state().input("2", "steps"),
        Some(Input::Link(_))
    ));
    let to = at(&harness, "steps input of KSampler");
    drag(&mut harness, to, to + vec2(-50.0, 320.0), Modifiers::NONE);
    assert_eq!(
        harness.state().input("2", "steps"),
        Some(&Input::Literal(33.into()))
    );
}

#[test]
fn a_reroute_is_put_into_a_link_by_its_menu() {
    let mut harness = stage(small());
    let from = at(&harness, "LATENT output of KSampler");
    let to = at(&harness, "samples input of VAE decode");
    let middle = from + (to - from) * 0.5;
    harness.hover_at(middle);
    harness.step();
    for pressed in [true, false] {
        harness.event(egui::Event::PointerButton {
            pos: middle,
            button: PointerButton::Secondary,
            pressed,
            modifiers: Modifiers::NONE,
        });
        harness.step();
    }
    settle(&mut harness);
    harness.get_by_label("Insert reroute").click();
    settle(&mut harness);
    let graph = harness.state().studio.session.graph();
    let (_, reroute) = graph.nodes.last().expect("a node");
    assert_eq!(reroute.class, "Reroute");
}

#[test]
fn an_idle_canvas_draws_nothing_and_a_change_shows_at_once() {
    let mut harness = stage(small());
    settle(&mut harness);
    let before = harness.state().frames;
    harness.step();
    harness.step();
    let asked = harness
        .output()
        .viewport_output
        .values()
        .map(|it| it.repaint_delay)
        .min();
    assert!(
        asked.is_some_and(|it| it > std::time::Duration::from_secs(1)),
        "{asked:?}"
    );
    assert_eq!(harness.state().frames, before + 2);
    let edit = Edit::SetMode {
        id: "6".into(),
        mode: Mode::Mute,
    };
    harness
        .state_mut()
        .studio
        .session
        .edit(longtake_editor::t("Mute", "ミュート"), edit)
        .expect("fits");
    harness.step();
    let index = harness.state().canvas.layout().index["6"];
    assert_eq!(
        harness.state().canvas.layout().nodes[index].mode,
        Mode::Mute
    );
}

#[test]
fn reveal_brings_a_node_into_view() {
    let mut project = pair();
    let far = node("SaveVideo", [9000.0, 5000.0], &[]);
    project.nodes.insert("9".into(), far);
    let mut harness = stage(project);
    let stage = harness.state_mut();
    stage
        .studio
        .act(Action::Select(Selection::of([Item::Node("9".into())])));
    stage.studio.act(CanvasAction::Reveal("9".into()).into());
    settle(&mut harness);
    let stage = harness.state();
    let rect = stage
        .canvas
        .layout()
        .rect_of(&Item::Node("9".into()))
        .expect("laid out");
    let shown = stage.canvas.view().shown(vec2(1280.0, 800.0));
    assert!(shown.contains_rect(rect), "{shown} {rect}");
    assert!(harness.query_by_label("Save video").is_some());
}
