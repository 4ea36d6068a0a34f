//! A small catalog for the tests, with one class of each sort.
#![allow(dead_code, reason = "each test file uses its part")]

use longtake_graph::declare::{
    boolean, choice, colour, float, int, model_file, output, seed, shots, socket, text,
};
use longtake_graph::{Catalog, Declaration, Input, Kind, Link, ModelFolder, Node, Project};

pub struct Shelf;

const DECLARATIONS: &[Declaration] = &[
    Declaration {
        class: "EmptyLatent",
        inputs: &[
            int("width", 832).within(16, 16384).step(16),
            int("height", 480).within(16, 16384).step(16),
        ],
        outputs: &[output("LATENT", Kind::LATENT)],
        ..Declaration::EMPTY
    },
    Declaration {
        class: "KSampler",
        inputs: &[
            socket("model", Kind::MODEL),
            seed("seed"),
            int("steps", 20).within(1, 10000),
            float("cfg", 8.0).within_f(0.0, 100.0),
            choice("sampler_name", "euler", &["euler", "heun", "uni_pc"]),
            socket("latent_image", Kind::LATENT),
        ],
        outputs: &[output("LATENT", Kind::LATENT)],
        ..Declaration::EMPTY
    },
    Declaration {
        class: "Loader",
        inputs: &[model_file("unet_name", ModelFolder::DiffusionModels)],
        outputs: &[output("MODEL", Kind::MODEL)],
        ..Declaration::EMPTY
    },
    // Two inputs of the type of its output, the other type first: for bypass.
    Declaration {
        class: "Mix",
        inputs: &[
            socket("model", Kind::MODEL).optional(),
            socket("a", Kind::LATENT).optional(),
            socket("b", Kind::LATENT).optional(),
            float("amount", 0.5),
            boolean("clamp", true),
            colour("tint", "#ffffff"),
        ],
        outputs: &[output("LATENT", Kind::LATENT)],
        ..Declaration::EMPTY
    },
    Declaration {
        class: "Number",
        inputs: &[int("value", 1)],
        outputs: &[output("INT", Kind::INT)],
        ..Declaration::EMPTY
    },
    Declaration {
        class: "Save",
        inputs: &[
            socket("samples", Kind::LATENT),
            text("filename_prefix", "out"),
            socket("anything", Kind::ANY).optional(),
        ],
        output_node: true,
        ..Declaration::EMPTY
    },
    Declaration {
        class: "Secret",
        internal: true,
        ..Declaration::EMPTY
    },
    // Two of the same type in and out: bypass keeps them apart by their place.
    Declaration {
        class: "Pair",
        inputs: &[socket("a", Kind::LATENT), socket("b", Kind::LATENT)],
        outputs: &[output("A", Kind::LATENT), output("B", Kind::LATENT)],
        ..Declaration::EMPTY
    },
    Declaration {
        class: "Storyboard",
        inputs: &[text("title", ""), shots("shots")],
        outputs: &[output("STORYBOARD", Kind::STORYBOARD)],
        ..Declaration::EMPTY
    },
];

impl Catalog for Shelf {
    fn declaration(&self, class: &str) -> Option<&'static Declaration> {
        DECLARATIONS.iter().find(|it| it.class == class)
    }

    fn classes(&self) -> Vec<&'static str> {
        DECLARATIONS.iter().map(|it| it.class).collect()
    }
}

/// A project from the text of a file.
pub fn project(text: &str) -> Project {
    longtake_graph::read_bytes("test", text.as_bytes())
        .unwrap_or_else(|error| panic!("{error}"))
        .0
}

/// A node with links at the given inputs.
pub fn node(class: &str, links: &[(&str, &str)]) -> Node {
    let link = |from: &str| {
        Input::Link(Link {
            node: from.into(),
            output: 0,
        })
    };
    Node {
        class: class.to_owned(),
        inputs: links
            .iter()
            .map(|(name, from)| ((*name).to_owned(), link(from)))
            .collect(),
        ..Node::default()
    }
}
