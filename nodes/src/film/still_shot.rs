//! `StillShot`: a picture held for a while, with a title and a caption over it if wanted.

use longtake_graph::declare::{choice, colour, float, int, output, socket, text, text_area};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{ClipInfo, InferCx, InferError, Info};
use longtake_run::{Frame, Pixels, RunCx, RunError, Value};

use super::recipe::{Drawn, drawn_cost};
use super::title_card::{colour_of, cover};
use crate::Node;
use crate::failure::{IntoRunError, no_frames, not_a_colour, not_one_of};
use crate::picture::canvas::Canvas;
use crate::picture::card::{Layout, Words, on_picture};
use crate::picture::palette::{self, Rgb};
use crate::picture::resize::{Method, resize};

/// How a picture of another shape lies in the frame.
const FITS: &[&str] = &["cover", "contain", "stretch"];

const DECLARATION: Declaration = Declaration {
    class: "StillShot",
    title: "Still shot",
    title_ja: "静止画ショット",
    category: "film/animatic",
    category_ja: "映像/アニマティック",
    help: "A picture (or a plain colour) for some seconds. Its first frame is scaled to the film's size.",
    help_ja: "画像(または単色)を数秒間映します。最初のフレームを映像のサイズに合わせます。",
    inputs: &[
        int("width", 1920)
            .within(16, 16384)
            .unit("px")
            .help("Width of the film's frames", "映像のフレームの幅"),
        int("height", 1080)
            .within(16, 16384)
            .unit("px")
            .help("Height of the film's frames", "映像のフレームの高さ"),
        int("frames", 0).within(0, 10_000_000).unit("frames").help(
            "Length; 0 takes seconds × fps",
            "長さ。0 なら seconds × fps",
        ),
        float("seconds", 4.0)
            .within_f(0.0, 86_400.0)
            .unit("s")
            .help("Length, when frames is 0", "frames が 0 のときの長さ"),
        float("fps", 24.0).within_f(0.001, 1000.0).unit("fps").help(
            "Frame rate that seconds are counted in",
            "秒数を数えるフレームレート",
        ),
        choice("fit", "cover", FITS).help(
            "cover: fills the frame, edges are cut; contain: all of it, with bars; stretch: \
                 exactly the size",
            "cover: 画面を埋めて端を切る、contain: 全体を入れて余白を付ける、stretch: \
                 サイズどおりに伸縮",
        ),
        colour("background", "#101010").help(
            "Bars, and the shot itself when there is no picture",
            "余白の色。画像がないときは画面全体の色",
        ),
        text_area("title", "").help("Title at the lower left", "左下のタイトル"),
        text_area("caption", "").help("Subtitle", "サブタイトル"),
        text("label", "")
            .optional()
            .help("Small line at the top", "上部の小さな行"),
        colour("accent", "#e8b04a")
            .optional()
            .help("Rule above the title", "タイトルの上の線"),
        socket("image", Kind::IMAGE)
            .optional()
            .help("The picture", "画像"),
    ],
    outputs: &[output("IMAGE", Kind::IMAGE)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::lazy(&DECLARATION, infer, drawn_cost, run);

fn length(frames: i64, seconds: f64, fps: f64) -> u64 {
    if frames > 0 {
        frames as u64
    } else {
        (seconds * fps).round().clamp(1.0, 1e12) as u64
    }
}

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    for name in ["background", "accent"] {
        let text = cx.text(name)?;
        if palette::parse(text).is_none() {
            return Err(not_a_colour(name, text));
        }
    }
    if cx.has("image") {
        cx.clip("image")?;
    }
    Ok(vec![Info::Clip(ClipInfo {
        frames: length(cx.int("frames")?, cx.float("seconds")?, cx.float("fps")?),
        width: cx.int("width")?.clamp(1, 16384) as u32,
        height: cx.int("height")?.clamp(1, 16384) as u32,
        channels: 3,
        fps: None,
    })])
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let side = |name: &str| cx.int(name).map(|it| it.clamp(1, 16384) as u32);
    let (width, height) = (side("width")?, side("height")?);
    let frames = length(cx.int("frames")?, cx.float("seconds")?, cx.float("fps")?);
    let info = ClipInfo {
        frames,
        width,
        height,
        channels: 3,
        fps: None,
    };
    let background = colour_of(cx, "background")?;
    let accent = colour_of(cx, "accent")?;
    let text = |name: &str| cx.text(name).map(str::to_owned);
    let words = Words {
        label: text("label")?,
        number: 0,
        total: 0,
        seconds: 0.0,
        camera: String::new(),
        title: text("title")?,
        body: String::new(),
        caption: text("caption")?,
    };
    let fit = text("fit")?;
    if !FITS.contains(&fit.as_str()) {
        return Err(not_one_of("fit", FITS, &fit).into_run_error());
    }
    let image = if cx.has("image") {
        Some(cx.clip("image")?)
    } else {
        None
    };
    let drawn = Drawn::new(move || {
        let picture = match &image {
            None => plain((width, height), background),
            Some(clip) if fit == "cover" => cover(clip, (width, height))?,
            Some(clip) => placed(
                &clip.read(0..1)?,
                (width, height),
                background,
                fit == "stretch",
            )?,
        };
        let silent = [&words.title, &words.caption, &words.label]
            .iter()
            .all(|it| it.trim().is_empty());
        if silent {
            Ok(picture)
        } else {
            on_picture(&words, Layout::Panel, accent, &picture, 1.0)
        }
    });
    Ok(vec![Value::Clip(drawn.clip(info))])
}

fn plain((width, height): (u32, u32), colour: Rgb) -> Frame {
    Canvas::paint(width, height, |_, _| colour).into_frame()
}

/// The whole picture in the frame, with bars or stretched.
fn placed(
    frames: &[Frame],
    (width, height): (u32, u32),
    bars: Rgb,
    stretch: bool,
) -> Result<Frame, RunError> {
    let Some(picture) = frames.first().map(Frame::to_rgb) else {
        return Err(no_frames("image"));
    };
    if stretch {
        return Ok(resize(&picture, width, height, Method::Lanczos));
    }
    let ratio = (f64::from(width) / f64::from(picture.width))
        .min(f64::from(height) / f64::from(picture.height));
    let side = |it: u32, most: u32| ((f64::from(it) * ratio).round() as u32).clamp(1, most);
    let (w, h) = (side(picture.width, width), side(picture.height, height));
    let small = resize(&picture, w, h, Method::Lanczos).to_u8();
    let (left, top) = ((width - w) / 2, (height - h) / 2);
    let mut data = plain((width, height), bars).to_u8();
    for (y, row) in small.chunks_exact(w as usize * 3).enumerate() {
        let at = ((top as usize + y) * width as usize + left as usize) * 3;
        data[at..at + row.len()].copy_from_slice(row);
    }
    Ok(Frame::new(width, height, 3, Pixels::U8(data)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_contained_between_bars() {
        let picture = Frame::new(4, 2, 3, Pixels::U8(vec![200; 24]));
        let frame = placed(&[picture], (8, 8), [0.0; 3], false).unwrap();
        let column: Vec<u8> = frame.to_u8().iter().skip(12).step_by(24).copied().collect();
        assert_eq!(column, [0, 0, 200, 200, 200, 200, 0, 0]);
        assert_eq!(
            (
                length(0, 2.5, 24.0),
                length(7, 2.5, 24.0),
                length(0, 0.0, 24.0)
            ),
            (60, 7, 1)
        );
    }
}
