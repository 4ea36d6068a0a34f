//! Joins segments into a film without encoding anything again.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app::AppSrc;
use longtake_sentence::{Sentence, say};
use serde::{Deserialize, Serialize};

use crate::error::{Doing, Pipeline};
use crate::pipe::{Pipe, timed_buffer};
use crate::segment::{SegmentHeader, SegmentReader};
use crate::whole_file::WholeFile;
use crate::{Codec, MediaError, Metadata, VideoFormat};

/// The kind of file a film becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// H.264 only; the index comes first, so that it plays while it downloads.
    Mp4,
    Mkv,
}

/// The film that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileInfo {
    pub frames: u64,
    pub bytes: u64,
    pub duration: Duration,
}

/// Joins `segments` in order into the film `out`, copying encoded frames. Frame `n` is shown from exactly
/// `n / fps` on; in MKV rounded to a millisecond, its usual clock. `progress` hears the number of frames written and may stop the work.
///
/// Memory does not grow with the frames' size, only by the muxer's index (tens of bytes a frame).
///
/// # Errors
/// [`MediaError::SegmentMismatch`] names a segment of another size, rate or stream description;
/// [`MediaError::Corrupt`] one that is damaged. On any error, `out` is as it was before.
pub fn assemble(
    out: &Path,
    segments: &[PathBuf],
    format: &VideoFormat,
    container: Container,
    metadata: &Metadata,
    progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<FileInfo, MediaError> {
    format.check()?;
    if container == Container::Mp4 && format.codec == Codec::Ffv1 {
        return Err(MediaError::BadFormat(say!(
            "FFV1 does not go into MP4; write an .mkv file, or choose H.264",
            "FFV1 は MP4 に入りません。.mkv ファイルにするか、H.264 を選んでください。"
        )));
    }
    let comment = metadata.comment(container)?;
    let header = check_segments(out, segments, format)?;

    let film = WholeFile::create(out)?;
    let spare = WholeFile::create(out)?; // where mp4mux keeps the frames until the index is known
    let pipe = Pipe::new(Pipeline::Joining, out, &muxer_text(container, format))?;
    pipe.element::<gst::Element>("file")?
        .set_property("location", film.temporary_path().to_string_lossy().as_ref());
    let mux: gst::Element = pipe.element("mux")?;
    if container == Container::Mp4 {
        mux.set_property(
            "faststart-file",
            spare.temporary_path().to_string_lossy().as_ref(),
        );
    }
    set_tags(
        &mux,
        comment.as_deref(),
        metadata
            .title
            .as_deref()
            .filter(|_| container == Container::Mp4),
    );
    let source: AppSrc = pipe.element("in")?;
    let caps = muxer_caps(&header.caps).map_err(|error| {
        pipe.failed(say!(
            "stream description: {error}",
            "ストリームの説明: {error}"
        ))
    })?;
    source.set_caps(Some(&caps));
    pipe.start(gst::State::Playing)?;

    let mut frames = 0;
    for path in segments {
        let mut segment = SegmentReader::open(path)?;
        while let Some(frame) = segment.next_frame()? {
            pipe.push(&source, timed_buffer(frame, frames, format), || Ok(false))?;
            frames += 1;
            if progress(frames).is_break() {
                return Err(MediaError::Cancelled {
                    path: out.to_owned(),
                });
            }
        }
    }
    source
        .end_of_stream()
        .map_err(|flow| pipe.end_refused(flow))?;
    // With the index first, the muxer now copies the whole film: alive as long as the file grows.
    let mut size = 0;
    pipe.wait_for(gst::MessageType::Eos, Doing::FinishingFile, || {
        let now = film.temporary_path().metadata().map_or(0, |it| it.len());
        Ok(std::mem::replace(&mut size, now) != now)
    })?;
    pipe.stop();
    pipe.error()?;
    let bytes = film.keep()?;
    Ok(FileInfo {
        frames,
        bytes,
        duration: Duration::from_nanos(format.frame_time_ns(frames)),
    })
}

fn muxer_text(container: Container, format: &VideoFormat) -> String {
    let (num, den) = format.fps;
    let mux = match container {
        Container::Mp4 => {
            // A whole number of ticks a frame, so that times in the file are exact.
            let scale = if den == 1 {
                num * (10_000 / num.min(10_000)).max(1)
            } else {
                num
            };
            format!("mp4mux name=mux faststart=true trak-timescale={scale} movie-timescale={scale}")
        }
        Container::Mkv => "matroskamux name=mux".to_owned(),
    };
    format!("appsrc name=in format=time ! mux.video_0 {mux} ! filesink name=file sync=false")
}

/// The encoder's stream description as the muxer wants it.
fn muxer_caps(text: &str) -> Result<gst::Caps, gst::glib::BoolError> {
    let mut caps = gst::Caps::from_str(text)?;
    if let Some(it) = caps
        .make_mut()
        .structure_mut(0)
        .filter(|it| it.name() == "video/x-ffv")
    {
        // GStreamer 1.22 spells it `ffvversion` in the encoder and both decoders, `ffversion` in matroskamux.
        it.set("ffversion", 1);
    }
    Ok(caps)
}

/// Sees that there are frames and that all segments are the film's; returns the first one's header.
fn check_segments(
    out: &Path,
    segments: &[PathBuf],
    format: &VideoFormat,
) -> Result<SegmentHeader, MediaError> {
    let mut first: Option<SegmentHeader> = None;
    for path in segments {
        let header = SegmentReader::open(path)?.header().clone();
        let mismatch = |what: Sentence, expected: String, found: String| {
            Err(MediaError::SegmentMismatch {
                path: path.clone(),
                what,
                expected,
                found,
            })
        };
        let (is, wanted) = (&header.format, format);
        if (is.width, is.height) != (wanted.width, wanted.height) {
            return mismatch(
                say!("the size", "サイズ"),
                format!("{}×{}", wanted.width, wanted.height),
                format!("{}×{}", is.width, is.height),
            );
        }
        if is.fps != wanted.fps {
            return mismatch(
                say!("the frame rate", "フレームレート"),
                format!("{}/{}", wanted.fps.0, wanted.fps.1),
                format!("{}/{}", is.fps.0, is.fps.1),
            );
        }
        if is.codec != wanted.codec {
            return mismatch(say!("the codec", "コーデック"), wanted.id(), is.id());
        }
        match &first {
            Some(first) if first.caps != header.caps => {
                let what = say!("the stream description", "ストリームの説明");
                return mismatch(what, first.caps.clone(), header.caps);
            }
            Some(_) => {}
            None => first = Some(header),
        }
    }
    first.ok_or_else(|| MediaError::NoFrames {
        path: out.to_owned(),
    })
}

fn set_tags(mux: &gst::Element, comment: Option<&str>, title: Option<&str>) {
    let Some(setter) = mux.dynamic_cast_ref::<gst::TagSetter>() else {
        return;
    };
    let mut tags = gst::TagList::new();
    if let Some(tags) = tags.get_mut() {
        if let Some(text) = comment {
            tags.add::<gst::tags::Comment>(&text, gst::TagMergeMode::Replace);
        }
        if let Some(text) = title {
            tags.add::<gst::tags::Title>(&text, gst::TagMergeMode::Replace);
        }
    }
    setter.merge_tags(&tags, gst::TagMergeMode::Replace);
}
