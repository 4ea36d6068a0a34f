//! Which frames SCAIL takes of its inputs, and the films it encodes of them.

use std::ops::Range;
use std::sync::Arc;

use longtake_run::{Array, Clip, Frame, Pixels, RunCx, RunError};

use super::encode::{self, Meter, Size, held, info, scaled};
use super::identity;
use crate::film::recipe::{join, map};
use crate::picture::resize::{Method, scale};

/// Frames taken of a chunk's inputs (ComfyUI `comfy_extras/nodes_scail.py`, `WanSCAILToVideo`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Of the previous chunk: its last frames, which stay as they are.
    pub anchor: Range<u64>,
    /// First output frame of this chunk in the whole film.
    pub offset: u64,
    /// Of pose video and mask; `None` without either.
    pub driving: Option<Range<u64>>,
}

impl Cut {
    /// The cut for a chunk of `length` frames (4k + 1) at `offset`. `previous` is the number of frames
    /// of the previous chunk and how many of them to keep; `driving` the lengths of pose video and
    /// mask.
    ///
    /// # Errors
    /// The pose video ends before this chunk begins: that number of frames, and where it begins.
    pub fn new(
        length: u64,
        offset: u64,
        previous: Option<(u64, u64)>,
        driving: &[u64],
    ) -> Result<Self, (u64, u64)> {
        let (frames, keep) = previous.unwrap_or_default();
        let anchor = frames.saturating_sub(keep)..frames;
        let offset = offset.saturating_sub(anchor.end - anchor.start);
        // The first frames count: the VAE looks back only.
        let anchor = anchor.start..anchor.end.min(anchor.start + length);
        let driving = match driving.iter().min() {
            None => None,
            Some(&frames) if frames <= offset => return Err((frames, offset)),
            Some(&frames) => Some(offset..frames.min(offset + length)),
        };
        Ok(Self {
            anchor,
            offset,
            driving,
        })
    }
}

/// The pose film: half the size, area-averaged, its last frame held to `length` frames.
pub fn driving_film(clip: Clip, range: Range<u64>, length: u64, (width, height): Size) -> Clip {
    let size = (width / 2, height / 2);
    held(scaled(clip, range, size, Method::Area), length)
}

/// The last frames of the previous chunk.
pub fn anchor_film(clip: Clip, range: Range<u64>, size: Size) -> Clip {
    let frames = range.end - range.start;
    let part = scaled(clip, range, size, Method::Bicubic);
    join(info(frames, size), vec![part])
}

/// Reference pictures in order of their latents: further ones first, the main one (0) last.
pub fn reference_order(pictures: u64) -> Vec<u64> {
    (1..pictures).chain([0]).collect()
}

/// Masks of the reference pictures in the same order; where there are fewer masks, the last one
/// serves.
pub fn reference_masks(masks: Clip, pictures: u64, size: Size) -> Result<Array, RunError> {
    let last = masks.info().frames.saturating_sub(1);
    let indices: Vec<u64> = reference_order(pictures)
        .into_iter()
        .map(|it| it.min(last))
        .collect();
    identity::of_pictures(&as_masks(masks, size), &indices)
}

fn as_masks(masks: Clip, size: Size) -> Clip {
    let frames = masks.info().frames;
    map(masks, info(frames, size), move |frame| {
        Ok(scale(&frame.to_rgb(), size, Method::NearestExact, true))
    })
}

/// Latents `[16, r, h, w]` of the reference pictures, each encoded alone so that it stays one latent
/// frame. With `mattes` what they leave black is black in the picture.
pub fn references(
    cx: &mut RunCx<'_>,
    pictures: Clip,
    mattes: Option<Clip>,
    size: Size,
    meter: &mut Meter,
) -> Result<Array, RunError> {
    let count = pictures.info().frames;
    let mattes = mattes.map(|it| as_masks(it, size));
    let mut latents = Vec::new();
    for index in reference_order(count) {
        let one = join(
            info(1, size),
            vec![scaled(
                pictures.clone(),
                index..index + 1,
                size,
                Method::Bicubic,
            )],
        );
        let one = match &mattes {
            None => one,
            Some(mattes) => {
                let at = index.min(mattes.info().frames.saturating_sub(1));
                let matte = mattes.read(at..at + 1)?;
                let picture = one.read(0..1)?;
                let frames = picture.iter().zip(&matte).map(|(a, b)| matted(a, b));
                Clip::from_frames(frames.collect())
            }
        };
        latents.push(encode::encode(cx, &one, meter)?);
    }
    Ok(in_time(&latents))
}

/// A picture where its mask is brighter than a tenth in some channel, black elsewhere.
fn matted(picture: &Frame, matte: &Frame) -> Frame {
    let mut pixels = picture.to_f32();
    for (pixel, mask) in pixels.chunks_mut(3).zip(matte.to_f32().chunks(3)) {
        if mask.iter().all(|&it| it <= 0.1) {
            pixel.fill(0.0);
        }
    }
    Frame::new(picture.width, picture.height, 3, Pixels::F32(pixels))
}

/// Latents `[z, 1, h, w]` one after the other in time: `[z, n, h, w]`.
fn in_time(latents: &[Array]) -> Array {
    let Some(first) = latents.first() else {
        return Array {
            shape: vec![0; 4],
            data: Arc::default(),
        };
    };
    let (z, area) = (
        first.shape[0] as usize,
        (first.shape[2] * first.shape[3]) as usize,
    );
    let plane = |channel: usize| {
        latents.iter().flat_map(move |it| {
            it.data[channel * area..(channel + 1) * area]
                .iter()
                .copied()
        })
    };
    let data: Vec<f32> = (0..z).flat_map(plane).collect();
    Array {
        shape: vec![
            first.shape[0],
            latents.len() as u32,
            first.shape[2],
            first.shape[3],
        ],
        data: Arc::new(data),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_cut_as_comfyui_cuts_them() {
        let cut = |length, offset, previous, driving: &[u64]| {
            let it = Cut::new(length, offset, previous, driving).unwrap();
            (it.anchor, it.offset, it.driving)
        };
        assert_eq!(cut(81, 0, None, &[]), (0..0, 0, None));
        assert_eq!(cut(81, 0, None, &[200]), (0..0, 0, Some(0..81)));
        assert_eq!(cut(81, 0, None, &[200, 40]), (0..0, 0, Some(0..40)));
        // The second chunk starts five frames before the first one's end.
        assert_eq!(
            cut(81, 81, Some((81, 5)), &[200]),
            (76..81, 76, Some(76..157))
        );
        // A previous film shorter than what is to be kept; an offset that cannot go below 0.
        assert_eq!(cut(81, 2, Some((3, 5)), &[9]), (0..3, 0, Some(0..9)));
        // A chunk shorter than the anchor.
        assert_eq!(cut(1, 81, Some((81, 5)), &[80]), (76..77, 76, Some(76..77)));
        assert_eq!(Cut::new(81, 81, None, &[200, 81]), Err((81, 81)));
    }

    #[test]
    fn the_main_reference_comes_last() {
        assert_eq!(reference_order(1), [0]);
        assert_eq!(reference_order(3), [1, 2, 0]);
        let one = |value: f32| Array {
            shape: vec![2, 1, 1, 1],
            data: Arc::new(vec![value, -value]),
        };
        let all = in_time(&[one(1.0), one(2.0), one(3.0)]);
        assert_eq!(all.shape, [2, 3, 1, 1]);
        assert_eq!(*all.data, [1., 2., 3., -1., -2., -3.]);
    }

    #[test]
    fn mattes_cut_the_character_out() {
        let frame = |pixels: Vec<f32>| Frame::new(2, 1, 3, Pixels::F32(pixels));
        let picture = frame(vec![0.5, 1.1, -0.1, 0.5, 0.5, 0.5]);
        let out = matted(&picture, &frame(vec![0.0, 0.2, 0.0, 0.1, 0.1, 0.1]));
        assert_eq!(out.to_f32(), [0.5, 1.1, -0.1, 0.0, 0.0, 0.0]);
    }
}
