//! What a run tells while it goes on. The editor and the command line draw the same events.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use longtake_graph::Sentence;
use longtake_plan::StepId;

use crate::{Failure, Frame, RunError};

/// A shared wish to stop, or to hold for a while. Cheap to ask.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<Wishes>);

#[derive(Debug, Default)]
struct Wishes {
    cancelled: AtomicBool,
    paused: AtomicBool,
    /// Time held so far, and since when it holds now.
    held: Mutex<(Duration, Option<Instant>)>,
}

/// How often a held run looks whether it may go on.
pub(crate) const HOLD: Duration = Duration::from_millis(50);

impl Cancel {
    /// Asks the run to stop. One that holds wakes up and stops.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether someone asked.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Relaxed)
    }

    /// Asks the run to hold where it is, with all it has in memory, or to go on.
    pub fn pause(&self, paused: bool) {
        self.0.paused.store(paused, Ordering::Relaxed);
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        match (held.1, paused) {
            (None, true) => held.1 = Some(Instant::now()),
            (Some(since), false) => *held = (held.0 + since.elapsed(), None),
            (None, false) | (Some(_), true) => {}
        }
    }

    /// Whether the run is asked to hold.
    pub fn is_paused(&self) -> bool {
        self.0.paused.load(Ordering::Relaxed)
    }

    /// Time the run was asked to hold, so that it is not counted as work.
    pub fn held(&self) -> Duration {
        let held = *self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.0 + held.1.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Waits while the run is held; `Err` once someone asked it to stop.
    ///
    /// # Errors
    /// [`Failure::Cancelled`].
    pub fn check(&self) -> Result<(), RunError> {
        while self.is_paused() && !self.is_cancelled() {
            std::thread::sleep(HOLD);
        }
        if self.is_cancelled() {
            Err(RunError::cancelled())
        } else {
            Ok(())
        }
    }
}

/// A small picture of work under way.
#[derive(Clone, Debug)]
pub enum Preview {
    /// On the host.
    Frame(Frame),
    /// Still where it was computed, for a window that draws with the same device.
    Device(DevicePicture),
}

impl Preview {
    /// Width and height in pixels.
    pub fn size(&self) -> [u32; 2] {
        match self {
            Self::Frame(it) => [it.width, it.height],
            Self::Device(it) => it.size,
        }
    }
}

/// A picture that never left the device. The executor carries it; who made it and who shows it know
/// what is inside.
#[derive(Clone)]
pub struct DevicePicture {
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// The texture.
    pub handle: Arc<dyn Any + Send + Sync>,
}

impl fmt::Debug for DevicePicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [width, height] = self.size;
        write!(f, "DevicePicture({width}×{height})")
    }
}

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
    Note { step: StepId, text: Sentence },
    /// A step is tried again.
    Retrying {
        step: StepId,
        attempt: u32,
        after: Duration,
        error: Sentence,
    },
    /// A step goes on in a lesser way.
    Adapted {
        step: StepId,
        rung: String,
        why: Sentence,
    },
    /// A step is done.
    Done { step: StepId, seconds: f64 },
    /// The store had a step's result.
    Cached { step: StepId },
    /// A step failed.
    Failed {
        step: StepId,
        failure: Failure,
        message: Sentence,
    },
    /// A step was not tried, since one it needs failed or the run was cancelled.
    Skipped { step: StepId },
    /// The store did something a person would want to know: it made room.
    Store { text: Sentence },
    /// The run is over.
    Finished {
        cancelled: bool,
        failed: usize,
        seconds: f64,
    },
}
