//! The whole window driven by keys and mouse: who hears a key first, what is half typed when a command
//! runs, what another document leaves.

#![allow(clippy::unwrap_used, reason = "tests: a panic is a failed test")]

use std::path::Path;
use std::time::{Duration, Instant};

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, PointerButton, Pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use longtake_editor::selection::Item;
use longtake_editor::{Action, Command, Selection, Studio, t, testing};
use longtake_graph::{Edit, Input, NodeId, Note, Project};
use longtake_ui::{Dialogs, Told, Window};

struct NoDesktop;

impl Dialogs for NoDesktop {
    fn answer(&self) -> bool {
        false
    }
    fn open(&mut self, _: &str, _: &[&str], _: Told) {}
    fn save(&mut self, _: &str, _: &Path, _: &[&str], _: Told) {}
}

type Stage = Harness<'static, Option<Window>>;

fn window(project: Project) -> Stage {
    with_desktop(project, Box::new(NoDesktop))
}

fn with_desktop(project: Project, desktop: Box<dyn Dialogs>) -> Stage {
    let mut desktop = Some(desktop);
    let mut studio = Some(testing::studio(project));
    let app = move |ui: &mut egui::Ui, window: &mut Option<Window>| {
        let window = window.get_or_insert_with(|| {
            let studio = studio.take().unwrap();
            Window::new(ui.ctx(), studio, desktop.take().unwrap())
        });
        window.ui(ui);
    };
    let mut harness = Harness::builder()
        .with_size([1500.0, 900.0])
        .with_step_dt(1.0 / 60.0)
        .build_ui_state(app, None);
    harness.run_steps(12);
    planned(&mut harness);
    harness
}

fn planned(harness: &mut Stage) {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        harness.run_steps(2);
        let studio = studio(harness);
        if studio.planned.revision == studio.session.revision() {
            break;
        }
        assert!(Instant::now() < end, "no plan");
        std::thread::sleep(Duration::from_millis(10));
    }
    harness.run_steps(20);
}

fn studio(harness: &Stage) -> &Studio {
    &harness.state().as_ref().unwrap().studio
}

fn act(harness: &mut Stage, action: Action) {
    harness.state_mut().as_mut().unwrap().studio.act(action);
    harness.run_steps(20);
}

fn press(harness: &mut Stage, modifiers: Modifiers, key: Key) {
    harness.key_press_modifiers(modifiers, key);
    harness.run_steps(4);
}

fn escape(harness: &mut Stage) {
    press(harness, Modifiers::NONE, Key::Escape);
}

fn button(harness: &mut Stage, pos: Pos2, button: PointerButton, pressed: bool) {
    harness.event(Event::PointerButton {
        pos,
        button,
        pressed,
        modifiers: Modifiers::NONE,
    });
    harness.run_steps(2);
}

fn click(harness: &mut Stage, at: Pos2) {
    harness.hover_at(at);
    harness.run_steps(2);
    button(harness, at, PointerButton::Primary, true);
    button(harness, at, PointerButton::Primary, false);
    harness.run_steps(2);
}

/// The leftmost widget of that name: the canvas stands left of the inspector.
fn place(harness: &Stage, label: &str) -> Pos2 {
    let found = harness.get_all_by_label(label).map(|it| it.rect().center());
    found.min_by(|a, b| a.x.total_cmp(&b.x)).unwrap()
}

fn depth(harness: &Stage) -> usize {
    studio(harness).session.scope().len()
}

fn steps(harness: &Stage) -> Option<Input> {
    let node = &studio(harness).session.project().nodes["6"];
    node.inputs.get("steps").cloned()
}

fn literal(value: i64) -> Input {
    Input::Literal(value.into())
}

fn pos(harness: &Stage, id: &str) -> Option<[f32; 2]> {
    studio(harness).session.graph().nodes[id].pos
}

/// The open graph is a subgraph's.
fn inside() -> Stage {
    let mut harness = window(testing::small());
    let both = ["5", "6"].map(|id| Item::Node(NodeId::new(id)));
    act(&mut harness, Action::Select(Selection::of(both)));
    act(&mut harness, Action::Command(Command::MakeSubgraph));
    let graph = studio(&harness).session.project();
    let instance = graph
        .nodes
        .iter()
        .find(|(_, it)| graph.subgraphs.contains_key(&it.class));
    let id = instance.unwrap().0.clone();
    act(&mut harness, Action::Enter(id));
    planned(&mut harness);
    assert_eq!(depth(&harness), 1);
    harness
}

#[test]
fn escape_closes_the_node_search_before_it_leaves_a_subgraph() {
    let mut harness = inside();
    press(&mut harness, Modifiers::NONE, Key::Tab);
    assert!(harness.query_by_label("Search nodes…").is_some());
    escape(&mut harness);
    assert!(harness.query_by_label("Search nodes…").is_none());
    assert_eq!(depth(&harness), 1);
    escape(&mut harness);
    assert_eq!(depth(&harness), 0);
}

#[test]
fn escape_closes_a_menu_first() {
    let mut harness = inside();
    harness.get_by_label("File").click();
    harness.run_steps(4);
    assert!(harness.query_by_label_contains("Save as…").is_some());
    escape(&mut harness);
    assert!(harness.query_by_label_contains("Save as…").is_none());
    assert_eq!(depth(&harness), 1);
}

#[test]
fn escape_takes_a_drag_back_and_stays_in_the_subgraph() {
    let mut harness = inside();
    let before = pos(&harness, "6");
    let from = harness.get_by_label("KSampler").rect().left_top() + vec2(70.0, 14.0);
    harness.hover_at(from);
    harness.run_steps(2);
    button(&mut harness, from, PointerButton::Primary, true);
    for part in 1..=3 {
        harness.hover_at(from + vec2(30.0, 20.0) * part as f32);
        harness.run_steps(1);
    }
    escape(&mut harness);
    button(&mut harness, from, PointerButton::Primary, false);
    harness.run_steps(4);
    assert_eq!(depth(&harness), 1);
    assert_eq!(pos(&harness, "6"), before);
}

#[test]
fn a_question_keeps_keys_from_the_document_behind() {
    let mut harness = window(testing::small());
    let title = |it: &str| Edit::SetProjectTitle {
        title: it.to_owned(),
    };
    act(&mut harness, Action::Edit(t("Title", "題名"), title("New")));
    let six = Selection::of([Item::Node(NodeId::new("6"))]);
    act(&mut harness, Action::Select(six));
    press(&mut harness, Modifiers::COMMAND, Key::N);
    assert!(studio(&harness).question.is_some());
    press(&mut harness, Modifiers::NONE, Key::Delete);
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    harness.event(Event::Cut);
    harness.run_steps(2);
    assert!(studio(&harness).question.is_some());
    let project = studio(&harness).session.project();
    assert_eq!(project.title, "New");
    assert!(project.nodes.contains_key("6"));
    escape(&mut harness);
    assert!(studio(&harness).question.is_none());
}

#[test]
fn enter_in_a_question_is_for_the_button_that_has_the_focus() {
    let mut harness = window(testing::small());
    let title = Edit::SetProjectTitle {
        title: "New".to_owned(),
    };
    act(&mut harness, Action::Edit(t("Title", "題名"), title));
    press(&mut harness, Modifiers::COMMAND, Key::N);
    harness.get_by_label("Cancel").focus();
    harness.run_steps(2);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert!(studio(&harness).question.is_none());
    assert_eq!(studio(&harness).session.project().title, "New");
    assert!(harness.query_by_label("Name or path").is_none(), "saves");
}

#[test]
fn keys_that_are_recorded_are_not_obeyed() {
    let mut harness = window(testing::small());
    let six = Selection::of([Item::Node(NodeId::new("6"))]);
    act(&mut harness, Action::Select(six));
    let count = studio(&harness).session.project().nodes.len();
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    for (chord, event, text) in [
        ("Ctrl+N", Some((Modifiers::COMMAND, Key::D)), "Ctrl+D"),
        ("Ctrl+O", None, "Ctrl+C"),
        ("Ctrl+S", Some((Modifiers::NONE, Key::Escape)), ""),
    ] {
        let found = harness.get_all_by_label(chord);
        let button = found.max_by(|a, b| a.rect().left().total_cmp(&b.rect().left()));
        let at = button.unwrap().rect().center();
        click(&mut harness, at);
        match event {
            Some((modifiers, key)) => press(&mut harness, modifiers, key),
            None => harness.event(Event::Copy),
        }
        harness.run_steps(4);
        let command = match chord {
            "Ctrl+N" => Command::New,
            "Ctrl+O" => Command::Open,
            _ => Command::Save,
        };
        assert_eq!(studio(&harness).settings.keys_of(command), text);
    }
    let session = &studio(&harness).session;
    assert_eq!(session.project().nodes.len(), count, "duplicated");
}

/// Types a number of steps, and leaves the field open.
fn half_typed(text: &str) -> Stage {
    let mut harness = window(testing::small());
    let at = place(&harness, "steps of KSampler");
    click(&mut harness, at);
    harness.event(Event::Text(text.to_owned()));
    harness.run_steps(2);
    assert_eq!(steps(&harness), Some(literal(20)), "still being typed");
    harness
}

#[test]
fn escape_in_a_number_takes_back_what_was_typed() {
    let mut harness = half_typed("33");
    escape(&mut harness);
    assert_eq!(steps(&harness), Some(literal(20)));
    assert_eq!(studio(&harness).session.history().done().len(), 0);
}

#[test]
fn a_number_half_typed_counts_when_a_command_runs() {
    let mut harness = half_typed("33");
    press(&mut harness, Modifiers::COMMAND, Key::Enter);
    assert_eq!(steps(&harness), Some(literal(33)));
    let end = Instant::now() + Duration::from_secs(30);
    while studio(&harness).queue.ended.is_empty() {
        assert!(Instant::now() < end, "no run");
        harness.run_steps(2);
        std::thread::sleep(Duration::from_millis(10));
    }
    let queue = &studio(&harness).queue;
    let ran = queue.project(queue.ended[0].id).unwrap();
    assert_eq!(
        ran.nodes["6"].inputs.get("steps").cloned(),
        Some(literal(33))
    );
}

#[test]
fn a_number_half_typed_is_taken_in_when_it_is_moved_out_of_view() {
    let mut harness = half_typed("33");
    let at = place(&harness, "Load diffusion model");
    harness.hover_at(at);
    harness.run_steps(1);
    harness.event(Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: vec2(0.0, 4000.0),
        phase: egui::TouchPhase::Move,
        modifiers: Modifiers::NONE,
    });
    harness.run_steps(20);
    assert_eq!(steps(&harness), Some(literal(33)));
    assert_eq!(studio(&harness).session.history().done().len(), 1);
}

#[test]
fn a_title_is_written_where_it_can_be_seen() {
    let mut harness = window(testing::large(200));
    let ten = Selection::of([Item::Node(NodeId::new("10"))]);
    act(&mut harness, Action::Select(ten));
    press(&mut harness, Modifiers::NONE, Key::F2);
    harness.run_steps(30);
    let field = harness.get_by_label("Rename").rect();
    assert!(field.height() > 12.0, "{field}");
    harness.event(Event::Text("Ten".to_owned()));
    harness.run_steps(2);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let node = &studio(&harness).session.project().nodes["10"];
    assert!(node.title.as_ref().is_some_and(|it| it.contains("Ten")));
}

#[test]
fn deleting_what_the_mouse_holds_is_no_crash() {
    let mut project = testing::small();
    let note = Note {
        text: "Hold".to_owned(),
        bounds: [-300.0, 0.0, 200.0, 120.0],
        ..Note::default()
    };
    project.notes.insert("n".to_owned(), note);
    for inside in [vec2(0.0, 0.0), vec2(40.0, 12.0)] {
        let mut harness = window(project.clone());
        let at = harness.get_by_label("Hold").rect().center() + inside;
        harness.hover_at(at);
        harness.run_steps(2);
        button(&mut harness, at, PointerButton::Primary, true);
        if inside.x > 0.0 {
            harness.hover_at(at + vec2(40.0, 40.0));
            harness.run_steps(2);
        }
        press(&mut harness, Modifiers::NONE, Key::Delete);
        button(&mut harness, at, PointerButton::Primary, false);
        assert!(studio(&harness).session.project().notes.is_empty());
        assert!(studio(&harness).messages.list.is_empty());
    }
}

#[test]
fn another_document_leaves_nothing_of_the_one_before() {
    let mut harness = window(testing::small());
    assert!(harness.query_by_label("By step").is_some());
    // Nothing of this one can be planned.
    let mut broken = Project::default();
    let node = testing::node("KSampler", [0.0, 0.0], &[]);
    broken.nodes.insert("6".into(), node);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.longtake");
    std::fs::write(&path, broken.to_json()).unwrap();
    let before = studio(&harness).session.opened();
    act(&mut harness, Action::Open(path));
    let end = Instant::now() + Duration::from_secs(30);
    while studio(&harness).session.opened() == before {
        assert!(Instant::now() < end, "not opened");
        harness.run_steps(2);
    }
    planned(&mut harness);
    assert!(studio(&harness).planned.plan.is_none());
    assert!(harness.query_by_label("By step").is_none());
}

/// A desktop that has a session bus, and nobody there who shows dialogs.
struct Mute;

impl Dialogs for Mute {
    fn answer(&self) -> bool {
        true
    }
    fn open(&mut self, _: &str, _: &[&str], told: Told) {
        told(None);
    }
    fn save(&mut self, _: &str, _: &Path, _: &[&str], told: Told) {
        told(None);
    }
}

#[test]
fn where_no_dialog_answers_our_own_shows() {
    let mut harness = with_desktop(testing::small(), Box::new(Mute));
    press(&mut harness, Modifiers::COMMAND, Key::O);
    assert!(harness.query_by_label("Name or path").is_some());
    escape(&mut harness);
    assert!(harness.query_by_label("Name or path").is_none());
}

/// A drag of the primary button, in steps.
fn drag(harness: &mut Stage, from: Pos2, to: Pos2) {
    harness.hover_at(from);
    harness.run_steps(2);
    button(harness, from, PointerButton::Primary, true);
    for part in 1..=4 {
        harness.hover_at(from + (to - from) * (part as f32 / 4.0));
        harness.run_steps(1);
    }
    button(harness, to, PointerButton::Primary, false);
    harness.run_steps(6);
}

#[test]
fn ports_of_a_subgraph_are_added_renamed_and_removed_by_hand() {
    let mut harness = inside();
    let ports = |harness: &Stage| {
        let session = &studio(harness).session;
        let definition = &session.project().subgraphs[session.subgraph().unwrap()];
        let label = |it: &longtake_graph::Port| it.label.clone().unwrap_or(it.name.clone());
        definition.outputs.iter().map(label).collect::<Vec<_>>()
    };
    let before = ports(&harness);
    let from = place(&harness, "LATENT output of Empty latent video");
    let border = harness.get_by_label("Outputs").rect();
    drag(&mut harness, from, border.left_top() + vec2(40.0, 12.0));
    let after = ports(&harness);
    assert_eq!(after.len(), before.len() + 1, "{before:?} {after:?}");

    let name = after.last().unwrap().replace('_', " ");
    let socket = format!("{name} input of Outputs");
    let menu = |harness: &mut Stage, socket: &str| {
        let at = place(harness, socket);
        harness.hover_at(at);
        harness.run_steps(2);
        button(harness, at, PointerButton::Secondary, true);
        button(harness, at, PointerButton::Secondary, false);
        harness.run_steps(4);
    };
    menu(&mut harness, &socket);
    let field = harness.get_by_role_and_label(Role::TextInput, "Name of the port");
    field.focus();
    harness.run_steps(2);
    press(&mut harness, Modifiers::COMMAND, Key::A);
    harness.event(Event::Text("canvas size".to_owned()));
    harness.run_steps(2);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(ports(&harness).last().unwrap(), "canvas size");

    menu(&mut harness, "canvas size input of Outputs");
    harness.get_by_label("Remove port").click();
    harness.run_steps(4);
    assert_eq!(ports(&harness), before);
}

/// The heights of all nodes together.
fn heights(harness: &Stage) -> f32 {
    let titles = ["KSampler", "VAE decode", "Save video", "Empty latent video"];
    let rects = titles.map(|it| harness.get_by_label(it).rect().height());
    rects.iter().sum()
}

fn run(harness: &mut Stage, mut each: impl FnMut(&Stage)) {
    let before = studio(harness).queue.ended.len();
    press(harness, Modifiers::COMMAND, Key::Enter);
    let end = Instant::now() + Duration::from_secs(30);
    while studio(harness).queue.ended.len() == before {
        assert!(Instant::now() < end, "no run");
        harness.run_steps(1);
        each(harness);
        std::thread::sleep(Duration::from_millis(2));
    }
    for _ in 0..40 {
        harness.run_steps(1);
        each(harness);
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn nodes_keep_their_pictures_and_sizes_while_they_run_again() {
    let mut harness = window(testing::small());
    let empty = heights(&harness);
    run(&mut harness, |_| ());
    let full = heights(&harness);
    assert!(full > empty + 20.0, "no pictures: {empty} {full}");
    let seed = Edit::SetInput {
        node: NodeId::new("6"),
        input: "seed".to_owned(),
        value: Some(literal(8)),
    };
    act(&mut harness, Action::Edit(t("Seed", "シード"), seed));
    planned(&mut harness);
    let mut least = f32::MAX;
    run(&mut harness, |it| least = least.min(heights(it)));
    assert!(least > full - 1.0, "{least} of {full}");
}
