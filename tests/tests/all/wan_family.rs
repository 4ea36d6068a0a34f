//! Whole chains of the Wan family rendered beside PyTorch: both experts, pictures, characters, cameras.
//!
//! Prompts, pictures and goldens are made by `tests/reference/wan_family_e2e.py`. Latents agree to a
//! relative L2 of 1e-3, frames to 45 dB, as for Wan 2.1.

use std::path::Path;

use longtake_tests::compare::{bytes, pngs, psnr, relative_l2, tensor};
use longtake_tests::data;
use longtake_tests::graphs::family_prompt;
use longtake_tests::place::Workplace;
use serde_json::{Value as Json, json};

fn goldens() -> std::path::PathBuf {
    data("wan-tiny/family/goldens.safetensors")
}

/// Compares a saved latent with a golden one.
fn latent_agrees(found: &Path, name: &str) {
    let (shape, golden) = tensor(&goldens(), &format!("{name}.latent"));
    let (found_shape, found) = tensor(found, "latent_tensor");
    assert_eq!(found_shape, shape, "{name}");
    let error = relative_l2(&found, &golden);
    println!("{name}: latent {error:.2e}");
    assert!(error <= 1e-3, "{name}: the latent is off by {error:.2e}");
}

fn frames_agree(folder: &Path, name: &str) {
    let (shape, golden) = bytes(&goldens(), &format!("{name}.frames"));
    let (paths, found) = pngs(folder);
    assert_eq!(paths.len(), shape[0], "{name}");
    let size = image::image_dimensions(&paths[0]).unwrap();
    assert_eq!(size, (shape[2] as u32, shape[1] as u32), "{name}");
    let ratio = psnr(&found, &golden);
    println!("{name}: frames {ratio:.1} dB");
    assert!(ratio >= 45.0, "{name}: frames at {ratio:.1} dB");
}

/// Renders a chain with changes, and compares its latent and, if it has them, its frames.
fn agrees(chain: &str, golden: &str, changes: &[&str]) -> Json {
    let place = Workplace::new().with_pictures();
    let graph = family_prompt(chain);
    let prompt = place.graph("prompt.json", &graph);
    let mut args = vec![prompt.to_str().unwrap()];
    args.extend(changes.iter().flat_map(|it| ["--set", it]));
    let report = place.rendered(&args);
    assert_eq!(report["error"], Json::Null);
    latent_agrees(&place.only(".latent"), golden);
    if graph.get("frames").is_some() {
        frames_agree(&place.path("output/frames"), golden);
    }
    report
}

#[test]
fn two_experts_from_a_picture_agree_with_pytorch() {
    agrees("experts", "experts.euler", &[]);
}

#[test]
fn the_solver_goes_on_from_one_expert_to_the_other() {
    let changes = [
        "sampler.sampler_name=wan_unipc",
        "sampler.scheduler=wan_unipc",
    ];
    agrees("experts", "experts.wan_unipc", &changes);
}

#[test]
fn a_picture_seen_by_clip_agrees_with_pytorch() {
    agrees("clip", "clip", &[]);
}

#[test]
fn times_per_frame_agree_and_the_first_frame_stays() {
    agrees("ti2v", "ti2v", &[]);
}

#[test]
fn a_character_under_a_camera_agrees_with_pytorch() {
    agrees("scail", "scail", &[]);
}

#[test]
fn a_lora_agrees_with_merged_weights() {
    agrees("lora", "lora", &[]);
}

#[test]
fn windows_of_frames_agree_with_comfyui() {
    agrees("windows", "windows.static", &[]);
    let uniform = ["windows.context_schedule=standard_uniform"];
    agrees("windows", "windows.uniform", &uniform);
}

#[test]
fn a_step_cache_agrees_with_comfyui() {
    let report = agrees("cache", "cache", &[]);
    // 8 of 24 passes, the same in both passes of a step.
    assert!(
        report.to_string().contains("left out 4 of 12"),
        "{report:#}"
    );
}

/// The tiny prompt with its sampler taken apart.
fn taken_apart(sampler: &str) -> Json {
    let mut graph = longtake_tests::graphs::tiny_prompt();
    let whole = graph["3"]["inputs"].clone();
    let node = |class: &str, inputs: Json| json!({"class_type": class, "inputs": inputs});
    graph["noise"] = node("RandomNoise", json!({"noise_seed": whole["seed"]}));
    graph["none"] = node("DisableNoise", json!({}));
    graph["guider"] = node(
        "CFGGuider",
        json!({"model": whole["model"], "positive": whole["positive"], "negative": whole["negative"],
               "cfg": whole["cfg"]}),
    );
    graph["solver"] = node("KSamplerSelect", json!({"sampler_name": sampler}));
    graph["sigmas"] = node(
        "BasicScheduler",
        json!({"model": whole["model"], "scheduler": "simple", "steps": whole["steps"], "denoise": 1.0}),
    );
    graph["3"] = custom("noise", &json!(["sigmas", 0]), &whole["latent_image"]);
    graph
}

fn custom(noise: &str, sigmas: &Json, latent: &Json) -> Json {
    json!({"class_type": "SamplerCustomAdvanced", "inputs": {
        "noise": [noise, 0], "guider": ["guider", 0], "sampler": ["solver", 0],
        "sigmas": sigmas, "latent_image": latent,
    }})
}

/// The latent of a graph, bit for bit.
fn latent_of(graph: &Json) -> Vec<u32> {
    let place = Workplace::new();
    let mut graph = graph.clone();
    for frames in ["8", "10"] {
        graph.as_object_mut().unwrap().remove(frames);
    }
    let prompt = place.graph("prompt.json", &graph);
    place.rendered(&[prompt.to_str().unwrap()]);
    let (_, values) = tensor(&place.only(".latent"), "latent_tensor");
    values.into_iter().map(f32::to_bits).collect()
}

#[test]
fn a_sampler_taken_apart_is_the_same_sampler() {
    for name in ["euler", "dpmpp_2m"] {
        let mut whole = longtake_tests::graphs::tiny_prompt();
        whole["3"]["inputs"]["sampler_name"] = json!(name);
        assert_eq!(latent_of(&taken_apart(name)), latent_of(&whole), "{name}");
    }
}

#[test]
fn a_split_schedule_gives_what_the_whole_gives() {
    let whole = taken_apart("euler");
    let mut halves = whole.clone();
    let latent = whole["3"]["inputs"]["latent_image"].clone();
    halves["split"] =
        json!({"class_type": "SplitSigmas", "inputs": {"sigmas": ["sigmas", 0], "step": 2}});
    halves["first"] = custom("noise", &json!(["split", 0]), &latent);
    halves["3"] = custom("none", &json!(["split", 1]), &json!(["first", 0]));
    let float = |bits: Vec<u32>| bits.into_iter().map(f32::from_bits).collect::<Vec<_>>();
    let error = relative_l2(&float(latent_of(&halves)), &float(latent_of(&whole)));
    // Between the halves the latent is scaled by 1 - sigma and back, and to raw values and back.
    assert!(error <= 1e-5, "off by {error:.2e}");
}
