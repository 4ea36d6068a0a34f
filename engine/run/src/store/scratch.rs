//! Folders for frames on their way: one for each run, gone with it.

use std::fs;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

use longtake_graph::say;

use super::lock::{LockFile, unique};
use crate::RunError;

/// A folder without a lock belongs to nobody once it is that old.
const ABANDONED: Duration = Duration::from_hours(24);

/// A run's own folder, used as its path. Dropped, it is gone with all that is in it.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    owned: Owned,
}

#[derive(Debug)]
enum Owned {
    /// Ours; the lock tells other programs that we live.
    Locked { _lock: LockFile },
    /// Ours, on a file system that knows no locks.
    Unlocked,
    /// Someone else's.
    No,
}

impl Scratch {
    /// A fresh folder under `root`. What dead programs left there is removed; what living ones use,
    /// here or in other containers and on other machines, is not.
    pub(super) fn create(root: &Path) -> Result<Self, RunError> {
        let making = |path: &Path, e: &io::Error| {
            RunError::io(say!("making the folder", "フォルダーの作成"), path, e)
        };
        fs::create_dir_all(root).map_err(|e| making(root, &e))?;
        sweep(root);
        let folder = root.join(unique());
        // First the lock, then the folder: none stands there without an owner.
        let owned = match LockFile::take(&lock_of(&folder)) {
            Ok(Some(lock)) => Owned::Locked { _lock: lock },
            Ok(None) => {
                let taken = io::Error::from(io::ErrorKind::AlreadyExists);
                return Err(making(&folder, &taken));
            }
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Owned::Unlocked,
            Err(error) if error.raw_os_error() == Some(libc::ENOLCK) => Owned::Unlocked,
            Err(error) => return Err(making(&folder, &error)),
        };
        fs::create_dir(&folder).map_err(|e| making(&folder, &e))?;
        Ok(Self { folder, owned })
    }

    /// A folder that is there anyway, for a look at results that needs no room of its own.
    pub fn elsewhere(folder: PathBuf) -> Self {
        let owned = Owned::No;
        Self { folder, owned }
    }
}

impl Deref for Scratch {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        match self.owned {
            // The lock goes after this, with the field.
            Owned::Locked { .. } | Owned::Unlocked => drop(fs::remove_dir_all(&self.folder)),
            Owned::No => {}
        }
    }
}

fn lock_of(folder: &Path) -> PathBuf {
    folder.with_extension("lock")
}

/// Removes what nobody holds any more.
fn sweep(root: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|it| it == "lock") {
            // Whoever gets the lock of a run knows that it is dead; the lock goes last.
            if let Ok(Some(lock)) = LockFile::take(&path) {
                let _ = fs::remove_dir_all(path.with_extension(""));
                drop(lock);
            }
        } else if !lock_of(&path).exists() {
            let modified = entry.metadata().and_then(|it| it.modified());
            let age = modified.ok().and_then(|it| it.elapsed().ok());
            if age.is_some_and(|it| it > ABANDONED) {
                let _ = fs::remove_dir_all(&path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::SystemTime;

    use super::*;

    fn names(root: &Path) -> Vec<String> {
        let name = |it: fs::DirEntry| it.file_name().to_string_lossy().into_owned();
        let mut names: Vec<String> = fs::read_dir(root).unwrap().flatten().map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn scratch_goes_with_its_owner_and_stays_while_it_lives() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("scratch");
        let living = Scratch::create(&root).unwrap();
        fs::write(living.join("frames"), b"x").unwrap();
        let other = Scratch::create(&root).unwrap();
        assert!(living.join("frames").exists(), "another run came and swept");
        drop(other);
        drop(living);
        assert_eq!(names(&root), Vec::<String>::new());
    }

    #[test]
    fn scratch_of_the_dead_is_removed_whatever_number_they_had() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("scratch");
        // Left by a killed program: a lock file that nobody holds.
        fs::create_dir_all(root.join("dead")).unwrap();
        fs::write(root.join("dead/frames"), b"x").unwrap();
        fs::write(root.join("dead.lock"), b"").unwrap();
        // Left by an older one, which knew no locks and named its process, long gone or not.
        let old = root.join(format!("{}-1", std::process::id()));
        fs::create_dir(&old).unwrap();
        let new = root.join("1-2");
        fs::create_dir(&new).unwrap();
        let day = SystemTime::now() - ABANDONED - Duration::from_mins(1);
        File::open(&old).unwrap().set_modified(day).unwrap();
        let living = Scratch::create(&root).unwrap();
        let name = living.file_name().unwrap().to_string_lossy().into_owned();
        let mut wanted = vec!["1-2".to_owned(), format!("{name}.lock"), name];
        wanted.sort();
        assert_eq!(names(&root), wanted);
    }

    #[test]
    fn a_borrowed_folder_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        drop(Scratch::elsewhere(dir.path().to_path_buf()));
        assert!(dir.path().exists());
    }

    /// What the process below does; on its own it has nothing to do.
    #[test]
    fn holds_scratch_until_it_is_killed() {
        let Some(root) = std::env::var_os("LONGTAKE_TEST_SCRATCH") else {
            return;
        };
        let held = Scratch::create(Path::new(&root)).unwrap();
        fs::write(held.join("frames"), b"x").unwrap();
        fs::write(held.join("ready"), b"x").unwrap();
        std::thread::sleep(Duration::from_mins(1));
    }

    #[test]
    fn scratch_of_another_living_program_stays_and_goes_when_it_is_killed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("scratch");
        fs::create_dir_all(&root).unwrap();
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "store::scratch::tests::holds_scratch_until_it_is_killed",
            ])
            .env("LONGTAKE_TEST_SCRATCH", &root)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let ready = || {
            let mut folders = fs::read_dir(&root).unwrap().flatten();
            folders.any(|it| it.path().join("ready").exists())
        };
        let begun = std::time::Instant::now();
        while !ready() {
            assert!(begun.elapsed() < Duration::from_secs(30), "no child");
            std::thread::sleep(Duration::from_millis(10));
        }
        drop(Scratch::create(&root).unwrap());
        assert!(ready(), "a living program lost its scratch");
        child.kill().unwrap();
        child.wait().unwrap();
        drop(Scratch::create(&root).unwrap());
        assert_eq!(names(&root), Vec::<String>::new());
    }
}
