//! Replacing a file at once or not at all.
//!
//! The bytes go to a temporary name in the same folder and to the disk, then the name is moved over
//! the file. The temporary file is locked while its writer lives: what a killed program left behind
//! has no lock, and the next call in that folder removes it.

use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// How temporary names begin. Nothing else may be called so: they are removed.
const PREFIX: &str = ".longtake-save-";

/// Links followed before it is taken for a circle.
const MAX_LINKS: usize = 16;

/// Replaces a file, or makes it. Symbolic links are followed and stay; permissions stay; a file
/// marked read-only is refused. The folder must exist.
///
/// # Errors
/// The system's reason. The file is as it was before then.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, |file| file.write_all(bytes))
}

/// As [`replace`], by what writes the new file: piece by piece where it is too large for memory.
///
/// # Errors
/// As [`replace`], and what writing it says.
pub fn replace_with(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let target = real_path(path)?;
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let old = writable(&target)?;
    sweep(folder);
    let mut file = temporary(folder, old.is_none())?;
    write(file.as_file_mut())?;
    if let Some(old) = &old {
        take_after(file.as_file(), old)?;
    }
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    // The rename itself lasts through a power cut only when the folder is on the disk too. Not every
    // file system can do that, and the new file stands in any case: no reason to report a failure.
    #[cfg(unix)]
    drop(File::open(folder).and_then(|folder| folder.sync_all()));
    Ok(())
}

/// The file that a path means, which need not exist: symbolic links are followed, also those whose
/// end is missing.
fn real_path(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        match path.canonicalize() {
            Err(error) if error.kind() == ErrorKind::NotFound => match fs::read_link(&path) {
                Ok(end) => path = path.parent().unwrap_or(Path::new("")).join(end),
                Err(_) => return Ok(path),
            },
            found => return found,
        }
    }
    Err(io::Error::other("the symbolic links go in a circle"))
}

/// What is known of the file to replace, if there is one and it may be written.
fn writable(target: &Path) -> io::Result<Option<Metadata>> {
    let old = match fs::metadata(target) {
        Ok(old) => old,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if old.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !old.is_file() {
        return Err(io::Error::other("it is a device or a pipe, not a file"));
    }
    // The rename would not ask: the folder's permissions are all it needs.
    fs::OpenOptions::new().write(true).open(target)?;
    Ok(Some(old))
}

/// A new temporary file with a lock on it. Where there was no file before, it has the mode that this
/// person's new files have.
fn temporary(folder: &Path, is_new: bool) -> io::Result<NamedTempFile> {
    loop {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        let usual = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        #[cfg(unix)]
        if is_new {
            builder.permissions(usual);
        }
        #[cfg(not(unix))]
        let _ = is_new;
        let file = builder.tempfile_in(folder)?;
        match file.as_file().try_lock() {
            // Another program sweeps, and is about to remove it.
            Err(TryLockError::WouldBlock) => continue,
            // File systems without locks lose the sweeping, nothing else.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        // Another program may have swept it away just before the lock.
        if file.path().exists() {
            return Ok(file);
        }
    }
}

/// Temporary files are private; a document keeps the mode and the owners it had.
#[cfg(unix)]
fn take_after(file: &File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    // Only some may give files away; the file is as good without.
    let _ = fchown(file, None, Some(old.gid()));
    let _ = fchown(file, Some(old.uid()), None);
    file.set_permissions(old.permissions())
}

#[cfg(not(unix))]
fn take_after(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Removes what killed programs left in a folder.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let path = entry.path();
        // The lock is held until the name is gone: a writer that made the file just now either has
        // it, or finds it taken and makes another.
        if let Ok(file) = File::open(&path)
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn links_stay_and_so_does_the_mode() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link, lost) = (
            dir.path().join("real"),
            dir.path().join("link"),
            dir.path().join("lost"),
        );
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("real", &link).unwrap();
        symlink("made", &lost).unwrap();
        replace(&link, b"new").unwrap();
        replace(&lost, b"made").unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert_eq!(
            fs::metadata(&real).unwrap().permissions().mode() & 0o777,
            0o640
        );
        assert_eq!(names(dir.path()), ["link", "lost", "made", "real"]);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(dir.path().join("made")).unwrap(), b"made");
    }

    #[test]
    fn what_the_dead_left_is_swept_and_what_the_living_write_is_not() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(".longtake-save-dead"), "half").unwrap();
        let living = dir.path().join(".longtake-save-living");
        let held = File::create(&living).unwrap();
        held.lock().unwrap();
        replace(&dir.path().join("a"), b"a").unwrap();
        assert_eq!(names(dir.path()), [".longtake-save-living", "a"]);
    }

    /// As the system makes files, whatever the mask is.
    #[test]
    fn a_new_file_has_the_mode_that_new_files_have() {
        let dir = tempfile::tempdir().unwrap();
        let (usual, ours) = (dir.path().join("usual"), dir.path().join("ours"));
        fs::write(&usual, "").unwrap();
        replace(&ours, b"").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&ours), mode(&usual));
    }

    #[test]
    fn a_narrow_mask_is_respected() {
        // The mask is the whole process's, so another one is needed.
        let test = "format::replace::tests::a_new_file_has_the_mode_that_new_files_have";
        let outcome = std::process::Command::new("sh")
            .args(["-c", "umask 077; exec \"$0\" --exact \"$1\""])
            .arg(std::env::current_exe().unwrap())
            .arg(test)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&outcome.stdout);
        assert!(
            outcome.status.success() && said.contains("1 passed"),
            "{said}"
        );
    }

    /// Many in one folder: each sweeps while others write.
    #[test]
    fn writers_do_not_sweep_each_other_away() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for n in 0..4 {
                let path = dir.path().join(n.to_string());
                scope.spawn(move || {
                    for _ in 0..50 {
                        replace(&path, b"whole").unwrap();
                    }
                });
            }
        });
        assert_eq!(names(dir.path()), ["0", "1", "2", "3"]);
    }

    #[test]
    fn folders_circles_and_missing_folders_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        symlink("circle", dir.path().join("circle")).unwrap();
        for (name, kind) in [
            ("", ErrorKind::IsADirectory),
            ("missing/a", ErrorKind::NotFound),
        ] {
            let error = replace(&dir.path().join(name), b"a").unwrap_err();
            assert_eq!(error.kind(), kind, "{name}: {error}");
        }
        assert!(replace(&dir.path().join("circle"), b"a").is_err());
        assert_eq!(names(dir.path()), ["circle"]);
    }
}
