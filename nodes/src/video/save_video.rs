//! `SaveVideo`: a film as a file, joined from its encoded pieces.

use longtake_graph::declare::{choice, int, socket, text};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{Cost, CostCx, InferCx, InferError, Info, Keep, Lane, Role, Rung};
#[cfg(not(feature = "media"))]
use longtake_run::{RunCx, RunError, Value};

use crate::Node;
use crate::node::one_way;

/// Containers.
pub const FORMATS: &[&str] = &["auto", "mp4", "mkv"];
/// Encoders.
pub const CODECS: &[&str] = &["auto", "h264", "ffv1"];
/// x264's presets.
pub const PRESETS: &[&str] = &[
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
];

const DECLARATION: Declaration = Declaration {
    class: "SaveVideo",
    title: "Save video",
    title_ja: "動画を保存",
    category: "image/video",
    category_ja: "画像/動画",
    help: "Writes a film: H.264 in MP4, or lossless FFV1 in MKV. The graph travels inside the file. \
           Only pieces that changed are encoded again.",
    help_ja: "映像を書き出します。MP4 の H.264、または MKV の可逆圧縮 FFV1 です。\
              グラフもファイルに入ります。変わった区間だけをエンコードし直します。",
    inputs: &[
        socket("video", Kind::VIDEO).help("The film", "映像"),
        text("filename_prefix", "video/ComfyUI").help(
            "Folder and name under --output",
            "--output の中のフォルダーと名前",
        ),
        choice("format", "auto", FORMATS).help(
            "Container; auto: mp4, or mkv for ffv1",
            "コンテナ。auto: mp4、ffv1 なら mkv",
        ),
        choice("codec", "auto", CODECS).help("Encoder; auto: h264", "エンコーダー。auto: h264"),
        int("crf", 18).within(0, 50).optional().help(
            "H.264 quality, smaller is better",
            "H.264 の品質。小さいほど高品質",
        ),
        choice("preset", "veryfast", PRESETS)
            .optional()
            .help("H.264 speed against size", "H.264 の速度とサイズの兼ね合い"),
    ],
    output_node: true,
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node =
    Node::work(&DECLARATION, infer, Lane::Cpu, Keep::Output, rungs, run).role(Role::Assemble {
        encode: "EncodeSegment",
        input: "video",
        list: "segments",
        strip: &["filename_prefix"],
    });

/// Whether these choices mean FFV1.
pub fn lossless(format: &str, codec: &str) -> bool {
    codec == "ffv1" || (codec == "auto" && format == "mkv")
}

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    crate::output::check_prefix(cx)?;
    if cx.text("format")? == "mp4" && cx.text("codec")? == "ffv1" {
        return Err(InferError::at(
            "value_not_supported",
            "codec",
            say!(
                "ffv1 does not go into mp4; choose mkv, or h264",
                "ffv1 は mp4 に入れられません。mkv か h264 を選んでください。"
            ),
        ));
    }
    Ok(Vec::new())
}

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    let frames: u64 = cx
        .list("segments")
        .iter()
        .map(|info| {
            if let Info::Segment(clip) = info {
                clip.frames
            } else {
                0
            }
        })
        .sum();
    one_way(Cost {
        seconds: 0.2 + frames as f64 * 1e-4,
        // The muxer's index.
        host_bytes: (16 << 20) + frames * 64,
        ..Cost::default()
    })
}

#[cfg(feature = "media")]
pub use with_media::format_of;
#[cfg(feature = "media")]
use with_media::run;

#[cfg(not(feature = "media"))]
fn run(_: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    Err(RunError::failed(super::file::no_media()))
}

#[cfg(feature = "media")]
mod with_media {
    use std::ops::ControlFlow;

    use longtake_graph::say;
    use longtake_media::{Codec, Container, Metadata, Preset, VideoFormat, assemble};
    use longtake_plan::ClipInfo;
    use longtake_run::{RunCx, RunError, Value};
    use serde_json::json;

    use crate::failure::{OrFail, no_frames, not_one_of};
    use crate::output::Numbered;

    /// The picture format these choices mean for such frames.
    ///
    /// # Errors
    /// No rate, or an unknown preset.
    pub fn format_of(cx: &RunCx<'_>, info: ClipInfo) -> Result<VideoFormat, RunError> {
        let fps = info
            .fps
            .ok_or_else(|| {
                RunError::failed(say!(
                    "expected frames with a rate; put a CreateVideo before this node",
                    "フレームレートのあるフレームが必要です。このノードの前に CreateVideo を置いてください"
                ))
            })?;
        let codec = if super::lossless(cx.text("format")?, cx.text("codec")?) {
            Codec::Ffv1
        } else {
            let name = cx.text("preset")?;
            let preset = serde_json::from_value::<Preset>(json!(name));
            Codec::H264 {
                crf: cx.int("crf")?.clamp(0, 51) as u8,
                preset: preset
                    .map_err(|_| not_one_of("preset", super::PRESETS, name))
                    .or_fail()?,
            }
        };
        let fps = (fps.num, fps.den);
        Ok(VideoFormat {
            width: info.width,
            height: info.height,
            fps,
            codec,
        })
    }

    pub fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
        let segments = cx.segments("segments")?;
        let Some(first) = segments.first() else {
            return Err(no_frames("segments"));
        };
        let format = format_of(cx, first.info)?;
        let lossless = format.codec == Codec::Ffv1;
        let named = cx
            .env
            .output_file
            .as_deref()
            .and_then(std::path::Path::extension);
        let mkv = match named {
            Some(extension) => extension.eq_ignore_ascii_case("mkv"),
            None => lossless || cx.text("format")? == "mkv",
        };
        let (container, extension) = if mkv {
            (Container::Mkv, "mkv")
        } else {
            (Container::Mp4, "mp4")
        };
        let path = if let Some(path) = &cx.env.output_file {
            path.clone()
        } else {
            let size = Some((first.info.width, first.info.height));
            let prefix = cx.text("filename_prefix")?;
            Numbered::new(&cx.env.roots.output, prefix, size)?.next(extension)
        };
        let metadata = Metadata {
            prompt_json: cx.env.prompt.as_ref().map(ToString::to_string),
            ..Metadata::default()
        };
        let total: u64 = segments.iter().map(|it| it.info.frames).sum();
        let paths: Vec<_> = segments.into_iter().map(|it| it.path).collect();
        let mut stopped = None;
        let mut progress = |frames: u64| match cx.progress(frames, total, "frame") {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                stopped = Some(error);
                ControlFlow::Break(())
            }
        };
        let joined = assemble(&path, &paths, &format, container, &metadata, &mut progress);
        if let Some(error) = stopped {
            return Err(error);
        }
        joined.or_fail()?;
        Ok(vec![Value::Files(vec![path])])
    }
}
