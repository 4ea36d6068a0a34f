//! The tiny Wan family rendered beside PyTorch, and what a second render does again.

use longtake_tests::compare::{bytes, pngs, psnr, relative_l2, tensor};
use longtake_tests::data;
use longtake_tests::graphs::tiny_prompt;
use longtake_tests::place::{Workplace, loads, steps};
use serde_json::{Value as Json, json};

/// Renders the tiny prompt with a sampler and compares latent and frames with PyTorch's.
fn agrees(sampler: &str) {
    let place = Workplace::new();
    let prompt = place.graph("prompt.json", &tiny_prompt());
    let sampler_name = format!("KSampler.sampler_name={sampler}");
    let report = place.rendered(&[prompt.to_str().unwrap(), "--set", &sampler_name]);
    assert_eq!(report["error"], Json::Null);

    let goldens = data("wan-tiny/goldens.safetensors");
    let (shape, golden) = tensor(&goldens, &format!("{sampler}.latent"));
    let (found_shape, found) = tensor(&place.only(".latent"), "latent_tensor");
    assert_eq!(found_shape, shape);
    let error = relative_l2(&found, &golden);
    assert!(error <= 1e-3, "{sampler}: the latent is off by {error:.2e}");

    let (shape, golden) = bytes(&goldens, &format!("{sampler}.frames"));
    let (paths, found) = pngs(&place.path("output/frames"));
    assert_eq!(paths.len(), shape[0]);
    assert_eq!(
        image::image_dimensions(&paths[0]).unwrap(),
        (shape[2] as u32, shape[1] as u32)
    );
    let ratio = psnr(&found, &golden);
    let most = found
        .iter()
        .zip(&golden)
        .map(|(a, b)| a.abs_diff(*b))
        .max()
        .unwrap();
    println!("{sampler}: latent {error:.2e}, frames {ratio:.1} dB, at most {most} levels off");
    assert!(ratio >= 45.0, "{sampler}: frames at {ratio:.1} dB");
    assert!(most <= 2, "{sampler}: a pixel is {most} levels off");
}

#[test]
fn euler_agrees_with_pytorch() {
    agrees("euler");
}

#[test]
fn uni_pc_agrees_with_pytorch() {
    agrees("uni_pc");
}

#[test]
fn frames_are_numbered_and_carry_the_prompt() {
    let place = Workplace::new();
    let prompt = place.graph("prompt.json", &tiny_prompt());
    let report = place.rendered(&[prompt.to_str().unwrap(), "--set", "3.steps=1"]);
    let files = place.files("output");
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names[0], "frames/tiny_00001_.png");
    assert_eq!(names.len(), 10, "{names:?}");
    assert_eq!(names[9], "latents/tiny_00001_.latent");
    assert_eq!(
        report["outputs"].as_array().unwrap().len(),
        10,
        "{}",
        report["outputs"]
    );
    // ComfyUI puts the prompt into a PNG's text chunk.
    let png = std::fs::read(place.path("output/frames/tiny_00001_.png")).unwrap();
    let holds = |wanted: &[u8]| png.windows(wanted.len()).any(|it| it == wanted);
    assert!(
        holds(b"tEXtprompt") || holds(b"iTXtprompt"),
        "no prompt in the picture"
    );
}

#[test]
fn nothing_is_done_twice() {
    let place = Workplace::new();
    let prompt = place.graph("prompt.json", &tiny_prompt());
    let args = [prompt.to_str().unwrap(), "--set", "3.steps=2"];
    let first = place.rendered(&args);
    assert_eq!(steps(&first, "cached"), Vec::<String>::new());
    assert_eq!(loads(&first).into_values().collect::<Vec<_>>(), [1, 1, 1]);
    let before = place.files("output");

    let again = place.rendered(&args);
    assert_eq!(steps(&again, "done"), Vec::<String>::new());
    assert_eq!(
        loads(&again).into_values().sum::<u64>(),
        0,
        "{}",
        again["weights"]
    );
    assert_eq!(place.files("output"), before);

    // A lost picture is made again, from the stored latent: nothing is sampled.
    std::fs::remove_file(place.path("output/frames/tiny_00003_.png")).unwrap();
    let mended = place.rendered(&args);
    assert_eq!(steps(&mended, "done"), ["10 SaveImage", "8 VAEDecode"]);

    let reseeded = place.rendered(&[args[0], args[1], args[2], "--set", "3.seed=8"]);
    assert_eq!(
        steps(&reseeded, "done"),
        [
            "10 SaveImage",
            "3 KSampler",
            "40 EmptyHunyuanLatentVideo",
            "8 VAEDecode",
            "9 SaveLatent"
        ]
    );
    assert_eq!(
        loads(&reseeded)
            .get("umt5_tiny_bf16.safetensors")
            .copied()
            .unwrap_or(0),
        0
    );
}

#[test]
fn a_step_that_changes_changes_only_what_follows() {
    let place = Workplace::new();
    let prompt = place.graph("prompt.json", &tiny_prompt());
    let file = prompt.to_str().unwrap();
    place.rendered(&[file, "--set", "3.steps=1"]);
    let negative = place.rendered(&[file, "--set", "3.steps=1", "--set", "Negative.text=grey"]);
    assert_eq!(
        steps(&negative, "done"),
        [
            "10 SaveImage",
            "3 KSampler",
            "40 EmptyHunyuanLatentVideo",
            "7 CLIPTextEncode",
            "8 VAEDecode",
            "9 SaveLatent"
        ]
    );
    let shift = place.rendered(&[file, "--set", "3.steps=1", "--set", "Shift.shift=3.0"]);
    assert_eq!(
        steps(&shift, "done"),
        [
            "10 SaveImage",
            "3 KSampler",
            "40 EmptyHunyuanLatentVideo",
            "8 VAEDecode",
            "9 SaveLatent"
        ]
    );
}

/// Signatures of a plan's steps, by node.
fn signatures(place: &Workplace, file: &str) -> Vec<(String, String)> {
    let plan = place.run("plan", &[file, "--json"]).exits(0).json();
    let steps = plan["steps"].as_array().unwrap();
    let mut found: Vec<_> = steps
        .iter()
        .map(|it| {
            (
                it["id"].to_string(),
                it["signature"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    found.sort();
    found
}

#[test]
fn a_project_and_its_prompt_are_the_same_work() {
    let place = Workplace::new();
    place.graph("a.json", &tiny_prompt());
    place.run("convert", &["a.json", "b.longtake"]).exits(0);
    place.run("convert", &["b.longtake", "c.json"]).exits(0);
    place.run("convert", &["c.json", "d.longtake"]).exits(0);
    let first = signatures(&place, "a.json");
    assert_eq!(first.len(), 7, "{first:?}");
    for file in ["b.longtake", "c.json", "d.longtake"] {
        assert_eq!(signatures(&place, file), first, "{file}");
    }
    let project = std::fs::read(place.path("b.longtake")).unwrap();
    assert_eq!(std::fs::read(place.path("d.longtake")).unwrap(), project);

    place.rendered(&["b.longtake", "--set", "3.steps=1"]);
    let from_prompt = place.rendered(&["c.json", "--set", "3.steps=1"]);
    assert_eq!(steps(&from_prompt, "done"), Vec::<String>::new());
}

#[test]
fn unknown_nodes_keep_their_data_through_conversion() {
    let place = Workplace::new();
    let mut graph = tiny_prompt();
    graph["99"] = json!({
        "class_type": "SomeoneElsesNode",
        "inputs": {"strange": {"deep": [1, 2, {"x": null}]}, "images": ["8", 0], "big": 18446744073709551615u64},
        "_meta": {"title": "theirs"},
    });
    place.graph("a.json", &graph);
    let ran = place.run("check", &["a.json"]).exits(0);
    assert!(ran.stderr.contains("SomeoneElsesNode"), "{}", ran.stderr);
    place.run("convert", &["a.json", "b.longtake"]).exits(0);
    place.run("convert", &["b.longtake", "c.json"]).exits(0);
    let back: Json = serde_json::from_slice(&std::fs::read(place.path("c.json")).unwrap()).unwrap();
    assert_eq!(back["99"], graph["99"]);
}
