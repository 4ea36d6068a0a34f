//! Reading and writing documents, with what can go wrong in words.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use longtake_graph::{Format, format};

use super::stamp::Stamp;
use super::system::system_error;
use super::words;
use crate::language::Language;

/// Files beyond this are no graph of ours.
const MAX_DOCUMENT: u64 = format::MAX_BYTES;

/// What a file is to the editor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A project: saving writes it.
    Document(Stamp),
    /// Something that carries a graph: saving asks for a name.
    Import,
}

/// Tells whether a file is a project, by its content.
pub(crate) fn source(path: &Path) -> Source {
    // The stamp is older than what is read below: a change in between is seen as one.
    let small = std::fs::metadata(path).is_ok_and(|it| it.is_file() && it.len() <= MAX_DOCUMENT);
    let likely = ["longtake", "json"].iter().any(|it| ends(path, it));
    if !small || !likely {
        return Source::Import;
    }
    let (Ok(stamp), Ok(bytes)) = (Stamp::of(path), std::fs::read(path)) else {
        return Source::Import;
    };
    match format::read_bytes("", &bytes) {
        Ok((_, Format::Project, _)) => Source::Document(stamp),
        Ok((_, Format::Prompt | Format::Workflow, _)) | Err(_) => Source::Import,
    }
}

fn ends(path: &Path, extension: &str) -> bool {
    path.extension()
        .is_some_and(|it| it.eq_ignore_ascii_case(extension))
}

/// A name that ends as projects do. What stood for another kind of file is replaced; any other dot
/// belongs to the name (`take 1.5`).
pub(crate) fn project_name(path: &Path) -> PathBuf {
    const OTHERS: [&str; 9] = [
        "json", "png", "webp", "jpg", "jpeg", "mp4", "mkv", "webm", "mov",
    ];
    if ends(path, "longtake") {
        path.to_path_buf()
    } else if OTHERS.iter().any(|it| ends(path, it)) {
        path.with_extension("longtake")
    } else {
        path.with_added_extension("longtake")
    }
}

/// A name that ends in `.json`.
pub(crate) fn prompt_name(path: &Path) -> PathBuf {
    if ends(path, "json") {
        path.to_path_buf()
    } else if ends(path, "longtake") {
        path.with_extension("json")
    } else {
        path.with_added_extension("json")
    }
}

/// The path by which all windows know a file, which need not exist.
pub(crate) fn canonical(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match folder.canonicalize() {
        Ok(folder) => folder.join(path.file_name().unwrap_or(OsStr::new(""))),
        Err(_) => path.to_path_buf(),
    }
}

/// A file's name for a person.
pub(crate) fn shown(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// Why a file was not written, and what to do.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the system's own enum, which grows"
)]
pub(crate) fn not_saved(path: &Path, error: &io::Error, language: Language) -> String {
    let folder = path.parent().unwrap_or(Path::new("")).display().to_string();
    let reason = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            words::DISK_FULL.get(language).to_owned()
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            words::MAY_NOT.with(language, &[&folder])
        }
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            words::NO_FOLDER.with(language, &[&folder])
        }
        ErrorKind::IsADirectory => words::IS_FOLDER.get(language).to_owned(),
        _ => words::OTHER_REASON.with(language, &[language.sentence(&system_error(error))]),
    };
    words::NOT_SAVED.with(language, &[&path.display().to_string(), &reason])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_as_their_files_do() {
        for (asked, project, prompt) in [
            ("a", "a.longtake", "a.json"),
            ("a.longtake", "a.longtake", "a.json"),
            ("a.LONGTAKE", "a.LONGTAKE", "a.json"),
            ("a.json", "a.longtake", "a.json"),
            ("take 1.5", "take 1.5.longtake", "take 1.5.json"),
        ] {
            assert_eq!(project_name(Path::new(asked)), Path::new(project));
            assert_eq!(prompt_name(Path::new(asked)), Path::new(prompt));
        }
    }

    #[test]
    fn the_content_tells_a_project_from_what_carries_a_graph() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text, document) in [
            ("a.longtake", r#"{"longtake": 1, "nodes": {}}"#, true),
            ("b.json", r#"{"longtake": 1, "nodes": {}}"#, true),
            (
                "c.longtake",
                r#"{"1": {"class_type": "X", "inputs": {}}}"#,
                false,
            ),
            (
                "d.json",
                r#"{"1": {"class_type": "X", "inputs": {}}}"#,
                false,
            ),
            ("e.longtake", "", false),
            ("f.png", r#"{"longtake": 1, "nodes": {}}"#, false),
        ] {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            let found = matches!(source(&path), Source::Document(_));
            assert_eq!(found, document, "{name}");
        }
    }
}
