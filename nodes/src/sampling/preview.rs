//! Pictures of a latent on its way: what the network predicts at the end, every now and then.
//!
//! Solvers work on the host (`longtake_sampling`), so the prediction is there already: no picture
//! makes anything be read back from the device, whichever that is. A picture of 832×480 costs
//! 300,000 multiplications.

use std::time::{Duration, Instant};

use longtake_plan::LatentInfo;
use longtake_run::Frame;

use crate::latent::look::Factors;

/// Least time between two pictures.
const PAUSE: Duration = Duration::from_millis(500);

/// Decides when there is a picture, and of which frame: each picture shows the next frame of the
/// clip, beginning in its middle, so that motion is seen too.
pub struct Previews {
    factors: Option<Factors>,
    shape: LatentInfo,
    next: usize,
    last: Option<Instant>,
    pause: Duration,
}

impl Previews {
    /// For latents of that shape; no pictures where no factors are known for them.
    pub fn new(shape: LatentInfo) -> Self {
        Self {
            factors: Factors::normalised(shape.channels),
            shape,
            next: shape.frames as usize / 2,
            last: None,
            pause: PAUSE,
        }
    }

    /// A picture of a prediction without noise (normalised), if it is time for one. There always is
    /// one of the first and of the last.
    pub fn of(&mut self, x0: &[f32], is_last: bool) -> Option<Frame> {
        let recent = self.last.is_some_and(|it| it.elapsed() < self.pause);
        if recent && !is_last {
            return None;
        }
        let frames = self.shape.batch as usize * self.shape.frames as usize;
        let at = self.next.checked_rem(frames)?;
        let frame = self.factors.as_ref()?.frame(x0, self.shape, at);
        self.next = at + 1;
        self.last = Some(Instant::now());
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: LatentInfo = LatentInfo {
        batch: 1,
        channels: 16,
        frames: 3,
        height: 2,
        width: 2,
    };

    /// Frame `n` is of one value throughout, `n` times `scale`.
    fn latent(scale: f32) -> Vec<f32> {
        let frames = [0.0, 1.0, 2.0].map(|n| [n * scale; 4]);
        frames.concat().repeat(16)
    }

    #[test]
    fn frames_take_turns() {
        let mut previews = Previews {
            pause: Duration::ZERO,
            ..Previews::new(SHAPE)
        };
        let mut red = || previews.of(&latent(0.5), false).unwrap().to_u8()[0];
        let seen = [red(), red(), red(), red()];
        assert_eq!(seen[0], seen[3]);
        assert!(seen[2] < seen[0] && seen[0] < seen[1], "{seen:?}");
    }

    #[test]
    fn there_are_few_but_the_first_and_the_last() {
        let mut previews = Previews {
            pause: Duration::from_hours(1),
            ..Previews::new(SHAPE)
        };
        let given = |n: usize| previews.of(&latent(1.0), n == 9).is_some();
        let given: Vec<bool> = (0..10).map(given).collect();
        let count = given.iter().filter(|it| **it).count();
        assert!(given[0] && given[9] && count == 2);
    }

    #[test]
    fn strange_latents_have_none() {
        let foreign = LatentInfo {
            channels: 4,
            ..SHAPE
        };
        assert!(Previews::new(foreign).of(&[0.0; 48], true).is_none());
        let empty = LatentInfo { frames: 0, ..SHAPE };
        assert!(Previews::new(empty).of(&[], true).is_none());
    }
}
