//! Before the run: do model, latent, text and what stands beside it belong together?

use longtake_graph::{Sentence, say};
use longtake_models::wan::dit::{DitDims, PassShape, TEXT_LEN};
use longtake_plan::{ExtrasInfo, InferCx, InferError, LatentInfo, WeightsInfo};

use super::settings::{ControlSettings, ScailSettings, Windows, cache_of};
use crate::conditioning::carry;
use crate::failure::unreadable;
use crate::model::controlnet_loader::uni3c_dims;

/// Channels that an image condition adds to a latent of 16: mask and encoded picture
/// (Wan2.1 `wan/image2video.py`).
pub const CONCAT_CHANNELS: usize = 20;
/// Mask channels of SCAIL's streams (facts: zai-org/SCAIL `diffusion_video.py`).
pub const MASK_CHANNELS: usize = 4;

/// Inputs of a sampler by name; they differ between nodes.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// The diffusion model.
    pub model: &'static str,
    /// The latent to start from.
    pub latent: &'static str,
    /// Guidance: what is to be seen, and what is not (`None`: there is no such input).
    pub positive: &'static str,
    /// See [`Names::positive`].
    pub negative: Option<&'static str>,
}

/// The names that both KSamplers use.
pub const KSAMPLER: Names = Names {
    model: "model",
    latent: "latent_image",
    positive: "positive",
    negative: Some("negative"),
};

/// Sizes of the model that the planner knows.
///
/// # Errors
/// Its file does not tell one of them.
pub fn dims(weights: &WeightsInfo) -> Result<DitDims, Sentence> {
    let dim = |name: &str| weights.dim(name);
    Ok(DitDims {
        dim: dim("dim")?,
        ffn_dim: dim("ffn_dim")?,
        heads: dim("heads")?,
        layers: dim("layers")?,
        in_dim: dim("in_dim")?,
        out_dim: dim("out_dim")?,
        text_dim: dim("text_dim")?,
        text_len: TEXT_LEN,
        freq_dim: 256,
        image_dim: dim("image_dim")?,
        image_positions: dim("image_positions")?,
        pose_dim: dim("pose_dim")?,
        mask_dim: dim("mask_dim")?,
    })
}

/// What a pass over this many latent frames costs, for one conditioning.
pub fn pass_shape(latent: LatentInfo, frames: u32, extras: &ExtrasInfo) -> PassShape {
    let axis = |name: &str, axis: usize| -> usize {
        let shape = extras.arrays.get(name);
        shape.and_then(|it| it.get(axis)).map_or(0, |&n| n as usize)
    };
    let [frames, height, width] = [frames, latent.height, latent.width].map(|n| n as usize);
    PassShape {
        image_rows: axis("clip_vision", 0),
        references: axis("scail_reference", 1),
        pose: extras.arrays.contains_key("scail_pose"),
        ..PassShape::new(1, frames, height, width)
    }
}

/// Checks a sampler's inputs, and says what latent comes out.
///
/// # Errors
/// `channels_do_not_fit`, `text_does_not_fit`, `family_not_supported`, `condition_does_not_fit`,
/// `order_breaks_meaning`.
pub fn check(cx: &InferCx<'_>, names: Names) -> Result<LatentInfo, InferError> {
    let weights = cx.weights(names.model)?;
    let latent = cx.latent(names.latent)?;
    let dims = dims(weights).map_err(unreadable(names.model))?;
    channels(weights, &dims, &latent, names)?;
    options(weights).map_err(|why| InferError::at("value_not_valid", names.model, why))?;
    for input in [Some(names.positive), names.negative].into_iter().flatten() {
        text(cx, weights, &dims, input)?;
        let extras = cx.extras(input)?;
        settings(extras).map_err(|why| InferError::at("value_not_valid", input, why))?;
        beside(weights, &dims, &latent, extras, input)?;
        control(extras, &dims, input)?;
    }
    Ok(latent)
}

/// What nodes before put on the model: all of it can be read.
fn options(weights: &WeightsInfo) -> Result<(), Sentence> {
    Windows::of(weights)?;
    cache_of(weights)?;
    Ok(())
}

/// What nodes before put beside the text: all of it can be read.
fn settings(extras: &ExtrasInfo) -> Result<(), Sentence> {
    ScailSettings::of(extras)?;
    ControlSettings::of(extras)?;
    carry::latent_size(extras)?;
    carry::steps(extras)?;
    Ok(())
}

fn channels(
    weights: &WeightsInfo,
    dims: &DitDims,
    latent: &LatentInfo,
    names: Names,
) -> Result<(), InferError> {
    let beside = dims.in_dim.saturating_sub(dims.out_dim);
    let known = [0, CONCAT_CHANNELS, MASK_CHANNELS].contains(&beside);
    if !known || (beside == MASK_CHANNELS && dims.pose_dim == 0) {
        return Err(InferError::at(
            "family_not_supported",
            names.model,
            say!(
                "{} takes {} channels and gives {}: neither text to video, image to video nor SCAIL",
                "{} は入力 {} チャンネル、出力 {} チャンネルで、テキストから動画、画像から動画、SCAIL のいずれでもありません。",
                weights.name,
                dims.in_dim,
                dims.out_dim
            ),
        ));
    }
    if latent.channels as usize != dims.out_dim {
        let remedy = match dims.out_dim {
            48 => say!(
                "; make it with Wan22ImageToVideoLatent and decode it with the Wan 2.2 VAE",
                "Wan22ImageToVideoLatent で作り、Wan 2.2 の VAE でデコードしてください。"
            ),
            16 => say!(
                "; make it with EmptyHunyuanLatentVideo or WanImageToVideo",
                "EmptyHunyuanLatentVideo か WanImageToVideo で作ってください。"
            ),
            _ => Sentence::default(),
        };
        return Err(InferError::at(
            "channels_do_not_fit",
            names.latent,
            say!(
                "expected {0} channels for {1}, found {2}{remedy}",
                "{1} には {0} チャンネルが必要ですが、{2} チャンネルです。{remedy}",
                dims.out_dim,
                weights.name,
                latent.channels;
                remedy
            ),
        ));
    }
    Ok(())
}

fn text(
    cx: &InferCx<'_>,
    weights: &WeightsInfo,
    dims: &DitDims,
    input: &str,
) -> Result<(), InferError> {
    let (_, width) = cx.text_size(input)?;
    if width as usize == dims.text_dim {
        return Ok(());
    }
    Err(InferError::at(
        "text_does_not_fit",
        input,
        say!(
            "expected conditioning {0} wide for {1}, found {width}; load the text encoder that the \
             model was made for",
            "{1} には幅 {0} のコンディショニングが必要ですが、幅 {width} です。このモデル用のテキストエンコーダーを\
             読み込んでください。",
            dims.text_dim,
            weights.name
        ),
    ))
}

/// Arrays beside the text against model and latent.
fn beside(
    weights: &WeightsInfo,
    dims: &DitDims,
    latent: &LatentInfo,
    extras: &ExtrasInfo,
    input: &str,
) -> Result<(), InferError> {
    let wrong = |message: Sentence| Err(InferError::at("condition_does_not_fit", input, message));
    let has = |name: &str| extras.arrays.contains_key(name);
    let scail = has("scail_reference") || has("scail_pose");
    if scail && dims.pose_dim == 0 {
        return wrong(say!(
            "the conditioning carries SCAIL's reference or pose, and {} is no SCAIL model; load one, \
             or take WanSCAILToVideo out",
            "コンディショニングに SCAIL の参照かポーズが含まれていますが、{} は SCAIL モデルではありません。SCAIL モデルを\
             読み込むか、WanSCAILToVideo を外してください。",
            weights.name
        ));
    }
    if !scail && dims.pose_dim > 0 {
        return wrong(say!(
            "{} is a SCAIL model and needs a reference or a pose video; make the conditioning with \
             WanSCAILToVideo",
            "{} は SCAIL モデルで、参照かポーズ動画が必要です。WanSCAILToVideo でコンディショニングを作ってください。",
            weights.name
        ));
    }
    let [frames, height, width] = [latent.frames, latent.height, latent.width];
    let sizes: [(&str, Vec<u32>); 4] = [
        (
            "concat_latent",
            vec![latent.channels, frames, height, width],
        ),
        (
            "control_latent",
            vec![latent.channels, frames, height, width],
        ),
        ("concat_mask", vec![4, frames, height, width]),
        (
            "scail_pose",
            vec![latent.channels, frames, height / 2, width / 2],
        ),
    ];
    for (name, expected) in sizes {
        if let Some(found) = extras.arrays.get(name)
            && *found != expected
        {
            return wrong(say!(
                "`{name}` is {found:?}, and the latent calls for {expected:?}; give both nodes the \
                 same width, height and length",
                "「{name}」は {found:?} ですが、潜在表現には {expected:?} が必要です。両方のノードの width、height、length を\
                 同じにしてください。"
            ));
        }
    }
    Ok(())
}

fn control(extras: &ExtrasInfo, dims: &DitDims, input: &str) -> Result<(), InferError> {
    let Some(net) = &extras.control else {
        return Ok(());
    };
    let of = |name: &str| net.dim(name).map_err(unreadable(input));
    let (width, layers) = (of("out_dim")?, of("layers")?);
    uni3c_dims(net).map_err(unreadable(input))?;
    if width != dims.dim {
        return Err(InferError::at(
            "control_does_not_fit",
            input,
            say!(
                "{} adds to a stream {} wide, and the model's is {} wide; Uni3C was trained for the \
                 14B models",
                "{} の対象は幅 {} ですが、モデルの幅は {} です。Uni3C は 14B モデル用に学習されています。",
                net.name,
                width,
                dims.dim
            ),
        ));
    }
    if layers > dims.layers {
        return Err(InferError::at(
            "control_does_not_fit",
            input,
            say!(
                "{} adds after {} blocks, and the model has {}",
                "{} は {} ブロックに加わりますが、モデルのブロックは {} 個です。",
                net.name,
                layers,
                dims.layers
            ),
        ));
    }
    Ok(())
}
