//! Quantised files and LoRAs in a graph: what the plan says of them, what is refused before the run,
//! and that they load.

#![allow(clippy::unwrap_used, reason = "test code, also in its helpers")]

use std::path::{Path, PathBuf};

use longtake_graph::{Severity, format};
use longtake_nodes::{DiskFacts, Registry};
use longtake_plan::{DeviceKind, Machine, Options, Plan, WeightsInfo, compile};
use longtake_run::{Nodes, Roots, Store};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value as Json, json};

struct Place {
    folder: tempfile::TempDir,
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("LONGTAKE_CHECKOUT"))
        .join("tests/data/wan-tiny")
        .join(name)
}

fn machine() -> Machine {
    Machine {
        device: DeviceKind::Cpu,
        device_name: "cpu".to_owned(),
        device_budget: 0,
        host_budget: 8 << 30,
        weight_bytes: 4,
        flops_per_second: 1e11,
        load_bytes_per_second: 1e9,
        base_host_bytes: 96 << 20,
    }
}

/// Names and shapes.
type Tensors<'a> = &'a [(&'a str, &'a [usize])];

impl Place {
    /// A models tree with the tiny family and these LoRAs: tensor names and shapes, all values 0.01.
    fn new(loras: &[(&str, Tensors<'_>)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for sub in ["input", "output", "store", "models/loras"] {
            std::fs::create_dir_all(folder.path().join(sub)).unwrap();
        }
        for sub in ["diffusion_models", "text_encoders", "vae"] {
            let to = folder.path().join("models").join(sub);
            std::fs::create_dir_all(&to).unwrap();
            for file in std::fs::read_dir(data("models").join(sub)).unwrap() {
                let file = file.unwrap();
                std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
            }
        }
        for (name, tensors) in loras {
            let bytes: Vec<Vec<u8>> = tensors
                .iter()
                .map(|(_, shape)| 0.01_f32.to_le_bytes().repeat(shape.iter().product()))
                .collect();
            let views = tensors.iter().zip(&bytes).map(|((name, shape), bytes)| {
                (
                    *name,
                    TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap(),
                )
            });
            let path = folder.path().join("models/loras").join(name);
            safetensors::serialize_to_file(views, None, &path).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The tiny prompt after `edit`: its plan, or what is wrong.
    fn plan(&self, edit: impl FnOnce(&mut Json)) -> Result<Plan, String> {
        let text = std::fs::read_to_string(data("prompt.json")).unwrap();
        let mut prompt: Json = serde_json::from_str(&text).unwrap();
        edit(&mut prompt);
        std::fs::write(self.path("prompt.json"), prompt.to_string()).unwrap();
        let (project, _, found) = format::read(&self.path("prompt.json")).unwrap();
        let roots = Roots {
            input: self.path("input"),
            models: self.path("models"),
            output: self.path("output"),
            store: self.path("store"),
        };
        let facts = DiskFacts::new(roots, Store::open(&self.path("store")).unwrap(), None);
        let compiled = compile(
            &project,
            &Registry::new(),
            &facts,
            &machine(),
            &Options::default(),
        );
        let errors: Vec<String> = found
            .iter()
            .chain(&compiled.diagnostics)
            .filter(|it| it.severity == Severity::Error)
            .map(ToString::to_string)
            .collect();
        compiled.plan.ok_or_else(|| errors.join("\n"))
    }
}

/// The only checkpoint of a family in a plan.
fn only<'a>(plan: &'a Plan, family: &str) -> &'a WeightsInfo {
    let mut found = plan.weights.iter().filter(|it| it.family == family);
    let one = found.next().unwrap();
    assert!(found.next().is_none(), "{family} stands twice");
    one
}

const ADAPTER: &[(&str, &[usize])] = &[
    (
        "diffusion_model.blocks.0.self_attn.q.lora_A.weight",
        &[4, 128],
    ),
    (
        "diffusion_model.blocks.0.self_attn.q.lora_B.weight",
        &[128, 4],
    ),
    ("diffusion_model.blocks.0.ffn.0.lora_A.weight", &[4, 128]),
    ("diffusion_model.blocks.0.ffn.0.lora_B.weight", &[256, 4]),
];
const LARGE: &[(&str, &[usize])] = &[
    ("transformer.blocks.0.attn1.to_q.lora_A.weight", &[4, 5120]),
    ("transformer.blocks.0.attn1.to_q.lora_B.weight", &[5120, 4]),
];
const FLUX: &[(&str, &[usize])] = &[
    (
        "lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight",
        &[4, 3072],
    ),
    (
        "lora_unet_double_blocks_0_img_attn_qkv.lora_up.weight",
        &[9216, 4],
    ),
];
const TEXT: &[(&str, &[usize])] = &[
    (
        "text_encoders.umt5xxl.transformer.encoder.block.0.layer.0.SelfAttention.q.lora_A.weight",
        &[2, 64],
    ),
    (
        "text_encoders.umt5xxl.transformer.encoder.block.0.layer.0.SelfAttention.q.lora_B.weight",
        &[64, 2],
    ),
];

/// Puts `LoraLoaderModelOnly` nodes between the loader and the shift.
fn with_loras(prompt: &mut Json, loras: &[(&str, f64)]) {
    let mut model = json!(["37", 0]);
    for (at, (name, strength)) in loras.iter().enumerate() {
        let id = format!("10{at}");
        prompt[&id] = json!({
            "class_type": "LoraLoaderModelOnly",
            "inputs": {"model": model, "lora_name": name, "strength_model": strength}
        });
        model = json!([id, 0]);
    }
    prompt["48"]["inputs"]["model"] = model;
}

#[test]
fn loras_are_counted_signed_and_loaded() {
    let place = Place::new(&[("a.safetensors", ADAPTER)]);
    let plain = place.plan(|_| {}).unwrap();
    let once = place
        .plan(|it| with_loras(it, &[("a.safetensors", 0.8)]))
        .unwrap();
    let twice = place
        .plan(|it| with_loras(it, &[("a.safetensors", 0.8), ("a.safetensors", -0.5)]))
        .unwrap();
    let adapter = 4 * (128 + 128 + 128 + 256) * 4;
    let bytes = |plan: &Plan| only(plan, "wan-dit").bytes;
    assert_eq!(bytes(&once) - bytes(&plain), adapter);
    assert_eq!(bytes(&twice) - bytes(&plain), 2 * adapter);
    let block = |plan: &Plan| only(plan, "wan-dit").dims["block_bytes"];
    assert_eq!(block(&once) - block(&plain), adapter);
    // Strength 0 is no LoRA at all, also to the signatures.
    let none = place
        .plan(|it| with_loras(it, &[("a.safetensors", 0.0)]))
        .unwrap();
    let signatures = |plan: &Plan| plan.steps.iter().map(|it| it.signature).collect::<Vec<_>>();
    assert_eq!(signatures(&none), signatures(&plain));
    assert_ne!(signatures(&once), signatures(&plain));
    assert_ne!(signatures(&once), signatures(&twice));

    let device = longtake_nodes::model::device::open(&"cpu".parse().unwrap()).unwrap();
    for streamed in [false, true] {
        let info = only(&twice, "wan-dit");
        Registry::new()
            .load_weights(info, &device, streamed, &mut |_| {})
            .unwrap();
    }
}

#[test]
fn a_cast_packs_the_blocks() {
    let place = Place::new(&[]);
    let plain = place.plan(|_| {}).unwrap();
    let cast = place
        .plan(|it| it["37"]["inputs"]["weight_dtype"] = json!("fp8_e4m3fn"))
        .unwrap();
    let (plain, cast) = (only(&plain, "wan-dit"), only(&cast, "wan-dit"));
    let layers = plain.dims["layers"];
    let linear = layers * (8 * 128 * 128 + 2 * 128 * 256);
    assert_eq!(plain.bytes - cast.bytes, linear * 3);
    assert_eq!(
        plain.dims["block_bytes"] - cast.dims["block_bytes"],
        linear / layers * 3
    );
    assert_eq!((plain.dims["packed"], cast.dims["packed"]), (0, 1));
}

#[test]
fn loras_of_other_models_are_refused_before_the_run() {
    let place = Place::new(&[
        ("large.safetensors", LARGE),
        ("flux.safetensors", FLUX),
        ("text.safetensors", TEXT),
    ]);
    let refused = |name: &str| place.plan(|it| with_loras(it, &[(name, 1.0)])).unwrap_err();
    for (name, wants) in [
        (
            "large.safetensors",
            ["5120 wide with 1 blocks or more", "this model is 128 wide"],
        ),
        (
            "flux.safetensors",
            ["does not fit wan_tiny_bf16.safetensors", "made for Flux"],
        ),
        (
            "text.safetensors",
            ["input `lora_name`", "made for the text encoder"],
        ),
        (
            "lrge.safetensors",
            ["lrge.safetensors", "large.safetensors"],
        ),
    ] {
        let said = refused(name);
        for want in wants {
            assert!(said.contains(want), "{want:?} is not in: {said}");
        }
    }
}

#[test]
fn the_text_encoder_takes_its_own_keys() {
    let place = Place::new(&[("text.safetensors", TEXT), ("a.safetensors", ADAPTER)]);
    let plan = |name: &str| {
        place
            .plan(|prompt| {
                prompt["100"] = json!({
                    "class_type": "LoraLoader",
                    "inputs": {
                        "model": ["37", 0], "clip": ["38", 0], "lora_name": name,
                        "strength_model": 1.0, "strength_clip": 0.5
                    }
                });
                prompt["48"]["inputs"]["model"] = json!(["100", 0]);
                prompt["6"]["inputs"]["clip"] = json!(["100", 1]);
                prompt["7"]["inputs"]["clip"] = json!(["100", 1]);
            })
            .unwrap()
    };
    let has = |plan: &Plan, family: &str| only(plan, family).options.contains_key("loras");
    let text = plan("text.safetensors");
    assert_eq!((has(&text, "wan-dit"), has(&text, "umt5")), (false, true));
    let model = plan("a.safetensors");
    assert_eq!((has(&model, "wan-dit"), has(&model, "umt5")), (true, false));
    let device = longtake_nodes::model::device::open(&"cpu".parse().unwrap()).unwrap();
    Registry::new()
        .load_weights(only(&text, "umt5"), &device, false, &mut |_| {})
        .unwrap();
}
