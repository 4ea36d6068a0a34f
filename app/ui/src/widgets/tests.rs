//! The editors driven by mouse and keys, without a window.

use std::collections::HashSet;

use egui::{Event, Key, Modifiers, PointerButton, Pos2, Rect, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use longtake_editor::shape::Shape;
use longtake_editor::{Action, Studio, testing};
use longtake_graph::{Input, NodeId, Project};
use serde_json::{Value, json};

use super::{Room, parameter_height, parameter_ui};
use crate::{Cx, Pictures};

struct World {
    studio: Studio,
    pictures: Pictures,
    room: Room,
    /// Height each parameter took, and was said to take.
    heights: Vec<(String, f32, f32)>,
}

fn world(literals: &[(&str, Value)], room: Room) -> World {
    let mut project = Project::default();
    let node = testing::node("Everything", [0.0; 2], literals);
    project.nodes.insert(NodeId::new("1"), node);
    World {
        studio: testing::studio(project),
        pictures: Pictures::default(),
        room,
        heights: Vec::new(),
    }
}

impl World {
    fn ui(&mut self, ui: &mut egui::Ui) {
        let id = NodeId::new("1");
        let mut actions: Vec<Action> = Vec::new();
        let mut lit = HashSet::new();
        let session = &self.studio.session;
        let node = &session.graph().nodes[&id];
        let language = self.studio.language();
        let catalog = self.studio.engine.catalog();
        let shape = Shape::of(session.project(), None, node, catalog, language);
        let mut cx = Cx {
            studio: &self.studio,
            actions: &mut actions,
            pictures: &mut self.pictures,
            lit: &mut lit,
        };
        ui.spacing_mut().item_spacing = Vec2::ZERO;
        self.heights.clear();
        for input in shape.inputs.iter().filter(|it| it.is_parameter()) {
            let top = ui.cursor().top();
            parameter_ui(ui, &mut cx, &id, input, self.room);
            let took = ui.cursor().top() - top;
            let said = parameter_height(input, self.room);
            self.heights.push((input.name.clone(), took, said));
        }
        for action in actions {
            self.studio.act(action);
        }
    }

    fn value(&self, input: &str) -> Option<Value> {
        let node = &self.studio.session.graph().nodes[&NodeId::new("1")];
        match node.inputs.get(input) {
            Some(Input::Literal(value)) => Some(value.clone()),
            _ => None,
        }
    }

    fn units(&self) -> usize {
        self.studio.session.history().done().len()
    }
}

fn harness(literals: &[(&str, Value)], room: Room) -> Harness<'static, World> {
    let mut harness = Harness::builder()
        .with_size(Vec2::new(300.0, 700.0))
        .build_ui_state(|ui, world: &mut World| world.ui(ui), world(literals, room));
    harness.run();
    harness
}

fn place(harness: &Harness<'_, World>, input: &str) -> Rect {
    harness
        .get_by_label(&format!("{input} of Everything"))
        .rect()
}

fn button(harness: &Harness<'_, World>, pos: Pos2, pressed: bool, modifiers: Modifiers) {
    harness.event(Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers,
    });
}

/// Presses at a point, moves there in steps, lets go.
fn drag(harness: &mut Harness<'_, World>, from: Pos2, by: Vec2) {
    harness.event(Event::PointerMoved(from));
    harness.step();
    button(harness, from, true, Modifiers::NONE);
    harness.step();
    for part in 1..=10 {
        harness.event(Event::PointerMoved(from + by * part as f32 / 10.0));
        harness.step();
    }
    button(harness, from + by, false, Modifiers::NONE);
    harness.step();
    harness.run();
}

fn click(harness: &mut Harness<'_, World>, at: Pos2) {
    harness.event(Event::PointerMoved(at));
    harness.step();
    button(harness, at, true, Modifiers::NONE);
    harness.step();
    button(harness, at, false, Modifiers::NONE);
    harness.step();
    harness.run_steps(3);
}

fn type_text(harness: &mut Harness<'_, World>, text: &str) {
    for letter in text.chars() {
        harness.event(Event::Text(letter.to_string()));
        harness.step();
    }
}

fn press(harness: &mut Harness<'_, World>, key: Key) {
    harness.key_press(key);
    harness.step();
    harness.run_steps(2);
}

#[test]
fn a_row_takes_the_height_it_was_said_to_take() {
    let harness = harness(&[], Room::Node);
    let heights = &harness.state().heights;
    assert_eq!(heights.len(), 12, "{heights:?}");
    for (input, took, said) in heights {
        assert!((took - said).abs() < 0.01, "{input}: {took} {said}");
    }
}

#[test]
fn a_drag_of_a_number_is_one_unit() {
    let mut harness = harness(&[("count", json!(10))], Room::Node);
    let at = place(&harness, "count").center();
    drag(&mut harness, at, Vec2::new(60.0, 0.0));
    let world = harness.state_mut();
    let dragged = world.value("count").unwrap().as_i64().unwrap();
    assert!((15..=40).contains(&dragged), "{dragged}");
    assert_eq!(world.units(), 1);
    world.studio.session.undo();
    assert_eq!(world.value("count"), Some(json!(10)));
    // Two drags are two units.
    world.studio.session.redo();
    for _ in 0..2 {
        drag(&mut harness, at, Vec2::new(-20.0, 0.0));
    }
    assert_eq!(harness.state().units(), 3);
}

#[test]
fn numbers_are_typed_as_expressions_and_kept_in_range() {
    for (typed, kept, units) in [
        ("24*2", json!(48), 1),
        ("999", json!(100), 1),
        ("nonsense", json!(10), 0),
        ("10", json!(10), 0),
    ] {
        let mut harness = harness(&[("count", json!(10))], Room::Node);
        let at = place(&harness, "count").center();
        click(&mut harness, at);
        type_text(&mut harness, typed);
        press(&mut harness, Key::Enter);
        assert_eq!(harness.state().value("count"), Some(kept), "{typed}");
        assert_eq!(harness.state().units(), units, "{typed}");
    }
}

#[test]
fn escape_leaves_a_number_as_it_was_and_arrows_step() {
    let mut harness = harness(&[("count", json!(10))], Room::Node);
    let cell = place(&harness, "count");
    click(&mut harness, cell.center());
    type_text(&mut harness, "77");
    press(&mut harness, Key::Escape);
    assert_eq!(harness.state().value("count"), Some(json!(10)));
    click(&mut harness, cell.right_center() - Vec2::new(4.0, 0.0));
    click(&mut harness, cell.right_center() - Vec2::new(4.0, 0.0));
    assert_eq!(harness.state().value("count"), Some(json!(12)));
    click(&mut harness, cell.left_center() + Vec2::new(4.0, 0.0));
    assert_eq!(harness.state().value("count"), Some(json!(11)));
    assert_eq!(harness.state().units(), 3);
}

#[test]
fn seeds_keep_all_64_bits() {
    let mut harness = harness(&[("seed", json!(u64::MAX))], Room::Node);
    let at = place(&harness, "seed").center();
    drag(&mut harness, at, Vec2::new(-30.0, 0.0));
    let dragged = harness.state().value("seed").unwrap().as_u64().unwrap();
    assert!(
        (1..20).contains(&(u64::MAX - dragged)),
        "{dragged} is near the top"
    );
    click(&mut harness, at);
    type_text(&mut harness, "18446744073709551613");
    press(&mut harness, Key::Enter);
    let exact = json!(18_446_744_073_709_551_613_u64);
    assert_eq!(harness.state().value("seed"), Some(exact));
}

#[test]
fn what_becomes_of_a_seed_is_chosen_and_a_new_one_rolled() {
    let mut harness = harness(&[("seed", json!(5))], Room::Node);
    harness.get_by_label("After each run: keep").click();
    harness.run();
    harness
        .get_by_label("After each run: new random seed")
        .click();
    harness.run();
    let node = &harness.state().studio.session.graph().nodes[&NodeId::new("1")];
    let written = &node.extra["control_after_generate"];
    assert_eq!(*written, json!({"seed": "randomize"}));
    harness.get_by_label("New random seed").click();
    harness.run();
    assert_ne!(harness.state().value("seed"), Some(json!(5)));
    assert_eq!(harness.state().units(), 2);
}

#[test]
fn typing_is_one_unit_until_the_focus_is_lost() {
    for (room, input) in [
        (Room::Node, "name"),
        (Room::Node, "text"),
        (Room::Inspector, "text"),
    ] {
        let mut harness = harness(&[(input, json!("a"))], room);
        let at = place(&harness, input).center();
        click(&mut harness, at);
        press(&mut harness, Key::End);
        type_text(&mut harness, "海 x");
        assert_eq!(harness.state().value(input), Some(json!("a海 x")));
        let elsewhere = place(&harness, "loop").right_center() + Vec2::new(500.0, 0.0);
        click(&mut harness, elsewhere);
        assert_eq!(harness.state().units(), 1, "{room:?} {input}");
        click(&mut harness, at);
        type_text(&mut harness, "y");
        assert_eq!(harness.state().units(), 2, "{room:?} {input}");
    }
}

#[test]
fn a_switch_turns_at_a_click() {
    let mut harness = harness(&[], Room::Node);
    harness.get_by_label("loop of Everything").click();
    harness.run();
    assert_eq!(harness.state().value("loop"), Some(json!(true)));
}

#[test]
fn a_long_list_is_filtered_and_picked_by_keys() {
    let mut harness = harness(&[], Room::Node);
    harness.get_by_label("mode of Everything").click();
    harness.run();
    type_text(&mut harness, "J");
    harness.run();
    assert!(harness.query_by_label("a").is_none(), "filtered out");
    press(&mut harness, Key::Enter);
    assert_eq!(harness.state().value("mode"), Some(json!("j")));
    harness.get_by_label("mode of Everything").click();
    harness.run();
    press(&mut harness, Key::ArrowUp);
    press(&mut harness, Key::Enter);
    assert_eq!(harness.state().value("mode"), Some(json!("i")));
    assert_eq!(harness.state().units(), 2);
}

#[test]
fn models_and_files_are_picked_from_their_folders() {
    for (input, name) in [
        ("model", "wan-2.2-high.safetensors"),
        ("image", "heroine.jpg"),
    ] {
        let mut harness = harness(&[(input, json!("gone"))], Room::Node);
        harness
            .get_by_label(&format!("{input} of Everything"))
            .click();
        harness.run();
        harness.get_by_label(name).click();
        harness.run();
        assert_eq!(harness.state().value(input), Some(json!(name)));
    }
}

#[test]
fn a_curve_gains_moves_and_loses_points() {
    let line = json!([[0.0, 0.0], [1.0, 1.0]]);
    let mut harness = harness(&[("curve", line.clone())], Room::Node);
    let area = place(&harness, "curve").shrink(8.0);
    let at = |x: f32, y: f32| {
        Pos2::new(
            egui::lerp(area.x_range(), x),
            egui::lerp(area.bottom()..=area.top(), y),
        )
    };
    click(&mut harness, at(0.5, 0.8));
    let points = harness.state().value("curve").unwrap();
    assert_eq!(points.as_array().unwrap().len(), 3, "{points}");
    drag(&mut harness, at(0.5, 0.8), at(0.25, 0.4) - at(0.5, 0.8));
    let points = harness.state().value("curve").unwrap();
    let (x, y) = (&points[1][0], &points[1][1]);
    assert!((x.as_f64().unwrap() - 0.25).abs() < 0.02, "{points}");
    assert!((y.as_f64().unwrap() - 0.4).abs() < 0.02, "{points}");
    assert_eq!(harness.state().units(), 2, "an addition and a drag");
    press(&mut harness, Key::Delete);
    assert_eq!(harness.state().value("curve"), Some(line));
}

#[test]
fn the_default_is_restored_from_the_menu() {
    let mut harness = harness(&[("count", json!(10))], Room::Node);
    harness
        .get_by_label("count of Everything")
        .click_secondary();
    harness.run();
    harness.get_by_label("Restore default").click();
    harness.run();
    assert_eq!(harness.state().value("count"), None);
    harness.state_mut().studio.session.undo();
    assert_eq!(harness.state().value("count"), Some(json!(10)));
}

#[test]
fn shots_are_counted_in_words() {
    for (shots, text) in [
        (json!([]), "0 shots, 0.0 s"),
        (json!([{"id": "01", "seconds": 3.0}]), "1 shot, 3.0 s"),
    ] {
        let mut harness = harness(&[("shots", shots)], Room::Inspector);
        harness.set_size(Vec2::new(320.0, 1400.0));
        harness.run();
        assert!(harness.query_by_label(text).is_some(), "{text}");
    }
}

#[test]
fn shots_are_added_doubled_moved_and_removed() {
    let shots = json!([
        {"id": "01", "seconds": 3.0, "prompt": "a harbour"},
        {"id": "02", "seconds": 61.0},
    ]);
    let mut harness = harness(&[("shots", shots)], Room::Inspector);
    harness.set_size(Vec2::new(320.0, 1400.0));
    harness.run();
    assert!(harness.query_by_label("2 shots, 1:04").is_some());
    let ids = |harness: &Harness<'_, World>| -> Vec<String> {
        let value = harness.state().value("shots").unwrap();
        let id = |it: &Value| it["id"].as_str().unwrap().to_owned();
        value.as_array().unwrap().iter().map(id).collect()
    };
    for (label, nth, left) in [
        ("Add shot", 0, vec!["01", "02", "03"]),
        ("Duplicate shot", 0, vec!["01", "04", "02", "03"]),
        ("Move down", 0, vec!["04", "01", "02", "03"]),
        ("Remove shot", 3, vec!["04", "01", "02"]),
    ] {
        let found = harness.get_all_by_label(label).nth(nth).unwrap();
        found.click();
        harness.run();
        assert_eq!(ids(&harness), left, "{label}");
    }
    let at = harness.get_by_label("seconds: 01").rect().center();
    click(&mut harness, at);
    type_text(&mut harness, "2.5");
    press(&mut harness, Key::Enter);
    let value = harness.state().value("shots").unwrap();
    assert_eq!(value[1]["seconds"], json!(2.5));
    assert_eq!(value[1]["prompt"], json!("a harbour"));
    assert_eq!(harness.state().units(), 5);
}

/// `cargo nextest run -p longtake-editor -p longtake-ui --run-ignored all -E 'test(pictures_to_look_at)'`.
#[test]
#[ignore = "writes pictures to /tmp to look at"]
fn pictures_to_look_at() {
    use longtake_editor::settings::Theme;
    for (theme, name) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        let literals = [
            ("count", json!(40)),
            ("seed", json!(u64::MAX)),
            ("text", json!("a harbour at dawn, 朝の港")),
            ("model", json!("gone.safetensors")),
        ];
        let mut world = world(&literals, Room::Node);
        let node = NodeId::new("1");
        let place = longtake_graph::Place::node(&node, "Everything").input("image");
        let message = longtake_graph::say!("choose a file", "ファイルを選んでください");
        let finding = longtake_graph::Diagnostic::error("missing", place, message);
        world.studio.planned.diagnostics = std::sync::Arc::new(vec![finding]);
        let mut styled = false;
        let draw = move |ui: &mut egui::Ui, world: &mut World| {
            if !styled {
                crate::theme::fonts(ui.ctx());
                crate::theme::apply(ui.ctx(), theme, 1.0);
                styled = true;
            }
            let fill = crate::theme::of(ui).node;
            ui.painter().rect_filled(ui.max_rect(), 0.0, fill);
            world.ui(ui);
        };
        let mut harness = Harness::builder()
            .with_size(Vec2::new(260.0, 460.0))
            .wgpu()
            .build_ui_state(draw, world);
        harness.run_steps(4);
        harness
            .render()
            .unwrap()
            .save(format!("/tmp/rows-{name}.png"))
            .unwrap();
        for (open, at) in [("mode", "list"), ("colour", "picker")] {
            harness
                .get_by_label(&format!("{open} of Everything"))
                .click();
            harness.run_steps(6);
            let path = format!("/tmp/rows-{name}-{at}.png");
            harness.render().unwrap().save(path).unwrap();
            harness.key_press(Key::Escape);
            harness.run_steps(4);
        }
    }
}
