//! The scale of Wan's latents: from what the VAE gives to what the denoiser sees, and back.
//!
//! The VAE works on *raw* latents (its `mu`), and `.latent` files hold raw latents, as in
//! ComfyUI. A sampler works on *normalised* ones, with about zero mean and unit deviation per
//! channel. These functions lie between. No Burn here: samplers run on host slices.

use longtake_sentence::{Sentence, say};

/// Mean per channel of raw Wan 2.1 latents (`wan/modules/vae2_1.py` of Wan-Video/Wan2.2).
pub const MEAN21: [f32; 16] = [
    -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508, 0.4134, -0.0715, 0.5517,
    -0.3632, -0.1922, -0.9497, 0.2503, -0.2921,
];

/// Standard deviation per channel of raw Wan 2.1 latents (same source as [`MEAN21`]).
pub const STD21: [f32; 16] = [
    2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743, 3.2687, 2.1526, 2.8652, 1.5579,
    1.6382, 1.1253, 2.8251, 1.9160,
];

/// Mean per channel of raw Wan 2.2 latents, 4x16x16 (`wan/modules/vae2_2.py` of Wan-Video/Wan2.2).
pub const MEAN22: [f32; 48] = [
    -0.2289, -0.0052, -0.1323, -0.2339, -0.2799, 0.0174, 0.1838, 0.1557, -0.1382, 0.0542, 0.2813,
    0.0891, 0.1570, -0.0098, 0.0375, -0.1825, -0.2246, -0.1207, -0.0698, 0.5109, 0.2665, -0.2108,
    -0.2158, 0.2502, -0.2055, -0.0322, 0.1109, 0.1567, -0.0729, 0.0899, -0.2799, -0.1230, -0.0313,
    -0.1649, 0.0117, 0.0723, -0.2839, -0.2083, -0.0520, 0.3748, 0.0152, 0.1957, 0.1433, -0.2944,
    0.3573, -0.0548, -0.1681, -0.0667,
];

/// Standard deviation per channel of raw Wan 2.2 latents (same source as [`MEAN22`]).
pub const STD22: [f32; 48] = [
    0.4765, 1.0364, 0.4514, 1.1677, 0.5313, 0.4990, 0.4818, 0.5013, 0.8158, 1.0344, 0.5894, 1.0901,
    0.6885, 0.6165, 0.8454, 0.4978, 0.5759, 0.3523, 0.7135, 0.6804, 0.5833, 1.4146, 0.8986, 0.5659,
    0.7069, 0.5338, 0.4889, 0.4917, 0.4069, 0.4999, 0.6866, 0.4093, 0.5709, 0.6065, 0.6415, 0.4944,
    0.5726, 1.2042, 0.5458, 1.6887, 0.3971, 1.0600, 0.3943, 0.5537, 0.5444, 0.4089, 0.7468, 0.7744,
];

/// Mean and standard deviation per channel of latents with that many channels: 16 (Wan 2.1 and
/// Wan 2.2 A14B) or 48 (Wan 2.2 TI2V-5B).
pub fn stats(channels: usize) -> Option<(&'static [f32], &'static [f32])> {
    match channels {
        16 => Some((&MEAN21, &STD21)),
        48 => Some((&MEAN22, &STD22)),
        _ => None,
    }
}

/// A latent whose channel count or length does not fit the statistics.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct LatentLength {
    pub len: usize,
    pub channels: usize,
}

impl LatentLength {
    /// The message in both languages.
    pub fn sentence(&self) -> Sentence {
        let Self { len, channels } = self;
        say!(
            "latent scale: {len} values are not {channels} channels of equal size; expected \
             [16, frames, height/8, width/8] (Wan 2.1) or [48, frames, height/16, width/16] (Wan 2.2 5B)",
            "潜在表現の正規化: {len} 個の値は同じ大きさの {channels} チャンネルに分けられません。\
             [16, frames, height/8, width/8]（Wan 2.1）か [48, frames, height/16, width/16]（Wan 2.2 5B）が必要です"
        )
    }
}

/// Raw to normalised, in place: `(x - mean) / std` per channel of `[channels, frames, h, w]`.
///
/// # Errors
/// [`LatentLength`] when there are no statistics of so many channels, or the slice is not that many
/// planes of equal size; it is then untouched.
pub fn process_in(latent: &mut [f32], channels: usize) -> Result<(), LatentLength> {
    per_channel(latent, channels, |x, mean, std| (x - mean) / std)
}

/// Normalised to raw, in place: `x * std + mean` per channel of `[channels, frames, h, w]`.
///
/// # Errors
/// As [`process_in`].
pub fn process_out(latent: &mut [f32], channels: usize) -> Result<(), LatentLength> {
    per_channel(latent, channels, |x, mean, std| x * std + mean)
}

fn per_channel(
    latent: &mut [f32],
    channels: usize,
    scale: fn(f32, f32, f32) -> f32,
) -> Result<(), LatentLength> {
    let len = latent.len();
    let known = stats(channels).filter(|_| len > 0 && len.is_multiple_of(channels));
    let (mean, std) = known.ok_or(LatentLength { len, channels })?;
    for (c, plane) in latent.chunks_exact_mut(len / channels).enumerate() {
        for x in plane {
            *x = scale(*x, mean[c], std[c]);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_undoes_in() {
        for (channels, at, mean, std) in [(16, 1, -0.7089, 1.4541), (48, 47, -0.0667, 0.7744)] {
            let values = (0..channels * 6).map(|i| (i as f32 * 0.37).sin() * 3.0);
            let raw: Vec<f32> = values.collect();
            let mut x = raw.clone();
            process_in(&mut x, channels).unwrap();
            assert!((x[6 * at] - (raw[6 * at] - mean) / std).abs() < 1e-6);
            process_out(&mut x, channels).unwrap();
            assert!(x.iter().zip(&raw).all(|(a, b)| (a - b).abs() < 1e-5));
        }
    }

    #[test]
    fn odd_lengths_and_unknown_channels_are_refused_and_left_alone() {
        for (len, channels) in [(17, 16), (64, 48), (32, 32), (0, 16), (0, 0)] {
            let mut x = vec![1.0; len];
            let error = LatentLength { len, channels };
            assert_eq!(process_in(&mut x, channels), Err(error));
            assert_eq!(x, vec![1.0; len]);
        }
    }
}
