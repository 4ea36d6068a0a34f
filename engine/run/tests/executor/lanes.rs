//! Whatever happens to a lane, a run ends, and what it can still do is done.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crossbeam::channel::{Receiver, unbounded};
use longtake_plan::{Keep, Lane, Plan, StepInput, ValueId};
use longtake_run::report::Status;
use longtake_run::{Event, Failure, Options, Report, Store, Value, run};
use serde_json::json;

use crate::toys::{From, Toys, World, plan, statuses};

use Keep::{Memory, Store as Stored};
use Lane::{Api, Cpu, Device as Gpu};
use Status::{Done, Failed, Skipped};

/// A run that is expected to end soon, and who listens to it.
fn ends(
    plan: Plan,
    change: impl FnOnce(&mut Options),
    listen: impl FnOnce(Receiver<Event>) + Send + 'static,
) -> (Report, World) {
    let world = World::new();
    let mut options = world.options();
    change(&mut options);
    let (ended, waits) = mpsc::channel();
    let (events, seen) = unbounded();
    let listener = thread::spawn(move || listen(seen));
    thread::spawn(move || {
        let env = world.env();
        let report = run(&plan, &Toys, &env, &options, events);
        let _ = ended.send((report, world));
    });
    let outcome = waits.recv_timeout(Duration::from_mins(1));
    // First this: whoever listens to a run that never ends does not end either.
    let outcome = outcome.expect("the run never ends");
    let _ = listener.join();
    outcome
}

fn all(seen: Receiver<Event>) {
    seen.into_iter().for_each(drop);
}

#[test]
fn a_panic_while_results_are_put_away_fails_that_step_and_the_others_go_on() {
    for class in ["panics-when-read", "panics-when-asked"] {
        let plan = plan(&[
            (class, Gpu, Stored, From::Number(0)),
            ("add", Cpu, Memory, From::Step(0)),
            ("add", Gpu, Memory, From::Number(1)),
            ("add", Api, Memory, From::Step(2)),
        ]);
        let signature = plan.steps[0].signature;
        let (report, world) = ends(plan, |_| {}, all);
        assert_eq!(statuses(&report), [Failed, Skipped, Done, Done], "{class}");
        let error = report.error.unwrap();
        assert_eq!(error.kind, Failure::Failed);
        assert!(error.message.contains("stumbles"), "{}", error.message);
        let store = Store::open(&world.folder.path().join("store")).unwrap();
        assert!(!store.has(&signature, &|_| true));
    }
}

#[test]
fn what_could_not_be_put_away_at_first_is_not_made_again() {
    let plan = plan(&[("busy-when-read", Gpu, Stored, From::Number(0))]);
    let (report, world) = ends(plan, |_| {}, all);
    assert_eq!(statuses(&report), [Done]);
    assert_eq!(report.steps[0].attempts, 3);
    assert_eq!(world.counted("busy"), 1);
}

#[test]
fn a_listener_that_goes_away_does_not_stop_the_work() {
    let never = |seen: Receiver<Event>| drop(seen);
    let midway = |seen: Receiver<Event>| {
        let few: Vec<Event> = seen.iter().take(3).collect();
        panic!("a view that stumbles after {} events", few.len());
    };
    let listeners: [fn(Receiver<Event>); 2] = [never, midway];
    for listen in listeners {
        let plan = plan(&[
            ("add", Gpu, Memory, From::Number(1)),
            ("add", Cpu, Memory, From::Step(0)),
            ("add", Gpu, Memory, From::Step(1)),
        ]);
        let (report, _) = ends(plan, |_| {}, listen);
        assert_eq!(statuses(&report), [Done; 3]);
    }
}

#[test]
fn lanes_that_cannot_be_started_fail_their_steps_and_the_run_ends() {
    let plan = plan(&[
        ("add", Gpu, Memory, From::Number(1)),
        ("add", Cpu, Memory, From::Step(0)),
        ("add", Cpu, Memory, From::Number(1)),
        ("add", Api, Memory, From::Step(2)),
    ]);
    // No machine has that much room for a stack.
    let (report, _) = ends(plan, |options| options.stack_bytes = 1 << 50, all);
    assert_eq!(statuses(&report), [Failed, Skipped, Failed, Skipped]);
    let message = report.error.unwrap().message;
    assert!(message.contains("starts no thread"), "{message}");
}

#[test]
fn recipes_in_a_long_row_do_not_pile_up_on_the_stack() {
    const MANY: u32 = 20_000;
    let mut lines = vec![("plus", Gpu, Memory, From::Number(0))];
    lines.extend((0..MANY).map(|n| ("plus", Gpu, Memory, From::Step(n))));
    let mut plan = plan(&lines);
    for step in &mut plan.steps[1..] {
        step.lazy = true;
    }
    let (report, _) = ends(plan, |options| options.stack_bytes = 1 << 20, all);
    assert!(statuses(&report).iter().all(|it| *it == Done));
}

#[test]
fn what_only_failed_and_lost_steps_would_read_is_let_go_at_once() {
    let mut plan = plan(&[
        ("source", Gpu, Memory, From::Number(0)),
        ("broken", Gpu, Memory, From::Step(0)),
        ("dropped", Gpu, Stored, From::Number(0)),
        ("source", Gpu, Memory, From::Number(0)),
        ("broken", Gpu, Memory, From::Number(0)),
        ("add", Cpu, Memory, From::Step(3)),
        ("dropped", Gpu, Stored, From::Number(1)),
    ]);
    // Needs the source and the step that fails: it is lost, and with it the last reader.
    let failed = StepInput::Value(ValueId(4));
    plan.steps[5].inputs.insert("b".to_owned(), failed);
    let counts = [plan.steps[2].signature, plan.steps[6].signature];
    let (report, world) = ends(plan, |_| {}, all);
    let expected = [Done, Failed, Done, Done, Failed, Skipped, Done];
    assert_eq!(statuses(&report), expected);
    let store = Store::open(&world.folder.path().join("store")).unwrap();
    for (signature, wanted) in counts.iter().zip(1..) {
        let made = store.load(signature).unwrap();
        assert!(
            matches!(&made[..], [Value::Json(it)] if *it == json!(wanted)),
            "{made:?}, expected {wanted}"
        );
    }
}
