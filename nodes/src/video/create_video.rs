//! `CreateVideo`: frames and a rate.

use std::ops::Range;

use longtake_graph::declare::{float, output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{ClipInfo, Cost, Fps, InferCx, InferError, Info, Role};
use longtake_run::{Clip, Frame, FrameSource, RunCx, RunError, Value};

use crate::failure::OrFail;
use crate::{Node, rate};

const DECLARATION: Declaration = Declaration {
    class: "CreateVideo",
    title: "Create video",
    title_ja: "動画を作成",
    category: "image/video",
    category_ja: "画像/動画",
    help: "Gives frames a rate.",
    help_ja: "フレームにフレームレートを付けます。",
    inputs: &[
        socket("images", Kind::IMAGE).help("The frames", "フレーム"),
        float("fps", 30.0)
            .within_f(1.0, 120.0)
            .step_f(1.0)
            .unit("fps")
            .help("Frames per second", "1 秒あたりのフレーム数"),
        socket("audio", Kind::AUDIO).optional().help(
            "Kept for ComfyUI's graphs; not written yet",
            "ComfyUI のグラフとの互換用です。まだ書き込まれません。",
        ),
    ],
    outputs: &[output("VIDEO", Kind::VIDEO)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::lazy(&DECLARATION, infer, |_| Cost::default(), run)
    .role(Role::FrameLocal { input: "images" });

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let fps = rate::from_float("fps", cx.float("fps")?)?;
    Ok(vec![Info::Clip(ClipInfo {
        fps: Some(fps),
        ..cx.clip("images")?
    })])
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let fps = rate::from_float("fps", cx.float("fps")?).or_fail()?;
    Ok(vec![Value::Clip(Clip::new(Rated {
        clip: cx.clip("images")?,
        fps,
    }))])
}

struct Rated {
    clip: Clip,
    fps: Fps,
}

impl FrameSource for Rated {
    fn info(&self) -> ClipInfo {
        ClipInfo {
            fps: Some(self.fps),
            ..self.clip.info()
        }
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<Frame>, RunError> {
        self.clip.read(range)
    }
}
