//! `Wan22ImageToVideoLatent`: a latent whose first frames are given, for Wan 2.2 TI2V-5B.

use std::sync::Arc;

use longtake_graph::declare::{output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_models::wan::vae::latent_stats::stats;
use longtake_plan::{CostCx, InferCx, InferError, Info, Keep, Lane, LatentInfo, Rung};
use longtake_run::{RunCx, RunError, Value};

use super::carry;
use super::encode::{self, Meter, Size, info, scaled};
use super::keep::keep_first;
use super::size::{self, Vae};
use crate::Node;
use crate::film::recipe::join;
use crate::picture::resize::Method;

const DECLARATION: Declaration = Declaration {
    class: "Wan22ImageToVideoLatent",
    title: "Wan 2.2 image to video latent",
    title_ja: "Wan 2.2 画像から動画の潜在表現",
    category: "conditioning/inpaint",
    category_ja: "コンディショニング/インペイント",
    help: "The latent of Wan 2.2 TI2V-5B. Frames that are given stay as they are while the rest is made.",
    help_ja: "Wan 2.2 TI2V-5B の潜在表現です。与えたフレームはそのまま残り、残りが生成されます。",
    inputs: &[
        socket("vae", Kind::VAE).help("The Wan 2.2 VAE", "Wan 2.2 の VAE"),
        size::width(1280, 32),
        size::height(704, 32),
        size::length(49),
        size::batch_size(),
        socket("start_image", Kind::IMAGE).optional().help(
            "First frames; without them the model starts from the text alone",
            "最初のフレーム。なければテキストだけから始めます。",
        ),
    ],
    outputs: &[output("LATENT", Kind::LATENT)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(&DECLARATION, infer, Lane::Device, Keep::Store, rungs, run);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    size::frames(cx, "start_image")?;
    Ok(vec![Info::Latent(size::asked(cx, Vae::Wan22, 32)?)])
}

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    let clips = match (cx.clip("start_image"), cx.outputs.first()) {
        (Ok(clip), Some(Info::Latent(it))) => vec![info(used(clip.frames, *it), pixels(*it))],
        _ => Vec::new(),
    };
    encode::rungs(cx, &clips)
}

fn pixels(latent: LatentInfo) -> Size {
    let side = Vae::Wan22.spatial();
    (latent.width * side, latent.height * side)
}

/// Frames that reach the latent.
fn used(frames: u64, latent: LatentInfo) -> u64 {
    frames.min(size::pixel_frames(latent.frames))
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let mut latent = carry::empty_latent(cx, 0)?;
    size::note_length(cx, latent.info)?;
    if cx.has("start_image") {
        let start = cx.clip("start_image")?;
        let frames = used(start.info().frames, latent.info);
        let size = pixels(latent.info);
        let part = scaled(start, 0..frames, size, Method::Bilinear);
        let film = join(info(frames, size), vec![part]);
        let known = encode::encode(cx, &film, &mut Meter::new(frames))?;
        latent.data = Arc::new(means(latent.info));
        keep_first(&mut latent, &known.data, known.shape[1]);
    }
    Ok(vec![Value::Latent(latent)])
}

/// The mean of all latents, per channel, in every place: what is not known is zero for the model, as
/// in ComfyUI (`comfy_extras/nodes_wan.py`). Zeros for a VAE whose statistics nobody published.
fn means(latent: LatentInfo) -> Vec<f32> {
    let channels = latent.channels as usize;
    let plane = (latent.frames * latent.height * latent.width) as usize;
    let mean = |channel: usize| stats(channels).map_or(0.0, |(mean, _)| mean[channel]);
    let sample = (0..channels).flat_map(|it| std::iter::repeat_n(mean(it), plane));
    let sample: Vec<f32> = sample.collect();
    sample.repeat(latent.batch as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use longtake_models::wan::vae::latent_stats::process_in;

    #[test]
    fn what_is_not_known_is_zero_for_the_model() {
        let info = LatentInfo {
            batch: 2,
            channels: 48,
            frames: 2,
            height: 1,
            width: 3,
        };
        let mut all = means(info);
        assert_eq!(all.len() as u64, info.elements());
        assert!((all[0] + 0.2289).abs() < 1e-6);
        for sample in all.chunks_mut(48 * 6) {
            process_in(sample, 48).unwrap();
            assert!(sample.iter().all(|it| it.abs() < 1e-6));
        }
    }
}
