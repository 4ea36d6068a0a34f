//! Recipes for frames that several nodes share: made one by one, joined from parts, drawn once.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use longtake_graph::{Sentence, say};
use longtake_plan::{ClipInfo, Cost, CostCx, InferError, Info};
use longtake_run::{Clip, Frame, FrameSource, RunError};

/// Frames made one by one from their number.
pub fn each(
    info: ClipInfo,
    make: impl Fn(u64) -> Result<Frame, RunError> + Send + Sync + 'static,
) -> Clip {
    Clip::new(Each { info, make })
}

struct Each<F> {
    info: ClipInfo,
    make: F,
}

impl<F: Fn(u64) -> Result<Frame, RunError> + Send + Sync> FrameSource for Each<F> {
    fn info(&self) -> ClipInfo {
        self.info
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<Frame>, RunError> {
        range.map(&self.make).collect()
    }
}

/// Each frame of a clip, changed.
pub fn map(
    clip: Clip,
    info: ClipInfo,
    change: impl Fn(Frame) -> Result<Frame, RunError> + Send + Sync + 'static,
) -> Clip {
    Clip::new(Mapped { clip, info, change })
}

struct Mapped<F> {
    clip: Clip,
    info: ClipInfo,
    change: F,
}

impl<F: Fn(Frame) -> Result<Frame, RunError> + Send + Sync> FrameSource for Mapped<F> {
    fn info(&self) -> ClipInfo {
        self.info
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<Frame>, RunError> {
        self.clip
            .read(range)?
            .into_iter()
            .map(&self.change)
            .collect()
    }
}

/// A picture drawn when it is first asked for, and shared after that.
#[derive(Clone)]
pub struct Drawn(Arc<DrawnState>);

struct DrawnState {
    draw: Box<dyn Fn() -> Result<Frame, RunError> + Send + Sync>,
    done: Mutex<Option<Frame>>,
}

impl Drawn {
    /// A picture that `draw` makes.
    pub fn new(draw: impl Fn() -> Result<Frame, RunError> + Send + Sync + 'static) -> Self {
        Self(Arc::new(DrawnState {
            draw: Box::new(draw),
            done: Mutex::new(None),
        }))
    }

    /// The picture.
    ///
    /// # Errors
    /// Whatever drawing meets; the next call tries again.
    pub fn get(&self) -> Result<Frame, RunError> {
        let mut done = self.0.done.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(frame) = &*done {
            return Ok(frame.clone());
        }
        let frame = (self.0.draw)()?;
        *done = Some(frame.clone());
        Ok(frame)
    }

    /// The picture as every frame of a clip.
    pub fn clip(self, info: ClipInfo) -> Clip {
        each(info, move |_| self.get())
    }
}

/// A stretch of a clip.
pub struct Part {
    /// Where the frames are.
    pub clip: Clip,
    /// Which of them.
    pub range: Range<u64>,
}

impl Part {
    /// All of a clip.
    pub fn whole(clip: Clip) -> Self {
        let range = 0..clip.info().frames;
        Self { clip, range }
    }
}

/// Parts one after the other, as a clip of that kind.
pub fn join(info: ClipInfo, parts: Vec<Part>) -> Clip {
    Clip::new(Joined { info, parts })
}

struct Joined {
    info: ClipInfo,
    parts: Vec<Part>,
}

impl FrameSource for Joined {
    fn info(&self) -> ClipInfo {
        self.info
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<Frame>, RunError> {
        let mut frames = Vec::with_capacity((range.end - range.start) as usize);
        let mut at = 0;
        for part in &self.parts {
            let length = part.range.end - part.range.start;
            let (start, end) = (range.start.max(at), range.end.min(at + length));
            if start < end {
                let inner = part.range.start + (start - at)..part.range.start + (end - at);
                frames.extend(part.clip.read(inner)?);
            }
            at += length;
        }
        Ok(frames)
    }
}

/// Bytes of one chunk of an output clip's frames: what a reader of a recipe holds, beside what the
/// recipe's inputs cost. `per_sample` is the bytes of a sample on its way.
pub fn chunk_cost(cx: &CostCx<'_>, per_sample: u64) -> Cost {
    let Some(Info::Clip(clip)) = cx.outputs.first() else {
        return Cost::default();
    };
    let frame = u64::from(clip.width) * u64::from(clip.height) * u64::from(clip.channels);
    // As `Clip::chunk_len` cuts.
    let frames = ((24u64 << 20) / frame.max(1))
        .clamp(1, 32)
        .min(clip.frames.max(1));
    // About 2 ns a sample on one core, measured on camera moves and resizing at 1080p.
    let seconds = (frame * frames) as f64 * 2e-9;
    Cost {
        host_bytes: frame * frames * per_sample,
        seconds,
        ..Cost::default()
    }
}

/// [`chunk_cost`] of 8-bit frames.
pub fn bytes_cost(cx: &CostCx<'_>) -> Cost {
    chunk_cost(cx, 1)
}

/// Cost of a picture drawn once and shared by all frames: itself, and what is on its way while it is
/// drawn (masks of text, a scaled source).
pub fn drawn_cost(cx: &CostCx<'_>) -> Cost {
    let Some(Info::Clip(clip)) = cx.outputs.first() else {
        return Cost::default();
    };
    let frame = u64::from(clip.width) * u64::from(clip.height) * u64::from(clip.channels);
    Cost {
        host_bytes: 2 * frame,
        ..Cost::default()
    }
}

/// [`chunk_cost`] of frames that may come in floats.
pub fn floats_cost(cx: &CostCx<'_>) -> Cost {
    chunk_cost(cx, 4)
}

/// Whether two clips can stand one behind the other.
///
/// # Errors
/// Names both sizes, at the input that differs.
pub fn same_size(
    input: &str,
    expected: ClipInfo,
    found: ClipInfo,
    what: &Sentence,
) -> Result<(), InferError> {
    let size = |it: ClipInfo| (it.width, it.height, it.channels);
    if size(expected) == size(found) {
        return Ok(());
    }
    let words = |it: ClipInfo| {
        say!(
            "{}×{} with {} channels",
            "{}×{}・{} チャンネル",
            it.width,
            it.height,
            it.channels
        )
    };
    let (expected, found) = (words(expected), words(found));
    Err(InferError::at(
        "size_mismatch",
        input,
        say!(
            "{what}: expected {expected} as before it, found {found}; scale it with ImageScale",
            "{what}: 前と同じ {expected} が必要ですが、{found} です。ImageScale で大きさを合わせてください。";
            what, expected, found
        ),
    ))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use longtake_run::Pixels;

    /// A clip of `frames` 2×1 grey frames whose samples are `first`, `first + 1`, ….
    pub(crate) fn counting(first: u8, frames: u8) -> Clip {
        let frame = |i: u8| Frame::new(2, 1, 1, Pixels::U8(vec![first + i; 2]));
        Clip::from_frames((0..frames).map(frame).collect())
    }

    /// First sample of every frame.
    pub(crate) fn samples(clip: &Clip) -> Vec<u8> {
        let mut seen = Vec::new();
        clip.for_each(|_, frame| {
            seen.push(frame.to_u8()[0]);
            Ok(())
        })
        .unwrap();
        seen
    }

    #[test]
    fn joined_parts_can_be_read_in_any_stretch() {
        let info = ClipInfo {
            frames: 5,
            ..counting(0, 1).info()
        };
        let parts = vec![
            Part {
                clip: counting(0, 4),
                range: 1..3,
            },
            Part::whole(counting(10, 3)),
        ];
        let joined = join(info, parts);
        assert_eq!(samples(&joined), [1, 2, 10, 11, 12]);
        let some: Vec<u8> = joined
            .read(1..4)
            .unwrap()
            .iter()
            .map(|it| it.to_u8()[0])
            .collect();
        assert_eq!(some, [2, 10, 11]);
    }

    #[test]
    fn a_picture_is_drawn_once() {
        let count = Arc::new(Mutex::new(0));
        let counter = Arc::clone(&count);
        let drawn = Drawn::new(move || {
            *counter.lock().unwrap() += 1;
            Ok(Frame::new(1, 1, 1, Pixels::U8(vec![7])))
        });
        let clip = drawn.clip(ClipInfo {
            frames: 96,
            width: 1,
            height: 1,
            channels: 1,
            fps: None,
        });
        assert_eq!(samples(&clip), [7; 96]);
        assert_eq!(*count.lock().unwrap(), 1);
    }
}
