//! What a file was when it was read or written, to notice that someone else changed it.

use std::fs::File;
use std::io;
use std::path::Path;

/// A file's content in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    size: u64,
    hash: blake3::Hash,
}

/// What stands on the disk, beside what is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDisk {
    /// The same content.
    Same,
    /// Another content.
    Changed,
    /// No file.
    Gone,
}

impl Stamp {
    /// Reads a file's stamp.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(&file)?;
        Ok(Self {
            size: about.len(),
            hash: hasher.finalize(),
        })
    }

    /// The stamp of a file that was just written with these bytes. They are not read back: another
    /// window may have written since.
    pub fn written(bytes: &[u8]) -> Self {
        Self {
            size: bytes.len() as u64,
            hash: blake3::hash(bytes),
        }
    }

    /// Compares with what stands there now. The content decides: the same bytes with another time
    /// (a copy, a checkout) are no change, and a change within one tick of the clock is one.
    pub fn compare(&self, path: &Path) -> OnDisk {
        match std::fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return OnDisk::Gone,
            Ok(about) if about.len() != self.size => return OnDisk::Changed,
            _ => {}
        }
        match Self::of(path) {
            Ok(now) if now.hash == self.hash => OnDisk::Same,
            _ => OnDisk::Changed,
        }
    }
}
