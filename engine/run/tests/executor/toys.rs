//! Toy nodes, hand-made plans and a world to run them in.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam::channel::{Receiver, unbounded};
use indexmap::IndexMap;
use longtake_graph::{Catalog, Declaration, NodeId, say};
use longtake_plan::{
    ClipInfo, Cost, DeviceKind, Info, Keep, Lane, Machine, NodePath, NodeSpec, Plan, Signature,
    Specs, Step, StepId, StepInput, Value as Planned, ValueId, WeightsInfo,
};
use longtake_run::report::Status;
use longtake_run::{
    Cancel, Clip, Device, Env, Event, Frame, FrameSource, Nodes, Options, Pixels, Report, Resident,
    Roots, RunCx, RunError, RunFn, Store, Value, run,
};
use serde_json::json;

/// Steps of class `name` run the closure of that name; counts are per test, in the scratch folder.
pub struct Toys;

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
        return Err(RunError::transient(say!(
            "the service is busy",
            "サービスが混み合っています"
        )));
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

pub static TICKS: AtomicUsize = AtomicUsize::new(0);

fn thirty(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    for n in 0..30 {
        cx.progress(n, 30, "step")?;
        TICKS.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(vec![Value::Json(json!(30))])
}

/// As `add`, and nothing else.
fn plus(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    Ok(vec![Value::Json(json!(cx.int("a")? + 1))])
}

/// Frames that do something when they are read, asked or dropped.
struct Odd {
    asked: fn(),
    read: fn() -> Result<(), RunError>,
    dropped: fn(),
}

const INFO: ClipInfo = ClipInfo {
    frames: 1,
    width: 1,
    height: 1,
    channels: 1,
    fps: None,
};

impl FrameSource for Odd {
    fn info(&self) -> ClipInfo {
        (self.asked)();
        INFO
    }
    fn read(&self, _: Range<u64>) -> Result<Vec<Frame>, RunError> {
        (self.read)()?;
        Ok(vec![Frame::new(1, 1, 1, Pixels::U8(vec![7]))])
    }
}

impl Drop for Odd {
    fn drop(&mut self) {
        (self.dropped)();
    }
}

const EVEN: Odd = Odd {
    asked: || {},
    read: || Ok(()),
    dropped: || {},
};

fn odd(clip: Odd) -> Result<Vec<Value>, RunError> {
    Ok(vec![Value::Clip(Clip::new(clip))])
}

pub static DROPS: AtomicUsize = AtomicUsize::new(0);

/// Frames whose end is counted, and dear to drop: it panics.
fn source(_: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    odd(Odd {
        dropped: || {
            DROPS.fetch_add(1, Ordering::SeqCst);
            panic!("dropped");
        },
        ..EVEN
    })
}

/// How many of those have gone so far.
fn dropped(_: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    Ok(vec![Value::Json(json!(DROPS.load(Ordering::SeqCst)))])
}

fn panics_when_read(_: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    odd(Odd {
        read: || panic!("a lazy clip stumbles"),
        ..EVEN
    })
}

fn panics_when_asked(_: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    odd(Odd {
        asked: || panic!("the store stumbles"),
        ..EVEN
    })
}

static BUSY: AtomicUsize = AtomicUsize::new(0);

fn busy_when_read(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    count(cx, "busy");
    odd(Odd {
        read: || match BUSY.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => Err(RunError::transient(say!("busy", "混み合っています"))),
            _ => Ok(()),
        },
        ..EVEN
    })
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
            "plus" => Some(plus),
            "source" => Some(source),
            "dropped" => Some(dropped),
            "panics-when-read" => Some(panics_when_read),
            "panics-when-asked" => Some(panics_when_asked),
            "busy-when-read" => Some(busy_when_read),
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
pub enum From {
    Number(i64),
    Step(u32),
}

pub fn plan(steps: &[(&str, Lane, Keep, From)]) -> Plan {
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
        signature[..4].copy_from_slice(&(id + 1).to_be_bytes());
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

pub struct World {
    pub folder: tempfile::TempDir,
    pub cancel: Cancel,
    pub api_per_minute: u32,
}

impl World {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            cancel: Cancel::default(),
            api_per_minute: 60_000,
        }
    }

    pub fn env(&self) -> Env {
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

    pub fn options(&self) -> Options {
        Options {
            back_off: Duration::from_millis(1),
            api_per_minute: self.api_per_minute,
            ..Options::default()
        }
    }

    pub fn run(&self, plan: &Plan) -> (Report, Receiver<Event>) {
        let env = self.env();
        let options = self.options();
        let (events, seen) = unbounded();
        (run(plan, &Toys, &env, &options, events), seen)
    }

    pub fn counted(&self, what: &str) -> usize {
        let text = std::fs::read_to_string(self.folder.path().join(what)).unwrap_or_default();
        text.parse().unwrap_or(0)
    }
}

pub fn statuses(report: &Report) -> Vec<Status> {
    report.steps.iter().map(|it| it.status).collect()
}
