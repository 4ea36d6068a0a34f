//! A job: a graph to render, and what became of it.

use std::sync::Arc;
use std::time::SystemTime;

use longtake_graph::{Project, Sentence};
use longtake_plan::{Options, Plan};
use longtake_run::Report;

/// A job's number, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// How far a job is.
#[derive(Clone, Debug)]
pub enum JobState {
    /// Waits for its turn.
    Waiting,
    /// Runs.
    Running,
    /// Over, with everything done.
    Done(Arc<Report>),
    /// Over; a step failed, or it could not begin.
    Failed(Sentence, Option<Arc<Report>>),
    /// Stopped by a person; what it had done by then, if it had begun.
    Cancelled(Option<Arc<Report>>),
}

/// A graph to render.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// Name of the document.
    pub title: String,
    /// The document as it was when it was queued. Of ended jobs it lies on the disk: see
    /// [`super::Queue::project`].
    pub project: Option<Arc<Project>>,
    /// What of it is wanted.
    pub options: Options,
    /// How far it is.
    pub state: JobState,
    /// When it was queued.
    pub queued: SystemTime,
    /// When it began.
    pub began: Option<SystemTime>,
    /// When it ended.
    pub ended: Option<SystemTime>,
    /// The program ended while it ran; its finished steps are in the store.
    pub interrupted: bool,
    /// What it compiled into, once it ran; of the newest only.
    pub plan: Option<Arc<Plan>>,
    /// Which of the open documents it is of; 0: of none.
    pub(super) document: u64,
}

impl Job {
    /// What its run left, if it came that far.
    pub fn report(&self) -> Option<&Arc<Report>> {
        match &self.state {
            JobState::Done(report) => Some(report),
            JobState::Failed(_, report) | JobState::Cancelled(report) => report.as_ref(),
            JobState::Waiting | JobState::Running => None,
        }
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        match self.state {
            JobState::Waiting | JobState::Running => false,
            JobState::Done(_) | JobState::Failed(..) | JobState::Cancelled(_) => true,
        }
    }
}

/// Forgets the steps of a report; sums and outputs stay.
pub(super) fn slim(state: &mut JobState) {
    let report = match state {
        JobState::Done(report) => Some(report),
        JobState::Failed(_, report) | JobState::Cancelled(report) => report.as_mut(),
        JobState::Waiting | JobState::Running => None,
    };
    if let Some(report) = report {
        Arc::make_mut(report).steps = Vec::new();
    }
}
