//! What every node declares, and how `/object_info` tells it.

use std::collections::{BTreeMap, BTreeSet};

use longtake_graph::declare::InputType;
use longtake_graph::{Declaration, Kind, Sentence};
use longtake_nodes::{Registry, all, object_info};
use longtake_plan::{Role, Work};
use serde_json::Value as Json;

/// ComfyUI's own nodes that issue 2 asks for, under their names.
const COMFY: &[&str] = &[
    "CLIPLoader",
    "CLIPTextEncode",
    "CLIPVisionEncode",
    "CLIPVisionLoader",
    "ControlNetLoader",
    "CreateVideo",
    "EmptyHunyuanLatentVideo",
    "EmptyImage",
    "GetVideoComponents",
    "ImageFromBatch",
    "ImageInvert",
    "ImageScale",
    "KSampler",
    "KSamplerAdvanced",
    "LoadImage",
    "LoadLatent",
    "LoadVideo",
    "LoraLoader",
    "LoraLoaderModelOnly",
    "ModelSamplingSD3",
    "PreviewImage",
    "SaveImage",
    "SaveLatent",
    "SaveVideo",
    "UNETLoader",
    "VAEDecode",
    "VAEDecodeTiled",
    "VAEEncode",
    "VAEEncodeTiled",
    "VAELoader",
];

/// Kinds that may travel over links; a kind that nobody explains is a slip of the pen.
const KINDS: &[Kind] = &[
    Kind::IMAGE,
    Kind::MASK,
    Kind::LATENT,
    Kind::MODEL,
    Kind::CLIP,
    Kind::CLIP_VISION,
    Kind::CLIP_VISION_OUTPUT,
    Kind::CONTROL_NET,
    Kind::VAE,
    Kind::CONDITIONING,
    Kind::VIDEO,
    Kind::AUDIO,
    Kind::INT,
    Kind::FLOAT,
    Kind::STRING,
    Kind::BOOLEAN,
    Kind::STORYBOARD,
    longtake_nodes::camera::CAMERA_PATH,
    Kind::POSE_KEYPOINT,
    longtake_nodes::sampling::custom::values::GUIDER,
    longtake_nodes::sampling::custom::values::NOISE,
    longtake_nodes::sampling::custom::values::SAMPLER,
    longtake_nodes::sampling::custom::values::SIGMAS,
];

fn declarations() -> Vec<&'static Declaration> {
    all().into_iter().map(|it| it.spec.decl).collect()
}

fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

fn japanese(text: &str) -> bool {
    text.chars()
        .any(|it| ('\u{3040}'..='\u{9fff}').contains(&it))
}

/// What the Japanese help lacks of the English one. A name alone (`Uni3C`) stays as it is.
fn lacks(en: &'static str, ja: &'static str) -> Option<String> {
    let said = Sentence {
        en: en.to_owned(),
        ja: ja.to_owned(),
    };
    let name = !ja.is_empty() && en.contains(ja);
    said.lacks().filter(|_| !name)
}

#[test]
fn a_category_has_one_name_in_japanese() {
    let mut names = BTreeMap::new();
    let mut bad = Vec::new();
    for it in declarations() {
        for (en, ja) in it.category.split('/').zip(it.category_ja.split('/')) {
            let known = *names.entry(en).or_insert(ja);
            if known != ja {
                bad.push(format!("{}: `{en}` is {known} and {ja}", it.class));
            }
        }
    }
    none(bad);
}

#[test]
fn every_node_says_what_it_is() {
    let mut bad = Vec::new();
    for it in declarations() {
        let texts = [
            ("title", it.title),
            ("title_ja", it.title_ja),
            ("category", it.category),
            ("category_ja", it.category_ja),
            ("help", it.help),
            ("help_ja", it.help_ja),
        ];
        bad.extend(
            texts
                .iter()
                .filter(|(_, text)| text.is_empty())
                .map(|(what, _)| format!("{}: no {what}", it.class)),
        );
        if !japanese(it.title_ja) && !it.internal {
            bad.push(format!("{}: title_ja is `{}`", it.class, it.title_ja));
        }
        bad.extend(lacks(it.help, it.help_ja).map(|why| format!("{}: help {why}", it.class)));
        if !it.help_ja.ends_with('。') {
            bad.push(format!("{}: help_ja is no sentence", it.class));
        }
        let depth = |path: &str| path.split('/').count();
        if !japanese(it.category_ja) || depth(it.category) != depth(it.category_ja) {
            bad.push(format!(
                "{}: category `{}` is `{}`",
                it.class, it.category, it.category_ja
            ));
        }
        if !it.help.ends_with(['.', '!', '?']) || it.help.contains("  ") {
            bad.push(format!("{}: help is no sentence: `{}`", it.class, it.help));
        }
        let plain = it.class.starts_with(|c: char| c.is_ascii_uppercase())
            && it.class.chars().all(|c| c.is_ascii_alphanumeric());
        if !plain {
            bad.push(format!("{}: class names are plain CamelCase", it.class));
        }
    }
    none(bad);
}

#[test]
fn every_input_has_help_and_a_default_in_range() {
    let mut bad = Vec::new();
    for it in declarations().iter().filter(|it| !it.internal) {
        let mut names = BTreeSet::new();
        for input in it.inputs {
            let at = format!("{}.{}", it.class, input.name);
            if input.help.is_empty() {
                bad.push(format!("{at}: no help"));
            }
            bad.extend(lacks(input.help, input.help_ja).map(|why| format!("{at}: help {why}")));
            if !names.insert(input.name) {
                bad.push(format!("{at}: named twice"));
            }
            let sound = match input.ty {
                InputType::Int {
                    default,
                    min,
                    max,
                    step,
                    ..
                } => (min..=max).contains(&default) && step > 0 && min < max,
                InputType::Float {
                    default,
                    min,
                    max,
                    step,
                } => (min..=max).contains(&default) && step > 0.0 && min < max,
                InputType::Choice { default, options } => {
                    options.contains(&default)
                        && options.iter().collect::<BTreeSet<_>>().len() == options.len()
                }
                InputType::Colour { default } => {
                    let digits = default.strip_prefix('#').unwrap_or_default();
                    [6, 8].contains(&digits.len())
                        && digits.chars().all(|it| it.is_ascii_hexdigit())
                }
                InputType::Curve { .. } => {
                    let default = input.default_value().unwrap_or_default();
                    longtake_graph::coerce(input, &default).is_ok()
                }
                _ => true,
            };
            if !sound {
                bad.push(format!("{at}: default outside its range: {:?}", input.ty));
            }
        }
        // ComfyUI shows required inputs first; widgets_values count on it.
        let order: Vec<bool> = it.inputs.iter().map(|it| it.required).collect();
        if !order.is_sorted_by(|a, b| a >= b) {
            bad.push(format!(
                "{}: optional inputs before required ones",
                it.class
            ));
        }
    }
    none(bad);
}

#[test]
fn outputs_are_known_kinds() {
    let mut bad = Vec::new();
    for it in declarations().iter().filter(|it| !it.internal) {
        if it.outputs.is_empty() && !it.output_node {
            bad.push(format!("{}: makes nothing and is no output node", it.class));
        }
        for output in it.outputs {
            let known = output
                .kind
                .as_str()
                .split(',')
                .all(|name| KINDS.iter().any(|it| it.as_str() == name.trim()));
            if !known || output.name.is_empty() {
                bad.push(format!(
                    "{}: output `{}` of kind {}",
                    it.class, output.name, output.kind
                ));
            }
        }
    }
    none(bad);
}

#[test]
fn lists_are_sorted_and_classes_are_unique() {
    use longtake_nodes::{
        camera, conditioning, film, image, latent, model, pose, primitive, sampling, video,
    };
    for list in [
        camera::NODES,
        conditioning::NODES,
        film::NODES,
        image::NODES,
        latent::NODES,
        model::NODES,
        pose::NODES,
        primitive::NODES,
        sampling::NODES,
        sampling::custom::NODES,
        video::NODES,
    ] {
        let classes: Vec<&str> = list.iter().map(longtake_nodes::Node::class).collect();
        let mut sorted = classes.clone();
        sorted.sort_unstable();
        assert_eq!(classes, sorted, "lists are sorted by class");
    }
    let classes: Vec<&str> = all().iter().map(longtake_nodes::Node::class).collect();
    let unique: BTreeSet<&str> = classes.iter().copied().collect();
    assert_eq!(
        unique.len(),
        classes.len(),
        "a class is there twice: {classes:?}"
    );
    let absent: Vec<_> = COMFY.iter().filter(|it| !unique.contains(**it)).collect();
    assert!(absent.is_empty(), "missing: {absent:?}");
}

#[test]
fn what_becomes_a_step_has_code_and_what_does_not_has_none() {
    let registry = Registry::new();
    for node in registry.nodes() {
        let steps = !matches!(node.spec.work, Work::Constant);
        assert_eq!(node.run.is_some(), steps, "{}", node.class());
        if let Role::Assemble {
            encode,
            input,
            list,
            ..
        } = node.spec.role
        {
            let pieces = registry.nodes().find(|it| it.class() == encode);
            assert!(pieces.is_some(), "{}: no {encode}", node.class());
            assert!(
                node.spec.decl.input(input).is_some() && !list.is_empty(),
                "{}",
                node.class()
            );
        }
        if let Role::FrameLocal { input } = node.spec.role {
            assert!(
                node.spec.decl.input(input).is_some(),
                "{}: no input {input}",
                node.class()
            );
        }
    }
}

#[test]
fn object_info_has_the_shape_of_comfyui() {
    let info = object_info::object_info(declarations(), &|_| vec!["a.safetensors".to_owned()]);
    let entries = info.as_object().unwrap();
    assert!(entries.len() >= COMFY.len());
    for (class, entry) in entries {
        let keys = [
            "input",
            "input_order",
            "output",
            "output_is_list",
            "output_name",
            "name",
            "display_name",
            "description",
            "category",
            "output_node",
            "python_module",
        ];
        for key in keys {
            assert!(!entry[key].is_null(), "{class}: no {key}");
        }
        for part in ["required", "optional"] {
            let inputs = entry["input"][part].as_object().unwrap();
            let order: Vec<&str> = entry["input_order"][part]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Json::as_str)
                .collect();
            assert_eq!(
                inputs.keys().map(String::as_str).collect::<Vec<_>>(),
                order,
                "{class}"
            );
            for (name, input) in inputs {
                let [kind, extra] = input.as_array().unwrap().as_slice() else {
                    panic!("{class}.{name}: {input}")
                };
                assert!(
                    (kind.is_string() || kind.is_array()) && extra.is_object(),
                    "{class}.{name}: {input}"
                );
            }
        }
        let outputs = entry["output"].as_array().unwrap().len();
        assert_eq!(entry["output_is_list"].as_array().unwrap().len(), outputs);
        assert_eq!(entry["output_name"].as_array().unwrap().len(), outputs);
    }
    // Spot checks against ComfyUI's own answer.
    let sampler = &info["KSampler"]["input"]["required"];
    assert_eq!(sampler["seed"][1]["max"], u64::MAX);
    assert_eq!(sampler["seed"][1]["control_after_generate"], true);
    assert_eq!(sampler["steps"][1]["default"], 20);
    assert_eq!(sampler["cfg"][0], "FLOAT");
    assert!(
        sampler["sampler_name"][0]
            .as_array()
            .unwrap()
            .contains(&"uni_pc".into())
    );
    assert_eq!(
        info["UNETLoader"]["input"]["required"]["unet_name"][0][0],
        "a.safetensors"
    );
    assert_eq!(info["SaveVideo"]["output_node"], true);
}
