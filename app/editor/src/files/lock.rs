//! A lock that ends with its holder: the system frees it when the program dies, however it dies.

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// A lock file that this window holds. Dropped, it is gone.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    file: File,
}

/// Another window, which holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its process, if it could be read.
    pub pid: Option<u32>,
}

/// What became of an attempt.
#[derive(Debug)]
pub enum Taken {
    /// It is ours.
    Ours(Lock),
    /// Another window holds it.
    Theirs(Holder),
    /// This disk cannot lock, or the folder cannot be written.
    Unknown,
}

impl Lock {
    /// Tries to take the lock of that name. The folder is made when missing.
    pub fn take(path: &Path) -> Taken {
        if let Some(folder) = path.parent() {
            let _ = fs::create_dir_all(folder);
        }
        loop {
            let mut options = File::options();
            options.read(true).write(true).create(true).truncate(false);
            let Ok(mut file) = options.open(path) else {
                return Taken::Unknown;
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(fs::TryLockError::WouldBlock) => return Taken::Theirs(holder(&mut file)),
                Err(fs::TryLockError::Error(_)) => return Taken::Unknown,
            }
            // Its former holder removes the file before letting go: what we hold may have no name.
            if !still_named(&file, path) {
                continue;
            }
            let pid = std::process::id().to_string();
            let _ = file.set_len(0).and_then(|()| file.rewind());
            let _ = file.write_all(pid.as_bytes());
            let path = path.to_path_buf();
            return Taken::Ours(Self { path, file });
        }
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // First the name, then the lock: nobody takes a file that is about to go.
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

fn holder(file: &mut File) -> Holder {
    let mut text = String::new();
    // Its holder may be just about to write it.
    let _ = file.take(32).read_to_string(&mut text);
    Holder {
        pid: text.trim().parse().ok(),
    }
}

#[cfg(unix)]
fn still_named(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(named)) => (held.dev(), held.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn still_named(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_the_other_learns_who_and_nothing_stays_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("locks/a.lock");
        let Taken::Ours(held) = Lock::take(&path) else {
            panic!("free")
        };
        let other = Lock::take(&path);
        assert!(matches!(other, Taken::Theirs(it) if it.pid == Some(std::process::id())));
        drop(held);
        assert!(!path.exists());
        assert!(matches!(Lock::take(&path), Taken::Ours(_)));
    }

    #[test]
    fn a_file_left_by_the_dead_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.lock");
        fs::write(&path, "999999").unwrap();
        assert!(matches!(Lock::take(&path), Taken::Ours(_)));
    }

    #[test]
    fn many_at_once_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.lock");
        let (held, most) = (
            std::sync::atomic::AtomicI32::new(0),
            std::sync::atomic::Ordering::SeqCst,
        );
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        if let Taken::Ours(lock) = Lock::take(&path) {
                            assert_eq!(held.fetch_add(1, most), 0);
                            held.fetch_sub(1, most);
                            drop(lock);
                        }
                    }
                });
            }
        });
    }
}
