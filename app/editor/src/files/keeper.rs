//! The thread that writes what the program keeps for itself: autosaved work, settings, recent files.
//! In order, so that what is removed last stays removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use longtake_graph::{Project, format};

use crate::planned::Wake;

/// What it is told to do.
pub(crate) enum Work {
    /// Writes a file.
    Write(PathBuf, Vec<u8>),
    /// Writes the document to the first path, then what is known of it to the second.
    Document(Arc<Project>, PathBuf, (PathBuf, Vec<u8>)),
    /// Removes files.
    Remove(Vec<PathBuf>),
    /// Wakes the window then.
    WakeAt(Instant),
}

/// A file that could not be written.
pub(crate) struct Failed {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub error: io::Error,
}

/// The thread.
pub(crate) struct Keeper {
    work: Option<Sender<Work>>,
    failed: Receiver<Failed>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts the thread.
    pub fn new(wake: Wake) -> Self {
        let (work, asked) = unbounded();
        let (tell, failed) = unbounded();
        let run = move || run(&asked, &tell, &wake);
        let thread = thread::Builder::new().name("keep".to_owned()).spawn(run);
        Self {
            work: Some(work),
            failed,
            // Without a thread nothing is autosaved, and the first attempt says so.
            thread: thread.ok(),
        }
    }

    /// Asks for something.
    pub fn ask(&self, work: Work) {
        if let Some(sender) = &self.work {
            let _ = sender.send(work);
        }
    }

    /// What went wrong since the last call.
    pub fn failed(&self) -> impl Iterator<Item = Failed> + '_ {
        self.failed.try_iter()
    }

    /// Waits until everything asked for is done. Nothing can be asked for afterwards.
    pub fn finish(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.finish();
    }
}

fn run(asked: &Receiver<Work>, tell: &Sender<Failed>, wake: &Wake) {
    let mut wake_at: Option<Instant> = None;
    loop {
        let work = match wake_at {
            Some(at) => asked.recv_deadline(at),
            None => asked.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match work {
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                wake_at = None;
                wake();
            }
            Ok(Work::WakeAt(at)) => wake_at = Some(wake_at.map_or(at, |old| old.min(at))),
            Ok(work) => {
                if let Err(failed) = done(work) {
                    let _ = tell.send(failed);
                    wake();
                }
            }
        }
    }
}

fn done(work: Work) -> Result<(), Failed> {
    match work {
        Work::Write(path, bytes) => write(&path, &bytes),
        Work::Document(project, path, (about, bytes)) => {
            write(&path, format::project::to_text(&project).as_bytes())?;
            write(&about, &bytes)
        }
        Work::Remove(paths) => {
            for path in paths {
                let _ = fs::remove_file(path);
            }
            Ok(())
        }
        Work::WakeAt(_) => Ok(()),
    }
}

/// Replaces a file of the program's own, in a folder that is made when missing.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failed> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| format::replace(path, bytes))
        .map_err(|error| Failed {
            path: path.to_path_buf(),
            error,
        })
}
