//! `LoadVideo`: a video file as frames with a rate, read as they are needed.

use longtake_graph::declare::{FileKind, input_file, output};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{Cost, CostCx, InferCx, InferError, Info};
use longtake_run::{RunCx, RunError, Value};

use crate::Node;
use crate::node::fact_error;

const DECLARATION: Declaration = Declaration {
    class: "LoadVideo",
    title: "Load video",
    title_ja: "動画を読み込む",
    category: "image/video",
    category_ja: "画像/動画",
    help: "Reads a video file from --input.",
    help_ja: "--input の動画ファイルを読み込みます。",
    inputs: &[
        input_file("file", FileKind::Video).help("File under --input", "--input の中のファイル")
    ],
    outputs: &[output("VIDEO", Kind::VIDEO)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::lazy(&DECLARATION, infer, cost, run);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let facts = cx.facts.media(FileKind::Video, cx.text("file")?);
    Ok(vec![facts.map_err(|e| fact_error("file", e))?.info.clone()])
}

fn cost(cx: &CostCx<'_>) -> Cost {
    let Some(Info::Clip(clip)) = cx.outputs.first() else {
        return Cost::default();
    };
    // The decoder's reference frames and a chunk of RGB.
    let pixels = u64::from(clip.width) * u64::from(clip.height);
    Cost {
        host_bytes: pixels * 3 * 24,
        ..Cost::default()
    }
}

#[cfg(feature = "media")]
fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    use longtake_graph::say;
    use longtake_run::paths;

    use crate::failure::{OrFail, unplanned};

    let name = cx.text("file")?;
    let path = paths::find(&cx.env.roots.input, name).or_fail()?;
    let Some(Info::Clip(info)) = cx.output_info(0) else {
        return Err(unplanned(&say!("the video's size", "動画のサイズ")));
    };
    Ok(vec![Value::Clip(clip(path, *info)?)])
}

/// A video file as a clip; `info` is what probing it gave.
///
/// # Errors
/// A build without the media layer.
#[cfg(feature = "media")]
#[allow(clippy::unnecessary_wraps, reason = "without the media layer it fails")]
pub fn clip(
    path: std::path::PathBuf,
    info: longtake_plan::ClipInfo,
) -> Result<longtake_run::Clip, RunError> {
    Ok(longtake_run::Clip::new(source::FromFile::new(path, info)))
}

/// A video file as a clip.
///
/// # Errors
/// Always: this build has no media layer.
#[cfg(not(feature = "media"))]
pub fn clip(
    _: std::path::PathBuf,
    _: longtake_plan::ClipInfo,
) -> Result<longtake_run::Clip, RunError> {
    Err(RunError::failed(super::file::no_media()))
}

#[cfg(not(feature = "media"))]
fn run(_: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    Err(RunError::failed(super::file::no_media()))
}

#[cfg(feature = "media")]
mod source {
    use std::ops::Range;
    use std::path::PathBuf;
    use std::sync::{Mutex, PoisonError};

    use longtake_media::VideoReader;
    use longtake_plan::ClipInfo;
    use longtake_run::{Frame, FrameSource, Pixels, RunError};

    use crate::failure::OrFail;

    /// Frames of a file. Reading on from where the last read ended costs no seek.
    pub struct FromFile {
        path: PathBuf,
        info: ClipInfo,
        open: Mutex<Option<(VideoReader, u64)>>,
    }

    impl FromFile {
        pub fn new(path: PathBuf, info: ClipInfo) -> Self {
            Self {
                path,
                info,
                open: Mutex::new(None),
            }
        }
    }

    impl FrameSource for FromFile {
        fn info(&self) -> ClipInfo {
            self.info
        }

        fn read(&self, range: Range<u64>) -> Result<Vec<Frame>, RunError> {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let (mut reader, at) = match open.take() {
                Some(open) => open,
                None => (VideoReader::open(&self.path).or_fail()?, 0),
            };
            if at != range.start {
                reader.seek(range.start).or_fail()?;
            }
            let mut frames = Vec::with_capacity((range.end - range.start) as usize);
            for _ in range.clone() {
                // A short clip is told by the caller, which knows what it asked for.
                let Some(rgb) = reader.next_rgb().or_fail()? else {
                    break;
                };
                frames.push(Frame::new(
                    self.info.width,
                    self.info.height,
                    3,
                    Pixels::U8(rgb),
                ));
            }
            *open = Some((reader, range.end));
            Ok(frames)
        }
    }
}
