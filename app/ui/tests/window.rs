//! The whole window as pictures, drawn by the software rasteriser: dark with a plan, light with a
//! question over it.

#![allow(clippy::unwrap_used, reason = "tests: a panic is a failed test")]

use std::path::Path;
use std::time::{Duration, Instant};

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use longtake_editor::selection::Item;
use longtake_editor::settings::Theme;
use longtake_editor::testing::Fake;
use longtake_editor::{Action, Command, Selection, Settings, Studio, testing};
use longtake_graph::{Edit, NodeId, Project};
use longtake_ui::{Dialogs, Told, Window};

struct NoDesktop;

impl Dialogs for NoDesktop {
    fn answer(&self) -> bool {
        false
    }
    fn open(&mut self, _: &str, _: &[&str], _: Told) {}
    fn save(&mut self, _: &str, _: &Path, _: &[&str], _: Told) {}
}

fn window(studio: Studio) -> Harness<'static, Option<Window>> {
    sized(studio, [1100.0, 680.0])
}

/// A window after its first frames, without a picture of it.
fn plain(studio: Studio) -> Harness<'static, Option<Window>> {
    let mut studio = Some(studio);
    let app = move |ui: &mut egui::Ui, window: &mut Option<Window>| {
        let window = window.get_or_insert_with(|| {
            let studio = studio.take().unwrap();
            Window::new(ui.ctx(), studio, Box::new(NoDesktop))
        });
        window.ui(ui);
    };
    let mut harness = Harness::builder()
        .with_size([1100.0, 680.0])
        .build_ui_state(app, None);
    harness.run_steps(2);
    harness
}

fn sized(studio: Studio, size: [f32; 2]) -> Harness<'static, Option<Window>> {
    let mut studio = Some(studio);
    let app = move |ui: &mut egui::Ui, window: &mut Option<Window>| {
        let window = window.get_or_insert_with(|| {
            let studio = studio.take().unwrap();
            Window::new(ui.ctx(), studio, Box::new(NoDesktop))
        });
        window.ui(ui);
    };
    let mut harness = Harness::builder()
        .with_size(size)
        .with_step_dt(1.0 / 60.0)
        .wgpu()
        .build_ui_state(app, None);
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        harness.run_steps(2);
        let studio = &harness.state().as_ref().unwrap().studio;
        if studio.planned.revision == studio.session.revision() && studio.planned.plan.is_some() {
            break;
        }
        assert!(Instant::now() < end, "no plan");
        std::thread::sleep(Duration::from_millis(10));
    }
    harness.run_steps(6);
    harness
}

fn act(harness: &mut Harness<'_, Option<Window>>, action: Action) {
    let window = harness.state_mut().as_mut().unwrap();
    window.studio.act(action);
    harness.run_steps(4);
}

#[test]
fn a_graph_its_plan_and_a_node() {
    let mut harness = window(testing::studio(testing::small()));
    let chosen = Selection::of([Item::Node(NodeId::new("6"))]);
    act(&mut harness, Action::Select(chosen));
    harness.snapshot("window-dark");
}

/// The upper edge of the plan, by its first row.
fn plan_top(harness: &Harness<'_, Option<Window>>) -> f32 {
    harness.get_by_label("By step").rect().center().y - 53.0
}

#[test]
fn panels_keep_their_sizes_for_the_next_start_and_can_be_reset() {
    let mut harness = window(testing::studio(testing::small()));
    let before = plan_top(&harness);
    let edge = egui::pos2(400.0, before);
    let up = edge - egui::vec2(0.0, 120.0);
    harness.drag_at(edge);
    harness.run_steps(2);
    harness.hover_at(up);
    harness.run_steps(2);
    harness.drop_at(up);
    harness.run_steps(3);
    let after = plan_top(&harness);
    assert!(after < before - 100.0, "{before} {after}");

    let settings = harness.state().as_ref().unwrap().studio.settings.clone();
    let start = |settings: &Settings| {
        let mut studio = testing::studio(testing::small());
        studio.settings = settings.clone();
        window(studio)
    };
    let mut next = start(&settings);
    assert!((plan_top(&next) - after).abs() < 2.0);
    act(&mut next, Action::Command(Command::ResetPanels));
    assert!((plan_top(&next) - before).abs() < 2.0);

    let mut broken = settings;
    let nonsense =
        serde_json::json!({"down": [{"tabs": ["canvas"]}, {"tabs": [4]}], "shares": "no"});
    broken.extra.insert("panels".to_owned(), nonsense);
    assert!((plan_top(&start(&broken)) - before).abs() < 2.0);
}

#[test]
fn our_own_dialog_asks_before_it_replaces_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.longtake");
    std::fs::write(&film, "mine").unwrap();
    let mut studio = testing::studio(testing::small());
    studio.session.path = Some(film.clone());
    let mut harness = window(studio);
    act(&mut harness, Action::Command(Command::SaveAs));
    harness.key_press(egui::Key::Enter);
    harness.run_steps(3);
    harness.get_by_label("Replace the file?");
    // Only a click says so: Enter may still be held down.
    harness.key_press(egui::Key::Enter);
    harness.run_steps(3);
    harness.get_by_label("Cancel").click();
    harness.run_steps(3);
    harness.get_by_label("Save the graph");
    assert_eq!(std::fs::read(&film).unwrap(), b"mine");
    harness.key_press(egui::Key::Enter);
    harness.run_steps(3);
    harness.get_by_label("Replace").click();
    let end = Instant::now() + Duration::from_secs(20);
    while std::fs::read(&film).unwrap() == b"mine" {
        assert!(Instant::now() < end, "not saved");
        harness.run_steps(2);
    }
}

#[test]
fn a_question_before_work_is_lost() {
    let mut studio = testing::studio(testing::small());
    studio.settings.theme = Theme::Light;
    let mut harness = window(studio);
    let title = Edit::SetProjectTitle {
        title: "Changed".to_owned(),
    };
    let label = longtake_editor::t("Title", "題名");
    act(&mut harness, Action::Edit(label, title));
    act(&mut harness, Action::Command(Command::New));
    harness.snapshot("window-light-question");
    act(&mut harness, Action::Answer(usize::MAX));
    let studio = &harness.state().as_ref().unwrap().studio;
    assert_eq!(studio.session.name().as_deref(), Some("Changed"), "kept");
}

#[test]
fn keys_work_while_a_button_has_the_focus_but_not_while_a_text_is_typed() {
    let mut harness = window(testing::studio(testing::small()));
    let studio = |it: &Harness<'_, Option<Window>>| {
        let studio = &it.state().as_ref().unwrap().studio;
        (studio.settings.minimap, studio.session.graph().nodes.len())
    };
    let chosen = Selection::of([Item::Node(NodeId::new("5"))]);
    act(&mut harness, Action::Select(chosen));
    let press = |harness: &mut Harness<'_, Option<Window>>, key: egui::Key| {
        harness.key_press(key);
        harness.run_steps(3);
    };
    harness.get_by_label("By step").focus();
    harness.run_steps(2);
    assert!(harness.ctx.memory(|it| it.focused().is_some()));
    press(&mut harness, egui::Key::M);
    assert_eq!(studio(&harness), (false, 8));
    press(&mut harness, egui::Key::Delete);
    assert_eq!(studio(&harness), (false, 7));
    // The button's own key is the button's.
    press(&mut harness, egui::Key::Space);
    assert_eq!(studio(&harness), (false, 7));

    let chosen = Selection::of([Item::Node(NodeId::new("4"))]);
    act(&mut harness, Action::Select(chosen));
    let texts = harness.get_all_by_role(Role::TextInput);
    texts.into_iter().next().unwrap().focus();
    harness.run_steps(2);
    assert!(harness.ctx.text_edit_focused());
    press(&mut harness, egui::Key::M);
    press(&mut harness, egui::Key::Delete);
    assert_eq!(studio(&harness), (false, 7));
}

#[test]
fn a_file_that_is_slow_to_read_shows_that_it_is_being_read() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        (
            "film.longtake",
            longtake_graph::format::project::to_text(&testing::small()),
        ),
        ("torn.longtake", "{".to_owned()),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let (open, gate) = crossbeam::channel::unbounded();
        let mut studio = testing::studio(Project::default());
        studio.engine = std::sync::Arc::new(Fake {
            gate: Some(gate),
            ..Fake::default()
        });
        studio.act(Action::Open(path));
        let mut harness = plain(studio);
        let busy = format!("Opening {name}…");
        let gallery = "Start";
        assert!(harness.query_by_label(&busy).is_none(), "not at once");
        std::thread::sleep(Duration::from_millis(350));
        harness.run_steps(2);
        assert!(harness.query_by_label(&busy).is_some());
        assert!(harness.query_by_label(gallery).is_none());
        open.send(()).unwrap();
        harness.state_mut().as_mut().unwrap().studio.finish_files();
        harness.run_steps(4);
        assert!(harness.query_by_label(&busy).is_none());
        let nodes = harness
            .state()
            .as_ref()
            .unwrap()
            .studio
            .session
            .project()
            .nodes
            .len();
        assert_eq!(nodes, if name == "film.longtake" { 8 } else { 0 });
        // What could not be read leaves a person where they begin.
        assert_eq!(
            harness.query_by_label(gallery).is_some(),
            nodes == 0,
            "{name}"
        );
    }
}

/// For the eye: `LOOK=FOLDER cargo nextest run … look` writes PNGs of the window in two sizes.
#[test]
fn look() {
    let Ok(folder) = std::env::var("LOOK") else {
        return;
    };
    for size in [[1600.0, 960.0], [1000.0, 600.0]] {
        let mut harness = sized(testing::studio(testing::small()), size);
        let image = harness.render().unwrap();
        image
            .save(format!("{folder}/window-{}.png", size[0]))
            .unwrap();
    }
}
