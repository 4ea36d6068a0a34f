//! What is missing is told, and one click mends it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use longtake_editor::testing::{Fake, small};
use longtake_editor::{Language, Session, Settings, Studio};
use longtake_graph::{Input, NodeId};

use super::*;
use crate::Pictures;

struct Bench {
    studio: Studio,
    panel: ModelsPanel,
    lit: HashSet<NodeId>,
    engine: Arc<Fake>,
}

fn file(folder: ModelFolder, name: &str) -> ModelFile {
    ModelFile {
        folder,
        name: name.to_owned(),
        path: PathBuf::from("/models").join(name),
        bytes: 3 << 30,
        what: Ok("wan-dit".to_owned()),
    }
}

fn bench(files: Vec<ModelFile>) -> Harness<'static, Bench> {
    let engine = Arc::new(Fake {
        models: files,
        ..Fake::default()
    });
    let settings = Settings {
        language: Some(Language::En),
        ..Settings::default()
    };
    let mut studio = Studio::new(engine.clone(), settings, Arc::new(|| {}));
    studio.session = Session::new(small(), None);
    let state = Bench {
        studio,
        panel: ModelsPanel::default(),
        lit: HashSet::new(),
        engine,
    };
    let ui = |ui: &mut Ui, bench: &mut Bench| {
        let mut actions = Vec::new();
        let mut cx = Cx {
            studio: &bench.studio,
            actions: &mut actions,
            pictures: &mut Pictures::default(),
            lit: &mut bench.lit,
        };
        bench.panel.ui(ui, &mut cx);
        for action in actions {
            bench.studio.act(action);
        }
    };
    let mut harness = Harness::builder()
        .with_size([560.0, 480.0])
        .build_ui_state(ui, state);
    let start = Instant::now();
    while harness.state().panel.files.is_none() {
        assert!(start.elapsed() < Duration::from_secs(10), "never read");
        std::thread::sleep(Duration::from_millis(2));
        harness.step();
    }
    harness.run_steps(2);
    harness
}

#[test]
fn one_click_uses_the_near_name_and_one_undo_takes_it_back() {
    let near = file(ModelFolder::DiffusionModels, "wan2.safetensors");
    let clip = file(ModelFolder::TextEncoders, "umt5.safetensors");
    let mut harness = bench(vec![near, clip]);
    harness.get_by_label("Missing in this graph · 1");
    // What is missing stands above the tree, which names the file too.
    let button = harness.get_all_by_label("wan2.safetensors").next().unwrap();
    button.click();
    harness.run_steps(3);
    harness.get_by_label("Everything this graph names is there.");
    let name = |harness: &Harness<'_, Bench>| {
        let project = harness.state().studio.session.project().clone();
        match &project.nodes["1"].inputs["unet_name"] {
            Input::Literal(value) => value.clone(),
            Input::Link(_) => panic!("a link"),
        }
    };
    assert_eq!(name(&harness), "wan2.safetensors");
    let session = &mut harness.state_mut().studio.session;
    assert_eq!(session.history().done().len(), 1);
    session.undo();
    assert_eq!(name(&harness), "wan.safetensors");
    harness.run_steps(2);
    harness.get_by_label("Missing in this graph · 1");
}

#[test]
fn an_empty_tree_says_where_to_put_things() {
    let mut harness = bench(Vec::new());
    harness.get_by_label("Missing in this graph · 2");
    harness.get_by_label_contains("/nowhere/models/diffusion_models/wan.safetensors");
    harness
        .get_all_by_label("Show folder")
        .next()
        .unwrap()
        .click();
    harness.run_steps(2);
    let bench = harness.state_mut();
    bench.studio.finish_files();
    // The nearest folder that is there.
    assert_eq!(bench.engine.handed_over(), ["open /"]);
}
