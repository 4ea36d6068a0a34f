//! Streamed blocks: while one computes, a thread reads the next.
//!
//! On the CPU the thread makes the tensors, widened and ready. On a GPU it only brings the file's
//! pages into memory: `cubecl` 0.10 gives each thread a stream with a memory pool of its own and
//! hands a freed buffer out again without waiting for the streams of others, so tensors are made
//! by the thread that computes with them. Its copies run beside the GPU's work in any case.

use std::hint::black_box;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::{Builder, JoinHandle};

use super::block::Block;
use super::dims::DitDims;
use super::names::Layout;
use super::source::Source;
use crate::weights::{Checkpoint, WeightsError};
use crate::{Device, device};

/// Smallest page of any system this runs on, in bytes.
const PAGE: usize = 4096;

/// Where streamed blocks come from.
pub struct Reader {
    pub checkpoint: Checkpoint,
    pub layout: Layout,
    pub dims: DitDims,
    pub device: Device,
}

impl Reader {
    fn read(&self, index: usize) -> Result<Block, WeightsError> {
        let source = Source {
            checkpoint: &self.checkpoint,
            layout: self.layout,
            dims: self.dims,
            device: &self.device,
        };
        Block::load(&source, index)
    }

    /// What can be done of [`Reader::read`] on another thread: all of it, or the file's part.
    fn read_ahead(&self, index: usize) -> Result<Option<Block>, WeightsError> {
        if device::is_cpu(&self.device) {
            return self.read(index).map(Some);
        }
        let prefix = format!("blocks.{index}.");
        for name in self.checkpoint.names().filter(|it| it.starts_with(&prefix)) {
            let bytes = self.checkpoint.bytes_of(name)?;
            black_box(
                bytes
                    .iter()
                    .step_by(PAGE)
                    .fold(0, |sum: u8, byte| sum ^ byte),
            );
        }
        Ok(None)
    }
}

type Answer = Result<Option<Block>, WeightsError>;

struct Request {
    block: usize,
    answer: SyncSender<Answer>,
}

/// The reader, and its thread from the first pass on. Dropping it ends the thread.
pub struct Streamed {
    reader: Arc<Reader>,
    thread: OnceLock<Option<ReaderThread>>,
}

struct ReaderThread {
    requests: Option<Sender<Request>>,
    handle: Option<JoinHandle<()>>,
}

impl Drop for ReaderThread {
    fn drop(&mut self) {
        self.requests = None; // ends the thread's loop
        if let Some(handle) = self.handle.take() {
            // A panic of the thread was told where its block was waited for.
            let _ = handle.join();
        }
    }
}

impl Streamed {
    pub fn new(reader: Reader) -> Self {
        Self {
            reader: Arc::new(reader),
            thread: OnceLock::new(),
        }
    }

    /// The blocks of one pass. The first one is being read from now on.
    pub fn walk(&self) -> Walk<'_> {
        Walk {
            streamed: self,
            next: self.request(0),
        }
    }

    /// `None` past the last block, or where there is no thread.
    fn request(&self, block: usize) -> Option<Awaited> {
        if block >= self.reader.dims.layers {
            return None;
        }
        let thread = self.thread.get_or_init(|| spawn(self.reader.clone()));
        let (answer, awaited) = sync_channel(1);
        let requests = thread.as_ref()?.requests.as_ref()?;
        requests.send(Request { block, answer }).ok()?;
        Some(Awaited {
            block,
            answer: awaited,
        })
    }
}

/// `None` if the system gives no thread: blocks are then read when they are needed.
fn spawn(reader: Arc<Reader>) -> Option<ReaderThread> {
    let (requests, inbox) = channel::<Request>();
    let work = move || {
        for Request { block, answer } in inbox {
            // Nobody listens any more if the pass was dropped by a panic.
            let _ = answer.send(reader.read_ahead(block));
        }
    };
    let handle = Builder::new()
        .name("longtake-blocks".to_owned())
        .spawn(work);
    Some(ReaderThread {
        requests: Some(requests),
        handle: Some(handle.ok()?),
    })
}

struct Awaited {
    block: usize,
    answer: Receiver<Answer>,
}

/// One pass through the blocks. Dropping it waits until the thread has ended what it was asked
/// for, so nothing is read and no memory held after a pass, however it ends.
pub struct Walk<'a> {
    streamed: &'a Streamed,
    next: Option<Awaited>,
}

impl Walk<'_> {
    /// Block `index`; the one behind it is being read from now on. The block before should be
    /// gone: two are in memory, never three.
    pub fn take(&mut self, index: usize) -> Result<Block, WeightsError> {
        let awaited = self.next.take().filter(|it| it.block == index);
        // No answer: the thread panicked. Reading here brings the panic to where it is seen.
        let ahead = awaited.and_then(|it| it.answer.recv().ok());
        let block = match ahead.transpose()?.flatten() {
            Some(block) => block,
            None => self.streamed.reader.read(index)?,
        };
        self.next = self.streamed.request(index + 1);
        Ok(block)
    }
}

impl Drop for Walk<'_> {
    fn drop(&mut self) {
        if let Some(awaited) = self.next.take() {
            drop(awaited.answer.recv());
        }
    }
}
