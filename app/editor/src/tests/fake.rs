//! The small machine of [`crate::testing`] with other classes: few, of few inputs, so that a document is
//! a few short lines.

use std::fmt::Write;
use std::sync::Arc;

use longtake_graph::declare::{self, output, socket};
use longtake_graph::{
    Catalog, Declaration, InputDecl, Kind, ModelFolder, Node, Project, read_bytes,
};

use crate::testing::Fake;
use crate::{Settings, Studio};

const LOADER: &[InputDecl] = &[declare::model_file(
    "unet_name",
    ModelFolder::DiffusionModels,
)];
const ENCODE: &[InputDecl] = &[declare::text_area("text", ""), socket("clip", Kind::CLIP)];
const SAMPLER: &[InputDecl] = &[
    socket("model", Kind::MODEL),
    declare::seed("seed"),
    declare::int("steps", 20).within(1, 100),
    declare::float("cfg", 6.0).within_f(0.0, 30.0),
    declare::choice("sampler_name", "euler", &["euler", "uni_pc"]),
    socket("positive", Kind::CONDITIONING),
    socket("negative", Kind::CONDITIONING),
    socket("latent_image", Kind::LATENT),
];
const DECODE: &[InputDecl] = &[socket("samples", Kind::LATENT), socket("vae", Kind::VAE)];
const SCALE: &[InputDecl] = &[
    socket("image", Kind::IMAGE),
    declare::int("width", 512),
    declare::int("height", 512),
];
const SAVE: &[InputDecl] = &[
    socket("images", Kind::IMAGE),
    declare::float("fps", 24.0).within_f(1.0, 120.0),
];
const LATENT: &[InputDecl] = &[declare::int("width", 832), declare::int("length", 81)];
const MODEL_IN: &[InputDecl] = &[
    socket("model", Kind::MODEL),
    declare::float("shift", 8.0).within_f(0.0, 100.0),
];

const fn class(
    class: &'static str,
    title: (&'static str, &'static str),
    category: &'static str,
    inputs: &'static [InputDecl],
    outputs: &'static [declare::OutputDecl],
) -> Declaration {
    Declaration {
        class,
        title: title.0,
        title_ja: title.1,
        category,
        inputs,
        outputs,
        ..Declaration::EMPTY
    }
}

const MODEL: &[declare::OutputDecl] = &[output("MODEL", Kind::MODEL)];
const IMAGE: &[declare::OutputDecl] = &[output("IMAGE", Kind::IMAGE)];

static CLASSES: [Declaration; 13] = [
    class(
        "CLIPLoader",
        ("Load text encoder", "テキストエンコーダーを読み込む"),
        "loaders",
        &[],
        &[output("CLIP", Kind::CLIP)],
    ),
    class(
        "CLIPTextEncode",
        ("Encode text", "テキストをエンコード"),
        "conditioning",
        ENCODE,
        &[output("CONDITIONING", Kind::CONDITIONING)],
    ),
    class(
        "CreateVideo",
        ("Create video", "動画を作る"),
        "video",
        SAVE,
        &[output("VIDEO", Kind::VIDEO)],
    ),
    class(
        "EmptyHunyuanLatentVideo",
        ("Empty latent video", "空の潜在動画"),
        "latent",
        LATENT,
        &[output("LATENT", Kind::LATENT)],
    ),
    class(
        "ImageScale",
        ("Scale frames", "フレームを拡大・縮小"),
        "image",
        SCALE,
        IMAGE,
    ),
    class(
        "KSampler",
        ("Sampler", "サンプラー"),
        "sampling",
        SAMPLER,
        &[output("LATENT", Kind::LATENT)],
    ),
    class(
        "KSamplerAdvanced",
        ("Sampler, in parts", "サンプラー（分割）"),
        "sampling",
        SAMPLER,
        &[output("LATENT", Kind::LATENT)],
    ),
    class(
        "ModelSamplingSD3",
        ("Shift", "シフト"),
        "model",
        MODEL_IN,
        MODEL,
    ),
    class(
        "Pair",
        ("Pair", "ペア"),
        "test",
        &[],
        &[output("INT", Kind::INT), output("IMAGE", Kind::IMAGE)],
    ),
    class(
        "SaveVideo",
        ("Save video", "動画を保存"),
        "video",
        SAVE,
        &[],
    ),
    class(
        "UNETLoader",
        ("Load diffusion model", "拡散モデルを読み込む"),
        "loaders",
        LOADER,
        MODEL,
    ),
    class(
        "VAEDecode",
        ("Decode latent", "潜在をデコード"),
        "latent",
        DECODE,
        IMAGE,
    ),
    class(
        "VAELoader",
        ("Load VAE", "VAEを読み込む"),
        "loaders",
        &[],
        &[output("VAE", Kind::VAE)],
    ),
];

/// The classes above.
pub struct Classes;

impl Catalog for Classes {
    fn declaration(&self, class: &str) -> Option<&'static Declaration> {
        CLASSES.iter().find(|it| it.class == class)
    }

    fn classes(&self) -> Vec<&'static str> {
        CLASSES.iter().map(|it| it.class).collect()
    }
}

/// A studio with that document, in English.
pub fn studio(project: Project) -> Studio {
    let settings = Settings {
        language: Some(crate::Language::En),
        ..Settings::default()
    };
    let engine = Fake {
        catalog: &Classes,
        ..Fake::default()
    };
    let mut studio = Studio::new(Arc::new(engine), settings, Arc::new(|| {}));
    studio.session = crate::Session::new(project, None);
    studio
}

/// A document from lines `id Class name=value name<-source.output`.
pub fn graph(text: &str) -> Project {
    let mut project = Project::default();
    for (row, line) in text.lines().map(str::trim).enumerate() {
        let mut words = line.split_whitespace();
        let (Some(id), Some(class)) = (words.next(), words.next()) else {
            continue;
        };
        let mut node = Node {
            class: class.to_owned(),
            pos: Some([row as f32 * 300.0, 0.0]),
            ..Node::default()
        };
        for word in words {
            let (name, input) = if let Some((name, link)) = word.split_once("<-") {
                let (from, output) = link.split_once('.').unwrap();
                let link = longtake_graph::Link {
                    node: from.into(),
                    output: output.parse().unwrap(),
                };
                (name, longtake_graph::Input::Link(link))
            } else {
                let (name, value) = word.split_once('=').unwrap();
                let value = serde_json::from_str(value).unwrap();
                (name, longtake_graph::Input::Literal(value))
            };
            node.inputs.insert(name.to_owned(), input);
        }
        project.nodes.insert(id.into(), node);
    }
    project
}

/// The lines of [`graph`] again, without positions, with `extra` behind.
pub fn lines(project: &Project) -> Vec<String> {
    let row = |(id, node): (&longtake_graph::NodeId, &Node)| {
        let mut line = format!("{id} {}", node.class);
        for (name, input) in &node.inputs {
            let written = match input {
                longtake_graph::Input::Link(link) => {
                    write!(line, " {name}<-{}.{}", link.node, link.output)
                }
                longtake_graph::Input::Literal(value) => write!(line, " {name}={value}"),
            };
            written.unwrap();
        }
        if !node.extra.is_empty() {
            write!(line, " {}", serde_json::Value::Object(node.extra.clone())).unwrap();
        }
        line
    };
    project.nodes.iter().map(row).collect()
}

/// What a file of the document reads back as.
pub fn reread(project: &Project) -> Project {
    read_bytes("test", project.to_json().as_bytes()).unwrap().0
}
