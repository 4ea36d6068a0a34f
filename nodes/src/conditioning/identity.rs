//! SCAIL-2's identity masks: coloured pictures to 28 channels of a latent.
//!
//! Seven colours, each on or off per pixel, four frames packed into one latent frame (the first
//! frame alone fills its four places): channel `7 · place + colour`. Restated from ComfyUI
//! `comfy_extras/nodes_scail.py`, `_extract_mask_to_28ch`.

use std::sync::Arc;

use longtake_run::{Array, Clip, Frame, RunError};

/// Colours told apart: white, red, green, blue, yellow, magenta, cyan; black is nobody.
const COLOURS: usize = 7;
/// Frames in a latent frame.
const PLACES: usize = 4;
/// Channels of a mask.
pub const CHANNELS: u32 = (COLOURS * PLACES) as u32;
/// Pixels per latent position.
const SIDE: usize = 8;
/// A channel of a colour is on above this.
const ON: f32 = 225.0 / 255.0;

/// Which colour stands for red, green, blue being on, in that order of bits.
const fn colour(on: [bool; 3]) -> Option<usize> {
    match on {
        [true, true, true] => Some(0),
        [true, false, false] => Some(1),
        [false, true, false] => Some(2),
        [false, false, true] => Some(3),
        [true, true, false] => Some(4),
        [true, false, true] => Some(5),
        [false, true, true] => Some(6),
        [false, false, false] => None,
    }
}

/// Share of each colour in each 8×8 square of a frame whose sides are multiples of 8:
/// `[7, height / 8, width / 8]`.
fn shares(frame: &Frame) -> Vec<f32> {
    let (height, width) = (frame.height as usize / SIDE, frame.width as usize / SIDE);
    let pixels = frame.to_rgb().to_f32();
    let mut shares = vec![0.0; COLOURS * height * width];
    let across = frame.width as usize;
    for (index, pixel) in pixels.chunks_exact(3).enumerate() {
        let (y, x) = (index / across / SIDE, index % across / SIDE);
        let on = [pixel[0] > ON, pixel[1] > ON, pixel[2] > ON];
        if let Some(colour) = colour(on).filter(|_| y < height && x < width) {
            shares[(colour * height + y) * width + x] += 1.0 / (SIDE * SIDE) as f32;
        }
    }
    shares
}

/// A mask `[28, F, height / 8, width / 8]` that is filled frame by frame.
struct Packed {
    array: Vec<f32>,
    frames: usize,
    area: usize,
}

impl Packed {
    fn put(&mut self, shares: &[f32], frame: usize, place: usize) {
        for (colour, plane) in shares.chunks_exact(self.area).enumerate() {
            let channel = place * COLOURS + colour;
            let at = (channel * self.frames + frame) * self.area;
            self.array[at..at + self.area].copy_from_slice(plane);
        }
    }

    fn finish(self, height: u32, width: u32) -> Array {
        Array {
            shape: vec![CHANNELS, self.frames as u32, height, width],
            data: Arc::new(self.array),
        }
    }
}

fn packed(frames: usize, clip: &Clip) -> (Packed, u32, u32) {
    let info = clip.info();
    let (height, width) = (info.height / SIDE as u32, info.width / SIDE as u32);
    let area = height as usize * width as usize;
    let array = vec![0.0; CHANNELS as usize * frames * area];
    (
        Packed {
            array,
            frames,
            area,
        },
        height,
        width,
    )
}

/// The mask of a film of 4k + 1 frames: `[28, k + 1, height / 8, width / 8]`.
///
/// # Errors
/// Frames that cannot be read.
pub fn of_film(clip: &Clip) -> Result<Array, RunError> {
    let frames = clip.info().frames.saturating_sub(1) as usize / PLACES + 1;
    let (mut packed, height, width) = packed(frames, clip);
    clip.for_each(|at, frame| {
        let shares = shares(&frame);
        let slot = at as usize + PLACES - 1;
        if at == 0 {
            (0..PLACES).for_each(|place| packed.put(&shares, 0, place));
        } else if slot / PLACES < frames {
            packed.put(&shares, slot / PLACES, slot % PLACES);
        }
        Ok(())
    })?;
    Ok(packed.finish(height, width))
}

/// The masks of separate pictures, each a latent frame of its own: `[28, n, height / 8, width / 8]`
/// for `n` indices into the clip.
///
/// # Errors
/// Frames that cannot be read.
pub fn of_pictures(clip: &Clip, pictures: &[u64]) -> Result<Array, RunError> {
    let (mut packed, height, width) = packed(pictures.len(), clip);
    for (index, &picture) in pictures.iter().enumerate() {
        for frame in clip.read(picture..picture + 1)? {
            let shares = shares(&frame);
            (0..PLACES).for_each(|place| packed.put(&shares, index, place));
        }
    }
    Ok(packed.finish(height, width))
}

#[cfg(test)]
mod tests {
    use super::*;
    use longtake_run::Pixels;

    /// A 16×8 frame: the left half in one colour, the right half black but for its top row.
    fn frame(rgb: [u8; 3]) -> Frame {
        let pixel = |y: u32, x: u32| if x < 8 || y == 0 { rgb } else { [0; 3] };
        let pixels = (0..8).flat_map(|y| (0..16).flat_map(move |x| pixel(y, x)));
        Frame::new(16, 8, 3, Pixels::U8(pixels.collect()))
    }

    fn at(array: &Array, channel: u32, frame: u32, x: u32) -> f32 {
        let [_, frames, height, width] = array.shape[..] else {
            panic!()
        };
        assert_eq!((height, width), (1, 2));
        array.data[((channel * frames + frame) * width + x) as usize]
    }

    #[test]
    fn every_colour_has_its_plane_and_squares_hold_shares() {
        let table = [
            ([255, 255, 255], 0),
            ([255, 0, 0], 1),
            ([0, 255, 0], 2),
            ([0, 0, 255], 3),
            ([255, 255, 0], 4),
            ([255, 0, 255], 5),
            ([0, 226, 226], 6),
        ];
        for (rgb, plane) in table {
            let mask = of_film(&Clip::from_frames(vec![frame(rgb)])).unwrap();
            assert_eq!(mask.shape, [28, 1, 1, 2]);
            for channel in 0..28 {
                let on = channel % 7 == plane;
                assert_eq!(
                    at(&mask, channel, 0, 0),
                    if on { 1.0 } else { 0.0 },
                    "{rgb:?}"
                );
                assert_eq!(
                    at(&mask, channel, 0, 1),
                    if on { 0.125 } else { 0.0 },
                    "{rgb:?}"
                );
            }
        }
        // At the threshold a channel is off.
        let dim = of_film(&Clip::from_frames(vec![frame([225, 0, 0])])).unwrap();
        assert!(dim.data.iter().all(|&it| it == 0.0));
    }

    #[test]
    fn four_frames_are_packed_after_the_first() {
        let colours = [
            [255, 0, 0],
            [0, 255, 0],
            [0, 0, 255],
            [255, 255, 0],
            [255, 0, 255],
        ];
        let clip = Clip::from_frames(colours.map(frame).into());
        let mask = of_film(&clip).unwrap();
        assert_eq!(mask.shape, [28, 2, 1, 2]);
        let on = |frame| -> Vec<u32> {
            (0..28)
                .filter(|&channel| at(&mask, channel, frame, 0) == 1.0)
                .collect()
        };
        assert_eq!(on(0), [1, 8, 15, 22], "red in all four places");
        assert_eq!(on(1), [2, 10, 18, 26], "green, blue, yellow, magenta");

        let pictures = of_pictures(&clip, &[4, 0]).unwrap();
        assert_eq!(pictures.shape, [28, 2, 1, 2]);
        assert_eq!(at(&pictures, 5, 0, 0), 1.0);
        assert_eq!(at(&pictures, 22, 1, 0), 1.0);
    }
}
