//! What a run tells while it goes on. The editor and the command line draw the same events.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use longtake_plan::StepId;

use crate::{Failure, Frame, RunError};

/// A shared wish to stop. Cheap to ask.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks the run to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether someone asked.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// `Err` once someone asked.
    ///
    /// # Errors
    /// [`Failure::Cancelled`].
    pub fn check(&self) -> Result<(), RunError> {
        if self.is_cancelled() {
            Err(RunError::cancelled())
        } else {
            Ok(())
        }
    }
}

/// A small picture of work under way.
#[derive(Clone, Debug)]
pub struct Preview(pub Frame);

/// How far a step is.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Units done.
    pub done: u64,
    /// Units in all.
    pub total: u64,
    /// What a unit is (`step`, `frame`, `block`).
    pub unit: &'static str,
    /// A picture, now and then.
    pub preview: Option<Preview>,
}

/// Something happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The run begins.
    Begun { steps: usize, cached: usize },
    /// A checkpoint is being read.
    Loading { name: String, fraction: f32 },
    /// A step began.
    Started { step: StepId },
    /// A step goes on.
    Progress { step: StepId, progress: Progress },
    /// A step has something to say that a person would want to know.
    Note { step: StepId, text: String },
    /// A step is tried again.
    Retrying {
        step: StepId,
        attempt: u32,
        after: Duration,
        error: String,
    },
    /// A step goes on in a lesser way.
    Adapted {
        step: StepId,
        rung: String,
        why: String,
    },
    /// A step is done.
    Done { step: StepId, seconds: f64 },
    /// The store had a step's result.
    Cached { step: StepId },
    /// A step failed.
    Failed {
        step: StepId,
        failure: Failure,
        message: String,
    },
    /// A step was not tried, since one it needs failed or the run was cancelled.
    Skipped { step: StepId },
    /// The run is over.
    Finished {
        cancelled: bool,
        failed: usize,
        seconds: f64,
    },
}
