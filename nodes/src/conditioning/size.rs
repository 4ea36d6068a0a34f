//! Sizes of what is to be made: the inputs all these nodes share, and the latent they ask for.

use longtake_graph::declare::int;
use longtake_graph::{InputDecl, say};
use longtake_plan::{ClipInfo, InferCx, InferError, LatentInfo, WeightsInfo};
use longtake_run::{RunCx, RunError};

use crate::failure::unreadable;
use crate::latent::empty_hunyuan_latent_video::on_grid;
use crate::latent::vae::dims;

/// Largest side and length (ComfyUI `nodes.py`, `MAX_RESOLUTION`).
pub const LARGEST: i128 = 16384;
/// Most values a latent may have: 8 GiB of floats.
const MOST: u64 = 2 << 30;

/// Frame width in steps of `grid`, which is also the least.
pub const fn width(default: i128, grid: i128) -> InputDecl {
    int("width", default)
        .within(grid, LARGEST)
        .step(grid)
        .unit("px")
        .help("Frame width", "フレームの幅")
}

/// Frame height in steps of `grid`, which is also the least.
pub const fn height(default: i128, grid: i128) -> InputDecl {
    int("height", default)
        .within(grid, LARGEST)
        .step(grid)
        .unit("px")
        .help("Frame height", "フレームの高さ")
}

/// Number of frames.
pub const fn length(default: i128) -> InputDecl {
    int("length", default)
        .within(1, LARGEST)
        .step(4)
        .unit("frames")
        .help(
            "Frames, 4k + 1; others are rounded down to that, as in ComfyUI",
            "フレーム数(4k + 1)。それ以外は ComfyUI と同じく切り下げます。",
        )
}

/// Number of samples.
pub const fn batch_size() -> InputDecl {
    int("batch_size", 1)
        .within(1, 4096)
        .help("Independent samples", "独立したサンプルの数")
}

/// A VAE that a node works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vae {
    /// 16 channels, 8 pixels per latent position.
    Wan21,
    /// 48 channels, 16 pixels per latent position.
    Wan22,
}

impl Vae {
    /// Pixels per latent position, on both axes.
    pub const fn spatial(self) -> u32 {
        match self {
            Self::Wan21 => 8,
            Self::Wan22 => 16,
        }
    }

    const fn family(self) -> &'static str {
        match self {
            Self::Wan21 => "wan-vae-2.1",
            Self::Wan22 => "wan-vae-2.2",
        }
    }
}

/// The VAE at input `vae`, which must be of that family.
///
/// # Errors
/// `wrong_family`, with the file to load.
pub fn vae<'a>(cx: &'a InferCx<'_>, expected: Vae) -> Result<&'a WeightsInfo, InferError> {
    let weights = cx.weights("vae")?;
    if weights.family == expected.family() {
        return Ok(weights);
    }
    let what = match expected {
        Vae::Wan21 => say!(
            "expected a Wan 2.1 VAE (16 channels, wan_2.1_vae.safetensors), which all Wan models but \
             TI2V-5B use; for TI2V-5B take Wan22ImageToVideoLatent",
            "Wan 2.1 の VAE(16 チャンネル、wan_2.1_vae.safetensors)が必要です。TI2V-5B 以外のすべての Wan モデルが\
             これを使います。TI2V-5B には Wan22ImageToVideoLatent を使ってください。"
        ),
        Vae::Wan22 => say!(
            "expected a Wan 2.2 VAE (48 channels, wan2.2_vae.safetensors), which only TI2V-5B uses; \
             for other models take WanImageToVideo",
            "Wan 2.2 の VAE(48 チャンネル、wan2.2_vae.safetensors)が必要です。これを使うのは TI2V-5B だけです。\
             ほかのモデルには WanImageToVideo を使ってください。"
        ),
    };
    Err(InferError::at(
        "wrong_family",
        "vae",
        say!(
            "{}: {what}. Found {}.",
            "{}: {what}現在の種類は {} です。",
            weights.name,
            weights.family;
            what
        ),
    ))
}

/// Latent frames of `length` frames: the first alone, then four by four (`(length - 1) // 4 + 1`).
pub fn latent_frames(length: i64) -> u32 {
    ((length.max(1) - 1) / 4 + 1) as u32
}

/// Frames that a latent of so many latent frames stands for.
pub fn pixel_frames(latent_frames: u32) -> u64 {
    u64::from(latent_frames.saturating_sub(1)) * 4 + 1
}

/// The latent asked for at `width`, `height`, `length` and `batch_size`, in steps of `grid` pixels.
///
/// # Errors
/// `size_not_multiple` with the nearest allowed values, `size_too_large`, or the VAE's.
pub fn asked(cx: &InferCx<'_>, family: Vae, grid: i64) -> Result<LatentInfo, InferError> {
    let channels = dims(vae(cx, family)?).map_err(unreadable("vae"))?.z as u32;
    let latent = LatentInfo {
        batch: cx.int("batch_size")?.max(1) as u32,
        channels,
        frames: latent_frames(cx.int("length")?),
        height: on_grid("height", cx.int("height")?, grid)? / family.spatial(),
        width: on_grid("width", cx.int("width")?, grid)? / family.spatial(),
    };
    if latent.elements() <= MOST {
        return Ok(latent);
    }
    let LatentInfo {
        batch,
        frames,
        height,
        width,
        ..
    } = latent;
    Err(InferError::at(
        "size_too_large",
        "length",
        say!(
            "a latent of {batch}×{channels}×{frames}×{height}×{width} has {} values, more than the \
             {MOST} that can be held; lower width, height, length or batch_size",
            "{batch}×{channels}×{frames}×{height}×{width} の潜在表現は値が {} 個になり、扱える上限の {MOST} 個を\
             超えます。width、height、length、batch_size のいずれかを小さくしてください。",
            latent.elements()
        ),
    ))
}

/// Notes it where the length asked for is none of 4k + 1 and was rounded down.
///
/// # Errors
/// No length there.
pub fn note_length(cx: &mut RunCx<'_>, latent: LatentInfo) -> Result<(), RunError> {
    let (asked, made) = (cx.int("length")?, pixel_frames(latent.frames));
    if u64::try_from(asked) != Ok(made) {
        cx.note(say!(
            "length {asked} is not 4k + 1; {made} frames are made",
            "length の {asked} は 4k + 1 ではないため、{made} フレームを生成します"
        ));
    }
    Ok(())
}

/// `[channels, F, h, w]` of a latent, without its batch.
pub fn shape(latent: LatentInfo) -> Vec<u32> {
    vec![latent.channels, latent.frames, latent.height, latent.width]
}

/// Frames at an optional input, of which there must be at least one.
///
/// # Errors
/// `frames_missing`.
pub fn frames(cx: &InferCx<'_>, input: &str) -> Result<Option<ClipInfo>, InferError> {
    if !cx.has(input) {
        return Ok(None);
    }
    let clip = cx.clip(input)?;
    if clip.frames > 0 && clip.width > 0 && clip.height > 0 {
        return Ok(Some(clip));
    }
    let found = say!(
        "{} of {}×{}",
        "{} フレーム、{}×{}",
        clip.frames,
        clip.width,
        clip.height
    );
    Err(InferError::at(
        "frames_missing",
        input,
        say!(
            "`{input}` needs at least one frame, found {found}; leave it unlinked instead",
            "「{input}」には 1 フレーム以上が必要です(現在: {found})。使わない場合はリンクを外してください。";
            found
        ),
    ))
}
