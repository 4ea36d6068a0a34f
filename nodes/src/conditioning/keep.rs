//! Latents whose first frames are given and stay.

use std::sync::Arc;

use longtake_plan::LatentInfo;
use longtake_run::Latent;

/// Puts `known` (`[channels, frames, h, w]`) at the start of every sample and has it stay: mask 0
/// there, 1 behind.
pub fn keep_first(latent: &mut Latent, known: &[f32], frames: u32) {
    let LatentInfo {
        batch,
        channels,
        frames: all,
        height,
        width,
    } = latent.info;
    let area = height as usize * width as usize;
    let (kept, all) = (frames.min(all) as usize * area, all as usize * area);
    let from = frames as usize * area;
    let mut data = latent.data.to_vec();
    for plane in 0..(batch * channels) as usize {
        let source = plane % channels as usize * from;
        data[plane * all..plane * all + kept].copy_from_slice(&known[source..source + kept]);
    }
    let mut mask = vec![1.0; all];
    mask[..kept].fill(0.0);
    latent.data = Arc::new(data);
    latent.mask = Some(Arc::new(mask));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_frames_stand_in_every_sample_and_are_masked() {
        let info = LatentInfo {
            batch: 2,
            channels: 2,
            frames: 3,
            height: 1,
            width: 2,
        };
        let mut latent = Latent::new(info, vec![9.0; 24]);
        // Two channels of two frames.
        let known: Vec<f32> = (1..=8).map(|it| it as f32).collect();
        keep_first(&mut latent, &known, 2);
        let one = [1., 2., 3., 4., 9., 9., 5., 6., 7., 8., 9., 9.];
        assert_eq!(*latent.data, [one, one].concat());
        assert_eq!(**latent.mask.as_ref().unwrap(), [0., 0., 0., 0., 1., 1.]);
        // More frames than there are: what fits.
        let info = LatentInfo {
            batch: 1,
            frames: 1,
            ..info
        };
        let mut latent = Latent::new(info, vec![9.0; 4]);
        keep_first(&mut latent, &known, 2);
        assert_eq!(*latent.data, [1., 2., 5., 6.]);
        assert_eq!(**latent.mask.as_ref().unwrap(), [0., 0.]);
    }
}
