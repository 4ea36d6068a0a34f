//! The shot list that a `Storyboard` node holds in its `shots` input.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How a shot gives way to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransitionKind {
    /// At once.
    #[default]
    Cut,
    /// Through black: down over the first half, up over the second.
    Fade,
    /// One picture melts into the other.
    Dissolve,
}

/// One to ten seconds of film with its own words, seed and length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shot {
    /// Stable name, unique in the film (`"01"`, `"rain-3"`); shots are addressed by it.
    pub id: String,
    /// Title shown on cards and lists.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What is to be seen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prompt: String,
    /// What is not to be seen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub negative: String,
    /// A line of dialogue, narration or direction, for cards and later for sound.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub caption: String,
    /// Seed of the shot's noise.
    #[serde(default)]
    pub seed: u64,
    /// Length in seconds.
    pub seconds: f64,
    /// Camera move of the card (`still`, `pan-left`, `zoom-in`, …), read by `CameraMove`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub camera: String,
    /// Reference image under `--input`, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub image: String,
    /// Pose video under `--input`, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pose: String,
    /// How this shot gives way to the next one.
    #[serde(default)]
    pub transition: TransitionKind,
    /// Length of that transition in seconds; 0 for a cut.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub transition_seconds: f64,
    /// Signature of a stored clip that stands for this shot, whatever changes before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<String>,
    /// Whatever else the file held; written back as it came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if passes references"
)]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// The ordered shots of a film with what they share.
#[derive(Clone, Debug, PartialEq)]
pub struct Storyboard {
    /// Film title.
    pub title: String,
    /// Frame width, pixels.
    pub width: u32,
    /// Frame height, pixels.
    pub height: u32,
    /// Frames per second, as a fraction.
    pub fps: (u32, u32),
    /// The shots in order.
    pub shots: Arc<Vec<Shot>>,
}
