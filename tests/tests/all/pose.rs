//! Keypoints to a pose video through the program: load, retarget, draw, save.

use longtake_tests::compare::pngs;
use longtake_tests::place::Workplace;
use longtake_tests::root;
use serde_json::{Value as Json, json};

/// The demo keypoints given to the demo reference, nine frames of 128×224.
fn graph() -> Json {
    json!({
        "1": {"class_type": "LoadPoseKeypoints", "inputs": {"file": "walk-and-wave.json"}},
        "2": {"class_type": "LoadPoseKeypoints", "inputs": {"file": "reference-pose.json"}},
        "3": {"class_type": "RetargetPose", "inputs": {"pose": ["1", 0], "reference_pose": ["2", 0], "mode": "camera"}},
        "4": {"class_type": "DrawPose", "inputs": {"pose": ["3", 0], "width": 128, "height": 224, "length": 9}},
        "5": {"class_type": "SaveImage", "inputs": {"images": ["4", 0], "filename_prefix": "pose"}}
    })
}

fn with_keypoints() -> Workplace {
    let place = Workplace::new();
    for name in ["walk-and-wave.json", "reference-pose.json"] {
        let text = std::fs::read(root().join("presets/input").join(name)).unwrap();
        place.write(&format!("input/{name}"), text);
    }
    place
}

#[test]
fn keypoints_become_pictures() {
    let place = with_keypoints();
    let prompt = place.graph("prompt.json", &graph());
    place.rendered(&[prompt.to_str().unwrap()]);
    let (paths, pixels) = pngs(&place.path("output"));
    assert_eq!(paths.len(), 9);
    assert_eq!(image::image_dimensions(&paths[0]).unwrap(), (128, 224));
    let lit = pixels.iter().filter(|&&it| it > 0).count();
    assert!(lit > 9 * 1000, "{lit} samples are not black");
}

#[test]
fn files_that_are_no_keypoints_are_told_before_the_run() {
    for (text, expected) in [
        ("[1]", "frame 0: expected a frame"),
        ("{\"people\": []}", "canvas_width"),
        (
            "{\"people\": [{\"pose_keypoints_2d\": [1]}]}",
            "no multiple of 3",
        ),
    ] {
        let place = with_keypoints();
        place.write("input/walk-and-wave.json", text);
        let prompt = place.graph("prompt.json", &graph());
        let ran = place.run("plan", &[prompt.to_str().unwrap()]);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(ran.code != 0 && said.contains(expected), "{text}: {said}");
    }
}
