//! `ControlNetApplyAdvanced`: a Uni3C control net with the render video it follows.

use std::sync::Arc;

use longtake_graph::declare::{float, output, socket};
use longtake_graph::{Declaration, Kind, Sentence, say};
use longtake_plan::{
    ClipInfo, CostCx, ExtrasInfo, InferCx, InferError, Info, Keep, Lane, LatentInfo, Rung,
};
use longtake_run::{RunCx, RunError, Value};
use serde_json::json;

use super::carry::{self, Added, Arrays};
use super::encode::{self, Meter, held, info, scaled};
use super::size::{self, Vae, pixel_frames};
use super::wan_image_to_video::film_info;
use crate::Node;
use crate::failure::unreadable;
use crate::latent::vae::dims;
use crate::picture::resize::Method;

const DECLARATION: Declaration = Declaration {
    class: "ControlNetApplyAdvanced",
    title: "Apply ControlNet",
    title_ja: "コントロールネットを適用",
    category: "conditioning/controlnet",
    category_ja: "コンディショニング/コントロールネット",
    help: "Has Uni3C follow a render of the camera's move. The render is scaled to the video's size, \
           and its last frame held if it is shorter.",
    help_ja: "カメラの動きのレンダーに Uni3C を従わせます。レンダーは動画のサイズに拡大縮小し、\
              短い場合は最後のフレームを保ちます。",
    inputs: &[
        socket("positive", Kind::CONDITIONING).help("What is to be seen", "映したいもの"),
        socket("negative", Kind::CONDITIONING).help("What is not to be seen", "映したくないもの"),
        socket("control_net", Kind::CONTROL_NET).help("Uni3C", "Uni3C"),
        socket("image", Kind::IMAGE).help(
            "The render video; its first frame is the picture itself",
            "レンダー動画。最初のフレームは画像そのものにします。",
        ),
        float("strength", 1.0).within_f(0.0, 10.0).help(
            "How strongly it is followed; 0 leaves it out",
            "従う強さ。0 なら使いません。",
        ),
        float("start_percent", 0.0).step_f(0.001).help(
            "Part of the sampling, 0 to 1, from which it counts",
            "効き始める位置(サンプリング全体を 0〜1)",
        ),
        float("end_percent", 1.0).step_f(0.001).help(
            "Part of the sampling, 0 to 1, up to which it counts",
            "効き終わる位置(サンプリング全体を 0〜1)",
        ),
        socket("vae", Kind::VAE).optional().help(
            "The Wan 2.1 VAE; Uni3C needs it",
            "Wan 2.1 の VAE。Uni3C に必要です。",
        ),
        socket("latent", Kind::LATENT).optional().help(
            "The latent to be sampled, where the conditioning says no size (text to video)",
            "サンプリングする潜在表現。コンディショニングにサイズがない場合(テキストから動\
                 画)に使います。",
        ),
    ],
    outputs: &[
        output("positive", Kind::CONDITIONING),
        output("negative", Kind::CONDITIONING),
    ],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(&DECLARATION, infer, Lane::Device, Keep::Store, rungs, run);

/// What Uni3C's checkpoints are called.
const FAMILY: &str = "uni3c";

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let (start, end) = (cx.float("start_percent")?, cx.float("end_percent")?);
    if start > end {
        let message = say!(
            "the control would count from {start} to {end}; expected at least start_percent",
            "制御の範囲が {start} から {end} になっています。start_percent 以上にしてください。"
        );
        return Err(InferError::at("value_out_of_range", "end_percent", message));
    }
    let net = cx.weights("control_net")?;
    if net.family != FAMILY {
        let message = say!(
            "{}: expected a Uni3C control net, found {}; no other kind can be run with Wan",
            "{}: Uni3C のコントロールネットが必要ですが、{} です。Wan ではほかの種類は実行できません。",
            net.name,
            net.family
        );
        return Err(InferError::at("wrong_family", "control_net", message));
    }
    let render = size::frames(cx, "image")?;
    if !cx.has("vae") {
        return Err(InferError::at(
            "required_input_missing",
            "vae",
            say!(
                "Uni3C follows latents, so its render video has to be encoded: link the Wan 2.1 VAE here",
                "Uni3C は潜在表現に従うため、レンダー動画のエンコードが必要です。ここに Wan 2.1 の VAE をリンクしてください。"
            ),
        ));
    }
    let z = dims(size::vae(cx, Vae::Wan21)?)
        .map_err(unreadable("vae"))?
        .z as u32;
    let strength = cx.float("strength")?;
    if strength == 0.0 {
        // ComfyUI leaves the control out, and so its order has no meaning either.
        return carry::BOTH
            .into_iter()
            .map(|it| cx.info(it).cloned())
            .collect();
    }
    let linked = if cx.has("latent") {
        Some(cx.latent("latent")?)
    } else {
        None
    };
    let latent = latent(z, cx.extras("positive")?, linked, render)?;
    let mut added = Added::default();
    added.arrays.insert("control_latent", size::shape(latent));
    added.settings.extend([
        ("control_strength", json!(strength)),
        ("control_start", json!(start)),
        ("control_end", json!(end)),
    ]);
    added.control = Some(Arc::new(net.clone()));
    carry::infer(cx, &added)
}

/// The latent the render is fitted to: what the conditioning was made for, else the latent linked,
/// else what the render itself has room for (sides in steps of 16, 4k + 1 frames).
fn latent(
    channels: u32,
    extras: &ExtrasInfo,
    linked: Option<LatentInfo>,
    render: Option<ClipInfo>,
) -> Result<LatentInfo, InferError> {
    let of = |[frames, height, width]: [u32; 3]| LatentInfo {
        batch: 1,
        channels,
        frames,
        height,
        width,
    };
    let linked = linked.map(|it| [it.frames, it.height, it.width]);
    let conditioned =
        conditioned(extras).map_err(|why| InferError::at("value_not_valid", "positive", why))?;
    match (conditioned, linked) {
        (Some(a), Some(b)) if a != b => {
            let (made, linked) = (words(a), words(b));
            Err(InferError::at(
                "size_mismatch",
                "latent",
                say!(
                    "the conditioning was made for {made}, and the latent linked here is {linked}; link \
                     the one that is sampled, or none",
                    "コンディショニングは {made}用ですが、リンクされた潜在表現は {linked}です。サンプリングする\
                     潜在表現をリンクするか、リンクを外してください。";
                    made, linked
                ),
            ))
        }
        (Some(size), _) | (None, Some(size)) => Ok(of(size)),
        (None, None) => {
            let render = render.unwrap_or(info(0, (0, 0)));
            let side = |pixels: u32| pixels / 16 * 2;
            let (height, width) = (side(render.height), side(render.width));
            if height == 0 || width == 0 {
                return Err(InferError::at(
                    "size_too_small",
                    "image",
                    say!(
                        "expected a render of at least 16×16 pixels, found {}×{}",
                        "レンダーは 16×16 ピクセル以上にしてください(現在: {}×{})。",
                        render.width,
                        render.height
                    ),
                ));
            }
            let length = i64::try_from(render.frames).unwrap_or(i64::MAX);
            Ok(of([size::latent_frames(length), height, width]))
        }
    }
}

fn words([frames, height, width]: [u32; 3]) -> Sentence {
    let side = Vae::Wan21.spatial();
    say!(
        "{} frames of {}×{}",
        "{} フレーム、{}×{} ",
        pixel_frames(frames),
        width * side,
        height * side
    )
}

/// Frames, rows and columns of the latent that a conditioning was made for.
///
/// # Errors
/// A size that is none.
fn conditioned(extras: &ExtrasInfo) -> Result<Option<[u32; 3]>, Sentence> {
    let shape = |name: &str| extras.arrays.get(name).map(Vec::as_slice);
    if let Some(&[_, frames, height, width]) = shape("concat_latent") {
        return Ok(Some([frames, height, width]));
    }
    if let Some(&[_, frames, height, width]) = shape("scail_pose") {
        return Ok(Some([frames, 2 * height, 2 * width]));
    }
    carry::latent_size(extras)
}

/// The film that is encoded, from the shape of its latent.
fn film(shape: &[u32]) -> Option<ClipInfo> {
    let &[channels, frames, height, width] = shape else {
        return None;
    };
    Some(film_info(LatentInfo {
        batch: 1,
        channels,
        frames,
        height,
        width,
    }))
}

/// The film, as the plan has it; `None` where strength 0 leaves it out.
fn planned(output: Option<&Info>, strength: f64) -> Option<ClipInfo> {
    match output {
        Some(Info::Conditioning { extras, .. }) if strength != 0.0 => {
            film(extras.arrays.get("control_latent")?)
        }
        _ => None,
    }
}

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    let strength = cx.float("strength").unwrap_or(0.0);
    let film = planned(cx.outputs.first(), strength);
    encode::rungs(cx, film.as_slice())
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let strength = cx.float("strength")?;
    let mut arrays = Arrays::new();
    if let Some(film) = planned(cx.output_info(0), strength) {
        let render = cx.clip("image")?;
        let seen = render.info().frames.min(film.frames);
        let size = (film.width, film.height);
        if seen < film.frames {
            cx.note(say!(
                "the render has {seen} of {} frames; its last one is held",
                "レンダーは {} フレーム中 {seen} フレームしかないため、最後のフレームを保ちます",
                film.frames
            ));
        }
        let clip = held(scaled(render, 0..seen, size, Method::Bilinear), film.frames);
        let latent = encode::encode(cx, &clip, &mut Meter::new(film.frames))?;
        arrays.insert("control_latent", latent);
    }
    carry::run(cx, &arrays)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extras(arrays: &[(&str, [u32; 4])], size: Option<[u32; 3]>) -> ExtrasInfo {
        let mut it = ExtrasInfo::default();
        for (name, shape) in arrays {
            it.arrays.insert((*name).to_owned(), shape.to_vec());
        }
        it.settings
            .extend(size.map(|size| ("latent_size".to_owned(), json!(size))));
        it
    }

    #[test]
    fn the_size_comes_from_the_conditioning_then_the_latent_then_the_render() {
        let render = Some(info(50, (850, 500)));
        let linked = LatentInfo {
            batch: 2,
            channels: 16,
            frames: 3,
            height: 6,
            width: 8,
        };
        let size = |it: &ExtrasInfo, linked| {
            latent(16, it, linked, render).map(|it| (it.batch, it.frames, it.height, it.width))
        };
        let none = extras(&[], None);
        let image = extras(&[("concat_latent", [16, 21, 60, 104])], Some([1, 2, 2]));
        let pose = extras(
            &[
                ("scail_pose", [16, 5, 8, 4]),
                ("scail_reference", [16, 1, 16, 8]),
            ],
            None,
        );
        let reference = extras(&[("scail_reference", [16, 2, 16, 8])], Some([5, 16, 8]));
        assert_eq!(size(&image, None).unwrap(), (1, 21, 60, 104));
        assert_eq!(size(&pose, None).unwrap(), (1, 5, 16, 8));
        assert_eq!(size(&reference, None).unwrap(), (1, 5, 16, 8));
        assert_eq!(size(&none, Some(linked)).unwrap(), (1, 3, 6, 8));
        // 850 × 500 and 50 frames have room for 848 × 496 and 49.
        assert_eq!(size(&none, None).unwrap(), (1, 13, 62, 106));
        let error = size(&image, Some(linked)).unwrap_err();
        assert_eq!(
            (error.code, error.input.as_deref()),
            ("size_mismatch", Some("latent"))
        );
        assert!(
            error.message.en.contains("81 frames of 832×480"),
            "{}",
            error.message
        );
        let small = latent(16, &none, None, Some(info(1, (15, 16)))).unwrap_err();
        assert_eq!(small.code, "size_too_small");
    }
}
