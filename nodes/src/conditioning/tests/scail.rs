//! SCAIL: streams against hand-built clips, chunks, references, the control net after it.

use serde_json::{Value as Json, json};

use super::graphs::{Place, graph, worst};

const CLOSE: f32 = 2e-3;

fn inputs(more: &Json) -> Json {
    let mut all = json!({"width": 64, "height": 32, "length": 5, "batch_size": 1,
        "pose_strength": 1.0, "pose_start": 0.0, "pose_end": 1.0,
        "video_frame_offset": 0, "previous_frame_count": 5});
    let more = more.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(more);
    all
}

/// A graph with one-coloured frames `red` (4), `blue` (1) and `white` (9) of 64×32.
fn scail(more: &Json) -> Json {
    let mut graph = graph("WanSCAILToVideo", &inputs(more));
    for (name, colour, frames) in [
        ("red", 0xFF_0000, 4),
        ("blue", 0xFF, 1),
        ("white", 0xFF_FFFF, 9),
    ] {
        graph[name] = json!({"class_type": "EmptyImage", "inputs": {
            "width": 64, "height": 32, "batch_size": frames, "color": colour}});
    }
    graph
}

fn flat(rgb: [f32; 3], (width, height): (usize, usize)) -> Vec<f32> {
    rgb.repeat(width * height)
}

#[test]
fn the_pose_is_encoded_at_half_the_size_and_its_last_frame_held() {
    let place = Place::new();
    let made = place.made(&scail(
        &json!({"pose_video": ["red", 0], "pose_strength": 0.5,
        "pose_start": 0.1, "pose_end": 0.8, "comfy_rope": true}),
    ));
    made.keeps_its_word();
    let notes = ["the pose video has 4 of 5 frames; its last one is held"];
    let told: Vec<&str> = made.notes.iter().map(|it| it.en.as_str()).collect();
    assert_eq!(told, notes);
    assert!(made.notes.iter().all(|it| it.lacks().is_none()));
    let frames = vec![flat([1.0, 0.0, 0.0], (32, 16)); 5];
    let mut expected = made.encoded(&frames, (32, 16));
    for it in &mut expected {
        *it *= 0.5;
    }
    assert!(worst(&made.array("scail_pose").data, &expected) < CLOSE);
    let settings = &made.extras(0).settings;
    for (name, value) in [
        ("scail_start", json!(0.1)),
        ("scail_end", json!(0.8)),
        ("scail_replacement", json!(false)),
        ("scail_midpoint_rope", json!(true)),
        ("latent_size", json!([2, 4, 8])),
        ("steps", json!(["WanSCAILToVideo"])),
    ] {
        assert_eq!(settings[name], value, "{name}");
    }
    assert_eq!(made.known[3], longtake_plan::Info::Constant(json!(5)));
}

#[test]
fn references_stand_main_last_and_mattes_cut_them_out() {
    let place = Place::new();
    let pair = json!({"class_type": "ImageBatch", "inputs": {"image1": ["blue", 0], "image2": ["one", 0]}});
    let one = json!({"class_type": "ImageFromBatch", "inputs": {"image": ["red", 0], "batch_index": 0, "length": 1}});
    let run = |more: &Json| {
        let mut graph = scail(more);
        graph["one"] = one.clone();
        graph["pair"] = pair.clone();
        let made = place.made(&graph);
        made.keeps_its_word();
        made
    };
    let made = run(&json!({"reference_image": ["pair", 0], "reference_image_mask": ["pair", 0]}));
    let [blue, red] = [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]];
    let [blue, red] = [blue, red].map(|it| made.encoded(&[flat(it, (64, 32))], (64, 32)));
    let reference = made.array("scail_reference");
    assert_eq!(reference.shape[1..], [2, 4, 8]);
    for (channel, planes) in reference.data.chunks(2 * 32).enumerate() {
        let at = channel * 32..(channel + 1) * 32;
        assert!(
            worst(&planes[..32], &red[at.clone()]) < CLOSE,
            "the further one first"
        );
        assert!(worst(&planes[32..], &blue[at]) < CLOSE, "the main one last");
    }
    let mask = made.array("scail_reference_mask");
    let on = |channel: usize, frame: usize| mask.data[(channel * 2 + frame) * 32];
    assert_eq!(
        (on(1, 0), on(3, 0), on(1, 1), on(3, 1)),
        (1.0, 0.0, 0.0, 1.0)
    );

    // In replacement the reference is black where its mask is; `a` has no black square of its own.
    let mut graph = scail(
        &json!({"reference_image": ["white", 0], "reference_image_mask": ["black", 0],
        "replacement_mode": true}),
    );
    graph["black"] = json!({"class_type": "EmptyImage", "inputs": {
        "width": 8, "height": 8, "batch_size": 1, "color": 0}});
    let made = place.made(&graph);
    let black = made.encoded(&[flat([0.0; 3], (64, 32))], (64, 32));
    let reference = made.array("scail_reference");
    assert_eq!(reference.shape[1], 9);
    for (channel, planes) in reference.data.chunks(9 * 32).enumerate() {
        assert!(worst(&planes[8 * 32..], &black[channel * 32..(channel + 1) * 32]) < CLOSE);
    }
    assert_eq!(made.extras(0).settings["scail_replacement"], json!(true));
}

#[test]
fn the_next_chunk_goes_on_from_the_last_frames() {
    let place = Place::new();
    let made = place.made(&scail(&json!({"length": 9, "pose_video": ["white", 0],
        "pose_video_mask": ["white", 0], "video_frame_offset": 9, "batch_size": 2,
        "previous_frames": ["white", 0]})));
    made.keeps_its_word();
    let latent = made.latent(2);
    let kept = made.encoded(&vec![flat([1.0; 3], (64, 32)); 5], (64, 32));
    for sample in latent.data.chunks(latent.data.len() / 2) {
        for (channel, planes) in sample.chunks(3 * 32).enumerate() {
            let at = channel * 64..(channel + 1) * 64;
            assert!(worst(&planes[..64], &kept[at]) < CLOSE);
            assert!(planes[64..].iter().all(|&it| it == 0.0));
        }
    }
    let mask: Vec<f32> = [vec![0.0; 64], vec![1.0; 32]].concat();
    assert_eq!(**latent.mask.as_ref().unwrap(), mask);
    // 9 - 5 + 9 is where the chunk after this one begins.
    assert_eq!(made.known[3], longtake_plan::Info::Constant(json!(13)));
    let identity = made.array("scail_pose_mask");
    assert_eq!(identity.shape, [28, 3, 2, 4]);
    let white = |channel: usize| channel.is_multiple_of(7);
    for (channel, planes) in identity.data.chunks(24).enumerate() {
        let expected = if white(channel) { 1.0 } else { 0.0 };
        assert!(planes.iter().all(|&it| it == expected), "{channel}");
    }
}

#[test]
fn text_of_zeros_keeps_what_stands_beside_it() {
    let place = Place::new();
    let mut graph = graph("ConditioningZeroOut", &json!({}));
    graph["before"] = scail(&json!({"reference_image": ["a", 0]}))["it"].clone();
    graph["it"]["inputs"] = json!({"conditioning": ["before", 1]});
    let made = place.made(&graph);
    let (text, extras) = (made.conditioning(0), made.extras(0));
    assert!(text.data.iter().all(|&it| it == 0.0));
    assert_eq!(text.data.len() as u32, text.tokens * text.dim);
    assert_eq!(extras.settings["steps"], json!(["WanSCAILToVideo"]));
    assert_eq!(
        made.array("scail_reference").shape,
        extras.arrays["scail_reference"]
    );
}
