//! The scale of Wan 2.1 latents: from what the VAE gives to what the denoiser sees, and back.
//!
//! The VAE works on *raw* latents (its `mu`), and `.latent` files hold raw latents, as in
//! ComfyUI. A sampler works on *normalised* ones, with about zero mean and unit deviation per
//! channel. These functions lie between. No Burn here: samplers run on host slices.

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

/// A latent whose channel count or length does not fit the statistics.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "latent scale: {len} values are not {channels} channels of equal size; \
     a Wan 2.1 latent is [16, frames, height/8, width/8]"
)]
pub struct LatentLength {
    pub len: usize,
    pub channels: usize,
}

/// Raw to normalised, in place: `(x - mean) / std` per channel of `[channels, frames, h, w]`.
///
/// # Errors
/// [`LatentLength`] when the slice is not 16 planes of equal size; it is then untouched.
pub fn process_in(latent: &mut [f32]) -> Result<(), LatentLength> {
    per_channel(latent, |x, mean, std| (x - mean) / std)
}

/// Normalised to raw, in place: `x * std + mean` per channel of `[channels, frames, h, w]`.
///
/// # Errors
/// [`LatentLength`] when the slice is not 16 planes of equal size; it is then untouched.
pub fn process_out(latent: &mut [f32]) -> Result<(), LatentLength> {
    per_channel(latent, |x, mean, std| x * std + mean)
}

fn per_channel(latent: &mut [f32], scale: fn(f32, f32, f32) -> f32) -> Result<(), LatentLength> {
    let (len, channels) = (latent.len(), MEAN21.len());
    if len == 0 || !len.is_multiple_of(channels) {
        return Err(LatentLength { len, channels });
    }
    for (c, plane) in latent.chunks_exact_mut(len / channels).enumerate() {
        for x in plane {
            *x = scale(*x, MEAN21[c], STD21[c]);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_undoes_in() {
        let raw: Vec<f32> = (0..16 * 6).map(|i| (i as f32 * 0.37).sin() * 3.0).collect();
        let mut x = raw.clone();
        process_in(&mut x).unwrap();
        assert!((x[6] - (raw[6] + 0.7089) / 1.4541).abs() < 1e-6);
        process_out(&mut x).unwrap();
        assert!(x.iter().zip(&raw).all(|(a, b)| (a - b).abs() < 1e-5));
    }

    #[test]
    fn odd_lengths_are_refused_and_left_alone() {
        let mut x = vec![1.0; 17];
        assert_eq!(
            process_in(&mut x),
            Err(LatentLength {
                len: 17,
                channels: 16
            })
        );
        assert_eq!(x, vec![1.0; 17]);
        assert!(process_out(&mut []).is_err());
    }
}
