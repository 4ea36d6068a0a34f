//! What was found in files, kept while they stay as they are.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// A file changed so lately may change again and keep its time.
const TOO_NEW: Duration = Duration::from_secs(2);

/// What was found in files, by what was looked for. A file that was touched since is looked at anew.
pub struct Seen<K, T>(Mutex<HashMap<(K, PathBuf), (Stamp, T)>>);

/// What changes when a file does.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: SystemTime,
    /// Which file it is, and when anything about it changed: another one under this name, even of the
    /// same length and time, has others.
    file: [u64; 4],
}

impl<K, T> Default for Seen<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq, T: Clone> Seen<K, T> {
    /// What was found in a file before, or what `look` finds now.
    ///
    /// # Errors
    /// Those of `look`; they are not kept.
    pub fn or_look<E>(
        &self,
        what: K,
        path: &Path,
        look: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let key = (what, path.to_path_buf());
        let stamp = Stamp::of(path);
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((then, found)) = known().get(&key)
            && Some(then) == stamp.as_ref()
        {
            return Ok(found.clone());
        }
        let found = look()?;
        // Written to meanwhile: what was read may be neither the old nor the new.
        if let Some(stamp) = stamp.filter(|it| Stamp::of(path).as_ref() == Some(it)) {
            known().insert(key, (stamp, found.clone()));
        }
        Ok(found)
    }
}

impl Stamp {
    /// `None` where nothing can be compared, or not yet.
    fn of(path: &Path) -> Option<Self> {
        let about = std::fs::metadata(path).ok().filter(|it| it.is_file())?;
        let modified = about.modified().ok()?;
        let rested = modified.elapsed().is_ok_and(|age| age >= TOO_NEW);
        #[cfg(unix)]
        let file = {
            use std::os::unix::fs::MetadataExt;
            let changed = [about.ctime(), about.ctime_nsec()].map(i64::cast_unsigned);
            [about.dev(), about.ino(), changed[0], changed[1]]
        };
        #[cfg(not(unix))]
        let file = [0; 4];
        rested.then_some(Self {
            bytes: about.len(),
            modified,
            file,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs::{self, File};

    use super::*;

    #[test]
    fn a_file_is_looked_at_once_until_it_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.mp4");
        let write = |text: &str, age: u64| {
            fs::write(&path, text).unwrap();
            let time = SystemTime::now() - Duration::from_secs(age);
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(time).unwrap();
        };
        let seen: Seen<&str, String> = Seen::default();
        let looks = Cell::new(0);
        let look = |what| {
            let read = || {
                looks.set(looks.get() + 1);
                fs::read_to_string(&path)
            };
            seen.or_look(what, &path, read)
        };
        write("one", 60);
        for what in ["hash", "hash", "size", "hash"] {
            assert_eq!(look(what).unwrap(), "one");
        }
        assert_eq!(looks.get(), 2);
        // Longer; then of the same length; then so new that it may still change.
        for (text, age, wanted) in [("three", 60, 3), ("seven", 60, 4), ("eight", 0, 6)] {
            write(text, age);
            assert_eq!(look("hash").unwrap(), text);
            assert_eq!(look("hash").unwrap(), text);
            assert_eq!(looks.get(), wanted, "{text}");
        }
        fs::remove_file(&path).unwrap();
        look("hash").unwrap_err();
    }
}
