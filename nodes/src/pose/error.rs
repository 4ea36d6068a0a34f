//! What can be wrong with keypoints: where, what was expected, what came.

use longtake_plan::FactError;
use longtake_run::RunError;

/// Keypoints that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct PoseError {
    /// File, frame, person.
    pub place: String,
    /// A sentence: expected, found, what to do.
    pub what: String,
}

impl PoseError {
    /// An error at a place.
    pub fn at(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            what: what.into(),
        }
    }
}

impl From<PoseError> for RunError {
    fn from(error: PoseError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<PoseError> for FactError {
    fn from(error: PoseError) -> Self {
        Self {
            code: "pose_unreadable",
            message: error.to_string(),
        }
    }
}
