//! `RetargetPose`: a motion given to the body of a reference picture.

use longtake_graph::declare::{choice, output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{InferCx, InferError, Info};

use super::recipe::{Make, Recipe};
use super::retarget::Mode;
use crate::Node;
use crate::failure::named;

const DECLARATION: Declaration = Declaration {
    class: "RetargetPose",
    title: "Retarget pose",
    title_ja: "ポーズを参照に合わせる",
    category: "conditioning/pose",
    category_ja: "コンディショニング/ポーズ",
    help: "Places a motion where the person of the reference picture stands, in that person's size, so that the \
           character does not change its build when it starts to move. The result has the reference's canvas.",
    help_ja: "参照画像の人物が立つ位置に、その人物の大きさで動きを置きます。\
              動き始めたときにキャラクターの体格が変わるのを防ぎます。\
              結果は参照画像のキャンバスになります。",
    inputs: &[
        socket("pose", Kind::POSE_KEYPOINT).help("The motion", "動き"),
        socket("reference_pose", Kind::POSE_KEYPOINT).help(
            "Keypoints of the reference picture (the first frame that shows somebody)",
            "参照画像のキーポイント(人物が映る最初のフレーム)",
        ),
        choice("mode", "camera", Mode::NAMES).help(
            "camera: as SCAIL does, zoom 0.7 to 1.4, stretch 0.8 to 1.15 and shift; \
                 proportions: every bone gets the reference's length",
            "camera: SCAIL と同じく、拡大 0.7〜1.4、伸縮 0.8〜1.15 と移動、proportions: \
                 すべての骨を参照画像の長さにする",
        ),
    ],
    outputs: &[output("POSE_KEYPOINT", Kind::POSE_KEYPOINT)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let (pose, reference) = (
        Recipe::known(cx, "pose")?,
        Recipe::known(cx, "reference_pose")?,
    );
    let recipe = Recipe {
        frames: pose.frames,
        canvas: reference.canvas,
        fps: pose.fps,
        make: Make::Retarget {
            pose: Box::new(pose),
            reference: Box::new(reference),
            mode: named(cx, "mode", Mode::NAMES, Mode::named)?,
        },
    };
    Ok(vec![Info::Constant(recipe.to_json())])
}
