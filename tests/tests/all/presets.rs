//! Every preset compiles, and its plan is the golden beside it (`UPDATE_EXPECT=1` writes them).

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use longtake_graph::declare::FileKind;
use longtake_graph::{Format, ModelFolder, Severity, format};
use longtake_nodes::Registry;
use longtake_plan::{
    ClipInfo, DeviceKind, FactError, Facts, Info, Machine, MediaFacts, Options, Plan, Signature,
    Stored, WeightsFacts, compile,
};
use longtake_tests::published::published;
use longtake_tests::{data, root};

/// Files as they would be where somebody has put every model: sizes of the published checkpoints,
/// nothing stored, every picture 1024×1024.
struct Published;

impl Facts for Published {
    fn weights(&self, folder: ModelFolder, name: &str) -> Result<Arc<WeightsFacts>, FactError> {
        let missing = || FactError {
            code: "checkpoint_missing",
            message: longtake_graph::Sentence::same(format_args!(
                "{name} is not among the published files"
            )),
        };
        published(folder, name).map(Arc::new).ok_or_else(missing)
    }

    fn media(&self, what: FileKind, name: &str) -> Result<Arc<MediaFacts>, FactError> {
        let frames = match what {
            FileKind::Video => 240,
            FileKind::Keypoints => 97,
            _ => 1,
        };
        let info = Info::Clip(ClipInfo {
            frames,
            width: 1024,
            height: 1024,
            channels: 3,
            fps: None,
        });
        Ok(Arc::new(MediaFacts {
            path: PathBuf::from("input").join(name),
            hash: format!("{name:?}"),
            info,
        }))
    }

    fn stored(&self, _: &Signature) -> Option<Stored> {
        None
    }
}

/// A card with 24 GiB in a machine with 64.
fn gpu() -> Machine {
    Machine {
        device: DeviceKind::Cuda,
        device_name: "cuda:0".to_owned(),
        device_budget: 22 << 30,
        host_budget: 58 << 30,
        weight_bytes: 2,
        flops_per_second: 4e13,
        load_bytes_per_second: 1e9,
        base_host_bytes: 96 << 20,
    }
}

/// A machine with 32 GiB and no card.
fn cpu() -> Machine {
    Machine {
        device: DeviceKind::Cpu,
        device_name: "cpu".to_owned(),
        device_budget: 0,
        host_budget: 29 << 30,
        weight_bytes: 4,
        flops_per_second: 1.6e11,
        ..gpu()
    }
}

fn presets() -> Vec<PathBuf> {
    let graph = |it: &PathBuf| {
        it.extension()
            .is_some_and(|it| it == "json" || it == "longtake")
    };
    let files = fs::read_dir(root().join("presets"))
        .unwrap()
        .map(|it| it.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(graph).collect();
    files.sort();
    files
}

fn plan(preset: &std::path::Path, machine: &Machine) -> Plan {
    let (project, _, found) = format::read(preset).unwrap();
    let compiled = compile(
        &project,
        &Registry::new(),
        &Published,
        machine,
        &Options::default(),
    );
    let errors: Vec<String> = found
        .iter()
        .chain(&compiled.diagnostics)
        .filter(|it| it.severity == Severity::Error)
        .map(ToString::to_string)
        .collect();
    assert!(errors.is_empty(), "{}: {errors:#?}", preset.display());
    compiled.plan.unwrap()
}

#[test]
fn plans_are_the_goldens() {
    let mut names = Vec::new();
    for preset in presets() {
        let name = preset.file_name().unwrap().to_string_lossy().into_owned();
        for (machine, on) in [(gpu(), "gpu"), (cpu(), "cpu")] {
            let plan = plan(&preset, &machine);
            assert!(
                plan.peak_device_bytes <= machine.device_budget,
                "{name} on {on}"
            );
            assert!(
                plan.peak_host_bytes <= machine.host_budget,
                "{name} on {on}"
            );
            let golden = data(&format!("plans/{name}.{on}.txt"));
            expect_test::expect_file![golden].assert_eq(&plan.to_text());
        }
        names.push(name);
    }
    let wanted = [
        "animatic-10min.longtake",
        "animatic.longtake",
        "character-i2v.longtake",
        "phase-a.longtake",
        "phase-b.longtake",
        "phase-c.longtake",
        "wan21-film.longtake",
        "wan21-t2v.json",
        "wan22-i2v-experts.json",
        "wan22-ti2v-5b.json",
    ];
    assert_eq!(names, wanted);
}

#[test]
fn presets_are_written_as_longtake_writes_them() {
    let registry = Registry::new();
    for preset in presets() {
        let (project, form, _) = format::read(&preset).unwrap();
        if form == Format::Project {
            let (text, _) = format::to_text(&project, form, &registry);
            assert_eq!(
                fs::read_to_string(&preset).unwrap(),
                text,
                "{}",
                preset.display()
            );
        }
    }
}

#[test]
fn a_preset_is_the_same_work_as_project_and_as_prompt() {
    let registry = Registry::new();
    for preset in presets() {
        let signatures = |plan: &Plan| plan.steps.iter().map(|it| it.signature).collect::<Vec<_>>();
        let (project, _, _) = format::read(&preset).unwrap();
        let first = signatures(&plan(&preset, &gpu()));
        for form in [Format::Project, Format::Prompt] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(if form == Format::Project {
                "a.longtake"
            } else {
                "a.json"
            });
            format::write(&path, &project, form, &registry).unwrap();
            assert_eq!(
                signatures(&plan(&path, &gpu())),
                first,
                "{} as {form:?}",
                preset.display()
            );
        }
    }
}

#[test]
fn a_film_reads_each_checkpoint_once() {
    let plan = plan(&root().join("presets/wan21-film.longtake"), &gpu());
    assert_eq!(plan.loads(), vec![1; plan.weights.len()]);
    assert_eq!(plan.weights.len(), 3);
}

/// The plan of a prompt preset after a change.
fn changed(preset: &str, machine: &Machine, change: impl FnOnce(&mut serde_json::Value)) -> Plan {
    let text = fs::read(root().join("presets").join(preset)).unwrap();
    let mut graph = serde_json::from_slice(&text).unwrap();
    change(&mut graph);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("changed.json");
    fs::write(&path, graph.to_string()).unwrap();
    plan(&path, machine)
}

/// Bytes on the device and the way of the step that samples.
fn sampling(plan: &Plan, class: &str) -> (u64, String) {
    let step = plan.steps.iter().find(|it| it.class == class).unwrap();
    (step.device_bytes, step.rung.clone())
}

#[test]
fn a_shot_of_twenty_seconds_in_windows_takes_the_memory_of_one_window() {
    let of = |frames: u32, windows: bool| {
        let plan = changed("wan21-t2v.json", &gpu(), |graph| {
            graph["40"]["inputs"]["length"] = frames.into();
            if windows {
                graph["50w"] = serde_json::json!({
                    "class_type": "WanContextWindowsManual",
                    "inputs": {"model": ["48", 0], "context_length": 81, "context_overlap": 16},
                });
                graph["3"]["inputs"]["model"] = serde_json::json!(["50w", 0]);
            }
        });
        sampling(&plan, "KSampler").0
    };
    let one = of(81, true);
    assert_eq!(one, of(81, false), "a clip of one window needs no windows");
    // The latent itself grows, a hundredth of what a pass takes.
    let twenty_seconds = of(321, true);
    assert!(twenty_seconds < one + one / 50, "{one} → {twenty_seconds}");
    let whole = of(321, false);
    assert!(
        whole > one + one / 2,
        "without windows the pass grows: {whole}"
    );
}

#[test]
fn fourteen_billion_parameters_go_through_a_card_of_twelve_gigabytes() {
    let machine = Machine {
        device_budget: 11 << 30,
        ..gpu()
    };
    let plan = changed("wan22-i2v-experts.json", &machine, |_| {});
    for class in ["WanExpertHighNoise", "WanExpertSampler"] {
        let (bytes, rung) = sampling(&plan, class);
        assert_eq!(rung, "streamed", "{class}");
        assert!(bytes <= machine.device_budget, "{class}: {bytes}");
    }
    assert!(plan.peak_device_bytes <= machine.device_budget);
}
