//! What can go wrong with a video file, said in both languages so that a person can act on it.

use std::io;
use std::path::{Path, PathBuf};

use longtake_sentence::Sentence;

mod sentence;

/// Why a video could not be read or written. Each message names the file and, where there is one, the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    Missing {
        path: PathBuf,
    },
    Empty {
        path: PathBuf,
    },
    NotVideo {
        path: PathBuf,
        reason: Sentence,
    },
    Corrupt {
        path: PathBuf,
        byte: u64,
        what: Sentence,
    },
    /// A frame that cannot be decoded as it was encoded.
    Damaged {
        path: PathBuf,
        frame: u64,
    },
    Truncated {
        path: PathBuf,
        expected: u64,
        found: u64,
    },
    NoSuchFrame {
        path: PathBuf,
        frame: u64,
        frames: u64,
    },

    Unwritable {
        path: PathBuf,
        source: io::Error,
    },
    /// A folder, a device or a pipe where a file is to be written.
    NotAFile {
        path: PathBuf,
        is: Sentence,
    },
    DiskFull {
        path: PathBuf,
    },
    Io {
        path: PathBuf,
        doing: Doing,
        source: io::Error,
    },

    BadFormat(Sentence),
    OddSize {
        width: u32,
        height: u32,
        even_width: u32,
        even_height: u32,
    },
    FrameSize {
        width: u32,
        height: u32,
        expected: usize,
        found: usize,
    },
    NoFrames {
        path: PathBuf,
    },
    SegmentMismatch {
        path: PathBuf,
        what: Sentence,
        expected: String,
        found: String,
    },
    BadMetadata {
        field: &'static str,
        reason: String,
    },

    MissingElement {
        element: String,
        package: &'static str,
    },
    /// GStreamer's own words.
    Init(String),
    Pipeline {
        pipeline: Pipeline,
        path: PathBuf,
        message: Sentence,
    },
    Timeout {
        pipeline: Pipeline,
        path: PathBuf,
        doing: Doing,
        seconds: u64,
    },
    Cancelled {
        path: PathBuf,
    },
}

/// What a pipeline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pipeline {
    Encoding,
    Decoding,
    Joining,
}

/// What was being done when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    OpeningFile,
    ReadingFile,
    ReadingSegment,
    WritingSegment,
    WritingToDisk,
    WaitingForRoom,
    WaitingForLastFrames,
    DecodingNextFrame,
    Seeking,
    FinishingFile,
}

impl MediaError {
    /// Wraps an I/O error; a full disk is told apart.
    pub(crate) fn io(path: &Path, doing: Doing, source: io::Error) -> Self {
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

    pub(crate) fn corrupt(path: &Path, byte: u64, what: Sentence) -> Self {
        Self::Corrupt {
            path: path.to_owned(),
            byte,
            what,
        }
    }

    pub(crate) fn not_video(path: &Path, reason: Sentence) -> Self {
        Self::NotVideo {
            path: path.to_owned(),
            reason,
        }
    }
}
