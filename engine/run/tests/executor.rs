//! The executor on hand-made plans and toy nodes: order, cache, retries, the ladder, cancel.

#![allow(
    clippy::unwrap_used,
    clippy::unnecessary_wraps,
    reason = "toy nodes: panics are failures, and all share one signature"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam::channel::{Receiver, unbounded};
use indexmap::IndexMap;
use longtake_graph::{Catalog, Declaration, NodeId, say};
use longtake_plan::{
    Cost, DeviceKind, Info, Keep, Lane, Machine, NodePath, NodeSpec, Plan, Rung, Signature, Specs,
    Step, StepId, StepInput, Value as Planned, ValueId, WeightsInfo,
};
use longtake_run::report::Status;
use longtake_run::{
    Cancel, Device, Env, Event, Failure, Nodes, Options, Report, Resident, Roots, RunCx, RunError,
    RunFn, Store, Value, run,
};
use serde_json::json;

/// Steps of class `name` run the closure of that name; counts are per test, in the scratch folder.
struct Toys;

fn count(cx: &RunCx<'_>, what: &str) -> usize {
    let path = cx.env.roots.output.join(what);
    let n = std::fs::read_to_string(&path)
        .ok()
        .and_then(|it| it.parse().ok())
        .unwrap_or(0)
        + 1;
    std::fs::write(&path, n.to_string()).unwrap();
    n
}

fn add(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let name = format!("add-{}", cx.step.id.0);
    count(cx, &name);
    let a = cx.int("a")?;
    let b = cx.int("b").unwrap_or(1);
    Ok(vec![Value::Json(json!(a + b))])
}

fn flaky(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let fails = cx.int("a")? as usize;
    if count(cx, "flaky") <= fails {
        return Err(RunError::transient("the service is busy"));
    }
    Ok(vec![Value::Json(json!(7))])
}

/// What the node layer knows as used-up memory.
struct Exhausted;

fn hungry(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    count(cx, "hungry");
    // What a library does that tells of used-up device memory by panicking.
    if cx.step.rung == "whole" {
        std::panic::panic_any(Exhausted);
    }
    Ok(vec![Value::Json(json!(cx.step.rung))])
}

fn wordy(_: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    panic!("no zoom in this room: out of memory addresses are odd");
}

fn broken(_: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    panic!("index out of bounds");
}

fn endless(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    for n in 0.. {
        cx.progress(n, 1_000_000, "step")?;
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(Vec::new())
}

static TICKS: AtomicUsize = AtomicUsize::new(0);

fn thirty(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    for n in 0..30 {
        cx.progress(n, 30, "step")?;
        TICKS.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(vec![Value::Json(json!(30))])
}

impl Catalog for Toys {
    fn declaration(&self, _: &str) -> Option<&'static Declaration> {
        None
    }
    fn classes(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

impl Specs for Toys {
    fn spec(&self, _: &str) -> Option<&NodeSpec> {
        None
    }
}

static LOADS: AtomicUsize = AtomicUsize::new(0);

impl Nodes for Toys {
    fn runner(&self, class: &str) -> Option<RunFn> {
        match class {
            "add" => Some(add),
            "flaky" => Some(flaky),
            "hungry" => Some(hungry),
            "broken" => Some(broken),
            "wordy" => Some(wordy),
            "endless" => Some(endless),
            "thirty" => Some(thirty),
            _ => None,
        }
    }
    fn load_weights(
        &self,
        _: &WeightsInfo,
        _: &Device,
        _: bool,
        _: &mut dyn FnMut(longtake_run::Loading),
    ) -> Result<Resident, RunError> {
        LOADS.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(()))
    }
    fn fault(&self, panic: &(dyn std::any::Any + Send)) -> Option<RunError> {
        panic.is::<Exhausted>().then(|| {
            RunError::out_of_memory(say!("the device is full", "デバイスのメモリが一杯です"))
        })
    }
}

/// A plan from lines: class, lane, keep, and its input `a` (a number or the step that makes it).
enum From {
    Number(i64),
    Step(u32),
}

fn plan(steps: &[(&str, Lane, Keep, From)]) -> Plan {
    let mut plan = Plan {
        machine: Machine {
            device: DeviceKind::Cpu,
            device_name: "cpu".into(),
            device_budget: 0,
            host_budget: 1 << 40,
            weight_bytes: 4,
            flops_per_second: 1e9,
            load_bytes_per_second: 1e9,
            base_host_bytes: 0,
        },
        values: Vec::new(),
        steps: Vec::new(),
        weights: Vec::new(),
        outputs: Vec::new(),
        peak_device_bytes: 0,
        peak_host_bytes: 0,
        seconds: 0.0,
    };
    for ((class, lane, keep, from), id) in steps.iter().zip(0u32..) {
        let value = ValueId(id);
        let info = Info::Nothing;
        plan.values.push(Planned {
            info,
            step: Some(StepId(id)),
            output: 0,
            host_bytes: 0,
        });
        let input = match from {
            From::Number(n) => StepInput::Literal(json!(n)),
            From::Step(step) => StepInput::Value(ValueId(*step)),
        };
        let mut signature = [0; 32];
        signature[0] = id as u8 + 1;
        plan.steps.push(Step {
            id: StepId(id),
            path: NodePath {
                node: NodeId::new(id.to_string()),
                shot: None,
                part: None,
            },
            class: (*class).to_owned(),
            inputs: IndexMap::from([("a".to_owned(), input)]),
            writes: vec![value],
            frees: Vec::new(),
            lane: *lane,
            lazy: false,
            keep: *keep,
            signature: Signature(signature),
            weights: Vec::new(),
            streamed: Vec::new(),
            moves: Vec::new(),
            rung: "whole".into(),
            settings: BTreeMap::new(),
            why: None,
            fallbacks: Vec::new(),
            cost: Cost::default(),
            device_bytes: 0,
            host_bytes: 0,
            seconds: 0.0,
            cached: false,
        });
    }
    plan
}

struct World {
    folder: tempfile::TempDir,
    cancel: Cancel,
    api_per_minute: u32,
}

impl World {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            cancel: Cancel::default(),
            api_per_minute: 60_000,
        }
    }

    fn env(&self) -> Env {
        let root = self.folder.path();
        let store = Store::open(&root.join("store")).unwrap();
        Env {
            roots: Roots {
                input: root.into(),
                models: root.into(),
                output: root.into(),
                store: root.join("store"),
            },
            scratch: store.scratch().unwrap(),
            store,
            device: Device {
                handle: Arc::new(()),
                name: "toy".into(),
            },
            cancel: self.cancel.clone(),
            output_file: None,
            prompt: None,
        }
    }

    fn run(&self, plan: &Plan) -> (Report, Receiver<Event>) {
        let env = self.env();
        let options = Options {
            back_off: Duration::from_millis(1),
            api_per_minute: self.api_per_minute,
            ..Options::default()
        };
        let (events, seen) = unbounded();
        (run(plan, &Toys, &env, &options, events), seen)
    }

    fn counted(&self, what: &str) -> usize {
        let text = std::fs::read_to_string(self.folder.path().join(what)).unwrap_or_default();
        text.parse().unwrap_or(0)
    }
}

fn statuses(report: &Report) -> Vec<Status> {
    report.steps.iter().map(|it| it.status).collect()
}

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
