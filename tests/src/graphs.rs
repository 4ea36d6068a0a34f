//! The small graphs that tests start from.

use std::fs;

use longtake_graph::Catalog;
use longtake_nodes::Registry;
use serde_json::{Value as Json, json};

use crate::data;

/// Frames per second of the small films. With it, shots of 5 and 9 frames are sixteenths exactly.
pub const FPS: u32 = 16;

/// One shot with the tiny Wan family: euler, six steps, 64×48, nine frames.
pub fn tiny_prompt() -> Json {
    serde_json::from_str(&fs::read_to_string(data("wan-tiny/prompt.json")).unwrap()).unwrap()
}

/// A chain of the Wan family, as `tests/reference/wan_family_e2e.py` wrote it.
pub fn family_prompt(chain: &str) -> Json {
    let path = data("wan-tiny/family").join(format!("{chain}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// A link to the output with that name, wherever its class has it.
pub fn out(graph: &Json, node: &str, output: &str) -> Json {
    let class = graph[node]["class_type"]
        .as_str()
        .unwrap_or_else(|| panic!("no node {node}"));
    let declaration = Registry::new()
        .declaration(class)
        .unwrap_or_else(|| panic!("no class {class}"));
    let at = declaration
        .outputs
        .iter()
        .position(|it| it.name == output)
        .unwrap_or_else(|| panic!("{class} has no output {output}"));
    json!([node, at])
}

/// A shot of `frames` frames.
pub fn shot(id: &str, prompt: &str, frames: u32) -> Json {
    json!({"id": id, "prompt": prompt, "seed": 7, "seconds": f64::from(frames) / f64::from(FPS)})
}

/// A dissolve of `frames` frames into the next shot.
pub fn dissolving(mut shot: Json, frames: u32) -> Json {
    shot["transition"] = json!("dissolve");
    shot["transition_seconds"] = json!(f64::from(frames) / f64::from(FPS));
    shot
}

/// A film of Wan shots, 64×48, two steps each, lossless, without continuity.
pub fn film(shots: &[Json]) -> Json {
    let tiny = tiny_prompt();
    let mut graph = json!({
        "board": {"class_type": "Storyboard", "inputs": {
            "title": "Tiny", "width": 64, "height": 48, "fps": FPS, "shots": {"__value__": shots},
        }},
        "each": {"class_type": "EachShot", "inputs": {"storyboard": ["board", 0]}},
        "unet": tiny["37"], "clip": tiny["38"], "vae": tiny["39"],
        "shift": {"class_type": "ModelSamplingSD3", "inputs": {"shift": 8.0, "model": ["unet", 0]}},
        "negative": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["clip", 0]}},
    });
    graph["positive"] = json!({"class_type": "CLIPTextEncode", "inputs": {
        "text": out(&graph, "each", "prompt"), "clip": ["clip", 0],
    }});
    graph["empty"] = json!({"class_type": "EmptyHunyuanLatentVideo", "inputs": {
        "width": 64, "height": 48, "length": out(&graph, "each", "length"), "batch_size": 1,
    }});
    graph["sampler"] = json!({"class_type": "KSampler", "inputs": {
        "seed": out(&graph, "each", "seed"), "steps": 2, "cfg": 4.0, "sampler_name": "euler",
        "scheduler": "simple", "denoise": 1.0, "model": ["shift", 0], "positive": ["positive", 0],
        "negative": ["negative", 0], "latent_image": ["empty", 0],
    }});
    graph["decode"] = json!({"class_type": "VAEDecode", "inputs": {"samples": ["sampler", 0], "vae": ["vae", 0]}});
    graph["film"] = json!({"class_type": "CollectFilm", "inputs": {
        "storyboard": ["board", 0], "clip": ["decode", 0],
    }});
    save(&mut graph, &json!(["film", 0]));
    graph
}

/// A film that needs no weights: a card per shot.
pub fn cards(width: u32, height: u32, shots: &[Json]) -> Json {
    let mut graph = json!({
        "board": {"class_type": "Storyboard", "inputs": {
            "title": "Cards", "width": width, "height": height, "fps": FPS,
            "shots": {"__value__": shots},
        }},
        "each": {"class_type": "EachShot", "inputs": {"storyboard": ["board", 0]}},
    });
    graph["card"] = json!({"class_type": "TitleCard", "inputs": {
        "body": out(&graph, "each", "prompt"), "width": width, "height": height,
        "frames": out(&graph, "each", "frames"),
    }});
    graph["film"] = json!({"class_type": "CollectFilm", "inputs": {
        "storyboard": ["board", 0], "clip": ["card", 0],
    }});
    save(&mut graph, &json!(["film", 0]));
    graph
}

fn save(graph: &mut Json, frames: &Json) {
    graph["video"] = json!({"class_type": "CreateVideo", "inputs": {"images": frames, "fps": FPS}});
    graph["save"] = json!({"class_type": "SaveVideo", "inputs": {
        "video": ["video", 0], "filename_prefix": "film", "format": "mkv", "codec": "ffv1",
    }});
}
