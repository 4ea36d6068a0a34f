//! One GStreamer pipeline, guarded: it ends in NULL whatever happens, and no wait is without an end.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app::{AppSink, AppSrc};
use longtake_sentence::{Sentence, say};

use crate::error::{Doing, Pipeline};
use crate::install::{init, missing};
use crate::{EncodedFrame, MediaError, VideoFormat};

/// How long a pipeline may go without any sign of life. One 4K frame at the slowest preset takes seconds.
const PATIENCE: Duration = Duration::from_mins(1);
/// Buffers queued at most in front of a pipeline.
const QUEUE: u64 = 4;

pub(crate) struct Pipe {
    pipeline: gst::Pipeline,
    bus: gst::Bus,
    name: Pipeline,
    path: PathBuf,
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // A pipeline dropped in any other state leaks its threads.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

impl Pipe {
    /// Builds the pipeline written in `text`; `path` is the file errors speak of.
    pub fn new(name: Pipeline, path: &Path, text: &str) -> Result<Self, MediaError> {
        init()?;
        let fail = |message: Sentence| MediaError::Pipeline {
            pipeline: name,
            path: path.to_owned(),
            message,
        };
        let mut context = gst::ParseContext::new();
        let built =
            gst::parse::launch_full(text, Some(&mut context), gst::ParseFlags::FATAL_ERRORS);
        let element = built.map_err(|error| match context.missing_elements().first() {
            Some(element) => missing(element),
            None => fail(Sentence::same(error)),
        })?;
        let pipeline = element.downcast::<gst::Pipeline>().map_err(|_| {
            fail(say!(
                "the text is not a whole pipeline",
                "パイプライン全体の記述ではありません。"
            ))
        })?;
        let bus = pipeline
            .bus()
            .ok_or_else(|| fail(say!("no bus", "バスがありません。")))?;
        Ok(Self {
            pipeline,
            bus,
            name,
            path: path.to_owned(),
        })
    }

    pub fn pipeline(&self) -> &gst::Pipeline {
        &self.pipeline
    }

    pub fn element<T: IsA<gst::Element>>(&self, name: &str) -> Result<T, MediaError> {
        let found = self
            .pipeline
            .by_name(name)
            .and_then(|it| it.downcast::<T>().ok());
        found.ok_or_else(|| {
            self.failed(say!(
                "no part named {name}",
                "{name} という部品がありません。"
            ))
        })
    }

    /// Goes to `state` without waiting for it to be reached.
    pub fn start(&self, state: gst::State) -> Result<(), MediaError> {
        match self.pipeline.set_state(state) {
            Ok(_) => Ok(()),
            Err(error) => Err(self
                .error()
                .err()
                .unwrap_or_else(|| self.failed(Sentence::same(error)))),
        }
    }

    /// Ends all threads and closes all files.
    pub fn stop(&self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }

    /// An error some part of the pipeline reported, if any.
    pub fn error(&self) -> Result<(), MediaError> {
        match self.bus.pop_filtered(&[gst::MessageType::Error]) {
            Some(message) => Err(self.reported(&message)),
            None => Ok(()),
        }
    }

    /// Waits for a message of one of these kinds. `alive` tells of progress that the bus does not show.
    pub fn wait_for(
        &self,
        kind: gst::MessageType,
        doing: Doing,
        mut alive: impl FnMut() -> Result<bool, MediaError>,
    ) -> Result<(), MediaError> {
        let mut clock = Patience::new();
        loop {
            let kinds = [gst::MessageType::Error, kind];
            match self
                .bus
                .timed_pop_filtered(gst::ClockTime::from_mseconds(50), &kinds)
            {
                Some(message) if message.type_() == gst::MessageType::Error => {
                    return Err(self.reported(&message));
                }
                Some(_) => return Ok(()),
                None if alive()? => clock = Patience::new(),
                None => clock.check(self, doing)?,
            }
        }
    }

    /// Queues one buffer, once there is room. `meanwhile` runs while waiting, to take what comes out at the
    /// other end, and says whether anything came.
    pub fn push(
        &self,
        source: &AppSrc,
        buffer: gst::Buffer,
        mut meanwhile: impl FnMut() -> Result<bool, MediaError>,
    ) -> Result<(), MediaError> {
        let mut clock = Patience::new();
        loop {
            self.error()?;
            let came = meanwhile()?;
            if source.property::<u64>("current-level-buffers") < QUEUE {
                break;
            }
            if came {
                clock = Patience::new();
            } else {
                clock.check(self, Doing::WaitingForRoom)?;
                thread::sleep(Duration::from_micros(500));
            }
        }
        match source.push_buffer(buffer) {
            Ok(_) => Ok(()),
            Err(flow) => Err(self.error().err().unwrap_or_else(|| {
                self.failed(say!(
                    "frame refused ({flow})",
                    "フレームを渡せません({flow})。"
                ))
            })),
        }
    }

    /// The next sample; `None` at the end of the stream.
    pub fn pull(&self, sink: &AppSink, doing: Doing) -> Result<Option<gst::Sample>, MediaError> {
        let clock = Patience::new();
        loop {
            if let Some(sample) = sink.try_pull_sample(gst::ClockTime::from_mseconds(50)) {
                return Ok(Some(sample));
            }
            self.error()?;
            // Only true here when started: `start` has returned, and sinks start within it.
            if sink.is_eos() {
                return Ok(None);
            }
            clock.check(self, doing)?;
        }
    }

    pub fn end_refused(&self, flow: gst::FlowError) -> MediaError {
        self.failed(say!("end refused ({flow})", "終わりを渡せません({flow})。"))
    }

    pub fn failed(&self, message: Sentence) -> MediaError {
        MediaError::Pipeline {
            pipeline: self.name,
            path: self.path.clone(),
            message,
        }
    }

    fn reported(&self, message: &gst::Message) -> MediaError {
        let gst::MessageView::Error(report) = message.view() else {
            return self.failed(say!("unknown message", "未知のメッセージです。"));
        };
        let error = report.error();
        if error.matches(gst::ResourceError::NoSpaceLeft)
            || report
                .debug()
                .is_some_and(|it| it.contains("No space left"))
        {
            return MediaError::DiskFull {
                path: self.path.clone(),
            };
        }
        if error.matches(gst::StreamError::TypeNotFound)
            || error.matches(gst::StreamError::WrongType)
            || error.matches(gst::StreamError::Demux)
        {
            return MediaError::NotVideo {
                path: self.path.clone(),
                reason: Sentence::same(error.message()),
            };
        }
        if error.matches(gst::StreamError::CodecNotFound)
            || error.matches(gst::CoreError::MissingPlugin)
        {
            let reason = say!(
                "it holds no video, or one that takes a decoder of gstreamer1.0-plugins-bad or gstreamer1.0-libav",
                "動画が入っていないか、gstreamer1.0-plugins-bad か gstreamer1.0-libav のデコーダーが必要です"
            );
            return MediaError::NotVideo {
                path: self.path.clone(),
                reason,
            };
        }
        let part = report
            .src()
            .map(|it| format!("{}: ", it.name()))
            .unwrap_or_default();
        self.failed(Sentence::same(format!("{part}{}", error.message())))
    }
}

/// Counts down while nothing happens.
struct Patience(Instant);

impl Patience {
    fn new() -> Self {
        Self(Instant::now())
    }

    fn check(&self, pipe: &Pipe, doing: Doing) -> Result<(), MediaError> {
        if self.0.elapsed() < PATIENCE {
            return Ok(());
        }
        let seconds = PATIENCE.as_secs();
        Err(MediaError::Timeout {
            pipeline: pipe.name,
            path: pipe.path.clone(),
            doing,
            seconds,
        })
    }
}

/// An encoded frame with the times of frame `n`.
pub(crate) fn timed_buffer(frame: EncodedFrame, n: u64, format: &VideoFormat) -> gst::Buffer {
    let (start, end) = (format.frame_time_ns(n), format.frame_time_ns(n + 1));
    let mut buffer = gst::Buffer::from_slice(frame.data);
    if let Some(it) = buffer.get_mut() {
        it.set_pts(gst::ClockTime::from_nseconds(start));
        it.set_dts(gst::ClockTime::from_nseconds(start)); // no B-frames: decoded in display order
        it.set_duration(gst::ClockTime::from_nseconds(end - start));
        if !frame.key {
            it.set_flags(gst::BufferFlags::DELTA_UNIT);
        }
    }
    buffer
}
