//! What the gallery, the viewer and the models panel look like, rendered by the software rasteriser.
//! `LONGTAKE_LOOKS=FOLDER` writes the pictures there.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use longtake_editor::engine::{ModelFile, Preset};
use longtake_editor::settings::Theme;
use longtake_editor::testing::{Fake, small};
use longtake_editor::{Language, Session, Settings, Studio, ViewerAction};
use longtake_graph::{ModelFolder, NodeId};
use longtake_ui::gallery::Gallery;
use longtake_ui::models_panel::ModelsPanel;
use longtake_ui::viewer::Viewer;
use longtake_ui::{Cx, Pictures, theme};

struct Bench {
    studio: Studio,
    pictures: Pictures,
    gallery: Gallery,
    models: ModelsPanel,
    viewer: Viewer,
    drawn: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Which {
    Gallery,
    Models,
    Viewer,
}

fn preset(name: [&str; 2], about: [&str; 2], missing: usize, picture: bool) -> Preset {
    Preset {
        path: PathBuf::from(format!("/presets/{}.longtake", name[0])),
        title: name.map(str::to_owned),
        about: about.map(str::to_owned),
        picture: picture.then(|| PathBuf::from(format!("{}.png", name[0]))),
        missing,
    }
}

fn presets() -> Vec<Preset> {
    let about = [
        "Twelve shots with titles, camera moves and dissolves, drawn as moving cards. Needs no models: a film in about a minute.",
        "字幕・カメラの動き・ディゾルブのある12ショットを動くカードで描きます。モデル不要、1分ほどで映画に。",
    ];
    vec![
        preset(
            ["The Last Letter — animatic", "最後の手紙"],
            about,
            0,
            false,
        ),
        preset(
            ["A Year in the Valley — ten minutes", "谷の一年（10分）"],
            about,
            0,
            true,
        ),
        preset(
            ["Wan 2.1: text to video", "Wan 2.1：テキストから動画"],
            about,
            1,
            false,
        ),
        preset(
            ["Wan 2.1: a film from a storyboard", "ストーリーボードから"],
            about,
            3,
            false,
        ),
        preset(
            ["Wan 2.2: two experts", "Wan 2.2"],
            ["Short.", "短い。"],
            4,
            false,
        ),
    ]
}

fn model(folder: ModelFolder, name: &str, what: Result<&str, &str>) -> ModelFile {
    ModelFile {
        folder,
        name: name.to_owned(),
        path: PathBuf::from("/models").join(name),
        bytes: 2_838_000_000,
        what: what
            .map(str::to_owned)
            .map_err(longtake_graph::Sentence::same),
    }
}

fn bench(which: Which, dark: bool, language: Language, size: [f32; 2]) -> Harness<'static, Bench> {
    let engine = Arc::new(Fake {
        presets: presets(),
        models: vec![
            model(
                ModelFolder::DiffusionModels,
                "wan2.1_t2v_1.3B_bf16.safetensors",
                Ok("wan-dit"),
            ),
            model(
                ModelFolder::DiffusionModels,
                "wan2.safetensors",
                Ok("wan-dit"),
            ),
            model(ModelFolder::TextEncoders, "umt5.safetensors", Ok("umt5")),
            model(
                ModelFolder::Vae,
                "half.safetensors",
                Err("the header is cut short"),
            ),
        ],
        ..Fake::default()
    });
    let settings = Settings {
        language: Some(language),
        theme: if dark { Theme::Dark } else { Theme::Light },
        ..Settings::default()
    };
    let mut studio = Studio::new(engine, settings, Arc::new(|| {}));
    studio.session = Session::new(small(), None);
    let state = Bench {
        studio,
        pictures: Pictures::default(),
        gallery: Gallery::default(),
        models: ModelsPanel::default(),
        viewer: Viewer::default(),
        drawn: false,
    };
    Harness::builder()
        .with_size(size)
        .with_step_dt(0.05)
        .wgpu()
        .build_ui_state(
            move |ui, bench: &mut Bench| draw(ui, bench, which, dark),
            state,
        )
}

fn draw(ui: &mut egui::Ui, bench: &mut Bench, which: Which, dark: bool) {
    if !std::mem::replace(&mut bench.drawn, true) {
        theme::fonts(ui.ctx());
        let theme = if dark { Theme::Dark } else { Theme::Light };
        theme::apply(ui.ctx(), theme, 1.0);
        return;
    }
    bench.studio.tick();
    let mut actions = Vec::new();
    let mut cx = Cx {
        studio: &bench.studio,
        actions: &mut actions,
        pictures: &mut bench.pictures,
        lit: &mut HashSet::new(),
    };
    cx.pictures.begin(ui.ctx(), &bench.studio);
    let palette = theme::palette(dark);
    let fill = if which == Which::Gallery {
        palette.canvas
    } else {
        palette.node
    };
    let margin = if which == Which::Models { 8 } else { 0 };
    egui::Frame::NONE
        .fill(fill)
        .inner_margin(margin)
        .show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            match which {
                Which::Gallery => bench.gallery.ui(ui, &mut cx),
                Which::Models => bench.models.ui(ui, &mut cx),
                Which::Viewer => bench.viewer.ui(ui, &mut cx),
            }
        });
    for action in actions {
        bench.studio.act(action);
    }
}

fn until(harness: &mut Harness<'_, Bench>, done: impl Fn(&mut Harness<'_, Bench>) -> bool) {
    let start = Instant::now();
    while !done(harness) {
        assert!(start.elapsed() < Duration::from_secs(20), "never came");
        std::thread::sleep(Duration::from_millis(5));
        harness.step();
    }
    harness.run_steps(3);
}

/// The picture, written where the environment says.
fn look(harness: &mut Harness<'_, Bench>, name: &str) -> Look {
    let image = harness.render().expect("rendered");
    if let Ok(folder) = std::env::var("LONGTAKE_LOOKS") {
        image.save(format!("{folder}/{name}.png")).expect("written");
    }
    let size = [image.width(), image.height()];
    Look {
        size,
        bytes: image.into_raw(),
    }
}

struct Look {
    size: [u32; 2],
    bytes: Vec<u8>,
}

impl Look {
    fn at(&self, x: f32, y: f32) -> [u8; 3] {
        let at = (y as u32 * self.size[0] + x as u32) as usize * 4;
        [self.bytes[at], self.bytes[at + 1], self.bytes[at + 2]]
    }
}

#[test]
fn the_gallery_in_both_themes_and_languages() {
    for (name, dark, language, width) in [
        ("gallery-dark", true, Language::En, 1280.0),
        ("gallery-light-ja", false, Language::Ja, 820.0),
    ] {
        let mut harness = bench(Which::Gallery, dark, language, [width, 800.0]);
        until(&mut harness, |it| {
            it.query_by_label_contains("Wan 2.2").is_some()
        });
        until(&mut harness, |it| it.state().pictures.bytes() > 0);
        look(&mut harness, name);
    }
}

#[test]
fn the_models_panel() {
    let mut harness = bench(Which::Models, true, Language::En, [620.0, 520.0]);
    until(&mut harness, |it| {
        it.query_by_label_contains("Missing in").is_some()
    });
    look(&mut harness, "models-dark");
    let mut harness = bench(Which::Models, false, Language::Ja, [620.0, 520.0]);
    until(&mut harness, |it| {
        it.query_by_label_contains("足りない").is_some()
    });
    look(&mut harness, "models-light-ja");
}

#[test]
fn the_viewer_shows_a_left_and_b_right_of_the_divider() {
    for (name, dark) in [("viewer-dark", true), ("viewer-light", false)] {
        let mut harness = bench(Which::Viewer, dark, Language::En, [680.0, 460.0]);
        until(&mut harness, |it| it.state().studio.planned.plan.is_some());
        for (node, second) in [("7", false), ("6", true)] {
            let bench = harness.state_mut();
            let node = NodeId::new(node);
            bench
                .viewer
                .wish(&ViewerAction::Node { node, second }, &bench.studio);
        }
        until(&mut harness, |it| {
            it.query_by_label("Divider of A and B").is_some()
        });
        harness.get_by_label("Pixel values under the mouse").click();
        harness.run_steps(2);
        for _ in 0..30 {
            harness.get_by_label("One frame on").click();
            harness.run_steps(1);
        }
        // Frames are read on threads: on a busy machine they come later.
        for _ in 0..40 {
            std::thread::sleep(Duration::from_millis(25));
            harness.run_steps(1);
        }
        harness.hover_at(egui::pos2(200.0, 200.0));
        harness.run_steps(4);
        let picture = look(&mut harness, name);
        let (a, b) = (picture.at(150.0, 150.0), picture.at(530.0, 150.0));
        assert_eq!((a[0], b[0]), (30, 30), "frame 30 on both sides");
        assert_ne!(a[2], b[2], "each side has the tint of its node");
    }
}
