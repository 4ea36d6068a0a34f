//! What stands wrong on a model or beside the text is found before the run, at the input it came by.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use longtake_graph::declare::FileKind;
use longtake_graph::{ModelFolder, NodeId};
use longtake_plan::facts::{FactError, MediaFacts, Stored, WeightsFacts};
use longtake_plan::spec::Known;
use longtake_plan::{
    DeviceKind, ExtrasInfo, Facts, InferCx, InferError, Info, LatentInfo, Machine, NodePath,
    Signature, WeightsInfo,
};
use longtake_sampling::cache::EasyCacheSettings;
use longtake_sampling::windows::ContextWindows;
use serde_json::{Value as Json, json};

use super::ksampler::NODE;
use super::settings::{EASY_CACHE, WINDOWS, Windows, cache_to_json};

/// A world without files.
struct Nothing;

impl Facts for Nothing {
    fn weights(&self, _: ModelFolder, _: &str) -> Result<Arc<WeightsFacts>, FactError> {
        unreachable!("samplers ask for no file")
    }

    fn media(&self, _: FileKind, _: &str) -> Result<Arc<MediaFacts>, FactError> {
        unreachable!("samplers ask for no file")
    }

    fn stored(&self, _: &Signature) -> Option<Stored> {
        None
    }
}

fn weights(family: &str, dims: &[(&str, u64)]) -> WeightsInfo {
    WeightsInfo {
        folder: ModelFolder::DiffusionModels,
        name: "wan.safetensors".to_owned(),
        path: PathBuf::from("wan.safetensors"),
        fingerprint: String::new(),
        bytes: 1,
        family: family.to_owned(),
        dims: dims.iter().map(|(k, v)| ((*k).to_owned(), *v)).collect(),
        options: BTreeMap::new(),
    }
}

/// A sampler's model and conditioning, both sound.
fn sound() -> (WeightsInfo, ExtrasInfo) {
    let mut model = weights(
        "wan-dit",
        &[
            ("dim", 128),
            ("ffn_dim", 256),
            ("heads", 2),
            ("layers", 2),
            ("in_dim", 16),
            ("out_dim", 16),
            ("text_dim", 64),
            ("image_dim", 0),
            ("image_positions", 0),
            ("pose_dim", 0),
            ("mask_dim", 0),
        ],
    );
    let windows = Windows {
        context: ContextWindows::wan(9, 4),
        free_noise: true,
        retain_first: false,
    };
    let cache = cache_to_json(EasyCacheSettings::default());
    model.options = [
        ("shift", json!(5.0)),
        (WINDOWS, windows.to_json()),
        (EASY_CACHE, cache),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let settings = [
        ("scail_start", json!(0.0)),
        ("scail_end", json!(1.0)),
        ("scail_replacement", json!(false)),
        ("scail_midpoint_rope", json!(true)),
        ("control_strength", json!(1.0)),
        ("control_start", json!(0.0)),
        ("control_end", json!(0.5)),
        ("latent_size", json!([2, 4, 6])),
        ("steps", json!(["WanImageToVideo"])),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    let control = Some(Arc::new(weights(
        "uni3c",
        &[
            ("in_dim", 36),
            ("conv_dim", 8),
            ("dim", 64),
            ("ffn_dim", 128),
            ("heads", 2),
            ("layers", 1),
            ("time_dim", 64),
            ("out_dim", 128),
            ("add_dim", 4),
            ("mid_dim", 8),
        ],
    )));
    let extras = ExtrasInfo {
        settings: settings.into(),
        control,
        ..ExtrasInfo::default()
    };
    (model, extras)
}

fn inferred(model: WeightsInfo, extras: ExtrasInfo) -> Result<Vec<Info>, InferError> {
    let text = |extras: &ExtrasInfo| {
        Known::Info(Info::Conditioning {
            tokens: 512,
            dim: 64,
            extras: Arc::new(extras.clone()),
        })
    };
    let latent = LatentInfo {
        batch: 1,
        channels: 16,
        frames: 2,
        height: 4,
        width: 6,
    };
    let literal = |value: Json| Known::Literal(value);
    let inputs = [
        ("model", Known::Info(Info::Weights(Arc::new(model)))),
        ("seed", literal(json!(1))),
        ("steps", literal(json!(4))),
        ("cfg", literal(json!(5.0))),
        ("sampler_name", literal(json!("euler"))),
        ("scheduler", literal(json!("simple"))),
        ("positive", text(&extras)),
        ("negative", text(&ExtrasInfo::default())),
        ("latent_image", Known::Info(Info::Latent(latent))),
        ("denoise", literal(json!(1.0))),
    ]
    .map(|(name, known)| (name.to_owned(), known))
    .into_iter()
    .collect();
    (NODE.spec.infer)(&InferCx {
        path: &NodePath {
            node: NodeId::new("3"),
            shot: None,
            part: None,
        },
        decl: NODE.spec.decl,
        inputs: &inputs,
        facts: &Nothing,
        machine: &Machine {
            device: DeviceKind::Cpu,
            device_name: "cpu".to_owned(),
            device_budget: 0,
            host_budget: 8 << 30,
            weight_bytes: 4,
            flops_per_second: 1e11,
            load_bytes_per_second: 1e9,
            base_host_bytes: 0,
        },
    })
}

/// Asserts that there is a finding at that input which names `name`.
#[track_caller]
fn refused(result: Result<Vec<Info>, InferError>, input: &str, name: &str, what: &str) {
    let error = result.expect_err(what);
    assert_eq!(error.input.as_deref(), Some(input), "{what}: {error:?}");
    assert_eq!(error.message.lacks(), None);
    assert!(
        error.message.en.contains(name),
        "{what}: {}",
        error.message.en
    );
}

/// Values of another kind than `good`; each must be refused in its place.
fn malformed(good: &Json) -> Vec<Json> {
    let all = [
        json!(null),
        json!("x"),
        json!(true),
        json!(-1),
        json!([-1]),
        json!({"x": 1}),
    ];
    let kind = std::mem::discriminant::<Json>;
    let other = all.into_iter().filter(|it| kind(it) != kind(good));
    other.collect()
}

#[test]
fn every_malformed_option_of_a_model_is_a_finding() {
    let (model, extras) = sound();
    inferred(model.clone(), extras.clone()).unwrap();
    for (name, good) in &model.options {
        for bad in malformed(good) {
            let mut model = model.clone();
            let what = format!("{name} = {bad}");
            model.options.insert(name.clone(), bad);
            refused(inferred(model, extras.clone()), "model", name, &what);
        }
        // What stands together is whole, and each of it of its kind.
        for (part, good) in good.as_object().into_iter().flatten() {
            let named = format!("{name}.{part}");
            let mut cut = model.clone();
            let whole = cut.options.get_mut(name).unwrap();
            whole.as_object_mut().unwrap().shift_remove(part);
            refused(inferred(cut, extras.clone()), "model", &named, &named);
            for bad in malformed(good) {
                let mut model = model.clone();
                let what = format!("{named} = {bad}");
                model.options.get_mut(name).unwrap()[part] = bad;
                refused(inferred(model, extras.clone()), "model", &named, &what);
            }
        }
    }
    // Of the right kind, and still no windows.
    for (part, bad, says) in [
        ("overlap", json!(99), "overlap by 99"),
        ("stride", json!(0), "stride of 0"),
        ("schedule", json!("spiral"), "`spiral`"),
        ("fuse", json!("glue"), "`glue`"),
        ("length", json!(-1), "context_windows.length"),
    ] {
        let mut model = model.clone();
        model.options.get_mut(WINDOWS).unwrap()[part] = bad;
        refused(inferred(model, extras.clone()), "model", says, part);
    }
}

#[test]
fn every_malformed_setting_beside_the_text_is_a_finding() {
    let (model, extras) = sound();
    for (name, good) in &extras.settings {
        for bad in malformed(good) {
            let mut extras = extras.clone();
            let what = format!("{name} = {bad}");
            extras.settings.insert(name.clone(), bad);
            refused(inferred(model.clone(), extras), "positive", name, &what);
        }
    }
    for (name, bad) in [
        ("latent_size", json!([1, 2])),
        ("latent_size", json!([1, -2, 3])),
        ("latent_size", json!([1, 2, 3.5])),
        ("steps", json!(["KSampler", 5])),
    ] {
        let mut extras = extras.clone();
        let what = format!("{name} = {bad}");
        extras.settings.insert(name.to_owned(), bad);
        refused(inferred(model.clone(), extras), "positive", name, &what);
    }
}

#[test]
fn a_size_that_a_checkpoint_does_not_tell_is_a_finding() {
    let (model, extras) = sound();
    for name in model.dims.keys() {
        let mut model = model.clone();
        model.dims.remove(name);
        let named = format!("`{name}`");
        refused(inferred(model, extras.clone()), "model", &named, name);
    }
    let net = extras.control.clone().unwrap();
    for name in net.dims.keys() {
        let mut net = WeightsInfo::clone(&net);
        net.dims.remove(name);
        let mut extras = extras.clone();
        extras.control = Some(Arc::new(net));
        let named = format!("`{name}`");
        refused(inferred(model.clone(), extras), "positive", &named, name);
    }
}
