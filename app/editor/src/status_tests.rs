//! Scripted events and what they say of nodes.

#![allow(clippy::unwrap_used, reason = "in tests a panic is a failure")]

use longtake_run::{Frame, Pixels, Preview};

use super::*;
use crate::engine::Engine;
use crate::testing::{Fake, small};

/// The plan of the small graph; nodes 6 and 7 are renamed into an instance, and node 3 runs twice.
fn plan() -> Plan {
    let mut plan = Fake::default()
        .compile(&small(), &longtake_plan::Options::default())
        .plan
        .unwrap();
    for step in &mut plan.steps {
        let id = match step.path.node.as_str() {
            "6" => "12:6",
            "7" => "12:4:7",
            "4" => "3",
            other => other,
        };
        step.path.node = NodeId::new(id);
        step.seconds = 10.0;
    }
    plan.seconds = 10.0 * plan.steps.len() as f64;
    plan
}

struct Script {
    plan: Plan,
    status: Status,
    start: Instant,
}

impl Script {
    fn new() -> Self {
        let (plan, start) = (plan(), Instant::now());
        let mut status = Status::default();
        status.begin_at(&plan, start);
        Self {
            plan,
            status,
            start,
        }
    }

    /// Steps of a node.
    fn steps(&self, node: &str) -> Vec<StepId> {
        let of = self
            .plan
            .steps
            .iter()
            .filter(|it| it.path.node.as_str() == node);
        of.map(|it| it.id).collect()
    }

    fn at(&mut self, seconds: f64, event: Event) -> &mut Self {
        let now = self.start + Duration::from_secs_f64(seconds);
        self.status.see_at(&self.plan, &event, now);
        self
    }

    fn state(&self, node: &str) -> State {
        self.status.node(&NodeId::new(node)).unwrap().state.clone()
    }
}

fn progress(step: StepId, done: u64, total: u64) -> Event {
    let frame = Frame::new(1, 1, 3, Pixels::U8(vec![done as u8; 3]));
    Event::Progress {
        step,
        progress: Progress {
            done,
            total,
            unit: "step",
            preview: Some(Preview::Frame(frame)),
        },
    }
}

fn failed(step: StepId, failure: Failure) -> Event {
    Event::Failed {
        step,
        failure,
        message: no_memory(),
    }
}

fn no_memory() -> Sentence {
    longtake_graph::say!("no memory", "メモリが足りません")
}

#[test]
fn a_node_of_several_steps_is_done_when_all_are() {
    let mut it = Script::new();
    let steps = it.steps("3");
    assert_eq!(steps.len(), 2);
    assert_eq!(it.state("3"), State::Queued);
    it.at(0.0, Event::Started { step: steps[0] });
    assert_eq!(it.state("3"), State::Running);
    it.at(
        2.0,
        Event::Done {
            step: steps[0],
            seconds: 2.0,
        },
    );
    assert_eq!(it.state("3"), State::Queued, "the other waits");
    it.at(2.0, Event::Cached { step: steps[1] });
    assert_eq!(it.state("3"), State::Done, "not all of it was cached");
    let node = it.status.node(&NodeId::new("3")).unwrap();
    assert_eq!((node.over, node.cached, node.seconds), (2, 1, 2.0));
}

#[test]
fn two_steps_of_a_node_side_by_side() {
    let mut it = Script::new();
    let steps = it.steps("3");
    it.at(0.0, Event::Started { step: steps[0] });
    it.at(0.0, Event::Started { step: steps[1] });
    it.at(
        1.0,
        Event::Done {
            step: steps[0],
            seconds: 1.0,
        },
    );
    assert_eq!(it.state("3"), State::Running);
    it.at(1.0, failed(steps[1], Failure::Failed));
    assert_eq!(it.state("3"), State::Failed(no_memory()));
}

#[test]
fn cached_failed_skipped() {
    let mut it = Script::new();
    let (one, two, three) = (it.steps("1")[0], it.steps("2")[0], it.steps("5")[0]);
    it.at(0.0, Event::Cached { step: one });
    it.at(0.0, Event::Started { step: two });
    it.at(0.0, failed(two, Failure::Failed));
    it.at(0.0, Event::Skipped { step: three });
    assert_eq!(it.state("1"), State::Cached);
    assert_eq!(it.state("2"), State::Failed(no_memory()));
    assert_eq!(it.state("5"), State::Skipped);
    assert_eq!(it.status.steps.0, 3);
    assert_eq!(it.status.step(two).unwrap().state, StepState::Failed);
    assert_eq!(it.status.current(), None);
}

#[test]
fn a_cancelled_step_did_not_fail() {
    let mut it = Script::new();
    let step = it.steps("12:6")[0];
    it.at(0.0, Event::Started { step });
    it.at(1.0, failed(step, Failure::Cancelled));
    assert_eq!(it.state("12:6"), State::Skipped);
}

#[test]
fn a_rate_is_of_the_last_few_units() {
    let mut it = Script::new();
    let step = it.steps("12:6")[0];
    it.at(0.0, Event::Started { step });
    // Slow at first, as when a model warms up; then two a second.
    it.at(100.0, progress(step, 1, 20));
    let rate = |it: &Script| it.status.node(&NodeId::new("12:6")).unwrap().rate;
    assert_eq!(rate(&it), None, "one point makes no rate");
    for n in 2..12 {
        it.at(100.0 + n as f64 / 2.0, progress(step, n, 20));
    }
    assert!((rate(&it).unwrap() - 2.0).abs() < 1e-9, "{:?}", rate(&it));
    // Held for an hour: the clock stands still.
    let now = it.start + Duration::from_secs_f64(105.6);
    it.status.hold_at(true, now);
    it.status.hold_at(false, now + Duration::from_hours(1));
    it.at(3600.0 + 106.0, progress(step, 12, 20));
    assert!((rate(&it).unwrap() - 2.0).abs() < 1e-6, "{:?}", rate(&it));
    // Tried again from the start.
    let error = longtake_graph::say!("busy", "混み合っています");
    let after = Duration::ZERO;
    it.at(
        3707.0,
        Event::Retrying {
            step,
            attempt: 2,
            after,
            error,
        },
    );
    it.at(3708.0, progress(step, 1, 20));
    it.at(3712.0, progress(step, 2, 20));
    assert!((rate(&it).unwrap() - 0.25).abs() < 1e-9);
    assert_eq!(it.state("12:6"), State::Running);
    let node = it.status.node(&NodeId::new("12:6")).unwrap();
    assert_eq!(node.notes[0].ja, "混み合っています");
    it.at(3713.0, Event::Done { step, seconds: 5.0 });
    assert_eq!(rate(&it), None);
}

#[test]
fn an_instance_is_all_that_is_inside() {
    let mut it = Script::new();
    let (sampler, decode) = (it.steps("12:6")[0], it.steps("12:4:7")[0]);
    let group = |it: &Script, id: &str| it.status.group(&NodeId::new(id));
    assert!(group(&it, "1x").is_none());
    assert_eq!(group(&it, "12").unwrap().steps, 2);
    assert_eq!(group(&it, "12:4").unwrap().steps, 1);
    it.at(0.0, Event::Started { step: sampler });
    it.at(1.0, progress(sampler, 3, 20));
    let all = group(&it, "12").unwrap();
    assert_eq!(all.state, State::Running);
    assert_eq!(all.progress, Some((3, 20, "step")));
    assert!(all.preview.is_some());
    assert_eq!(group(&it, "12:4").unwrap().state, State::Queued);
    it.at(
        2.0,
        Event::Done {
            step: sampler,
            seconds: 2.0,
        },
    );
    assert_eq!(group(&it, "12").unwrap().state, State::Queued);
    it.at(2.0, failed(decode, Failure::OutOfMemory));
    assert_eq!(group(&it, "12").unwrap().state, State::Failed(no_memory()));
    assert_eq!(group(&it, "5").unwrap().steps, 1, "a plain node is itself");
}

#[test]
fn time_left_moves_from_prediction_to_measurement() {
    let mut it = Script::new();
    let count = it.plan.steps.len();
    let eta = |it: &Script, seconds: f64| {
        let now = it.start + Duration::from_secs_f64(seconds);
        it.status.eta_at(&it.plan, now)
    };
    assert!((eta(&it, 0.0).unwrap() - 10.0 * count as f64).abs() < 1e-6);
    // Everything takes twice as long as predicted.
    for n in 0..count / 2 {
        let step = StepId(n as u32);
        it.at(0.0, Event::Started { step });
        it.at(
            20.0,
            Event::Done {
                step,
                seconds: 20.0,
            },
        );
    }
    let half = 20.0 * (count / 2) as f64;
    assert!(
        (eta(&it, half).unwrap() - half).abs() < 1e-6,
        "{:?}",
        eta(&it, half)
    );
    let step = StepId((count / 2) as u32);
    it.at(half, Event::Started { step });
    it.at(half + 10.0, progress(step, 10, 20));
    let fraction = it.status.fraction(&it.plan);
    assert!((fraction - (count as f64 / 2.0 + 0.5) / count as f64).abs() < 1e-9);
    for n in count / 2..count {
        it.at(
            0.0,
            Event::Done {
                step: StepId(n as u32),
                seconds: 1.0,
            },
        );
    }
    assert_eq!(eta(&it, half), None, "nothing is left");
    assert!((it.status.fraction(&it.plan) - 1.0).abs() < 1e-9);
}
