//! What steps hand to each other at run time.

use std::path::PathBuf;
use std::sync::Arc;

use longtake_plan::{ClipInfo, LatentInfo};
use serde_json::Value as Json;

use crate::Clip;

/// A latent on the host, f32, in the VAE's raw space (as ComfyUI keeps it outside samplers).
#[derive(Clone, Debug, PartialEq)]
pub struct Latent {
    /// Sizes.
    pub info: LatentInfo,
    /// `[batch, channels, frames, height, width]`, row-major.
    pub data: Arc<Vec<f32>>,
}

/// Encoded text on the host, f32.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditioning {
    /// Rows (tokens).
    pub tokens: u32,
    /// Width of a row.
    pub dim: u32,
    /// `[tokens, dim]`, row-major.
    pub data: Arc<Vec<f32>>,
}

/// An encoded piece of film in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// The file.
    pub path: PathBuf,
    /// Its sizes and rate.
    pub info: ClipInfo,
}

/// A value between steps.
#[derive(Clone, Debug)]
pub enum Value {
    /// Frames.
    Clip(Clip),
    /// A latent.
    Latent(Latent),
    /// Encoded text.
    Conditioning(Conditioning),
    /// An encoded piece of film.
    Segment(Segment),
    /// Files written for the person.
    Files(Vec<PathBuf>),
    /// Anything small.
    Json(Json),
}

impl Value {
    /// Name of its kind, for errors.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Clip(_) => "frames",
            Self::Latent(_) => "a latent",
            Self::Conditioning(_) => "conditioning",
            Self::Segment(_) => "an encoded segment",
            Self::Files(_) => "files",
            Self::Json(_) => "a constant",
        }
    }
}
