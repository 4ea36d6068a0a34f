//! The files that were open last, the newest first.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Most remembered.
pub const MOST: usize = 20;

/// A file that was open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentFile {
    /// The file.
    pub path: PathBuf,
    /// When it was opened or saved last, seconds since 1970.
    pub opened: u64,
    /// It was not there when last looked for.
    #[serde(skip)]
    pub missing: bool,
}

/// Reads the list; an unreadable one is an empty one.
pub(crate) fn load(list: &Path) -> Vec<RecentFile> {
    let bytes = std::fs::read(list).unwrap_or_default();
    let mut files: Vec<RecentFile> = serde_json::from_slice(&bytes).unwrap_or_default();
    files.truncate(MOST);
    look(&mut files);
    files
}

/// Marks those that are missing.
pub(crate) fn look(files: &mut [RecentFile]) {
    for file in files {
        file.missing = !file.path.exists();
    }
}

/// Takes over what another window's list has and this one lacks, by when it was opened; not what was
/// forgotten here.
pub(crate) fn join(files: &mut Vec<RecentFile>, others: Vec<RecentFile>, forgotten: &[PathBuf]) {
    for other in others {
        let known = files.iter().any(|it| it.path == other.path);
        if !known && !forgotten.contains(&other.path) {
            files.push(other);
        }
    }
    files.sort_by_key(|it| std::cmp::Reverse(it.opened));
}

/// Puts a file first. `files` is the list as another window may have left it.
pub(crate) fn add(files: &mut Vec<RecentFile>, path: &Path) {
    // JSON holds text; a name that is none cannot be remembered.
    if path.to_str().is_none() {
        return;
    }
    files.retain(|it| it.path != path);
    files.insert(
        0,
        RecentFile {
            path: path.to_path_buf(),
            opened: now(),
            missing: false,
        },
    );
    files.truncate(MOST);
}

/// The list as a file.
pub(crate) fn to_bytes(files: &[RecentFile]) -> Vec<u8> {
    serde_json::to_vec_pretty(files).unwrap_or_default()
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |it| it.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_first_once_each_twenty_at_most() {
        let mut files = Vec::new();
        for n in 0..30 {
            add(&mut files, &PathBuf::from(format!("/nowhere/{}", n % 25)));
        }
        assert_eq!(files.len(), MOST);
        assert_eq!(files[0].path, Path::new("/nowhere/4"));
        look(&mut files);
        assert!(files.iter().all(|it| it.missing));
        let dir = tempfile::tempdir().unwrap();
        let list = dir.path().join("recent.json");
        std::fs::write(&list, to_bytes(&files)).unwrap();
        assert_eq!(load(&list), files);
        std::fs::write(&list, "{ broken").unwrap();
        assert_eq!(load(&list), []);
    }
}
