//! The executor on hand-made plans and toy nodes: order, cache, retries, the ladder, cancel.

#![allow(
    clippy::unwrap_used,
    clippy::unnecessary_wraps,
    reason = "toy nodes: panics are failures, and all share one signature"
)]

mod lanes;
mod toys;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use longtake_plan::{Cost, Keep, Lane, Rung, StepId};
use longtake_run::report::Status;
use longtake_run::{Event, Failure, Store, Value};
use serde_json::json;

use crate::toys::{From, TICKS, Toys, World, plan, statuses};

use Keep::{Memory, Store as Stored};
use Lane::{Api, Cpu, Device as Gpu};
use Status::{Cached, Done, Failed, Skipped};

#[test]
fn values_flow_between_lanes() {
    let world = World::new();
    let plan = plan(&[
        ("add", Gpu, Memory, From::Number(1)),
        ("add", Cpu, Memory, From::Step(0)),
        ("add", Api, Memory, From::Step(1)),
        ("add", Gpu, Stored, From::Step(2)),
    ]);
    let (report, _) = world.run(&plan);
    assert_eq!(statuses(&report), [Done; 4]);
    assert!(report.error.is_none());
    let store = Store::open(&world.folder.path().join("store")).unwrap();
    let last = store.load(&plan.steps[3].signature).unwrap();
    assert!(
        matches!(&last[..], [Value::Json(it)] if *it == json!(5)),
        "{last:?}"
    );
}

#[test]
fn stored_work_is_not_done_again() {
    let world = World::new();
    let mut plan = plan(&[
        ("add", Gpu, Stored, From::Number(1)),
        ("add", Cpu, Memory, From::Step(0)),
    ]);
    world.run(&plan);
    plan.steps[0].cached = true;
    let (report, _) = world.run(&plan);
    assert_eq!(statuses(&report), [Cached, Done]);
    assert_eq!(world.counted("add-0"), 1);
    assert_eq!(world.counted("add-1"), 2);
}

#[test]
fn a_busy_service_is_tried_three_times_more() {
    for (fails, status) in [(3, Done), (4, Failed)] {
        let world = World::new();
        let (report, _) = world.run(&plan(&[("flaky", Api, Memory, From::Number(fails))]));
        assert_eq!(statuses(&report), [status], "after {fails} failures");
        assert_eq!(world.counted("flaky"), 4);
        assert_eq!(report.steps[0].attempts, 4);
    }
}

#[test]
fn calls_to_services_are_spaced() {
    let mut world = World::new();
    world.api_per_minute = 600;
    let calls: Vec<_> = (0..4)
        .map(|n| ("add", Api, Memory, From::Number(n)))
        .collect();
    let begun = std::time::Instant::now();
    let (report, _) = world.run(&plan(&calls));
    assert_eq!(statuses(&report), [Done; 4]);
    // Four calls have three gaps of a tenth of a second between them, however many threads wait.
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

#[test]
fn memory_running_out_leads_down_the_ladder() {
    let world = World::new();
    let mut plan = plan(&[("hungry", Gpu, Stored, From::Number(0))]);
    plan.steps[0].fallbacks = vec![Rung {
        name: "tiled".into(),
        settings: BTreeMap::new(),
        cost: Cost::default(),
        streams: Vec::new(),
    }];
    let (report, events) = world.run(&plan);
    assert_eq!(statuses(&report), [Done]);
    assert_eq!(report.steps[0].rung, "tiled");
    // Once as planned, once with everything else unloaded, once in the lesser way.
    assert_eq!(world.counted("hungry"), 3);
    let adapted = events
        .try_iter()
        .filter(|it| matches!(it, Event::Adapted { .. }))
        .count();
    assert_eq!(adapted, 2);

    plan.steps[0].fallbacks.clear();
    let (report, _) = World::new().run(&plan);
    let message = report.error.unwrap().message;
    assert!(message.contains("no lesser way is left"), "{message}");
}

#[test]
fn a_panic_is_out_of_memory_when_the_node_layer_says_so_and_not_by_its_words() {
    let mut plan = plan(&[("wordy", Gpu, Stored, From::Number(0))]);
    plan.steps[0].fallbacks = vec![Rung {
        name: "tiled".into(),
        settings: BTreeMap::new(),
        cost: Cost::default(),
        streams: Vec::new(),
    }];
    let (report, events) = World::new().run(&plan);
    assert_eq!(statuses(&report), [Failed]);
    assert_eq!(report.steps[0].rung, "whole", "no lesser way is tried");
    assert_eq!(report.error.unwrap().kind, Failure::Failed);
    let adapted = |it: &Event| matches!(it, Event::Adapted { .. });
    assert_eq!(events.try_iter().filter(adapted).count(), 0);
}

#[test]
fn one_bad_step_takes_only_what_needs_it() {
    let world = World::new();
    let (report, _) = world.run(&plan(&[
        ("broken", Gpu, Memory, From::Number(0)),
        ("add", Cpu, Memory, From::Step(0)),
        ("add", Cpu, Memory, From::Number(1)),
        ("add", Gpu, Memory, From::Step(2)),
        ("add", Gpu, Memory, From::Step(1)),
    ]));
    assert_eq!(statuses(&report), [Failed, Skipped, Done, Done, Skipped]);
    let error = report.error.unwrap();
    assert_eq!(error.kind, Failure::Failed);
    assert!(
        error.message.contains("node 0 (broken)"),
        "{}",
        error.message
    );
    assert!(
        error.message.contains("index out of bounds"),
        "{}",
        error.message
    );
}

#[test]
fn cancel_takes_effect_at_the_next_tick_and_keeps_what_is_done() {
    let world = World::new();
    let plan = plan(&[
        ("add", Gpu, Stored, From::Number(1)),
        ("endless", Gpu, Memory, From::Step(0)),
        ("add", Cpu, Memory, From::Step(1)),
    ]);
    let cancel = world.cancel.clone();
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(150));
        cancel.cancel();
    });
    let (report, _) = world.run(&plan);
    canceller.join().unwrap();
    assert_eq!(statuses(&report), [Done, Failed, Skipped]);
    assert_eq!(report.error.unwrap().kind, Failure::Cancelled);
    let store = Store::open(&world.folder.path().join("store")).unwrap();
    assert!(store.has(&plan.steps[0].signature, &|_| true));
    let scratch = world.folder.path().join("store/scratch");
    assert_eq!(
        std::fs::read_dir(scratch).unwrap().count(),
        0,
        "scratch is emptied"
    );
}

#[test]
fn a_held_run_stands_still_and_goes_on() {
    let world = World::new();
    let plan = plan(&[
        ("thirty", Gpu, Memory, From::Number(1)),
        ("add", Cpu, Memory, From::Step(0)),
    ]);
    let cancel = world.cancel.clone();
    let holder = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        cancel.pause(true);
        // One tick may be under way.
        std::thread::sleep(Duration::from_millis(20));
        let ticks = TICKS.load(Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(300));
        let still = TICKS.load(Ordering::Relaxed);
        cancel.pause(false);
        (ticks, still)
    });
    let (report, _) = world.run(&plan);
    let (ticks, still) = holder.join().unwrap();
    assert_eq!(ticks, still, "nothing moves while it is held");
    assert!(ticks < 30, "it was held in the middle");
    assert_eq!(statuses(&report), [Done; 2]);
    // The time it was held is not counted as work.
    assert!(
        report.steps[0].seconds < 0.25,
        "{}",
        report.steps[0].seconds
    );
    assert!(
        report.measured.seconds < 0.35,
        "{}",
        report.measured.seconds
    );
}

#[test]
fn cancel_wakes_a_held_run() {
    let world = World::new();
    world.cancel.pause(true);
    let cancel = world.cancel.clone();
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(120));
        cancel.cancel();
    });
    let (report, _) = world.run(&plan(&[("add", Gpu, Stored, From::Number(1))]));
    canceller.join().unwrap();
    assert_eq!(
        statuses(&report),
        [Skipped],
        "nothing begins while it is held"
    );
    assert_eq!(report.error.unwrap().kind, Failure::Cancelled);
}

#[test]
fn a_damaged_entry_is_set_aside() {
    let world = World::new();
    let root = world.folder.path().join("store");
    let store = Store::open(&root).unwrap();
    let mut plan = plan(&[("add", Gpu, Stored, From::Number(1))]);
    let step = plan.steps.remove(0);
    let info = longtake_plan::LatentInfo {
        batch: 1,
        channels: 1,
        frames: 1,
        height: 2,
        width: 2,
    };
    let latent = longtake_run::Latent {
        mask: Some(Arc::new(vec![0.0, 1.0, 1.0, 0.5])),
        state: Some(Arc::new(vec![7, 8, 9])),
        ..longtake_run::Latent::new(info, vec![1.0, 2.0, 3.0, 4.0])
    };
    store.save(&step, &[Value::Latent(latent.clone())]).unwrap();
    let back = store.load(&step.signature).unwrap();
    assert!(matches!(&back[..], [Value::Latent(it)] if *it == latent));
    let file = store.data_path(&step.signature, ".0.latent").unwrap();
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() - 3]).unwrap();
    let error = store.load(&step.signature).unwrap_err();
    assert!(
        error.message.en.contains("run the same command again"),
        "{error}"
    );
    assert!(!store.has(&step.signature, &|_| true));
}

#[test]
fn what_cannot_be_read_now_is_kept_and_a_look_removes_nothing() {
    let world = World::new();
    let store = Store::open(&world.folder.path().join("store")).unwrap();
    let mut plan = plan(&[("add", Gpu, Stored, From::Number(1))]);
    let step = plan.steps.remove(0);
    let info = longtake_plan::LatentInfo {
        batch: 1,
        channels: 1,
        frames: 1,
        height: 1,
        width: 1,
    };
    let latent = longtake_run::Latent::new(info, vec![1.0]);
    store.save(&step, &[Value::Latent(latent)]).unwrap();
    let manifest = store.data_path(&step.signature, ".json").unwrap();
    let file = store.data_path(&step.signature, ".0.latent").unwrap();
    let whole = std::fs::read(&file).unwrap();
    // A folder of that name opens and cannot be read, as a file on a failing disk.
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    store.load(&step.signature).unwrap_err();
    std::fs::remove_dir(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    store.look(&step.signature).unwrap_err();
    assert!(manifest.exists());
    std::fs::write(&file, &whole).unwrap();
    store.load(&step.signature).unwrap();
}

/// Thirty recipes, each of which takes the one before twice.
#[test]
fn a_shared_recipe_is_followed_once() {
    let world = World::new();
    let mut lines = vec![("add", Gpu, Memory, From::Number(1))];
    lines.extend((0..30).map(|n| ("add", Gpu, Memory, From::Step(n))));
    let mut plan = plan(&lines);
    for step in &mut plan.steps {
        step.lazy = true;
        if let Some(a) = step.inputs.get("a").cloned() {
            step.inputs.insert("b".to_owned(), a);
        }
    }
    let made = longtake_run::recall(&plan, &Toys, &world.env(), StepId(30)).unwrap();
    assert!(matches!(&made[..], [Value::Json(it)] if *it == json!(1i64 << 31)));
}
