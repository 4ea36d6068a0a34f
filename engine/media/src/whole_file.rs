//! A file that appears whole under its name or not at all.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::MediaError;
use crate::error::Doing;
use crate::regular::check_writable;

/// A temporary file beside its destination; removed when dropped before [`WholeFile::keep`].
pub(crate) struct WholeFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl WholeFile {
    pub fn create(path: &Path) -> Result<Self, MediaError> {
        check_writable(path)?;
        let folder = folder_of(path);
        let name = path
            .file_name()
            .map(|it| it.to_string_lossy().into_owned())
            .unwrap_or_default();
        let file = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .suffix(".part")
            .permissions(fs::Permissions::from_mode(0o666)) // less the umask, as any other file
            .tempfile_in(folder)
            .map_err(|error| MediaError::unwritable(path, error))?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    pub fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    pub fn temporary_path(&self) -> &Path {
        self.file.path()
    }

    /// Puts the content on the disk, then the name. Returns the size in bytes.
    pub fn keep(self) -> Result<u64, MediaError> {
        let Self { file, path } = self;
        let failed = |error| MediaError::io(&path, Doing::WritingToDisk, error);
        file.as_file().sync_all().map_err(failed)?;
        let bytes = file.as_file().metadata().map_err(failed)?.len();
        file.persist(&path)
            .map_err(|error| MediaError::unwritable(&path, error.error))?;
        // The rename itself lasts only once the folder is on the disk.
        File::open(folder_of(&path))
            .and_then(|it| it.sync_all())
            .map_err(failed)?;
        Ok(bytes)
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
