//! The engine behind the window, run for real on the tiny Wan family.

use std::path::Path;

use longtake_editor::engine::Engine;
use longtake_editor::search::ALIASES;
use longtake_editor::{Action, Settings, Studio};
use longtake_graph::Catalog;
use longtake_nodes::Registry;
use longtake_plan::{Options, Plan, StepId};
use longtake_run::store::Limit;
use longtake_run::{Cancel, Event, Frame, Preview};

use super::Machinery;
use crate::args::{Place, Shelf};

fn machinery(folder: &Path, data: &Path, device: &str) -> Machinery {
    let place = Place {
        models: data.join("models"),
        input: data.join("family/input"),
        output: folder.join("output"),
        shelf: Shelf {
            store: Some(folder.join("store")),
            store_limit: Limit::Unlimited,
        },
        device: device.to_owned(),
        vram: None,
        ram: None,
    };
    Machinery::open(&place).unwrap()
}

fn is_flat(frame: &Frame) -> bool {
    let bytes = frame.to_u8();
    bytes.chunks_exact(3).all(|it| it == &bytes[..3])
}

/// A run of one of the tiny family's graphs, as far as one node of it tells.
struct Sampled {
    machinery: Machinery,
    plan: Plan,
    step: StepId,
    previews: Vec<Preview>,
    _folder: tempfile::TempDir,
}

fn sampled(file: &str, class: &str, device: &str) -> Sampled {
    let data = Path::new(env!("LONGTAKE_CHECKOUT")).join("tests/data/wan-tiny");
    let folder = tempfile::tempdir().unwrap();
    let machinery = machinery(folder.path(), &data, device);
    let (project, _) = machinery.read_graph(&data.join(file)).unwrap();
    let plan = machinery
        .compile(&project, &Options::default())
        .plan
        .unwrap();
    let (sender, events) = crossbeam::channel::unbounded();
    let report = machinery.run(&project, &plan, Cancel::default(), sender);
    assert!(report.unwrap().error.is_none(), "{file}");
    let step = plan.steps.iter().find(|it| it.class == class).unwrap().id;
    let previews = events.iter().filter_map(|it| match it {
        Event::Progress { step: of, progress } if of == step => progress.preview,
        _ => None,
    });
    Sampled {
        previews: previews.collect(),
        machinery,
        plan,
        step,
        _folder: folder,
    }
}

#[test]
fn samplers_show_what_they_make_and_their_latents_are_pictures() {
    for (file, class, size) in [
        ("prompt.json", "KSampler", [8, 6]),
        ("family/experts.json", "WanExpertSampler", [8, 6]),
        ("family/experts.json", "WanExpertHighNoise", [8, 6]),
        ("family/windows.json", "KSampler", [8, 6]),
    ] {
        let run = sampled(file, class, "cpu");
        let shown: Vec<Frame> = run
            .previews
            .into_iter()
            .map(|it| match it {
                Preview::Frame(frame) => frame,
                Preview::Device(_) => panic!("no window shares the device"),
            })
            .collect();
        assert!(shown.len() >= 2, "{class}: {} previews", shown.len());
        assert!(
            shown.windows(2).all(|it| it[0] != it[1]),
            "{class}: the same again"
        );
        assert!(!shown.iter().any(is_flat), "{class}: nothing to see");

        let latent = run.machinery.result(&run.plan, run.step).unwrap();
        assert_eq!([latent.info().width, latent.info().height], size, "{class}");
        let frames = latent.read(0..latent.info().frames).unwrap();
        assert!(!frames.iter().any(is_flat), "{class}: nothing to see");
        assert_eq!([shown[0].width, shown[0].height], size);
    }
}

#[test]
fn every_name_that_comfyui_users_type_leads_to_a_node() {
    let registry = Registry::new();
    for (name, class) in ALIASES {
        assert!(registry.declaration(class).is_some(), "{name}: {class}");
    }
}

#[test]
fn a_preset_brings_the_pictures_it_names() {
    let checkout = Path::new(env!("LONGTAKE_CHECKOUT"));
    let folder = tempfile::tempdir().unwrap();
    let mut machinery = machinery(folder.path(), &checkout.join("tests/data/wan-tiny"), "cpu");
    let input = folder.path().join("input");
    machinery.opened.roots.input.clone_from(&input);
    let wake = std::sync::Arc::new(|| {});
    let mut studio = Studio::new(super::engine::shared(machinery), Settings::default(), wake);
    let preset = checkout.join("presets/character-i2v.longtake");
    for _ in 0..2 {
        studio.act(Action::OpenPreset(preset.clone()));
        studio.finish_files();
        let mut names: Vec<_> = std::fs::read_dir(&input)
            .unwrap()
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "courtyard-depth.png",
                "courtyard.jpg",
                "reference-pose.json",
                "walk-and-wave.json"
            ]
        );
        assert!(studio.messages.list.is_empty());
    }
}

/// Previews where the window draws with Burn's device. Needs a Vulkan driver; Mesa's lavapipe will
/// do, in two minutes: `cargo test -p longtake --features vulkan --lib previews_stay`
#[cfg(feature = "vulkan")]
#[test]
fn previews_stay_on_the_windows_device() {
    super::screen::setup();
    let run = sampled("prompt.json", "KSampler", "vulkan");
    let shown: Vec<_> = run
        .previews
        .into_iter()
        .map(|it| match it {
            Preview::Device(picture) => picture,
            Preview::Frame(_) => panic!("it was made on the host"),
        })
        .collect();

    // What is predicted in the last step is the latent; pictures begin in the clip's middle.
    let clip = run.machinery.result(&run.plan, run.step).unwrap();
    let frames = clip.info().frames;
    let at = (frames / 2 + shown.len() as u64 - 1) % frames;
    let wanted = &clip.read(at..at + 1).unwrap()[0];
    let last = shown.last().unwrap();
    assert_eq!(last.size, [wanted.width, wanted.height]);
    let texture = last.handle.downcast_ref::<eframe::wgpu::Texture>().unwrap();
    let (pixels, wanted) = (super::screen::pixels(texture), wanted.to_u8());
    let pairs = pixels.chunks_exact(4).zip(wanted.chunks_exact(3));
    let off = pairs.flat_map(|(a, b)| (0..3).map(|at| a[at].abs_diff(b[at])));
    let most = off.max().unwrap();
    assert!(most <= 2, "{most} of 255");
}
