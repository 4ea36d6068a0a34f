//! Schedules of step-distilled models, and lists of sigmas written by hand.
//!
//! Sources: ModelTC/LightX2V `lightx2v/models/schedulers/wan/step_distill/scheduler.py` (a table of
//! `linspace(1, 0, 1001)[:-1]` shifted, read at index `1000 - step` for the steps 1000, 750, 500, 250);
//! kijai/ComfyUI-WanVideoWrapper (`flowmatch_causvid`: CausVid's nine timesteps, not shifted again);
//! ComfyUI `comfy_extras/nodes_custom_sampler.py` (`ManualSigmas`).

use super::{Schedule, ScheduleError};

const TABLE_LEN: usize = 1000;

/// Timesteps that CausVid's 14B model was distilled for.
const CAUSVID: [f32; 9] = [999.0, 934.0, 862.0, 756.0, 603.0, 410.0, 250.0, 140.0, 74.0];

/// `steps` equal parts of the table, to the nearest entry: for four, LightX2V's 1000, 750, 500, 250.
pub(super) fn lightx2v(steps: usize, shift: f64) -> Schedule {
    let at = |i: usize| {
        let step = (TABLE_LEN * (steps - i) + steps / 2) / steps;
        let raw = step as f64 / TABLE_LEN as f64;
        (shift * raw / (1.0 + (shift - 1.0) * raw)) as f32
    };
    Schedule::continuous((0..steps).map(at).chain([0.0]).collect())
}

/// CausVid's nine, of which fewer steps take as many from the start, evenly: its own shift is in
/// them, so `shift` does not count.
pub(super) fn causvid(steps: usize) -> Schedule {
    let len = CAUSVID.len();
    let picks: Vec<f32> = if steps >= len {
        CAUSVID.to_vec()
    } else {
        (0..steps).map(|i| CAUSVID[i * len / steps]).collect()
    };
    let sigmas = picks.iter().map(|it| it / 1000.0).chain([0.0]).collect();
    let timesteps = picks.iter().copied().chain([0.0]).collect();
    Schedule { sigmas, timesteps }
}

impl Schedule {
    /// ComfyUI's `ManualSigmas`: all numbers in `text`, in their order, whatever stands between
    /// them. A sign belongs to its number; so does an exponent, which ComfyUI reads as a number more.
    ///
    /// # Errors
    /// [`ScheduleError::BadSigmas`] where they rise or leave `[0, 1]`; no sampler can follow them.
    pub fn manual(text: &str) -> Result<Self, ScheduleError> {
        let sigmas = numbers(text);
        Self::from_sigmas(sigmas)
    }

    /// Any list of sigmas, checked; timesteps are 1000 times as large.
    ///
    /// # Errors
    /// [`ScheduleError::BadSigmas`] where they rise or leave `[0, 1]`.
    pub fn from_sigmas(sigmas: Vec<f32>) -> Result<Self, ScheduleError> {
        let outside = sigmas.iter().position(|it| !(0.0..=1.0).contains(it));
        let rises = sigmas.windows(2).position(|pair| pair[1] > pair[0]);
        match outside.or(rises.map(|i| i + 1)) {
            Some(index) => Err(ScheduleError::BadSigmas {
                index,
                sigma: sigmas[index],
            }),
            None => Ok(Self::continuous(sigmas)),
        }
    }

    /// ComfyUI's `SplitSigmas`: the first `step` steps and the rest; both hold the sigma between.
    ///
    /// A `step` past the end leaves nothing to the second.
    pub fn split(&self, step: usize) -> (Self, Self) {
        let len = self.sigmas.len();
        let (high, low) = (step.saturating_add(1).min(len), step.min(len));
        let part = |range: std::ops::Range<usize>| Self {
            sigmas: self.sigmas[range.clone()].to_vec(),
            timesteps: self.timesteps[range].to_vec(),
        };
        (part(0..high), part(low..len))
    }

    /// ComfyUI's `SplitSigmasDenoise`: the rest is `denoise` (0 to 1) of the steps. At 0 ComfyUI's
    /// first part is empty by a slip (`sigmas[:-0]`); here it is the whole.
    pub fn split_denoise(&self, denoise: f64) -> (Self, Self) {
        // Python's round: half to even.
        let low = (self.steps() as f64 * denoise.clamp(0.0, 1.0)).round_ties_even() as usize;
        self.split(self.steps().saturating_sub(low))
    }
}

/// The longest numbers that stand in the text, from left to right.
fn numbers(text: &str) -> Vec<f32> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        rest = &rest[start..];
        let len = number_len(rest.as_bytes());
        match rest[..len].parse() {
            Ok(number) => {
                found.push(number);
                rest = &rest[len..];
            }
            Err(_) => rest = &rest[1..], // a lone sign or point, one byte
        }
    }
    found
}

/// Length of the number that `text` begins with; of what looks like one when it is none.
fn number_len(text: &[u8]) -> usize {
    let digits = |from: usize| {
        text[from..]
            .iter()
            .take_while(|it| it.is_ascii_digit())
            .count()
    };
    let mut len = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    len += digits(len);
    if text.get(len) == Some(&b'.') {
        len += 1 + digits(len + 1);
    }
    if matches!(text.get(len), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(len + 1), Some(b'+' | b'-')));
        let exponent = digits((len + 1 + sign).min(text.len()));
        if exponent > 0 {
            len += 1 + sign + exponent;
        }
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_in_any_text() {
        for (text, want) in [
            ("1.0, 0.75; 0.5\n.25 0", &[1.0, 0.75, 0.5, 0.25, 0.0][..]),
            ("[9e-1,5E-1]", &[0.9, 0.5]),
            ("a0.5b-0.25c", &[0.5, -0.25]),
            ("- . + 日本 e5", &[5.0]),
            ("1e 2e+", &[1.0, 2.0]),
            ("", &[]),
        ] {
            assert_eq!(numbers(text), want, "{text}");
        }
    }
}
