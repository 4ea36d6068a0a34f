//! A look at the prediction where it is computed: pictures for a window on the same device.
//!
//! The network leaves here what each side predicts of one latent frame, before it is read back for
//! the solver; guidance and the latent's colours are computed on the device again, on that frame.

use std::cell::{Cell, RefCell};

use longtake_models::{Tensor, screen};
use longtake_run::DevicePicture;

use crate::latent::look::Factors;

/// Between the network and the previews: the network runs deep inside of the solver.
pub struct Glance {
    /// One, or two with guidance, and its scale.
    sides: usize,
    cfg: f32,
    /// Sample and latent frame of the next picture.
    wanted: Cell<Option<(usize, usize)>>,
    /// What each side predicts there, `[channels, height, width]`.
    seen: RefCell<Vec<Tensor<3>>>,
}

impl Glance {
    /// For a network of one side, or of two with guidance of that scale.
    pub fn new(sides: usize, cfg: f32) -> Self {
        Self {
            sides,
            cfg,
            wanted: Cell::default(),
            seen: RefCell::default(),
        }
    }

    /// Asks for a latent frame of a sample, or for none.
    pub fn want(&self, frame: Option<(usize, usize)>) {
        self.wanted.set(frame);
        self.seen.borrow_mut().clear();
    }

    /// Whether a picture of that sample is asked for.
    pub fn wants(&self, sample: usize) -> bool {
        self.wanted.get().is_some_and(|it| it.0 == sample)
    }

    /// Keeps what one side predicts: the noisy latent and the velocity, both
    /// `[1, channels, frames, height, width]`.
    pub fn see(&self, noisy: Tensor<5>, velocity: Tensor<5>, sigma: f32) {
        let Some((_, frame)) = self.wanted.get() else {
            return;
        };
        let [_, channels, _, height, width] = velocity.dims();
        let cut = |it: Tensor<5>| -> Tensor<3> {
            it.slice([0..1, 0..channels, frame..frame + 1, 0..height, 0..width])
                .reshape([channels, height, width])
        };
        let x0 = cut(noisy) - cut(velocity).mul_scalar(sigma);
        self.seen.borrow_mut().push(x0);
    }

    /// The picture, when the network was asked since and every side answered: nothing is
    /// read back.
    pub fn picture(&self, factors: &Factors) -> Option<DevicePicture> {
        self.wanted.set(None);
        let rgb = self.rgb(factors)?;
        let [height, width, _] = rgb.dims();
        Some(DevicePicture {
            size: [width as u32, height as u32],
            handle: screen::texture(rgb)?,
        })
    }

    fn rgb(&self, factors: &Factors) -> Option<Tensor<3>> {
        let mut seen = self.seen.take();
        // A step cache may have left one out.
        if seen.len() != self.sides {
            return None;
        }
        let uncond = (self.sides > 1).then(|| seen.pop()).flatten();
        let cond = seen.pop()?;
        // As `flow::guide`.
        let x0 = match uncond {
            Some(uncond) => uncond.clone() + (cond - uncond).mul_scalar(self.cfg),
            None => cond,
        };
        if x0.dims()[0] != factors.weights.len() {
            return None;
        }
        Some(screen::weighted(x0, &factors.weights, factors.bias))
    }
}

#[cfg(test)]
mod tests {
    use longtake_models::device::cpu;
    use longtake_plan::LatentInfo;
    use longtake_sampling::flow;

    use super::*;

    const SHAPE: LatentInfo = LatentInfo {
        batch: 1,
        channels: 16,
        frames: 3,
        height: 5,
        width: 7,
    };

    fn waves(pace: f32) -> Vec<f32> {
        let values = 0..SHAPE.elements();
        values.map(|i| (i as f32 * pace).sin()).collect()
    }

    fn tensor(data: &[f32]) -> Tensor<5> {
        Tensor::<1>::from_floats(data, &cpu()).reshape([1, 16, 3, 5, 7])
    }

    /// On the device comes out what the host shows, with guidance and without.
    #[test]
    fn the_device_sees_what_the_host_sees() {
        let (x, sigma, cfg) = (waves(0.37), 0.8, 5.0);
        let factors = Factors::normalised(16).unwrap();
        for sides in [1, 2] {
            let glance = Glance::new(sides, cfg);
            glance.want(Some((0, 2)));
            assert!(glance.wants(0) && !glance.wants(1));
            let mut predictions = Vec::new();
            for velocity in [waves(0.11), waves(0.23)].into_iter().take(sides) {
                glance.see(tensor(&x), tensor(&velocity), sigma);
                predictions.push(flow::x0_from_velocity(sigma, &x, &velocity));
            }
            let x0 = flow::guide(
                predictions[0].clone(),
                predictions.get(1).map(Vec::as_slice),
                cfg,
            );
            let wanted = factors.frame(&x0, SHAPE, 2).unwrap().to_u8();
            let rgb = glance.rgb(&factors).unwrap();
            let found: Vec<f32> = rgb.into_data().into_vec().unwrap();
            assert_eq!(found.len(), wanted.len());
            assert!(wanted.iter().any(|it| *it != wanted[0]));
            for (found, wanted) in found.iter().zip(wanted) {
                let found = (found.clamp(0.0, 1.0) * 255.0) as u8;
                assert!(found.abs_diff(wanted) <= 1, "{found}, expected {wanted}");
            }
        }
    }

    #[test]
    fn a_side_that_was_left_out_makes_no_picture() {
        let factors = Factors::normalised(16).unwrap();
        let glance = Glance::new(2, 1.0);
        assert!(glance.rgb(&factors).is_none());
        glance.want(Some((0, 0)));
        glance.see(tensor(&waves(0.1)), tensor(&waves(0.2)), 1.0);
        assert!(glance.rgb(&factors).is_none());
        // Nobody asked: nothing is kept.
        let glance = Glance::new(1, 1.0);
        glance.see(tensor(&waves(0.1)), tensor(&waves(0.2)), 1.0);
        assert!(glance.rgb(&factors).is_none());
    }
}
