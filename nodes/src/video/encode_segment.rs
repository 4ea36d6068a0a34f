//! `EncodeSegment`: a piece of film as an encoded file in the store. Made by the compiler, one for
//! each piece that a `SaveVideo` needs.

use longtake_graph::declare::{choice, int, output, socket};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{Cost, CostCx, InferCx, InferError, Info, Keep, Lane, Rung};
use longtake_run::{RunCx, RunError, Value};

use super::save_video::{CODECS, FORMATS, PRESETS};
use crate::Node;
use crate::node::one_way;

const DECLARATION: Declaration = Declaration {
    class: "EncodeSegment",
    title: "Encode segment",
    title_ja: "区間をエンコード",
    category: "internal",
    category_ja: "内部",
    help: "Encodes one piece of a film; pieces are joined without encoding them again.",
    help_ja: "映像の 1 区間をエンコードします。区間は再エンコードせずにつなぎます。",
    inputs: &[
        socket("video", Kind::VIDEO).help("The piece", "区間"),
        choice("format", "auto", FORMATS).help("Container it will go into", "入れるコンテナ"),
        choice("codec", "auto", CODECS).help("Encoder", "エンコーダー"),
        int("crf", 18).within(0, 50).optional().help(
            "H.264 quality, smaller is better",
            "H.264 の品質。小さいほど高品質",
        ),
        choice("preset", "veryfast", PRESETS)
            .optional()
            .help("H.264 speed against size", "H.264 の速度とサイズの兼ね合い"),
    ],
    outputs: &[output("segment", Kind::named("SEGMENT"))],
    internal: true,
    version: 2,
    ..Declaration::EMPTY
};

// Segments encoded with other settings are filed under another signature, and never joined with these.
#[cfg(feature = "media")]
const _: () = assert!(DECLARATION.version == longtake_media::SETTINGS);

/// The node.
pub const NODE: Node = Node::work(&DECLARATION, infer, Lane::Cpu, Keep::Store, rungs, run);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    super::file::available("video")?;
    let clip = cx.clip("video")?;
    if clip.fps.is_none() {
        return Err(InferError::at(
            "no_frame_rate",
            "video",
            say!(
                "expected frames with a rate; put a CreateVideo before this node",
                "フレームレートのあるフレームが必要です。このノードの前に CreateVideo を置いてください。"
            ),
        ));
    }
    let lossless = super::save_video::lossless(cx.text("format")?, cx.text("codec")?);
    if !lossless && (clip.width % 2 != 0 || clip.height % 2 != 0) {
        return Err(InferError::at(
            "size_not_multiple",
            "video",
            say!(
                "H.264 takes even sizes, found {}×{}; scale to {}×{} or choose ffv1",
                "H.264 の幅と高さは偶数にしてください(現在: {}×{})。{}×{} に縮小するか、ffv1 を選んでください。",
                clip.width,
                clip.height,
                clip.width / 2 * 2,
                clip.height / 2 * 2
            ),
        ));
    }
    Ok(vec![Info::Segment(clip)])
}

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    let Ok(clip) = cx.clip("video") else {
        return one_way(Cost::default());
    };
    let pixels = u64::from(clip.width) * u64::from(clip.height);
    one_way(Cost {
        // Seen on two AVX-512 cores: 1080p at 30 to 37 frames a second (facts, gstreamer-egui §1).
        seconds: clip.frames as f64 * pixels as f64 * 1.5e-8,
        // Frames in the encoder's look-ahead and references at 1.5 bytes a pixel, a chunk of RGB.
        host_bytes: pixels * 3 / 2 * 60 + pixels * 3 * 8,
        ..Cost::default()
    })
}

#[cfg(feature = "media")]
fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    use longtake_media::SegmentWriter;
    use longtake_run::Segment;

    use crate::failure::OrFail;

    let clip = cx.clip("video")?;
    let info = clip.info();
    let format = super::save_video::format_of(cx, info)?;
    let path = cx.env.store.data_path(&cx.step.signature, ".segment")?;
    let mut writer = SegmentWriter::create(&path, &format).or_fail()?;
    let mut done = 0;
    clip.for_each(|_, frame| {
        writer.push_rgb(&rgb(&frame)).or_fail()?;
        done += 1;
        // A small picture every second or so is enough to look at.
        let preview = (done % 24 == 1).then(|| frame.clone());
        cx.progress_with(
            done,
            info.frames,
            "frame",
            preview.map(longtake_run::Preview::Frame),
        )
    })?;
    writer.finish().or_fail()?;
    Ok(vec![Value::Segment(Segment { path, info })])
}

#[cfg(feature = "media")]
fn rgb(frame: &longtake_run::Frame) -> std::borrow::Cow<'_, [u8]> {
    use longtake_run::Pixels;
    match &*frame.pixels {
        Pixels::U8(bytes) if frame.channels == 3 => std::borrow::Cow::Borrowed(bytes),
        Pixels::U8(_) | Pixels::U16(_) | Pixels::F32(_) => {
            std::borrow::Cow::Owned(frame.to_rgb().to_u8())
        }
    }
}

#[cfg(not(feature = "media"))]
fn run(_: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    Err(RunError::failed(super::file::no_media()))
}
