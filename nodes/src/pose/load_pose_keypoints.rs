//! `LoadPoseKeypoints`: a motion from OpenPose, DWPose or ComfyUI keypoint JSON.

use longtake_graph::declare::{FileKind, choice, float, input_file, int, output};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{InferCx, InferError, Info};
use serde_json::json;

use super::clean::Smoothing;
use super::lift::Lift;
use super::recipe::{Make, Recipe, Source};
use super::track::Depth;
use crate::Node;
use crate::failure::named;
use crate::node::fact_error;

const DECLARATION: Declaration = Declaration {
    class: "LoadPoseKeypoints",
    title: "Load pose keypoints",
    title_ja: "ポーズキーポイントを読み込む",
    category: "conditioning/pose",
    category_ja: "コンディショニング/ポーズ",
    help: "Keypoints of moving people from a JSON file (OpenPose, DWPose, ComfyUI's POSE_KEYPOINT: a frame or a \
           list of frames) or from a folder of OpenPose's *_keypoints.json. Bodies of 18 or 25 joints, hands, faces, \
           pixels or fractions, several people.",
    help_ja: "動く人物のキーポイントを、JSON ファイル(OpenPose、DWPose、ComfyUI の \
              POSE_KEYPOINT。1 フレームまたはフレームのリスト)か、OpenPose の *_keypoints.json \
              を入れたフォルダーから読み込みます。18 または 25 関節の体、手、顔、\
              ピクセルまたは比率、複数の人物に対応します。",
    inputs: &[
        input_file("file", FileKind::Keypoints).help(
            "JSON file or folder under --input",
            "--input の中の JSON ファイルまたはフォルダー",
        ),
        float("fps", 0.0).within_f(0.0, 1000.0).unit("fps").help(
            "Rate of the video the keypoints were found in; 0: not known",
            "キーポイントを検出した動画のフレームレート。0 なら不明",
        ),
        float("min_confidence", 0.05).within_f(0.0, 1.0).help(
            "Points the detector was less sure of count as not seen",
            "検出器の確信度がこれより低い点は、見えないものとして扱います。",
        ),
        int("fill_gaps", 5).within(0, 1000).unit("frames").help(
            "Joints missing for at most so many frames are put on a straight line",
            "このフレーム数まで欠けた関節を、直線で補います。",
        ),
        choice("smoothing", "none", Smoothing::NAMES).help(
            "Against jitter. gaussian: even, softens fast moves; one_euro: holds still \
                 joints, follows fast ones",
            "細かな揺れを抑えます。gaussian: 均等で、速い動きは柔らかくなる、one_euro: \
                 静止した関節は止め、速い動きには従う",
        ),
        float("smoothing_frames", 1.5)
            .within_f(0.1, 50.0)
            .unit("frames")
            .help("Strength of the smoothing", "平滑化の強さ"),
        choice("lift", "turned", Lift::NAMES).help(
            "Depth for 2-D points. turned: shoulders and hips turned as they look, so that \
                 near limbs hide far ones; flat: none",
            "2 次元の点に付ける奥行き。turned: 肩と腰を見た目どおりに回し、\
                 手前の手足が奥を隠すようにする、flat: 付けない",
        ),
        choice("depth", "auto", Depth::NAMES).help(
            "pose_keypoints_3d, if there: camera space in millimetres (NLF), depth in the \
                 picture's unit, or ignored",
            "pose_keypoints_3d がある場合の扱い: ミリメートルのカメラ空間(NLF)、\
                 画像の単位での奥行き、または無視",
        ),
        int("canvas_width", 0)
            .optional()
            .within(0, 32768)
            .unit("px")
            .help(
                "Size of the picture the keypoints were found in; 0 takes the file's",
                "キーポイントを検出した画像の幅。0 ならファイルの値",
            ),
        int("canvas_height", 0)
            .optional()
            .within(0, 32768)
            .unit("px")
            .help(
                "Its height; 0 takes the file's",
                "その画像の高さ。0 ならファイルの値",
            ),
    ],
    outputs: &[
        output("POSE_KEYPOINT", Kind::POSE_KEYPOINT),
        output("frames", Kind::INT),
        output("width", Kind::INT),
        output("height", Kind::INT),
    ],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let file = cx.text("file")?;
    let facts = cx.facts.media(FileKind::Keypoints, file);
    let facts = facts.map_err(|e| fact_error("file", e))?;
    let Info::Clip(found) = facts.info else {
        let message = say!(
            "`{file}` holds no keypoints",
            "「{file}」にキーポイントがありません。"
        );
        return Err(InferError::at("pose_unreadable", "file", message));
    };
    let side = |name: &str| cx.int(name).map(|it| it.clamp(0, 32768) as u32);
    let told = (side("canvas_width")?, side("canvas_height")?);
    let canvas = match (told, (found.width, found.height)) {
        ((0, 0), (0, _) | (_, 0)) => {
            let message = say!(
                "`{file}` tells no canvas_width and canvas_height; set both to the size of the picture its keypoints were found in",
                "「{file}」に canvas_width と canvas_height がありません。キーポイントを検出した画像のサイズを両方に指定してください。"
            );
            return Err(InferError::at(
                "pose_without_canvas",
                "canvas_width",
                message,
            ));
        }
        ((0, 0), size) => size,
        ((0, _) | (_, 0), _) => {
            let message = say!(
                "set both canvas_width and canvas_height, or neither",
                "canvas_width と canvas_height は、両方とも指定するか、どちらも指定しないでください。"
            );
            return Err(InferError::at(
                "pose_without_canvas",
                "canvas_width",
                message,
            ));
        }
        (size, _) => size,
    };
    let fps = cx.float("fps")?;
    let recipe = Recipe {
        frames: found.frames,
        canvas: [f64::from(canvas.0), f64::from(canvas.1)],
        fps: (fps > 0.0).then_some(fps),
        make: Make::File(Source {
            file: file.to_owned(),
            hash: facts.hash.clone(),
            canvas: (told != (0, 0)).then_some([f64::from(canvas.0), f64::from(canvas.1)]),
            confidence: cx.float("min_confidence")?,
            depth: named(cx, "depth", Depth::NAMES, Depth::named)?,
            lift: named(cx, "lift", Lift::NAMES, Lift::named)?,
            gap: cx.int("fill_gaps")?.max(0) as usize,
            smoothing: named(cx, "smoothing", Smoothing::NAMES, Smoothing::named)?,
            strength: cx.float("smoothing_frames")?,
        }),
    };
    Ok(vec![
        Info::Constant(recipe.to_json()),
        Info::Constant(json!(found.frames)),
        Info::Constant(json!(canvas.0)),
        Info::Constant(json!(canvas.1)),
    ])
}
