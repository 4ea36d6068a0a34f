//! The queue: graphs to render, one after the other, and what became of them.
//!
//! - here: the list and its rules; `worker`: a job on its thread.
//! - `job`: a job and how far it is.
//! - `disk`: the list in files, so that it outlives the program.
//! - `ask`: what a person asks of it through the studio.
//!
//! A job waits, runs, and ends. What stood on the disk as running when the program begins was
//! interrupted: it waits again, first in line, and nothing starts until a person says so.

mod ask;
mod disk;
mod job;
mod words;
mod worker;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use longtake_graph::{NodeId, Project, Sentence, say};
use longtake_plan::Options;
use longtake_run::Event;

use self::ask::Asked;
use self::disk::Disk;
use self::job::slim;
pub use self::job::{Job, JobId, JobState};
use self::worker::{Running, Told};

use crate::engine::Engine;
use crate::files::system_error;
use crate::planned::Wake;
use crate::status::Status;

/// Most ended jobs kept.
pub const MOST_ENDED: usize = 200;
/// Ended jobs of which every step is kept; of older ones the sums and outputs are.
const MOST_WHOLE: usize = 20;

/// What a person does to the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueAction {
    /// Stops the running job or drops a waiting one.
    Cancel(JobId),
    /// Holds the running job, or goes on.
    Pause(bool),
    /// Puts a waiting job at this position among the waiting.
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

/// What was found on the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Jobs that wait.
    pub waiting: usize,
    /// Of which ran when the program ended.
    pub interrupted: usize,
    /// Ended jobs.
    pub ended: usize,
    /// Files that could not be read, under the names they have now.
    pub broken: Vec<PathBuf>,
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
    disk: Option<Disk>,
    /// What the disk refused, to be told.
    complaints: Vec<Sentence>,
    /// What the store did that a person would want to know.
    of_store: Vec<Sentence>,
    /// Counts the documents that were open: jobs of another are not drawn on this one's nodes.
    document: u64,
    /// Runs that wait for the plan of their document.
    asked: Vec<Asked>,
    engine: Arc<dyn Engine>,
    wake: Wake,
}

impl Queue {
    /// An empty queue, in memory only.
    pub fn new(engine: Arc<dyn Engine>, wake: Wake) -> Self {
        Self {
            jobs: VecDeque::new(),
            ended: VecDeque::new(),
            paused: false,
            running: None,
            next: 1,
            disk: None,
            complaints: Vec::new(),
            of_store: Vec::new(),
            document: 1,
            asked: Vec::new(),
            engine,
            wake,
        }
    }

    /// Reads what an earlier run of the program left in a folder, and keeps everything there from
    /// now on. When jobs wait there the queue is paused. Files that cannot be read are set aside.
    ///
    /// # Errors
    /// The folder cannot be made or written; the queue goes on in memory.
    pub fn open(&mut self, folder: &Path) -> Result<Restored, Sentence> {
        let disk = Disk::open(folder)?;
        let loaded = disk.load_all(folder);
        self.complaints.extend(loaded.refused);
        self.next = self.next.max(loaded.next);
        let restored = Restored {
            waiting: loaded.jobs.len(),
            interrupted: loaded.jobs.iter().filter(|it| it.interrupted).count(),
            ended: loaded.ended.len(),
            broken: loaded.broken,
        };
        self.paused |= restored.waiting > 0;
        let own: Vec<Job> = self.jobs.drain(..).collect();
        self.jobs = loaded.jobs.into();
        self.ended.extend(loaded.ended);
        self.disk = Some(disk);
        for mut job in own {
            job.id = self.number();
            self.keep(&job);
            self.jobs.push_back(job);
        }
        self.keep_order();
        Ok(restored)
    }

    fn number(&mut self) -> JobId {
        let id = JobId(self.next);
        self.next += 1;
        id
    }

    /// Puts a graph at the end.
    pub fn add(
        &mut self,
        title: String,
        project: Arc<Project>,
        outputs: Option<Vec<NodeId>>,
    ) -> JobId {
        let options = Options {
            outputs,
            ..Options::default()
        };
        self.add_with(title, project, options)
    }

    /// As [`Self::add`], with all options.
    pub fn add_with(&mut self, title: String, project: Arc<Project>, options: Options) -> JobId {
        self.add_of(self.document, title, project, options)
    }

    /// As [`Self::add_with`], of a document that may no longer be the open one.
    fn add_of(
        &mut self,
        document: u64,
        title: String,
        project: Arc<Project>,
        options: Options,
    ) -> JobId {
        let id = self.number();
        let job = Job {
            id,
            title,
            project: Some(project),
            options,
            state: JobState::Waiting,
            queued: SystemTime::now(),
            began: None,
            ended: None,
            interrupted: false,
            plan: None,
            document,
        };
        self.keep(&job);
        self.jobs.push_back(job);
        self.keep_order();
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

    /// Waiting jobs, in order.
    pub fn waiting(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().skip(usize::from(self.running.is_some()))
    }

    /// The newest job that ended well.
    pub fn last_done(&self) -> Option<&Job> {
        let done = |job: &&Job| matches!(job.state, JobState::Done(_));
        self.ended.iter().find(done)
    }

    /// Whether a job is of the document that is open.
    pub fn is_of_open(&self, job: &Job) -> bool {
        job.document == self.document
    }

    /// The document of a job.
    ///
    /// # Errors
    /// The job is gone, or its file cannot be read.
    pub fn project(&self, id: JobId) -> Result<Arc<Project>, Sentence> {
        let gone = || words::GONE.sentence();
        let job = self.job(id).ok_or_else(gone)?;
        match (&job.project, &self.disk) {
            (Some(project), _) => Ok(project.clone()),
            (None, Some(disk)) => disk.project(id).map(Arc::new),
            (None, None) => Err(words::NO_DOCUMENT.sentence()),
        }
    }

    /// Does what a person asked. `Reopen` is the studio's.
    ///
    /// # Errors
    /// A sentence: the document of a job to retry cannot be read.
    pub fn act(&mut self, action: &QueueAction) -> Result<(), Sentence> {
        match action {
            QueueAction::Cancel(id) => self.cancel(*id),
            QueueAction::Pause(paused) => {
                self.paused = *paused;
                if let Some(running) = &self.running {
                    running.cancel.pause(*paused);
                }
            }
            QueueAction::Forget(id) => self.forget(|it| it.id == *id),
            QueueAction::ForgetAll => self.forget(|_| true),
            QueueAction::Retry(id) => {
                let project = self.project(*id)?;
                if let Some(job) = self.job(*id) {
                    let (title, options) = (job.title.clone(), job.options.clone());
                    self.add_of(job.document, title, project, options);
                }
            }
            QueueAction::Move(id, to) => self.reorder(*id, *to),
            QueueAction::Reopen(_) => {}
        }
        Ok(())
    }

    fn forget(&mut self, which: impl Fn(&Job) -> bool) {
        let (gone, kept) = self.ended.drain(..).partition(|it| which(it));
        self.ended = kept;
        let gone: VecDeque<Job> = gone;
        for job in gone {
            if let Some(disk) = &self.disk {
                disk.remove(job.id);
            }
        }
    }

    fn reorder(&mut self, id: JobId, to: usize) {
        let first = usize::from(self.running.is_some());
        let at = self.jobs.iter().position(|it| it.id == id);
        let Some(at) = at.filter(|at| *at >= first) else {
            return;
        };
        if let Some(job) = self.jobs.remove(at) {
            self.jobs.insert((first + to).min(self.jobs.len()), job);
        }
        self.keep_order();
    }

    fn cancel(&mut self, id: JobId) {
        match &self.running {
            Some(running) if self.jobs.front().is_some_and(|it| it.id == id) => {
                running.cancel.cancel();
            }
            Some(_) | None => {
                let at = self.jobs.iter().position(|it| it.id == id);
                if let Some(job) = at.and_then(|at| self.jobs.remove(at)) {
                    self.end(job, JobState::Cancelled(None));
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
        status.hold(self.paused);
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
                if job.document != self.document {
                    status.detach();
                }
                job.plan = Some(plan);
            }
            Told::Event(at, event) => {
                if let Event::Store { text } = &event {
                    self.of_store.push(text.clone());
                }
                if let Some(plan) = &job.plan {
                    status.see_at(plan, &event, at);
                }
            }
            Told::Over(outcome) => {
                let running = self.running.take();
                let cancelled = running.is_some_and(|it| it.cancel.is_cancelled());
                if let Some(job) = self.jobs.pop_front() {
                    self.end(job, worker::ended(*outcome, cancelled));
                }
            }
        }
    }

    fn begin(&mut self) {
        let Some(id) = self.jobs.front().map(|it| it.id) else {
            return;
        };
        let project = self.project(id);
        let Some(mut job) = self.jobs.pop_front() else {
            return;
        };
        job.state = JobState::Running;
        job.began = Some(SystemTime::now());
        job.interrupted = false;
        let (engine, wake, options) = (self.engine.clone(), self.wake.clone(), job.options.clone());
        let started = project.and_then(|project| {
            worker::start(engine, project, options, wake).map_err(|error| {
                let why = system_error(&error);
                say!(
                    "no thread could be started: {why}; close other programs and retry",
                    "スレッドを開始できません: {why}。他のプログラムを閉じて再実行してください。";
                    why
                )
            })
        });
        match started {
            Ok(running) => {
                self.keep(&job);
                self.jobs.push_front(job);
                self.running = Some(running);
            }
            Err(message) => self.end(job, JobState::Failed(message, None)),
        }
    }

    /// Puts a job among the ended.
    fn end(&mut self, mut job: Job, state: JobState) {
        job.state = state;
        job.ended = Some(SystemTime::now());
        if self.keep(&job) {
            job.project = None;
        }
        self.ended.push_front(job);
        self.keep_order();
        // Of older jobs less is kept, so that a long history costs little.
        if let Some(old) = self.ended.get_mut(MOST_WHOLE) {
            old.plan = None;
            slim(&mut old.state);
            let old = old.clone();
            self.keep(&old);
        }
        while self.ended.len() > MOST_ENDED {
            if let (Some(job), Some(disk)) = (self.ended.pop_back(), &self.disk) {
                disk.remove(job.id);
            }
        }
    }

    /// Writes a job down. True when it is on the disk.
    fn keep(&mut self, job: &Job) -> bool {
        let Some(disk) = &self.disk else { return false };
        match disk.save(job) {
            Ok(()) => true,
            Err(error) => {
                self.complaints.push(error);
                false
            }
        }
    }

    fn keep_order(&mut self) {
        let Some(disk) = &self.disk else { return };
        let order: Vec<u64> = self.jobs.iter().map(|it| it.id.0).collect();
        if let Err(error) = disk.save_order(&order, self.next) {
            self.complaints.push(error);
        }
    }
}

impl Drop for Queue {
    /// The program ends: the running job stops soon, and waits on the disk for the next time.
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.cancel.cancel();
        }
    }
}
