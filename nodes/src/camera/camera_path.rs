//! `CameraPath`: a camera move by name or from keyframes.

use longtake_graph::declare::{choice, float, int, output, text_area};
use longtake_graph::{Declaration, say};
use longtake_plan::{InferCx, InferError, Info};

use super::curve::{CURVES, Curve};
use super::path::{CameraPath, MOST_FRAMES};
use super::{CAMERA_PATH, keyframes, moves, uni3c};
use crate::Node;
use crate::failure::not_one_of;
use crate::picture::blend::{EASES, Ease};

/// Every move: ours, keyframes, Uni3C's.
const MOVES: &[&str] = &[
    "keyframes",
    "static",
    "dolly-in",
    "dolly-out",
    "dolly-zoom",
    "orbit-left",
    "orbit-right",
    "orbit-up",
    "orbit-down",
    "orbit-360",
    "pan-left",
    "pan-right",
    "tilt-up",
    "tilt-down",
    "crane-up",
    "crane-down",
    "truck-left",
    "truck-right",
    "zoom-in",
    "zoom-out",
    "uni3c-free1",
    "uni3c-free2",
    "uni3c-free3",
    "uni3c-free4",
    "uni3c-free5",
    "uni3c-swing1",
    "uni3c-swing2",
    "uni3c-orbit",
];

const KEYFRAMES: &str = "# time   theta (<0 up), phi (>0 left), distance, x, y, z, focal, pan, tilt
0%    phi 0
50%   phi -20  theta -6
100%  phi -40  distance 0.8
";

const DECLARATION: Declaration = Declaration {
    class: "CameraPath",
    title: "Camera path",
    title_ja: "カメラの軌跡",
    category: "conditioning/camera",
    category_ja: "コンディショニング/カメラ",
    help: "Where the camera goes, for a PointCloudGuide. Lengths are counted in the distance from the \
           first camera to the subject. Moves called uni3c-… are those that Uni3C's authors published, \
           number for number; amount, ease and curve leave them alone.",
    help_ja: "PointCloudGuide に渡すカメラの動きです。長さは、\
              最初のカメラから被写体までの距離を 1 として数えます。uni3c- で始まる動きは Uni3C \
              の作者が公開した数値そのままで、amount、ease、curve の影響を受けません。",
    inputs: &[
        choice("move", "orbit-right", MOVES).help(
            "What the camera does; keyframes follows the text below",
            "カメラの動き。keyframes を選ぶと下のテキストに従います。",
        ),
        float("amount", 1.0).within_f(0.0, 8.0).step_f(0.05).help(
            "Size of a named move: 1 is 35° of orbit, 20° of orbit up, 15° of pan, 10° of \
                 tilt, 0.3 of truck or crane, 0.6 × the distance, 1.5 × the focal length",
            "名前付きの動きの大きさ。1 は、orbit で 35°、上下の orbit で 20°、pan で 15°、\
                 tilt で 10°、truck と crane で 0.3、距離の 0.6 倍、焦点距離の 1.5 \
                 倍に当たります。",
        ),
        int("length", 81)
            .within(0, MOST_FRAMES as i128)
            .unit("frames")
            .help(
                "Length (Wan takes 4k+1); 0 takes seconds × fps",
                "長さ(Wan は 4k+1)。0 なら seconds × fps",
            ),
        float("seconds", 5.0)
            .within_f(0.0, 3600.0)
            .unit("s")
            .help("Length, when length is 0", "length が 0 のときの長さ"),
        float("fps", 16.0).within_f(0.001, 1000.0).unit("fps").help(
            "Frame rate that seconds are counted in",
            "秒数を数えるフレームレート",
        ),
        choice("ease", "ease-in-out", EASES).help(
            "How the whole path starts and ends",
            "軌跡全体の始まり方と終わり方",
        ),
        choice("curve", "smooth", CURVES).help(
            "Between keyframes. smooth: never beyond the keys; swing: Catmull-Rom; linear: \
                 straight",
            "キーフレーム間のつなぎ方。smooth: キーの値を超えない、swing: Catmull-Rom、\
                 linear: 直線",
        ),
        float("elevation", 5.0)
            .within_f(-45.0, 45.0)
            .step_f(0.5)
            .unit("°")
            .help(
                "How far the first camera is thought to stand above the subject; orbits turn \
                 about the subject's upright axis",
                "最初のカメラが被写体をどれだけ見下ろす角度か。orbit \
                 は被写体の垂直軸を中心に回ります。",
            ),
        text_area("keyframes", KEYFRAMES).help(
            "A line per key: a time (0 to 1, or 0% to 100%), then names and numbers. theta \
                 and phi in degrees about the subject, distance and focal as factors, x, y, z \
                 right, down and forward, pan and tilt in degrees about the camera",
            "1 行に 1 つのキー: 時刻(0〜1 または 0%〜100%)、続けて名前と数値。theta と phi \
                 は被写体を中心とした角度(度)、distance と focal は倍率、x、y、z は右・下・前、\
                 pan と tilt はカメラを中心とした角度(度)です。",
        ),
    ],
    outputs: &[output("camera_path", CAMERA_PATH)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

/// What the inputs say.
struct Recipe<'a> {
    name: &'a str,
    amount: f64,
    length: usize,
    ease: Ease,
    curve: Curve,
    keyframes: &'a str,
}

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let (ease, curve) = (cx.text("ease")?, cx.text("curve")?);
    let length = match cx.int("length")? {
        0 => (cx.float("seconds")? * cx.float("fps")?).round().max(1.0),
        frames => frames.max(1) as f64,
    };
    if length > MOST_FRAMES as f64 {
        let message = say!(
            "expected at most {MOST_FRAMES} frames, found {length}",
            "フレーム数は {MOST_FRAMES} 以下にしてください(現在: {length})。"
        );
        return Err(InferError::at("value_bigger_than_max", "length", message));
    }
    let recipe = Recipe {
        name: cx.text("move")?,
        amount: cx.float("amount")?,
        length: length as usize,
        ease: Ease::named(ease).ok_or_else(|| not_one_of("ease", EASES, ease))?,
        curve: Curve::named(curve).ok_or_else(|| not_one_of("curve", CURVES, curve))?,
        keyframes: cx.text("keyframes")?,
    };
    let elevation = cx.float("elevation")?;
    let path = recipe.path(elevation)?;
    let path = path.ok_or_else(|| not_one_of("move", MOVES, recipe.name))?;
    Ok(vec![Info::Constant(path.to_json())])
}

impl Recipe<'_> {
    /// The path; none when there is no such move.
    fn path(&self, elevation: f64) -> Result<Option<CameraPath>, InferError> {
        let path = |frames| CameraPath {
            name: self.name.to_owned(),
            elevation,
            frames,
        };
        if let Some(frames) = uni3c::frames(self.name, self.length) {
            return Ok(Some(path(frames)));
        }
        let steps = (self.length - 1).max(1) as f64;
        let times = (0..self.length).map(|i| self.ease.at(i as f64 / steps));
        if self.name == "keyframes" {
            let keys = keyframes::parse(self.keyframes).map_err(|error| {
                InferError::at("keyframes_unreadable", "keyframes", error.sentence())
            })?;
            let frames = times.map(|t| keyframes::at(&keys, self.curve, t)).collect();
            return Ok(Some(path(frames)));
        }
        let frames: Option<Vec<_>> = times
            .map(|t| moves::at(self.name, self.amount, t))
            .collect();
        Ok(frames.map(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(name: &str) -> Recipe<'_> {
        Recipe {
            name,
            amount: 1.0,
            length: 9,
            ease: Ease::InOut,
            curve: Curve::Smooth,
            keyframes: KEYFRAMES,
        }
    }

    #[test]
    fn every_listed_move_makes_a_path_and_no_move_is_left_out() {
        for name in MOVES {
            let path = recipe(name).path(5.0).unwrap().unwrap();
            assert_eq!(path.frames.len(), 9, "{name}");
            assert_eq!(CameraPath::from_json(&path.to_json()), Ok(path), "{name}");
        }
        let all = moves::NAMES.iter().chain(&uni3c::NAMES);
        for name in all {
            assert!(MOVES.contains(name), "{name}");
        }
        assert_eq!(recipe("fly").path(5.0).unwrap(), None);
    }

    #[test]
    fn bad_keyframes_say_where() {
        let bad = Recipe {
            keyframes: "0 phi 0\n1 phi",
            ..recipe("keyframes")
        };
        let error = bad.path(5.0).unwrap_err();
        assert!(
            error.message.en.contains("line 2, column 6"),
            "{}",
            error.message
        );
    }
}
