//! Names of files given to the person: `PREFIX_00001_.ext` under `--output`, as ComfyUI counts.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use longtake_graph::say;
use longtake_plan::{InferCx, InferError};
use longtake_run::{RunError, paths};

use crate::failure::at_input;
/// Refuses a prefix that leaves the output folder, before anything runs. Links on the disk are
/// looked at when the file is written.
///
/// # Errors
/// `path_refused`.
pub fn check_prefix(cx: &InferCx<'_>) -> Result<(), InferError> {
    const PREFIX: &str = "filename_prefix";
    match paths::join(Path::new("--output"), cx.text(PREFIX)?) {
        Ok(_) => Ok(()),
        Err(error) => Err(InferError::at("path_refused", PREFIX, error.sentence())),
    }
}

/// Where the next files of a prefix go.
#[derive(Debug, PartialEq, Eq)]
pub struct Numbered {
    folder: PathBuf,
    stem: String,
    next: u32,
}

impl Numbered {
    /// Finds the highest number used with that prefix and goes on from there. The prefix may hold
    /// folders and `%width% %height% %year% %month% %day% %hour% %minute% %second%` (UTC).
    ///
    /// # Errors
    /// The prefix leaves `root`, or the folder cannot be made.
    pub fn new(root: &Path, prefix: &str, size: Option<(u32, u32)>) -> Result<Self, RunError> {
        let name = expand(prefix, size, SystemTime::now());
        let refused = |e: paths::PathError| at_input("filename_prefix", &e.sentence());
        let path = paths::join(root, &name).map_err(refused)?;
        paths::check_target(root, &name, &path).map_err(refused)?;
        let folder = path.parent().unwrap_or(root).to_path_buf();
        std::fs::create_dir_all(&folder).map_err(|e| {
            RunError::io(say!("making the folder", "フォルダーの作成"), &folder, &e)
        })?;
        let stem = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let next = highest(&folder, &stem) + 1;
        Ok(Self { folder, stem, next })
    }

    /// The next name.
    pub fn next(&mut self, extension: &str) -> PathBuf {
        let name = format!("{}_{:05}_.{extension}", self.stem, self.next);
        self.next += 1;
        self.folder.join(name)
    }
}

fn highest(folder: &Path, stem: &str) -> u32 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let numbers = entries.flatten().filter_map(|entry| {
        let name = entry.file_name();
        let rest = name
            .to_string_lossy()
            .strip_prefix(stem)?
            .strip_prefix('_')?
            .to_owned();
        rest.split('_').next()?.parse::<u32>().ok()
    });
    numbers.max().unwrap_or(0)
}

fn expand(prefix: &str, size: Option<(u32, u32)>, now: SystemTime) -> String {
    if !prefix.contains('%') {
        return prefix.to_owned();
    }
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (year, month, day) = civil(seconds / 86_400);
    let mut text = prefix.to_owned();
    if let Some((width, height)) = size {
        text = text
            .replace("%width%", &width.to_string())
            .replace("%height%", &height.to_string());
    }
    text.replace("%year%", &year.to_string())
        .replace("%month%", &format!("{month:02}"))
        .replace("%day%", &format!("{day:02}"))
        .replace("%hour%", &format!("{:02}", seconds / 3600 % 24))
        .replace("%minute%", &format!("{:02}", seconds / 60 % 60))
        .replace("%second%", &format!("{:02}", seconds % 60))
}

/// Year, month and day of a number of days since 1970, in the proleptic Gregorian calendar.
fn civil(mut days: u64) -> (u64, u64, u64) {
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn counting_goes_on_from_the_highest() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("a")).unwrap();
        std::fs::write(dir.path().join("a/x_00041_.png"), b"").unwrap();
        std::fs::write(dir.path().join("a/xy_00099_.png"), b"").unwrap();
        let mut names = Numbered::new(dir.path(), "a/x", None).unwrap();
        assert_eq!(names.next("png"), dir.path().join("a/x_00042_.png"));
        assert_eq!(names.next("png"), dir.path().join("a/x_00043_.png"));
        assert!(Numbered::new(dir.path(), "../x", None).is_err());
        assert!(Numbered::new(dir.path(), "/x", None).is_err());
    }

    #[test]
    fn placeholders() {
        let time = UNIX_EPOCH + Duration::from_secs(1_709_210_096); // 2024-02-29 12:34:56
        let text = expand(
            "%year%-%month%-%day% %hour%%minute%%second% %width%",
            Some((8, 9)),
            time,
        );
        assert_eq!(text, "2024-02-29 123456 8");
    }
}
