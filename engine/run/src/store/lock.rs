//! Locks that end with their holder: the system frees them when the program dies, however it dies, and
//! they hold between containers and machines that share the store, where numbers of processes mean nothing.

use std::fs::{self, File, TryLockError};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A lock file of this program's own. Dropped, it is gone.
#[derive(Debug)]
pub(super) struct LockFile {
    path: PathBuf,
    file: File,
}

impl LockFile {
    /// Takes the lock of that name; `None` while someone else holds it.
    ///
    /// # Errors
    /// The file cannot be made, or this file system knows no locks.
    pub fn take(path: &Path) -> io::Result<Option<Self>> {
        loop {
            let file = open(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // Its former holder removes the file before letting go: what we hold may have no name.
            if still_named(&file, path) {
                let path = path.to_path_buf();
                return Ok(Some(Self { path, file }));
            }
        }
    }

    /// Writes what the lock is about.
    ///
    /// # Errors
    /// The disk is full.
    pub fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.write_all(text)
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // First the name, then the lock: nobody takes a file that is about to go.
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path)
}

fn still_named(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(named)) => (held.dev(), held.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// A turn at a lock file that stays: held alone, or with others. Dropped, the turn is over.
#[derive(Debug)]
pub(super) struct Turn(File);

impl Turn {
    /// Alone; `None` when nobody let go in that time.
    ///
    /// # Errors
    /// As [`LockFile::take`].
    pub fn alone(path: &Path, patience: Duration) -> io::Result<Option<Self>> {
        Self::wait(path, patience, File::try_lock)
    }

    /// Together with others who ask for the same.
    ///
    /// # Errors
    /// As [`LockFile::take`].
    pub fn shared(path: &Path, patience: Duration) -> io::Result<Option<Self>> {
        Self::wait(path, patience, File::try_lock_shared)
    }

    fn wait(
        path: &Path,
        patience: Duration,
        lock: fn(&File) -> Result<(), TryLockError>,
    ) -> io::Result<Option<Self>> {
        let file = open(path)?;
        let until = Instant::now() + patience;
        loop {
            match lock(&file) {
                Ok(()) => return Ok(Some(Self(file))),
                Err(TryLockError::WouldBlock) if Instant::now() >= until => return Ok(None),
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(2)),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// A name that no other program, machine or moment gives.
pub(super) fn unique() -> String {
    // The standard library's own source of chance: keys drawn from the system.
    let chance = || RandomState::new().build_hasher().finish();
    format!("{:016x}", chance())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_and_nothing_stays_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.lock");
        let held = LockFile::take(&path).unwrap().unwrap();
        assert!(LockFile::take(&path).unwrap().is_none());
        drop(held);
        assert!(!path.exists());
        fs::write(&path, "left by the dead").unwrap();
        assert!(LockFile::take(&path).unwrap().is_some());
    }

    #[test]
    fn turns_are_shared_or_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("turn");
        let soon = Duration::from_millis(5);
        let some = [0, 1].map(|_| Turn::shared(&path, soon).unwrap().unwrap());
        assert!(Turn::alone(&path, soon).unwrap().is_none());
        drop(some);
        let alone = Turn::alone(&path, soon).unwrap().unwrap();
        assert!(Turn::shared(&path, soon).unwrap().is_none());
        drop(alone);
        assert!(Turn::shared(&path, soon).unwrap().is_some());
    }
}
