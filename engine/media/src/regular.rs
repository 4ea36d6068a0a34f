//! Files, and nothing else: a pipe never ends, a device may be anything, and opening either can wait forever.

use std::fs::{self, File, FileType};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use longtake_sentence::{Sentence, say};

use crate::MediaError;
use crate::error::Doing;

/// Opens a file for reading; also gives its length in bytes, which is not 0.
///
/// # Errors
/// [`MediaError::Missing`], [`MediaError::Empty`]; [`MediaError::NotVideo`] for what is no file, which is not opened.
pub(crate) fn open(path: &Path) -> Result<(File, u64), MediaError> {
    let length = check_readable(path)?;
    let file = File::open(path).map_err(|error| MediaError::io(path, Doing::OpeningFile, error))?;
    Ok((file, length))
}

/// As [`open`], for what GStreamer opens by itself.
pub(crate) fn check_readable(path: &Path) -> Result<u64, MediaError> {
    let about =
        fs::metadata(path).map_err(|error| MediaError::io(path, Doing::OpeningFile, error))?;
    if let Some(is) = other_than_file(about.file_type()) {
        let reason = say!("it is {is}", "{is}です"; is);
        return Err(MediaError::not_video(path, reason));
    }
    match about.len() {
        0 => Err(MediaError::Empty {
            path: path.to_owned(),
        }),
        length => Ok(length),
    }
}

/// Sees that a file may take this name: there is none yet, or one that it replaces.
pub(crate) fn check_writable(path: &Path) -> Result<(), MediaError> {
    // What cannot be looked at cannot be written either, which creating the file tells.
    let is = fs::metadata(path)
        .ok()
        .and_then(|about| other_than_file(about.file_type()));
    is.map_or(Ok(()), |is| {
        Err(MediaError::NotAFile {
            path: path.to_owned(),
            is,
        })
    })
}

fn other_than_file(kind: FileType) -> Option<Sentence> {
    if kind.is_file() {
        return None;
    }
    Some(if kind.is_dir() {
        say!("a folder", "フォルダー")
    } else if kind.is_fifo() {
        say!("a named pipe", "名前付きパイプ")
    } else if kind.is_socket() {
        say!("a socket", "ソケット")
    } else {
        say!("a device", "デバイス")
    })
}
