//! What is told before the run: sizes, lengths, missing frames, and orders without meaning.

use serde_json::{Value as Json, json};

use super::graphs::{Place, graph};

fn image(more: &Json) -> Json {
    let mut all = json!({"width": 64, "height": 32, "length": 5, "batch_size": 1});
    let more = more.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(more);
    graph("WanImageToVideo", &all)
}

fn scail(more: &Json) -> Json {
    let mut all = json!({"width": 64, "height": 32, "length": 5, "batch_size": 1,
        "pose_strength": 1.0, "pose_start": 0.0, "pose_end": 1.0,
        "video_frame_offset": 0, "previous_frame_count": 5});
    let more = more.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(more);
    graph("WanSCAILToVideo", &all)
}

#[track_caller]
fn refuses(graph: &Json, code: &str, place: &str, words: &str) {
    let (found, at, message) = Place::new().refused(graph);
    assert_eq!((found.as_str(), at.as_str()), (code, place), "{message}");
    assert!(message.contains(words), "{message}");
}

#[test]
fn sizes_off_the_grid_get_the_nearest_ones() {
    refuses(
        &image(&json!({"width": 72})),
        "size_not_multiple",
        "it.width",
        "64 and 80",
    );
    refuses(
        &scail(&json!({"height": 48})),
        "size_not_multiple",
        "it.height",
        "32 and 64",
    );
    refuses(
        &image(&json!({"width": 16384, "height": 16384, "length": 16381, "batch_size": 64})),
        "size_too_large",
        "it.length",
        "lower width",
    );
}

#[test]
fn scail_needs_frames_where_it_begins() {
    refuses(
        &scail(&json!({"pose_video": ["ab", 0], "video_frame_offset": 2})),
        "frames_missing",
        "it.pose_video",
        "has 2 frames, and this chunk begins at frame 2",
    );
    refuses(
        &scail(&json!({"pose_video_mask": ["ab", 0]})),
        "required_input_missing",
        "it.pose_video",
        "link the pose video too",
    );
    refuses(
        &scail(&json!({"pose_video": ["ab", 0], "pose_start": 0.6, "pose_end": 0.5})),
        "value_out_of_range",
        "it.pose_end",
        "at least pose_start",
    );
}

/// A node before `it`, which takes its conditionings.
fn behind(mut graph: Json, before: &Json) -> Json {
    graph["before"] = before["it"].clone();
    graph["it"]["inputs"]["positive"] = json!(["before", 0]);
    graph["it"]["inputs"]["negative"] = json!(["before", 1]);
    graph
}

#[test]
fn orders_without_meaning_are_told_with_the_reason() {
    let first = image(&json!({"start_image": ["a", 0]}));
    let posed = scail(&json!({"reference_image": ["a", 0]}));
    refuses(
        &behind(first.clone(), &posed),
        "order_breaks_meaning",
        "it.positive",
        "SCAIL has fixed the character and its time already",
    );
    refuses(
        &behind(posed.clone(), &posed),
        "order_breaks_meaning",
        "it.positive",
        "further references go into reference_image",
    );
    // One side is enough.
    let mut half = behind(first, &posed);
    half["it"]["inputs"]["positive"] = json!(["yes", 0]);
    refuses(
        &half,
        "order_breaks_meaning",
        "it.negative",
        "WanImageToVideo comes after",
    );
}

#[test]
fn the_other_generations_vae_is_told_with_the_file_to_load() {
    let mut graph = image(&json!({}));
    graph["vae"]["inputs"]["vae_name"] = json!("wan22.safetensors");
    refuses(&graph, "wrong_family", "it.vae", "wan_2.1_vae.safetensors");
    let mut graph = image(&json!({}));
    graph["it"]["class_type"] = json!("Wan22ImageToVideoLatent");
    let inputs = graph["it"]["inputs"].as_object_mut().unwrap();
    inputs.remove("positive");
    inputs.remove("negative");
    refuses(&graph, "wrong_family", "it.vae", "wan2.2_vae.safetensors");
}
