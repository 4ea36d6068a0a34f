//! Pictures of a latent on its way: what the network predicts at the end, every now and then.
//!
//! No picture makes anything be read back from the device. Where the window draws with the device
//! that computes, a picture stays on it ([`Glance`]). Everywhere else it is made on the host, where
//! solvers work (`longtake_sampling`), so that the prediction is there already; a picture of 832×480
//! costs 300,000 multiplications.

use std::rc::Rc;
use std::time::{Duration, Instant};

use longtake_plan::LatentInfo;
use longtake_run::Preview;

use super::glance::Glance;
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
    /// There is to be one of the evaluation that goes on.
    due: bool,
    /// Where pictures stay on the device.
    glance: Option<Rc<Glance>>,
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
            due: false,
            glance: None,
        }
    }

    /// Takes pictures on the device, of what the network shows there.
    pub fn glance(&mut self, glance: Rc<Glance>) {
        self.glance = Some(glance);
    }

    /// An evaluation begins: says whether there is to be a picture of it. There always is one of
    /// the first and of the last.
    pub fn expect(&mut self, is_last: bool) {
        let recent = self.last.is_some_and(|it| it.elapsed() < self.pause);
        self.due = self.factors.is_some() && (is_last || !recent);
        if let (Some(glance), Some(at)) = (&self.glance, self.frame()) {
            let frames = self.shape.frames as usize;
            glance.want(self.due.then_some((at / frames, at % frames)));
        }
    }

    /// Which latent frame is next, counted through the batch.
    fn frame(&self) -> Option<usize> {
        let frames = self.shape.batch as usize * self.shape.frames as usize;
        self.next.checked_rem(frames)
    }

    /// A picture of the evaluation's prediction without noise (normalised), if one is due.
    pub fn of(&mut self, x0: &[f32]) -> Option<Preview> {
        if !std::mem::take(&mut self.due) {
            return None;
        }
        let at = self.frame()?;
        let factors = self.factors.as_ref()?;
        let glance = self.glance.as_ref();
        let kept = glance.and_then(|it| it.picture(factors));
        let picture = kept.map(Preview::Device).or_else(|| {
            let frame = factors.frame(x0, self.shape, at)?;
            Some(Preview::Frame(frame))
        });
        self.next = at + 1;
        self.last = Some(Instant::now());
        picture
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
        let mut red = || {
            previews.expect(false);
            match previews.of(&latent(0.5)) {
                Some(Preview::Frame(frame)) => frame.to_u8()[0],
                other => panic!("{other:?}"),
            }
        };
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
        let given = |n: usize| {
            previews.expect(n == 9);
            previews.of(&latent(1.0)).is_some()
        };
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
        let empty = LatentInfo { frames: 0, ..SHAPE };
        for (shape, data) in [(foreign, &[0.0; 48][..]), (empty, &[])] {
            let mut previews = Previews::new(shape);
            previews.expect(true);
            assert!(previews.of(data).is_none());
        }
    }
}
