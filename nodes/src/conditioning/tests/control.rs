//! Uni3C after the others: its render in their size, and what is refused.

use serde_json::{Value as Json, json};

use super::graphs::{Made, Place, graph, picture, worst};

/// Apply Uni3C with the pictures `a` and `b` as render.
fn control(more: &Json) -> Json {
    let mut all = json!({"control_net": ["net", 0], "image": ["ab", 0], "strength": 0.7,
        "start_percent": 0.1, "end_percent": 0.6});
    let more = more.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(more);
    graph("ControlNetApplyAdvanced", &all)
}

/// Behind SCAIL, 64×32 and five frames.
fn behind_scail(mut graph: Json) -> Json {
    graph["before"] = json!({"class_type": "WanSCAILToVideo", "inputs": {
        "positive": ["yes", 0], "negative": ["no", 0], "vae": ["vae", 0], "width": 64,
        "height": 32, "length": 5, "batch_size": 1, "pose_strength": 1.0, "pose_start": 0.0,
        "pose_end": 1.0, "video_frame_offset": 0, "previous_frame_count": 5,
        "reference_image": ["c", 0]}});
    graph["it"]["inputs"]["positive"] = json!(["before", 0]);
    graph["it"]["inputs"]["negative"] = json!(["before", 1]);
    graph
}

fn is_render(place: &Place, made: &Made, size: (u32, u32), frames: usize) {
    made.keeps_its_word();
    let [a, b] = ["a", "b"].map(|it| picture(place, it, size));
    let mut film = vec![a];
    film.resize(frames, b);
    let expected = made.encoded(&film, (size.0 as usize, size.1 as usize));
    let difference = worst(&made.array("control_latent").data, &expected);
    assert!(difference < 2e-3, "{difference}");
}

#[test]
fn the_render_takes_the_size_of_what_stands_before() {
    let place = Place::new();
    let made = place.made(&behind_scail(control(&json!({}))));
    is_render(&place, &made, (64, 32), 5);
    assert!(made.conditioning(0).arrays.contains_key("scail_reference"));
    for output in 0..2 {
        let extras = made.extras(output);
        assert_eq!(extras.control.as_ref().unwrap().family, "uni3c");
        for (name, value) in [
            ("control_strength", json!(0.7)),
            ("control_start", json!(0.1)),
            ("control_end", json!(0.6)),
            (
                "steps",
                json!(["WanSCAILToVideo", "ControlNetApplyAdvanced"]),
            ),
        ] {
            assert_eq!(extras.settings[name], value, "{name}");
        }
    }
}

#[test]
fn without_one_it_takes_the_latent_linked_or_its_own_size() {
    let place = Place::new();
    let mut linked = control(&json!({"latent": ["empty", 0]}));
    linked["empty"] = json!({"class_type": "EmptyHunyuanLatentVideo", "inputs": {
        "width": 32, "height": 48, "length": 1, "batch_size": 1}});
    is_render(&place, &place.made(&linked), (32, 48), 1);
    // 70×50 pixels have room for 64×48.
    is_render(&place, &place.made(&control(&json!({}))), (64, 48), 1);
}

#[test]
fn without_strength_nothing_is_added() {
    let place = Place::new();
    let made = place.made(&control(&json!({"strength": 0.0})));
    made.keeps_its_word();
    assert!(made.conditioning(0).arrays.is_empty());
    assert_eq!(made.extras(0), &longtake_plan::ExtrasInfo::default());
}

#[track_caller]
fn refuses(graph: &Json, code: &str, place: &str, words: &str) {
    let (found, at, message) = Place::new().refused(graph);
    assert_eq!((found.as_str(), at.as_str()), (code, place), "{message}");
    assert!(message.contains(words), "{message}");
}

#[test]
fn what_has_no_meaning_is_told() {
    let mut blind = control(&json!({}));
    blind["it"]["inputs"].as_object_mut().unwrap().remove("vae");
    refuses(
        &blind,
        "required_input_missing",
        "it.vae",
        "link the Wan 2.1 VAE",
    );

    let ends = control(&json!({"end_percent": 0.05}));
    refuses(
        &ends,
        "value_out_of_range",
        "it.end_percent",
        "at least start_percent",
    );

    // A second camera.
    let mut twice = behind_scail(control(&json!({})));
    twice["before"] = twice["it"].clone();
    twice["before"]["inputs"]["positive"] = json!(["yes", 0]);
    twice["before"]["inputs"]["negative"] = json!(["no", 0]);
    refuses(
        &twice,
        "order_breaks_meaning",
        "it.positive",
        "a model takes one camera",
    );

    // SCAIL behind Uni3C.
    let mut turned = behind_scail(control(&json!({})));
    let (scail, uni3c) = (turned["before"].clone(), turned["it"].clone());
    (turned["it"], turned["before"]) = (scail, uni3c);
    turned["before"]["inputs"]["positive"] = json!(["yes", 0]);
    turned["before"]["inputs"]["negative"] = json!(["no", 0]);
    turned["it"]["inputs"]["positive"] = json!(["before", 0]);
    turned["it"]["inputs"]["negative"] = json!(["before", 1]);
    refuses(
        &turned,
        "order_breaks_meaning",
        "it.positive",
        "put WanSCAILToVideo before",
    );
}
