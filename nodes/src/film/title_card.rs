//! `TitleCard`: a designed card with a shot's title, description and caption.

use longtake_graph::declare::{choice, colour, float, int, output, seed, socket, text, text_area};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{ClipInfo, InferCx, InferError, Info};
use longtake_run::{Frame, RunCx, RunError, Value};

use super::recipe::{Drawn, drawn_cost};
use crate::Node;
use crate::failure::{IntoRunError, OrFail, no_frames, not_a_colour, not_one_of};
use crate::picture::backdrop::{SCENES, Scene};
use crate::picture::card::{LAYOUTS, Layout, Words, on_picture, on_scene};
use crate::picture::palette::{self, Palette, Rgb};
use crate::picture::resize::{Method, scale};

const DECLARATION: Declaration = Declaration {
    class: "TitleCard",
    title: "Title card",
    title_ja: "タイトルカード",
    category: "film/animatic",
    category_ja: "映像/アニマティック",
    help: "A still card for an animatic: title, description and caption on a drawn backdrop or on a \
           picture. Drawn once, however many frames it has. A second line of the title is set smaller: \
           the place for another language.",
    help_ja: "アニマティック用の静止カードです。描いた背景または画像の上に、タイトル、説明、\
              キャプションを載せます。フレーム数によらず 1 回だけ描きます。タイトルの 2 \
              行目は小さくなるので、別の言語を入れられます。",
    inputs: &[
        text_area("title", "").help(
            "Title; further lines are set smaller",
            "タイトル。2 行目以降は小さくなります。",
        ),
        text_area("body", "").help("What is to be seen", "映したいもの"),
        text_area("caption", "").help(
            "Dialogue or narration, shown as a subtitle",
            "字幕として表示するせりふやナレーション",
        ),
        int("width", 1920)
            .within(16, 16384)
            .unit("px")
            .help("Width of the film's frames", "映像のフレームの幅"),
        int("height", 1080)
            .within(16, 16384)
            .unit("px")
            .help("Height of the film's frames", "映像のフレームの高さ"),
        int("frames", 96)
            .within(1, 10_000_000)
            .unit("frames")
            .help("Length", "長さ"),
        choice("style", "auto", LAYOUTS).help(
            "panel: words lower left; title: large and centred; subtitle: the caption only; \
                 auto: panel, or title when there is no body",
            "panel: 左下に文字、title: 中央に大きく、subtitle: キャプションだけ、auto: \
                 panel。本文がなければ title",
        ),
        choice("backdrop", "auto", SCENES).help(
            "What is drawn behind the words; auto goes by the seed",
            "文字の後ろに描くもの。auto ならシードで決まります。",
        ),
        choice("palette", "auto", palette::NAMES).help(
            "Colours of the backdrop; auto goes by the seed, custom is made of background \
                 and accent",
            "背景の配色。auto ならシードで決まり、custom なら background と accent \
                 から作ります。",
        ),
        seed("seed").help(
            "Makes each backdrop its own. auto takes palette seed mod 8, and backdrop (seed \
                 / 8) mod 7",
            "背景ごとに変化を付けます。auto は配色にシードを 8 で割った余り、背景に(シード \
                 / 8)を 7 で割った余りを使います。",
        ),
        colour("background", "#141a26").help(
            "Base colour of the custom palette and the plain backdrop",
            "配色 custom と単色の背景の基本色",
        ),
        colour("accent", "#e8b04a").help(
            "Rules and numbers of the custom palette, and on pictures",
            "配色 custom のときと画像の上での、線と番号の色",
        ),
        float("overscan", 1.0).within_f(1.0, 2.0).help(
            "Draws the card this much larger, so that a CameraMove after it moves over real \
                 pixels",
            "カードをこの倍率で大きく描き、後に続く CameraMove \
                 が実際のピクセルの上を動けるようにします。",
        ),
        text("label", "").optional().help(
            "Small line at the top, usually the film's title",
            "上部の小さな行。通常は映像のタイトル",
        ),
        int("number", 0).optional().within(0, 1_000_000).help(
            "Shot number; 0 shows none",
            "ショット番号。0 なら表示しません。",
        ),
        int("total", 0).optional().within(0, 1_000_000).help(
            "Number of shots; 0 shows none",
            "ショットの数。0 なら表示しません。",
        ),
        float("seconds", 0.0)
            .optional()
            .within_f(0.0, 86_400.0)
            .unit("s")
            .help(
                "Length shown at the top; 0 shows none",
                "上部に示す長さ。0 なら表示しません。",
            ),
        text("camera", "")
            .optional()
            .help("Camera move shown at the top", "上部に示すカメラの動き"),
        socket("image", Kind::IMAGE).optional().help(
            "A picture behind the words, instead of a backdrop",
            "描いた背景の代わりに、文字の後ろに置く画像",
        ),
    ],
    outputs: &[output("IMAGE", Kind::IMAGE)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::lazy(&DECLARATION, infer, drawn_cost, run);

/// Size of the card: the film's, times the overscan.
fn card_size(width: i64, height: i64, overscan: f64) -> Result<(u32, u32), InferError> {
    let side = |name: &str, value: i64| {
        let drawn = (value as f64 * overscan.clamp(1.0, 4.0)).round();
        if (1.0..=32768.0).contains(&drawn) {
            return Ok(drawn as u32);
        }
        let message = say!(
            "expected 1 to 32768 px with overscan, found {drawn}",
            "オーバースキャン込みで 1〜32768 px にしてください(現在: {drawn})。"
        );
        Err(InferError::at("value_out_of_range", name, message))
    };
    Ok((side("width", width)?, side("height", height)?))
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
    let (width, height) = card_size(cx.int("width")?, cx.int("height")?, cx.float("overscan")?)?;
    let frames = cx.int("frames")?.max(1) as u64;
    Ok(vec![Info::Clip(ClipInfo {
        frames,
        width,
        height,
        channels: 3,
        fps: None,
    })])
}

/// What is to be written on the card.
fn words(cx: &RunCx<'_>) -> Result<Words, RunError> {
    let text = |name: &str| cx.text(name).map(str::to_owned);
    let count = |name: &str| cx.int(name).map(|it| it.max(0) as u64);
    Ok(Words {
        label: text("label")?,
        number: count("number")?,
        total: count("total")?,
        seconds: cx.float("seconds")?,
        camera: text("camera")?,
        title: text("title")?,
        body: text("body")?,
        caption: text("caption")?,
    })
}

/// A choice's value that the program does not know.
pub(super) fn unknown(input: &str, options: &[&str], found: &str) -> RunError {
    not_one_of(input, options, found).into_run_error()
}

pub(super) fn colour_of(cx: &RunCx<'_>, name: &str) -> Result<Rgb, RunError> {
    let text = cx.text(name)?;
    palette::parse(text).ok_or_else(|| not_a_colour(name, text).into_run_error())
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let size = card_size(cx.int("width")?, cx.int("height")?, cx.float("overscan")?).or_fail()?;
    let frames = cx.int("frames")?.max(1) as u64;
    let info = ClipInfo {
        frames,
        width: size.0,
        height: size.1,
        channels: 3,
        fps: None,
    };
    let overscan = cx.float("overscan")?.max(1.0);
    let words = words(cx)?;
    let style = cx.text("style")?;
    let layout = Layout::named(style).ok_or_else(|| unknown("style", LAYOUTS, style))?;
    let (background, accent) = (colour_of(cx, "background")?, colour_of(cx, "accent")?);
    if cx.has("image") {
        let picture = cx.clip("image")?;
        let drawn = Drawn::new(move || {
            on_picture(&words, layout, accent, &cover(&picture, size)?, overscan)
        });
        return Ok(vec![Value::Clip(drawn.clip(info))]);
    }
    let (backdrop, name, seed) = (cx.text("backdrop")?, cx.text("palette")?, cx.seed("seed")?);
    let scene =
        Scene::named(backdrop, seed).ok_or_else(|| unknown("backdrop", SCENES, backdrop))?;
    let name = if scene == Scene::Plain && name == "auto" {
        "custom"
    } else {
        name
    };
    let palette = Palette::named(name, seed, background, accent)
        .ok_or_else(|| unknown("palette", palette::NAMES, name))?;
    let drawn =
        Drawn::new(move || on_scene(&words, layout, (scene, &palette, seed), size, overscan));
    Ok(vec![Value::Clip(drawn.clip(info))])
}

/// The first frame of a clip, filling that size.
pub(super) fn cover(
    clip: &longtake_run::Clip,
    (width, height): (u32, u32),
) -> Result<Frame, RunError> {
    let first = clip.read(0..1)?.pop();
    let frame = first.ok_or_else(|| no_frames("image"))?;
    Ok(scale(
        &frame.to_rgb(),
        (width, height),
        Method::Lanczos,
        true,
    ))
}
