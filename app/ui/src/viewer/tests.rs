//! The right frame is shown after each gesture. Frames are flat colours that tell their number: red
//! is the number, blue tells the node.

use std::collections::HashSet;
use std::ops::Range;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use egui::{Key, Modifiers, pos2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use longtake_editor::engine::Engine;
use longtake_editor::testing::{FlatColours, small, studio};
use longtake_run::{Clip, FrameSource, RunError};

use super::reel::{Opening, Reel, Stage, Wish};
use super::*;
use crate::Pictures;

struct Bench {
    studio: Studio,
    viewer: Viewer,
    pictures: Pictures,
    actions: Vec<Action>,
}

impl Bench {
    fn ui(&mut self, ui: &mut Ui) {
        self.studio.tick();
        let mut cx = Cx {
            studio: &self.studio,
            actions: &mut self.actions,
            pictures: &mut self.pictures,
            lit: &mut HashSet::new(),
        };
        self.viewer.ui(ui, &mut cx);
    }

    fn view(&mut self, node: &str, second: bool) {
        let node = NodeId::new(node);
        let wish = ViewerAction::Node { node, second };
        self.viewer.wish(&wish, &self.studio);
    }

    /// Number and tint of the frame a side shows.
    fn frame(&self, side: usize) -> Option<(u64, u8)> {
        let shown = self.viewer.shown[side].as_ref()?;
        let px = shown.image.pixels[0];
        assert_eq!(
            u64::from(px.r()),
            shown.frame,
            "the pixels of another frame"
        );
        Some((shown.frame, px.b()))
    }
}

type Test = Harness<'static, Bench>;

fn bench() -> Test {
    let state = Bench {
        studio: studio(small()),
        viewer: Viewer::default(),
        pictures: Pictures::default(),
        actions: Vec::new(),
    };
    let mut harness = Harness::builder()
        .with_size([640.0, 480.0])
        .with_step_dt(0.125)
        .build_ui_state(|ui, bench: &mut Bench| bench.ui(ui), state);
    until(&mut harness, |it| it.studio.planned.plan.is_some());
    harness
}

fn until(harness: &mut Test, done: impl Fn(&Bench) -> bool) {
    let start = Instant::now();
    loop {
        harness.step();
        if done(harness.state()) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "never came");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn shows(harness: &mut Test, frame: u64) {
    until(harness, |it| it.frame(0).is_some_and(|it| it.0 == frame));
    assert_eq!(harness.state().viewer.transport.frame(), frame);
}

#[test]
fn stepping_and_scrubbing_show_the_right_frame() {
    let mut harness = bench();
    harness.state_mut().view("7", false);
    shows(&mut harness, 0);
    for _ in 0..3 {
        harness.get_by_label("One frame on").click();
        harness.step();
    }
    shows(&mut harness, 3);
    harness.get_by_label("Last frame").click();
    harness.step();
    shows(&mut harness, 80);
    let track = harness.get_by_label("Frame").rect();
    harness.drag_at(pos2(track.left() + 10.0, track.center().y));
    harness.step();
    for part in [0.2, 0.9, 0.5] {
        harness.hover_at(pos2(track.left() + part * track.width(), track.center().y));
        harness.step();
    }
    harness.drop_at(track.center());
    harness.step();
    shows(&mut harness, 40);
    harness.hover_at(pos2(320.0, 200.0));
    harness.step();
    harness.key_press(Key::ArrowLeft);
    harness.step();
    shows(&mut harness, 39);
}

#[test]
fn playing_goes_with_the_clock() {
    let mut harness = bench();
    harness.state_mut().view("7", false);
    shows(&mut harness, 0);
    harness.get_by_label("Play").click();
    harness.step();
    let before = harness.state().viewer.transport.frame();
    harness.run_steps(8);
    let after = harness.state().viewer.transport.frame();
    assert_eq!(after - before, 16, "a second at 16 frames per second");
    harness.get_by_label("Pause").click();
    harness.step();
    let stopped = harness.state().viewer.transport.frame();
    shows(&mut harness, stopped);
}

#[test]
fn both_sides_keep_step_and_the_divider_parts_them() {
    let mut harness = bench();
    harness.state_mut().view("7", false);
    shows(&mut harness, 0);
    harness.state_mut().view("6", true);
    harness.get_by_label("One frame on").click();
    until(&mut harness, |it| {
        it.frame(0).map(|it| it.0) == Some(1) && it.frame(1).map(|it| it.0) == Some(1)
    });
    let bench = harness.state();
    assert_ne!(bench.frame(0).unwrap().1, bench.frame(1).unwrap().1);
    let halves = clips(&harness);
    let [a, b] = halves[..] else {
        panic!("two pictures: {halves:?}");
    };
    assert_eq!(a.right(), b.left());
    let (from, to) = (pos2(a.right(), 200.0), pos2(a.right() - 100.0, 200.0));
    harness.drag_at(from);
    harness.step();
    harness.hover_at(to);
    harness.step();
    harness.drop_at(to);
    harness.step();
    harness.step();
    let moved = clips(&harness)[0].right();
    assert!((moved - to.x).abs() < 1.0, "{moved}");
    assert!(
        harness.state().viewer.view.fits(),
        "the picture did not move"
    );
    harness.get_by_label("Side by side").click();
    harness.step();
    harness.step();
    let halves = clips(&harness);
    assert!(
        (halves[0].width() - halves[1].width()).abs() < 1.0,
        "{halves:?}"
    );
    harness.get_by_label("Difference").click();
    harness.step();
    harness.step();
    assert_eq!(clips(&harness).len(), 1);
}

/// Where pictures are painted, left to right.
fn clips(harness: &Test) -> Vec<egui::Rect> {
    let painted = harness
        .output()
        .shapes
        .iter()
        .filter_map(|it| match &it.shape {
            egui::Shape::Mesh(mesh) if mesh.texture_id != egui::TextureId::default() => {
                Some(it.clip_rect)
            }
            _ => None,
        });
    painted.collect()
}

#[test]
fn the_wheel_zooms_to_the_mouse() {
    let mut harness = bench();
    harness.state_mut().view("7", false);
    shows(&mut harness, 0);
    harness.hover_at(pos2(300.0, 200.0));
    harness.step();
    harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, 200.0),
        phase: egui::TouchPhase::Move,
        modifiers: Modifiers::NONE,
    });
    harness.run_steps(4);
    assert!(!harness.state().viewer.view.fits());
    harness.get_by_label("Fit").click();
    harness.step();
    assert!(harness.state().viewer.view.fits());
}

#[test]
fn a_finished_run_shows_its_film_and_a_frame_is_saved_whole() {
    let mut harness = bench();
    let project = harness.state().studio.session.project().clone();
    let queue = &mut harness.state_mut().studio.queue;
    queue.add("Small".to_owned(), project, None);
    until(&mut harness, |it| it.frame(0).is_some());
    let what = &harness.state().viewer.a.as_ref().unwrap().what;
    let node = NodeId::new("8");
    assert_eq!(*what, What::Node { node, shot: None });
    let path = tempfile::tempdir().unwrap().keep().join("frame.png");
    harness.state_mut().viewer.transport.go(5);
    shows(&mut harness, 5);
    harness.state().viewer.save_frame(path.clone());
    until(&mut harness, |it| {
        it.actions.iter().any(|it| matches!(it, Action::Told(_)))
    });
    assert_eq!(std::fs::read(&path).unwrap()[0], 5);
    let name = harness.state().viewer.frame_name(&harness.state().studio);
    assert!(name.ends_with("-0006.png"), "{name}");
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let mut harness = bench();
    let path = PathBuf::from("broken.mp4");
    let wish = ViewerAction::File {
        path,
        second: false,
    };
    let bench = harness.state_mut();
    bench.viewer.wish(&wish, &bench.studio);
    until(&mut harness, |it| {
        let side = it.viewer.a.as_ref();
        side.is_some_and(|side| side.wordless(&it.studio).contains("choose another"))
    });
}

/// A clip with one frame that cannot be read.
struct Holed(FlatColours);

impl FrameSource for Holed {
    fn info(&self) -> longtake_plan::ClipInfo {
        self.0.info()
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<longtake_run::Frame>, RunError> {
        if range.contains(&10) {
            return Err(RunError::failed(Sentence::same("frame 10 is damaged")));
        }
        self.0.read(range)
    }
}

#[test]
fn a_long_clip_stays_within_its_memory_and_one_bad_frame_is_one_bad_frame() {
    let clip = Clip::new(Holed(FlatColours {
        frames: 200,
        size: [64, 36],
        tint: 1,
    }));
    let limit = 12 * 64 * 36 * 4;
    let ctx = Context::default();
    let engine: Arc<dyn Engine> = Arc::new(longtake_editor::testing::Fake::default());
    let mut reel = Reel::with_limit(engine, Opening::Clip(clip), ctx, limit);
    let mut bad = Vec::new();
    for frame in 0..200 {
        let wish = Wish {
            frame,
            rate: None,
            looping: false,
        };
        let start = Instant::now();
        loop {
            let shown = reel.show(wish);
            assert!(!matches!(reel.stage, Stage::Nothing | Stage::Failed(_)));
            assert!(reel.bytes() <= limit);
            if reel.failure(frame).is_some() {
                bad.push(frame);
                break;
            }
            if shown.is_some_and(|it| it.frame == frame) {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(10), "frame {frame}");
            std::thread::yield_now();
        }
    }
    assert_eq!(bad, [10]);
}
