//! Pictures and videos for the window: what a step made, and files.

use std::path::Path;
use std::sync::Arc;

use longtake_graph::Sentence;
use longtake_plan::{Plan, StepId};
use longtake_run::{Cancel, Clip, Device, Scratch, Value};

use super::engine::Machinery;

/// Endings of pictures.
const PICTURES: [&str; 4] = ["png", "jpg", "jpeg", "webp"];

/// The frames a step made, if they are still there; of a latent, what can be seen without a VAE.
pub fn result(machinery: &Machinery, plan: &Plan, step: StepId) -> Option<Clip> {
    // A recipe of frames runs on no device.
    let device = Device {
        handle: Arc::new(()),
        name: "none".to_owned(),
    };
    let env = machinery.env(
        device,
        Cancel::default(),
        Scratch::elsewhere(machinery.opened.roots.store.clone()),
    );
    let values = longtake_run::recall(plan, &machinery.registry, &env, step).ok()?;
    values.into_iter().find_map(|value| match value {
        Value::Clip(clip) => Some(clip),
        Value::Segment(segment) => open(&segment.path).ok(),
        Value::Files(files) => files.first().and_then(|path| open(path).ok()),
        Value::Latent(latent) => longtake_nodes::latent::look::look(&latent),
        Value::Conditioning(_) | Value::Json(_) => None,
    })
}

/// A picture or a video as a clip.
///
/// # Errors
/// The file cannot be read, with what to do.
pub fn open(path: &Path) -> Result<Clip, Sentence> {
    let ending = path
        .extension()
        .map(|it| it.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default();
    if PICTURES.contains(&ending.as_str()) {
        longtake_nodes::picture::load::clip(path).map_err(|e| e.message)
    } else {
        longtake_nodes::video::open(path).map_err(|e| e.message)
    }
}
