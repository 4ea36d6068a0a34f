//! What can be wrong with a checkpoint, said so that the reader knows what to do next.

use std::path::PathBuf;

/// A checkpoint that cannot be used. Every message names the file, the place in it, what was
/// expected, what came, and a remedy.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file or folder could not be opened or read.
    #[error("{}: cannot {action}: {source}", file.display())]
    Io {
        file: PathBuf,
        action: &'static str,
        source: std::io::Error,
    },
    /// The bytes are no safetensors file, or one that was cut short.
    #[error("{}: byte {byte}: expected {expected}, found {found}; {remedy}", file.display())]
    Malformed {
        file: PathBuf,
        /// Offset from the start of the file.
        byte: u64,
        expected: String,
        found: String,
        remedy: &'static str,
    },
    /// The header's entry for one tensor contradicts itself, its neighbours or the file.
    #[error("{}: tensor `{tensor}`: expected {expected}, found {found}; {remedy}", file.display())]
    BadTensor {
        file: PathBuf,
        tensor: String,
        expected: String,
        found: String,
        remedy: &'static str,
    },
    /// A module asked for a tensor the checkpoint does not have.
    #[error("{}: tensor `{tensor}` is missing{near}; the file is incomplete or of another model", file.display())]
    Missing {
        file: PathBuf,
        tensor: String,
        /// Empty, or ` (nearest names: …)`.
        near: String,
    },
    /// The tensor is there in another shape than the module needs.
    #[error("{}: tensor `{tensor}`: expected shape {expected:?}, found {found:?}; the file is of another model or size", file.display())]
    Shape {
        file: PathBuf,
        tensor: String,
        expected: Vec<usize>,
        found: Vec<usize>,
    },
    /// The tensor is there in a dtype that cannot be used here.
    #[error("{}: tensor `{tensor}`: expected {expected}, found {found}; use a checkpoint in f32, bf16, f16 or fp8", file.display())]
    Dtype {
        file: PathBuf,
        tensor: String,
        expected: String,
        found: &'static str,
    },
    /// Two tensors would answer to one name (two shards, or two layouts in one file).
    #[error("{}: tensor `{tensor}` stands twice (also as `{other}` in {}); remove one of the two", file.display(), other_file.display())]
    Duplicate {
        file: PathBuf,
        tensor: String,
        other: String,
        other_file: PathBuf,
    },
    /// A folder that is no diffusers component.
    #[error("{}: expected {expected}, found {found}; {remedy}", folder.display())]
    Folder {
        folder: PathBuf,
        expected: String,
        found: String,
        remedy: &'static str,
    },
    /// A sound checkpoint of a model that is not the one asked for.
    #[error("{}: expected a checkpoint of {expected}, found {found}; choose another file", file.display())]
    WrongFamily {
        file: PathBuf,
        expected: String,
        found: String,
    },
}
