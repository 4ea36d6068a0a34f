//! `Storyboard`: the film's shot list.

use std::sync::Arc;

use longtake_graph::declare::{float, int, output, shots, text};
use longtake_graph::{Declaration, Diagnostic, Kind, Place, Sentence, Storyboard, say};
use longtake_plan::{InferCx, InferError, Info};

use crate::{Node, rate};

const DECLARATION: Declaration = Declaration {
    class: "Storyboard",
    title: "Storyboard",
    title_ja: "絵コンテ",
    category: "film",
    category_ja: "映像",
    help: "The film's shots in order, with its size and frame rate. Everything that depends on EachShot \
           is made once for every shot of this list.",
    help_ja: "映像のショットを順に並べ、サイズとフレームレートを決めます。EachShot \
              につながるものは、このリストのショットごとに 1 回ずつ作られます。",
    inputs: &[
        text("title", "").help("Title of the film", "映像のタイトル"),
        int("width", 1920)
            .within(16, 16384)
            .unit("px")
            .help("Width of the film's frames", "映像のフレームの幅"),
        int("height", 1080)
            .within(16, 16384)
            .unit("px")
            .help("Height of the film's frames", "映像のフレームの高さ"),
        float("fps", 24.0)
            .within_f(1.0, 1000.0)
            .step_f(0.001)
            .unit("fps")
            .help(
                "Frame rate. 23.976, 29.97 and 59.94 stand for the exact NTSC rates",
                "フレームレート。23.976、29.97、59.94 は正確な NTSC のレートを表します。",
            ),
        shots("shots").help("The shot list", "ショットリスト"),
    ],
    outputs: &[output("STORYBOARD", Kind::STORYBOARD)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let side = |name: &str| cx.int(name).map(|it| it.clamp(1, 16384) as u32);
    let (width, height) = (side("width")?, side("height")?);
    let exact = rate::from_float("fps", cx.float("fps")?)?;
    let Some(shots) = cx.json("shots") else {
        return Err(InferError::at(
            "required_input_missing",
            "shots",
            say!(
                "`shots` needs a list of shots",
                "「shots」にはショットのリストが必要です。"
            ),
        ));
    };
    let place = Place::default();
    let (shots, found) = longtake_graph::parse_shots(&place, shots);
    let errors: Vec<&Diagnostic> = found.iter().filter(|it| is_error(it)).collect();
    if !errors.is_empty() {
        let en: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let ja = errors.iter().map(|it| {
            let place = it.place.sentence().ja;
            format!("{place}: {}", it.message.ja)
        });
        let message = Sentence {
            en: en.join("; "),
            ja: ja.collect(),
        };
        return Err(InferError::at("invalid_shots", "shots", message));
    }
    Ok(vec![Info::Storyboard(Storyboard {
        title: cx.text("title")?.to_owned(),
        width,
        height,
        fps: (exact.num, exact.den),
        shots: Arc::new(shots),
    })])
}

fn is_error(it: &Diagnostic) -> bool {
    it.severity == longtake_graph::Severity::Error
}
