//! The files a document lives in: our project file, ComfyUI's API prompt and its editor's
//! workflow, each by itself or carried in a picture, a film or a file of tensors.
//!
//! All are read wherever a graph is asked for; [`read_with`] tells them apart by their content,
//! never by the name. The first two are also written. Errors name the file, the line and the column.

pub mod carrier;
mod json;
mod print;
pub mod project;
pub mod prompt;
mod read;
mod replace;
mod workflow;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub use carrier::Carrier;
pub use json::Position;
pub use read::{Loaded, read, read_bytes, read_bytes_with, read_with};
pub use replace::{replace, replace_with};

use crate::{Catalog, Diagnostic, Project, Sentence, say};

/// Largest file read. A graph of 100,000 nodes has some 30 MB.
pub const MAX_BYTES: u64 = 256 << 20;

/// Deepest nesting of a literal. Every file that holds one stays well inside the parser's own
/// limit of 128, so whatever was read can be written in either format and read again.
pub const MAX_LITERAL_DEPTH: usize = 64;

/// Which file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `*.longtake`: the whole document.
    Project,
    /// ComfyUI's API format: what runs, and nothing else.
    Prompt,
    /// ComfyUI's workflow, as its editor saves it: read, and written as a project.
    Workflow,
}

impl Format {
    /// The format that a file name asks for: `*.longtake` is a project, all else a prompt.
    pub fn of_path(path: &Path) -> Self {
        match path.extension() {
            Some(end) if end.eq_ignore_ascii_case("longtake") => Self::Project,
            _ => Self::Prompt,
        }
    }
}

/// What went wrong, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadErrorKind {
    /// The file could not be opened or read.
    Io,
    /// Over [`MAX_BYTES`].
    TooLarge,
    /// Not UTF-8.
    Text,
    /// Not JSON.
    Syntax,
    /// A key stands twice in one object.
    DuplicateKey,
    /// Nested too deeply.
    TooDeep,
    /// Written by a newer Longtake.
    Newer,
    /// JSON, but no graph.
    NotAGraph,
    /// A graph, but a value in it has the wrong type.
    Shape,
}

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The file, as named by the caller.
    pub file: String,
    /// Where in it, if the error has a place.
    pub at: Option<Position>,
    /// The kind, for programs.
    pub kind: ReadErrorKind,
    /// What was expected, what came, what to do.
    pub message: Sentence,
}

impl ReadError {
    fn new(file: &str, kind: ReadErrorKind, message: Sentence) -> Self {
        Self {
            file: file.to_owned(),
            at: None,
            kind,
            message,
        }
    }

    /// Place and reason in both languages.
    pub fn sentence(&self) -> Sentence {
        let (file, why) = (&self.file, &self.message);
        match self.at {
            Some(Position { line, column }) => say!(
                "{file}:{line}:{column}: {why}",
                "{file}: {line} 行 {column} 列: {why}";
                why
            ),
            None => say!("{file}: {why}", "{file}: {why}"; why),
        }
    }

    fn at(mut self, position: Position) -> Self {
        self.at = Some(position);
        self
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sentence().fmt(f)
    }
}

impl std::error::Error for ReadError {}

/// Why a file could not be written. Nothing was left behind.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.sentence())]
pub enum WriteError {
    /// The folder or the disk refuses.
    System {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A picture, a film or tensors lie under that name.
    Carrier {
        /// The file.
        path: PathBuf,
        /// What it is.
        carrier: Carrier,
    },
}

impl WriteError {
    /// The error in both languages.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::System { path, source } => say!(
                "cannot write {}: {source}; the file is as it was before",
                "{} に書き込めません: {source}。ファイルは元のままです",
                path.display()
            ),
            Self::Carrier { path, carrier } => {
                let carrier = carrier.sentence();
                say!(
                    "cannot write {}: it is a {carrier}, which a graph would replace; choose another name. \
                     The file is as it was before",
                    "{} に書き込めません: {carrier}をグラフで置き換えることになります。別の名前を選んでください。\
                     ファイルは元のままです",
                    path.display();
                    carrier
                )
            }
        }
    }
}

/// The text of a file in that format. A prompt cannot hold all of a project: the diagnostics say
/// what of the *graph* was left out (positions, groups and notes go without saying).
pub fn to_text(
    project: &Project,
    format: Format,
    catalog: &dyn Catalog,
) -> (String, Vec<Diagnostic>) {
    match format {
        Format::Project | Format::Workflow => (project::to_text(project), Vec::new()),
        Format::Prompt => prompt::to_text(project, catalog),
    }
}

/// Writes a file at once or not at all: to a temporary name in the same folder, to the disk, then
/// renamed over `path`.
///
/// # Errors
/// [`WriteError`] when the folder or disk refuses, or when `path` is a picture or film: a graph
/// that was read from it is no reason to lose it. The old file is untouched then.
pub fn write(
    path: &Path,
    project: &Project,
    format: Format,
    catalog: &dyn Catalog,
) -> Result<Vec<Diagnostic>, WriteError> {
    let (text, diagnostics) = to_text(project, format, catalog);
    let path = path.to_owned();
    if let Some(carrier) = carrier_at(&path) {
        return Err(WriteError::Carrier { path, carrier });
    }
    match replace(&path, text.as_bytes()) {
        Ok(()) => Ok(diagnostics),
        Err(source) => Err(WriteError::System { path, source }),
    }
}

/// What a file that exists already begins as.
fn carrier_at(path: &Path) -> Option<Carrier> {
    let mut head = Vec::new();
    let file = File::open(path).ok()?;
    // A pipe may have nobody at its other end.
    file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    file.take(carrier::HEAD as u64)
        .read_to_end(&mut head)
        .ok()?;
    Carrier::of(&head)
}

/// A value of the wrong type, before its place in the file is known.
#[derive(Debug)]
struct Wrong {
    path: Vec<String>,
    kind: ReadErrorKind,
    message: Sentence,
}

impl Wrong {
    fn new(path: &[&str], message: Sentence) -> Self {
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        Self {
            path,
            kind: ReadErrorKind::Shape,
            message,
        }
    }

    /// `expected` reads as a noun phrase: "a list of two numbers".
    fn ty(path: &[&str], expected: &Sentence, found: &Value) -> Self {
        let found = crate::literal::describe(found);
        let message = say!(
            "expected {expected}, found {found}",
            "{expected}が必要です(現在: {found})";
            expected, found
        );
        Self::new(path, message)
    }

    /// The same, seen from further up in the file.
    fn within(mut self, path: &[&str]) -> Self {
        let above = path.iter().map(|key| (*key).to_owned());
        self.path.splice(0..0, above);
        self
    }

    fn too_deep(path: &[&str]) -> Self {
        let message = say!(
            "this value is nested deeper than {MAX_LITERAL_DEPTH} levels",
            "この値の入れ子は {MAX_LITERAL_DEPTH} 段を超えています"
        );
        Self {
            kind: ReadErrorKind::TooDeep,
            ..Self::new(path, message)
        }
    }

    fn into_error(self, file: &str, bytes: &[u8]) -> ReadError {
        let path: Vec<_> = self
            .path
            .iter()
            .map(|key| crate::literal::shorten(key, 60))
            .collect();
        let why = self.message;
        let message = if path.is_empty() {
            why
        } else {
            say!("`{}`: {why}", "「{}」: {why}", path.join("."); why)
        };
        let mut error = ReadError::new(file, self.kind, message);
        error.at = json::locate(bytes, &self.path);
        error
    }
}

/// Refuses values nested deeper than [`MAX_LITERAL_DEPTH`].
fn shallow(path: &[&str], value: &Value) -> Result<(), Wrong> {
    if crate::literal::fits_depth(value, MAX_LITERAL_DEPTH) {
        Ok(())
    } else {
        Err(Wrong::too_deep(path))
    }
}
