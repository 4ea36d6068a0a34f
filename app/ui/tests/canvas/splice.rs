//! Links moved together, nodes put into links, files dropped onto nodes, and lines along which what is
//! dragged lies.

use egui::{Modifiers, Pos2, vec2};
use longtake_editor::testing::{Fake, link, node, small};
use longtake_graph::{Input, Project};

use super::stage::{at, drag, pair, settle, stage, title};

fn source(project: &Project, id: &str, input: &str) -> Option<(String, u32)> {
    match project.nodes[id].inputs.get(input) {
        Some(Input::Link(link)) => Some((link.node.to_string(), link.output)),
        _ => None,
    }
}

#[test]
fn a_shift_drag_takes_all_links_of_an_output_along() {
    let mut project = small();
    let other = node("CLIPLoader", [0.0, 420.0], &[]);
    project.nodes.insert("9".into(), other);
    project.nodes["9"].title = Some("Other".to_owned());
    project.nodes["2"].title = Some("First".to_owned());
    let mut harness = stage(project);
    let from = at(&harness, "CLIP output of First");
    let feeding = |harness: &egui_kittest::Harness<'_, super::stage::Stage>| {
        let project = harness.state().studio.session.project();
        ["3", "4"].map(|id| source(project, id, "clip").map(|it| it.0))
    };
    // Over nothing, and where one does not fit, they stay.
    drag(
        &mut harness,
        from,
        from + vec2(-20.0, 90.0),
        Modifiers::SHIFT,
    );
    let wrong = at(&harness, "MODEL output of Load diffusion model");
    drag(&mut harness, from, wrong, Modifiers::SHIFT);
    assert_eq!(feeding(&harness), [Some("2".into()), Some("2".into())]);
    assert_eq!(harness.state().units(), 0);
    let to = at(&harness, "CLIP output of Other");
    drag(&mut harness, from, to, Modifiers::SHIFT);
    assert_eq!(feeding(&harness), [Some("9".into()), Some("9".into())]);
    assert_eq!(harness.state().units(), 1);
    // On a body, the output that fits is found.
    let body = title(&harness, "First");
    let from = at(&harness, "CLIP output of Other");
    drag(&mut harness, from, body, Modifiers::SHIFT);
    assert_eq!(feeding(&harness), [Some("2".into()), Some("2".into())]);
}

/// A decoder linked to a save node, and a scaler far from both.
fn loose() -> Project {
    let mut project = Project::default();
    for (id, class, pos) in [
        ("1", "VAEDecode", [0.0, 0.0]),
        ("2", "SaveVideo", [900.0, 0.0]),
        ("3", "ImageScale", [420.0, 330.0]),
    ] {
        project.nodes.insert(id.into(), node(class, pos, &[]));
    }
    link(&mut project, "2", "images", "1", 0);
    project
}

#[test]
fn a_node_dropped_on_a_link_is_put_into_it() {
    let mut harness = stage(loose());
    let grip = title(&harness, "Upscale image");
    let middle = |harness: &egui_kittest::Harness<'_, super::stage::Stage>| -> Pos2 {
        let from = at(harness, "IMAGE output of VAE decode");
        let to = at(harness, "images input of Save video");
        from + (to - from) * 0.5
    };
    let over = middle(&harness);
    drag(&mut harness, grip, over, Modifiers::NONE);
    let project = harness.state().studio.session.project().clone();
    assert_eq!(source(&project, "3", "image"), Some(("1".into(), 0)));
    assert_eq!(source(&project, "2", "images"), Some(("3".into(), 0)));
    assert!(project.nodes["3"].pos.is_some_and(|it| it[1] < 200.0));
    assert_eq!(harness.state().units(), 1, "moved and linked at once");
    harness.state_mut().studio.session.undo();
    settle(&mut harness);
    let project = harness.state().studio.session.project();
    assert_eq!(**project, loose());
}

#[test]
fn a_node_with_links_goes_into_another_one_with_alt_only() {
    let mut project = loose();
    let save = node("SaveVideo", [900.0, 330.0], &[]);
    project.nodes.insert("4".into(), save);
    project.nodes["4"].title = Some("Second".to_owned());
    link(&mut project, "4", "images", "3", 0);
    for (modifiers, through) in [(Modifiers::NONE, "1"), (Modifiers::ALT, "3")] {
        let mut harness = stage(project.clone());
        let grip = title(&harness, "Upscale image");
        let from = at(&harness, "IMAGE output of VAE decode");
        let to = at(&harness, "images input of Save video");
        drag(&mut harness, grip, from + (to - from) * 0.5, modifiers);
        let project = harness.state().studio.session.project();
        let found = source(project, "2", "images");
        assert_eq!(found, Some((through.into(), 0)), "{modifiers:?}");
    }
}

#[test]
fn what_is_dragged_lines_up_with_what_stands_near_unless_alt_is_held() {
    for (modifiers, guides, expected) in [
        (Modifiers::NONE, true, Some(0.0)),
        (Modifiers::ALT, true, None),
        (Modifiers::NONE, false, None),
    ] {
        let mut harness = stage(pair());
        harness.state_mut().studio.settings.guides = guides;
        let grip = title(&harness, "KSampler");
        // Three points below the line of both.
        drag(&mut harness, grip, grip + vec2(40.0, 3.0), modifiers);
        let zoom = harness.state().canvas.view().zoom;
        let y = harness.state().node("2").pos.map_or(f32::NAN, |it| it[1]);
        let exact = (3.0 / zoom).round();
        assert!(
            (y - expected.unwrap_or(exact)).abs() < 0.01,
            "{modifiers:?} {guides}: {y}"
        );
    }
}

#[test]
fn a_picture_dropped_on_a_node_becomes_its_parameter() {
    let mut project = Project::default();
    let load = node("LoadImage", [0.0, 0.0], &[]);
    project.nodes.insert("1".into(), load);
    let folder = tempfile::tempdir().expect("a folder");
    let mut harness = stage(project);
    harness.state_mut().studio.engine = std::sync::Arc::new(Fake {
        folder: folder.path().to_path_buf(),
        ..Fake::default()
    });
    let value = |harness: &egui_kittest::Harness<'_, super::stage::Stage>| match harness
        .state()
        .input("1", "image")
    {
        Some(Input::Literal(value)) => value.as_str().map(str::to_owned),
        _ => None,
    };
    for (name, on, expected) in [
        ("a.mp4", true, None),
        ("a.png", false, None),
        ("a.png", true, Some("a.png")),
    ] {
        let spot = title(&harness, "Load image") + vec2(0.0, if on { 0.0 } else { -200.0 });
        harness.hover_at(spot);
        harness.step();
        let path = folder.path().join("input").join(name);
        harness.input_mut().dropped_files.push(egui::DroppedFile {
            path: Some(path),
            ..egui::DroppedFile::default()
        });
        harness.step();
        harness.input_mut().dropped_files.clear();
        harness.state_mut().studio.finish_files();
        settle(&mut harness);
        assert_eq!(value(&harness).as_deref(), expected, "{name} {on}");
    }
}
