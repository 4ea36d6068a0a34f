//! `ConcatClips`: clips one after the other.

use longtake_graph::declare::{output, socket};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{ClipInfo, InferCx, InferError, Info};
use longtake_run::{RunCx, RunError, Value};

use super::recipe::{Part, floats_cost, join, same_size};
use crate::Node;
use crate::failure::{OrFail, no_frames};

const DECLARATION: Declaration = Declaration {
    class: "ConcatClips",
    title: "Concatenate clips",
    title_ja: "クリップを連結",
    category: "film",
    category_ja: "映像",
    help: "The pieces of a film as one clip.",
    help_ja: "映像の各部分を 1 本のクリップにします。",
    inputs: &[socket("clips", Kind::IMAGE).help("The clips in order", "順に並べたクリップ")],
    outputs: &[output("IMAGE", Kind::IMAGE)],
    internal: true,
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::lazy(&DECLARATION, infer, floats_cost, run);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let mut whole: Option<ClipInfo> = None;
    for (index, info) in cx.list("clips").iter().enumerate() {
        let (Info::Clip(clip) | Info::Segment(clip)) = info else {
            let message = say!(
                "piece {} of the film is not made of frames",
                "映像の {} 番目の区間がフレームではありません。",
                index + 1
            );
            return Err(InferError::at("return_type_mismatch", "clips", message));
        };
        match &mut whole {
            None => whole = Some(*clip),
            Some(whole) => {
                let what = say!("piece {} of the film", "映像の {} 番目の区間", index + 1);
                same_size("clips", *whole, *clip, &what)?;
                whole.frames = whole.frames.saturating_add(clip.frames);
            }
        }
    }
    match whole {
        Some(clip) => Ok(vec![Info::Clip(clip)]),
        None => Err(InferError::at(
            "required_input_missing",
            "clips",
            say!(
                "the film has no shots; add one to the storyboard",
                "映像にショットがありません。絵コンテに追加してください。"
            ),
        )),
    }
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let parts: Vec<Part> = cx.clips("clips")?.into_iter().map(Part::whole).collect();
    let Some(first) = parts.first() else {
        return Err(no_frames("clips"));
    };
    let frames = parts.iter().map(|part| part.range.end).sum();
    let info = ClipInfo {
        frames,
        ..first.clip.info()
    };
    for (index, part) in parts.iter().enumerate() {
        let what = say!("piece {} of the film", "映像の {} 番目の区間", index + 1);
        same_size("clips", info, part.clip.info(), &what).or_fail()?;
    }
    Ok(vec![Value::Clip(join(info, parts))])
}
