//! Frames to latents for conditionings: frames are scaled and encoded as they are read, a few at a
//! time, so that memory does not grow with the length.

use std::ops::Range;
use std::sync::Arc;

use longtake_graph::say;
use longtake_plan::{ClipInfo, CostCx, Rung};
use longtake_run::{Array, Clip, Frame, Pixels, RunCx, RunError};

use super::size::latent_frames;
use crate::failure::OrFail;
use crate::film::recipe::{Part, each, join, map};
pub use crate::latent::vae::Meter;
use crate::latent::vae::{clip_rungs, dims, encode_clip};
use crate::picture::resize::{Method, scale};

/// Width and height, pixels.
pub type Size = (u32, u32);

/// Three channels of a clip that is to be encoded.
pub fn info(frames: u64, (width, height): Size) -> ClipInfo {
    ClipInfo {
        frames,
        width,
        height,
        channels: 3,
        fps: None,
    }
}

/// Frames of a clip as RGB in another size, cut around the centre to its shape (ComfyUI
/// `comfy/utils.py`, `common_upscale` with `crop="center"`).
pub fn scaled(clip: Clip, range: Range<u64>, size: Size, method: Method) -> Part {
    let info = info(clip.info().frames, size);
    let clip = map(clip, info, move |frame| {
        Ok(scale(&frame.to_rgb(), size, method, true))
    });
    Part { clip, range }
}

/// Mid-grey, which stands for what is not known; one frame, however long.
pub fn grey(frames: u64, size: Size) -> Part {
    let samples = size.0 as usize * size.1 as usize * 3;
    let frame = Frame::new(size.0, size.1, 3, Pixels::F32(vec![0.5; samples]));
    Part::whole(each(info(frames, size), move |_| Ok(frame.clone())))
}

/// The first frames of a clip, the last of them held until `frames` are full.
pub fn held(part: Part, frames: u64) -> Clip {
    let Part { clip, range } = part;
    let info = ClipInfo {
        frames,
        ..clip.info()
    };
    let last = range.end.saturating_sub(1).max(range.start);
    let left = frames.saturating_sub(range.end - range.start);
    let frame = clip.clone();
    let tail = each(
        ClipInfo {
            frames: left,
            ..info
        },
        move |_| {
            let mut found = frame.read(last..last + 1)?;
            found.pop().ok_or_else(|| {
                RunError::failed(say!(
                    "frame {last} of a clip is to be held, and the clip ends before it",
                    "クリップのフレーム {last} を保つ必要がありますが、クリップはその前で終わっています"
                ))
            })
        },
    );
    join(info, vec![Part { clip, range }, Part::whole(tail)])
}

/// Encodes a clip with the VAE at input `vae`: `[z, F, h, w]`, raw, `F = (frames - 1) / 4 + 1`. Up to
/// three frames beyond 4k + 1 are left out, as the VAE does. Sides must be multiples of the VAE's.
///
/// # Errors
/// Cancelled, frames that cannot be read, or what the VAE says.
pub fn encode(cx: &mut RunCx<'_>, clip: &Clip, meter: &mut Meter) -> Result<Array, RunError> {
    let info = clip.info();
    let vae = dims(cx.weights("vae")?).or_fail()?;
    let spatial = vae.spatial() as u32;
    let data = encode_clip(cx, clip, meter)?;
    Ok(Array {
        shape: vec![
            vae.z as u32,
            latent_frames(info.frames.min(1 << 40) as i64),
            info.height / spatial,
            info.width / spatial,
        ],
        data: Arc::new(data),
    })
}

/// Ways to encode clips of these sizes, one after the other: whole, then in tiles.
pub fn rungs(cx: &CostCx<'_>, clips: &[ClipInfo]) -> Vec<Rung> {
    clip_rungs(cx, clips, None)
}
