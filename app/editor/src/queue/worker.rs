//! A job on a thread of its own: compiles, runs, passes on what is told.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crossbeam::channel::{Receiver, unbounded};
use longtake_graph::{Project, Sentence, Severity, say};
use longtake_plan::{Options, Plan};
use longtake_run::{Cancel, Event, Report};

use super::JobState;
use super::disk::both;
use crate::engine::Engine;
use crate::planned::{Wake, panic_text};

/// What the thread tells.
pub(super) enum Told {
    Planned(Arc<Plan>),
    /// An event and when it came: the window may look much later.
    Event(Instant, Event),
    Over(Box<Result<Report, Sentence>>),
}

/// A job under way.
pub(super) struct Running {
    pub cancel: Cancel,
    pub told: Receiver<Told>,
}

/// Starts the thread.
pub(super) fn start(
    engine: Arc<dyn Engine>,
    project: Arc<Project>,
    options: Options,
    wake: Wake,
) -> std::io::Result<Running> {
    let cancel = Cancel::default();
    let (tell, told) = unbounded();
    let asked = cancel.clone();
    let work = move || {
        let run = || {
            work(&*engine, &project, &options, asked, &wake, |it| {
                tell.send(it).is_ok()
            })
        };
        // A panic ends the job, not the queue.
        let outcome = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
            let text = panic_text(&*panic);
            Err(say!(
                "{text} (a bug of Longtake)",
                "{text}(Longtake の不具合です)"
            ))
        });
        let _ = tell.send(Told::Over(Box::new(outcome)));
        wake();
    };
    thread::Builder::new()
        .name("render".to_owned())
        .stack_size(16 << 20)
        .spawn(work)?;
    Ok(Running { cancel, told })
}

/// How a job stands once its thread is through.
pub(super) fn ended(outcome: Result<Report, Sentence>, cancelled: bool) -> JobState {
    match outcome {
        Ok(report) if cancelled => JobState::Cancelled(Some(Arc::new(report))),
        Err(_) if cancelled => JobState::Cancelled(None),
        Err(message) => JobState::Failed(message, None),
        Ok(report) => match &report.error {
            Some(error) => {
                let message = both(error.message.clone(), error.message_ja.clone());
                JobState::Failed(message, Some(Arc::new(report)))
            }
            None => JobState::Done(Arc::new(report)),
        },
    }
}

fn work(
    engine: &dyn Engine,
    project: &Project,
    options: &Options,
    cancel: Cancel,
    wake: &Wake,
    tell: impl Fn(Told) -> bool + Sync,
) -> Result<Report, Sentence> {
    let compiled = engine.compile(project, options);
    let Some(plan) = compiled.plan else {
        let mut errors = compiled.diagnostics.iter();
        let first = errors.find(|it| it.severity == Severity::Error);
        return Err(first.map_or_else(
            || say!("the graph cannot run", "グラフを実行できません"),
            |it| {
                let (place, message) = (it.place.sentence(), &it.message);
                say!("{place}: {message}", "{place}: {message}"; place, message)
            },
        ));
    };
    cancel.check().map_err(|error| error.message)?;
    let plan = Arc::new(plan);
    tell(Told::Planned(plan.clone()));
    let (events, seen) = unbounded();
    thread::scope(|scope| {
        scope.spawn(|| {
            for event in seen {
                tell(Told::Event(Instant::now(), event));
                wake();
            }
        });
        engine.run(project, &plan, cancel, events)
    })
}
