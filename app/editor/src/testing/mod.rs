//! A small machine for tests and benchmarks: a few node classes with every kind of parameter, and an
//! engine that compiles them into one step per node and "renders" clips of flat colours.

mod catalog;
mod engine;

pub use catalog::Classes;
pub use engine::{Fake, FlatColours};

use std::sync::Arc;

use longtake_graph::{Input, Link, Node, NodeId, Project};
use serde_json::{Value, json};

use crate::{Settings, Studio};

/// A studio over a [`Fake`] engine, with that document open.
pub fn studio(project: Project) -> Studio {
    let mut studio = Studio::new(
        Arc::new(Fake::default()),
        Settings {
            language: Some(crate::Language::En),
            ..Settings::default()
        },
        Arc::new(|| {}),
    );
    studio.session = crate::Session::new(project, None);
    studio
}

/// A node of that class at a point, with literals.
pub fn node(class: &str, pos: [f32; 2], literals: &[(&str, Value)]) -> Node {
    Node {
        class: class.to_owned(),
        pos: Some(pos),
        inputs: literals
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Input::Literal(value.clone())))
            .collect(),
        ..Node::default()
    }
}

/// Adds a link to an input.
pub fn link(project: &mut Project, to: &str, input: &str, from: &str, output: u32) {
    if let Some(node) = project.nodes.get_mut(to) {
        let link = Link {
            node: NodeId::new(from),
            output,
        };
        node.inputs.insert(input.to_owned(), Input::Link(link));
    }
}

/// `UNETLoader → KSampler → VAEDecode → SaveVideo`, with texts and a latent: eight nodes, all linked.
pub fn small() -> Project {
    let mut project = Project {
        title: "Small".to_owned(),
        ..Project::default()
    };
    let nodes = [
        (
            "1",
            "UNETLoader",
            [0.0, 0.0],
            json!({"unet_name": "wan.safetensors"}),
        ),
        (
            "2",
            "CLIPLoader",
            [0.0, 160.0],
            json!({"clip_name": "umt5.safetensors"}),
        ),
        (
            "3",
            "CLIPTextEncode",
            [320.0, 120.0],
            json!({"text": "a harbour at dawn"}),
        ),
        (
            "4",
            "CLIPTextEncode",
            [320.0, 360.0],
            json!({"text": "blurry"}),
        ),
        (
            "5",
            "EmptyLatent",
            [320.0, 600.0],
            json!({"width": 832, "height": 480, "length": 81}),
        ),
        (
            "6",
            "KSampler",
            [680.0, 80.0],
            json!({"seed": 7, "steps": 20}),
        ),
        ("7", "VAEDecode", [1040.0, 80.0], json!({})),
        (
            "8",
            "SaveVideo",
            [1320.0, 80.0],
            json!({"filename_prefix": "film"}),
        ),
    ];
    for (id, class, pos, literals) in nodes {
        let literals: Vec<(&str, Value)> = literals
            .as_object()
            .map(|it| it.iter().map(|(k, v)| (k.as_str(), v.clone())).collect())
            .unwrap_or_default();
        project
            .nodes
            .insert(NodeId::new(id), node(class, pos, &literals));
    }
    for (to, input, from, output) in [
        ("3", "clip", "2", 0),
        ("4", "clip", "2", 0),
        ("6", "model", "1", 0),
        ("6", "positive", "3", 0),
        ("6", "negative", "4", 0),
        ("6", "latent_image", "5", 0),
        ("7", "samples", "6", 0),
        ("8", "images", "7", 0),
    ] {
        link(&mut project, to, input, from, output);
    }
    project
}

/// `count` nodes of real size in columns, each sampler linked to nodes left of it: two links a node.
pub fn large(count: usize) -> Project {
    let mut project = Project::default();
    let per_column = 25;
    for n in 0..count {
        let (column, row) = (n / per_column, n % per_column);
        let pos = [column as f32 * 340.0, row as f32 * 380.0];
        let class = ["KSampler", "CLIPTextEncode", "EmptyLatent", "ImageScale"][n % 4];
        project
            .nodes
            .insert(NodeId::new(n.to_string()), node(class, pos, &[]));
    }
    for n in (0..count).step_by(4) {
        let to = n.to_string();
        let texts = n.saturating_sub(per_column) / 4 * 4 + 1;
        if texts < count {
            link(&mut project, &to, "positive", &texts.to_string(), 0);
            link(&mut project, &to, "negative", &texts.to_string(), 0);
        }
        if n + 2 < count {
            link(&mut project, &to, "latent_image", &(n + 2).to_string(), 0);
        }
        if n + 7 < count && n >= 8 {
            link(
                &mut project,
                &(n + 3).to_string(),
                "image",
                &(n - 5).to_string(),
                0,
            );
        }
    }
    project
}
