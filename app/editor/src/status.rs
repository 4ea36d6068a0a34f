//! What each node does, gathered from a run's events.
//!
//! All times are of work: while the queue is paused the clock stands still, so that neither rates
//! nor the time left suffer from it.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use longtake_graph::{NodeId, Sentence, say};
use longtake_plan::{Lane, Plan, StepId};
use longtake_run::{Event, Failure, Preview, Progress};

/// How far a node is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum State {
    /// Nothing is known.
    #[default]
    Idle,
    /// Its steps wait.
    Queued,
    /// A step of it runs.
    Running,
    /// The store had everything.
    Cached,
    /// All its steps are done.
    Done,
    /// A step failed, with its message.
    Failed(Sentence),
    /// Not tried, since something before it failed or the run was stopped.
    Skipped,
}

/// What a node does.
#[derive(Clone, Debug, Default)]
pub struct NodeStatus {
    /// How far it is.
    pub state: State,
    /// Steps of it in the plan (shots, pieces).
    pub steps: usize,
    /// Of which over.
    pub over: usize,
    /// Of which run now.
    pub running: usize,
    /// Of those over: the store had it.
    pub cached: usize,
    /// Of those over: not tried.
    pub skipped: usize,
    /// Units of the running step: done, in all, name (`step`).
    pub progress: Option<(u64, u64, &'static str)>,
    /// Units per second of the running step, over its last few.
    pub rate: Option<f64>,
    /// A picture of work under way, and a number that changes with it.
    pub preview: Option<(u64, Preview)>,
    /// Seconds its steps took so far.
    pub seconds: f64,
    /// What it had to say.
    pub notes: Vec<Sentence>,
}

/// What a step does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepStatus {
    /// How far it is.
    pub state: StepState,
    /// How much of it is done, 0 to 1.
    pub fraction: f64,
    /// Seconds it took, once it is over.
    pub seconds: f64,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StepState {
    /// Waits.
    #[default]
    Queued,
    /// Runs.
    Running,
    /// The store had it.
    Cached,
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// Not tried.
    Skipped,
}

/// Progress events that a rate is taken from.
const WINDOW: usize = 6;

/// Every node's status in the newest run.
#[derive(Clone, Debug, Default)]
pub struct Status {
    nodes: HashMap<NodeId, NodeStatus>,
    /// Nodes inside of an instance, by its id, in the plan's order.
    inside: HashMap<NodeId, Vec<NodeId>>,
    each: Vec<StepStatus>,
    running: BTreeSet<(Lane, StepId)>,
    /// When a running step told what, the last few.
    told: HashMap<StepId, VecDeque<(f64, u64)>>,
    previews: u64,
    /// Predicted seconds of what is to be done, and of it done; of the whole plan with its lanes
    /// side by side.
    predicted: (f64, f64, f64),
    clock: Clock,
    /// The run is of another document than the open one.
    detached: bool,
    /// The checkpoint being read, and how much of it.
    pub loading: Option<(String, f32)>,
    /// Steps over, steps in all.
    pub steps: (usize, usize),
}

/// Time since a run began, without the time it was held.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    began: Option<Instant>,
    held: Duration,
    holds: Option<Instant>,
}

impl Clock {
    fn seconds(&self, now: Instant) -> f64 {
        let Some(began) = self.began else { return 0.0 };
        let now = self.holds.unwrap_or(now);
        now.saturating_duration_since(began)
            .saturating_sub(self.held)
            .as_secs_f64()
    }

    fn hold(&mut self, on: bool, now: Instant) {
        match self.holds {
            None if on => self.holds = Some(now),
            None => {}
            Some(_) if on => {}
            Some(since) => {
                let held =
                    now.saturating_duration_since(self.began.map_or(since, |it| it.max(since)));
                self.held += held;
                self.holds = None;
            }
        }
    }
}

impl Status {
    /// The status of a node, by lowered id.
    pub fn node(&self, id: &NodeId) -> Option<&NodeStatus> {
        self.nodes.get(id).filter(|_| !self.detached)
    }

    /// The newest preview of any node of the open document.
    pub fn newest_preview(&self) -> Option<(&NodeId, &(u64, Preview))> {
        let nodes = self.nodes.iter().filter(|_| !self.detached);
        let previews = nodes.filter_map(|(id, it)| Some((id, it.preview.as_ref()?)));
        previews.max_by_key(|(_, preview)| preview.0)
    }

    /// The run is not of the open document: its nodes are not to be taken for the open one's. The
    /// run itself is still followed.
    pub fn detach(&mut self) {
        self.detached = true;
    }

    /// The status of an instance of a subgraph: of all nodes inside together. Of any other node its
    /// own.
    pub fn group(&self, id: &NodeId) -> Option<NodeStatus> {
        if self.detached {
            return None;
        }
        if let Some(own) = self.nodes.get(id) {
            return Some(own.clone());
        }
        let members = self.inside.get(id)?;
        let members = || members.iter().filter_map(|it| self.nodes.get(it));
        let mut all = NodeStatus::default();
        let mut failed = None;
        for node in members() {
            all.steps += node.steps;
            all.over += node.over;
            all.running += node.running;
            all.cached += node.cached;
            all.skipped += node.skipped;
            all.seconds += node.seconds;
            all.notes.extend(node.notes.iter().cloned());
            if node.running > 0 {
                (all.progress, all.rate) = (node.progress, node.rate);
            }
            if let State::Failed(message) = &node.state {
                failed.get_or_insert_with(|| message.clone());
            }
        }
        let previews = members().filter_map(|it| it.preview.as_ref());
        all.preview = previews.max_by_key(|it| it.0).cloned();
        all.state = state(&all, failed);
        Some(all)
    }

    /// The status of a step of the plan that runs.
    pub fn step(&self, id: StepId) -> Option<StepStatus> {
        self.each.get(id.0 as usize).copied()
    }

    /// The step that a person would call the present one: the device's, else the oldest.
    pub fn current(&self) -> Option<StepId> {
        self.running.first().map(|(_, step)| *step)
    }

    /// The node of the run's plan, whichever document is open.
    pub fn node_of_run(&self, id: &NodeId) -> Option<&NodeStatus> {
        self.nodes.get(id)
    }

    /// A run of this plan is about to begin.
    pub fn begin(&mut self, plan: &Plan) {
        self.begin_at(plan, Instant::now());
    }

    /// As [`Self::begin`], at a time.
    pub fn begin_at(&mut self, plan: &Plan, now: Instant) {
        let todo = plan.steps.iter().filter(|it| !it.cached && !it.lazy);
        *self = Self {
            previews: self.previews,
            steps: (0, plan.steps.len()),
            each: vec![StepStatus::default(); plan.steps.len()],
            predicted: (todo.map(|it| it.seconds).sum(), 0.0, plan.seconds),
            clock: Clock {
                began: Some(now),
                held: Duration::ZERO,
                holds: self.clock.holds.map(|_| now),
            },
            ..Self::default()
        };
        for step in &plan.steps {
            let id = &step.path.node;
            let known = self.nodes.contains_key(id);
            let node = self.nodes.entry(id.clone()).or_default();
            node.steps += 1;
            node.state = State::Queued;
            if known {
                continue;
            }
            for (at, _) in id.as_str().match_indices(':') {
                let outer = NodeId::new(&id.as_str()[..at]);
                self.inside.entry(outer).or_default().push(id.clone());
            }
        }
    }

    /// The run is held, or goes on.
    pub fn hold(&mut self, on: bool) {
        self.clock.hold(on, Instant::now());
    }

    /// As [`Self::hold`], at a time.
    pub fn hold_at(&mut self, on: bool, now: Instant) {
        self.clock.hold(on, now);
    }

    /// Seconds of work since the run began.
    pub fn seconds(&self) -> f64 {
        self.clock.seconds(Instant::now())
    }

    /// How much of the run is done, 0 to 1, by predicted time.
    pub fn fraction(&self, plan: &Plan) -> f64 {
        let (all, done, _) = self.predicted;
        if all <= 0.0 {
            return (self.steps.0 as f64 / self.steps.1.max(1) as f64).min(1.0);
        }
        let part = |(_, id): &(Lane, StepId)| {
            let fraction = self.step(*id).map_or(0.0, |it| it.fraction);
            plan.steps.get(id.0 as usize).map_or(0.0, |it| it.seconds) * fraction
        };
        let under_way: f64 = self.running.iter().map(part).sum();
        ((done + under_way) / all).clamp(0.0, 1.0)
    }

    /// Seconds of work left in the whole run; `None` while nothing can be said.
    pub fn eta(&self, plan: &Plan) -> Option<f64> {
        self.eta_at(plan, Instant::now())
    }

    /// As [`Self::eta`], at a time.
    pub fn eta_at(&self, plan: &Plan, now: Instant) -> Option<f64> {
        let part = self.fraction(plan);
        let (all, _, whole) = self.predicted;
        if all <= 0.0 || self.steps.0 >= self.steps.1 {
            return None;
        }
        // At first only the prediction is known; what is measured weighs more as it grows.
        let predicted = whole * (1.0 - part);
        let measured = self.clock.seconds(now) * (1.0 - part) / part.max(1e-6);
        let weight = (part * 10.0).min(1.0);
        Some(predicted * (1.0 - weight) + measured * weight)
    }

    /// Takes in an event of that run.
    pub fn see(&mut self, plan: &Plan, event: &Event) {
        self.see_at(plan, event, Instant::now());
    }

    /// As [`Self::see`], at a time.
    pub fn see_at(&mut self, plan: &Plan, event: &Event, now: Instant) {
        if let Event::Loading { name, fraction } = event {
            self.loading = (*fraction < 1.0).then(|| (name.clone(), *fraction));
            return;
        }
        let Some(step) = step_of(event).and_then(|id| plan.steps.get(id.0 as usize)) else {
            return;
        };
        let mut failed = None;
        match event {
            Event::Begun { .. }
            | Event::Loading { .. }
            | Event::Store { .. }
            | Event::Finished { .. } => {}
            Event::Started { .. } => self.started(step),
            Event::Progress { progress, .. } => {
                let seconds = self.clock.seconds(now);
                self.progress(step, progress, seconds);
            }
            Event::Note { text, .. } => self.note(step, text.clone()),
            Event::Adapted { rung, why, .. } => {
                self.note(step, say!("{rung}: {why}", "{rung}: {why}"; why));
            }
            Event::Retrying { error, .. } => self.note(step, error.clone()),
            Event::Done { seconds, .. } => self.over(step, StepState::Done, *seconds),
            Event::Cached { .. } => self.over(step, StepState::Cached, 0.0),
            Event::Skipped { .. } => self.over(step, StepState::Skipped, 0.0),
            Event::Failed {
                failure, message, ..
            } => match failure {
                Failure::Cancelled => self.over(step, StepState::Skipped, 0.0),
                Failure::Transient | Failure::OutOfMemory | Failure::Failed => {
                    self.over(step, StepState::Failed, 0.0);
                    failed = Some(message.clone());
                }
            },
        }
        if let Some(node) = self.nodes.get_mut(&step.path.node) {
            // Of several steps that failed the first one's message stays.
            if let State::Failed(message) = &node.state {
                failed = Some(message.clone());
            }
            node.state = state(node, failed);
        }
    }

    fn note(&mut self, step: &longtake_plan::Step, text: Sentence) {
        if let Some(node) = self.nodes.get_mut(&step.path.node) {
            node.notes.push(text);
        }
    }

    fn started(&mut self, step: &longtake_plan::Step) {
        self.running.insert((step.lane, step.id));
        self.told.remove(&step.id);
        if let Some(each) = self.each.get_mut(step.id.0 as usize) {
            each.state = StepState::Running;
        }
        if let Some(node) = self.nodes.get_mut(&step.path.node) {
            node.running += 1;
            node.progress = None;
            node.rate = None;
        }
    }

    fn progress(&mut self, step: &longtake_plan::Step, progress: &Progress, seconds: f64) {
        let told = self.told.entry(step.id).or_default();
        // A step that is tried again counts anew.
        if told.back().is_some_and(|last| last.1 > progress.done) {
            told.clear();
        }
        told.push_back((seconds, progress.done));
        if told.len() > WINDOW {
            told.pop_front();
        }
        if let Some(each) = self.each.get_mut(step.id.0 as usize) {
            each.fraction = (progress.done as f64 / progress.total.max(1) as f64).min(1.0);
        }
        let Some(node) = self.nodes.get_mut(&step.path.node) else {
            return;
        };
        let rate = told.front().zip(told.back()).and_then(|(first, last)| {
            let (seconds, units) = (last.0 - first.0, last.1.saturating_sub(first.1));
            (seconds > 1e-6 && units > 0).then(|| units as f64 / seconds)
        });
        node.rate = rate.or(node.rate);
        node.progress = Some((progress.done, progress.total, progress.unit));
        if let Some(preview) = &progress.preview {
            self.previews += 1;
            node.preview = Some((self.previews, preview.clone()));
        }
    }

    fn over(&mut self, step: &longtake_plan::Step, state: StepState, seconds: f64) {
        let ran = self.running.remove(&(step.lane, step.id));
        self.told.remove(&step.id);
        if let Some(each) = self.each.get_mut(step.id.0 as usize) {
            *each = StepStatus {
                state,
                fraction: 1.0,
                seconds,
            };
        }
        self.steps.0 += 1;
        if !step.cached && !step.lazy {
            self.predicted.1 += step.seconds;
        }
        let Some(node) = self.nodes.get_mut(&step.path.node) else {
            return;
        };
        node.over += 1;
        node.seconds += seconds;
        node.cached += usize::from(state == StepState::Cached);
        node.skipped += usize::from(state == StepState::Skipped);
        if ran {
            node.running = node.running.saturating_sub(1);
            node.progress = None;
            node.rate = None;
        }
    }
}

/// A node's state from its counts, whatever order its steps ended in.
fn state(node: &NodeStatus, failed: Option<Sentence>) -> State {
    match failed {
        Some(message) => State::Failed(message),
        None if node.running > 0 => State::Running,
        None if node.over < node.steps => State::Queued,
        None if node.skipped > 0 => State::Skipped,
        None if node.cached == node.steps => State::Cached,
        None => State::Done,
    }
}

fn step_of(event: &Event) -> Option<StepId> {
    match event {
        Event::Started { step }
        | Event::Progress { step, .. }
        | Event::Note { step, .. }
        | Event::Retrying { step, .. }
        | Event::Adapted { step, .. }
        | Event::Done { step, .. }
        | Event::Cached { step }
        | Event::Failed { step, .. }
        | Event::Skipped { step } => Some(*step),
        Event::Begun { .. }
        | Event::Loading { .. }
        | Event::Store { .. }
        | Event::Finished { .. } => None,
    }
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
