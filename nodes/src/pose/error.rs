//! What can be wrong with keypoints: where, what was expected, what came.

use std::path::Path;

use longtake_graph::{Sentence, say};
use longtake_plan::FactError;
use longtake_run::RunError;

/// Where something stands; frames and people count from 0.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'a> {
    /// Name of the file.
    pub file: &'a str,
    /// Frame of it.
    pub frame: Option<usize>,
    /// Person in that frame.
    pub person: Option<usize>,
}

impl<'a> Spot<'a> {
    /// The file as a whole.
    pub fn file(file: &'a str) -> Self {
        Self {
            file,
            frame: None,
            person: None,
        }
    }

    /// A frame of it.
    #[must_use]
    pub fn frame(self, at: usize) -> Self {
        Self {
            frame: Some(at),
            ..self
        }
    }

    /// A person of the frame.
    #[must_use]
    pub fn person(self, at: usize) -> Self {
        Self {
            person: Some(at),
            ..self
        }
    }

    fn sentence(self) -> Sentence {
        let mut place = Sentence::same(self.file);
        if let Some(frame) = self.frame {
            place = say!("{place}, frame {frame}", "{place}、フレーム {frame}"; place);
        }
        if let Some(person) = self.person {
            place = say!("{place}, person {person}", "{place}、人物 {person}"; place);
        }
        place
    }
}

/// Keypoints that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct PoseError {
    /// File, frame, person.
    pub place: Sentence,
    /// A sentence: expected, found, what to do.
    pub what: Sentence,
}

impl PoseError {
    /// An error at a place.
    pub fn at(place: Spot<'_>, what: Sentence) -> Self {
        Self {
            place: place.sentence(),
            what,
        }
    }

    /// An error in a file.
    pub fn in_file(path: &Path, what: Sentence) -> Self {
        let place = Sentence::same(path.display());
        Self { place, what }
    }

    /// Place and reason in both languages.
    pub fn sentence(&self) -> Sentence {
        let (place, what) = (&self.place, &self.what);
        say!("{place}: {what}", "{place}: {what}"; place, what)
    }
}

impl From<PoseError> for RunError {
    fn from(error: PoseError) -> Self {
        Self::failed(error.sentence())
    }
}

impl From<PoseError> for FactError {
    fn from(error: PoseError) -> Self {
        Self {
            code: "pose_unreadable",
            message: error.sentence(),
        }
    }
}
