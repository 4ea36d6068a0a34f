//! `WanImageToVideo`: the first frames of a video, as Wan's image models take them.

use std::sync::Arc;

use longtake_graph::declare::{output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{CostCx, InferCx, InferError, Info, Keep, Lane, LatentInfo, Rung};
use longtake_run::{Array, Clip, RunCx, RunError, Value};
use serde_json::json;

use super::carry::{self, Added, Arrays};
use super::encode::{self, Meter, Size, grey, info, scaled};
use super::size::{self, Vae};
use crate::Node;
use crate::film::recipe::{Part, join};
use crate::picture::resize::Method;

const DECLARATION: Declaration = Declaration {
    class: "WanImageToVideo",
    title: "Wan image to video",
    title_ja: "Wan 画像から動画",
    category: "conditioning/video_models",
    category_ja: "コンディショニング/動画モデル",
    help: "A video that begins with the given frames: one picture, or the last frames of the shot \
           before it. The rest is grey for the model to fill.",
    help_ja: "与えたフレームから始まる動画を作ります。画像 1 枚でも、\
              前のショットの最後の数フレームでもかまいません。残りは灰色で、モデルが描きます。",
    inputs: &[
        socket("positive", Kind::CONDITIONING).help("What is to be seen", "映したいもの"),
        socket("negative", Kind::CONDITIONING).help("What is not to be seen", "映したくないもの"),
        socket("vae", Kind::VAE).help("The Wan 2.1 VAE", "Wan 2.1 の VAE"),
        size::width(832, 16),
        size::height(480, 16),
        size::length(81),
        size::batch_size(),
        socket("clip_vision_output", Kind::CLIP_VISION_OUTPUT)
            .optional()
            .help(
                "What CLIP sees in the picture; Wan 2.1 needs it, Wan 2.2 does not",
                "画像を CLIP で読み取った結果。Wan 2.1 には必要で、Wan 2.2 には不要です。",
            ),
        socket("start_image", Kind::IMAGE).optional().help(
            "First frames; scaled to cover the size, cut around the centre",
            "最初のフレーム。サイズを覆うように拡大縮小し、中央を切り取ります。",
        ),
    ],
    outputs: &[
        output("positive", Kind::CONDITIONING),
        output("negative", Kind::CONDITIONING),
        output("latent", Kind::LATENT),
    ],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(&DECLARATION, infer, Lane::Device, Keep::Store, rungs, run);

/// Channels of the mask that tells known frames: one per frame of a latent frame.
pub const MASK_CHANNELS: u32 = 4;

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let latent = size::asked(cx, Vae::Wan21, 16)?;
    let mut added = sized(latent);
    if size::frames(cx, "start_image")?.is_some() {
        add_image(&mut added, latent);
    }
    if let Some(shape) = carry::vision_shape(cx, "clip_vision_output")? {
        added.arrays.insert("clip_vision", shape.into());
    }
    let mut outputs = carry::infer(cx, &added)?;
    outputs.push(Info::Latent(latent));
    Ok(outputs)
}

/// The setting every node sets that says how large its latent is.
pub fn sized(latent: LatentInfo) -> Added {
    let mut added = Added::default();
    let size = json!([latent.frames, latent.height, latent.width]);
    added.settings.insert("latent_size", size);
    added
}

/// Shapes of the image condition.
pub fn add_image(added: &mut Added, latent: LatentInfo) {
    let shape = size::shape(latent);
    let mask = [&[MASK_CHANNELS], &shape[1..]].concat();
    added.arrays.insert("concat_latent", shape);
    added.arrays.insert("concat_mask", mask);
}

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    let clips = match cx.outputs.get(2) {
        Some(Info::Latent(it)) if cx.has("start_image") => vec![film_info(*it)],
        _ => Vec::new(),
    };
    encode::rungs(cx, &clips)
}

/// Width and height in pixels of a latent of Wan's VAE 2.1.
pub fn pixel_size(latent: LatentInfo) -> Size {
    let side = Vae::Wan21.spatial();
    (latent.width * side, latent.height * side)
}

/// The film that is encoded.
pub fn film_info(latent: LatentInfo) -> longtake_plan::ClipInfo {
    info(size::pixel_frames(latent.frames), pixel_size(latent))
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let latent = carry::empty_latent(cx, 2)?;
    let size = latent.info;
    size::note_length(cx, size)?;
    let mut arrays = Arrays::new();
    if cx.has("start_image") {
        let start = cx.clip("start_image")?;
        let known = start.info().frames.min(size::pixel_frames(size.frames));
        let mut meter = Meter::new(size::pixel_frames(size.frames));
        let image = encode::encode(cx, &film(start, known, size), &mut meter)?;
        arrays.insert("concat_latent", image);
        let known = size::latent_frames(known as i64);
        arrays.insert(
            "concat_mask",
            mask(size, |slot| slot / 4 < u64::from(known)),
        );
    }
    if let Some(vision) = carry::vision(cx, "clip_vision_output")? {
        arrays.insert("clip_vision", vision);
    }
    let mut values = carry::run(cx, &arrays)?;
    values.push(Value::Latent(latent));
    Ok(values)
}

/// The first `known` frames, then grey.
fn film(start: Clip, known: u64, latent: LatentInfo) -> Clip {
    let info = film_info(latent);
    let size = (info.width, info.height);
    let parts = vec![
        scaled(start, 0..known, size, Method::Bilinear),
        grey(info.frames - known, size),
    ];
    join(info, parts)
}

/// The mask `[4, F, h, w]` of an image condition: 1 where `known` says so of a slot `4 f + channel`.
/// Slots 0 to 3 are the first frame, slot `n + 3` is frame `n`.
///
/// ComfyUI keeps the inverse and turns it over in the model (`comfy/model_base.py`,
/// `WAN21.concat_cond`).
pub fn mask(latent: LatentInfo, known: impl Fn(u64) -> bool) -> Array {
    let area = latent.height as usize * latent.width as usize;
    let mut data = Vec::with_capacity(area * (MASK_CHANNELS * latent.frames) as usize);
    for channel in 0..u64::from(MASK_CHANNELS) {
        for frame in 0..u64::from(latent.frames) {
            let value = f32::from(u8::from(known(4 * frame + channel)));
            data.resize(data.len() + area, value);
        }
    }
    Array {
        shape: vec![MASK_CHANNELS, latent.frames, latent.height, latent.width],
        data: Arc::new(data),
    }
}

/// A film of parts, for nodes that put other frames into it.
pub fn assembled(latent: LatentInfo, parts: Vec<Part>) -> Clip {
    join(film_info(latent), parts)
}
