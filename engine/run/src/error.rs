//! Why a step did not finish.

use std::fmt;

use longtake_graph::{Sentence, say};

/// What kind of failure it is, which decides what is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// A person asked to stop.
    Cancelled,
    /// May go through later (a busy service, an interrupted read): tried three times more.
    Transient,
    /// Memory ran out: a lesser way is tried, if the plan has one.
    OutOfMemory,
    /// Will fail again.
    Failed,
}

/// A failure with its sentence. The executor adds node and shot.
#[derive(Clone, Debug)]
pub struct RunError {
    /// What kind.
    pub failure: Failure,
    /// What was expected, what came, what to do.
    pub message: Sentence,
    /// A stored file was read and is not what was written: reading it again does not help.
    damaged: bool,
}

impl RunError {
    /// Will fail again.
    pub fn failed(message: impl Into<Sentence>) -> Self {
        Self {
            failure: Failure::Failed,
            message: message.into(),
            damaged: false,
        }
    }

    /// May go through later.
    pub fn transient(message: impl Into<Sentence>) -> Self {
        Self {
            failure: Failure::Transient,
            message: message.into(),
            damaged: false,
        }
    }

    /// Memory ran out.
    pub fn out_of_memory(message: impl Into<Sentence>) -> Self {
        Self {
            failure: Failure::OutOfMemory,
            message: message.into(),
            damaged: false,
        }
    }

    /// A person asked to stop.
    pub fn cancelled() -> Self {
        Self {
            failure: Failure::Cancelled,
            message: say!("cancelled", "中止しました"),
            damaged: false,
        }
    }

    /// A stored file was read and is not what was written.
    pub(crate) fn damaged(message: impl Into<Sentence>) -> Self {
        Self {
            damaged: true,
            ..Self::failed(message)
        }
    }

    /// Whether a stored file was read and is not what was written. A file that could not be opened
    /// or read may be whole.
    pub(crate) fn is_damaged(&self) -> bool {
        self.damaged
    }

    /// A failed read or write, with the path and what was being done.
    pub fn io(doing: impl Into<Sentence>, path: &std::path::Path, error: &std::io::Error) -> Self {
        let doing = doing.into();
        let hint = match error.kind() {
            std::io::ErrorKind::StorageFull => say!(
                "; free some space and run the same command again",
                "。空き容量を作ってから、同じコマンドをもう一度実行してください"
            ),
            std::io::ErrorKind::PermissionDenied => say!(
                "; check who may read and write there",
                "。読み書きの権限を確認してください"
            ),
            _ => Sentence::default(),
        };
        let message = say!(
            "{doing} {}: {error}{hint}",
            "{}（{doing}）: {error}{hint}",
            path.display();
            doing, hint
        );
        match error.kind() {
            std::io::ErrorKind::Interrupted | std::io::ErrorKind::TimedOut => {
                Self::transient(message)
            }
            _ => Self::failed(message),
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message.en)
    }
}

impl std::error::Error for RunError {}
