//! Reading: which file it is, and the graph in it.

use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::Path;

use serde_json::{Map, Value};

use super::carrier::{self, Carrier};
use super::{
    Format, MAX_BYTES, Position, ReadError, ReadErrorKind, json, project, prompt, workflow,
};
use crate::{Catalog, Declaration, Diagnostic, Place, Project, Sentence, say};

/// A graph read from a file.
#[derive(Debug)]
pub struct Loaded {
    /// The graph.
    pub project: Project,
    /// The format it was in.
    pub format: Format,
    /// The file that it was carried in; `None` when the file is the graph.
    pub carrier: Option<Carrier>,
    /// What is strange in it.
    pub diagnostics: Vec<Diagnostic>,
}

impl Loaded {
    /// Whether the document can be written back to the file it came from.
    pub fn is_file(&self) -> bool {
        self.carrier.is_none() && self.format != Format::Workflow
    }
}

/// Knows no class: for reading where no catalog is at hand.
struct NoCatalog;

impl Catalog for NoCatalog {
    fn declaration(&self, _: &str) -> Option<&'static Declaration> {
        None
    }

    fn classes(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

/// [`read_with`] where no catalog is at hand: a workflow's values can then only be told apart where
/// the file names them.
///
/// # Errors
/// As [`read_with`].
pub fn read(path: &Path) -> Result<(Project, Format, Vec<Diagnostic>), ReadError> {
    let loaded = read_with(path, &NoCatalog)?;
    Ok((loaded.project, loaded.format, loaded.diagnostics))
}

/// [`read_bytes_with`] where no catalog is at hand.
///
/// # Errors
/// As [`read_bytes_with`].
pub fn read_bytes(
    name: &str,
    bytes: &[u8],
) -> Result<(Project, Format, Vec<Diagnostic>), ReadError> {
    let loaded = read_bytes_with(name, bytes, &NoCatalog)?;
    Ok((loaded.project, loaded.format, loaded.diagnostics))
}

/// Reads a graph: a project, a prompt, a workflow, or a picture, film or file of tensors that
/// carries one.
///
/// # Errors
/// [`ReadError`] when the file cannot be read, or is and carries no graph. What is wrong *within* a
/// graph comes back as diagnostics, here and from [`crate::check()`].
pub fn read_with(path: &Path, catalog: &dyn Catalog) -> Result<Loaded, ReadError> {
    let name = path.display().to_string();
    let failed =
        |error: std::io::Error| ReadError::new(&name, ReadErrorKind::Io, unreadable(&error));
    let mut file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    let head = carrier::HEAD as u64;
    file.by_ref()
        .take(head)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if let Some(carrier) = Carrier::of(&bytes) {
        return carried(&name, carrier, &mut file, catalog);
    }
    // The length is taken from what comes, since a pipe has none.
    file.take(MAX_BYTES + 1 - head)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    graph(&name, &bytes, catalog)
}

/// Reads a graph from memory; `name` stands in the errors.
///
/// # Errors
/// As [`read_with`].
pub fn read_bytes_with(
    name: &str,
    bytes: &[u8],
    catalog: &dyn Catalog,
) -> Result<Loaded, ReadError> {
    match Carrier::of(bytes) {
        Some(carrier) => carried(name, carrier, &mut Cursor::new(bytes), catalog),
        None => graph(name, bytes, catalog),
    }
}

fn unreadable(error: &std::io::Error) -> Sentence {
    say!(
        "cannot read the file: {error}",
        "ファイルを読み込めません: {error}"
    )
}

/// Reads the best graph of a carrier; one that is damaged gives way to the next.
fn carried(
    name: &str,
    carrier: Carrier,
    file: &mut (impl Read + Seek),
    catalog: &dyn Catalog,
) -> Result<Loaded, ReadError> {
    let texts = carrier
        .graphs(file)
        .map_err(|error| ReadError::new(name, ReadErrorKind::Io, unreadable(&error)))?;
    let mut failed: Option<ReadError> = None;
    for (key, text) in texts {
        let text = carrier::without_nan(text);
        match graph(&format!("{name} ({key})"), &text, catalog) {
            Ok(mut loaded) => {
                loaded.carrier = Some(carrier);
                if let Some(error) = failed {
                    let error = error.sentence();
                    let message = say!(
                        "{error}; its {key} is read in place of it",
                        "{error}。代わりにファイル内の「{key}」を読み込みました。";
                        error
                    );
                    let finding = Diagnostic::warning("carrier_damaged", Place::default(), message);
                    loaded.diagnostics.insert(0, finding);
                }
                return Ok(loaded);
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    Err(failed.unwrap_or_else(|| {
        let what = carrier.sentence();
        let message = say!(
            "this {what} carries no graph: Longtake and ComfyUI put one into what they save, \
            but sites and programs it went through since may have taken it out",
            "この{what}にグラフは含まれていません。Longtake と ComfyUI は保存するファイルにグラフを書き込みますが、\
            その後に通ったサイトやプログラムが取り除いた可能性があります";
            what
        );
        ReadError::new(name, ReadErrorKind::NotAGraph, message)
    }))
}

/// Reads a graph's own JSON.
fn graph(name: &str, bytes: &[u8], catalog: &dyn Catalog) -> Result<Loaded, ReadError> {
    if bytes.len() as u64 > MAX_BYTES {
        let limit = MAX_BYTES >> 20;
        let message = say!(
            "a graph file may have up to {limit} MiB, this one has more",
            "グラフのファイルは {limit} MiB までですが、これを超えています"
        );
        return Err(ReadError::new(name, ReadErrorKind::TooLarge, message));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let Value::Object(top) = json::parse(name, bytes)? else {
        let message = say!(
            "expected an object `{{…}}` at the top of a graph file",
            "グラフのファイルの最上位はオブジェクト `{{…}}` でなければなりません"
        );
        return Err(ReadError::new(name, ReadErrorKind::NotAGraph, message));
    };
    let mut diagnostics = rounded_integers(name, bytes);
    let format = detect(name, &top)?;
    let project = match format {
        Format::Project => project::from_json(top),
        Format::Prompt => prompt::from_json(top, &mut diagnostics),
        Format::Workflow => Ok(workflow::from_json(top, catalog, &mut diagnostics)),
    }
    .map_err(|wrong| wrong.into_error(name, bytes))?;
    Ok(Loaded {
        project,
        format,
        carrier: None,
        diagnostics,
    })
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
        return Ok(Format::Workflow);
    }
    if top.is_empty() || top.values().any(is_node) {
        return Ok(Format::Prompt);
    }
    if let Some(Value::Object(inner)) = top.get("prompt")
        && inner.values().any(is_node)
    {
        let message = say!(
            "this is a request to a ComfyUI server; the graph is the object under its \
            `prompt` key: save that alone",
            "これは ComfyUI サーバーへのリクエストです。グラフはキー「prompt」の中のオブジェクトなので、\
            それだけを保存してください"
        );
        return Err(ReadError::new(name, ReadErrorKind::NotAGraph, message));
    }
    let message = say!(
        "expected a Longtake project (`\"longtake\": 1`), a ComfyUI workflow (a list of \
        `nodes`) or a prompt in API format (node ids with `class_type`), found none of them",
        "Longtake のプロジェクト(`\"longtake\": 1`)、ComfyUI のワークフロー(「nodes」のリスト)、\
        API 形式のプロンプト(ノード ID と「class_type」)のいずれでもありません"
    );
    Err(ReadError::new(name, ReadErrorKind::NotAGraph, message))
}

fn rounded_integers(name: &str, bytes: &[u8]) -> Vec<Diagnostic> {
    json::rounded_integers(bytes)
        .into_iter()
        .map(|(digits, Position { line, column })| {
            let message = say!(
                "{name}:{line}:{column}: {digits} does not fit in 64 bits and was rounded; \
                the largest whole number kept exactly is {}",
                "{name}:{line}:{column}: {digits} は 64 ビットに収まらないため丸めました。正確に保存できる最大の整数は {} です。",
                u64::MAX
            );
            Diagnostic::warning("number_rounded", Place::default(), message)
        })
        .collect()
}
