//! A small catalogue of made-up nodes: loaders, a prompt encoder, a sampler, a decoder, film nodes.
//! For tests and benchmarks only; sizes are round so that goldens can be checked by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use longtake_graph::declare::{self, FileKind, int, output, socket, text};
use longtake_graph::{Catalog, Declaration, Kind, ModelFolder, say};
use serde_json::json;

use crate::{
    ClipInfo, Cost, CostCx, InferCx, InferError, Info, Keep, Lane, LatentInfo, NodeSpec, Role,
    Rung, Specs, WeightsInfo, Work,
};

pub use graphs::{chain, diamonds, fan_out};
pub use world::{World, cpu, gpu, project};

/// One mebibyte.
pub const MIB: u64 = 1 << 20;
/// One gibibyte.
pub const GIB: u64 = 1 << 30;

type Infer = fn(&InferCx<'_>) -> Result<Vec<Info>, InferError>;

macro_rules! decl {
    ($class:literal, [$($input:expr),* $(,)?], [$($output:expr),* $(,)?] $(, $field:ident: $value:expr)*) => {{
        static INPUTS: &[declare::InputDecl] = &[$($input),*];
        static OUTPUTS: &[declare::OutputDecl] = &[$($output),*];
        static DECL: Declaration = Declaration {
            class: $class, title: $class, title_ja: $class, inputs: INPUTS, outputs: OUTPUTS,
            $($field: $value,)* ..Declaration::EMPTY
        };
        &DECL
    }};
}

mod film;
mod graphs;
mod staged;
mod world;

fn spec(decl: &'static Declaration, work: Work, infer: Infer) -> NodeSpec {
    NodeSpec {
        decl,
        infer,
        work,
        role: Role::Plain,
        front: None,
    }
}

fn run(lane: Lane, keep: Keep, rungs: fn(&CostCx<'_>) -> Vec<Rung>) -> Work {
    Work::Run { lane, keep, rungs }
}

fn rung(name: &str, device_bytes: u64, host_bytes: u64, flops: f64, seconds: f64) -> Rung {
    let cost = Cost {
        flops,
        device_bytes,
        host_bytes,
        seconds,
    };
    Rung {
        name: name.to_owned(),
        settings: BTreeMap::new(),
        cost,
        streams: Vec::new(),
    }
}

/// The toy classes.
pub struct Toy {
    specs: BTreeMap<&'static str, NodeSpec>,
}

impl Default for Toy {
    fn default() -> Self {
        let all = loaders()
            .into_iter()
            .chain(models())
            .chain(frames())
            .chain(film::film())
            .chain(film::steps())
            .chain(staged::staged());
        Self {
            specs: all.map(|spec| (spec.decl.class, spec)).collect(),
        }
    }
}

impl Catalog for Toy {
    fn declaration(&self, class: &str) -> Option<&'static Declaration> {
        self.specs.get(class).map(|spec| spec.decl)
    }

    fn classes(&self) -> Vec<&'static str> {
        self.specs.keys().copied().collect()
    }
}

impl Specs for Toy {
    fn spec(&self, class: &str) -> Option<&NodeSpec> {
        self.specs.get(class)
    }
}

/// Loaders, and a node that puts a setting on a model.
fn loaders() -> Vec<NodeSpec> {
    vec![
        loader(decl!(
            "LoadModel",
            [declare::model_file("name", ModelFolder::DiffusionModels)],
            [output("MODEL", Kind::MODEL)]
        )),
        loader(decl!(
            "LoadClip",
            [declare::model_file("name", ModelFolder::TextEncoders)],
            [output("CLIP", Kind::CLIP)]
        )),
        loader(decl!(
            "LoadVae",
            [declare::model_file("name", ModelFolder::Vae)],
            [output("VAE", Kind::VAE)]
        )),
        spec(
            decl!(
                "Shift",
                [
                    socket("model", Kind::MODEL),
                    declare::float("shift", 8.0).within_f(0.0, 100.0)
                ],
                [output("MODEL", Kind::MODEL)]
            ),
            Work::Constant,
            |cx| {
                let mut info = cx.weights("model")?.clone();
                info.options
                    .insert("shift".to_owned(), json!(cx.float("shift")?));
                Ok(vec![Info::Weights(Arc::new(info))])
            },
        ),
    ]
}

/// An encoder of prompts, a sampler, a decoder and an encoder of frames.
fn models() -> Vec<NodeSpec> {
    let encode = decl!(
        "Encode",
        [socket("clip", Kind::CLIP), text("text", "")],
        [output("COND", Kind::CONDITIONING)]
    );
    let sample = decl!(
        "Sample",
        [
            socket("model", Kind::MODEL),
            socket("cond", Kind::CONDITIONING),
            declare::seed("seed"),
            int("width", 832).within(16, 8192),
            int("height", 480).within(16, 8192),
            int("length", 81).within(1, 1001),
            socket("start", Kind::LATENT).optional(),
        ],
        [output("LATENT", Kind::LATENT)]
    );
    let decode = decl!(
        "Decode",
        [socket("vae", Kind::VAE), socket("samples", Kind::LATENT)],
        [output("IMAGE", Kind::IMAGE)]
    );
    let vae_encode = decl!(
        "VaeEncode",
        [socket("vae", Kind::VAE), socket("pixels", Kind::IMAGE)],
        [output("LATENT", Kind::LATENT)]
    );
    let device_run = |rungs| run(Lane::Device, Keep::Store, rungs);
    vec![
        spec(
            encode,
            device_run(|_| vec![rung("whole", 100 * MIB, 0, 5e12, 0.0)]),
            |cx| {
                cx.weights("clip")?;
                Ok(vec![Info::text(512, 4096)])
            },
        ),
        spec(sample, device_run(sample_rungs), infer_sample),
        spec(decode, device_run(decode_rungs), |cx| {
            let latent = cx.latent("samples")?;
            let frames = u64::from(latent.frames - 1) * 4 + 1;
            let (width, height) = (latent.width * 8, latent.height * 8);
            Ok(vec![Info::Clip(ClipInfo {
                frames,
                width,
                height,
                channels: 3,
                fps: None,
            })])
        }),
        spec(
            vae_encode,
            device_run(|_| vec![rung("whole", GIB, 0, 1e12, 0.0)]),
            |cx| {
                let clip = cx.clip("pixels")?;
                let (height, width) = (clip.height / 8, clip.width / 8);
                Ok(vec![Info::Latent(LatentInfo {
                    batch: 1,
                    channels: 16,
                    frames: 1,
                    height,
                    width,
                })])
            },
        ),
    ]
}

fn infer_sample(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    cx.weights("model")?;
    let (width, height, length) = (cx.int("width")?, cx.int("height")?, cx.int("length")?);
    if width % 16 != 0 {
        let message = say!(
            "width must be a multiple of 16, got {width}",
            "幅は 16 の倍数にしてください(現在: {width})。"
        );
        return Err(InferError::at("size_not_multiple", "width", message));
    }
    let frames = (length as u32 - 1) / 4 + 1;
    let (height, width) = (height as u32 / 8, width as u32 / 8);
    Ok(vec![Info::Latent(LatentInfo {
        batch: 1,
        channels: 16,
        frames,
        height,
        width,
    })])
}

fn loader(decl: &'static Declaration) -> NodeSpec {
    spec(decl, Work::Constant, |cx| {
        let declare::InputType::Model { folder } = cx.decl.inputs[0].ty else {
            return Ok(Vec::new());
        };
        let name = cx.text("name")?;
        let facts = cx.facts.weights(folder, name);
        let facts = facts.map_err(|error| InferError::at(error.code, "name", error.message))?;
        Ok(vec![Info::Weights(Arc::new(WeightsInfo {
            folder,
            name: name.to_owned(),
            path: facts.path.clone(),
            fingerprint: facts.fingerprint.clone(),
            bytes: facts.elements * cx.machine.weight_bytes,
            family: facts.family.clone(),
            dims: facts.dims.clone(),
            options: BTreeMap::new(),
        }))])
    })
}

fn sample_rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    let Some(Info::Latent(latent)) = cx.outputs.first() else {
        return Vec::new();
    };
    let tokens = latent.elements() / 64;
    let work = tokens * 40 * 1024;
    let mut streamed = rung("streamed", work, 0, tokens as f64 * 3e9, 30.0);
    streamed.streams = vec!["model"];
    vec![rung("whole", work, 0, tokens as f64 * 3e9, 0.0), streamed]
}

fn decode_rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    let Some(Info::Clip(clip)) = cx.outputs.first() else {
        return Vec::new();
    };
    let whole = clip.frame_bytes() * 2048;
    let flops = clip.frame_bytes() as f64 * clip.frames as f64 * 1e5;
    vec![
        rung("whole", whole, 0, flops, 0.0),
        rung("tiled 256", whole / 8, 0, flops * 1.3, 0.0),
    ]
}

fn same_clip(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    Ok(vec![Info::Clip(cx.clip(cx.decl.inputs[0].name)?)])
}

const CHUNK: Cost = Cost {
    flops: 0.0,
    device_bytes: 0,
    host_bytes: 32 * MIB,
    seconds: 0.05,
};

/// Sources, filters and outputs of frames.
fn frames() -> Vec<NodeSpec> {
    let lazy = Work::Lazy { cost: |_| CHUNK };
    let mut tint = spec(
        decl!(
            "Tint",
            [socket("image", Kind::IMAGE), text("colour", "red")],
            [output("IMAGE", Kind::IMAGE)]
        ),
        lazy,
        same_clip,
    );
    tint.role = Role::FrameLocal { input: "image" };
    let save = decl!("Save", [socket("images", Kind::IMAGE), text("prefix", "out")], [], output_node: true);
    let load = decl!(
        "LoadImage",
        [declare::input_file("image", FileKind::Image)],
        [output("IMAGE", Kind::IMAGE)]
    );
    let card = decl!(
        "Card",
        [
            text("text", ""),
            int("frames", 48).within(1, 100_000),
            int("width", 64).within(1, 8192),
            int("height", 64).within(1, 8192)
        ],
        [output("IMAGE", Kind::IMAGE)]
    );
    let over = decl!(
        "Over",
        [socket("a", Kind::IMAGE), socket("b", Kind::IMAGE)],
        [output("IMAGE", Kind::IMAGE)]
    );
    let write = |_: &CostCx<'_>| vec![rung("whole", 0, 16 * MIB, 0.0, 0.1)];
    vec![
        tint,
        spec(
            decl!(
                "Wave",
                [socket("image", Kind::IMAGE)],
                [output("IMAGE", Kind::IMAGE)]
            ),
            lazy,
            same_clip,
        ),
        spec(over, lazy, same_clip),
        spec(save, run(Lane::Cpu, Keep::Output, write), |cx| {
            cx.clip("images").map(|_| Vec::new())
        }),
        spec(load, run(Lane::Cpu, Keep::Memory, write), |cx| {
            let media = cx.facts.media(FileKind::Image, cx.text("image")?);
            let media =
                media.map_err(|error| InferError::at(error.code, "image", error.message))?;
            Ok(vec![media.info.clone()])
        }),
        spec(card, lazy, |cx| {
            let (frames, width, height) = (
                cx.int("frames")? as u64,
                cx.int("width")? as u32,
                cx.int("height")? as u32,
            );
            Ok(vec![Info::Clip(ClipInfo {
                frames,
                width,
                height,
                channels: 3,
                fps: None,
            })])
        }),
        spec(
            decl!(
                "Number",
                [int("value", 1).within(-9999, 9999)],
                [output("INT", Kind::INT)]
            ),
            Work::Constant,
            |cx| Ok(vec![Info::Constant(json!(cx.int("value")?))]),
        ),
    ]
}
