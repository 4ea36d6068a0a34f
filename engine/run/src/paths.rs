//! Where a graph's files may lie: under `--input`, `--models`, `--output` and nowhere else.

use std::path::{Component, Path, PathBuf};

use longtake_graph::{Sentence, say};

use crate::files::other_than_file;

/// The folders a run works in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots {
    /// Images, videos, latents read by name.
    pub input: PathBuf,
    /// Checkpoints.
    pub models: PathBuf,
    /// Everything written for the person.
    pub output: PathBuf,
    /// The content-addressed store.
    pub store: PathBuf,
}

/// A name in a graph that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Leaves its folder, or tries to.
    #[error("{}", self.sentence())]
    Refused {
        name: String,
        reason: Sentence,
        root: PathBuf,
    },
    /// Not there.
    #[error("{}", self.sentence())]
    Missing {
        name: String,
        root: PathBuf,
        near: Sentence,
    },
}

impl PathError {
    /// The error in both languages.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::Refused { name, reason, root } => say!(
                "`{name}` is refused: {reason}; a graph may only name files inside {}",
                "「{name}」は使えません: {reason}。グラフで指定できるのは {} の中のファイルだけです。",
                root.display();
                reason
            ),
            Self::Missing { name, root, near } => say!(
                "`{name}` is not in {}{near}",
                "「{name}」は {} にありません。{near}",
                root.display();
                near
            ),
        }
    }
}

/// Joins a name from a graph to its root, refusing absolute paths, `..`, drive prefixes, NUL and
/// an empty name. The file need not exist.
///
/// # Errors
/// [`PathError::Refused`].
pub fn join(root: &Path, name: &str) -> Result<PathBuf, PathError> {
    let refused = |reason| PathError::Refused {
        name: name.to_owned(),
        reason,
        root: root.to_path_buf(),
    };
    if name.is_empty() {
        return Err(refused(say!("the name is empty", "名前が空です")));
    }
    if name.contains('\0') {
        return Err(refused(say!(
            "it holds a zero byte",
            "NUL 文字が含まれています"
        )));
    }
    // Graphs travel between systems: a backslash separates folders here too.
    let portable = name.replace('\\', "/");
    if portable.as_bytes().get(1) == Some(&b':') {
        return Err(refused(say!(
            "it names a drive",
            "ドライブ名が含まれています"
        )));
    }
    let mut path = root.to_path_buf();
    for part in Path::new(&portable).components() {
        match part {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                return Err(refused(say!("it holds `..`", "「..」が含まれています")));
            }
            Component::RootDir | Component::Prefix(_) => {
                return Err(refused(say!("it is an absolute path", "絶対パスです")));
            }
        }
    }
    if path == root {
        return Err(refused(say!(
            "it names the folder itself",
            "フォルダー自体を指しています"
        )));
    }
    Ok(path)
}

/// Finds an existing file or folder under a root. Links that leave the root are refused, and so is
/// what is neither: a named pipe, a socket, a device.
///
/// # Errors
/// Refused or missing; a missing name lists names near it.
pub fn find(root: &Path, name: &str) -> Result<PathBuf, PathError> {
    let path = join(root, name)?;
    let Ok(real) = path.canonicalize() else {
        return Err(PathError::Missing {
            name: name.to_owned(),
            root: root.to_path_buf(),
            near: near_names(root, name),
        });
    };
    confine(root, name, &real)?;
    let kind = real.metadata().ok().map(|it| it.file_type());
    let is = kind.filter(|it| !it.is_dir()).and_then(other_than_file);
    if let Some(is) = is {
        return Err(PathError::Refused {
            name: name.to_owned(),
            reason: say!("it is {is}", "{is}です"; is),
            root: root.to_path_buf(),
        });
    }
    Ok(path)
}

/// Checks that the deepest existing folder of a file about to be written lies under the root.
///
/// # Errors
/// [`PathError::Refused`] when a link leads out of it.
pub fn check_target(root: &Path, name: &str, path: &Path) -> Result<(), PathError> {
    let mut folder = path.parent();
    while let Some(parent) = folder {
        if let Ok(real) = parent.canonicalize() {
            return if parent.starts_with(root) {
                confine(root, name, &real)
            } else {
                Ok(())
            };
        }
        folder = parent.parent();
    }
    Ok(())
}

fn confine(root: &Path, name: &str, real: &Path) -> Result<(), PathError> {
    let base = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
    if real.starts_with(&base) {
        return Ok(());
    }
    Err(PathError::Refused {
        name: name.to_owned(),
        reason: say!(
            "a link leads out of the folder",
            "リンクがフォルダーの外を指しています"
        ),
        root: root.to_path_buf(),
    })
}

/// Most names and folders that [`list`] looks at.
const MOST: usize = 10_000;

/// Files under a folder, as names relative to it, sorted; at most 10,000, four folders deep.
pub fn list(root: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![(root.to_path_buf(), 0)];
    let mut looked = 0;
    while let Some((folder, depth)) = folders.pop() {
        looked += 1;
        // A link may lead to all of the disk.
        if looked > MOST || names.len() >= MOST {
            break;
        }
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten().take(MOST - names.len()) {
            let path = entry.path();
            let Ok(about) = path.metadata() else {
                continue;
            };
            if about.is_dir() {
                if depth < 4 {
                    folders.push((path, depth + 1));
                }
            } else if about.is_file()
                && let Ok(relative) = path.strip_prefix(root)
            {
                names.push(relative.to_string_lossy().into_owned());
            }
        }
    }
    names.sort();
    names
}

/// `; did you mean …` or what the folder holds, for a name that is not there.
pub fn near_names(root: &Path, name: &str) -> Sentence {
    let names = list(root);
    if names.is_empty() {
        return if root.is_dir() {
            say!("; that folder holds no files", "このフォルダーは空です。")
        } else {
            say!(
                "; that folder does not exist",
                "このフォルダーはありません。"
            )
        };
    }
    let near = longtake_graph::near::near(name, names.iter().map(String::as_str));
    if near.is_empty() {
        let some: Vec<&str> = names.iter().take(5).map(String::as_str).collect();
        let more = if names.len() > 5 { ", …" } else { "" };
        say!(
            "; it holds {}{more}",
            "このフォルダーにあるのは {}{more} です。",
            some.join(", ")
        )
    } else {
        say!("; did you mean {}?", "{} のことですか？", near.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::fs::write(root.join("sub/a.png"), b"x").unwrap();
        std::fs::write(dir.path().join("secret"), b"x").unwrap();
        std::os::unix::fs::symlink(dir.path().join("secret"), root.join("leak")).unwrap();
        for bad in [
            "",
            "/etc/passwd",
            "../secret",
            "sub/../../secret",
            "C:\\x",
            "leak",
            "a\0b",
            ".",
        ] {
            assert!(
                matches!(find(&root, bad), Err(PathError::Refused { .. })),
                "{bad:?}"
            );
        }
        assert_eq!(find(&root, "sub/a.png").unwrap(), root.join("sub/a.png"));
        assert_eq!(find(&root, "sub\\a.png").unwrap(), root.join("sub/a.png"));
        let missing = find(&root, "sub/b.png").unwrap_err().to_string();
        assert!(missing.contains("did you mean sub/a.png?"), "{missing}");
    }

    #[test]
    #[allow(unsafe_code, reason = "making a pipe")]
    fn what_is_neither_file_nor_folder_is_refused_and_not_listed() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        let name = std::ffi::CString::new(pipe.to_str().unwrap()).unwrap();
        // SAFETY: a path that ends with a zero byte.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        let error = find(dir.path(), "pipe").unwrap_err();
        assert!(matches!(error, PathError::Refused { .. }), "{error}");
        assert!(error.to_string().contains("it is a named pipe"), "{error}");
        assert_eq!(error.sentence().lacks(), None);
        assert_eq!(list(dir.path()), Vec::<String>::new());
    }

    #[test]
    fn refusals_are_said_in_both_languages() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.png"), b"x").unwrap();
        for bad in [
            "",
            "/etc/passwd",
            "../secret",
            "C:\\x",
            "a\0b",
            ".",
            "none",
            "b.png",
        ] {
            let error = find(dir.path(), bad).unwrap_err();
            assert_eq!(error.sentence().lacks(), None, "{bad:?}");
        }
    }

    #[test]
    fn a_linked_folder_may_not_take_writes_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("out");
        std::fs::create_dir_all(&root).unwrap();
        std::os::unix::fs::symlink(dir.path(), root.join("away")).unwrap();
        assert!(check_target(&root, "away/x.png", &root.join("away/x.png")).is_err());
        assert!(check_target(&root, "new/x.png", &root.join("new/x.png")).is_ok());
    }
}
