//! The VAE nodes in plans and in a run, with the small Wan 2.2 VAE of `tests/data/vae22`.

#![allow(clippy::unwrap_used)] // a test

use std::path::Path;

use longtake_models::Tensor;
use longtake_models::wan::vae::{Parts, WanVae};
use longtake_models::weights::Checkpoint;
use longtake_nodes::latent::file;
use longtake_nodes::{DiskFacts, Registry, model};
use longtake_plan::{Compiled, DeviceKind, LatentInfo, Machine, Options, compile};
use longtake_run::{Cancel, Env, Latent, Roots, Store};
use serde_json::{Value as Json, json};

struct Place {
    folder: tempfile::TempDir,
    machine: Machine,
}

impl Place {
    /// Folders with both small VAEs and a raw latent of these sizes (channels, frames, rows, columns).
    fn new([channels, frames, height, width]: [u32; 4]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["input", "models/vae", "output", "store"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        let data = Path::new(env!("LONGTAKE_CHECKOUT")).join("tests/data");
        for (from, to) in [("vae", "wan21"), ("vae22", "wan22")] {
            let to = root.join(format!("models/vae/{to}.safetensors"));
            std::fs::copy(data.join(from).join("original.safetensors"), to).unwrap();
        }
        let info = LatentInfo {
            batch: 1,
            channels,
            frames,
            height,
            width,
        };
        let values = (0..info.elements()).map(|i| (i as f32 * 0.7).sin());
        let latent = Latent::new(info, values.collect());
        file::write(&root.join("input/l.latent"), &latent, None).unwrap();
        let machine = Machine {
            device: DeviceKind::Cpu,
            device_name: "cpu".to_owned(),
            device_budget: 0,
            host_budget: 8 << 30,
            weight_bytes: 4,
            flops_per_second: 1e11,
            load_bytes_per_second: 1e9,
            base_host_bytes: 0,
        };
        Self { folder, machine }
    }

    fn roots(&self) -> Roots {
        let at = |name| self.folder.path().join(name);
        Roots {
            input: at("input"),
            models: at("models"),
            output: at("output"),
            store: at("store"),
        }
    }

    fn compiled(&self, graph: &Json) -> Compiled {
        let text = graph.to_string();
        let (project, ..) =
            longtake_graph::format::read_bytes("graph.json", text.as_bytes()).unwrap();
        let facts = DiskFacts::new(self.roots(), self.store(), None);
        compile(
            &project,
            &Registry::new(),
            &facts,
            &self.machine,
            &Options::default(),
        )
    }

    fn store(&self) -> Store {
        Store::open(&self.roots().store).unwrap()
    }

    /// The first finding's text.
    fn refused(&self, graph: &Json) -> String {
        let compiled = self.compiled(graph);
        assert!(compiled.plan.is_none());
        let message = &compiled.diagnostics[0].message;
        assert_eq!(message.lacks(), None);
        message.en.clone()
    }
}

/// A latent from a file, decoded by `decode`, encoded again by `encode`, saved.
fn graph(vae: &str, decode: &Json, encode: &Json) -> Json {
    let mut graph = json!({
        "1": {"class_type": "LoadLatent", "inputs": {"latent": "l.latent"}},
        "2": {"class_type": "VAELoader", "inputs": {"vae_name": format!("{vae}.safetensors")}},
        "3": decode,
        "4": encode,
        "5": {"class_type": "SaveLatent", "inputs": {"samples": ["4", 0], "filename_prefix": "x"}},
    });
    for (node, input, from) in [("3", "samples", "1"), ("4", "pixels", "3")] {
        graph[node]["inputs"][input] = json!([from, 0]);
        graph[node]["inputs"]["vae"] = json!(["2", 0]);
    }
    graph
}

fn plain(class: &str) -> Json {
    json!({"class_type": class, "inputs": {}})
}

fn tiled(class: &str, tile: u32, overlap: u32) -> Json {
    json!({"class_type": class, "inputs": {
        "tile_size": tile, "overlap": overlap, "temporal_size": 64, "temporal_overlap": 8,
    }})
}

/// Runs the plan and reads the latent it saved.
fn ran(place: &Place, graph: &Json) -> Latent {
    let plan = place.compiled(graph).plan.unwrap();
    let store = place.store();
    let env = Env {
        roots: place.roots(),
        scratch: store.scratch().unwrap(),
        store,
        device: model::device::open(&model::device::DeviceSpec::Cpu).unwrap(),
        cancel: Cancel::default(),
        output_file: None,
        prompt: None,
    };
    let (events, seen) = crossbeam::channel::unbounded();
    let options = longtake_run::Options::default();
    let report = longtake_run::run(&plan, &Registry::new(), &env, &options, events);
    drop(seen);
    assert!(report.error.is_none(), "{:?}", report.error);
    file::read(&report.outputs[0].path).unwrap()
}

/// Both tiled nodes and both plain ones do what the models crate does.
#[test]
fn a_latent_goes_through_the_nodes_and_back() {
    let place = Place::new([4, 2, 6, 9]);
    let latent = file::read(&place.folder.path().join("input/l.latent")).unwrap();
    let cpu = model::device::DeviceSpec::Cpu.open().unwrap();
    let path = place.folder.path().join("models/vae/wan22.safetensors");
    let checkpoint = Checkpoint::open(&path).unwrap();
    let vae = WanVae::load(&checkpoint, Parts::Both, &cpu, |_, _| {}).unwrap();
    // 64 pixels are four latent positions, of which two overlap: the widest that there is room for.
    for tiles in [None, Some((64, 32))] {
        let given = Tensor::<1>::from_floats(latent.data.as_slice(), &cpu);
        let given = given.reshape([1, 4, 2, 6, 9]);
        let (decoder, encoder) = match tiles {
            None => (vae.decode(given), vae.encode()),
            Some((tile, overlap)) => (
                vae.decode_tiled(given, tile, overlap),
                vae.encode_tiled(tile, overlap),
            ),
        };
        let mut encoder = encoder.unwrap();
        for chunk in decoder.unwrap() {
            encoder.push(chunk.unwrap()).unwrap();
        }
        let expected: Vec<f32> = encoder.finish().unwrap().into_data().to_vec().unwrap();

        let graph = match tiles {
            None => graph("wan22", &plain("VAEDecode"), &plain("VAEEncode")),
            Some(_) => graph(
                "wan22",
                &tiled("VAEDecodeTiled", 64, 64),
                &tiled("VAEEncodeTiled", 64, 64),
            ),
        };
        let found = ran(&place, &graph);
        assert_eq!(found.info, latent.info);
        let worst = found.data.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        let worst = worst.fold(0.0_f32, f32::max);
        // Frames between the two nodes have 16 bits.
        assert!(worst < 2e-3, "{tiles:?}: {worst}");
    }
}

/// With less memory than whole frames need, the plan takes tiles and says why.
#[test]
fn a_plan_takes_tiles_when_the_budget_asks() {
    // The encode beside it needs more than the smallest tiles of 2.2's decode.
    for (vae, height, width, smallest) in [("wan21", 60, 104, "256"), ("wan22", 44, 80, "512")] {
        let mut place = Place::new([4, 21, height, width]);
        let graph = graph(vae, &plain("VAEDecode"), &plain("VAEEncode"));
        let way = |place: &Place| {
            let plan = place.compiled(&graph).plan?;
            let step = plan.steps.iter().find(|it| it.class == "VAEDecode")?;
            let text = plan.to_text();
            Some((step.rung.clone(), plan.peak_host_bytes, text))
        };
        let (whole, mut peak, _) = way(&place).unwrap();
        assert_eq!(whole, "whole");
        let mut ways = Vec::new();
        loop {
            place.machine.host_budget = peak - 1;
            let Some((rung, next, text)) = way(&place) else {
                break;
            };
            if rung != "whole" {
                assert!(text.contains(&format!("{rung}: whole needs")), "{text}");
            }
            ways.push(rung);
            peak = next;
        }
        ways.dedup();
        let last = format!("tiled {smallest}");
        assert_eq!(ways.last(), Some(&last), "{vae}: {ways:?}");
    }
}

#[test]
fn what_does_not_fit_is_told_before_the_run() {
    let place = Place::new([16, 2, 6, 7]);
    let both = |vae| graph(vae, &plain("VAEDecode"), &plain("VAEEncode"));
    let message = place.refused(&both("wan22"));
    assert!(
        message.contains("expected 4 latent channels") && message.contains("found 16"),
        "{message}"
    );
    let small = json!({
        "1": {"class_type": "EmptyImage", "inputs": {"width": 40, "height": 8, "batch_size": 1, "color": 0}},
        "2": {"class_type": "VAELoader", "inputs": {"vae_name": "wan22.safetensors"}},
        "3": {"class_type": "VAEEncode", "inputs": {"pixels": ["1", 0], "vae": ["2", 0]}},
        "5": {"class_type": "SaveLatent", "inputs": {"samples": ["3", 0], "filename_prefix": "x"}},
    });
    let message = place.refused(&small);
    assert!(
        message.contains("16×16") && message.contains("nearest size is 32×16"),
        "{message}"
    );
}
