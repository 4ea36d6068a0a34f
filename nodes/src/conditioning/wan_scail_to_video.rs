//! `WanSCAILToVideo`: a character that moves as a pose video does.

use std::sync::Arc;

use longtake_graph::declare::{InputDecl, boolean, float, int, output, socket};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{CostCx, InferCx, InferError, Info, Keep, Lane, LatentInfo, Rung};
use longtake_run::{Array, RunCx, RunError, Value};
use serde_json::json;

use super::carry::{self, Added, Arrays};
use super::encode::{self, Meter, info};
use super::keep::keep_first;
use super::scail::{self, Cut};
use super::size::{self, LARGEST, Vae};
use super::wan_image_to_video::{pixel_size, sized};
use super::{identity, size::pixel_frames};
use crate::Node;
use crate::failure::at_input;

const DECLARATION: Declaration = Declaration {
    class: "WanSCAILToVideo",
    title: "Wan SCAIL to video",
    title_ja: "Wan SCAIL キャラクター動画",
    category: "conditioning/video_models",
    category_ja: "コンディショニング/動画モデル",
    help: "A character from a reference picture that moves as a pose video does. If the pose video \
           is shorter than the length, its last frame is held.",
    help_ja: "参照画像のキャラクターを、ポーズ動画のとおりに動かします。ポーズ動画が短い場合は、\
              最後のフレームを保ちます。",
    inputs: INPUTS,
    outputs: &[
        output("positive", Kind::CONDITIONING),
        output("negative", Kind::CONDITIONING),
        output("latent", Kind::LATENT),
        output("video_frame_offset", Kind::INT),
    ],
    ..Declaration::EMPTY
};

const INPUTS: &[InputDecl] = &[
    socket("positive", Kind::CONDITIONING).help("What is to be seen", "映したいもの"),
    socket("negative", Kind::CONDITIONING).help("What is not to be seen", "映したくないもの"),
    socket("vae", Kind::VAE).help("The Wan 2.1 VAE", "Wan 2.1 の VAE"),
    size::width(512, 32),
    size::height(896, 32),
    size::length(81),
    size::batch_size(),
    float("pose_strength", 1.0)
        .within_f(0.0, 10.0)
        .help("Scales the pose's latent", "ポーズの潜在表現に掛ける倍率"),
    float("pose_start", 0.0).help(
        "Part of the sampling, 0 to 1, from which the pose counts",
        "ポーズが効き始める位置(サンプリング全体を 0〜1)",
    ),
    float("pose_end", 1.0).help(
        "Part of the sampling, 0 to 1, up to which the pose counts",
        "ポーズが効き終わる位置(サンプリング全体を 0〜1)",
    ),
    int("video_frame_offset", 0)
        .within(0, LARGEST)
        .unit("frames")
        .help(
            "Frame of the film at which this chunk begins: the chunk before it gives it",
            "この区間が始まる映像のフレーム番号。前の区間の出力を使います。",
        ),
    int("previous_frame_count", 5)
        .within(1, LARGEST)
        .step(4)
        .unit("frames")
        .help(
            "Last frames of previous_frames that stay; SCAIL-2 was trained with 5",
            "previous_frames のうち残す最後のフレーム数。SCAIL-2 は 5 で学習されています。",
        ),
    socket("pose_video", Kind::IMAGE).optional().help(
        "Skeletons to follow; encoded at half the size",
        "従わせる骨格。半分のサイズでエンコードされます。",
    ),
    socket("pose_video_mask", Kind::IMAGE).optional().help(
        "SCAIL-2: who is who in the pose video, a colour each",
        "SCAIL-2: ポーズ動画の人物を色で区別するマスク",
    ),
    boolean("replacement_mode", false).optional().help(
        "SCAIL-2: the character takes someone's place in the pose video; masks then have a \
             white background",
        "SCAIL-2: キャラクターをポーズ動画の人物と入れ替えます。マスクの背景は白にします。",
    ),
    socket("reference_image", Kind::IMAGE).optional().help(
        "The character; SCAIL-2 takes further views in the same batch",
        "キャラクター。SCAIL-2 では同じバッチで別の角度の画像も渡せます。",
    ),
    socket("reference_image_mask", Kind::IMAGE).optional().help(
        "SCAIL-2: who is who in the reference, in the pose video's colours",
        "SCAIL-2: 参照画像の人物を、ポーズ動画と同じ色で区別するマスク",
    ),
    socket("clip_vision_output", Kind::CLIP_VISION_OUTPUT)
        .optional()
        .help(
            "What CLIP sees in the reference, stretched to a square",
            "参照画像を正方形に伸縮して CLIP で読み取った結果",
        ),
    socket("previous_frames", Kind::IMAGE).optional().help(
        "SCAIL-2: the chunk before this one; its last frames stay",
        "SCAIL-2: この区間の前の区間。その最後のフレームが残ります。",
    ),
    boolean("comfy_rope", false).optional().help(
        "Places the pose as ComfyUI does; off places it as SCAIL's authors do",
        "オン: ComfyUI と同じ位置にポーズを置く、オフ: SCAIL の作者と同じ位置に置く",
    ),
];

/// The node.
pub const NODE: Node = Node::work(&DECLARATION, infer, Lane::Device, Keep::Store, rungs, run);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let latent = size::asked(cx, Vae::Wan21, 32)?;
    let cut = inferred_cut(cx, latent)?;
    let mut added = sized(latent);
    add_settings(cx, &mut added)?;
    add_shapes(cx, &mut added, latent, &cut)?;
    let mut outputs = carry::infer(cx, &added)?;
    outputs.push(Info::Latent(latent));
    let next = cut.offset + cx.int("length")?.max(1) as u64;
    outputs.push(Info::Constant(json!(next)));
    Ok(outputs)
}

fn add_settings(cx: &InferCx<'_>, added: &mut Added) -> Result<(), InferError> {
    let (start, end) = (cx.float("pose_start")?, cx.float("pose_end")?);
    if start > end {
        let message = say!(
            "the pose would count from {start} to {end}; expected at least pose_start",
            "ポーズの範囲が {start} から {end} になっています。pose_start 以上にしてください。"
        );
        return Err(InferError::at("value_out_of_range", "pose_end", message));
    }
    let on = |name: &str| Ok::<_, InferError>(cx.has(name) && cx.boolean(name)?);
    added.settings.extend([
        ("scail_start", json!(start)),
        ("scail_end", json!(end)),
        ("scail_replacement", json!(on("replacement_mode")?)),
        ("scail_midpoint_rope", json!(on("comfy_rope")?)),
    ]);
    Ok(())
}

fn add_shapes(
    cx: &InferCx<'_>,
    added: &mut Added,
    latent: LatentInfo,
    cut: &Cut,
) -> Result<(), InferError> {
    let LatentInfo {
        channels: z,
        frames,
        height: h,
        width: w,
        ..
    } = latent;
    let masks = identity::CHANNELS;
    let mut add = |name, shape: [u32; 4]| added.arrays.insert(name, shape.into());
    if let Some(reference) = size::frames(cx, "reference_image")? {
        let r = reference.frames as u32;
        add("scail_reference", [z, r, h, w]);
        if size::frames(cx, "reference_image_mask")?.is_some() {
            add("scail_reference_mask", [masks, r, h, w]);
        }
    }
    if cut.driving.is_some() {
        add("scail_pose", [z, frames, h / 2, w / 2]);
        if cx.has("pose_video_mask") {
            add("scail_pose_mask", [masks, frames, h / 2, w / 2]);
        }
    }
    if let Some(shape) = carry::vision_shape(cx, "clip_vision_output")? {
        added.arrays.insert("clip_vision", shape.into());
    }
    Ok(())
}

fn inferred_cut(cx: &InferCx<'_>, latent: LatentInfo) -> Result<Cut, InferError> {
    let mut driving = Vec::new();
    for input in ["pose_video", "pose_video_mask"] {
        driving.extend(size::frames(cx, input)?.map(|it| it.frames));
    }
    if cx.has("pose_video_mask") && !cx.has("pose_video") {
        return Err(InferError::at(
            "required_input_missing",
            "pose_video",
            say!(
                "pose_video_mask says who is who in pose_video, and nothing is linked there; link the \
                 pose video too",
                "pose_video_mask は pose_video の人物を区別するものですが、pose_video に何もリンクされていません。\
                 ポーズ動画もリンクしてください。"
            ),
        ));
    }
    let previous = size::frames(cx, "previous_frames")?;
    let keep = cx.int("previous_frame_count")?.max(1) as u64;
    let offset = cx.int("video_frame_offset")?.max(0) as u64;
    let previous = previous.map(|it| (it.frames, keep));
    Cut::new(pixel_frames(latent.frames), offset, previous, &driving).map_err(|(frames, start)| {
        InferError::at(
            "frames_missing",
            "pose_video",
            say!(
                "the pose video (or its mask) has {frames} frames, and this chunk begins at frame \
                 {start}; give a longer one or lower video_frame_offset",
                "ポーズ動画(またはそのマスク)は {frames} フレームですが、この区間はフレーム {start} から始まります。\
                 より長い動画を使うか、video_frame_offset を小さくしてください。"
            ),
        )
    })
}

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    let Some(Info::Latent(latent)) = cx.outputs.get(2).cloned() else {
        return encode::rungs(cx, &[]);
    };
    let size = pixel_size(latent);
    let length = pixel_frames(latent.frames);
    let mut clips = Vec::new();
    if let Ok(reference) = cx.clip("reference_image") {
        // Each picture alone; so many frames in a row would cost about the same.
        clips.push(info(reference.frames, size));
    }
    if cx.has("pose_video") {
        clips.push(info(length, (size.0 / 2, size.1 / 2)));
    }
    if let Ok(previous) = cx.clip("previous_frames") {
        let keep = cx.int("previous_frame_count").unwrap_or(1).max(1) as u64;
        clips.push(info(previous.frames.min(keep).min(length), size));
    }
    encode::rungs(cx, &clips)
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let mut latent = carry::empty_latent(cx, 2)?;
    size::note_length(cx, latent.info)?;
    let length = pixel_frames(latent.info.frames);
    let size = pixel_size(latent.info);
    let cut = run_cut(cx, length)?;
    let anchor = cut.anchor.end - cut.anchor.start;
    let references = if cx.has("reference_image") {
        cx.clip("reference_image")?.info().frames
    } else {
        0
    };
    let pose = cut.driving.as_ref().map_or(0, |_| length);
    let mut meter = Meter::new(references + pose + anchor);
    let mut arrays = Arrays::new();
    add_references(cx, &mut arrays, size, &mut meter)?;
    if let Some(range) = cut.driving.clone() {
        add_driving(cx, &mut arrays, range, length, size, &mut meter)?;
    }
    if let Some(vision) = carry::vision(cx, "clip_vision_output")? {
        arrays.insert("clip_vision", vision);
    }
    if anchor > 0 {
        let film = scail::anchor_film(cx.clip("previous_frames")?, cut.anchor.clone(), size);
        let known = encode::encode(cx, &film, &mut meter)?;
        keep_first(&mut latent, &known.data, known.shape[1]);
    }
    let mut values = carry::run(cx, &arrays)?;
    values.push(Value::Latent(latent));
    let next = cut.offset + cx.int("length")?.max(1) as u64;
    values.push(Value::Json(json!(next)));
    Ok(values)
}

fn run_cut(cx: &RunCx<'_>, length: u64) -> Result<Cut, RunError> {
    let frames = |input: &str| -> Result<Option<u64>, RunError> {
        if cx.has(input) {
            Ok(Some(cx.clip(input)?.info().frames))
        } else {
            Ok(None)
        }
    };
    let driving: Vec<u64> = [frames("pose_video")?, frames("pose_video_mask")?]
        .into_iter()
        .flatten()
        .collect();
    let keep = cx.int("previous_frame_count")?.max(1) as u64;
    let previous = frames("previous_frames")?.map(|it| (it, keep));
    let offset = cx.int("video_frame_offset")?.max(0) as u64;
    Cut::new(length, offset, previous, &driving).map_err(|(frames, start)| {
        let why = say!(
            "expected more than {start} frames, got {frames}; give a longer video or lower \
             video_frame_offset",
            "{start} より多いフレームが必要ですが、{frames} フレームです。より長い動画を使うか、\
             video_frame_offset を小さくしてください"
        );
        at_input("pose_video", &why)
    })
}

fn add_references(
    cx: &mut RunCx<'_>,
    arrays: &mut Arrays,
    size: encode::Size,
    meter: &mut Meter,
) -> Result<(), RunError> {
    if !cx.has("reference_image") {
        return Ok(());
    }
    let pictures = cx.clip("reference_image")?;
    let masks = if cx.has("reference_image_mask") {
        Some(cx.clip("reference_image_mask")?)
    } else {
        None
    };
    let replaces = cx.has("replacement_mode") && cx.boolean("replacement_mode")?;
    let mattes = masks.clone().filter(|_| replaces);
    let count = pictures.info().frames;
    let latents = scail::references(cx, pictures, mattes, size, meter)?;
    arrays.insert("scail_reference", latents);
    if let Some(masks) = masks {
        let masks = scail::reference_masks(masks, count, size)?;
        arrays.insert("scail_reference_mask", masks);
    }
    Ok(())
}

fn add_driving(
    cx: &mut RunCx<'_>,
    arrays: &mut Arrays,
    range: std::ops::Range<u64>,
    length: u64,
    size: encode::Size,
    meter: &mut Meter,
) -> Result<(), RunError> {
    let frames = range.end - range.start;
    if frames < length {
        cx.note(say!(
            "the pose video has {frames} of {length} frames; its last one is held",
            "ポーズ動画は {length} フレーム中 {frames} フレームしかないため、最後のフレームを保ちます"
        ));
    }
    let film = scail::driving_film(cx.clip("pose_video")?, range.clone(), length, size);
    let pose = encode::encode(cx, &film, meter)?;
    let strength = cx.float("pose_strength")? as f32;
    let scaled = pose.data.iter().map(|it| it * strength).collect();
    arrays.insert(
        "scail_pose",
        Array {
            shape: pose.shape,
            data: Arc::new(scaled),
        },
    );
    if cx.has("pose_video_mask") {
        let masks = cx.clip("pose_video_mask")?;
        let film = scail::driving_film(masks, range, length, size);
        arrays.insert("scail_pose_mask", identity::of_film(&film)?);
    }
    Ok(())
}
