//! What goes wrong while a step runs, as the run tells it: in both languages, with the kind that
//! decides what is done about it.

use std::fmt::{Debug, Display};
use std::io;

use longtake_graph::{Sentence, say};
use longtake_models::clip::ClipError;
use longtake_models::device::{DeviceError, DeviceFault};
use longtake_models::lora::LoraError;
use longtake_models::tokenizer::TokenizerError;
use longtake_models::umt5::Umt5Error;
use longtake_models::wan::dit::ForwardError;
use longtake_models::wan::vae::VaeError;
use longtake_models::wan::vae::latent_stats::LatentLength;
use longtake_models::weights::WeightsError;
use longtake_plan::InferError;
use longtake_run::RunError;
use longtake_run::paths::PathError;

use crate::inputs::Inputs;

/// An error that a step can fail with.
pub trait IntoRunError {
    /// It, as the run tells it.
    fn into_run_error(self) -> RunError;
}

/// Results on their way to a step's own.
pub trait OrFail<T> {
    /// The value, or the step's failure.
    ///
    /// # Errors
    /// The error, as the run tells it.
    fn or_fail(self) -> Result<T, RunError>;
}

impl<T, E: IntoRunError> OrFail<T> for Result<T, E> {
    fn or_fail(self) -> Result<T, RunError> {
        self.map_err(IntoRunError::into_run_error)
    }
}

impl IntoRunError for Sentence {
    fn into_run_error(self) -> RunError {
        RunError::failed(self)
    }
}

impl IntoRunError for InferError {
    fn into_run_error(self) -> RunError {
        match &self.input {
            Some(input) => at_input(input, &self.message),
            None => RunError::failed(self.message),
        }
    }
}

impl IntoRunError for PathError {
    fn into_run_error(self) -> RunError {
        RunError::failed(self.sentence())
    }
}

impl IntoRunError for WeightsError {
    fn into_run_error(self) -> RunError {
        let message = self.sentence();
        match &self {
            Self::Io { source, .. } => of_io(source, message),
            _ => RunError::failed(message),
        }
    }
}

/// A failure of a file: memory that ran out leads to a lesser way, and what was interrupted is tried
/// again.
fn of_io(error: &io::Error, message: Sentence) -> RunError {
    match error.kind() {
        io::ErrorKind::OutOfMemory => RunError::out_of_memory(message),
        io::ErrorKind::Interrupted | io::ErrorKind::TimedOut => RunError::transient(message),
        _ => RunError::failed(message),
    }
}

impl IntoRunError for LoraError {
    fn into_run_error(self) -> RunError {
        match self {
            Self::Weights(error) => error.into_run_error(),
            other => RunError::failed(other.sentence()),
        }
    }
}

impl IntoRunError for TokenizerError {
    fn into_run_error(self) -> RunError {
        let message = self.sentence();
        match &self {
            Self::Io { source, .. } => of_io(source, message),
            _ => RunError::failed(message),
        }
    }
}

impl IntoRunError for Umt5Error {
    fn into_run_error(self) -> RunError {
        match self {
            Self::Weights(error) => error.into_run_error(),
            Self::Tokenizer(error) => error.into_run_error(),
            other => RunError::failed(other.sentence()),
        }
    }
}

impl IntoRunError for ClipError {
    fn into_run_error(self) -> RunError {
        match self {
            Self::Interrupted => RunError::cancelled(),
            Self::Weights(error) => error.into_run_error(),
            other @ Self::Pixels { .. } => RunError::failed(other.sentence()),
        }
    }
}

impl IntoRunError for ForwardError {
    fn into_run_error(self) -> RunError {
        match self {
            Self::Interrupted => RunError::cancelled(),
            Self::Weights(error) => error.into_run_error(),
            other @ Self::Input(_) => RunError::failed(other.sentence()),
        }
    }
}

impl IntoRunError for VaeError {
    fn into_run_error(self) -> RunError {
        match self {
            Self::Weights(error) => error.into_run_error(),
            other => RunError::failed(other.sentence()),
        }
    }
}

impl IntoRunError for LatentLength {
    fn into_run_error(self) -> RunError {
        RunError::failed(self.sentence())
    }
}

impl IntoRunError for DeviceError {
    fn into_run_error(self) -> RunError {
        RunError::failed(self.sentence())
    }
}

impl IntoRunError for DeviceFault {
    fn into_run_error(self) -> RunError {
        let message = self.sentence();
        match self {
            Self::OutOfMemory { .. } => RunError::out_of_memory(message),
            Self::Lost { .. } => RunError::failed(message),
        }
    }
}

#[cfg(feature = "media")]
impl IntoRunError for longtake_media::MediaError {
    fn into_run_error(self) -> RunError {
        match self {
            Self::Cancelled { .. } => RunError::cancelled(),
            other => RunError::failed(other.sentence()),
        }
    }
}

/// What is wrong at an input.
pub fn at_input(input: &str, why: &Sentence) -> RunError {
    RunError::failed(say!("input `{input}`: {why}", "入力「{input}」: {why}"; why))
}

/// No frames stand where some are needed.
pub fn no_frames(input: &str) -> RunError {
    let why = say!(
        "expected at least one frame, got none; link a clip that has some",
        "フレームが 1 つ以上必要ですが、ありません。フレームのあるクリップをリンクしてください"
    );
    at_input(input, &why)
}

/// The plan holds nothing of `what`: a bug of ours.
pub fn unplanned(what: &Sentence) -> RunError {
    RunError::failed(say!(
        "the plan does not know {what}; this is a bug in Longtake",
        "プランに{what}がありません。Longtake の不具合です";
        what
    ))
}

/// Values that cannot be read back from the device; `error` is Burn's.
pub fn off_device(what: &Sentence, error: &dyn Debug) -> RunError {
    RunError::failed(say!(
        "reading {what} from the device: {error:?}",
        "{what}をデバイスから読み出せません: {error:?}";
        what
    ))
}

/// A checkpoint at an input whose file does not tell all that is needed.
pub fn unreadable(input: &str) -> impl Fn(Sentence) -> InferError {
    move |why| InferError::at("checkpoint_unreadable", input, why)
}

/// A choice that is not offered.
pub fn not_one_of(input: &str, options: &[&str], found: &str) -> InferError {
    InferError::at(
        "value_not_in_list",
        input,
        say!(
            "expected one of {}, found `{found}`",
            "{} のいずれかを選んでください(現在: 「{found}」)。",
            options.join(", ")
        ),
    )
}

/// The choice at an input as what it means.
///
/// # Errors
/// Nothing known before the run, or a choice that is not offered.
pub fn named<T>(
    cx: &dyn Inputs,
    input: &str,
    names: &[&str],
    of: fn(&str) -> Option<T>,
) -> Result<T, InferError> {
    let name = cx.text(input);
    let name = name.map_err(|why| InferError::at("invalid_input_type", input, why))?;
    of(name).ok_or_else(|| not_one_of(input, names, name))
}

/// A text that is no colour.
pub fn not_a_colour(input: &str, found: &str) -> InferError {
    InferError::at(
        "invalid_input_type",
        input,
        say!(
            "expected a colour such as #1e2a38, found `{found}`",
            "#1e2a38 のような色を指定してください(現在: 「{found}」)。"
        ),
    )
}

/// Checks that a message says this, and the same in Japanese.
#[cfg(test)]
#[track_caller]
pub(crate) fn says(message: &Sentence, words: &str) {
    assert_eq!(message.lacks(), None);
    assert!(message.en.contains(words), "{message}");
}

/// What a foreign library says in English only, led in by a Japanese clause.
pub fn outside(ja: &str, error: &dyn Display) -> Sentence {
    Sentence {
        en: error.to_string(),
        ja: format!("{ja}: {error}"),
    }
}
