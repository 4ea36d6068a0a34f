//! `DrawPose`: the pose video SCAIL is driven by, drawn from keypoints.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use longtake_graph::declare::{boolean, choice, float, int, output, socket};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{ClipInfo, Cost, CostCx, InferCx, InferError, Info};
use longtake_run::{Clip, Frame, FrameSource, Pixels, RunCx, RunError, Value};
use serde_json::json;

use super::motion::{Fit, Motion, POINTS};
use super::overlay::{Parts, Sheet, lay_over};
use super::recipe::Recipe;
use super::render::{Depths, draw};
use crate::failure::{OrFail, named};
use crate::film::recipe::bytes_cost;
use crate::{Node, rate};

const DECLARATION: Declaration = Declaration {
    class: "DrawPose",
    title: "Draw pose",
    title_ja: "ポーズを描く",
    category: "conditioning/pose",
    category_ja: "コンディショニング/ポーズ",
    help: "Draws people as the shaded capsules that SCAIL was trained on (55° camera, limbs of 21.5 mm radius, black \
           background), with hands and faces flat over them. Feed the frames to WanSCAILToVideo's pose_video.",
    help_ja: "SCAIL の学習に使われた陰影付きのカプセル(画角 55°、手足の半径 21.5 mm、\
              黒い背景)で人物を描き、その上に手と顔を平面で重ねます。フレームは WanSCAILToVideo \
              の pose_video につなぎます。",
    inputs: &[
        socket("pose", Kind::POSE_KEYPOINT).help("The motion", "動き"),
        int("width", 512).within(16, 16384).unit("px").help(
            "Width of the frames: the video's",
            "フレームの幅。動画と同じにします。",
        ),
        int("height", 896).within(16, 16384).unit("px").help(
            "Height of the frames: the video's",
            "フレームの高さ。動画と同じにします。",
        ),
        int("length", 0).within(0, 100_000).unit("frames").help(
            "How many frames; 0 takes all. Past the end the last pose is held. Wan wants 4n+1",
            "フレーム数。0 ならすべて。終わりを過ぎると最後のポーズを保ちます。Wan では \
                 4n+1 にします。",
        ),
        float("fps", 0.0).within_f(0.0, 1000.0).unit("fps").help(
            "Rate of the frames; 0 keeps the keypoints'. Another than theirs (set where \
                 they are loaded) takes poses between",
            "フレームレート。0 ならキーポイントと同じ。読み込み時の値と異なる場合は、\
                 間のポーズを補います。",
        ),
        choice("fit", "cover", Fit::NAMES).help(
            "When the keypoints' canvas has another shape. cover: as the reference picture \
                 is cropped; contain; stretch",
            "キーポイントのキャンバスの縦横比が異なるときの合わせ方。cover: \
                 参照画像と同じように切り取る、contain: 全体を収める、stretch: 伸縮する",
        ),
        boolean("draw_hands", true).help(
            "Fingers, where the keypoints have them",
            "指(キーポイントにある場合)",
        ),
        boolean("draw_face", true).help(
            "Brows, eyes, mouth and the lines to the ears, where the keypoints have them",
            "眉、目、口、耳への線(キーポイントにある場合)",
        ),
    ],
    outputs: &[output("IMAGE", Kind::IMAGE), output("length", Kind::INT)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::lazy(&DECLARATION, infer, cost, run);

/// Frames that are made, and how far apart they lie in the motion.
fn timing(recipe: &Recipe, length: i64, fps: f64) -> (u64, f64) {
    let step = match recipe.fps {
        Some(own) if fps > 0.0 => own / fps,
        _ => 1.0,
    };
    let all = ((recipe.frames.max(1) - 1) as f64 / step + 1e-9).floor() as u64 + 1;
    (if length > 0 { length as u64 } else { all }, step)
}

fn clip(
    recipe: &Recipe,
    [width, height]: [i64; 2],
    length: i64,
    fps: f64,
) -> Result<ClipInfo, InferError> {
    let shown = if fps > 0.0 { Some(fps) } else { recipe.fps };
    let (frames, _) = timing(recipe, length, fps);
    if frames > 10_000_000 {
        let message = say!(
            "expected at most 10000000 frames, found {frames}; raise no rate that far",
            "フレーム数は 10000000 以下にしてください(現在: {frames})。フレームレートを下げてください。"
        );
        return Err(InferError::at("value_out_of_range", "fps", message));
    }
    Ok(ClipInfo {
        frames,
        width: width.clamp(1, 16384) as u32,
        height: height.clamp(1, 16384) as u32,
        channels: 3,
        fps: shown.map(|it| rate::from_float("fps", it)).transpose()?,
    })
}

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let recipe = Recipe::known(cx, "pose")?;
    let size = [cx.int("width")?, cx.int("height")?];
    let info = clip(&recipe, size, cx.int("length")?, cx.float("fps")?)?;
    Ok(vec![Info::Clip(info), Info::Constant(json!(info.frames))])
}

/// Frames of a chunk, and everybody's points (places and joints) in all frames.
fn cost(cx: &CostCx<'_>) -> Cost {
    let mut cost = bytes_cost(cx);
    let frames = match cx.outputs.first() {
        Some(Info::Clip(clip)) => clip.frames,
        _ => 0,
    };
    cost.host_bytes += frames * (POINTS as u64 * 24 + 1024) * 2;
    cost
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let recipe = Recipe::given(cx.json("pose"))?;
    let size = [cx.int("width")?, cx.int("height")?];
    let (length, fps) = (cx.int("length")?, cx.float("fps")?);
    let info = clip(&recipe, size, length, fps).or_fail()?;
    let (_, step) = timing(&recipe, length, fps);
    let source = Drawing {
        info,
        recipe,
        step,
        fit: named(cx, "fit", Fit::NAMES, Fit::named).or_fail()?,
        parts: Parts {
            hands: cx.boolean("draw_hands")?,
            face: cx.boolean("draw_face")?,
        },
        input: cx.env.roots.input.clone(),
        stage: Mutex::new(None),
    };
    Ok(vec![
        Value::Clip(Clip::new(source)),
        Value::Json(json!(info.frames)),
    ])
}

/// A motion on the canvas it is drawn on, and how deep it is.
struct Stage {
    motion: Motion,
    depths: Depths,
}

/// Frames drawn when they are asked for; the keypoints are read at the first of them.
struct Drawing {
    info: ClipInfo,
    recipe: Recipe,
    step: f64,
    fit: Fit,
    parts: Parts,
    input: PathBuf,
    stage: Mutex<Option<Arc<Stage>>>,
}

impl Drawing {
    fn stage(&self) -> Result<Arc<Stage>, RunError> {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stage) = &*stage {
            return Ok(Arc::clone(stage));
        }
        let canvas = [f64::from(self.info.width), f64::from(self.info.height)];
        let motion = self.recipe.motion(&self.input)?;
        let motion = motion.fitted(canvas, self.fit);
        let motion = motion.resampled(self.info.frames as usize, self.step);
        let depths = Depths::of(&motion);
        let made = Arc::new(Stage { motion, depths });
        *stage = Some(Arc::clone(&made));
        Ok(made)
    }
}

impl FrameSource for Drawing {
    fn info(&self) -> ClipInfo {
        self.info
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<Frame>, RunError> {
        let stage = self.stage()?;
        let size = (self.info.width, self.info.height);
        Ok(range
            .map(|i| frame(&stage, i as usize, size, self.parts))
            .collect())
    }
}

/// One frame of a motion that lies on a canvas of that size.
fn frame(stage: &Stage, index: usize, (width, height): (u32, u32), parts: Parts) -> Frame {
    let size = [width as usize, height as usize];
    let people = stage
        .motion
        .tracks
        .iter()
        .map(|it| (it.view, &it.frames[index]));
    let people: Vec<_> = people.collect();
    let mut data = draw(size, &people, &stage.depths);
    if parts.hands || parts.face {
        let mut flat = vec![0; data.len()];
        let mut sheet = Sheet {
            data: &mut flat,
            size,
        };
        for (_, person) in &people {
            sheet.person(person, parts);
        }
        lay_over(&mut data, &flat);
    }
    Frame::new(width, height, 3, Pixels::U8(data))
}

#[cfg(test)]
mod tests;
