//! The inspector driven by mouse and keys, without a window.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use egui::Vec2;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use longtake_editor::{
    Action, CanvasAction, Item, Language, Selection, Studio, WindowAction, testing,
};
use longtake_graph::{Input, Mode, NodeId, Project};
use serde_json::json;

use super::Inspector;
use crate::{Cx, Pictures, theme};

struct World {
    studio: Studio,
    pictures: Pictures,
    inspector: Inspector,
    wishes: Vec<WindowAction>,
}

impl World {
    fn ui(&mut self, ui: &mut egui::Ui) {
        let mut actions: Vec<Action> = Vec::new();
        let mut lit = HashSet::new();
        let mut cx = Cx {
            studio: &self.studio,
            actions: &mut actions,
            pictures: &mut self.pictures,
            lit: &mut lit,
        };
        self.inspector.ui(ui, &mut cx);
        for action in actions {
            self.studio.act(action);
        }
        self.wishes.extend(self.studio.window_wishes());
    }

    fn units(&self) -> usize {
        self.studio.session.history().done().len()
    }
}

/// A film graph with a node of each parameter, a slip in a checkpoint's name and a shot list.
fn project() -> Project {
    let mut project = testing::small();
    let shots = json!([
        {"id": "01", "seconds": 3.0, "prompt": "a harbour at dawn", "seed": 11},
        {"id": "02", "seconds": 4.5, "prompt": "gulls", "transition": "dissolve"},
    ]);
    let literals = [
        ("count", json!(40)),
        ("shots", shots),
        ("model", json!("wann.safetensors")),
    ];
    let node = testing::node("Everything", [0.0, 900.0], &literals);
    project.nodes.insert(NodeId::new("9"), node);
    testing::link(&mut project, "9", "strength", "5", 0);
    project
}

fn world(selected: &[&str]) -> World {
    let mut studio = testing::studio(project());
    studio.session.selection = Selection::of(selected.iter().map(|id| Item::Node(NodeId::new(id))));
    let deadline = Instant::now() + Duration::from_secs(5);
    while studio.planned.revision == 0 && studio.planned.diagnostics.is_empty() {
        studio.tick();
        assert!(Instant::now() < deadline, "no plan came");
        std::thread::sleep(Duration::from_millis(1));
    }
    World {
        studio,
        pictures: Pictures::default(),
        inspector: Inspector::default(),
        wishes: Vec::new(),
    }
}

fn harness(selected: &[&str]) -> Harness<'static, World> {
    let mut harness = Harness::builder()
        .with_size(Vec2::new(340.0, 1600.0))
        .build_ui_state(|ui, world: &mut World| world.ui(ui), world(selected));
    harness.run_steps(3);
    harness
}

#[test]
fn a_node_is_renamed_in_one_unit() {
    let mut harness = harness(&["6"]);
    let title = harness.get_by_label("Title of the node");
    title.click();
    harness.run_steps(2);
    for letter in ["M", "y"] {
        harness.event(egui::Event::Text(letter.to_owned()));
        harness.step();
    }
    harness.key_press(egui::Key::Escape);
    harness.run_steps(2);
    let node = &harness.state().studio.session.graph().nodes[&NodeId::new("6")];
    assert_eq!(node.title.as_deref(), Some("My"));
    assert_eq!(harness.state().units(), 1);
}

#[test]
fn several_nodes_change_together_as_one_unit() {
    let mut harness = harness(&["3", "4"]);
    harness.get_by_label("Mute").click();
    harness.run_steps(2);
    let modes = |world: &World| {
        let graph = world.studio.session.graph();
        ["3", "4"].map(|id| graph.nodes[&NodeId::new(id)].mode)
    };
    assert_eq!(modes(harness.state()), [Mode::Mute; 2]);
    let area = harness.get_by_role_and_label(
        egui::accesskit::Role::MultilineTextInput,
        "text of CLIP text encode (prompt)",
    );
    area.click();
    harness.run_steps(2);
    harness.event(egui::Event::Text("x".to_owned()));
    harness.run_steps(2);
    let graph = harness.state().studio.session.graph();
    let texts = ["3", "4"].map(|id| match &graph.nodes[&NodeId::new(id)].inputs["text"] {
        Input::Literal(value) => value.clone(),
        Input::Link(_) => json!(null),
    });
    assert_eq!(texts[0], texts[1]);
    assert_eq!(harness.state().units(), 2);
}

#[test]
fn a_slip_is_mended_by_the_near_name() {
    let mut harness = harness(&["9"]);
    // The small machine finds nothing wrong with a checkpoint's name: say it does.
    let place = longtake_graph::Place::node(&NodeId::new("9"), "Everything").input("model");
    let message = longtake_graph::say!("no such file", "そのファイルはありません");
    let finding = longtake_graph::Diagnostic::error("value_not_in_list", place, message);
    harness.state_mut().studio.planned.diagnostics = std::sync::Arc::new(vec![finding]);
    harness.run_steps(2);
    harness.get_by_label("Use wan.safetensors").click();
    harness.run_steps(2);
    let node = &harness.state().studio.session.graph().nodes[&NodeId::new("9")];
    let mended = Input::Literal(json!("wan.safetensors"));
    assert_eq!(node.inputs["model"], mended);
}

#[test]
fn findings_help_and_category_are_in_the_window_s_language() {
    let mut harness = harness(&["9"]);
    for (language, texts) in [
        (
            Language::En,
            [
                "expected FLOAT,INT, found LATENT",
                "One parameter of each kind.",
                "Everything · test",
            ],
        ),
        (
            Language::Ja,
            [
                "FLOAT,INT を受け取る入力ですが、LATENT がリンクされています",
                "パラメーターを 1 種類ずつ持ちます。",
                "Everything · テスト",
            ],
        ),
    ] {
        harness.state_mut().studio.settings.language = Some(language);
        harness.run_steps(3);
        for text in texts {
            let shown = harness.query_all_by_label_contains(text).count();
            assert!(shown > 0, "{text}");
        }
    }
}

#[test]
fn a_link_is_shown_followed_and_taken_off() {
    let mut harness = harness(&["9"]);
    harness.get_by_label("strength of Everything").click();
    harness.run_steps(2);
    let shown = WindowAction::Canvas(CanvasAction::Reveal(NodeId::new("5")));
    assert!(harness.state().wishes.contains(&shown));
    harness.get_by_label("Unlink").click();
    harness.run_steps(2);
    let node = &harness.state().studio.session.graph().nodes[&NodeId::new("9")];
    assert!(!node.inputs.contains_key("strength"));
}

#[test]
fn nothing_selected_lists_what_is_wrong() {
    let mut harness = harness(&[]);
    let findings = harness.state().studio.planned.diagnostics.len();
    assert!(findings > 0, "the graph has a finding");
    let all: Vec<_> = harness
        .get_all_by_role(egui::accesskit::Role::Label)
        .filter(|it| {
            let text = it.accesskit_node().value().or(it.accesskit_node().label());
            text.is_some_and(|it| it.starts_with('●'))
        })
        .collect();
    assert_eq!(all.len(), findings);
    all[0].click();
    drop(all);
    harness.run_steps(2);
    let shown = |it: &WindowAction| matches!(it, WindowAction::Canvas(CanvasAction::Reveal(_)));
    assert!(harness.state().wishes.iter().any(shown));
}

/// `cargo nextest run -p longtake-editor -p longtake-ui --run-ignored all -E 'test(pictures_to_look_at)'`.
#[test]
#[ignore = "writes pictures to /tmp to look at"]
fn pictures_to_look_at() {
    for (dark, language, selected) in [
        (true, Language::En, &["9"][..]),
        (false, Language::Ja, &["9"]),
        (true, Language::Ja, &["6"]),
        (false, Language::En, &["3", "4"]),
        (true, Language::En, &[]),
    ] {
        let mut world = world(selected);
        world.studio.settings.language = Some(language);
        let mut styled = false;
        let mut harness = Harness::builder()
            .with_size(Vec2::new(340.0, 1300.0))
            .wgpu()
            .build_ui_state(
                move |ui, world: &mut World| {
                    if !styled {
                        theme::fonts(ui.ctx());
                        let theme = if dark {
                            longtake_editor::settings::Theme::Dark
                        } else {
                            longtake_editor::settings::Theme::Light
                        };
                        theme::apply(ui.ctx(), theme, 1.0);
                        styled = true;
                    }
                    ui.painter()
                        .rect_filled(ui.max_rect(), 0.0, theme::of(ui).node);
                    world.ui(ui);
                },
                world,
            );
        harness.run_steps(20);
        let picture = harness.render().unwrap();
        let name = format!(
            "/tmp/inspector-{dark}-{language:?}-{}.png",
            selected.join("-")
        );
        picture.save(name).unwrap();
    }
}
