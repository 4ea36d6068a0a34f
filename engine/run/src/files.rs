//! Files, and nothing else, read; files that are whole or absent written: temporary name, sync, rename.

use std::fs::{self, File, FileType};
use std::io::{BufWriter, Read, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use longtake_graph::{Sentence, say};

use crate::RunError;

/// Opens a file for reading. A folder, a named pipe, a socket and a device are refused and not
/// waited for: a pipe may never end, and opening it may never come back.
///
/// # Errors
/// [`RunError`] naming the path and what stands there instead.
pub fn open_regular(path: &Path) -> Result<File, RunError> {
    let reading = |e| RunError::io(say!("reading", "読み込み"), path, &e);
    // Asked by name first: opening a device may do something already.
    let about = fs::metadata(path).map_err(reading)?;
    check_regular(path, about.file_type())?;
    let file = File::options()
        .read(true)
        // Whatever took the name since then does not make the call wait.
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
        .map_err(reading)?;
    let about = file.metadata().map_err(reading)?;
    check_regular(path, about.file_type())?;
    Ok(file)
}

/// Reads a whole file through [`open_regular`].
///
/// # Errors
/// As [`open_regular`], and those of reading.
pub fn read_regular(path: &Path) -> Result<Vec<u8>, RunError> {
    let mut bytes = Vec::new();
    open_regular(path)?
        .read_to_end(&mut bytes)
        .map_err(|e| RunError::io(say!("reading", "読み込み"), path, &e))?;
    Ok(bytes)
}

fn check_regular(path: &Path, kind: FileType) -> Result<(), RunError> {
    let Some(is) = other_than_file(kind) else {
        return Ok(());
    };
    Err(RunError::failed(say!(
        "{}: expected a file, found {is}; name a file instead",
        "{} はファイルではなく{is}です。ファイルを指定してください。",
        path.display();
        is
    )))
}

/// What stands there when it is not a file.
pub(crate) fn other_than_file(kind: FileType) -> Option<Sentence> {
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

/// Writes a file through a temporary name in the same folder, which is made when missing. After
/// the call the path holds the old content or all of the new, whatever happens to the program.
///
/// # Errors
/// [`RunError`] naming the path; the temporary file is removed.
pub fn write_atomic(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> Result<(), RunError>,
) -> Result<(), RunError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .map_err(|e| RunError::io(say!("making the folder", "フォルダーの作成"), folder, &e))?;
    let temporary = tempfile::Builder::new()
        .prefix(".longtake-")
        .suffix(".tmp")
        .tempfile_in(folder)
        .map_err(|e| RunError::io(say!("writing into", "書き込み"), folder, &e))?;
    let mut out = BufWriter::new(temporary.as_file());
    write(&mut out)?;
    out.flush()
        .map_err(|e| RunError::io(say!("writing", "書き込み"), path, &e))?;
    drop(out);
    temporary
        .as_file()
        .sync_all()
        .map_err(|e| RunError::io(say!("syncing", "ディスクへの同期"), path, &e))?;
    readable(temporary.as_file());
    temporary
        .persist(path)
        .map_err(|e| RunError::io(say!("renaming onto", "名前の変更"), path, &e.error))?;
    // The rename itself must outlast a power cut. Some file systems cannot sync a folder.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Temporary files are made for their owner only; a finished file has the usual rights.
fn readable(file: &File) {
    use std::os::unix::fs::PermissionsExt;
    let _ = file.set_permissions(fs::Permissions::from_mode(0o644));
}

/// Writes bytes through [`write_atomic`].
///
/// # Errors
/// As [`write_atomic`].
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    write_atomic(path, |out| {
        out.write_all(bytes)
            .map_err(|e| RunError::io(say!("writing", "書き込み"), path, &e))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        write_bytes(&path, b"old").unwrap();
        let failed = write_atomic(&path, |out| {
            out.write_all(b"half").unwrap();
            Err(RunError::failed(Sentence::same("no")))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    /// The answer of a call that must come back at once.
    fn soon<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
        let (answer, answered) = std::sync::mpsc::channel();
        std::thread::spawn(move || answer.send(call()));
        let most = std::time::Duration::from_secs(20);
        answered.recv_timeout(most).expect("it waits for ever")
    }

    #[allow(unsafe_code, reason = "making a pipe")]
    fn pipe(path: &Path) {
        let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        // SAFETY: a path that ends with a zero byte.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    }

    #[test]
    fn a_pipe_a_device_a_socket_and_a_folder_are_refused_and_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        pipe(&at("pipe"));
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", at("device")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        for (name, found) in [
            ("pipe", "a named pipe"),
            ("socket", "a socket"),
            ("device", "a device"),
            ("folder", "a folder"),
        ] {
            let path = at(name);
            let error = soon(move || read_regular(&path)).unwrap_err();
            assert!(error.message.en.contains(found), "{error}");
            assert_eq!(error.message.lacks(), None);
        }
        let error = read_regular(&at("nothing")).unwrap_err();
        assert_eq!(error.message.lacks(), None);
        fs::write(at("file"), b"x").unwrap();
        assert_eq!(read_regular(&at("file")).unwrap(), b"x");
    }

    #[test]
    #[allow(unsafe_code, reason = "making a pipe and changing its place")]
    fn a_file_that_becomes_a_pipe_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let (name, other) = (dir.path().join("name"), dir.path().join("other"));
        pipe(&other);
        fs::write(&name, b"x").unwrap();
        // They change places all the time while the file is opened.
        let stop = std::sync::atomic::AtomicBool::new(false);
        let swap = || {
            let [a, b] =
                [&name, &other].map(|it| std::ffi::CString::new(it.to_str().unwrap()).unwrap());
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                // SAFETY: paths that end with a zero byte.
                unsafe {
                    libc::renameat2(
                        libc::AT_FDCWD,
                        a.as_ptr(),
                        libc::AT_FDCWD,
                        b.as_ptr(),
                        libc::RENAME_EXCHANGE,
                    )
                };
            }
        };
        let path = name.clone();
        std::thread::scope(|scope| {
            scope.spawn(swap);
            // Until both were met, or long enough.
            let tries = move || {
                let begun = std::time::Instant::now();
                let mut met = [0, 0];
                while met.contains(&0) && begun.elapsed().as_secs() < 10 {
                    met[usize::from(open_regular(&path).is_ok())] += 1;
                }
            };
            soon(tries);
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }
}
