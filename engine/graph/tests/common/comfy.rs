//! The classes that the corpus uses, declared as ComfyUI declares them.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::{Path, PathBuf};

use longtake_graph::declare::{
    FileKind, boolean, choice, float, input_file, int, model_file, output, seed, socket, text,
    text_area,
};
use longtake_graph::{Catalog, Declaration, InputDecl, Kind, ModelFolder, OutputDecl};

pub struct Comfy;

const fn class(
    class: &'static str,
    inputs: &'static [InputDecl],
    outputs: &'static [OutputDecl],
) -> Declaration {
    Declaration {
        class,
        inputs,
        outputs,
        output_node: outputs.is_empty(),
        ..Declaration::EMPTY
    }
}

const MODEL: InputDecl = socket("model", Kind::MODEL);
const CLIP: InputDecl = socket("clip", Kind::CLIP);
const VAE: InputDecl = socket("vae", Kind::VAE);
const WIDTH: InputDecl = int("width", 512);
const HEIGHT: InputDecl = int("height", 512);
const IMAGE: &[OutputDecl] = &[output("IMAGE", Kind::IMAGE)];
const LATENT: &[OutputDecl] = &[output("LATENT", Kind::LATENT)];
const MODELS: &[OutputDecl] = &[output("MODEL", Kind::MODEL)];
const SCHEDULERS: &[&str] = &["simple", "beta"];
const DTYPES: &[&str] = &["default", "fp8_e4m3fn"];
const METHODS: &[&str] = &["nearest-exact", "bilinear", "bicubic"];

const CLASSES: &[Declaration] = &[
    class(
        "CLIPLoader",
        &[
            model_file("clip_name", ModelFolder::TextEncoders),
            choice("type", "wan", &["wan"]),
            choice("device", "default", &["default", "cpu"]).optional(),
        ],
        &[output("CLIP", Kind::CLIP)],
    ),
    class(
        "CLIPTextEncode",
        &[text_area("text", ""), CLIP],
        &[output("CONDITIONING", Kind::CONDITIONING)],
    ),
    class(
        "CreateVideo",
        &[
            socket("images", Kind::IMAGE),
            float("fps", 30.0).within_f(1.0, 120.0),
            socket("audio", Kind::AUDIO).optional(),
        ],
        &[output("VIDEO", Kind::VIDEO)],
    ),
    class(
        "EmptyImage",
        &[WIDTH, HEIGHT, int("batch_size", 1), int("color", 0)],
        IMAGE,
    ),
    class(
        "ImageScale",
        &[
            socket("image", Kind::IMAGE),
            choice("upscale_method", "bilinear", METHODS),
            WIDTH,
            HEIGHT,
            choice("crop", "disabled", &["disabled", "center"]),
        ],
        IMAGE,
    ),
    class(
        "KSampler",
        &[
            MODEL,
            seed("seed"),
            int("steps", 20),
            float("cfg", 8.0).within_f(0.0, 100.0),
            choice("sampler_name", "euler", &["euler", "uni_pc"]),
            choice("scheduler", "simple", SCHEDULERS),
            socket("positive", Kind::CONDITIONING),
            socket("negative", Kind::CONDITIONING),
            socket("latent_image", Kind::LATENT),
            float("denoise", 1.0),
        ],
        LATENT,
    ),
    class("LoadImage", &[input_file("image", FileKind::Image)], IMAGE),
    class(
        "LoraLoaderModelOnly",
        &[
            MODEL,
            model_file("lora_name", ModelFolder::Loras),
            float("strength_model", 1.0).within_f(-100.0, 100.0),
        ],
        MODELS,
    ),
    class(
        "ModelSamplingSD3",
        &[MODEL, float("shift", 3.0).within_f(0.0, 100.0)],
        MODELS,
    ),
    class(
        "PrimitiveBoolean",
        &[boolean("value", false)],
        &[output("BOOLEAN", Kind::BOOLEAN)],
    ),
    class(
        "PrimitiveFloat",
        &[float("value", 0.0)],
        &[output("FLOAT", Kind::FLOAT)],
    ),
    class(
        "PrimitiveInt",
        &[seed("value")],
        &[output("INT", Kind::INT)],
    ),
    class(
        "PrimitiveString",
        &[text("value", "")],
        &[output("STRING", Kind::STRING)],
    ),
    class(
        "SaveImage",
        &[
            socket("images", Kind::IMAGE),
            text("filename_prefix", "ComfyUI"),
        ],
        &[],
    ),
    class(
        "SaveVideo",
        &[
            socket("video", Kind::VIDEO),
            text("filename_prefix", "video/ComfyUI"),
            choice("format", "auto", &["auto", "mp4", "mkv"]),
            choice("codec", "auto", &["auto", "h264"]),
            int("crf", 18).optional(),
        ],
        &[],
    ),
    class(
        "UNETLoader",
        &[
            model_file("unet_name", ModelFolder::DiffusionModels),
            choice("weight_dtype", "default", DTYPES),
        ],
        MODELS,
    ),
    class("VAEDecode", &[socket("samples", Kind::LATENT), VAE], IMAGE),
    class(
        "VAELoader",
        &[model_file("vae_name", ModelFolder::Vae)],
        &[output("VAE", Kind::VAE)],
    ),
    class(
        "Wan22ImageToVideoLatent",
        &[
            VAE,
            WIDTH,
            HEIGHT,
            int("length", 49),
            int("batch_size", 1),
            socket("start_image", Kind::IMAGE).optional(),
        ],
        LATENT,
    ),
];

impl Catalog for Comfy {
    fn declaration(&self, class: &str) -> Option<&'static Declaration> {
        CLASSES.iter().find(|it| it.class == class)
    }

    fn classes(&self) -> Vec<&'static str> {
        CLASSES.iter().map(|it| it.class).collect()
    }
}

/// The files of the corpus under a folder, sorted.
pub fn corpus(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("LONGTAKE_CHECKOUT"))
        .join("tests/data/corpus")
        .join(kind);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|it| it.expect("an entry").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{}", folder.display());
    files
}
