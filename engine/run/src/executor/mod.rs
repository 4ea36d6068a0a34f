//! The lanes: threads that take ready steps off the board until nothing is left.

mod attempt;
mod board;

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam::channel::Sender;
use longtake_graph::{Sentence, say};
use longtake_plan::{Keep, Lane, Plan, StepId};

use self::board::{Board, Next};
use crate::memory::Watch;
use crate::report::OutputReport;
use crate::{Env, Event, Failure, Models, Nodes, Report, RunError, Value};

/// How a run goes about its work.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads of the processor pool.
    pub cpu_threads: usize,
    /// Threads of the API lane.
    pub api_threads: usize,
    /// Calls the API lane may begin per minute.
    pub api_per_minute: u32,
    /// First pause before a transient failure is tried again; doubles each time.
    pub back_off: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cpu_threads: 1,
            api_threads: 4,
            api_per_minute: 30,
            back_off: Duration::from_secs(2),
        }
    }
}

/// Times a transient failure is tried again.
pub const RETRIES: u32 = 3;

/// What the lanes share.
struct Shared<'a> {
    plan: &'a Plan,
    nodes: &'a dyn Nodes,
    env: &'a Env,
    options: &'a Options,
    models: Models,
    board: Mutex<Board>,
    changed: Condvar,
    events: Sender<Event>,
    report: Mutex<Report>,
    /// Steps running now, each with the highest memory use seen meanwhile.
    running: Mutex<BTreeMap<StepId, u64>>,
    peaks: Mutex<BTreeMap<StepId, u64>>,
    next_call: Mutex<Instant>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a plan to its end and reports. Failures are in the report, never a panic: steps that do not
/// need a failed one still run, so that a night's work is not lost to one bad shot.
pub fn run(
    plan: &Plan,
    nodes: &dyn Nodes,
    env: &Env,
    options: &Options,
    events: Sender<Event>,
) -> Report {
    let begun = Instant::now();
    let shared = Shared {
        plan,
        nodes,
        env,
        options,
        models: Models::default(),
        board: Mutex::new(Board::new(plan)),
        changed: Condvar::new(),
        events,
        report: Mutex::new(Report::new(plan)),
        running: Mutex::default(),
        peaks: Mutex::default(),
        next_call: Mutex::new(begun),
    };
    let cached = plan.steps.iter().filter(|it| it.cached).count();
    shared.tell(Event::Begun {
        steps: plan.steps.len(),
        cached,
    });
    for step in plan.steps.iter().filter(|it| it.cached) {
        shared.tell(Event::Cached { step: step.id });
    }
    let watch = Watch::default();
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch.sample(|bytes| shared.sample(bytes)));
        let mut lanes = vec![(Lane::Device, 0)];
        lanes.extend((0..options.cpu_threads.max(1)).map(|n| (Lane::Cpu, n)));
        if plan.steps.iter().any(|it| it.lane == Lane::Api) {
            lanes.extend((0..options.api_threads.max(1)).map(|n| (Lane::Api, n)));
        }
        let workers: Vec<_> = lanes
            .into_iter()
            .map(|(lane, n)| {
                let shared = &shared;
                let name = format!("{lane:?}-{n}");
                std::thread::Builder::new()
                    .name(name)
                    // Deep models build deep call chains in debug builds.
                    .stack_size(16 << 20)
                    .spawn_scoped(scope, move || shared.work(lane))
            })
            .collect();
        for worker in workers.into_iter().flatten() {
            let _ = worker.join();
        }
        watch.stop();
        let _ = watcher.join();
    });
    shared.close(begun)
}

impl Shared<'_> {
    fn tell(&self, event: Event) {
        lock(&self.report).see(&event);
        // A listener that went away does not stop the work.
        let _ = self.events.send(event);
    }

    fn sample(&self, bytes: u64) {
        for peak in lock(&self.running).values_mut() {
            *peak = (*peak).max(bytes);
        }
    }

    /// One lane's thread: takes steps until the board says there is nothing more.
    fn work(&self, lane: Lane) {
        loop {
            let step = {
                let mut board = lock(&self.board);
                loop {
                    let cancel = &self.env.cancel;
                    if cancel.is_cancelled() {
                        board.stop();
                    } else if cancel.is_paused() {
                        let waited = self.changed.wait_timeout(board, crate::event::HOLD);
                        board = waited.unwrap_or_else(PoisonError::into_inner).0;
                        continue;
                    }
                    match board.take(lane) {
                        Next::Step(id) => break id,
                        Next::Over => {
                            self.changed.notify_all();
                            return;
                        }
                        // A timeout, since a cancel rings no bell.
                        Next::Wait => {
                            let waited =
                                self.changed.wait_timeout(board, Duration::from_millis(100));
                            board = waited.unwrap_or_else(PoisonError::into_inner).0;
                        }
                    }
                }
            };
            if lane == Lane::Api {
                self.await_turn();
            }
            self.run_step(step);
            self.changed.notify_all();
        }
    }

    /// Spaces the calls of the API lane evenly.
    fn await_turn(&self) {
        let gap = Duration::from_mins(1) / self.options.api_per_minute.max(1);
        let at = {
            let mut next = lock(&self.next_call);
            let at = (*next).max(Instant::now());
            *next = at + gap;
            at
        };
        while Instant::now() < at && !self.env.cancel.is_cancelled() {
            std::thread::sleep(Duration::from_millis(20).min(at - Instant::now()));
        }
    }

    fn run_step(&self, id: StepId) {
        let begun = Instant::now();
        let held = self.env.cancel.held();
        self.tell(Event::Started { step: id });
        let outcome = self.attempt(id).and_then(|values| self.keep(id, values));
        if let Some(peak) = lock(&self.running).remove(&id) {
            lock(&self.peaks).insert(id, peak);
        }
        match outcome {
            Ok(values) => {
                if !self.plan.step(id).lazy {
                    // What the step freed is not the next one's to answer for.
                    crate::memory::give_back();
                }
                let ready = lock(&self.board).done(self.plan, id, values);
                self.tell(Event::Done {
                    step: id,
                    seconds: self.worked(begun, held),
                });
                // Recipes cost nothing: they are built at once, on this thread.
                for lazy in ready {
                    self.run_step(lazy);
                }
            }
            Err(error) => self.fail(id, &error),
        }
    }

    /// Seconds since then, without the time the run was held; `held` is what [`crate::Cancel::held`] said.
    fn worked(&self, begun: Instant, held: Duration) -> f64 {
        let held = self.env.cancel.held().saturating_sub(held);
        begun.elapsed().saturating_sub(held).as_secs_f64()
    }

    /// Puts a result where it belongs.
    fn keep(&self, id: StepId, values: Vec<Value>) -> Result<Vec<Value>, RunError> {
        let step = self.plan.step(id);
        if step.writes.len() != values.len() && step.keep != Keep::Output {
            return Err(RunError::failed(format!(
                "{} declares {} outputs and made {}; this is a bug of Longtake",
                step.class,
                step.writes.len(),
                values.len()
            )));
        }
        if step.keep == Keep::Output {
            let files = values.iter().filter_map(|value| match value {
                Value::Files(files) => Some(files),
                _ => None,
            });
            let node = step.path.node.to_string();
            let outputs = files.flatten().map(|path| OutputReport {
                node: node.clone(),
                path: path.clone(),
            });
            lock(&self.report).outputs.extend(outputs);
        }
        match step.keep {
            Keep::Store | Keep::Output => self.env.store.save(step, &values),
            Keep::Memory => Ok(values),
        }
    }

    fn fail(&self, id: StepId, error: &RunError) {
        let step = self.plan.step(id);
        let shot = step
            .path
            .shot
            .as_ref()
            .map_or(Sentence::default(), |(_, id)| {
                say!(", shot {id}", "、ショット {id}")
            });
        let message = match error.failure {
            Failure::Cancelled => error.message.clone(),
            Failure::Transient | Failure::OutOfMemory | Failure::Failed => {
                let why = &error.message;
                say!(
                    "node {} ({}){shot}: {why}",
                    "ノード {} ({}){shot}: {why}",
                    step.path.node,
                    step.class;
                    shot, why
                )
            }
        };
        let skipped = lock(&self.board).fail(id);
        self.tell(Event::Failed {
            step: id,
            failure: error.failure,
            message,
        });
        for step in skipped {
            self.tell(Event::Skipped { step });
        }
    }

    fn close(self, begun: Instant) -> Report {
        let plan = self.plan;
        let skipped = lock(&self.board).unfinished();
        for step in &skipped {
            self.tell(Event::Skipped { step: *step });
        }
        let cancelled = self.env.cancel.is_cancelled();
        let failed = lock(&self.report)
            .steps
            .iter()
            .filter(|it| it.status == crate::report::Status::Failed)
            .count();
        self.models.clear();
        let _ = std::fs::remove_dir_all(&self.env.scratch);
        let mut cached_outputs = Vec::new();
        for id in plan.outputs.iter().filter(|id| plan.step(**id).cached) {
            let step = plan.step(*id);
            for value in self.env.store.load(&step.signature).unwrap_or_default() {
                if let Value::Files(files) = value {
                    let node = step.path.node.to_string();
                    cached_outputs.extend(files.into_iter().map(|path| OutputReport {
                        node: node.clone(),
                        path,
                    }));
                }
            }
        }
        self.tell(Event::Finished {
            cancelled,
            failed,
            seconds: self.worked(begun, Duration::ZERO),
        });
        let mut report = self
            .report
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        report.outputs.extend(cached_outputs);
        report.close(plan, &self.models, &lock(&self.peaks));
        if cancelled && report.error.is_none() {
            report.error = Some(crate::report::ErrorReport {
                node: None,
                class: None,
                shot: None,
                kind: Failure::Cancelled,
                message: RunError::cancelled().message.en,
                message_ja: RunError::cancelled().message.ja,
            });
        }
        report
    }
}
