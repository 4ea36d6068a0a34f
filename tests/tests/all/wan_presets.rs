//! The presets of the Wan family rendered with tiny models under the published names.

use longtake_tests::compare::film;
use longtake_tests::place::Workplace;
use longtake_tests::root;
use serde_json::{Value as Json, json};

fn preset(name: &str) -> Json {
    let text = std::fs::read_to_string(root().join("presets").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Renders a graph to `film.mkv`, lossless, and checks how many frames of what size it has.
fn renders(name: &str, graph: &Json, frames: usize, size: (usize, usize)) {
    let place = Workplace::new().with_published_names();
    place.graph(name, graph);
    let report = place.rendered(&[name]);
    assert_eq!(report["error"], Json::Null, "{name}");
    let found = film(&place.only(".mkv"));
    assert_eq!(found.len(), frames, "{name}");
    let first = &found[0];
    assert_eq!(first.len(), size.0 * size.1 * 3, "{name}");
    let varied = |frame: &[u8]| frame.iter().max() != frame.iter().min();
    assert!(found.iter().all(|it| varied(it)), "{name}: a flat picture");
    assert!(found[frames - 1] != *first, "{name}: nothing moves");
}

/// A film preset at 64×64, nine frames a shot, the dissolve four frames long, two steps a stage.
fn film_preset(name: &str) {
    let mut graph = preset(name);
    let nodes = &mut graph["nodes"];
    let board = &mut nodes["storyboard"]["inputs"];
    board["width"] = json!(64);
    board["height"] = json!(64);
    let shots = board["shots"].as_array_mut().unwrap();
    let count = shots.len();
    for shot in shots {
        shot["seconds"] = json!(9.0 / 16.0);
        if shot.get("transition_seconds").is_some() {
            shot["transition_seconds"] = json!(4.0 / 16.0);
        }
    }
    for sampler in ["rough", "drawn"] {
        nodes[sampler]["inputs"]["steps"] = json!(2);
    }
    nodes["save"]["inputs"]["format"] = json!("mkv");
    nodes["save"]["inputs"]["codec"] = json!("ffv1");
    renders(name, &graph, 9 * count - 4, (64, 64));
}

#[test]
fn the_whole_character_chain_renders() {
    film_preset("character-i2v.longtake");
}

#[test]
fn every_phase_renders() {
    for phase in ["a", "b", "c"] {
        film_preset(&format!("phase-{phase}.longtake"));
    }
}

/// A clip preset at 64×64, nine frames, a few steps.
fn clip_preset(name: &str, steps: u32) {
    let mut graph = preset(name);
    for (id, input, value) in [
        ("8", "width", json!(64)),
        ("8", "height", json!(64)),
        ("8", "length", json!(9)),
        ("9", "steps", json!(steps)),
        ("12", "format", json!("mkv")),
        ("12", "codec", json!("ffv1")),
    ] {
        let found = &mut graph[id]["inputs"][input];
        assert!(!found.is_null(), "{name}: {id}.{input}");
        *found = value;
    }
    renders(name, &graph, 9, (64, 64));
}

#[test]
fn both_experts_render() {
    clip_preset("wan22-i2v-experts.json", 4);
}

#[test]
fn the_small_model_with_the_large_vae_renders() {
    clip_preset("wan22-ti2v-5b.json", 2);
}
