//! Pictures of the canvas: one that stays as it is, others for the eye.

use egui::{Key, Modifiers, PointerButton, pos2, vec2};
use egui_kittest::Harness;
use longtake_editor::Action;
use longtake_editor::testing::{link, node, small};
use longtake_graph::{Group, Mode, Note, Project};

use super::stage::{Stage, at, click, pair, title};

/// Everything a node can look like, for the eye: `LOOK=1 cargo nextest run … look` writes a PNG.
fn gallery() -> Project {
    let mut project = small();
    let place = |project: &mut Project, id: &str, class: &str, pos: [f32; 2]| {
        project.nodes.insert(id.into(), node(class, pos, &[]));
    };
    place(&mut project, "20", "VideoHelperMystery", [1040.0, 260.0]);
    place(&mut project, "21", "ImageScale", [1320.0, 260.0]);
    place(&mut project, "22", "VAELoader", [0.0, 320.0]);
    project.nodes["21"].mode = Mode::Bypass;
    project.nodes["2"].mode = Mode::Mute;
    project.nodes["6"].colour = Some("#3b5580".to_owned());
    let note = Note {
        text: "# Look\nOne **long take** of a harbour.\n- calm sea\n- morning light".to_owned(),
        bounds: [0.0, 480.0, 260.0, 140.0],
        ..Note::default()
    };
    project.notes.insert("n".to_owned(), note);
    let group = Group {
        title: "Texts".to_owned(),
        bounds: [296.0, 70.0, 370.0, 500.0],
        colour: Some("#7a5a34".to_owned()),
        ..Group::default()
    };
    project.groups.insert("g".to_owned(), group);
    project
}

#[test]
fn a_small_picture_stays_as_it_is() {
    let mut project = pair();
    link(&mut project, "2", "model", "1", 0);
    let mut stage = Stage::new(project);
    stage.unplanned = true;
    stage.studio.settings.minimap = false;
    let mut harness = Harness::builder()
        .with_size(vec2(760.0, 440.0))
        .wgpu()
        .build_ui_state(|ui, stage: &mut Stage| stage.ui(ui), stage);
    harness.run_steps(4);
    harness.snapshot("canvas");
}

fn looking(stage: Stage) -> Harness<'static, Stage> {
    let mut harness = Harness::builder()
        .with_size(vec2(1500.0, 900.0))
        .with_max_steps(120)
        .with_step_dt(1.0 / 60.0)
        .wgpu()
        .build_ui_state(|ui, stage: &mut Stage| stage.ui(ui), stage);
    for _ in 0..10 {
        std::thread::sleep(std::time::Duration::from_millis(30));
        harness.step();
    }
    harness
}

#[test]
fn look() {
    let Ok(folder) = std::env::var("LOOK") else {
        return;
    };
    for (name, light, wheel) in [
        ("dark", false, 0.0),
        ("light", true, 0.0),
        ("titles", false, -5.0),
        ("near", false, 6.0),
    ] {
        let mut stage = Stage::new(gallery());
        if light {
            stage.studio.settings.theme = longtake_editor::settings::Theme::Light;
        }
        let mut harness = looking(stage);
        if wheel != 0.0 {
            harness.hover_at(pos2(700.0, 300.0));
            harness.step();
            harness.event(egui::Event::MouseWheel {
                unit: egui::MouseWheelUnit::Line,
                delta: vec2(0.0, wheel),
                phase: egui::TouchPhase::Move,
                modifiers: Modifiers::NONE,
            });
            harness.run_ok();
        }
        save(&mut harness, &folder, name);
    }
    look_at_links(&folder);
    look_at_moves(&folder);
    look_at_results(&folder);
}

fn save(harness: &mut Harness<'_, Stage>, folder: &str, name: &str) {
    let picture = harness.render().expect("a renderer");
    picture
        .save(format!("{folder}/{name}.png"))
        .expect("a file");
}

fn look_at_links(folder: &str) {
    let mut harness = looking(Stage::new(gallery()));
    let from = at(&harness, "VAE output of Load VAE");
    harness.drag_at(from);
    harness.step();
    harness.hover_at(from + vec2(200.0, -60.0));
    harness.step();
    harness.hover_at(from + vec2(420.0, 90.0));
    harness.step();
    harness.step();
    save(&mut harness, folder, "linking");
    harness.drop_at(from + vec2(420.0, 90.0));
    harness.run_ok();
    save(&mut harness, folder, "dropped");
    harness.key_press(Key::Escape);
    harness.run_ok();
    click(&mut harness, pos2(1000.0, 600.0), 2, Modifiers::NONE);
    harness.event(egui::Event::Text("latent".to_owned()));
    harness.run_ok();
    save(&mut harness, folder, "search");
}

fn look_at_moves(folder: &str) {
    let mut harness = looking(Stage::new(gallery()));
    let grip = title(&harness, "VAE decode");
    harness.hover_at(grip);
    harness.step();
    harness.drag_at(grip);
    harness.step();
    for by in [vec2(10.0, 30.0), vec2(50.0, -4.0)] {
        harness.hover_at(grip + by);
        harness.step();
        harness.step();
    }
    save(&mut harness, folder, "guides");
}

fn look_at_results(folder: &str) {
    let mut harness = looking(Stage::new(small()));
    harness
        .state_mut()
        .studio
        .act(Action::Command(longtake_editor::Command::Run));
    for _ in 0..60 {
        std::thread::sleep(std::time::Duration::from_millis(40));
        harness.step();
    }
    let spot = title(&harness, "KSampler");
    harness.hover_at(spot);
    harness.step();
    for pressed in [true, false] {
        harness.event(egui::Event::PointerButton {
            pos: spot,
            button: PointerButton::Secondary,
            pressed,
            modifiers: Modifiers::NONE,
        });
        harness.step();
    }
    harness.run_ok();
    save(&mut harness, folder, "done");
}
