//! Writing files that are whole or absent: temporary name, sync, rename.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::RunError;

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
    fs::create_dir_all(folder).map_err(|e| RunError::io("making the folder", folder, &e))?;
    let temporary = tempfile::Builder::new()
        .prefix(".longtake-")
        .suffix(".tmp")
        .tempfile_in(folder)
        .map_err(|e| RunError::io("writing into", folder, &e))?;
    let mut out = BufWriter::new(temporary.as_file());
    write(&mut out)?;
    out.flush().map_err(|e| RunError::io("writing", path, &e))?;
    drop(out);
    temporary
        .as_file()
        .sync_all()
        .map_err(|e| RunError::io("syncing", path, &e))?;
    readable(temporary.as_file());
    temporary
        .persist(path)
        .map_err(|e| RunError::io("renaming onto", path, &e.error))?;
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
            .map_err(|e| RunError::io("writing", path, &e))
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
            Err(RunError::failed("no"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
