//! `VAEEncode`: frames to a latent, in portions.

use longtake_graph::declare::{output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_models::Tensor;
use longtake_models::wan::vae::{WanVae, latent_frames_of};
use longtake_plan::{Cost, CostCx, InferCx, InferError, Info, Keep, Lane, LatentInfo, Rung};
use longtake_run::{Frame, Latent, RunCx, RunError, Value};

use super::vae_decode::dims;
use crate::Node;
use crate::node::one_way;

const DECLARATION: Declaration = Declaration {
    class: "VAEEncode",
    title: "VAE encode",
    title_ja: "VAE エンコード",
    category: "latent",
    help: "Turns frames into a latent. Sizes off the grid of 8 pixels are cropped at the centre, and \
           frames beyond 4k + 1 are left out, as in ComfyUI.",
    inputs: &[
        socket("pixels", Kind::IMAGE).help("The frames"),
        socket("vae", Kind::VAE).help("The VAE"),
    ],
    outputs: &[output("LATENT", Kind::LATENT)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(&DECLARATION, infer, Lane::Device, Keep::Store, rungs, run);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let clip = cx.clip("pixels")?;
    let z = dims(cx.weights("vae")?).z as u32;
    let (height, width) = (clip.height / 8, clip.width / 8);
    if clip.frames == 0 || height == 0 || width == 0 {
        return Err(InferError::at(
            "size_too_small",
            "pixels",
            format!(
                "expected at least one frame of 8×8 pixels, found {} of {}×{}",
                clip.frames, clip.width, clip.height
            ),
        ));
    }
    let frames = latent_frames_of(clip.frames as usize) as u32;
    Ok(vec![Info::Latent(LatentInfo {
        batch: 1,
        channels: z,
        frames,
        height,
        width,
    })])
}

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    let (Ok(vae), Ok(clip)) = (cx.weights("vae"), cx.clip("pixels")) else {
        return one_way(Cost::default());
    };
    let dims = dims(vae);
    let (h, w) = (clip.height as usize / 8 * 8, clip.width as usize / 8 * 8);
    one_way(Cost {
        flops: dims.encode_flops(clip.frames as usize, h, w) as f64,
        device_bytes: dims.encode_workspace_bytes(h, w, None, cx.machine.weight_bytes),
        host_bytes: 4 * (h * w * 3) as u64 * 8,
        ..Cost::default()
    })
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let failed = |e: &dyn std::fmt::Display| RunError::failed(e.to_string());
    let vae = cx.model::<WanVae>("vae")?;
    let clip = cx.clip("pixels")?;
    let device = crate::model::device::handle(&cx.env.device)?.clone();
    let Some(Info::Latent(info)) = cx.output_info(0).cloned() else {
        return Err(RunError::failed("the plan does not know the latent's size"));
    };
    let mut encoder = vae.encode().map_err(|e| failed(&e))?;
    let used = u64::from(info.frames.saturating_sub(1)) * 4 + 1;
    let mut at = 0;
    while at < used {
        let end = (at + 4).min(used);
        let frames = clip.read(at..end)?;
        let (height, width) = (info.height as usize * 8, info.width as usize * 8);
        let pixels: Vec<f32> = frames
            .iter()
            .flat_map(|it| cropped(it, height, width))
            .collect();
        let tensor = Tensor::<1>::from_floats(pixels.as_slice(), &device).reshape([
            frames.len(),
            height,
            width,
            3,
        ]);
        encoder.push_frames(tensor).map_err(|e| failed(&e))?;
        at = end;
        cx.progress(at, used, "frame")?;
    }
    let latent = encoder.finish().map_err(|e| failed(&e))?;
    let data: Vec<f32> = latent
        .into_data()
        .convert::<f32>()
        .into_vec()
        .map_err(|e| RunError::failed(format!("reading the latent: {e:?}")))?;
    Ok(vec![Value::Latent(Latent::new(info, data))])
}

/// The centre of a frame, RGB floats (ComfyUI `comfy/sd.py`, `vae_encode_crop_pixels`).
fn cropped(frame: &Frame, height: usize, width: usize) -> Vec<f32> {
    let frame = frame.to_rgb();
    let pixels = frame.to_f32();
    let (top, left) = (
        (frame.height as usize - height) / 2,
        (frame.width as usize - width) / 2,
    );
    let row = frame.row_len();
    (top..top + height)
        .flat_map(|y| pixels[y * row + left * 3..y * row + (left + width) * 3].to_vec())
        .collect()
}
