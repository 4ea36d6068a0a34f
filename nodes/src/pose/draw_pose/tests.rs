//! Whole frames from keypoint files: any stretch alike, rates, fits, parts.

use std::path::Path;

use super::*;
use crate::pose::clean::Smoothing;
use crate::pose::figure::{reference, walk_and_wave};
use crate::pose::file;
use crate::pose::lift::Lift;
use crate::pose::recipe::{Make, Source};
use crate::pose::retarget::Mode;
use crate::pose::track::Depth;

fn written(folder: &Path, name: &str, json: &serde_json::Value) -> Recipe {
    std::fs::write(folder.join(name), json.to_string()).unwrap();
    let facts = file::facts(folder.join(name)).unwrap();
    let Info::Clip(info) = facts.info else {
        panic!("no clip")
    };
    Recipe {
        frames: info.frames,
        canvas: [f64::from(info.width), f64::from(info.height)],
        fps: Some(24.0),
        make: Make::File(Source {
            file: name.to_owned(),
            hash: facts.hash,
            canvas: None,
            confidence: 0.05,
            depth: Depth::Auto,
            lift: Lift::Turned,
            gap: 5,
            smoothing: Smoothing::None,
            strength: 1.5,
        }),
    }
}

fn drawing(folder: &Path, recipe: &Recipe, size: [i64; 2], fps: f64) -> Clip {
    Clip::new(Drawing {
        info: clip(recipe, size, 0, fps).unwrap(),
        recipe: recipe.clone(),
        step: timing(recipe, 0, fps).1,
        fit: Fit::Cover,
        parts: Parts {
            hands: true,
            face: true,
        },
        input: folder.to_path_buf(),
        stage: Mutex::new(None),
    })
}

#[test]
fn any_stretch_is_drawn_alike() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = written(dir.path(), "walk.json", &walk_and_wave(9, 128, 224));
    let whole = drawing(dir.path(), &recipe, [128, 224], 0.0)
        .read(0..9)
        .unwrap();
    let again = drawing(dir.path(), &recipe, [128, 224], 0.0);
    assert_eq!(again.read(6..9).unwrap(), whole[6..]);
    assert_eq!(again.read(2..4).unwrap(), whole[2..4]);
    assert_ne!(whole[2], whole[3]);
}

#[test]
fn rates_and_lengths() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = written(dir.path(), "walk.json", &walk_and_wave(9, 64, 112));
    let counts = |length, fps| timing(&recipe, length, fps);
    assert_eq!(counts(0, 0.0), (9, 1.0));
    assert_eq!(counts(81, 0.0), (81, 1.0));
    assert_eq!(counts(0, 16.0), (6, 1.5));
    assert_eq!(counts(0, 48.0), (17, 0.5));
    let slow = drawing(dir.path(), &recipe, [64, 112], 48.0);
    assert_eq!(slow.info().fps.map(rate::to_float), Some(48.0));
    let own = drawing(dir.path(), &recipe, [64, 112], 0.0)
        .read(8..9)
        .unwrap();
    assert_eq!(slow.read(16..17).unwrap(), own);
}

/// Joints on the camera, behind each other, far outside: drawn or left out, never a panic.
#[test]
fn wild_numbers_are_drawn_without_a_panic() {
    let dir = tempfile::tempdir().unwrap();
    let mut state = 5u64;
    let mut next = || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        let wild = [
            0.0, 1e6, -1e6, 1e-9, 3.0, 300.0, -40.0, 64.0, 63.999, 1000.0,
        ];
        wild[(state >> 33) as usize % wild.len()]
    };
    for field in ["pose_keypoints_2d", "pose_keypoints_3d"] {
        let width = if field.ends_with("3d") { 4 } else { 3 };
        let mut body = || (0..18 * width).map(|_| next()).collect::<Vec<f64>>();
        let frame = |body: Vec<f64>| serde_json::json!({"people": [{field: body}], "canvas_width": 64, "canvas_height": 64});
        let frames: serde_json::Value = (0..24).map(|_| frame(body())).collect();
        let recipe = written(dir.path(), "wild.json", &frames);
        let own = drawing(dir.path(), &recipe, [64, 48], 0.0);
        assert_eq!(own.read(0..24).unwrap().len(), 24);
        for mode in [Mode::Camera, Mode::Proportions] {
            let make = Make::Retarget {
                pose: Box::new(recipe.clone()),
                reference: Box::new(recipe.clone()),
                mode,
            };
            let other = Recipe {
                make,
                ..recipe.clone()
            };
            // Told as an error, or drawn.
            let _ = drawing(dir.path(), &other, [64, 48], 0.0).read(0..24);
        }
    }
}

/// `POSE_TIME=1` tells how long a clip takes.
#[test]
fn a_clip_is_drawn_in_reasonable_time() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = written(dir.path(), "walk.json", &walk_and_wave(81, 512, 896));
    let clip = drawing(dir.path(), &recipe, [512, 896], 0.0);
    let start = std::time::Instant::now();
    let frames = if std::env::var_os("POSE_TIME").is_some() {
        81
    } else {
        9
    };
    clip.read(0..frames).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    println!("{frames} frames of 512×896: {seconds:.3} s");
    assert!(seconds < 10.0, "{seconds}");
}

#[test]
fn a_changed_file_is_not_drawn() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = written(dir.path(), "walk.json", &walk_and_wave(2, 64, 112));
    written(dir.path(), "walk.json", &walk_and_wave(3, 64, 112));
    let error = drawing(dir.path(), &recipe, [64, 112], 0.0)
        .read(0..1)
        .unwrap_err();
    assert!(
        error
            .message
            .en
            .contains("has changed since the plan was made"),
        "{}",
        error.message
    );
}

/// The keypoints beside the presets are the figure's; `UPDATE_EXPECT=1` writes them.
#[test]
fn preset_keypoints_are_the_figures() {
    let folder = Path::new(env!("LONGTAKE_CHECKOUT")).join("presets/input");
    for (name, made) in [
        ("walk-and-wave.json", walk_and_wave(81, 512, 896)),
        ("reference-pose.json", reference(512, 896)),
    ] {
        let path = folder.join(name);
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            // A frame per line.
            let text = match &made {
                serde_json::Value::Array(frames) => {
                    let lines: Vec<String> = frames.iter().map(ToString::to_string).collect();
                    format!("[\n{}\n]\n", lines.join(",\n"))
                }
                one => format!("{one}\n"),
            };
            std::fs::write(&path, text).unwrap();
        }
        let text = std::fs::read(&path).unwrap();
        assert!(text.len() < 115_000, "{name}: {} bytes", text.len());
        let points = |text: &[u8]| crate::pose::read::frames(name, text).unwrap();
        let close = |a: &[[f64; 3]], b: &[[f64; 3]]| {
            a.iter()
                .zip(b)
                .all(|(a, b)| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1.0))
        };
        for (a, b) in points(&text)
            .iter()
            .zip(points(made.to_string().as_bytes()))
        {
            // Another machine's sine may round a point to the next pixel.
            assert_eq!(a.canvas, b.canvas);
            assert!(close(&a.people[0].body, &b.people[0].body), "{name}");
            assert!(close(&a.people[0].face, &b.people[0].face), "{name}");
        }
    }
}

/// `POSE_FRAMES=folder cargo nextest run … pictures` writes frames to look at.
#[test]
fn pictures_of_the_demo() {
    let dir = tempfile::tempdir().unwrap();
    let walk = written(dir.path(), "walk.json", &walk_and_wave(81, 512, 896));
    let body = written(dir.path(), "reference.json", &reference(512, 896));
    let retargeted = |mode| Recipe {
        make: Make::Retarget {
            pose: Box::new(walk.clone()),
            reference: Box::new(body.clone()),
            mode,
        },
        ..walk.clone()
    };
    let shots = [
        ("walk", walk.clone(), [512, 896]),
        ("reference", body.clone(), [512, 896]),
        ("camera", retargeted(Mode::Camera), [512, 896]),
        ("proportions", retargeted(Mode::Proportions), [512, 896]),
        ("wide", walk.clone(), [896, 512]),
    ];
    for (name, recipe, size) in shots {
        let clip = drawing(dir.path(), &recipe, size, 0.0);
        let last = clip.info().frames - 1;
        for at in [0, last / 4, last / 2, last] {
            let frame = clip.read(at..at + 1).unwrap().remove(0);
            let lit = frame
                .to_u8()
                .chunks(3)
                .filter(|it| it.iter().any(|&v| v > 0))
                .count();
            assert!(lit > 4000, "{name} {at}: {lit} pixels");
            if let Some(folder) = std::env::var_os("POSE_FRAMES") {
                let path = Path::new(&folder).join(format!("{name}-{at:02}.png"));
                image::save_buffer(
                    path,
                    &frame.to_u8(),
                    frame.width,
                    frame.height,
                    image::ExtendedColorType::Rgb8,
                )
                .unwrap();
            }
        }
    }
}
