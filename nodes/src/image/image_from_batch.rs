//! `ImageFromBatch`: a stretch of frames.

use longtake_graph::declare::{int, output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{ClipInfo, InferCx, InferError, Info};
use longtake_run::{RunCx, RunError, Value};

use crate::Node;
use crate::film::recipe::{Part, floats_cost, join};

const DECLARATION: Declaration = Declaration {
    class: "ImageFromBatch",
    title: "Image from batch",
    title_ja: "バッチから画像",
    category: "image/batch",
    category_ja: "画像/バッチ",
    help: "Some of a clip's frames. What reaches past the end is cut off, as in ComfyUI.",
    help_ja: "クリップの一部のフレームを取り出します。終わりを超える分は、ComfyUI \
              と同じく切り捨てます。",
    inputs: &[
        socket("image", Kind::IMAGE).help("The frames", "フレーム"),
        int("batch_index", 0).within(0, 4095).help(
            "The first frame, counted from 0",
            "最初のフレーム(0 から数える)",
        ),
        int("length", 1)
            .within(1, 4096)
            .unit("frames")
            .help("How many", "枚数"),
    ],
    outputs: &[output("IMAGE", Kind::IMAGE)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::lazy(&DECLARATION, infer, floats_cost, run);

fn range(frames: u64, index: i64, length: i64) -> std::ops::Range<u64> {
    let start = (index.max(0) as u64).min(frames.saturating_sub(1));
    start..(start + length.max(1) as u64).min(frames)
}

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let clip = cx.clip("image")?;
    let range = range(clip.frames, cx.int("batch_index")?, cx.int("length")?);
    Ok(vec![Info::Clip(ClipInfo {
        frames: range.end - range.start,
        ..clip
    })])
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let clip = cx.clip("image")?;
    let range = range(
        clip.info().frames,
        cx.int("batch_index")?,
        cx.int("length")?,
    );
    let info = ClipInfo {
        frames: range.end - range.start,
        ..clip.info()
    };
    Ok(vec![Value::Clip(join(info, vec![Part { clip, range }]))])
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn stretches_end_with_the_clip() {
        assert_eq!(range(10, 3, 4), 3..7);
        assert_eq!(range(10, 8, 4), 8..10);
        assert_eq!(range(10, 99, 4), 9..10);
    }
}
