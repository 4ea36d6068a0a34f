//! An engine without models: one step per node, clips of flat colours, made in milliseconds.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crossbeam::channel::{Receiver, Sender};
use indexmap::IndexMap;
use longtake_graph::declare::FileKind;
use longtake_graph::{
    Catalog, Declaration, Diagnostic, Input, Mode, ModelFolder, Project, Sentence, Severity, check,
    format, say,
};
use longtake_plan::{
    ClipInfo, Compiled, Cost, DeviceKind, Fps, Info, Keep, Lane, LatentInfo, Machine, NodePath,
    Options, Plan, Signature, Step, StepId, StepInput, Value, ValueId,
};
use longtake_run::{
    Cancel, Clip, Event, Failure, Frame, FrameSource, Pixels, Preview, Progress, Report, RunError,
};

use super::Classes;
use crate::engine::{Engine, Folders, ModelFile, Preset};
use crate::files::file_error;

/// What happens in the place of the compiler; `None` lets it compile as usual.
pub type OnCompile = Box<dyn Fn(&Project) -> Option<Compiled> + Send + Sync>;

/// The engine. Fields change what it does.
pub struct Fake {
    /// The classes it knows.
    pub catalog: &'static (dyn Catalog + Send + Sync),
    /// Pause per sampler step; four steps a node.
    pub pause: Duration,
    /// Ids of nodes that fail when they run.
    pub fails: Mutex<Vec<String>>,
    /// Folders it names; nothing is read from them.
    pub folder: PathBuf,
    /// Presets of the gallery.
    pub presets: Vec<Preset>,
    /// The models tree.
    pub models: Vec<ModelFile>,
    /// Called before each compilation.
    pub on_compile: Option<OnCompile>,
    /// Reading a graph waits for a word from here.
    pub gate: Option<Receiver<()>>,
    /// What was handed over to other programs; a path that says `gone` is refused.
    pub handed: Mutex<Vec<String>>,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            catalog: &Classes,
            pause: Duration::ZERO,
            fails: Mutex::default(),
            folder: PathBuf::from("/nowhere"),
            presets: Vec::new(),
            models: Vec::new(),
            on_compile: None,
            gate: None,
            handed: Mutex::default(),
        }
    }
}

/// A clip whose frame `n` is one flat colour: red `n % 256`, green `n / 256`, blue `tint`.
pub struct FlatColours {
    /// Frames.
    pub frames: u64,
    /// Pixels across and down.
    pub size: [u32; 2],
    /// Blue.
    pub tint: u8,
}

impl FrameSource for FlatColours {
    fn info(&self) -> ClipInfo {
        ClipInfo {
            frames: self.frames,
            width: self.size[0],
            height: self.size[1],
            channels: 3,
            fps: Fps::from_f64(16.0),
        }
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<Frame>, RunError> {
        let [width, height] = self.size;
        let frame = |n: u64| {
            let pixel = [(n % 256) as u8, (n / 256) as u8, self.tint];
            let pixels = pixel.repeat((width * height) as usize);
            Frame::new(width, height, 3, Pixels::U8(pixels))
        };
        Ok(range.map(frame).collect())
    }
}

fn machine() -> Machine {
    Machine {
        device: DeviceKind::Cuda,
        device_name: "a card of 24 GiB".into(),
        device_budget: 22 << 30,
        host_budget: 58 << 30,
        weight_bytes: 2,
        flops_per_second: 4e13,
        load_bytes_per_second: 1e9,
        base_host_bytes: 96 << 20,
    }
}

/// One step per active node with an output behind it, in the order of the document's links.
fn plan(project: &Project, options: &Options) -> Plan {
    let mut plan = Plan {
        machine: machine(),
        values: Vec::new(),
        steps: Vec::new(),
        weights: Vec::new(),
        outputs: Vec::new(),
        peak_device_bytes: 0,
        peak_host_bytes: 0,
        seconds: 0.0,
    };
    let order = longtake_graph::topological_order(project).unwrap_or_default();
    for node_id in order {
        let node = &project.nodes[&node_id];
        let Some(declaration) = Classes.declaration(&node.class) else {
            continue;
        };
        if node.mode != Mode::Active {
            continue;
        }
        let id = plan.steps.len() as u32;
        let wanted = options.outputs.as_ref();
        if declaration.output_node && wanted.is_none_or(|it| it.contains(&node_id)) {
            plan.outputs.push(StepId(id));
        }
        plan.values.push(Value {
            info: info_of(declaration),
            step: Some(StepId(id)),
            output: 0,
            host_bytes: 1 << 20,
        });
        let bytes = (u64::from(id % 5) + 1) << 31;
        plan.steps.push(step(id, &node_id, node, bytes));
        plan.peak_device_bytes = plan.peak_device_bytes.max(bytes);
        plan.peak_host_bytes = plan.peak_host_bytes.max(bytes / 2);
        plan.seconds += f64::from(id % 5 + 1);
    }
    plan
}

/// Frames and latents are told apart from the rest; sizes do not matter here.
fn info_of(declaration: &Declaration) -> Info {
    match declaration.outputs.first().map(|it| it.kind.as_str()) {
        Some("IMAGE") => Info::Clip(ClipInfo {
            frames: 81,
            width: 64,
            height: 36,
            channels: 3,
            fps: None,
        }),
        Some("LATENT") => Info::Latent(LatentInfo {
            batch: 1,
            channels: 16,
            frames: 21,
            height: 4,
            width: 8,
        }),
        _ => Info::Nothing,
    }
}

fn step(
    id: u32,
    node_id: &longtake_graph::NodeId,
    node: &longtake_graph::Node,
    bytes: u64,
) -> Step {
    let mut signature = [0; 32];
    let text = format!("{node_id}{}{:?}", node.class, node.inputs);
    signature.copy_from_slice(blake3::hash(text.as_bytes()).as_bytes());
    let literals = node.inputs.iter().filter_map(|(name, input)| match input {
        Input::Literal(value) => Some((name.clone(), StepInput::Literal(value.clone()))),
        Input::Link(_) => None,
    });
    let sampler = node.class == "KSampler";
    Step {
        id: StepId(id),
        path: NodePath {
            node: node_id.clone(),
            shot: None,
            part: None,
        },
        class: node.class.clone(),
        inputs: literals.collect::<IndexMap<_, _>>(),
        writes: vec![ValueId(id)],
        frees: Vec::new(),
        lane: if sampler { Lane::Device } else { Lane::Cpu },
        lazy: false,
        keep: Keep::Memory,
        signature: Signature(signature),
        weights: Vec::new(),
        streamed: Vec::new(),
        moves: Vec::new(),
        rung: "whole".into(),
        settings: BTreeMap::new(),
        why: None,
        fallbacks: Vec::new(),
        cost: Cost::default(),
        device_bytes: bytes,
        host_bytes: bytes / 2,
        seconds: f64::from(id % 5 + 1),
        cached: false,
    }
}

impl Fake {
    /// Four progress events with previews, then done or failed. `Err`: cancelled.
    fn run_step(
        &self,
        step: &Step,
        cancel: &Cancel,
        tell: &mut dyn FnMut(Event),
    ) -> Result<bool, RunError> {
        tell(Event::Started { step: step.id });
        for done in 1..=4 {
            cancel.check()?;
            std::thread::sleep(self.pause);
            let colour = [(done * 60) as u8, 90, step.id.0 as u8];
            let preview = Frame::new(32, 18, 3, Pixels::U8(colour.repeat(32 * 18)));
            let progress = Progress {
                done,
                total: 4,
                unit: "step",
                preview: (step.class == "KSampler").then_some(Preview::Frame(preview)),
            };
            tell(Event::Progress {
                step: step.id,
                progress,
            });
        }
        let fails = self
            .fails
            .lock()
            .is_ok_and(|it| it.iter().any(|id| id.as_str() == step.path.node.as_str()));
        tell(if fails {
            Event::Failed {
                step: step.id,
                failure: Failure::Failed,
                message: say!(
                    "node {} ({}): asked to fail",
                    "ノード {} ({}): 失敗させました",
                    step.path.node,
                    step.class
                ),
            }
        } else {
            Event::Done {
                step: step.id,
                seconds: self.pause.as_secs_f64() * 4.0,
            }
        });
        Ok(!fails)
    }
}

impl Fake {
    /// What was handed over to other programs so far: `open PATH`, `show PATH`.
    pub fn handed_over(&self) -> Vec<String> {
        self.handed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn hand_over(&self, how: &str, path: &Path) -> Result<(), Sentence> {
        let told = format!("{how} {}", path.display());
        if told.contains("gone") {
            return Err(say!(
                "{} is not there any more",
                "{} はもうありません",
                path.display()
            ));
        }
        let mut handed = self.handed.lock().unwrap_or_else(PoisonError::into_inner);
        handed.push(told);
        Ok(())
    }
}

impl Engine for Fake {
    fn catalog(&self) -> &(dyn Catalog + Send + Sync) {
        self.catalog
    }

    fn machine(&self) -> Machine {
        machine()
    }

    fn folders(&self) -> Folders {
        Folders {
            input: self.folder.join("input"),
            models: self.folder.join("models"),
            output: self.folder.join("output"),
            store: self.folder.join("store"),
            presets: Some(self.folder.join("presets")),
        }
    }

    fn compile(&self, project: &Project, options: &Options) -> Compiled {
        let compiled = self.on_compile.as_ref().and_then(|it| it(project));
        if let Some(compiled) = compiled {
            return compiled;
        }
        let diagnostics = check(project, self.catalog);
        let bad = diagnostics.iter().any(|it| it.severity == Severity::Error);
        Compiled {
            plan: (!bad).then(|| plan(project, options)),
            diagnostics,
        }
    }

    fn run(
        &self,
        _: &Project,
        plan: &Plan,
        cancel: Cancel,
        events: Sender<Event>,
    ) -> Result<Report, Sentence> {
        let mut report = Report::new(plan);
        let mut tell = |event: Event| {
            report.see(&event);
            let _ = events.send(event);
        };
        tell(Event::Begun {
            steps: plan.steps.len(),
            cached: 0,
        });
        for step in &plan.steps {
            match self.run_step(step, &cancel, &mut tell) {
                Ok(true) => {}
                Ok(false) | Err(_) => break,
            }
        }
        tell(Event::Finished {
            cancelled: cancel.is_cancelled(),
            failed: 0,
            seconds: 0.1,
        });
        Ok(report)
    }

    fn result(&self, plan: &Plan, step: StepId) -> Option<Clip> {
        let class = plan.step(step).class.as_str();
        let frames = match class {
            "LoadImage" | "ImageScale" => 1,
            "VAEDecode" | "SaveVideo" | "PreviewImage" | "KSampler" => 81,
            _ => return None,
        };
        Some(Clip::new(FlatColours {
            frames,
            size: [64, 36],
            tint: step.0 as u8 * 16,
        }))
    }

    fn open_media(&self, path: &Path) -> Result<Clip, Sentence> {
        let name = path.to_string_lossy();
        if name.contains("broken") {
            return Err(say!(
                "{name}: not a picture; choose another file",
                "{name}: 画像ではありません。別のファイルを選んでください。"
            ));
        }
        let video = name.ends_with(".mp4");
        Ok(Clip::new(FlatColours {
            frames: if video { 48 } else { 1 },
            size: [64, 36],
            tint: name.len() as u8,
        }))
    }

    fn save_frame(&self, frame: &Frame, path: &Path) -> Result<(), Sentence> {
        std::fs::write(path, frame.to_u8()).map_err(|error| file_error(path, &error))
    }

    fn open_outside(&self, path: &Path) -> Result<(), Sentence> {
        self.hand_over("open", path)
    }

    fn show_in_folder(&self, path: &Path) -> Result<(), Sentence> {
        self.hand_over("show", path)
    }

    fn read_graph(&self, path: &Path) -> Result<(Project, Vec<Diagnostic>), Sentence> {
        if let Some(gate) = &self.gate {
            let _ = gate.recv();
        }
        let (project, _, found) = format::read(path).map_err(|error| error.sentence())?;
        Ok((project, found))
    }

    fn input_files(&self, kind: FileKind) -> Vec<String> {
        let names: &[&str] = match kind {
            FileKind::Image => &["harbour.png", "heroine.jpg", "sets/street.webp"],
            FileKind::Video => &["walk.mp4"],
            FileKind::Latent => &["start.latent"],
            FileKind::Keypoints => &["walk.json"],
        };
        names.iter().map(|it| (*it).to_owned()).collect()
    }

    fn model_names(&self, folder: ModelFolder) -> Vec<String> {
        let names: &[&str] = match folder {
            ModelFolder::DiffusionModels => &["wan.safetensors", "wan-2.2-high.safetensors"],
            ModelFolder::TextEncoders => &["umt5.safetensors"],
            ModelFolder::Vae => &["wan-vae.safetensors"],
            ModelFolder::Loras
            | ModelFolder::ClipVision
            | ModelFolder::Controlnet
            | ModelFolder::UpscaleModels => &[],
        };
        names.iter().map(|it| (*it).to_owned()).collect()
    }

    fn models(&self) -> Vec<ModelFile> {
        self.models.clone()
    }

    fn presets(&self) -> Vec<Preset> {
        self.presets.clone()
    }
}
