//! Frames to latents for conditionings: frames are scaled and encoded as they are read, a few at a
//! time, so that memory does not grow with the length.

use std::ops::Range;
use std::sync::Arc;

use longtake_models::Tensor;
use longtake_models::wan::vae::WanVae;
use longtake_plan::{ClipInfo, Cost, CostCx, Rung};
use longtake_run::{Array, Clip, Frame, Pixels, RunCx, RunError};

use crate::film::recipe::{Part, each, join, map};
use crate::latent::vae_decode::dims;
use crate::node::one_way;
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
            found
                .pop()
                .ok_or_else(|| RunError::failed("a clip has no last frame"))
        },
    );
    join(info, vec![Part { clip, range }, Part::whole(tail)])
}

/// How far a step is that encodes several clips.
pub struct Meter {
    done: u64,
    total: u64,
}

impl Meter {
    /// A meter for that many frames.
    pub fn new(total: u64) -> Self {
        Self { done: 0, total }
    }
}

/// Encodes a clip with the VAE at input `vae`: `[z, F, h, w]`, raw, `F = (frames - 1) / 4 + 1`. Up to
/// three frames beyond 4k + 1 are left out, as the VAE does. Sides must be multiples of the VAE's.
///
/// # Errors
/// Cancelled, frames that cannot be read, or what the VAE says.
pub fn encode(cx: &mut RunCx<'_>, clip: &Clip, meter: &mut Meter) -> Result<Array, RunError> {
    let failed = |e: &dyn std::fmt::Display| RunError::failed(e.to_string());
    let vae = cx.model::<WanVae>("vae")?;
    let device = crate::model::device::handle(&cx.env.device)?.clone();
    let info = clip.info();
    let (height, width) = (info.height as usize, info.width as usize);
    let mut encoder = vae.encode().map_err(|e| failed(&e))?;
    let used = info.frames.saturating_sub(1) / 4 * 4 + 1;
    let mut at = 0;
    while at < used {
        // The VAE's own portions: one frame, then four by four.
        let end = if at == 0 { 1 } else { (at + 4).min(used) };
        let frames = clip.read(at..end)?;
        let pixels: Vec<f32> = frames.iter().flat_map(Frame::to_f32).collect();
        let shape = [frames.len(), height, width, 3];
        let tensor = Tensor::<1>::from_floats(pixels.as_slice(), &device).reshape(shape);
        encoder.push_frames(tensor).map_err(|e| failed(&e))?;
        meter.done += end - at;
        cx.progress(meter.done, meter.total.max(meter.done), "frame")?;
        at = end;
    }
    let latent = encoder.finish().map_err(|e| failed(&e))?;
    let [_, z, frames, height, width] = latent.dims();
    let data = latent
        .into_data()
        .convert::<f32>()
        .into_vec()
        .map_err(|e| RunError::failed(format!("reading the latent: {e:?}")))?;
    Ok(Array {
        shape: [z, frames, height, width].map(|n| n as u32).into(),
        data: Arc::new(data),
    })
}

/// Ways to encode clips of these sizes, one after the other.
pub fn rungs(cx: &CostCx<'_>, clips: &[ClipInfo]) -> Vec<Rung> {
    let Ok(vae) = cx.weights("vae") else {
        return one_way(Cost::default());
    };
    let dims = dims(vae);
    let mut cost = Cost::default();
    for clip in clips {
        let (h, w) = (clip.height as usize, clip.width as usize);
        let workspace = dims.encode_workspace_bytes(h, w, None, cx.machine.weight_bytes);
        cost.flops += dims.encode_flops(clip.frames as usize, h, w) as f64;
        cost.device_bytes = cost.device_bytes.max(workspace);
        // Four frames in floats, and once more on their way to the device.
        cost.host_bytes = cost.host_bytes.max(4 * 2 * 4 * (h * w * 3) as u64);
    }
    one_way(cost)
}
