//! A clip on a socket: a handle to frames that are made or read when someone asks for them.
//!
//! No step ever holds a film: a clip is read in chunks of [`Clip::chunk_len`] frames.

use std::ops::Range;
use std::sync::Arc;

use longtake_graph::say;
use longtake_plan::ClipInfo;

use crate::{Frame, RunError};

/// Something frames can be read from, in any order, best in rising order.
pub trait FrameSource: Send + Sync {
    /// Sizes and rate.
    fn info(&self) -> ClipInfo;

    /// The frames of a range that lies within the clip.
    ///
    /// # Errors
    /// Whatever making or reading them meets.
    fn read(&self, range: Range<u64>) -> Result<Vec<Frame>, RunError>;
}

/// A shared handle to a [`FrameSource`].
#[derive(Clone)]
pub struct Clip(Arc<dyn FrameSource>);

/// Bytes of 8-bit samples a chunk should stay under; frames in floats take four times that.
const CHUNK_BYTES: u64 = 24 << 20;

impl Clip {
    /// A handle to that source.
    pub fn new(source: impl FrameSource + 'static) -> Self {
        Self(Arc::new(source))
    }

    /// A clip of frames that are in memory already.
    ///
    /// # Panics
    /// When `frames` is empty: a bug of ours.
    pub fn from_frames(frames: Vec<Frame>) -> Self {
        Self::new(InMemory(frames))
    }

    /// Sizes and rate.
    pub fn info(&self) -> ClipInfo {
        self.0.info()
    }

    /// How many frames to ask for at once.
    pub fn chunk_len(&self) -> u64 {
        let info = self.info();
        let frame = u64::from(info.width) * u64::from(info.height) * u64::from(info.channels);
        (CHUNK_BYTES / frame.max(1)).clamp(1, 32)
    }

    /// The frames of a range.
    ///
    /// # Errors
    /// The range leaves the clip, or whatever making the frames meets.
    pub fn read(&self, range: Range<u64>) -> Result<Vec<Frame>, RunError> {
        let frames = self.info().frames;
        if range.end > frames || range.start > range.end {
            return Err(RunError::failed(say!(
                "frames {}..{} asked of a clip of {frames}",
                "{frames} フレームのクリップに {}..{} が求められました",
                range.start,
                range.end
            )));
        }
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let expected = range.end - range.start;
        let found = self.0.read(range.clone())?;
        if found.len() as u64 == expected {
            return Ok(found);
        }
        Err(RunError::failed(say!(
            "frames {}..{} of a clip: expected {expected}, got {}; the source is cut short",
            "クリップのフレーム {}..{}: {expected} 枚のはずが {} 枚でした。元のファイルが途中で切れています",
            range.start,
            range.end,
            found.len()
        )))
    }

    /// Every frame in order, chunk by chunk.
    ///
    /// # Errors
    /// Whatever making the frames meets, or `each` returns.
    pub fn for_each(
        &self,
        mut each: impl FnMut(u64, Frame) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        let (frames, step) = (self.info().frames, self.chunk_len());
        let mut at = 0;
        while at < frames {
            let end = (at + step).min(frames);
            for (offset, frame) in self.read(at..end)?.into_iter().enumerate() {
                each(at + offset as u64, frame)?;
            }
            at = end;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Clip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Clip").field(&self.info()).finish()
    }
}

struct InMemory(Vec<Frame>);

impl FrameSource for InMemory {
    fn info(&self) -> ClipInfo {
        self.0[0].info(self.0.len() as u64)
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<Frame>, RunError> {
        Ok(self.0[range.start as usize..range.end as usize].to_vec())
    }
}
