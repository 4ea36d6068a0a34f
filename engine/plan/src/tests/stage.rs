//! Bundles, and nodes that work in two stages.

use expect_test::expect;
use serde_json::json;

use super::{compiled, film, plan, said, steps, t2v};
use crate::Options;
use crate::toy::{GIB, World, gpu};

fn with_experts(mut prompt: serde_json::Value, denoise: f64) -> serde_json::Value {
    prompt["h"] = json!({"class_type": "LoadModel", "inputs": {"name": "high"}});
    prompt["s"]["class_type"] = json!("Experts");
    prompt["s"]["inputs"]["high"] = json!(["h", 0]);
    prompt["s"]["inputs"]["denoise"] = json!(denoise);
    prompt
}

#[test]
fn each_stage_needs_only_its_own_checkpoint() {
    let prompt = with_experts(film(&[(1.0, 0.0), (1.0, 0.0)], false), 1.0);
    let plan = plan(&prompt, &gpu(11 * GIB));
    let on_device: Vec<_> = plan
        .steps
        .iter()
        .filter(|it| !it.weights.is_empty())
        .collect();
    let lines: Vec<String> = on_device
        .iter()
        .map(|it| {
            let names: Vec<&str> = it
                .weights
                .iter()
                .map(|id| plan.weight(*id).name.as_str())
                .collect();
            format!("{} {}", it.path, names.join(" "))
        })
        .collect();
    // All shots go through the first expert, then all through the second: each is loaded once.
    expect![[r#"
        p[01] t5
        p[02] t5
        s[01].high high
        s[02].high high
        s[01] dit
        s[02] dit
        d[01] vae
        d[02] vae"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn a_first_stage_without_work_is_left_out() {
    let plan = plan(&with_experts(t2v(), 0.5), &gpu(24 * GIB));
    assert!(!steps(&plan).contains("ExpertsHigh"), "{}", steps(&plan));
    assert!(plan.weights.iter().all(|it| it.name != "high"));
}

#[test]
fn what_reads_a_bundle_gets_its_inputs() {
    let mut prompt = t2v();
    prompt["s"] = json!({"class_type": "SampleGuided", "inputs": {"guider": ["g", 0], "seed": 7}});
    prompt["g"] = json!({"class_type": "Guider", "inputs": {"model": ["m", 0], "cond": ["p", 0]}});
    let with = plan(&prompt, &gpu(24 * GIB));
    let sampler = with
        .steps
        .iter()
        .find(|it| it.class == "SampleGuided")
        .unwrap();
    let names: Vec<&str> = sampler.inputs.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "guider", "seed", "width", "height", "length", "model", "cond", "cfg"
        ]
    );
    assert_eq!(sampler.weights.len(), 1);
    prompt["g"]["inputs"]["cfg"] = json!(6.0);
    let other = plan(&prompt, &gpu(24 * GIB));
    let of = |plan: &crate::Plan| {
        plan.steps
            .iter()
            .find(|it| it.class == "SampleGuided")
            .unwrap()
            .signature
    };
    assert_ne!(
        of(&with),
        of(&other),
        "a guider's settings are signed with what reads it"
    );
}

#[test]
fn an_error_in_a_bundle_is_told_once() {
    let mut prompt = t2v();
    prompt["s"] = json!({"class_type": "SampleGuided", "inputs": {"guider": ["g", 0], "seed": 7}});
    prompt["g"] =
        json!({"class_type": "Guider", "inputs": {"model": ["m", 0], "cond": ["p", 0], "cfg": 99}});
    let result = compiled(
        &prompt,
        &World::default(),
        &gpu(24 * GIB),
        &Options::default(),
    );
    assert_eq!(
        said(&result).lines().filter(|it| !it.is_empty()).count(),
        1,
        "{}",
        said(&result)
    );
}
