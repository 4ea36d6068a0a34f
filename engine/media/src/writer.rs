//! Encodes a shot's frames into a segment file, as they come.

use std::path::{Path, PathBuf};

use gstreamer as gst;
use gstreamer_app::{AppSink, AppSrc};
use gstreamer_video as gst_video;
use longtake_sentence::{Sentence, say};

use crate::error::{Doing, Pipeline};
use crate::picture::{encoder_input, input_info};
use crate::pipe::Pipe;
use crate::segment::{SegmentFile, SegmentHeader};
use crate::whole_file::WholeFile;
use crate::{MediaError, VideoFormat};

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    pub frames: u64,
    pub bytes: u64,
}

/// Encodes frames into one segment. Dropped before [`SegmentWriter::finish`], it leaves no file; a program
/// killed meanwhile leaves one named `.NAME.??????.part`.
///
/// The same frames and format give the same bytes, whatever the machine's core count, its load and what its
/// processor can do, as long as libx264 and libavcodec are of the same version and architecture.
pub struct SegmentWriter {
    pipe: Pipe,
    source: AppSrc,
    sink: AppSink,
    info: gst_video::VideoInfo,
    output: Output,
    pushed: u64,
}

/// Where encoded frames go. The file's header is known once the encoder has given its first frame.
struct Output {
    path: PathBuf,
    format: VideoFormat,
    unopened: Option<WholeFile>,
    segment: Option<SegmentFile>,
    frames: u64,
}

impl SegmentWriter {
    /// Starts a segment at `path`; the folder must exist. An existing file is replaced on finish.
    ///
    /// # Errors
    /// A format no encoder takes ([`MediaError::OddSize`], [`MediaError::BadFormat`]), a folder that cannot be
    /// written to, a missing encoder.
    pub fn create(path: &Path, format: &VideoFormat) -> Result<Self, MediaError> {
        format.check()?;
        Self::with_encoder(path, format, &format.encoder())
    }

    fn with_encoder(path: &Path, format: &VideoFormat, encoder: &str) -> Result<Self, MediaError> {
        let text = format!(
            "appsrc name=in format=time ! {encoder} ! appsink name=out sync=false max-buffers=8"
        );
        let pipe = Pipe::new(Pipeline::Encoding, path, &text)?;
        let info = input_info(format)?;
        let source: AppSrc = pipe.element("in")?;
        let sink: AppSink = pipe.element("out")?;
        let caps = info
            .to_caps()
            .map_err(|error| MediaError::BadFormat(Sentence::same(error)))?;
        source.set_caps(Some(&caps));
        let unopened = Some(WholeFile::create(path)?);
        let output = Output {
            path: path.to_owned(),
            format: format.clone(),
            unopened,
            segment: None,
            frames: 0,
        };
        pipe.start(gst::State::Playing)?;
        Ok(Self {
            pipe,
            source,
            sink,
            info,
            output,
            pushed: 0,
        })
    }

    /// Encodes one frame: RGB, 8 bits a channel, rows from the top, no padding (`width * height * 3` bytes).
    /// Returns once the encoder has room for it, so the caller never runs ahead by more than a few frames.
    ///
    /// # Errors
    /// [`MediaError::FrameSize`]; a full disk; whatever the encoder reports.
    pub fn push_rgb(&mut self, frame: &[u8]) -> Result<(), MediaError> {
        let VideoFormat { width, height, .. } = self.output.format;
        let expected = self.output.format.frame_bytes();
        if frame.len() != expected {
            return Err(MediaError::FrameSize {
                width,
                height,
                expected,
                found: frame.len(),
            });
        }
        let mut buffer = encoder_input(&self.info, frame);
        let (start, end) = (
            self.output.format.frame_time_ns(self.pushed),
            self.output.format.frame_time_ns(self.pushed + 1),
        );
        if let Some(it) = buffer.get_mut() {
            it.set_pts(gst::ClockTime::from_nseconds(start));
            it.set_duration(gst::ClockTime::from_nseconds(end - start));
        }
        let Self {
            pipe,
            source,
            sink,
            output,
            ..
        } = self;
        pipe.push(source, buffer, || {
            let mut came = false;
            while let Some(sample) = sink.try_pull_sample(gst::ClockTime::ZERO) {
                output.write(&sample)?;
                came = true;
            }
            Ok(came)
        })?;
        self.pushed += 1;
        Ok(())
    }

    /// Encodes what is still queued and puts the file in its place.
    ///
    /// # Errors
    /// [`MediaError::NoFrames`] when none was pushed; a full disk; whatever the encoder reports.
    pub fn finish(mut self) -> Result<SegmentInfo, MediaError> {
        let Some(last) = self.pushed.checked_sub(1) else {
            return Err(MediaError::NoFrames {
                path: self.output.path,
            });
        };
        self.source
            .end_of_stream()
            .map_err(|flow| self.pipe.end_refused(flow))?;
        while let Some(sample) = self.pipe.pull(&self.sink, Doing::WaitingForLastFrames)? {
            self.output.write(&sample)?;
        }
        self.pipe.error()?;
        let frames = self.output.frames;
        let (Some(segment), true) = (self.output.segment.take(), frames == self.pushed) else {
            return Err(self.pipe.failed(say!(
                "{frames} frames came out, {} went in (last {last})",
                "{} フレーム(最後は {last})を入れ、{frames} フレームが出ました。",
                self.pushed
            )));
        };
        Ok(SegmentInfo {
            frames,
            bytes: segment.finish()?,
        })
    }
}

impl Output {
    fn write(&mut self, sample: &gst::Sample) -> Result<(), MediaError> {
        let odd = |message: Sentence| MediaError::Pipeline {
            pipeline: Pipeline::Encoding,
            path: self.path.clone(),
            message,
        };
        let (Some(buffer), Some(caps)) = (sample.buffer(), sample.caps()) else {
            return Err(odd(say!(
                "the encoder gave a frame without description",
                "エンコーダーのフレームに説明がありません。"
            )));
        };
        let key = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
        let data = buffer
            .map_readable()
            .map_err(|error| odd(Sentence::same(error)))?;
        if let Some(file) = self.unopened.take() {
            if !key {
                return Err(odd(say!(
                    "the first frame is no key frame",
                    "最初のフレームがキーフレームではありません。"
                )));
            }
            let header = SegmentHeader {
                format: self.format.clone(),
                caps: stored_caps(caps),
            };
            self.segment = Some(SegmentFile::create(&self.path, file, &header)?);
        }
        let Some(segment) = &mut self.segment else {
            return Err(odd(say!("no file", "ファイルがありません。")));
        };
        segment.push(&data, key)?;
        self.frames += 1;
        Ok(())
    }
}

/// The encoder's caps less what says nothing of plain video.
fn stored_caps(caps: &gst::CapsRef) -> String {
    let mut caps = caps.to_owned();
    if let Some(it) = caps.make_mut().structure_mut(0) {
        it.remove_fields(["multiview-mode", "multiview-flags"]);
    }
    caps.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Codec, Preset, SegmentReader};

    /// Frames of noise that moves, which keeps every part of an encoder busy.
    fn encode(path: &Path, format: &VideoFormat, encoder: &str) -> Vec<u8> {
        let mut writer = SegmentWriter::with_encoder(path, format, encoder).unwrap();
        let (width, height) = (format.width as usize, format.height as usize);
        let mut state = 1_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .take(2 * width * (height + 80))
        .collect();
        for n in 0..40 {
            let rows = (0..height).flat_map(|y| {
                let start = 2 * width * (y + 2 * n) + 3 * n;
                noise[start..].windows(2).take(width)
            });
            let pixels: Vec<u8> = rows.flat_map(|it| [it[0] / 2 + it[1] / 2; 3]).collect();
            writer.push_rgb(&pixels).unwrap();
        }
        writer.finish().unwrap();
        let mut reader = SegmentReader::open(path).unwrap();
        let frames = std::iter::from_fn(|| reader.next_frame().unwrap());
        frames.flat_map(|it| it.data).collect()
    }

    #[test]
    fn what_the_processor_can_do_does_not_change_the_frames() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.seg");
        for preset in [Preset::Superfast, Preset::Veryfast, Preset::Medium] {
            let format = VideoFormat {
                codec: Codec::H264 { crf: 18, preset },
                ..VideoFormat::h264(160, 90, (24, 1))
            };
            let text = format.encoder();
            let all = encode(&path, &format, &text);
            // x264 without any of its hand-written paths.
            let plain = text.replace("scenecut=40", "scenecut=40:asm=0");
            assert_ne!(text, plain);
            assert!(encode(&path, &format, &plain) == all, "{preset:?}");
        }
    }
}
