//! Image to video: what stands beside the text, against hand-built clips and tables.

use serde_json::{Value as Json, json};

use super::graphs::{Made, Place, graph, grey, picture, worst};

const SIZE: (u32, u32) = (48, 32);
/// A sixteenth bit in the pixels (scaled frames have 16 bits), through the VAE.
const CLOSE: f32 = 2e-3;

fn inputs(length: u32, more: &Json) -> Json {
    let mut all = json!({"width": SIZE.0, "height": SIZE.1, "length": length, "batch_size": 1});
    let more = more.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(more);
    all
}

/// Known slots of the mask, latent frame by latent frame: `####` is one that is all known.
fn slots(made: &Made) -> String {
    let mask = made.array("concat_mask");
    let [4, frames, height, width] = mask.shape[..] else {
        panic!("{:?}", mask.shape)
    };
    let area = (height * width) as usize;
    let slot = |frame: u32, channel: u32| {
        let at = (channel * frames + frame) as usize * area;
        let plane = &mask.data[at..at + area];
        assert!(plane.iter().all(|it| *it == plane[0]), "one value a frame");
        if plane[0] == 1.0 { '#' } else { '.' }
    };
    let frame = |it| (0..4).map(|channel| slot(it, channel)).collect::<String>();
    (0..frames).map(frame).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_first_frame_is_encoded_with_grey_behind_it() {
    let place = Place::new();
    let given = inputs(9, &json!({"start_image": ["a", 0], "batch_size": 2}));
    let made = place.made(&graph("WanImageToVideo", &given));
    made.keeps_its_word();
    assert_eq!(slots(&made), "#### .... ....");
    let mut frames = vec![picture(&place, "a", SIZE)];
    frames.resize(9, grey(SIZE));
    let expected = made.encoded(&frames, (48, 32));
    assert!(worst(&made.array("concat_latent").data, &expected) < CLOSE);
    let latent = made.latent(2);
    assert_eq!((latent.info.batch, latent.info.frames), (2, 3));
    assert!(latent.data.iter().all(|&it| it == 0.0) && latent.mask.is_none());
    assert_eq!(made.extras(1).settings["steps"], json!(["WanImageToVideo"]));
    assert_eq!(made.extras(0).settings["latent_size"], json!([3, 4, 6]));
    // The text is what it was.
    assert_ne!(made.conditioning(0).data, made.conditioning(1).data);
}

#[test]
fn tiles_are_encoded_one_by_one_when_the_budget_asks() {
    let place = Place::new();
    let given = json!({"width": 128, "height": 64, "length": 5, "batch_size": 1,
        "start_image": ["a", 0]});
    let small = graph("WanImageToVideo", &given);
    let made = place.made_with(&small, &[("tile", json!([64, 32]))]);
    made.keeps_its_word();
    let mut frames = vec![picture(&place, "a", (128, 64))];
    frames.resize(5, grey((128, 64)));
    let image = &made.array("concat_latent").data;
    let tiled = made.encoded_in(&frames, (128, 64), Some((64, 32)));
    assert!(worst(image, &tiled) < CLOSE);

    let given = json!({"width": 1280, "height": 720, "length": 81, "batch_size": 1,
        "start_image": ["a", 0]});
    let large = graph("WanImageToVideo", &given);
    let way = |budget: u64| {
        let plan = place.compiled_within(&large, budget).plan?;
        let step = plan.steps.iter().find(|it| it.class == "WanImageToVideo")?;
        Some((step.rung.clone(), plan.peak_host_bytes))
    };
    let mut ways = Vec::new();
    let mut budget = 64 << 30;
    while let Some((rung, peak)) = way(budget) {
        ways.push(rung);
        budget = peak - 1;
    }
    assert_eq!(ways, ["whole", "tiled 512", "tiled 256"]);
}

#[test]
fn the_first_frames_of_a_5b_latent_stay() {
    let place = Place::new();
    let given = json!({"vae": ["vae22", 0], "width": 64, "height": 32, "length": 9,
        "batch_size": 2, "start_image": ["ab", 0]});
    let mut graph = graph("Wan22ImageToVideoLatent", &given);
    let inputs = graph["it"]["inputs"].as_object_mut().unwrap();
    inputs.remove("positive");
    inputs.remove("negative");
    graph["vae22"] =
        json!({"class_type": "VAELoader", "inputs": {"vae_name": "wan22.safetensors"}});
    let made = place.made(&graph);
    let latent = made.latent(0);
    assert_eq!(made.known[0], longtake_plan::Info::Latent(latent.info));
    assert_eq!(
        (latent.info.frames, latent.info.height, latent.info.width),
        (3, 2, 4)
    );
    // Two frames fill one latent frame; the second is left out, as in ComfyUI.
    let first = made.encoded(&[picture(&place, "a", (64, 32))], (64, 32));
    for sample in latent.data.chunks(latent.data.len() / 2) {
        for (planes, known) in sample.chunks(24).zip(first.chunks(8)) {
            assert!(worst(&planes[..8], known) < CLOSE);
        }
    }
    let mask = [vec![0.0; 8], vec![1.0; 16]].concat();
    assert_eq!(**latent.mask.as_ref().unwrap(), mask);

    graph["it"]["inputs"]
        .as_object_mut()
        .unwrap()
        .remove("start_image");
    let made = place.made(&graph);
    assert!(made.latent(0).mask.is_none());
    assert!(made.latent(0).data.iter().all(|&it| it == 0.0));
}

/// Class, length, pictures given, slots that are known.
fn masks() -> [(&'static str, u32, Json, &'static str); 9] {
    [
        (
            "WanImageToVideo",
            9,
            json!({"start_image": ["ab", 0]}),
            "#### .... ....",
        ),
        (
            "WanImageToVideo",
            5,
            json!({"start_image": ["long", 0]}),
            "#### ####",
        ),
        (
            "WanImageToVideo",
            9,
            json!({"start_image": ["long", 0]}),
            "#### #### ....",
        ),
        // Lengths off the grid are rounded down.
        (
            "WanImageToVideo",
            8,
            json!({"start_image": ["a", 0]}),
            "#### ....",
        ),
        ("WanFirstLastFrameToVideo", 9, json!({}), ".... .... ...."),
        (
            "WanFirstLastFrameToVideo",
            9,
            json!({"start_image": ["a", 0]}),
            "#### .... ....",
        ),
        (
            "WanFirstLastFrameToVideo",
            9,
            json!({"end_image": ["b", 0]}),
            ".... .... ...#",
        ),
        (
            "WanFirstLastFrameToVideo",
            9,
            json!({"start_image": ["ab", 0], "end_image": ["cd", 0]}),
            "#### #... ..##",
        ),
        (
            "WanFirstLastFrameToVideo",
            5,
            json!({"start_image": ["long", 0], "end_image": ["long", 0]}),
            "#### ####",
        ),
    ]
}

#[test]
fn the_mask_follows_the_frames_given() {
    let place = Place::new();
    for (class, length, more, expected) in masks() {
        let mut graph = graph(class, &inputs(length, &more));
        graph["long"] =
            json!({"class_type": "RepeatImageBatch", "inputs": {"image": ["a", 0], "amount": 5}});
        let made = place.made(&graph);
        made.keeps_its_word();
        assert_eq!(slots(&made), expected, "{class} {length} {more}");
        assert_eq!(made.notes.is_empty(), length % 4 == 1, "{:?}", made.notes);
        assert!(made.notes.iter().all(|it| it.lacks().is_none()));
    }
}

#[test]
fn first_and_last_frames_stand_at_their_ends() {
    let place = Place::new();
    let more = json!({"start_image": ["a", 0], "end_image": ["cd", 0],
        "clip_vision_start_image": ["eye-a", 0], "clip_vision_end_image": ["eye-d", 0]});
    let mut graph = graph("WanFirstLastFrameToVideo", &inputs(5, &more));
    for picture in ["a", "d"] {
        graph[format!("eye-{picture}")] = json!({"class_type": "CLIPVisionEncode", "inputs": {
            "clip_vision": ["eyes", 0], "image": [picture, 0], "crop": "none"}});
    }
    let made = place.made(&graph);
    made.keeps_its_word();
    let [a, c, d] = ["a", "c", "d"].map(|it| picture(&place, it, SIZE));
    let frames = [a, grey(SIZE), grey(SIZE), c, d];
    let expected = made.encoded(&frames, (48, 32));
    assert!(worst(&made.array("concat_latent").data, &expected) < CLOSE);
    // Rows of the first picture, then those of the last.
    let mut rows = Vec::new();
    for picture in ["eye-a", "eye-d"] {
        let mut alone = graph.clone();
        alone["it"] = graph[picture].clone();
        rows.extend_from_slice(&place.made(&alone).conditioning(0).data);
    }
    let vision = made.array("clip_vision");
    assert_eq!(vision.shape, [34, 48]);
    assert_eq!(*vision.data, rows);

    graph["it"]["inputs"]
        .as_object_mut()
        .unwrap()
        .remove("clip_vision_start_image");
    let made = place.made(&graph);
    made.keeps_its_word();
    assert_eq!(*made.array("clip_vision").data, rows[17 * 48..]);
}

#[test]
fn plan_and_run_agree_for_any_size() {
    let place = Place::new();
    // Sizes in steps of 16, lengths 4k + 1, drawn by a small generator.
    let mut state = 7_u32;
    let mut draw = |most: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % most + 1
    };
    for _ in 0..6 {
        let (width, height, length) = (16 * draw(4), 16 * draw(4), 4 * draw(3) - 3);
        let given = json!({"width": width, "height": height, "length": length,
            "batch_size": draw(2), "start_image": ["ab", 0]});
        for class in ["WanImageToVideo", "WanFirstLastFrameToVideo"] {
            place.made(&graph(class, &given)).keeps_its_word();
        }
        let given = json!({"width": 32 * draw(2), "height": 32 * draw(2), "length": length,
            "batch_size": draw(2), "pose_strength": 1.0, "pose_start": 0.0, "pose_end": 1.0,
            "video_frame_offset": 0, "previous_frame_count": 5, "pose_video": ["abcd", 0],
            "pose_video_mask": ["ab", 0], "reference_image": ["ab", 0],
            "reference_image_mask": ["c", 0], "previous_frames": ["cd", 0]});
        place
            .made(&graph("WanSCAILToVideo", &given))
            .keeps_its_word();
    }
}
