//! Questions the compiler asks about the world outside, answered by the run layer or by a test.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use longtake_graph::declare::FileKind;
use longtake_graph::{ModelFolder, Sentence};

use crate::{Info, Signature};

/// What a checkpoint's header says.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightsFacts {
    /// The file or folder found.
    pub path: PathBuf,
    /// Content hash (hex).
    pub fingerprint: String,
    /// Bytes of tensors as stored.
    pub file_bytes: u64,
    /// Number of values in all tensors; times the width of the compute type it is what loading
    /// takes.
    pub elements: u64,
    /// Architecture.
    pub family: String,
    /// Dimensions.
    pub dims: BTreeMap<String, u64>,
}

/// What an input file's header says.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaFacts {
    /// The file found.
    pub path: PathBuf,
    /// Content hash (hex).
    pub hash: String,
    /// Sizes: [`Info::Clip`] or [`Info::Latent`].
    pub info: Info,
}

/// What the store says of a signature.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Sizes of the stored value, where it is a clip or latent.
    pub info: Option<Info>,
}

/// Why a question could not be answered. The message is shown as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FactError {
    /// `file_missing`, `file_corrupt`, `wrong_family`, `path_refused`, …
    pub code: &'static str,
    /// Full sentence: folder looked in, near names, what to do.
    pub message: Sentence,
}

/// Answers about files and the store. Answers must not change during one compilation.
pub trait Facts {
    /// A checkpoint under `--models`.
    ///
    /// # Errors
    /// Missing, unreadable or refused file.
    fn weights(&self, folder: ModelFolder, name: &str) -> Result<Arc<WeightsFacts>, FactError>;

    /// An image, video or latent under `--input`.
    ///
    /// # Errors
    /// Missing, unreadable or refused file.
    fn media(&self, what: FileKind, name: &str) -> Result<Arc<MediaFacts>, FactError>;

    /// Whether the store holds a step's results.
    fn stored(&self, signature: &Signature) -> Option<Stored>;
}
