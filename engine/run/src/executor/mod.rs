//! The lanes: threads that take ready steps off the board until nothing is left.

mod attempt;
mod board;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam::channel::Sender;
use longtake_graph::{Sentence, say};
use longtake_plan::{Keep, Lane, Plan, StepId};

use self::attempt::guarded;
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
    /// Stack of a lane's thread: deep models build deep call chains in debug builds.
    pub stack_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cpu_threads: 1,
            api_threads: 4,
            api_per_minute: 30,
            back_off: Duration::from_secs(2),
            stack_bytes: 16 << 20,
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
    // What this run reads and makes stays while it goes on, whoever prunes the store meanwhile.
    let lease = env.store.lease_plan(plan);
    if let Err(error) = &lease {
        shared.tell_of_store(&error.message);
    }
    shared.open_lanes();
    shared.close(begun)
}

/// Ends the sampling, however the run ends.
struct Sampling<'a>(&'a Watch);

impl Drop for Sampling<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Steps that a lane has taken. Whatever happens to the lane, they end: those that are left when this
/// is dropped have failed.
struct Taken<'a, 'b> {
    shared: &'a Shared<'b>,
    steps: Vec<StepId>,
}

impl Drop for Taken<'_, '_> {
    fn drop(&mut self) {
        for step in std::mem::take(&mut self.steps) {
            let error = RunError::failed(say!(
                "the run stumbled over it (a panic: this is a bug of Longtake)",
                "実行中に異常が起きました（Longtake の不具合です）"
            ));
            self.shared.fail(step, &error);
        }
        self.shared.changed.notify_all();
    }
}

/// Drops values of the node layer, whose code that runs.
fn let_go(values: Vec<Value>) {
    for value in values {
        let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
    }
}

impl Shared<'_> {
    fn tell(&self, event: Event) {
        lock(&self.report).see(&event);
        // A listener that went away does not stop the work.
        let _ = self.events.send(event);
    }

    fn tell_of_store(&self, text: &Sentence) {
        let text = text.clone();
        self.tell(Event::Store { text });
    }

    fn sample(&self, bytes: u64) {
        for peak in lock(&self.running).values_mut() {
            *peak = (*peak).max(bytes);
        }
    }

    /// Starts the lanes and comes back when the last has ended.
    fn open_lanes(&self) {
        let watch = Watch::default();
        let wanted = [
            (Lane::Device, 1),
            (Lane::Cpu, self.options.cpu_threads.max(1)),
            (Lane::Api, self.options.api_threads.max(1)),
        ];
        std::thread::scope(|scope| {
            let _sampling = Sampling(&watch);
            let sampler = std::thread::Builder::new().name("memory".to_owned());
            // Without it the report knows no peaks.
            let _ = sampler.spawn_scoped(scope, || watch.sample(|bytes| self.sample(bytes)));
            let mut lanes = Vec::new();
            for (lane, count) in wanted {
                if lane == Lane::Api && !self.plan.steps.iter().any(|it| it.lane == lane) {
                    continue;
                }
                let start = |n: usize| {
                    std::thread::Builder::new()
                        .name(format!("{lane:?}-{n}"))
                        .stack_size(self.options.stack_bytes)
                        .spawn_scoped(scope, move || self.work(lane))
                };
                let started: Vec<_> = (0..count).map(start).collect();
                let mut refused = None;
                let before = lanes.len();
                for lane in started {
                    match lane {
                        Ok(lane) => lanes.push(lane),
                        Err(error) => refused = Some(error),
                    }
                }
                // Fewer than wanted do the same work.
                if let Some(error) = refused.filter(|_| lanes.len() == before) {
                    self.give_up(lane, &error);
                }
            }
            for lane in lanes {
                let _ = lane.join();
            }
        });
    }

    /// Nobody is there to do a lane's steps: they fail, and what needs them is lost.
    fn give_up(&self, lane: Lane, error: &std::io::Error) {
        let error = RunError::failed(say!(
            "the system starts no thread for it: {error}; close other programs and run the same \
             command again",
            "システムがスレッドを開始できません: {error}。ほかのプログラムを終了してから、同じコマンドをもう一度実行してください"
        ));
        loop {
            let first = lock(&self.board).first_of(lane);
            let Some(step) = first else { return };
            self.fail(step, &error);
            self.changed.notify_all();
        }
    }

    /// One lane's thread: takes steps until the board says there is nothing more.
    fn work(&self, lane: Lane) {
        while let Some(step) = self.next(lane) {
            let turn = || {
                let taken = Taken {
                    shared: self,
                    steps: vec![step],
                };
                if lane == Lane::Api {
                    self.await_turn();
                }
                self.run_steps(taken);
            };
            // What panics here is our own bookkeeping: that step has failed, the lane goes on.
            let _ = catch_unwind(AssertUnwindSafe(turn));
        }
        self.changed.notify_all();
    }

    /// The next step of a lane, or none when there is nothing more.
    fn next(&self, lane: Lane) -> Option<StepId> {
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
                Next::Step(id) => return Some(id),
                Next::Over => return None,
                // A timeout, since a cancel rings no bell.
                Next::Wait => {
                    let most = Duration::from_millis(100);
                    let waited = self.changed.wait_timeout(board, most);
                    board = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
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

    /// Runs a step, then the recipes that it makes ready: those cost nothing and are built at once, on
    /// this thread.
    fn run_steps(&self, mut taken: Taken<'_, '_>) {
        while let Some(id) = taken.steps.last().copied() {
            let ready = self.run_step(id);
            taken.steps.pop();
            taken.steps.extend(ready);
            self.changed.notify_all();
        }
    }

    fn run_step(&self, id: StepId) -> Vec<StepId> {
        let begun = Instant::now();
        let held = self.env.cancel.held();
        self.tell(Event::Started { step: id });
        let outcome = guarded(self.nodes, || self.attempt(id));
        if let Some(peak) = lock(&self.running).remove(&id) {
            lock(&self.peaks).insert(id, peak);
        }
        match outcome {
            Ok(values) => {
                let ended = lock(&self.board).done(self.plan, id, values);
                let_go(ended.freed);
                if !self.plan.step(id).lazy {
                    // What the step freed is not the next one's to answer for.
                    crate::memory::give_back();
                }
                self.tell(Event::Done {
                    step: id,
                    seconds: self.worked(begun, held),
                });
                ended.steps
            }
            Err(error) => {
                self.fail(id, &error);
                Vec::new()
            }
        }
    }

    /// Seconds since then, without the time the run was held; `held` is what [`crate::Cancel::held`] said.
    fn worked(&self, begun: Instant, held: Duration) -> f64 {
        let held = self.env.cancel.held().saturating_sub(held);
        begun.elapsed().saturating_sub(held).as_secs_f64()
    }

    /// Puts a result where it belongs.
    fn keep(&self, id: StepId, values: &[Value]) -> Result<Vec<Value>, RunError> {
        let step = self.plan.step(id);
        if step.writes.len() != values.len() && step.keep != Keep::Output {
            return Err(RunError::failed(say!(
                "{} declares {} outputs and made {}; this is a bug of Longtake",
                "{} の出力は {} 個のはずですが、{} 個作られました。Longtake の不具合です",
                step.class,
                step.writes.len(),
                values.len()
            )));
        }
        if step.keep == Keep::Output {
            let files = values.iter().filter_map(|value| match value {
                Value::Files(files) => Some(files),
                Value::Clip(_)
                | Value::Latent(_)
                | Value::Conditioning(_)
                | Value::Segment(_)
                | Value::Json(_) => None,
            });
            let node = step.path.node.to_string();
            let report = &mut *lock(&self.report);
            for path in files.flatten() {
                // A second try to put it away tells of it no second time.
                if !report.outputs.iter().any(|it| it.path == *path) {
                    report.outputs.push(OutputReport {
                        node: node.clone(),
                        path: path.clone(),
                    });
                }
            }
        }
        match step.keep {
            Keep::Store | Keep::Output => self.env.store.save(step, values),
            Keep::Memory => Ok(values.to_vec()),
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
        let failed = lock(&self.board).fail(self.plan, id);
        let Some(ended) = failed else { return };
        let_go(ended.freed);
        self.tell(Event::Failed {
            step: id,
            failure: error.failure,
            message,
        });
        for step in ended.steps {
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
        let left = lock(&self.board).empty();
        let_go(left);
        self.models.clear();
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
        let seconds = self.worked(begun, Duration::ZERO);
        match self.env.store.keep_limit() {
            Ok(pruned) => {
                if let Some(text) = pruned.and_then(|it| it.told()) {
                    self.tell_of_store(&text);
                }
            }
            Err(error) => self.tell_of_store(&error.message),
        }
        self.tell(Event::Finished {
            cancelled,
            failed,
            seconds,
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
