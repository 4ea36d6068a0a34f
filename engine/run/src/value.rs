//! What steps hand to each other at run time.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use longtake_graph::{Sentence, say};
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
    /// `[frames, height, width]`: 1 where the sampler is to make something, 0 where the latent is
    /// to stay (ComfyUI's `noise_mask`). `None`: 1 everywhere.
    pub mask: Option<Arc<Vec<f32>>>,
    /// Where a sampler stopped on its way, for the step that goes on from there
    /// (`longtake_sampling::SolverState` as bytes).
    pub state: Option<Arc<Vec<u8>>>,
}

impl Latent {
    /// A latent of which everything is to be made.
    pub fn new(info: LatentInfo, data: Vec<f32>) -> Self {
        Self {
            info,
            data: Arc::new(data),
            mask: None,
            state: None,
        }
    }
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
    /// What stands beside the text, by name; settings are in the plan
    /// ([`longtake_plan::ExtrasInfo`]).
    pub arrays: Arc<BTreeMap<String, Array>>,
}

impl Conditioning {
    /// Text alone, or what a vision encoder says of a picture.
    pub fn text(tokens: u32, dim: u32, data: Vec<f32>) -> Self {
        Self {
            tokens,
            dim,
            data: Arc::new(data),
            arrays: Arc::default(),
        }
    }
}

/// A named part of a conditioning.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Sizes, slowest first.
    pub shape: Vec<u32>,
    /// Row-major.
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
    pub fn kind(&self) -> Sentence {
        match self {
            Self::Clip(_) => say!("frames", "フレーム"),
            Self::Latent(_) => say!("a latent", "潜在表現"),
            Self::Conditioning(_) => say!("conditioning", "コンディショニング"),
            Self::Segment(_) => say!("an encoded segment", "エンコード済みの区間"),
            Self::Files(_) => say!("files", "ファイル"),
            Self::Json(_) => say!("a constant", "定数"),
        }
    }
}
