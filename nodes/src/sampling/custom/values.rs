//! Schedules, samplers and noise as constants on links.

use longtake_graph::{Kind, Sentence, say};
use longtake_sampling::Schedule;
use serde_json::{Value as Json, json};

/// A schedule.
pub const SIGMAS: Kind = Kind::named("SIGMAS");
/// The name of a solver.
pub const SAMPLER: Kind = Kind::named("SAMPLER");
/// Where noise comes from.
pub const NOISE: Kind = Kind::named("NOISE");
/// Model, conditioning and guidance in one.
pub const GUIDER: Kind = Kind::named("GUIDER");

/// A schedule as a constant: its sigmas, and the times the network is told at them.
pub fn of_schedule(schedule: &Schedule) -> Json {
    json!({"sigmas": schedule.sigmas, "timesteps": schedule.timesteps})
}

/// The schedule of a constant.
///
/// # Errors
/// It is none.
pub fn to_schedule(value: Option<&Json>) -> Result<Schedule, Sentence> {
    let numbers = |name: &str| -> Option<Vec<f32>> {
        let list = value?.get(name)?.as_array()?;
        list.iter().map(|it| Some(it.as_f64()? as f32)).collect()
    };
    match (numbers("sigmas"), numbers("timesteps")) {
        (Some(sigmas), Some(timesteps)) if sigmas.len() == timesteps.len() => {
            Ok(Schedule { sigmas, timesteps })
        }
        _ => Err(say!(
            "`sigmas` needs a schedule; link BasicScheduler or ManualSigmas to it",
            "「sigmas」にはスケジュールが必要です。BasicScheduler か ManualSigmas をリンクしてください。"
        )),
    }
}

/// The noise of this seed.
pub fn of_seed(seed: u64) -> Json {
    json!({"seed": seed})
}

/// No noise: the latent is taken as it is.
pub fn no_noise() -> Json {
    json!({"seed": null})
}

/// The seed of a noise constant; `None` for no noise.
///
/// # Errors
/// It is no noise constant.
pub fn to_seed(value: Option<&Json>) -> Result<Option<u64>, Sentence> {
    match value.and_then(|it| it.get("seed")) {
        Some(Json::Null) => Ok(None),
        Some(seed) => seed
            .as_u64()
            .map(Some)
            .ok_or_else(|| say!("`noise` needs a seed", "「noise」にはシードが必要です。")),
        None => Err(say!(
            "`noise` needs RandomNoise or DisableNoise",
            "「noise」には RandomNoise か DisableNoise が必要です。"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_come_back_as_they_were() {
        let schedule = Schedule::continuous(vec![1.0, 0.937_5, 0.1, 0.0]);
        assert_eq!(to_schedule(Some(&of_schedule(&schedule))), Ok(schedule));
        assert_eq!(to_seed(Some(&of_seed(u64::MAX))), Ok(Some(u64::MAX)));
        assert_eq!(to_seed(Some(&no_noise())), Ok(None));
        assert!(to_schedule(Some(&json!([1.0]))).is_err());
    }
}
