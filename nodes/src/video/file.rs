//! What the media layer does for these nodes, and what is said in a build without it.

use std::path::Path;

use longtake_plan::{FactError, InferError, Info};

use longtake_graph::{Sentence, say};
#[cfg(feature = "media")]
use longtake_plan::{ClipInfo, Fps};

/// Said by every video node in a build without the media layer.
#[cfg(not(feature = "media"))]
pub fn no_media() -> Sentence {
    say!(
        "this build has no video support; use SaveImage for PNG frames, or build with the feature `media`",
        "このビルドは動画に対応していません。SaveImage で PNG フレームを保存するか、機能「media」を付けてビルドしてください。"
    )
}

/// Sizes of a video file.
///
/// # Errors
/// Not a video, a damaged one, or a build without the media layer.
#[cfg(feature = "media")]
pub fn probe(path: &Path) -> Result<Info, FactError> {
    let found = longtake_media::probe(path).map_err(|e| FactError {
        code: "video_unreadable",
        message: e.sentence(),
    })?;
    let (num, den) = found.fps;
    Ok(Info::Clip(ClipInfo {
        frames: found.frames,
        width: found.width,
        height: found.height,
        channels: 3,
        fps: (num > 0 && den > 0).then_some(Fps { num, den }),
    }))
}

/// Sizes of a video file.
///
/// # Errors
/// Always: this build has no media layer.
#[cfg(not(feature = "media"))]
pub fn probe(path: &Path) -> Result<Info, FactError> {
    let why = no_media();
    Err(FactError {
        code: "no_media",
        message: say!("{}: {why}", "{}: {why}", path.display(); why),
    })
}

/// A video file as a clip, decoded as it is read.
///
/// # Errors
/// Not a video, a damaged one, or a build without the media layer.
pub fn open(path: &Path) -> Result<longtake_run::Clip, longtake_run::RunError> {
    let failed = |why: Sentence| longtake_run::RunError::failed(why);
    let Info::Clip(info) = probe(path).map_err(|e| failed(e.message))? else {
        return Err(failed(say!(
            "{}: expected a video, found no frames; choose another file",
            "{}: フレームがありません。動画ファイルを選んでください",
            path.display()
        )));
    };
    super::load_video::clip(path.to_path_buf(), info)
}

/// `Err` in a build without the media layer, or on a machine without its plugins.
///
/// # Errors
/// Names what is missing and how to get it.
pub fn available(input: &str) -> Result<(), InferError> {
    #[cfg(feature = "media")]
    {
        longtake_media::check_installation()
            .map_err(|e| InferError::at("no_media", input, e.sentence()))
    }
    #[cfg(not(feature = "media"))]
    {
        Err(InferError::at("no_media", input, no_media()))
    }
}
