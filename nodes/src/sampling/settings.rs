//! What nodes before a sampler put on its model (context windows, a step cache) and beside the text
//! (SCAIL, a control net).

use longtake_graph::Sentence;
use longtake_plan::{ExtrasInfo, WeightsInfo};
use longtake_sampling::UnknownName;
use longtake_sampling::cache::EasyCacheSettings;
use longtake_sampling::windows::ContextWindows;
use serde_json::{Value as Json, json};

use crate::options::Options;

/// Option of a model that carries [`Windows`].
pub const WINDOWS: &str = "context_windows";
/// Option of a model that carries [`EasyCacheSettings`].
pub const EASY_CACHE: &str = "easy_cache";

/// Sampling in windows of frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Windows {
    /// How they lie, in latent frames.
    pub context: ContextWindows,
    /// Shuffle the noise of later windows out of the first one's.
    pub free_noise: bool,
    /// Every window's picture condition begins with that of the clip's first frame.
    pub retain_first: bool,
}

impl Windows {
    /// As an option of a model.
    pub fn to_json(self) -> Json {
        let it = self.context;
        json!({
            "length": it.length, "overlap": it.overlap, "schedule": it.schedule.name(),
            "stride": it.stride, "closed_loop": it.closed_loop, "fuse": it.fuse.name(),
            "free_noise": self.free_noise, "retain_first": self.retain_first,
        })
    }

    /// Of a model; `None` when it has none.
    ///
    /// # Errors
    /// Something that is no windows, or windows that cannot be laid.
    pub fn of(weights: &WeightsInfo) -> Result<Option<Self>, Sentence> {
        let Some(it) = Options::of(&weights.options).object(WINDOWS)? else {
            return Ok(None);
        };
        let count = |name: &str| it.needed(name, Options::count);
        let is = |name: &str| it.needed(name, Options::truth);
        let text = |name: &str| it.needed(name, Options::text);
        let unknown = |error: UnknownName| error.sentence();
        let context = ContextWindows {
            length: count("length")?,
            overlap: count("overlap")?,
            schedule: text("schedule")?.parse().map_err(unknown)?,
            stride: count("stride")?,
            closed_loop: is("closed_loop")?,
            fuse: text("fuse")?.parse().map_err(unknown)?,
        };
        context.check().map_err(|error| error.sentence())?;
        Ok(Some(Self {
            context,
            free_noise: is("free_noise")?,
            retain_first: is("retain_first")?,
        }))
    }

    /// Latent frames that one pass sees, and passes that a prediction over `frames` takes.
    pub fn passes(self, frames: u32) -> (u32, f64) {
        if !self.context.applies(frames as usize) {
            return (frames, 1.0);
        }
        let windows = self.context.windows(frames as usize, 0);
        let windows = windows.unwrap_or_default();
        let longest = windows.iter().map(Vec::len).max().unwrap_or(1);
        (longest as u32, windows.len().max(1) as f64)
    }
}

/// How SCAIL's streams are used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScailSettings {
    /// Parts of the schedule between which the pose counts.
    pub range: [f64; 2],
    /// The character takes someone's place.
    pub replacement: bool,
    /// The pose is placed as ComfyUI does.
    pub midpoint_rope: bool,
}

impl ScailSettings {
    /// Of a conditioning; what it does not say is at its default: always, no replacement.
    ///
    /// # Errors
    /// A setting of another kind.
    pub fn of(extras: &ExtrasInfo) -> Result<Self, Sentence> {
        let it = Options::of(&extras.settings);
        Ok(Self {
            range: [
                it.number("scail_start")?.unwrap_or(0.0),
                it.number("scail_end")?.unwrap_or(1.0),
            ],
            replacement: it.truth("scail_replacement")?.unwrap_or(false),
            midpoint_rope: it.truth("scail_midpoint_rope")?.unwrap_or(false),
        })
    }
}

/// How a control net is used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ControlSettings {
    /// Parts of the schedule between which it counts.
    pub range: [f64; 2],
    /// How strongly it is followed.
    pub strength: f64,
}

impl ControlSettings {
    /// Of a conditioning; what it does not say is at its default: always, strength 1.
    ///
    /// # Errors
    /// A setting of another kind.
    pub fn of(extras: &ExtrasInfo) -> Result<Self, Sentence> {
        let it = Options::of(&extras.settings);
        Ok(Self {
            range: [
                it.number("control_start")?.unwrap_or(0.0),
                it.number("control_end")?.unwrap_or(1.0),
            ],
            strength: it.number("control_strength")?.unwrap_or(1.0),
        })
    }
}

/// A step cache as an option of a model.
pub fn cache_to_json(it: EasyCacheSettings) -> Json {
    json!({
        "reuse_threshold": it.reuse_threshold, "start_percent": it.start_percent,
        "end_percent": it.end_percent, "subsample": it.subsample, "measure": it.measure,
    })
}

/// The step cache of a model; `None` when it has none.
///
/// # Errors
/// Something that is no cache.
pub fn cache_of(weights: &WeightsInfo) -> Result<Option<EasyCacheSettings>, Sentence> {
    let Some(it) = Options::of(&weights.options).object(EASY_CACHE)? else {
        return Ok(None);
    };
    let number = |name: &str| it.needed(name, Options::number);
    Ok(Some(EasyCacheSettings {
        reuse_threshold: number("reuse_threshold")?,
        start_percent: number("start_percent")?,
        end_percent: number("end_percent")?,
        subsample: it.needed("subsample", Options::count)?,
        measure: it.needed("measure", Options::truth)?,
    }))
}
