//! Decodes stored segments into RGB frames.

use std::path::Path;
use std::str::FromStr;

use gstreamer as gst;
use gstreamer_app::{AppSink, AppSrc};
use longtake_sentence::say;

use crate::error::{Doing, Pipeline};
use crate::picture::{DECODED, rgb_pixels};
use crate::pipe::{Pipe, timed_buffer};
use crate::segment::SegmentReader;
use crate::{MediaError, VideoFormat};

/// Decodes a stored segment, frame by frame.
pub struct SegmentFrames {
    pipe: Pipe,
    source: AppSrc,
    sink: AppSink,
    segment: SegmentReader,
    pushed: u64,
    ended: bool,
    pulled: u64,
}

/// Opens a stored segment for decoding: previews, joins, tests.
///
/// # Errors
/// As [`SegmentReader::open`]; a missing decoder.
pub fn decode_segment(path: &Path) -> Result<SegmentFrames, MediaError> {
    let segment = SegmentReader::open(path)?;
    let text = format!(
        "appsrc name=in format=time ! {} ! videoconvert n-threads=2 ! {DECODED} \
         ! appsink name=out sync=false max-buffers=3",
        segment.header().format.decoder()
    );
    let pipe = Pipe::new(Pipeline::Decoding, path, &text)?;
    let caps = gst::Caps::from_str(&segment.header().caps).map_err(|error| {
        let what = say!("stream description: {error}", "ストリームの説明: {error}");
        MediaError::corrupt(path, 0, what)
    })?;
    let source: AppSrc = pipe.element("in")?;
    source.set_caps(Some(&caps));
    let sink = pipe.element("out")?;
    pipe.start(gst::State::Playing)?;
    Ok(SegmentFrames {
        pipe,
        source,
        sink,
        segment,
        pushed: 0,
        ended: false,
        pulled: 0,
    })
}

impl SegmentFrames {
    pub fn format(&self) -> &VideoFormat {
        &self.segment.header().format
    }

    /// Number of frames in the segment.
    pub fn frames(&self) -> u64 {
        self.segment.frames()
    }

    /// The next frame as RGB, as [`VideoReader::next_rgb`].
    ///
    /// # Errors
    /// [`MediaError::Corrupt`] for a damaged frame, [`MediaError::Truncated`] when the decoder gives fewer
    /// frames than the segment has.
    pub fn next_rgb(&mut self) -> Result<Option<Vec<u8>>, MediaError> {
        let mut ready = None;
        while !self.ended && ready.is_none() {
            let Some(frame) = self.segment.next_frame()? else {
                self.source
                    .end_of_stream()
                    .map_err(|flow| self.pipe.end_refused(flow))?;
                self.ended = true;
                break;
            };
            let buffer = timed_buffer(frame, self.pushed, &self.segment.header().format);
            self.pipe.push(&self.source, buffer, || {
                ready = ready
                    .take()
                    .or_else(|| self.sink.try_pull_sample(gst::ClockTime::ZERO));
                Ok(false)
            })?;
            self.pushed += 1;
        }
        if ready.is_none() {
            ready = self.pipe.pull(&self.sink, Doing::DecodingNextFrame)?;
        }
        let Some(sample) = ready else {
            let (expected, found) = (self.segment.frames(), self.pulled);
            let path = self.segment.path().to_owned();
            return if found < expected {
                Err(MediaError::Truncated {
                    path,
                    expected,
                    found,
                })
            } else {
                Ok(None)
            };
        };
        self.pulled += 1;
        let path = self.segment.path();
        picture(&sample, path, self.pulled - 1, &self.pipe).map(Some)
    }
}

/// The pixels of frame `n`, unless the decoder says that it had to guess at them.
pub(crate) fn picture(
    sample: &gst::Sample,
    path: &Path,
    n: u64,
    pipe: &Pipe,
) -> Result<Vec<u8>, MediaError> {
    let flags = sample.buffer().map(|it| it.flags());
    if flags.is_some_and(|it| it.contains(gst::BufferFlags::CORRUPTED)) {
        return Err(damaged(path, n));
    }
    rgb_pixels(sample).ok_or_else(|| {
        pipe.failed(say!(
            "the decoder gave no RGB picture",
            "デコーダーの出力が RGB 画像ではありません。"
        ))
    })
}

pub(crate) fn damaged(path: &Path, frame: u64) -> MediaError {
    MediaError::Damaged {
        path: path.to_owned(),
        frame,
    }
}
