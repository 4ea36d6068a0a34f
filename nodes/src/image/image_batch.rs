//! `ImageBatch`: two clips one after the other.

use longtake_graph::declare::{output, socket};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{ClipInfo, InferCx, InferError, Info};
use longtake_run::{RunCx, RunError, Value};

use crate::Node;
use crate::film::recipe::{Part, floats_cost, join, map};
use crate::picture::resize::{Method, scale};

const DECLARATION: Declaration = Declaration {
    class: "ImageBatch",
    title: "Batch images",
    title_ja: "画像をバッチ化",
    category: "image/batch",
    category_ja: "画像/バッチ",
    help: "The frames of both inputs. The second is scaled to the first one's size, cut around its centre.",
    help_ja: "両方の入力のフレームを並べます。2 番目は最初のサイズに合わせて拡大縮小し、\
              中央を切り取ります。",
    inputs: &[
        socket("image1", Kind::IMAGE).help(
            "Comes first, and gives the size",
            "先に並べるもの。サイズもこちらで決まります。",
        ),
        socket("image2", Kind::IMAGE).help("Comes second", "後に並べるもの"),
    ],
    outputs: &[output("IMAGE", Kind::IMAGE)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::lazy(&DECLARATION, infer, floats_cost, run);

fn both(first: ClipInfo, second: ClipInfo) -> ClipInfo {
    ClipInfo {
        frames: first.frames.saturating_add(second.frames),
        ..first
    }
}

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let (first, second) = (cx.clip("image1")?, cx.clip("image2")?);
    if first.channels != second.channels {
        let message = say!(
            "expected {} channels as in image1, found {}",
            "image1 と同じく {} チャンネルが必要ですが、{} チャンネルです。",
            first.channels,
            second.channels
        );
        return Err(InferError::at("size_mismatch", "image2", message));
    }
    Ok(vec![Info::Clip(both(first, second))])
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let (first, second) = (cx.clip("image1")?, cx.clip("image2")?);
    let (one, two) = (first.info(), second.info());
    let size = (one.width, one.height);
    let second = if size == (two.width, two.height) {
        second
    } else {
        let info = ClipInfo {
            frames: two.frames,
            ..one
        };
        map(second, info, move |frame| {
            Ok(scale(&frame, size, Method::Bilinear, true))
        })
    };
    let parts = vec![Part::whole(first), Part::whole(second)];
    Ok(vec![Value::Clip(join(both(one, two), parts))])
}
