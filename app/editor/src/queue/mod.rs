//! The queue: graphs to render, one after the other, and what became of them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;
use std::time::SystemTime;

use crossbeam::channel::{Receiver, unbounded};
use longtake_graph::{NodeId, Project};
use longtake_plan::{Options, Plan};
use longtake_run::{Cancel, Event, Report};

use crate::engine::Engine;
use crate::planned::Wake;
use crate::status::Status;

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
    Failed(String, Option<Arc<Report>>),
    /// Stopped by a person.
    Cancelled,
}

/// A graph to render.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// Name of the document.
    pub title: String,
    /// The document as it was when it was queued.
    pub project: Arc<Project>,
    /// What of it is wanted.
    pub options: Options,
    /// How far it is.
    pub state: JobState,
    /// When it was queued.
    pub queued: SystemTime,
    /// What it compiled into, once it ran.
    pub plan: Option<Arc<Plan>>,
}

/// What a person does to the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueAction {
    /// Stops the running job or drops a waiting one.
    Cancel(JobId),
    /// Holds the running job, or goes on.
    Pause(bool),
    /// Puts a waiting job before the job that stands at this position among the waiting.
    Move(JobId, usize),
    /// Queues an ended job again.
    Retry(JobId),
    /// Forgets an ended job.
    Forget(JobId),
    /// Forgets every ended job.
    ForgetAll,
    /// Opens the document of a job in the editor.
    Reopen(JobId),
}

enum Told {
    Planned(Arc<Plan>),
    Event(Event),
    Over(Box<Result<Report, String>>),
}

struct Running {
    cancel: Cancel,
    told: Receiver<Told>,
}

/// The queue.
pub struct Queue {
    /// Waiting and running jobs, in order; the first may run.
    pub jobs: VecDeque<Job>,
    /// Ended jobs, the newest first.
    pub ended: VecDeque<Job>,
    /// Nothing new is begun, and the running job holds.
    pub paused: bool,
    running: Option<Running>,
    next: u64,
    engine: Arc<dyn Engine>,
    wake: Wake,
}

impl Queue {
    /// An empty queue.
    pub fn new(engine: Arc<dyn Engine>, wake: Wake) -> Self {
        Self {
            jobs: VecDeque::new(),
            ended: VecDeque::new(),
            paused: false,
            running: None,
            next: 1,
            engine,
            wake,
        }
    }

    /// Puts a graph at the end.
    pub fn add(
        &mut self,
        title: String,
        project: Arc<Project>,
        outputs: Option<Vec<NodeId>>,
    ) -> JobId {
        let id = JobId(self.next);
        self.next += 1;
        self.jobs.push_back(Job {
            id,
            title,
            project,
            options: Options {
                outputs,
                ..Options::default()
            },
            state: JobState::Waiting,
            queued: SystemTime::now(),
            plan: None,
        });
        id
    }

    /// A job by its number.
    pub fn job(&self, id: JobId) -> Option<&Job> {
        self.jobs.iter().chain(&self.ended).find(|it| it.id == id)
    }

    /// The running job.
    pub fn running(&self) -> Option<&Job> {
        self.running.as_ref().and(self.jobs.front())
    }

    /// The newest ended job that rendered something of this document and ended well.
    pub fn last_done(&self) -> Option<&Job> {
        let done = |job: &&Job| matches!(job.state, JobState::Done(_));
        self.ended.iter().find(done)
    }

    /// Does what a person asked.
    pub fn act(&mut self, action: &QueueAction) {
        match action {
            QueueAction::Cancel(id) => self.cancel(*id),
            QueueAction::Pause(paused) => self.paused = *paused,
            QueueAction::Forget(id) => self.ended.retain(|it| it.id != *id),
            QueueAction::ForgetAll => self.ended.clear(),
            QueueAction::Retry(id) => {
                if let Some(job) = self.job(*id).cloned() {
                    self.add(job.title, job.project, job.options.outputs);
                }
            }
            QueueAction::Move(..) | QueueAction::Reopen(_) => {}
        }
    }

    fn cancel(&mut self, id: JobId) {
        match &self.running {
            Some(running) if self.jobs.front().is_some_and(|it| it.id == id) => {
                running.cancel.cancel();
            }
            _ => {
                let at = self.jobs.iter().position(|it| it.id == id);
                if let Some(mut job) = at.and_then(|at| self.jobs.remove(at)) {
                    job.state = JobState::Cancelled;
                    self.ended.push_front(job);
                }
            }
        }
    }

    /// Takes in what the worker told, and begins the next job. True when something changed.
    pub fn tick(&mut self, status: &mut Status) -> bool {
        let told: Vec<Told> = match &self.running {
            Some(running) => running.told.try_iter().collect(),
            None => Vec::new(),
        };
        let changed = !told.is_empty();
        for told in told {
            self.take_in(told, status);
        }
        if self.running.is_none() && !self.paused && !self.jobs.is_empty() {
            self.begin();
            return true;
        }
        changed
    }

    fn take_in(&mut self, told: Told, status: &mut Status) {
        let Some(job) = self.jobs.front_mut() else {
            return;
        };
        match told {
            Told::Planned(plan) => {
                status.begin(&plan);
                job.plan = Some(plan);
            }
            Told::Event(event) => {
                if let Some(plan) = &job.plan {
                    status.see(plan, &event);
                }
            }
            Told::Over(outcome) => {
                let cancelled = self
                    .running
                    .take()
                    .is_some_and(|it| it.cancel.is_cancelled());
                if let Some(mut job) = self.jobs.pop_front() {
                    job.state = ended(*outcome, cancelled);
                    self.ended.push_front(job);
                }
            }
        }
    }

    fn begin(&mut self) {
        let Some(job) = self.jobs.front_mut() else {
            return;
        };
        job.state = JobState::Running;
        let cancel = Cancel::default();
        let (tell, told) = unbounded();
        let (engine, wake) = (self.engine.clone(), self.wake.clone());
        let (project, options, asked) = (job.project.clone(), job.options.clone(), cancel.clone());
        let work = move || {
            let outcome = work(&*engine, &project, &options, asked, &wake, |it| {
                tell.send(it).is_ok()
            });
            let _ = tell.send(Told::Over(Box::new(outcome)));
            wake();
        };
        let _ = thread::Builder::new()
            .name("render".to_owned())
            .stack_size(16 << 20)
            .spawn(work);
        self.running = Some(Running { cancel, told });
    }
}

fn ended(outcome: Result<Report, String>, cancelled: bool) -> JobState {
    match outcome {
        _ if cancelled => JobState::Cancelled,
        Err(message) => JobState::Failed(message, None),
        Ok(report) => match &report.error {
            Some(error) => JobState::Failed(error.message.clone(), Some(Arc::new(report))),
            None => JobState::Done(Arc::new(report)),
        },
    }
}

/// A job on the worker's thread: compiles, runs, passes on what is told.
fn work(
    engine: &dyn Engine,
    project: &Project,
    options: &Options,
    cancel: Cancel,
    wake: &Wake,
    tell: impl Fn(Told) -> bool + Sync,
) -> Result<Report, String> {
    let compiled = engine.compile(project, options);
    let Some(plan) = compiled.plan else {
        let first = compiled
            .diagnostics
            .iter()
            .find(|it| it.severity == longtake_graph::Severity::Error);
        return Err(first.map_or_else(|| "the graph cannot run".to_owned(), ToString::to_string));
    };
    let plan = Arc::new(plan);
    tell(Told::Planned(plan.clone()));
    let (events, seen) = unbounded();
    thread::scope(|scope| {
        scope.spawn(|| {
            for event in seen {
                tell(Told::Event(event));
                wake();
            }
        });
        engine.run(project, &plan, cancel, events)
    })
}
