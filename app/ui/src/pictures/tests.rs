//! Files and results become textures, stay while they are looked at, and no longer.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use egui::TextureId;
use longtake_editor::Studio;
use longtake_editor::testing::{small, studio};
use longtake_run::{DevicePicture, Event, Progress};

use super::*;

/// Frames until `done`, at most ten seconds of them.
fn until(
    studio: &Studio,
    pictures: &mut Pictures,
    ctx: &egui::Context,
    mut done: impl FnMut(&mut Cx<'_>, &egui::Context) -> bool,
) {
    let start = Instant::now();
    loop {
        let mut over = false;
        let _ = ctx.run_ui(egui::RawInput::default(), |ui| {
            let mut cx = Cx {
                studio,
                actions: &mut Vec::new(),
                pictures: &mut *pictures,
                lit: &mut HashSet::new(),
            };
            cx.pictures.begin(ui.ctx(), studio);
            let ctx = ui.ctx().clone();
            over |= done(&mut cx, &ctx);
        });
        if over {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "never came");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn planned() -> Studio {
    let mut studio = studio(small());
    let start = Instant::now();
    while studio.planned.plan.is_none() && start.elapsed() < Duration::from_secs(10) {
        studio.tick();
        std::thread::sleep(Duration::from_millis(2));
    }
    studio
}

#[test]
fn a_file_is_read_once_and_a_broken_one_says_why() {
    let studio = studio(small());
    let (mut pictures, ctx) = (Pictures::default(), egui::Context::default());
    let (good, bad) = (PathBuf::from("a.png"), PathBuf::from("broken.png"));
    until(&studio, &mut pictures, &ctx, |cx, ctx| {
        let good = cx.pictures.file(ctx, &good, 100);
        let bad = cx.pictures.file(ctx, &bad, 100);
        if let Picture::Ready { size, .. } = good {
            assert_eq!(size, [64, 36]);
        }
        matches!((good, bad), (Picture::Ready { .. }, Picture::Failed(why)) if why.en.contains("choose another"))
    });
}

#[test]
fn a_file_that_changed_is_read_again() {
    let studio = studio(small());
    let (mut pictures, ctx) = (Pictures::default(), egui::Context::default());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    let ready = |cx: &mut Cx<'_>, ctx: &egui::Context| match cx.pictures.file(ctx, &path, 64) {
        Picture::Ready { texture, .. } => Some(texture.id()),
        _ => None,
    };
    let mut first = None;
    until(&studio, &mut pictures, &ctx, |cx, ctx| {
        first = ready(cx, ctx);
        first.is_some()
    });
    std::fs::write(&path, "new").unwrap();
    until(&studio, &mut pictures, &ctx, |cx, ctx| {
        let key = Key {
            of: Of::File(path.clone()),
            frame: 0,
        };
        let entry = cx.pictures.entries.get_mut(&key).expect("it is held");
        entry.checked -= Duration::from_millis(100);
        let now = ready(cx, ctx);
        assert!(
            now.is_some(),
            "the old picture stays until the new one is there"
        );
        now != first
    });
}

#[test]
fn frames_of_a_node_are_found_through_the_plan() {
    let studio = planned();
    let (mut pictures, ctx) = (Pictures::default(), egui::Context::default());
    let (node, none) = (NodeId::new("7"), NodeId::new("1"));
    until(&studio, &mut pictures, &ctx, |cx, ctx| {
        assert!(matches!(
            Pictures::result(cx, ctx, &none, 0, 64).0,
            Picture::None
        ));
        let (picture, frames) = Pictures::result(cx, ctx, &node, 5, 64);
        picture.is_ready() && frames == 81
    });
    let mut finder = Finder::default();
    let nodes = finder.nodes(&studio);
    let ids: Vec<&str> = nodes.iter().map(NodeId::as_str).collect();
    assert_eq!(ids.len(), 4, "latents, frames and the output: {ids:?}");
    assert!(finder.shots(&studio, &node).is_empty());
}

#[test]
fn what_nobody_looks_at_is_dropped() {
    let studio = studio(small());
    let one = 64 * 36 * 4;
    let (mut pictures, ctx) = (Pictures::with_limit(10 * one), egui::Context::default());
    for n in 0..60 {
        let path = PathBuf::from(format!("{n}.png"));
        until(&studio, &mut pictures, &ctx, |cx, ctx| {
            cx.pictures.file(ctx, &path, 64).is_ready()
        });
        assert!(pictures.bytes() <= 12 * one, "{}", pictures.bytes());
    }
    assert!(pictures.bytes() >= 9 * one);
}

/// A renderer that counts what it knows.
#[derive(Default)]
struct Renderer {
    known: RefCell<Vec<TextureId>>,
    next: Cell<u64>,
}

impl DeviceTextures for Renderer {
    fn register(&self, picture: &DevicePicture) -> Option<TextureId> {
        picture.handle.downcast_ref::<&str>()?;
        let id = TextureId::User(self.next.replace(self.next.get() + 1));
        self.known.borrow_mut().push(id);
        Some(id)
    }

    fn free(&self, id: TextureId) {
        self.known.borrow_mut().retain(|it| *it != id);
    }
}

#[test]
fn previews_on_the_device_are_shown_as_they_are_and_given_back() {
    let mut studio = planned();
    let plan = studio.planned.plan.clone().unwrap();
    let sampler = plan.steps.iter().find(|it| it.class == "KSampler").unwrap();
    studio.status.begin(&plan);
    let renderer = Rc::new(Renderer::default());
    let (mut pictures, ctx) = (Pictures::default(), egui::Context::default());
    pictures.share(renderer.clone());
    let mut show = |done: u64, handle: Arc<dyn Any + Send + Sync>| {
        let picture = DevicePicture {
            size: [104, 60],
            handle,
        };
        let progress = Progress {
            done,
            total: 9,
            unit: "step",
            preview: Some(Preview::Device(picture)),
        };
        let step = sampler.id;
        studio
            .status
            .see(&plan, &Event::Progress { step, progress });
        let mut shown = None;
        until(&studio, &mut pictures, &ctx, |cx, ctx| {
            // Two panels look at it.
            let pictures = [0, 1].map(|_| Pictures::preview(cx, ctx, &sampler.path.node));
            shown = pictures.map(|it| match it {
                Picture::Ready { texture, size } => Some((texture.id(), size)),
                _ => None,
            })[1];
            true
        });
        (shown, renderer.known.borrow().clone())
    };
    for n in 0..3 {
        let id = TextureId::User(n);
        let (shown, known) = show(n, Arc::new("on the device"));
        assert_eq!(shown, Some((id, [104, 60])));
        assert_eq!(known, [id], "the one before was given back");
    }
    // One of another device is not shown, and nothing is kept.
    assert_eq!(show(3, Arc::new(0)), (None, vec![]));
}
