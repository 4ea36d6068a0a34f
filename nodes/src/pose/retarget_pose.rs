//! `RetargetPose`: a motion given to the body of a reference picture.

use longtake_graph::declare::{choice, output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{InferCx, InferError, Info};

use super::recipe::{Make, Recipe};
use super::retarget::Mode;
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "RetargetPose",
    title: "Retarget pose",
    title_ja: "ポーズを参照に合わせる",
    category: "conditioning/pose",
    help: "Places a motion where the person of the reference picture stands, in that person's size, so that the \
           character does not change its build when it starts to move. The result has the reference's canvas.",
    inputs: &[
        socket("pose", Kind::POSE_KEYPOINT).help("The motion"),
        socket("reference_pose", Kind::POSE_KEYPOINT).help("Keypoints of the reference picture (the first frame that shows somebody)"),
        choice("mode", "camera", Mode::NAMES)
            .help("camera: as SCAIL does, zoom 0.7 to 1.4, stretch 0.8 to 1.15 and shift; proportions: every bone gets the reference's length"),
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
            mode: Mode::named(cx.text("mode")?),
        },
    };
    Ok(vec![Info::Constant(recipe.to_json())])
}
