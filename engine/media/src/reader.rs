//! Decodes video files into RGB frames.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app::AppSink;
use gstreamer_video as gst_video;
use longtake_sentence::{Sentence, say};
use serde::Serialize;

use crate::MediaError;
use crate::error::{Doing, Pipeline};
use crate::ffv1::Damage;
use crate::mkv::Mkv;
use crate::mp4::Mp4;
use crate::picture::DECODED;
use crate::pipe::Pipe;
use crate::regular::check_readable;
use crate::segment_frames::{damaged, picture};

/// What a video file is, as far as can be told without decoding all of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VideoInfo {
    /// Pixels.
    pub width: u32,
    pub height: u32,
    /// Frames per second as a fraction: on average when the rate varies, `(0, 1)` when it is not told.
    pub fps: (u32, u32),
    /// Every frame is shown equally long, so that frames can be sought by number.
    pub constant_rate: bool,
    /// Number of frames; see `frames_exact`. 0 when not known.
    pub frames: u64,
    /// Counted from the file's index; otherwise `frames` is duration × rate.
    pub frames_exact: bool,
    pub duration: Duration,
}

/// Decodes a video file frame by frame.
///
/// FFV1 has checksums, which are looked at. Most other codecs have none: a byte changed within a packet often
/// decodes to other pictures without the decoder noticing, and then nothing in the file can tell.
pub struct VideoReader {
    pub info: VideoInfo,
    pipe: Pipe,
    sink: AppSink,
    path: PathBuf,
    damage: Damage,
    /// Frame number of the next frame.
    next: u64,
    /// From what time on a damaged frame matters.
    from: gst::ClockTime,
    /// When the frame before was shown, and how much later the next one may come: some frame is missing otherwise.
    last: Option<gst::ClockTime>,
    longest: Option<gst::ClockTime>,
}

/// Size, rate and length of a video, from its headers and first frame.
///
/// # Errors
/// As [`VideoReader::open`].
pub fn probe(path: &Path) -> Result<VideoInfo, MediaError> {
    VideoReader::open(path).map(|it| it.info)
}

impl VideoReader {
    /// Opens a video of any kind GStreamer can decode and waits for its first frame.
    ///
    /// # Errors
    /// [`MediaError::Missing`], [`MediaError::Empty`], [`MediaError::NotVideo`]; [`MediaError::Truncated`] or
    /// [`MediaError::Corrupt`] when the file's own index shows that its end is missing.
    pub fn open(path: &Path) -> Result<Self, MediaError> {
        let declared = Declared::read(path)?;
        let text = format!(
            "filesrc name=file ! decodebin name=decode caps=video/x-raw(ANY) expose-all-streams=false \
                    force-sw-decoders=true decode. ! videoconvert n-threads=2 ! {DECODED} \
                    ! appsink name=out sync=false max-buffers=3"
        );
        let pipe = Pipe::new(Pipeline::Decoding, path, &text)?;
        pipe.element::<gst::Element>("file")?
            .set_property("location", path.to_string_lossy().as_ref());
        let damage = Damage::default();
        set_up_decoders(&pipe, &damage);
        let sink: AppSink = pipe.element("out")?;
        pipe.start(gst::State::Paused)?;
        pipe.wait_for(gst::MessageType::AsyncDone, Doing::OpeningFile, || {
            Ok(false)
        })?;
        let not_video = |reason: Sentence| MediaError::not_video(path, reason);
        let caps = sink.static_pad("sink").and_then(|pad| pad.current_caps());
        let caps = caps.ok_or_else(|| {
            not_video(say!(
                "it has no frame that can be decoded",
                "デコードできるフレームがありません"
            ))
        })?;
        let video = gst_video::VideoInfo::from_caps(&caps)
            .map_err(|error| not_video(Sentence::same(error)))?;
        let told = (
            video.fps().numer().max(0) as u32,
            video.fps().denom().max(1) as u32,
        );
        let fps = declared.varying_fps.unwrap_or(told);
        let whole = pipe.pipeline().query_duration::<gst::ClockTime>();
        // A sound track may go on for longer than the pictures: what the pictures' own count says goes first.
        let counted = declared.frames.filter(|_| fps.0 > 0).map(|frames| {
            let nanos = u128::from(frames) * 1_000_000_000 * u128::from(fps.1) / u128::from(fps.0);
            Duration::from_nanos(nanos as u64)
        });
        let told = Duration::from_nanos(whole.map_or(0, |it| it.nseconds()));
        let duration = declared.duration.or(counted).unwrap_or(told);
        let estimate =
            (duration.as_secs_f64() * f64::from(fps.0) / f64::from(fps.1)).round() as u64;
        // Frames of an even track last at most half as long again as the shortest; one lost leaves twice that.
        let longest = (declared.even && fps.0 > 0).then(|| {
            gst::ClockTime::from_nseconds(1_750_000_000 * u64::from(fps.1) / u64::from(fps.0))
        });
        let info = VideoInfo {
            width: video.width(),
            height: video.height(),
            fps,
            constant_rate: fps.0 > 0 && declared.varying_fps.is_none(),
            frames: declared.frames.unwrap_or(estimate),
            frames_exact: declared.frames.is_some(),
            duration,
        };
        pipe.start(gst::State::Playing)?;
        Ok(Self {
            info,
            pipe,
            sink,
            path: path.to_owned(),
            damage,
            next: 0,
            from: gst::ClockTime::ZERO,
            last: None,
            longest,
        })
    }

    /// The next frame: RGB, 8 bits a channel, rows from the top, no padding. `None` after the last.
    ///
    /// # Errors
    /// [`MediaError::Truncated`] when the file ends before the number of frames it declares,
    /// [`MediaError::Damaged`] for a frame that the decoder had to guess at.
    pub fn next_rgb(&mut self) -> Result<Option<Vec<u8>>, MediaError> {
        let Some(sample) = self.pipe.pull(&self.sink, Doing::DecodingNextFrame)? else {
            return self.check_end().map(|()| None);
        };
        self.check_time(sample.buffer().and_then(|it| it.pts()))?;
        let pixels = picture(&sample, &self.path, self.next, &self.pipe)?;
        if pixels.len() != self.info.width as usize * self.info.height as usize * 3 {
            let reason = say!(
                "the picture size changes at frame {}",
                "フレーム {} で画像のサイズが変わります",
                self.next
            );
            return Err(MediaError::not_video(&self.path, reason));
        }
        self.next += 1;
        Ok(Some(pixels))
    }

    /// Makes `frame` (counted from 0) the next one.
    ///
    /// # Errors
    /// [`MediaError::NoSuchFrame`]; [`MediaError::NotVideo`] when the file has no constant rate.
    pub fn seek(&mut self, frame: u64) -> Result<(), MediaError> {
        let (num, den) = self.info.fps;
        if !self.info.constant_rate {
            let reason = say!(
                "it has no constant frame rate, so frames cannot be sought by number",
                "フレームレートが一定でないため、番号でフレームを探せません"
            );
            return Err(MediaError::not_video(&self.path, reason));
        }
        if self.info.frames > 0 && frame >= self.info.frames {
            return Err(MediaError::NoSuchFrame {
                path: self.path.clone(),
                frame,
                frames: self.info.frames,
            });
        }
        // The middle of the frame: the one time that no container's rounding moves to a neighbour.
        let time = u128::from(2 * frame + 1) * 500_000_000 * u128::from(den) / u128::from(num);
        let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE;
        let time = gst::ClockTime::from_nseconds(time as u64);
        self.pipe.pipeline().seek_simple(flags, time).map_err(|_| {
            self.pipe.failed(say!(
                "seeking frame {frame} failed",
                "フレーム {frame} へのシークに失敗しました。"
            ))
        })?;
        self.pipe
            .wait_for(gst::MessageType::AsyncDone, Doing::Seeking, || Ok(false))?;
        self.next = frame;
        // Half a frame and a millisecond's rounding before its middle.
        let earlier = 500_000_000 * u64::from(den) / u64::from(num) + 1_000_000;
        self.from = time.saturating_sub(gst::ClockTime::from_nseconds(earlier));
        self.last = None;
        Ok(())
    }

    /// Sees that no frame was lost or is damaged up to the one of this time.
    fn check_time(&mut self, time: Option<gst::ClockTime>) -> Result<(), MediaError> {
        let Some(time) = time else {
            return Ok(());
        };
        let gap = |(last, longest): (gst::ClockTime, _)| time > last + longest;
        let lost = self.last.zip(self.longest).is_some_and(gap);
        self.last = Some(time);
        if lost || self.damage.within(self.from..=time) {
            return Err(damaged(&self.path, self.next));
        }
        Ok(())
    }

    fn check_end(&self) -> Result<(), MediaError> {
        if self.damage.within(self.from..=gst::ClockTime::MAX) {
            return Err(damaged(&self.path, self.next));
        }
        let (expected, found) = (self.info.frames, self.next);
        if self.info.frames_exact && found < expected {
            return Err(MediaError::Truncated {
                path: self.path.clone(),
                expected,
                found,
            });
        }
        Ok(())
    }
}

/// What the container itself says of its video.
#[derive(Default)]
struct Declared {
    frames: Option<u64>,
    /// An index says that all frames are shown about equally long.
    even: bool,
    duration: Option<Duration>,
    varying_fps: Option<(u32, u32)>,
}

impl Declared {
    fn read(path: &Path) -> Result<Self, MediaError> {
        check_readable(path)?;
        if let Some(mp4) = Mp4::read(path)? {
            mp4.check_whole(path)?;
            let track = mp4.video.filter(|_| !mp4.fragmented);
            return Ok(track.map_or_else(Self::default, |it| Self {
                frames: Some(it.samples).filter(|_| it.plays_all),
                even: it.varying_fps.is_none(),
                duration: Duration::try_from_secs_f64(it.seconds).ok(),
                varying_fps: it.varying_fps,
            }));
        }
        if let Some(mkv) = Mkv::read(path)? {
            mkv.check_whole(path)?;
            return Ok(Self {
                frames: mkv.count_frames(path)?,
                ..Self::default()
            });
        }
        Ok(Self::default())
    }
}

/// Few decoder threads: more cost memory and latency, and other work wants the cores. FFV1 packets are looked at.
fn set_up_decoders(pipe: &Pipe, damage: &Damage) {
    let threads =
        std::thread::available_parallelism().map_or(1, |it| (it.get() / 2).clamp(1, 4)) as i32;
    let damage = damage.clone();
    if let Some(bin) = pipe.pipeline().dynamic_cast_ref::<gst::Bin>() {
        bin.connect_deep_element_added(move |_, _, element| {
            if element
                .factory()
                .is_some_and(|it| it.name() == "avdec_ffv1")
            {
                damage.watch(element);
            }
            if element
                .find_property("max-threads")
                .is_some_and(|it| it.value_type() == i32::static_type())
            {
                element.set_property("max-threads", threads);
            }
        });
    }
}
