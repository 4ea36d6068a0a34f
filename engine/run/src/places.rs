//! Where the program keeps what is its own: settings, recovered work, finished work. The one rule for
//! all of it: `LONGTAKE_HOME` where it is set, else the folders this kind of system has for such things.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

/// The program's own folders. They are made when first written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// What the person chose.
    pub config: PathBuf,
    /// What must not be lost: recovered work, recent files.
    pub data: PathBuf,
    /// What can be made again.
    pub cache: PathBuf,
}

impl Places {
    /// The folders of this person on this machine, or all three under `LONGTAKE_HOME`.
    pub fn of_machine() -> Self {
        if let Some(home) = std::env::var_os("LONGTAKE_HOME").filter(|it| !it.is_empty()) {
            return Self::under(Path::new(&home));
        }
        match ProjectDirs::from("", "", "longtake") {
            Some(dirs) => Self {
                config: dirs.config_dir().to_path_buf(),
                data: dirs.data_local_dir().to_path_buf(),
                cache: dirs.cache_dir().to_path_buf(),
            },
            // An account without a home (a service): better kept until the next boot than not at all.
            None => Self::under(&std::env::temp_dir().join("longtake")),
        }
    }

    /// All three under one folder.
    pub fn under(home: &Path) -> Self {
        Self {
            config: home.join("config"),
            data: home.join("data"),
            cache: home.join("cache"),
        }
    }

    /// The settings.
    pub fn settings(&self) -> PathBuf {
        self.config.join("settings.json")
    }

    /// The recent files.
    pub fn recent(&self) -> PathBuf {
        self.data.join("recent.json")
    }

    /// Autosaved work.
    pub fn recovery(&self) -> PathBuf {
        self.data.join("recovery")
    }

    /// Jobs that wait, ran or were interrupted.
    pub fn queue(&self) -> PathBuf {
        self.data.join("queue")
    }

    /// Finished work, by content, unless `--store` names another folder.
    pub fn store(&self) -> PathBuf {
        self.cache.join("store")
    }

    /// Which files are open in which window.
    pub fn locks(&self) -> PathBuf {
        self.data.join("locks")
    }
}
