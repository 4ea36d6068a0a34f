//! Latents as pictures, without the VAE: three weighted sums of the channels per latent pixel.
//!
//! The weights were fitted to what the VAE would show, by their authors; they are good enough to see
//! what is being made. They belong to *normalised* latents, on which samplers work
//! (`longtake_models::wan::vae::latent_stats`).

use std::ops::Range;

use longtake_graph::say;
use longtake_models::wan::vae::latent_stats::stats;
use longtake_plan::{ClipInfo, LatentInfo};
use longtake_run::{Clip, Frame, FrameSource, Latent, Pixels, RunError};

/// Longest side of a picture; of a larger latent every second pixel is taken, or every third.
pub const SIDE: usize = 512;

/// Red, green and blue per channel of Wan 2.1 (ComfyUI `comfy/latent_formats.py`, `Wan21`).
const WAN21: [[f32; 3]; 16] = [
    [-0.1299, -0.1692, 0.2932],
    [0.0671, 0.0406, 0.0442],
    [0.3568, 0.2548, 0.1747],
    [0.0372, 0.2344, 0.1420],
    [0.0313, 0.0189, -0.0328],
    [0.0296, -0.0956, -0.0665],
    [-0.3477, -0.4059, -0.2925],
    [0.0166, 0.1902, 0.1975],
    [-0.0412, 0.0267, -0.1364],
    [-0.1293, 0.0740, 0.1636],
    [0.0680, 0.3019, 0.1128],
    [0.0032, 0.0581, 0.0639],
    [-0.1251, 0.0927, 0.1699],
    [0.0060, -0.0633, 0.0005],
    [0.3477, 0.2275, 0.2950],
    [0.1984, 0.0913, 0.1861],
];
const WAN21_BIAS: [f32; 3] = [-0.1835, -0.0868, -0.3360];

/// The same of Wan 2.2 5B (ComfyUI `comfy/latent_formats.py`, `Wan22`).
const WAN22: [[f32; 3]; 48] = [
    [0.0119, 0.0103, 0.0046],
    [-0.1062, -0.0504, 0.0165],
    [0.0140, 0.0409, 0.0491],
    [-0.0813, -0.0677, 0.0607],
    [0.0656, 0.0851, 0.0808],
    [0.0264, 0.0463, 0.0912],
    [0.0295, 0.0326, 0.0590],
    [-0.0244, -0.0270, 0.0025],
    [0.0443, -0.0102, 0.0288],
    [-0.0465, -0.0090, -0.0205],
    [0.0359, 0.0236, 0.0082],
    [-0.0776, 0.0854, 0.1048],
    [0.0564, 0.0264, 0.0561],
    [0.0006, 0.0594, 0.0418],
    [-0.0319, -0.0542, -0.0637],
    [-0.0268, 0.0024, 0.0260],
    [0.0539, 0.0265, 0.0358],
    [-0.0359, -0.0312, -0.0287],
    [-0.0285, -0.1032, -0.1237],
    [0.1041, 0.0537, 0.0622],
    [-0.0086, -0.0374, -0.0051],
    [0.0390, 0.0670, 0.2863],
    [0.0069, 0.0144, 0.0082],
    [0.0006, -0.0167, 0.0079],
    [0.0313, -0.0574, -0.0232],
    [-0.1454, -0.0902, -0.0481],
    [0.0714, 0.0827, 0.0447],
    [-0.0304, -0.0574, -0.0196],
    [0.0401, 0.0384, 0.0204],
    [-0.0758, -0.0297, -0.0014],
    [0.0568, 0.1307, 0.1372],
    [-0.0055, -0.0310, -0.0380],
    [0.0239, -0.0305, 0.0325],
    [-0.0663, -0.0673, -0.0140],
    [-0.0416, -0.0047, -0.0023],
    [0.0166, 0.0112, -0.0093],
    [-0.0211, 0.0011, 0.0331],
    [0.1833, 0.1466, 0.2250],
    [-0.0368, 0.0370, 0.0295],
    [-0.3441, -0.3543, -0.2008],
    [-0.0479, -0.0489, -0.0420],
    [-0.0660, -0.0153, 0.0800],
    [-0.0101, 0.0068, 0.0156],
    [-0.0690, -0.0452, -0.0927],
    [-0.0145, 0.0041, 0.0015],
    [0.0421, 0.0451, 0.0373],
    [0.0504, -0.0483, -0.0356],
    [-0.0837, 0.0168, 0.0055],
];
const WAN22_BIAS: [f32; 3] = [0.0317, -0.0878, -0.1388];

/// How channels become red, green and blue: `0.5 + 0.5 * (bias + sum of weight * channel)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Factors {
    /// Red, green and blue of each channel.
    pub weights: Vec<[f32; 3]>,
    /// What is added.
    pub bias: [f32; 3],
}

impl Factors {
    /// For normalised latents of that many channels; `None` where none are published.
    pub fn normalised(channels: u32) -> Option<Self> {
        let (weights, bias) = match channels {
            16 => (WAN21.to_vec(), WAN21_BIAS),
            48 => (WAN22.to_vec(), WAN22_BIAS),
            _ => return None,
        };
        Some(Self { weights, bias })
    }

    /// For raw latents, as the VAE and files have them: the normalisation is folded in.
    pub fn raw(channels: u32) -> Option<Self> {
        let mut factors = Self::normalised(channels)?;
        let (mean, std) = stats(channels as usize)?;
        for (weights, (mean, std)) in factors.weights.iter_mut().zip(mean.iter().zip(std)) {
            for (weight, bias) in weights.iter_mut().zip(&mut factors.bias) {
                *weight /= std;
                *bias -= *weight * mean;
            }
        }
        Some(factors)
    }

    /// A picture of latent frame `at` of `[batch, channels, frames, height, width]`, counted through
    /// the batch. `None` when the data are not of that shape or have no such frame.
    pub fn frame(&self, data: &[f32], shape: LatentInfo, at: usize) -> Option<Frame> {
        let [channels, frames, height, width] =
            [shape.channels, shape.frames, shape.height, shape.width].map(|n| n as usize);
        let plane = height * width;
        if channels != self.weights.len() || plane == 0 || data.len() as u64 != shape.elements() {
            return None;
        }
        let sample = at.checked_div(frames)?;
        let sample = data.chunks_exact(channels * frames * plane).nth(sample)?;
        let planes = sample.chunks_exact(plane).skip(at % frames);
        let planes: Vec<&[f32]> = planes.step_by(frames).collect();
        let step = height.max(width).div_ceil(SIDE);
        let mut pixels = Vec::with_capacity(plane.div_ceil(step) * 3);
        for y in (0..height).step_by(step) {
            for x in (0..width).step_by(step) {
                pixels.extend(self.pixel(&planes, y * width + x));
            }
        }
        let [width, height] = [width, height].map(|it| it.div_ceil(step) as u32);
        Some(Frame::new(width, height, 3, Pixels::U8(pixels)))
    }

    fn pixel(&self, planes: &[&[f32]], index: usize) -> [u8; 3] {
        let mut rgb = self.bias;
        for (weights, plane) in self.weights.iter().zip(planes) {
            for (sum, weight) in rgb.iter_mut().zip(weights) {
                *sum += weight * plane[index];
            }
        }
        // Truncated as ComfyUI's previews are (`latent_preview.py`).
        rgb.map(|it| (it.midpoint(1.0).clamp(0.0, 1.0) * 255.0) as u8)
    }
}

/// A raw latent as a clip, a picture per latent frame; of a batch one sample after the other. `None`
/// for latents of a kind that no factors are published for.
pub fn look(latent: &Latent) -> Option<Clip> {
    let shape = latent.info;
    // Nothing is normalised where there is nothing, as a sampler sees it (`sampling::run`).
    let factors = if latent.data.iter().any(|&it| it != 0.0) {
        Factors::raw(shape.channels)?
    } else {
        Factors::normalised(shape.channels)?
    };
    let first = factors.frame(&latent.data, shape, 0)?;
    let info = first.info(u64::from(shape.batch) * u64::from(shape.frames));
    let latent = latent.clone();
    Some(Clip::new(Look {
        latent,
        factors,
        info,
    }))
}

struct Look {
    latent: Latent,
    factors: Factors,
    info: ClipInfo,
}

impl FrameSource for Look {
    fn info(&self) -> ClipInfo {
        self.info
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<Frame>, RunError> {
        let latent = &self.latent;
        let frame = |at| {
            let frame = self.factors.frame(&latent.data, latent.info, at as usize);
            frame.ok_or_else(|| {
                RunError::failed(say!(
                    "the latent has no frame {at}; this is a bug in Longtake",
                    "潜在表現にフレーム {at} がありません。Longtake の不具合です"
                ))
            })
        };
        range.map(frame).collect()
    }
}

#[cfg(test)]
mod tests {
    use longtake_models::wan::vae::latent_stats::process_out;

    use super::*;

    fn shape(batch: u32, channels: u32, frames: u32, height: u32, width: u32) -> LatentInfo {
        LatentInfo {
            batch,
            channels,
            frames,
            height,
            width,
        }
    }

    /// `value` in one channel of one frame, 0 elsewhere.
    fn one(shape: LatentInfo, channel: u32, frame: u32, value: f32) -> Vec<f32> {
        let plane = (shape.height * shape.width) as usize;
        let mut data = vec![0.0; shape.elements() as usize];
        let start = (channel * shape.frames + frame) as usize * plane;
        data[start..start + plane].fill(value);
        data
    }

    #[test]
    fn channels_have_the_published_colours() {
        // By hand: (bias + value * weight + 1) / 2 * 255, cut off.
        for (channels, channel, value, rgb) in [
            (16, 0, 0.0, [104, 116, 84]),
            (16, 2, 1.0, [149, 148, 106]),
            (16, 6, 2.0, [15, 12, 10]),
            (16, 14, 9.0, [255; 3]),
            (48, 37, 2.0, [178, 153, 167]),
            (48, 39, -1.0, [175, 161, 135]),
        ] {
            let shape = shape(1, channels, 3, 1, 2);
            let data = one(shape, channel, 1, value);
            let factors = Factors::normalised(channels).unwrap();
            let frame = factors.frame(&data, shape, 1).unwrap();
            assert_eq!(
                frame.to_u8(),
                rgb.repeat(2),
                "{channels} channels, {channel}"
            );
            let beside = factors.frame(&data, shape, 2).unwrap();
            assert_eq!(
                beside,
                factors.frame(&vec![0.0; data.len()], shape, 0).unwrap()
            );
        }
    }

    #[test]
    fn raw_latents_look_as_normalised_ones() {
        for channels in [16, 48] {
            let shape = shape(2, channels, 2, 3, 5);
            let values = 0..shape.elements();
            let mut data: Vec<f32> = values.map(|i| (i as f32 * 0.7).sin() * 1.5).collect();
            let factors = Factors::normalised(channels).unwrap();
            let wanted: Vec<_> = (0..4).map(|at| factors.frame(&data, shape, at)).collect();
            let one = data.len() / 2;
            for sample in data.chunks_mut(one) {
                process_out(sample, channels as usize).unwrap();
            }
            let clip = look(&Latent::new(shape, data)).unwrap();
            assert_eq!((clip.info().frames, clip.info().width), (4, 5));
            for (found, wanted) in clip.read(0..4).unwrap().iter().zip(wanted) {
                let wanted = wanted.unwrap().to_u8();
                let off = found.to_u8().into_iter().zip(&wanted);
                assert!(off.into_iter().all(|(a, b)| a.abs_diff(*b) <= 1));
                assert!(wanted.iter().any(|it| *it != wanted[0]));
            }
        }
    }

    #[test]
    fn what_cannot_be_shown_is_none() {
        let big = shape(1, 16, 1, 700, 3);
        let clip = look(&Latent::new(big, vec![0.0; 16 * 2100])).unwrap();
        assert_eq!((clip.info().height, clip.info().width), (350, 2));
        assert!(look(&Latent::new(shape(1, 4, 1, 2, 2), vec![1.0; 16])).is_none());
        assert!(look(&Latent::new(shape(1, 16, 1, 2, 2), vec![1.0; 63])).is_none());
        assert!(look(&Latent::new(shape(0, 16, 0, 2, 2), Vec::new())).is_none());
        let factors = Factors::normalised(16).unwrap();
        let strange = vec![f32::NAN; 16];
        assert!(factors.frame(&strange, shape(1, 16, 1, 1, 1), 0).is_some());
        assert!(factors.frame(&strange, shape(1, 16, 1, 1, 1), 1).is_none());
    }
}
