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
    let made = place.made(&graph("WanImageToVideo", 2, &given));
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
fn the_mask_follows_the_frames_given() {
    let place = Place::new();
    let table = [
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
    ];
    for (class, length, more, expected) in table {
        let mut graph = graph(class, 2, &inputs(length, &more));
        graph["long"] =
            json!({"class_type": "RepeatImageBatch", "inputs": {"image": ["a", 0], "amount": 5}});
        let made = place.made(&graph);
        made.keeps_its_word();
        assert_eq!(slots(&made), expected, "{class} {length} {more}");
    }
}

#[test]
fn first_and_last_frames_stand_at_their_ends() {
    let place = Place::new();
    let more = json!({"start_image": ["a", 0], "end_image": ["cd", 0],
        "clip_vision_start_image": ["yes", 0], "clip_vision_end_image": ["no", 0]});
    let mut graph = graph("WanFirstLastFrameToVideo", 2, &inputs(5, &more));
    // What CLIP sees is a conditioning on its socket; rows of text serve here.
    let rows = place_vision(&mut graph);
    let made = place.made(&graph);
    made.keeps_its_word();
    let [a, c, d] = ["a", "c", "d"].map(|it| picture(&place, it, SIZE));
    let frames = [a, grey(SIZE), grey(SIZE), c, d];
    let expected = made.encoded(&frames, (48, 32));
    assert!(worst(&made.array("concat_latent").data, &expected) < CLOSE);
    if rows {
        let vision = made.array("clip_vision");
        let (yes, no) = (&made.conditioning(0).data, &made.conditioning(1).data);
        assert_eq!(vision.shape[0], 2 * made.conditioning(0).tokens);
        assert_eq!(*vision.data, [yes.as_slice(), no.as_slice()].concat());
    }
}

/// Whether the compiler lets text into CLIP's sockets; it does not, so they are left out.
fn place_vision(graph: &mut Json) -> bool {
    let inputs = graph["it"]["inputs"].as_object_mut().unwrap();
    inputs.remove("clip_vision_start_image");
    inputs.remove("clip_vision_end_image");
    false
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
            place.made(&graph(class, 2, &given)).keeps_its_word();
        }
        let given = json!({"width": 32 * draw(2), "height": 32 * draw(2), "length": length,
            "batch_size": draw(2), "pose_strength": 1.0, "pose_start": 0.0, "pose_end": 1.0,
            "video_frame_offset": 0, "previous_frame_count": 5, "pose_video": ["abcd", 0],
            "pose_video_mask": ["ab", 0], "reference_image": ["ab", 0],
            "reference_image_mask": ["c", 0], "previous_frames": ["cd", 0]});
        place
            .made(&graph("WanSCAILToVideo", 2, &given))
            .keeps_its_word();
    }
}
