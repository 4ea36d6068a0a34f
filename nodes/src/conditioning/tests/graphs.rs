//! Graphs of these tests: pictures on disk, a compiler, and steps run one by one in the plan's order.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use longtake_graph::declare::socket;
use longtake_graph::{Catalog, Declaration, Kind, Sentence};
use longtake_models::Tensor;
use longtake_models::wan::vae::WanVae;
use longtake_plan::{
    Compiled, Cost, DeviceKind, ExtrasInfo, Info, Keep, Lane, Machine, NodeSpec, Options, Specs,
    StepInput, compile,
};
use longtake_run::cx::gather;
use longtake_run::{
    Array, Cancel, Conditioning, Env, Latent, Nodes, Resident, Roots, RunCx, Said, Store, Value,
};
use serde_json::{Value as Json, json};

use crate::model::device::{DeviceSpec, open};
use crate::node::one_way;
use crate::{DiskFacts, Node, Registry};

/// Folders with a few pictures and the tiny Wan family.
pub struct Place(tempfile::TempDir);

/// Size of the pictures `a.png` to `d.png`, wider than most of what is made of them.
pub const PICTURE: (u32, u32) = (70, 50);

/// Checkpoints below `tests/data`, and where they stand among the models.
const CHECKPOINTS: &[(&str, &str)] = &[
    (
        "wan-tiny/models/text_encoders/umt5_tiny_bf16.safetensors",
        "text_encoders/umt5.safetensors",
    ),
    (
        "wan-tiny/models/vae/wan_tiny_vae.safetensors",
        "vae/wan21.safetensors",
    ),
    ("vae22/original.safetensors", "vae/wan22.safetensors"),
    ("clip/tiny_wan.safetensors", "clip_vision/clip.safetensors"),
    (
        "uni3c/tiny_comfy.safetensors",
        "controlnet/uni3c.safetensors",
    ),
];

/// An end for any value, so that graphs need no sampler.
const END: Node = Node::work(
    &Declaration {
        class: "End",
        inputs: &[socket("it", Kind::ANY)],
        output_node: true,
        ..Declaration::EMPTY
    },
    |_| Ok(Vec::new()),
    Lane::Cpu,
    Keep::Output,
    |_| one_way(Cost::default()),
    |_| Ok(Vec::new()),
);

/// Every node, and that end.
#[derive(Default)]
struct WithEnd(Registry);

impl Catalog for WithEnd {
    fn declaration(&self, class: &str) -> Option<&'static Declaration> {
        self.spec(class).map(|it| it.decl)
    }

    fn classes(&self) -> Vec<&'static str> {
        self.0.classes()
    }
}

impl Specs for WithEnd {
    fn spec(&self, class: &str) -> Option<&NodeSpec> {
        if class == END.class() {
            return Some(const { &END.spec });
        }
        self.0.spec(class)
    }
}

impl Place {
    pub fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for name in ["input", "output", "store"] {
            fs::create_dir_all(place.0.path().join(name)).unwrap();
        }
        for (from, to) in CHECKPOINTS {
            let to = place.0.path().join("models").join(to);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(Self::data().join(from), to).unwrap();
        }
        for (seed, name) in (1..).zip(["a", "b", "c", "d"]) {
            let path = place.0.path().join(format!("input/{name}.png"));
            let bytes = |x: u32, y: u32| [x * 3 + seed * 40, y * 5, (x * y + seed * 17) % 256];
            image::RgbImage::from_fn(PICTURE.0, PICTURE.1, |x, y| {
                image::Rgb(bytes(x, y).map(|it| (it % 256) as u8))
            })
            .save(path)
            .unwrap();
        }
        place
    }

    fn data() -> PathBuf {
        Path::new(env!("LONGTAKE_CHECKOUT")).join("tests/data")
    }

    pub fn roots(&self) -> Roots {
        let at = |name| self.0.path().join(name);
        Roots {
            input: at("input"),
            models: at("models"),
            output: at("output"),
            store: at("store"),
        }
    }

    pub fn compiled(&self, graph: &Json) -> Compiled {
        self.compiled_within(graph, 8 << 30)
    }

    /// Compiles for a machine with that many bytes.
    pub fn compiled_within(&self, graph: &Json, host_budget: u64) -> Compiled {
        let text = graph.to_string();
        let read = longtake_graph::format::read_bytes("graph.json", text.as_bytes());
        let (project, ..) = read.unwrap();
        let store = Store::open(&self.roots().store).unwrap();
        let facts = DiskFacts::new(self.roots(), store, None);
        let machine = Machine {
            device: DeviceKind::Cpu,
            device_name: "cpu".to_owned(),
            device_budget: 0,
            host_budget,
            weight_bytes: 4,
            flops_per_second: 1e11,
            load_bytes_per_second: 1e9,
            base_host_bytes: 0,
        };
        compile(
            &project,
            &WithEnd::default(),
            &facts,
            &machine,
            &Options::default(),
        )
    }

    /// Code, blamed node and input, and text of the first finding.
    pub fn refused(&self, graph: &Json) -> (String, String, String) {
        let compiled = self.compiled(graph);
        assert!(compiled.plan.is_none(), "the graph compiles");
        let it = &compiled.diagnostics[0];
        assert_eq!(it.message.lacks(), None);
        let node = it.place.node.as_ref().map_or("", |it| it.as_str());
        let input = it.place.input.as_deref().unwrap_or("");
        (
            it.code.to_string(),
            format!("{node}.{input}"),
            it.message.en.clone(),
        )
    }

    /// Runs every step up to the node `it`.
    pub fn made(&self, graph: &Json) -> Made {
        self.made_with(graph, &[])
    }

    /// As [`Place::made`], with settings of a rung for the node `it`.
    pub fn made_with(&self, graph: &Json, settings: &[(&str, Json)]) -> Made {
        let compiled = self.compiled(graph);
        let plan = compiled
            .plan
            .unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
        let registry = Registry::new();
        let store = Store::open(&self.roots().store).unwrap();
        let env = Env {
            roots: self.roots(),
            scratch: store.scratch().unwrap(),
            store,
            device: open(&DeviceSpec::Cpu).unwrap(),
            cancel: Cancel::default(),
            output_file: None,
            prompt: None,
        };
        let mut values: BTreeMap<u32, Value> = BTreeMap::new();
        let mut loaded: BTreeMap<PathBuf, Resident> = BTreeMap::new();
        let mut notes = Vec::new();
        for step in &plan.steps {
            let mut step = step.clone();
            let wanted = step.path.to_string() == "it";
            if wanted {
                let settings = settings.iter().cloned();
                step.settings
                    .extend(settings.map(|(name, it)| (name.to_owned(), it)));
            }
            let step = &step;
            let inputs = gather(&plan, step, |id| values.get(&id.0).cloned()).unwrap();
            let mut cx = RunCx {
                step,
                plan: &plan,
                env: &env,
                inputs,
                models: <_>::default(),
                report: &mut |said| {
                    if let Said::Note(text) = said {
                        notes.push(text);
                    }
                },
            };
            load(&mut cx, &mut loaded);
            let run = registry.runner(&step.class).unwrap();
            let made = run(&mut cx).unwrap_or_else(|e| panic!("{}: {e}", step.class));
            if wanted {
                let known = step.writes.iter().map(|id| plan.value(*id).info.clone());
                return Made {
                    known: known.collect(),
                    values: made,
                    notes,
                    loaded,
                };
            }
            values.extend(step.writes.iter().map(|it| it.0).zip(made));
        }
        panic!("no node `it` in {}", plan.to_text());
    }
}

/// Has every checkpoint of a step in memory.
fn load(cx: &mut RunCx<'_>, loaded: &mut BTreeMap<PathBuf, Resident>) {
    for (name, input) in &cx.step.inputs {
        let StepInput::Value(id) = input else {
            continue;
        };
        let Info::Weights(weights) = &cx.plan.value(*id).info else {
            continue;
        };
        let model = loaded.entry(weights.path.clone()).or_insert_with(|| {
            let device = &cx.env.device;
            let load = Registry::new().load_weights(weights, device, false, &mut |_| {});
            load.unwrap()
        });
        cx.models.insert(name.clone(), Arc::clone(model));
    }
}

/// What the node `it` made, and what the plan said of it.
pub struct Made {
    pub known: Vec<Info>,
    pub values: Vec<Value>,
    pub notes: Vec<Sentence>,
    loaded: BTreeMap<PathBuf, Resident>,
}

impl Made {
    pub fn conditioning(&self, output: usize) -> &Conditioning {
        match &self.values[output] {
            Value::Conditioning(it) => it,
            other => panic!("output {output} is {}", other.kind()),
        }
    }

    pub fn extras(&self, output: usize) -> &ExtrasInfo {
        match &self.known[output] {
            Info::Conditioning { extras, .. } => extras,
            other => panic!("output {output} is {other:?}"),
        }
    }

    pub fn latent(&self, output: usize) -> &Latent {
        match &self.values[output] {
            Value::Latent(it) => it,
            other => panic!("output {output} is {}", other.kind()),
        }
    }

    pub fn array(&self, name: &str) -> &Array {
        &self.conditioning(0).arrays[name]
    }

    /// That the run gave what the plan said, in both conditionings, and that they share it.
    #[track_caller]
    pub fn keeps_its_word(&self) {
        for output in 0..2 {
            let arrays = &self.conditioning(output).arrays;
            let shapes: BTreeMap<String, Vec<u32>> = arrays
                .iter()
                .map(|(name, it)| (name.clone(), it.shape.clone()))
                .collect();
            assert_eq!(shapes, self.extras(output).arrays);
            for (name, it) in arrays.iter() {
                let sizes: usize = it.shape.iter().map(|&n| n as usize).product();
                assert_eq!(it.data.len(), sizes, "{name}");
                let other = &self.conditioning(0).arrays[name];
                assert!(Arc::ptr_eq(&it.data, &other.data), "{name} is there twice");
            }
        }
        for (known, value) in self.known.iter().zip(&self.values) {
            match (known, value) {
                (Info::Latent(info), Value::Latent(it)) => {
                    assert_eq!(*info, it.info);
                    assert_eq!(it.data.len() as u64, info.elements());
                    let one = info.frames * info.height * info.width;
                    assert!(it.mask.as_ref().is_none_or(|it| it.len() == one as usize));
                }
                (Info::Constant(a), Value::Json(b)) => assert_eq!(a, b),
                _ => {}
            }
        }
    }

    /// What the VAE makes of frames in floats, `[n, height, width, 3]`.
    pub fn encoded(&self, frames: &[Vec<f32>], size: (usize, usize)) -> Vec<f32> {
        self.encoded_in(frames, size, None)
    }

    /// As [`Made::encoded`], in tiles of that side and overlap.
    pub fn encoded_in(
        &self,
        frames: &[Vec<f32>],
        (width, height): (usize, usize),
        tiles: Option<(usize, usize)>,
    ) -> Vec<f32> {
        let vae = self.loaded.values();
        let mut vae = vae.filter_map(|it| Arc::clone(it).downcast::<WanVae>().ok());
        let vae = vae.next_back().expect("a VAE was loaded");
        let device = DeviceSpec::Cpu.open().unwrap();
        let tensor = Tensor::<1>::from_floats(frames.concat().as_slice(), &device);
        let mut encoder = match tiles {
            None => vae.encode().unwrap(),
            Some((side, overlap)) => vae.encode_tiled(side, overlap).unwrap(),
        };
        encoder
            .push_frames(tensor.reshape([frames.len(), height, width, 3]))
            .unwrap();
        let latent = encoder.finish().unwrap();
        latent.into_data().convert::<f32>().into_vec().unwrap()
    }
}

/// A graph around one node, called `it`, whose class takes conditionings: text, VAE, pictures `a` to
/// `d`, batches `ab` and `abcd`, and an end that reads its first output.
pub fn graph(class: &str, inputs: &Json) -> Json {
    let mut graph = json!({
        "clip": {"class_type": "CLIPLoader", "inputs": {"clip_name": "umt5.safetensors", "type": "wan"}},
        "vae": {"class_type": "VAELoader", "inputs": {"vae_name": "wan21.safetensors"}},
        "yes": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat", "clip": ["clip", 0]}},
        "no": {"class_type": "CLIPTextEncode", "inputs": {"text": "blur", "clip": ["clip", 0]}},
        "ab": {"class_type": "ImageBatch", "inputs": {"image1": ["a", 0], "image2": ["b", 0]}},
        "cd": {"class_type": "ImageBatch", "inputs": {"image1": ["c", 0], "image2": ["d", 0]}},
        "abcd": {"class_type": "ImageBatch", "inputs": {"image1": ["ab", 0], "image2": ["cd", 0]}},
        "net": {"class_type": "ControlNetLoader", "inputs": {"control_net_name": "uni3c.safetensors"}},
        "eyes": {"class_type": "CLIPVisionLoader", "inputs": {"clip_name": "clip.safetensors"}},
        "end": {"class_type": "End", "inputs": {"it": ["it", 0]}},
    });
    for name in ["a", "b", "c", "d"] {
        graph[name] =
            json!({"class_type": "LoadImage", "inputs": {"image": format!("{name}.png")}});
    }
    graph["it"] = json!({"class_type": class, "inputs": inputs});
    let all = graph["it"]["inputs"].as_object_mut().unwrap();
    for (name, from) in [("positive", "yes"), ("negative", "no"), ("vae", "vae")] {
        all.entry(name).or_insert_with(|| json!([from, 0]));
    }
    graph
}

/// A picture as floats, scaled to cover the size and cut around the centre, written anew: nothing of
/// the nodes' code is used. `bilinear` is torch's without antialiasing.
pub fn picture(place: &Place, name: &str, (width, height): (u32, u32)) -> Vec<f32> {
    let path = place.roots().input.join(format!("{name}.png"));
    let source = image::open(path).unwrap().to_rgb8();
    let (w, h) = (f64::from(source.width()), f64::from(source.height()));
    let (old, new) = (w / h, f64::from(width) / f64::from(height));
    let (mut x, mut y) = (0.0, 0.0);
    if old > new {
        x = ((w - w * new / old) / 2.0).round_ties_even();
    } else if old < new {
        y = ((h - h * old / new) / 2.0).round_ties_even();
    }
    let (w, h) = (w - 2.0 * x, h - 2.0 * y);
    let taps = |at: u32, from: f64, to: u32| {
        let place = ((f64::from(at) + 0.5) * from / f64::from(to) - 0.5).max(0.0);
        let low = place.floor();
        let high = (low + 1.0).min(from - 1.0);
        (low, high, place - low)
    };
    let mut out = Vec::new();
    for row in 0..height {
        let (y0, y1, v) = taps(row, h, height);
        for column in 0..width {
            let (x0, x1, u) = taps(column, w, width);
            for channel in 0..3 {
                let at = |px: f64, py: f64| {
                    f64::from(source.get_pixel((px + x) as u32, (py + y) as u32)[channel]) / 255.0
                };
                let top = at(x0, y0) * (1.0 - u) + at(x1, y0) * u;
                let bottom = at(x0, y1) * (1.0 - u) + at(x1, y1) * u;
                out.push((top * (1.0 - v) + bottom * v) as f32);
            }
        }
    }
    out
}

/// Mid-grey.
pub fn grey((width, height): (u32, u32)) -> Vec<f32> {
    vec![0.5; (width * height * 3) as usize]
}

/// The largest difference.
pub fn worst(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}
