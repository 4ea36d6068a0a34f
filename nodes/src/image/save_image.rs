//! `SaveImage`: frames as PNG files that carry their graph.

use std::io::Write;
use std::path::Path;

use longtake_graph::declare::{socket, text};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{Cost, CostCx, InferCx, InferError, Info, Keep, Lane, Rung};
use longtake_run::{Frame, RunCx, RunError, Value, files};
use serde_json::Value as Json;

use crate::Node;
use crate::film::recipe::floats_cost;
use crate::node::one_way;
use crate::output::Numbered;

const DECLARATION: Declaration = Declaration {
    class: "SaveImage",
    title: "Save image",
    title_ja: "画像を保存",
    category: "image",
    category_ja: "画像",
    help: "Writes every frame as an 8-bit PNG, PREFIX_00001_.png and so on, under --output. The graph is in \
           the file, as ComfyUI puts it there.",
    help_ja: "すべてのフレームを --output に 8 ビット PNG(PREFIX_00001_.png \
              など)で書き出します。ComfyUI と同じく、グラフもファイルに入ります。",
    inputs: &[
        socket("images", Kind::IMAGE).help("The frames", "フレーム"),
        text("filename_prefix", "ComfyUI").help(
            "Folder and name under --output",
            "--output の中のフォルダーと名前",
        ),
    ],
    output_node: true,
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(&DECLARATION, infer, Lane::Cpu, Keep::Output, rungs, run);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    crate::output::check_prefix(cx)?;
    cx.clip("images").map(|_| Vec::new())
}

pub(super) fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    let mut cost = Cost { ..floats_cost(cx) };
    if let Ok(clip) = cx.clip("images") {
        let frame = u64::from(clip.width) * u64::from(clip.height) * u64::from(clip.channels);
        // One frame as bytes and as a PNG; about 12 ns a sample to filter and deflate.
        cost.host_bytes = frame.saturating_mul(2);
        cost.seconds = frame as f64 * clip.frames as f64 * 12e-9;
    }
    one_way(cost)
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let prefix = cx.text("filename_prefix")?.to_owned();
    save(cx, &prefix).map(|value| vec![value])
}

/// Writes every frame of `images`, one at a time.
pub(super) fn save(cx: &mut RunCx<'_>, prefix: &str) -> Result<Value, RunError> {
    let clip = cx.clip("images")?;
    let info = clip.info();
    let mut names = Numbered::new(
        &cx.env.roots.output,
        prefix,
        Some((info.width, info.height)),
    )?;
    let prompt = cx.env.prompt.as_ref().map(ascii_json);
    let mut written = Vec::with_capacity(info.frames as usize);
    clip.for_each(|index, frame| {
        let path = names.next("png");
        write_png(&path, &frame, prompt.as_deref())?;
        written.push(path);
        cx.progress(index + 1, info.frames, "frame")
    })?;
    Ok(Value::Files(written))
}

/// JSON with everything but ASCII escaped, as Python's `json.dumps` writes it: a PNG `tEXt` chunk
/// holds Latin-1 only.
fn ascii_json(value: &Json) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    for unit in value.to_string().chars() {
        if unit.is_ascii() {
            out.push(unit);
        } else {
            for half in unit.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{half:04x}");
            }
        }
    }
    out
}

/// Writes a PNG, whole or not at all, with its graph if one is given.
///
/// # Errors
/// The file cannot be written.
pub fn write_png(path: &Path, frame: &Frame, prompt: Option<&str>) -> Result<(), RunError> {
    files::write_atomic(path, |out| {
        encode(out, frame, prompt).map_err(|e| match e {
            png::EncodingError::IoError(e) => RunError::io(say!("writing", "書き込み"), path, &e),
            other => RunError::failed(say!(
                "{}: making a PNG: {other}",
                "{}: PNG を作れません: {other}",
                path.display()
            )),
        })
    })
}

fn encode(
    out: &mut impl Write,
    frame: &Frame,
    prompt: Option<&str>,
) -> Result<(), png::EncodingError> {
    let mut encoder = png::Encoder::new(out, frame.width, frame.height);
    encoder.set_color(match frame.channels {
        1 => png::ColorType::Grayscale,
        3 => png::ColorType::Rgb,
        _ => png::ColorType::Rgba,
    });
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    if let Some(prompt) = prompt {
        encoder.add_text_chunk("prompt".to_owned(), prompt.to_owned())?;
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&frame.to_u8())?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use longtake_run::Pixels;

    #[test]
    fn pictures_carry_their_graph() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.png");
        let frame = Frame::new(2, 1, 3, Pixels::U8(vec![1, 2, 3, 4, 5, 6]));
        let graph =
            serde_json::json!({"1": {"class_type": "TitleCard", "inputs": {"title": "灯台 😀"}}});
        write_png(&path, &frame, Some(&ascii_json(&graph))).unwrap();
        let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
        let reader = png::Decoder::new(file).read_info().unwrap();
        let chunk = &reader.info().uncompressed_latin1_text[0];
        assert_eq!(chunk.keyword, "prompt");
        assert!(chunk.text.is_ascii());
        assert_eq!(serde_json::from_str::<Json>(&chunk.text).unwrap(), graph);
        let back = crate::picture::load::picture(&path).unwrap().colour;
        assert_eq!(back, frame);
    }
}
