//! The files a document lives in: our project file and ComfyUI's API prompt.
//!
//! Both are plain JSON and both are read wherever a graph is asked for; [`read`] tells them apart
//! by their content, never by the name. Errors name the file, the line and the column.

mod json;
mod print;
pub mod project;
pub mod prompt;
mod replace;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

pub use json::Position;
pub use replace::replace;

use crate::{Catalog, Diagnostic, Place, Project};

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
    /// ComfyUI's editor format.
    UiWorkflow,
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
    pub message: String,
}

impl ReadError {
    fn new(file: &str, kind: ReadErrorKind, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            at: None,
            kind,
            message: message.into(),
        }
    }

    fn at(mut self, position: Position) -> Self {
        self.at = Some(position);
        self
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(Position { line, column }) = self.at {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for ReadError {}

/// Why a file could not be written. Nothing was left behind.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}; the file is as it was before", path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// The system's reason.
    pub source: std::io::Error,
}

/// Reads a project or prompt file.
///
/// # Errors
/// [`ReadError`] when the file cannot be read, is no JSON, or is no graph. What is wrong *within* a
/// graph comes back as diagnostics, here and from [`crate::check()`].
pub fn read(path: &Path) -> Result<(Project, Format, Vec<Diagnostic>), ReadError> {
    let name = path.display().to_string();
    let failed = |error: std::io::Error| {
        ReadError::new(
            &name,
            ReadErrorKind::Io,
            format!("cannot read the file: {error}"),
        )
    };
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    // The length is taken from what comes, since a pipe has none.
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    read_bytes(&name, &bytes)
}

/// Reads a project or prompt from memory; `name` stands in the errors.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(
    name: &str,
    bytes: &[u8],
) -> Result<(Project, Format, Vec<Diagnostic>), ReadError> {
    if bytes.len() as u64 > MAX_BYTES {
        let limit = MAX_BYTES >> 20;
        let message = format!("a graph file may have up to {limit} MiB, this one has more");
        return Err(ReadError::new(name, ReadErrorKind::TooLarge, message));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let Value::Object(top) = json::parse(name, bytes)? else {
        let message = "expected an object `{…}` at the top of a graph file";
        return Err(ReadError::new(name, ReadErrorKind::NotAGraph, message));
    };
    let mut diagnostics = rounded_integers(name, bytes);
    let format = detect(name, &top)?;
    let project = match format {
        Format::Project => project::from_json(top),
        Format::Prompt => prompt::from_json(top, &mut diagnostics),
    }
    .map_err(|wrong| wrong.into_error(name, bytes))?;
    Ok((project, format, diagnostics))
}

/// Tells the formats apart: ComfyUI's editor saves `nodes` as a list, its API format is a map of
/// nodes with `class_type`.
fn detect(name: &str, top: &Map<String, Value>) -> Result<Format, ReadError> {
    let is_node = |value: &Value| value.get("class_type").is_some();
    match top.get("longtake") {
        Some(version) if !is_node(version) => return Ok(Format::Project),
        _ => {}
    }
    if top.get("nodes").is_some_and(Value::is_array) {
        let message = "this is a ComfyUI workflow as its editor saves it, which is not read yet; \
            in ComfyUI choose Workflow → Export (API) and open that file instead";
        return Err(ReadError::new(name, ReadErrorKind::UiWorkflow, message));
    }
    if top.is_empty() || top.values().any(is_node) {
        return Ok(Format::Prompt);
    }
    if let Some(Value::Object(inner)) = top.get("prompt")
        && inner.values().any(is_node)
    {
        let message = "this is a request to a ComfyUI server; the graph is the object under its \
            `prompt` key: save that alone";
        return Err(ReadError::new(name, ReadErrorKind::NotAGraph, message));
    }
    let message = "expected a Longtake project (`\"longtake\": 1`) or a ComfyUI prompt in API format \
        (node ids with `class_type`), found neither";
    Err(ReadError::new(name, ReadErrorKind::NotAGraph, message))
}

fn rounded_integers(name: &str, bytes: &[u8]) -> Vec<Diagnostic> {
    json::rounded_integers(bytes)
        .into_iter()
        .map(|(digits, Position { line, column })| {
            let message = format!(
                "{name}:{line}:{column}: {digits} does not fit in 64 bits and was rounded; \
                the largest whole number kept exactly is {}",
                u64::MAX
            );
            Diagnostic::warning("number_rounded", Place::default(), message)
        })
        .collect()
}

/// The text of a file in that format. A prompt cannot hold all of a project: the diagnostics say
/// what of the *graph* was left out (positions, groups and notes go without saying).
pub fn to_text(
    project: &Project,
    format: Format,
    catalog: &dyn Catalog,
) -> (String, Vec<Diagnostic>) {
    match format {
        Format::Project => (project::to_text(project), Vec::new()),
        Format::Prompt => prompt::to_text(project, catalog),
    }
}

/// Writes a file at once or not at all: to a temporary name in the same folder, to the disk, then
/// renamed over `path`.
///
/// # Errors
/// [`WriteError`] when the folder or disk refuses; the old file is untouched then.
pub fn write(
    path: &Path,
    project: &Project,
    format: Format,
    catalog: &dyn Catalog,
) -> Result<Vec<Diagnostic>, WriteError> {
    let (text, diagnostics) = to_text(project, format, catalog);
    replace(path, text.as_bytes()).map_err(|source| WriteError {
        path: path.to_owned(),
        source,
    })?;
    Ok(diagnostics)
}

/// A value of the wrong type, before its place in the file is known.
#[derive(Debug)]
struct Wrong {
    path: Vec<String>,
    kind: ReadErrorKind,
    message: String,
}

impl Wrong {
    fn new(path: &[&str], message: impl Into<String>) -> Self {
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        Self {
            path,
            kind: ReadErrorKind::Shape,
            message: message.into(),
        }
    }

    /// `expected` reads as a noun phrase: "a list of two numbers".
    fn ty(path: &[&str], expected: &str, found: &Value) -> Self {
        Self::new(
            path,
            format!(
                "expected {expected}, found {}",
                crate::literal::describe(found)
            ),
        )
    }

    /// The same, seen from further up in the file.
    fn within(mut self, path: &[&str]) -> Self {
        let above = path.iter().map(|key| (*key).to_owned());
        self.path.splice(0..0, above);
        self
    }

    fn too_deep(path: &[&str]) -> Self {
        let message = format!("this value is nested deeper than {MAX_LITERAL_DEPTH} levels");
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
        let place = if path.is_empty() {
            String::new()
        } else {
            format!("`{}`: ", path.join("."))
        };
        let mut error = ReadError::new(file, self.kind, format!("{place}{}", self.message));
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
