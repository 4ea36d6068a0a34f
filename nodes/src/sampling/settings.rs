//! What nodes before a sampler put on its model: context windows, a step cache.

use longtake_plan::WeightsInfo;
use longtake_sampling::cache::EasyCacheSettings;
use longtake_sampling::windows::{ContextWindows, Fuse, WindowSchedule};
use serde_json::{Value as Json, json};

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
    pub fn of(weights: &WeightsInfo) -> Option<Self> {
        let option = weights.options.get(WINDOWS)?;
        let count = |name: &str| Some(option.get(name)?.as_u64()? as usize);
        let is = |name: &str| option.get(name).and_then(Json::as_bool).unwrap_or(false);
        let schedule: WindowSchedule = option.get("schedule")?.as_str()?.parse().ok()?;
        let fuse: Fuse = option.get("fuse")?.as_str()?.parse().ok()?;
        Some(Self {
            context: ContextWindows {
                length: count("length")?,
                overlap: count("overlap")?,
                schedule,
                stride: count("stride")?,
                closed_loop: is("closed_loop"),
                fuse,
            },
            free_noise: is("free_noise"),
            retain_first: is("retain_first"),
        })
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

/// A step cache as an option of a model.
pub fn cache_to_json(it: EasyCacheSettings) -> Json {
    json!({
        "reuse_threshold": it.reuse_threshold, "start_percent": it.start_percent,
        "end_percent": it.end_percent, "subsample": it.subsample, "measure": it.measure,
    })
}

/// The step cache of a model; `None` when it has none.
pub fn cache_of(weights: &WeightsInfo) -> Option<EasyCacheSettings> {
    let option = weights.options.get(EASY_CACHE)?;
    let number = |name: &str| option.get(name)?.as_f64();
    Some(EasyCacheSettings {
        reuse_threshold: number("reuse_threshold")?,
        start_percent: number("start_percent")?,
        end_percent: number("end_percent")?,
        subsample: number("subsample")? as usize,
        measure: option.get("measure")?.as_bool()?,
    })
}
