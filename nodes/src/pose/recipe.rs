//! What a `POSE_KEYPOINT` socket carries: not the points, but where they are and what is done to them.
//!
//! It is known before the run (a constant), small, and part of the signature of what is drawn from it;
//! it names the file's content by its hash. Points are read when the first frame is made.

use std::path::Path;

use longtake_graph::say;
use longtake_plan::{InferCx, InferError};
use longtake_run::{RunError, paths};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::clean::{Smoothing, clean};
use super::file;
use super::lift::{Lift, lift};
use super::motion::Motion;
use super::retarget::{Mode, retarget};
use super::track::{Depth, Reading, motion};
use crate::failure::OrFail;

/// A motion to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Number of frames.
    pub frames: u64,
    /// Width and height of its canvas in pixels.
    pub canvas: [f64; 2],
    /// Its frame rate, where somebody told it.
    pub fps: Option<f64>,
    /// Where it comes from.
    pub make: Make,
}

/// Where a motion comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Make {
    /// Read from a file or folder.
    File(Source),
    /// A motion given to another body.
    Retarget {
        /// The motion.
        pose: Box<Recipe>,
        /// The body, on the canvas of its picture.
        reference: Box<Recipe>,
        /// How.
        mode: Mode,
    },
}

/// A file under `--input` and how it is understood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Its name in the graph.
    pub file: String,
    /// Hash of its content.
    pub hash: String,
    /// Canvas, where the person told it.
    pub canvas: Option<[f64; 2]>,
    /// Least confidence of a point.
    pub confidence: f64,
    /// Meaning of third coordinates.
    pub depth: Depth,
    /// Depth for points that have none.
    pub lift: Lift,
    /// Longest gap to be bridged, in frames.
    pub gap: usize,
    /// How jitter is smoothed.
    pub smoothing: Smoothing,
    /// Over about how many frames.
    pub strength: f64,
}

impl Recipe {
    /// The recipe as a constant on a socket.
    pub fn to_json(&self) -> Json {
        // Plain data with text keys: writing it as JSON cannot fail.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The recipe at an input, at compile time.
    ///
    /// # Errors
    /// Nothing there, or no recipe.
    pub fn known(cx: &InferCx<'_>, name: &str) -> Result<Self, InferError> {
        let json = cx.json(name).cloned().unwrap_or_default();
        serde_json::from_value(json).map_err(|e| {
            let message = say!(
                "`{name}` takes pose keypoints, as LoadPoseKeypoints makes them ({e})",
                "「{name}」には LoadPoseKeypoints が作るポーズキーポイントが必要です({e})。"
            );
            InferError::at("return_type_mismatch", name, message)
        })
    }

    /// The recipe behind a constant, at run time.
    ///
    /// # Errors
    /// No recipe.
    pub fn given(json: Option<&Json>) -> Result<Self, RunError> {
        let json = json.cloned().unwrap_or_default();
        serde_json::from_value(json).map_err(|e| {
            let why = say!(
                "expected pose keypoints, as LoadPoseKeypoints makes them ({e})",
                "LoadPoseKeypoints が作るポーズキーポイントが必要です({e})"
            );
            RunError::failed(why)
        })
    }

    /// The motion, on its canvas, with joints in space.
    ///
    /// # Errors
    /// The file cannot be read any more, has changed, or does not fit its reference.
    pub fn motion(&self, input: &Path) -> Result<Motion, RunError> {
        match &self.make {
            Make::File(source) => source.motion(input),
            Make::Retarget {
                pose,
                reference,
                mode,
            } => {
                let (pose, reference) = (pose.motion(input)?, reference.motion(input)?);
                Ok(retarget(pose, &reference, *mode)?)
            }
        }
    }
}

impl Source {
    /// How its numbers are understood.
    pub fn reading(&self) -> Reading {
        Reading {
            canvas: self.canvas,
            confidence: self.confidence,
            depth: self.depth,
        }
    }

    fn motion(&self, input: &Path) -> Result<Motion, RunError> {
        let path = paths::find(input, &self.file).or_fail()?;
        let loaded = file::load(&path)?;
        if loaded.hash != self.hash {
            return Err(RunError::failed(say!(
                "{} has changed since the plan was made; render again",
                "{} はプランを作った後に変わっています。もう一度レンダリングしてください",
                path.display()
            )));
        }
        let mut made = motion(&self.file, &loaded.frames, &self.reading())?;
        clean(&mut made, self.gap, self.smoothing, self.strength);
        lift(&mut made, self.lift);
        Ok(made)
    }
}
