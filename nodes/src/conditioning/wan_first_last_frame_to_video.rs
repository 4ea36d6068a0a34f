//! `WanFirstLastFrameToVideo`: the first and the last frames of a video.

use std::sync::Arc;

use longtake_graph::declare::{output, socket};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{CostCx, InferCx, InferError, Info, Keep, Lane, Rung};
use longtake_run::{Array, RunCx, RunError, Value};

use super::carry::{self, Arrays};
use super::encode::{self, Meter, grey, scaled};
use super::size::{self, Vae};
use super::wan_image_to_video::{add_image, assembled, film_info, mask, pixel_size, sized};
use crate::Node;
use crate::picture::resize::Method;

const DECLARATION: Declaration = Declaration {
    class: "WanFirstLastFrameToVideo",
    title: "Wan first and last frame to video",
    title_ja: "Wan 最初と最後のフレームから動画",
    category: "conditioning/video_models",
    category_ja: "コンディショニング/動画モデル",
    help: "A video between two pictures. The frames between them are grey for the model to fill.",
    help_ja: "2 枚の画像の間をつなぐ動画を作ります。間のフレームは灰色で、モデルが描きます。",
    inputs: &[
        socket("positive", Kind::CONDITIONING).help("What is to be seen", "映したいもの"),
        socket("negative", Kind::CONDITIONING).help("What is not to be seen", "映したくないもの"),
        socket("vae", Kind::VAE).help("The Wan 2.1 VAE", "Wan 2.1 の VAE"),
        size::width(832, 16),
        size::height(480, 16),
        size::length(81),
        size::batch_size(),
        socket("clip_vision_start_image", Kind::CLIP_VISION_OUTPUT)
            .optional()
            .help(
                "What CLIP sees in the first picture",
                "最初の画像を CLIP で読み取った結果",
            ),
        socket("clip_vision_end_image", Kind::CLIP_VISION_OUTPUT)
            .optional()
            .help(
                "What CLIP sees in the last picture",
                "最後の画像を CLIP で読み取った結果",
            ),
        socket("start_image", Kind::IMAGE).optional().help(
            "First frames; scaled to cover the size, cut around the centre",
            "最初のフレーム。サイズを覆うように拡大縮小し、中央を切り取ります。",
        ),
        socket("end_image", Kind::IMAGE).optional().help(
            "Last frames; where both reach, these stand",
            "最後のフレーム。両方が重なる所ではこちらが優先されます。",
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

/// What CLIP sees in the pictures, in the order their rows come.
const VISION: [&str; 2] = ["clip_vision_start_image", "clip_vision_end_image"];

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let latent = size::asked(cx, Vae::Wan21, 16)?;
    let mut added = sized(latent);
    size::frames(cx, "start_image")?;
    size::frames(cx, "end_image")?;
    add_image(&mut added, latent);
    let mut vision: Option<[u32; 2]> = None;
    for input in VISION {
        let Some([rows, dim]) = carry::vision_shape(cx, input)? else {
            continue;
        };
        vision = Some(match vision {
            None => [rows, dim],
            Some([before, width]) if width == dim => [before + rows, dim],
            Some([_, width]) => {
                return Err(InferError::at(
                    "size_mismatch",
                    input,
                    say!(
                        "expected {width} values a row as in {}, found {dim}; encode both pictures \
                         with the same CLIP",
                        "{} と同じく 1 行 {width} 個の値が必要ですが、{dim} 個です。両方の画像を同じ CLIP で\
                         エンコードしてください。",
                        VISION[0]
                    ),
                ));
            }
        });
    }
    if let Some(shape) = vision {
        added.arrays.insert("clip_vision", shape.into());
    }
    let mut outputs = carry::infer(cx, &added)?;
    outputs.push(Info::Latent(latent));
    Ok(outputs)
}

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    let clips = match cx.outputs.get(2) {
        Some(Info::Latent(it)) => vec![film_info(*it)],
        _ => Vec::new(),
    };
    encode::rungs(cx, &clips)
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let latent = carry::empty_latent(cx, 2)?;
    let total = size::pixel_frames(latent.info.frames);
    size::note_length(cx, latent.info)?;
    let size = pixel_size(latent.info);
    let (mut first, mut last) = (0, 0);
    let mut parts = Vec::new();
    let end = if cx.has("end_image") {
        let clip = cx.clip("end_image")?;
        let frames = clip.info().frames;
        last = frames.min(total);
        Some(scaled(clip, frames - last..frames, size, Method::Bilinear))
    } else {
        None
    };
    if cx.has("start_image") {
        let clip = cx.clip("start_image")?;
        first = clip.info().frames.min(total);
        let seen = first.min(total - last);
        parts.push(scaled(clip, 0..seen, size, Method::Bilinear));
    }
    parts.push(grey(total.saturating_sub(first + last), size));
    parts.extend(end);
    let film = assembled(latent.info, parts);
    let mut arrays = Arrays::new();
    let image = encode::encode(cx, &film, &mut Meter::new(total))?;
    arrays.insert("concat_latent", image);
    let known = known(first, last, total);
    arrays.insert("concat_mask", mask(latent.info, known));
    if let Some(vision) = vision(cx)? {
        arrays.insert("clip_vision", vision);
    }
    let mut values = carry::run(cx, &arrays)?;
    values.push(Value::Latent(latent));
    Ok(values)
}

/// Whether a slot of the mask (four for the first frame, one for each later one) is known, with
/// that many frames given at each end.
pub fn known(first: u64, last: u64, total: u64) -> impl Fn(u64) -> bool {
    move |slot| {
        let at_start = first > 0 && slot < first + 3;
        at_start || slot >= total + 3 - last
    }
}

/// Rows of both pictures, one after the other.
fn vision(cx: &RunCx<'_>) -> Result<Option<Array>, RunError> {
    let mut all: Option<Array> = None;
    for input in VISION {
        let Some(one) = carry::vision(cx, input)? else {
            continue;
        };
        all = Some(match all {
            None => one,
            Some(before) => Array {
                shape: vec![before.shape[0] + one.shape[0], one.shape[1]],
                data: Arc::new([before.data.as_slice(), one.data.as_slice()].concat()),
            },
        });
    }
    Ok(all)
}
