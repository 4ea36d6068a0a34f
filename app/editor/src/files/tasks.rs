//! Threads that read and write a person's files: a large file or a slow disk holds nothing up. What
//! came of it is taken in by `Studio::tick`.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use crossbeam::channel::{Receiver, Sender, unbounded};
use longtake_graph::{Diagnostic, Sentence};

use super::opening::{Loaded, Unreadable};
use super::saving::Outcome;
use crate::planned::Wake;

/// As much as the window's own thread has.
const STACK: usize = 8 << 20;

/// What a thread is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Reads a graph; the number of its question.
    Read(u64),
    /// Saves the document.
    Write,
    /// Writes something else of the person's.
    Export,
    /// Brings a file into the input folder; the number of its question.
    Import(u64),
    /// Hands a path over to another program.
    Outside,
}

/// What came of it.
pub(crate) enum Done {
    /// A file was read.
    Read(u64, Result<Box<Loaded>, Unreadable>),
    /// The document was saved, or not.
    Wrote(Outcome),
    /// A prompt was written, and what it could not hold.
    Exported(PathBuf, io::Result<Vec<Diagnostic>>),
    /// A file lies in the input folder under that name.
    Imported(u64, Result<String, Sentence>),
    /// Another program has a path now, or not.
    Outside(Result<(), Sentence>),
    /// A bug of ours ended the thread.
    Broken(Task),
}

/// The threads.
pub(crate) struct Tasks {
    tell: Sender<Done>,
    done: Receiver<Done>,
    wake: Wake,
    running: usize,
    numbers: u64,
    /// Those that must come to their end before the program does.
    writers: Vec<JoinHandle<()>>,
}

impl Tasks {
    pub fn new(wake: Wake) -> Self {
        let (tell, done) = unbounded();
        Self {
            tell,
            done,
            wake,
            running: 0,
            numbers: 0,
            writers: Vec::new(),
        }
    }

    /// A number that no other question has.
    pub fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Does something on a thread.
    ///
    /// # Errors
    /// The system gives no further thread; nothing was done.
    pub fn start(
        &mut self,
        task: Task,
        work: impl FnOnce() -> Done + Send + 'static,
    ) -> io::Result<()> {
        let (tell, wake) = (self.tell.clone(), self.wake.clone());
        let run = move || {
            let done = catch_unwind(AssertUnwindSafe(work)).unwrap_or(Done::Broken(task));
            let _ = tell.send(done);
            wake();
        };
        let thread = thread::Builder::new().name("files".to_owned());
        let thread = thread.stack_size(STACK).spawn(run)?;
        self.running += 1;
        if matches!(task, Task::Write | Task::Export) {
            self.writers.retain(|it| !it.is_finished());
            self.writers.push(thread);
        }
        Ok(())
    }

    /// The next that is done.
    pub fn next(&mut self) -> Option<Done> {
        let done = self.done.try_recv().ok()?;
        self.running -= 1;
        Some(done)
    }

    /// The next, waited for; `None` when nothing is under way.
    pub fn wait(&mut self) -> Option<Done> {
        if self.running == 0 {
            return None;
        }
        let done = self.done.recv().ok()?;
        self.running -= 1;
        Some(done)
    }

    /// Waits until all that is being written stands on the disk.
    pub fn finish(&mut self) {
        for thread in self.writers.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.finish();
    }
}
