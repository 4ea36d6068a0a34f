//! What can go wrong with a video file, said so that a person can act on it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a video could not be read or written. Each message names the file and, where there is one, the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    #[error("{}: there is no such file; check the name and the input folder", path.display())]
    Missing { path: PathBuf },
    #[error("{}: the file is empty (0 bytes); copy or download it again", path.display())]
    Empty { path: PathBuf },
    #[error("{}: not a video that can be read here: {reason}", path.display())]
    NotVideo { path: PathBuf, reason: String },
    #[error("{}: damaged at byte {byte}: {what}; make or copy the file again", path.display())]
    Corrupt {
        path: PathBuf,
        byte: u64,
        what: String,
    },
    #[error("{}: cut short: {found} of {expected} frames can be read; copy or render the file again", path.display())]
    Truncated {
        path: PathBuf,
        expected: u64,
        found: u64,
    },
    #[error("{}: frame {frame} is outside the video, which has {frames} frames (0 to {})", path.display(), frames.saturating_sub(1))]
    NoSuchFrame {
        path: PathBuf,
        frame: u64,
        frames: u64,
    },

    #[error("{}: cannot write here: {source}; check that the folder exists and may be written to", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
    #[error("{}: the disk is full; free some space and run again, nothing half-written was left", path.display())]
    DiskFull { path: PathBuf },
    #[error("{}: {doing} failed: {source}", path.display())]
    Io {
        path: PathBuf,
        doing: &'static str,
        source: io::Error,
    },

    #[error("video format: {0}")]
    BadFormat(String),
    #[error(
        "H.264 needs an even width and height, got {width}×{height}; the nearest even size is {even_width}×{even_height} (pad or crop the frames)"
    )]
    OddSize {
        width: u32,
        height: u32,
        even_width: u32,
        even_height: u32,
    },
    #[error("a {width}×{height} RGB frame has {expected} bytes, got {found}")]
    FrameSize {
        width: u32,
        height: u32,
        expected: usize,
        found: usize,
    },
    #[error("{}: no frames to write", path.display())]
    NoFrames { path: PathBuf },
    #[error("{}: segment does not fit the film: {what} is {found}, the film has {expected}; encode this segment again", path.display())]
    SegmentMismatch {
        path: PathBuf,
        what: &'static str,
        expected: String,
        found: String,
    },
    #[error("metadata: `{field}` is not valid JSON: {reason}")]
    BadMetadata { field: &'static str, reason: String },

    #[error(
        "GStreamer has no element `{element}`; install the Debian package {package} (apt-get install {package})"
    )]
    MissingElement {
        element: String,
        package: &'static str,
    },
    #[error("GStreamer did not start: {0}")]
    Init(String),
    #[error("{}: {pipeline} pipeline: {message}", path.display())]
    Pipeline {
        pipeline: &'static str,
        path: PathBuf,
        message: String,
    },
    #[error("{}: {pipeline} pipeline: nothing came for {seconds} s while {doing}", path.display())]
    Timeout {
        pipeline: &'static str,
        path: PathBuf,
        doing: &'static str,
        seconds: u64,
    },
    #[error("{}: cancelled", path.display())]
    Cancelled { path: PathBuf },
}

impl MediaError {
    /// Wraps an I/O error; a full disk is told apart.
    pub(crate) fn io(path: &Path, doing: &'static str, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            io::ErrorKind::NotFound => Self::Missing { path },
            _ => Self::Io {
                path,
                doing,
                source,
            },
        }
    }

    /// Wraps the failure to make a file at `path`.
    pub(crate) fn unwritable(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Unwritable { path, source },
        }
    }

    pub(crate) fn corrupt(path: &Path, byte: u64, what: impl Into<String>) -> Self {
        Self::Corrupt {
            path: path.to_owned(),
            byte,
            what: what.into(),
        }
    }
}
