//! Whole compilations of small toy graphs.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

mod film;
mod graph;
mod memory;
mod properties;
mod scale;
mod stage;
mod subgraph;

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::toy::{Toy, World, project};
use crate::{Compiled, Machine, Options, Plan, compile};

fn compiled(prompt: &Json, world: &World, machine: &Machine, options: &Options) -> Compiled {
    compile(&project(prompt), &Toy::default(), world, machine, options)
}

fn plan(prompt: &Json, machine: &Machine) -> Plan {
    let result = compiled(prompt, &World::default(), machine, &Options::default());
    assert!(result.diagnostics.is_empty(), "{:#?}", result.diagnostics);
    result.plan.expect("a plan")
}

/// One line per step: path, class, what it reads by path.
fn steps(plan: &Plan) -> String {
    let name = |id: &crate::ValueId| {
        plan.value(*id)
            .step
            .map_or("const".to_owned(), |it| plan.step(it).path.to_string())
    };
    let mut text = String::new();
    for step in &plan.steps {
        let reads: Vec<String> = step
            .inputs
            .values()
            .flat_map(|input| match input {
                crate::StepInput::Literal(_) => Vec::new(),
                crate::StepInput::Value(id) => vec![name(id)],
                crate::StepInput::List(ids) => vec![format!(
                    "[{}]",
                    ids.iter().map(name).collect::<Vec<_>>().join(" ")
                )],
            })
            .collect();
        let cached = if step.cached { " (cached)" } else { "" };
        text += &format!(
            "{} = {} {}{cached}\n",
            step.path,
            step.class,
            reads.join(" ")
        )
        .replace(" \n", "\n");
    }
    text
}

fn t2v() -> Json {
    json!({
        "m": {"class_type": "LoadModel", "inputs": {"name": "dit"}},
        "c": {"class_type": "LoadClip", "inputs": {"name": "t5"}},
        "v": {"class_type": "LoadVae", "inputs": {"name": "vae"}},
        "p": {"class_type": "Encode", "inputs": {"clip": ["c", 0], "text": "a cat"}},
        "s": {"class_type": "Sample", "inputs": {"model": ["m", 0], "cond": ["p", 0], "seed": 7}},
        "d": {"class_type": "Decode", "inputs": {"vae": ["v", 0], "samples": ["s", 0]}},
        "o": {"class_type": "SaveVideo", "inputs": {"images": ["d", 0]}}
    })
}

/// A film: prompt, sample, decode per shot; tinted; written as a video. `shots`: seconds and
/// transition seconds of each.
fn film(shots: &[(f64, f64)], continuity: bool) -> Json {
    let shots: Vec<Json> = (shots.iter().enumerate())
        .map(|(at, (seconds, transition))| {
            let kind = if *transition > 0.0 { "dissolve" } else { "cut" };
            json!({
                "id": format!("{:02}", at + 1), "prompt": format!("shot {}", at + 1), "seed": at,
                "seconds": seconds, "transition": kind, "transition_seconds": transition,
            })
        })
        .collect();
    let mut prompt = json!({
        "b": {"class_type": "Storyboard", "inputs": {"width": 64, "height": 64, "fps": 16.0, "shots": shots}},
        "e": {"class_type": "EachShot", "inputs": {"storyboard": ["b", 0]}},
        "m": {"class_type": "LoadModel", "inputs": {"name": "dit"}},
        "c": {"class_type": "LoadClip", "inputs": {"name": "t5"}},
        "v": {"class_type": "LoadVae", "inputs": {"name": "vae"}},
        "p": {"class_type": "Encode", "inputs": {"clip": ["c", 0], "text": ["e", 0]}},
        "s": {"class_type": "Sample", "inputs": {
            "model": ["m", 0], "cond": ["p", 0], "seed": ["e", 1],
            "length": ["e", 3], "width": ["e", 4], "height": ["e", 5]}},
        "d": {"class_type": "Decode", "inputs": {"vae": ["v", 0], "samples": ["s", 0]}},
        "f": {"class_type": "CollectFilm", "inputs": {"storyboard": ["b", 0], "clip": ["d", 0]}},
        "t": {"class_type": "Tint", "inputs": {"image": ["f", 0]}},
        "o": {"class_type": "SaveVideo", "inputs": {"images": ["t", 0]}}
    });
    if continuity {
        prompt["i"] = json!({"class_type": "LoadImage", "inputs": {"image": "first.png"}});
        prompt["e"]["inputs"]["first_frame"] = json!(["i", 0]);
        prompt["l"] =
            json!({"class_type": "VaeEncode", "inputs": {"vae": ["v", 0], "pixels": ["e", 6]}});
        prompt["s"]["inputs"]["start"] = json!(["l", 0]);
    }
    prompt
}

/// Signatures by path.
fn signatures(plan: &Plan) -> BTreeMap<String, String> {
    plan.steps
        .iter()
        .map(|it| (it.path.to_string(), it.signature.to_string()))
        .collect()
}

/// Findings, a line each.
fn said(result: &Compiled) -> String {
    let lines = result.diagnostics.iter().map(|it| {
        assert_eq!(it.message.lacks(), None);
        format!("[{}] {it}", it.code)
    });
    lines.collect::<Vec<_>>().join(
        "
",
    ) + "
"
}
