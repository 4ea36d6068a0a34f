//! What each node does, gathered from a run's events.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use longtake_graph::NodeId;
use longtake_plan::{Plan, StepId};
use longtake_run::{Event, Frame};

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
    Failed(String),
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
    /// Units of the running step: done, in all, name (`step`).
    pub progress: Option<(u64, u64, &'static str)>,
    /// Units per second of the running step.
    pub rate: Option<f64>,
    /// A picture of work under way, and a number that changes with it.
    pub preview: Option<(u64, Arc<Frame>)>,
    /// Seconds its steps took so far.
    pub seconds: f64,
    /// What it had to say.
    pub notes: Vec<String>,
}

/// Every node's status in the newest run.
#[derive(Clone, Debug, Default)]
pub struct Status {
    nodes: HashMap<NodeId, NodeStatus>,
    began: HashMap<StepId, (Instant, u64)>,
    previews: u64,
    /// The checkpoint being read, and how much of it.
    pub loading: Option<(String, f32)>,
    /// Steps over, steps in all.
    pub steps: (usize, usize),
}

impl Status {
    /// The status of a node, by lowered id.
    pub fn node(&self, id: &NodeId) -> Option<&NodeStatus> {
        self.nodes.get(id)
    }

    /// A run of this plan is about to begin.
    pub fn begin(&mut self, plan: &Plan) {
        *self = Self {
            previews: self.previews,
            steps: (0, plan.steps.len()),
            ..Self::default()
        };
        for step in &plan.steps {
            let node = self.nodes.entry(step.path.node.clone()).or_default();
            node.steps += 1;
            node.state = State::Queued;
        }
    }

    /// Takes in an event of that run.
    pub fn see(&mut self, plan: &Plan, event: &Event) {
        if let Event::Loading { name, fraction } = event {
            self.loading = (*fraction < 1.0).then(|| (name.clone(), *fraction));
            return;
        }
        let Some(step) = step_of(event) else {
            return;
        };
        let (began, previews) = (&mut self.began, &mut self.previews);
        let Some(node) = plan
            .steps
            .get(step.0 as usize)
            .and_then(|it| self.nodes.get_mut(&it.path.node))
        else {
            return;
        };
        let before = node.over;
        match event {
            Event::Started { .. } => {
                began.insert(step, (Instant::now(), 0));
                node.state = State::Running;
                node.progress = None;
                node.rate = None;
            }
            Event::Progress { progress, .. } => {
                let (at, first) = began.entry(step).or_insert((Instant::now(), progress.done));
                let seconds = at.elapsed().as_secs_f64();
                let units = progress.done.saturating_sub(*first);
                node.rate = (seconds > 0.0 && units > 0).then(|| units as f64 / seconds);
                node.progress = Some((progress.done, progress.total, progress.unit));
                if let Some(preview) = &progress.preview {
                    *previews += 1;
                    node.preview = Some((*previews, Arc::new(preview.0.clone())));
                }
            }
            Event::Note { text, .. } => node.notes.push(text.clone()),
            Event::Adapted { rung, why, .. } => node.notes.push(format!("{rung}: {why}")),
            Event::Retrying { error, .. } => node.notes.push(error.clone()),
            Event::Done { seconds, .. } => {
                node.seconds += seconds;
                node.over += 1;
                node.progress = None;
            }
            Event::Cached { .. } | Event::Skipped { .. } | Event::Failed { .. } => node.over += 1,
            _ => {}
        }
        node.state = next_state(node, event);
        self.steps.0 += node.over - before;
    }
}

fn next_state(node: &NodeStatus, event: &Event) -> State {
    let over = node.over >= node.steps;
    match (event, &node.state) {
        (_, State::Failed(message)) | (Event::Failed { message, .. }, _) => {
            State::Failed(message.clone())
        }
        (Event::Cached { .. }, State::Queued | State::Cached) if over => State::Cached,
        (Event::Skipped { .. }, _) if over => State::Skipped,
        (Event::Done { .. } | Event::Cached { .. }, _) if over => State::Done,
        (Event::Done { .. }, _) => State::Queued,
        (_, state) => state.clone(),
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
        Event::Begun { .. } | Event::Loading { .. } | Event::Finished { .. } => None,
    }
}
