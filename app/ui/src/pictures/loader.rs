//! Two threads that read pictures, the newest request first.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::SystemTime;

use crossbeam::channel::{Receiver, Sender, unbounded};
use egui::ColorImage;
use longtake_editor::Engine;
use longtake_graph::Sentence;
use longtake_plan::{ClipInfo, Plan, Signature, StepId};
use longtake_run::Clip;

use super::shrink::shrink;

/// Threads that read.
const THREADS: usize = 2;
/// Requests that wait. Older ones are dropped: nobody looks at them any more, or they are asked
/// again.
const WAITING: usize = 128;
/// Clips kept open, so that a film strip does not open its clip once per picture.
const OPEN: usize = 8;

/// What a picture is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Of {
    /// A file.
    File(PathBuf),
    /// What a step made, wherever it was planned.
    Step(Signature),
}

/// One picture, at whatever size.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Of what.
    pub of: Of,
    /// Which frame.
    pub frame: u64,
}

/// Tells a changed file from the same one: when it was written, and its bytes. `None`: no file.
pub type Stamp = Option<(SystemTime, u64)>;

/// How to read a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// In any case.
    Anew,
    /// Only if the file is not what it was.
    Changed(Stamp),
}

/// A picture wanted.
pub struct Request {
    /// Which.
    pub key: Key,
    /// Longest side, pixels.
    pub side: u32,
    /// The step, when it is of one.
    pub step: Option<(Arc<Plan>, StepId)>,
    /// Whether only a change matters.
    pub reading: Reading,
    /// Who reads.
    pub engine: Arc<dyn Engine>,
    /// Whom to wake.
    pub ctx: egui::Context,
}

/// What became of a request.
pub enum Made {
    /// A picture.
    Picture {
        image: ColorImage,
        /// The frame's own size.
        size: [u32; 2],
        /// Of the whole.
        clip: ClipInfo,
    },
    /// The file is the same as before.
    Same,
    /// There is nothing to see.
    Nothing,
    /// It cannot be read.
    Failed(Sentence),
    /// Too many waited; ask again.
    Dropped,
}

/// An answer.
pub struct Answer {
    /// To which request.
    pub key: Key,
    /// Its side.
    pub side: u32,
    /// The file as it was when it was read.
    pub stamp: Stamp,
    /// What came of it.
    pub made: Made,
}

type Opened = (Of, Stamp, Clip);

struct Shared {
    waiting: Mutex<Waiting>,
    more: Condvar,
    clips: Mutex<VecDeque<Opened>>,
}

#[derive(Default)]
struct Waiting {
    stack: VecDeque<Request>,
    closed: bool,
}

/// The threads. They end when this is dropped.
pub struct Loader {
    shared: Arc<Shared>,
    answer: Sender<Answer>,
    answers: Receiver<Answer>,
}

impl Default for Loader {
    fn default() -> Self {
        let shared = Arc::new(Shared {
            waiting: Mutex::default(),
            more: Condvar::new(),
            clips: Mutex::default(),
        });
        let (answer, answers) = unbounded();
        for _ in 0..THREADS {
            let (shared, answer) = (shared.clone(), answer.clone());
            // Without threads pictures stay away; everything else works.
            let _ = thread::Builder::new()
                .name("pictures".to_owned())
                .stack_size(16 << 20)
                .spawn(move || work(&shared, &answer));
        }
        Self {
            shared,
            answer,
            answers,
        }
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        lock(&self.shared.waiting).closed = true;
        self.shared.more.notify_all();
    }
}

impl Loader {
    /// Asks for a picture, before all that wait.
    pub fn ask(&self, request: Request) {
        let mut waiting = lock(&self.shared.waiting);
        waiting.stack.push_back(request);
        if waiting.stack.len() > WAITING
            && let Some(oldest) = waiting.stack.pop_front()
        {
            let _ = self.answer.send(Answer {
                key: oldest.key,
                side: oldest.side,
                stamp: None,
                made: Made::Dropped,
            });
        }
        drop(waiting);
        self.shared.more.notify_one();
    }

    /// An answer, if one came.
    pub fn answer(&self) -> Option<Answer> {
        self.answers.try_recv().ok()
    }

    /// Whether answers wait.
    pub fn has_answers(&self) -> bool {
        !self.answers.is_empty()
    }
}

fn work(shared: &Shared, answers: &Sender<Answer>) {
    while let Some(request) = next(shared) {
        let stamp = match &request.key.of {
            Of::File(path) => stamp(path),
            Of::Step(_) => None,
        };
        let made = match request.reading {
            Reading::Changed(known) if known == stamp => Made::Same,
            Reading::Anew | Reading::Changed(_) => read(shared, &request, stamp),
        };
        let answer = Answer {
            key: request.key,
            side: request.side,
            stamp,
            made,
        };
        if answers.send(answer).is_err() {
            return;
        }
        request.ctx.request_repaint();
    }
}

fn next(shared: &Shared) -> Option<Request> {
    let mut waiting = lock(&shared.waiting);
    loop {
        if waiting.closed {
            return None;
        }
        if let Some(newest) = waiting.stack.pop_back() {
            return Some(newest);
        }
        waiting = shared
            .more
            .wait(waiting)
            .unwrap_or_else(PoisonError::into_inner);
    }
}

fn read(shared: &Shared, request: &Request, stamp: Stamp) -> Made {
    let clip = match open(shared, request, stamp) {
        Ok(Some(clip)) => clip,
        Ok(None) => return Made::Nothing,
        Err(error) => return Made::Failed(error),
    };
    let info = clip.info();
    if info.frames == 0 {
        return Made::Nothing;
    }
    let at = request.key.frame.min(info.frames - 1);
    match clip.read(at..at + 1) {
        Ok(read) => read.first().map_or(Made::Nothing, |frame| Made::Picture {
            image: shrink(frame, request.side),
            size: [frame.width, frame.height],
            clip: info,
        }),
        Err(error) => Made::Failed(error.message),
    }
}

fn open(shared: &Shared, request: &Request, stamp: Stamp) -> Result<Option<Clip>, Sentence> {
    let of = &request.key.of;
    let mut clips = lock(&shared.clips);
    if let Some(at) = clips.iter().position(|it| it.0 == *of && it.1 == stamp) {
        let found = clips.remove(at);
        let clip = found.as_ref().map(|it| it.2.clone());
        clips.extend(found);
        return Ok(clip);
    }
    drop(clips);
    let opened = match (of, &request.step) {
        (Of::File(path), _) => Some(request.engine.open_media(path)?),
        (Of::Step(_), Some((plan, step))) => request.engine.result(plan, *step),
        (Of::Step(_), None) => None,
    };
    if let Some(clip) = &opened {
        let mut clips = lock(&shared.clips);
        clips.push_back((of.clone(), stamp, clip.clone()));
        if clips.len() > OPEN {
            clips.pop_front();
        }
    }
    Ok(opened)
}

fn stamp(path: &Path) -> Stamp {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

/// A thread that panicked leaves its list in order: every change of it is one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
