//! Keypoint JSON as ComfyUI's tools, OpenPose and DWPose write it.
//!
//! A file holds a list of frames or one frame; a frame is
//! `{"people": [{"pose_keypoints_2d": [x, y, c, …], …}], "canvas_width", "canvas_height"}`. Bodies come
//! with 18 joints (COCO-18), 20 or 24 (with feet, left out) or 25 (BODY_25). Coordinates are
//! pixels of the canvas, or fractions of it when none is above [`NORMALISED`] in the whole file.

use longtake_graph::{Sentence, say};
use serde_json::{Map, Value as Json};

use super::error::{PoseError, Spot};
use super::skeleton::{FACE, FROM_BODY_25, HAND, JOINTS};
use longtake_graph::literal::describe;

/// Largest coordinate of a file in fractions of the canvas: joints may lie somewhat outside of it,
/// and no picture is as small as that.
pub const NORMALISED: f64 = 2.0;
/// People in one frame.
const MOST_PEOPLE: usize = 64;
/// Nothing measured on pictures or bodies (in millimetres) is larger.
const LARGEST: f64 = 1e6;

/// A point as written: x, y and how sure the detector was.
pub type Seen = [f64; 3];
/// A joint as written: x, y, z and how sure.
pub type SeenJoint = [f64; 4];

/// One person as written. What is absent is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawPerson {
    /// 18 joints.
    pub body: Vec<Seen>,
    /// 18 joints with depth.
    pub space: Vec<SeenJoint>,
    /// 21 points.
    pub left_hand: Vec<Seen>,
    /// 21 points.
    pub right_hand: Vec<Seen>,
    /// 68 or 70 points.
    pub face: Vec<Seen>,
}

/// One frame as written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawFrame {
    /// Width and height of the canvas, where the frame tells them.
    pub canvas: Option<[f64; 2]>,
    /// Everybody in it.
    pub people: Vec<RawPerson>,
}

/// The frames of a JSON text; `file` is what errors call it.
///
/// # Errors
/// No JSON, or not of the shape above: names file, frame, person and field.
pub fn frames(file: &str, text: &[u8]) -> Result<Vec<RawFrame>, PoseError> {
    let place = Spot::file(file);
    let json: Json = serde_json::from_slice(text).map_err(|e| {
        let what = say!(
            "expected keypoints as JSON: {e}",
            "JSON 形式のキーポイントが必要です: {e}"
        );
        PoseError::at(place, what)
    })?;
    match &json {
        Json::Array(list) => {
            if list.is_empty() {
                let what = say!(
                    "expected at least one frame, found an empty list",
                    "フレームが 1 つ以上必要ですが、リストが空です。"
                );
                return Err(PoseError::at(place, what));
            }
            let each = list.iter().enumerate();
            each.map(|(i, it)| frame(place.frame(i), it)).collect()
        }
        one => Ok(vec![frame(place, one)?]),
    }
}

fn frame(place: Spot<'_>, value: &Json) -> Result<RawFrame, PoseError> {
    let Some(map) = value.as_object() else {
        let found = describe(value);
        let what = say!(
            "expected a frame {{\"people\": […]}}, found {found}",
            "フレーム {{\"people\": […]}} が必要です(現在: {found})。";
            found
        );
        return Err(PoseError::at(place, what));
    };
    let people = match map.get("people") {
        Some(Json::Array(people)) => people.as_slice(),
        Some(Json::Null) => &[],
        other => {
            let other = other.map_or_else(|| say!("none", "なし"), describe);
            let what = say!(
                "expected a list `people`, found {other}",
                "「people」はリストである必要があります(現在: {other})。";
                other
            );
            return Err(PoseError::at(place, what));
        }
    };
    if people.len() > MOST_PEOPLE {
        let what = say!(
            "expected at most {MOST_PEOPLE} people, found {}",
            "人数は {MOST_PEOPLE} 人以下にしてください(現在: {})。",
            people.len()
        );
        return Err(PoseError::at(place, what));
    }
    let side = |name| side(place, map, name);
    let canvas = match (side("canvas_width")?, side("canvas_height")?) {
        (Some(width), Some(height)) => Some([width, height]),
        (None, None) => None,
        (width, _) => {
            let (there, missing) = match width {
                Some(_) => ("canvas_width", "canvas_height"),
                None => ("canvas_height", "canvas_width"),
            };
            let what = say!(
                "expected `{missing}` beside `{there}`, found none; give both or neither",
                "「{there}」があるのに「{missing}」がありません。両方とも書くか、どちらも書かないでください。"
            );
            return Err(PoseError::at(place, what));
        }
    };
    let people = people.iter().enumerate();
    let people = people.map(|(i, it)| person(place.person(i), it));
    Ok(RawFrame {
        canvas,
        people: people.collect::<Result<_, _>>()?,
    })
}

fn side(place: Spot<'_>, map: &Map<String, Json>, name: &str) -> Result<Option<f64>, PoseError> {
    match map.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(value) => match value.as_f64() {
            Some(side) if (1.0..=32768.0).contains(&side) => Ok(Some(side)),
            _ => {
                let found = describe(value);
                let what = say!(
                    "expected `{name}` from 1 to 32768 pixels, found {found}",
                    "「{name}」は 1〜32768 ピクセルにしてください(現在: {found})。";
                    found
                );
                Err(PoseError::at(place, what))
            }
        },
    }
}

fn person(place: Spot<'_>, value: &Json) -> Result<RawPerson, PoseError> {
    let Some(map) = value.as_object() else {
        let found = describe(value);
        let what = say!(
            "expected a person {{\"pose_keypoints_2d\": […]}}, found {found}",
            "人物 {{\"pose_keypoints_2d\": […]}} が必要です(現在: {found})。";
            found
        );
        return Err(PoseError::at(place, what));
    };
    let exactly = |name: &str, points: Vec<Seen>, counts: &[usize]| {
        if points.is_empty() || counts.contains(&points.len()) {
            return Ok(points);
        }
        let expected: Vec<String> = counts.iter().map(|n| (n * 3).to_string()).collect();
        let expected = Sentence {
            en: expected.join(" or "),
            ja: expected.join("か "),
        };
        let what = say!(
            "`{name}` has {} numbers; expected {expected}",
            "「{name}」の数値は {} 個ですが、{expected} 個が必要です。",
            points.len() * 3;
            expected
        );
        Err(PoseError::at(place, what))
    };
    let hand = |name: &str| exactly(name, points(place, map, name)?, &[HAND]);
    let body = joints(
        place,
        "pose_keypoints_2d",
        points(place, map, "pose_keypoints_2d")?,
    )?;
    let space = joints(
        place,
        "pose_keypoints_3d",
        points(place, map, "pose_keypoints_3d")?,
    )?;
    let face = "face_keypoints_2d";
    Ok(RawPerson {
        body,
        space,
        left_hand: hand("hand_left_keypoints_2d")?,
        right_hand: hand("hand_right_keypoints_2d")?,
        face: exactly(face, points(place, map, face)?, &[68, FACE])?,
    })
}

/// The 18 joints of a body in any known layout.
fn joints<const N: usize>(
    place: Spot<'_>,
    name: &str,
    points: Vec<[f64; N]>,
) -> Result<Vec<[f64; N]>, PoseError> {
    match points.len() {
        0 | JOINTS => Ok(points),
        // COCO-18 with two toes or six foot points behind.
        20 | 24 => Ok(points[..JOINTS].to_vec()),
        25 => Ok(FROM_BODY_25.iter().map(|&i| points[i]).collect()),
        n => {
            let (few, feet, many) = (JOINTS * N, 24 * N, 25 * N);
            let what = say!(
                "`{name}` has {} numbers; expected {few} (18 joints), {} or {feet} (with feet) or {many} (BODY_25)",
                "「{name}」の数値は {} 個ですが、{few} 個(18 関節)、{} か {feet} 個(足を含む)、{many} 個(BODY_25)のいずれかが必要です。",
                n * N,
                20 * N
            );
            Err(PoseError::at(place, what))
        }
    }
}

/// A flat list of numbers as points of `N` numbers.
fn points<const N: usize>(
    place: Spot<'_>,
    map: &Map<String, Json>,
    name: &str,
) -> Result<Vec<[f64; N]>, PoseError> {
    let list = match map.get(name) {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::Array(list)) => list,
        Some(other) => {
            let found = describe(other);
            let what = say!(
                "expected `{name}` to be a list, found {found}",
                "「{name}」はリストである必要があります(現在: {found})。";
                found
            );
            return Err(PoseError::at(place, what));
        }
    };
    if list.len() % N != 0 {
        let what = say!(
            "`{name}` has {} numbers, no multiple of {N}",
            "「{name}」の数値は {} 個で、{N} の倍数ではありません。",
            list.len()
        );
        return Err(PoseError::at(place, what));
    }
    let number = |index: usize| match &list[index] {
        // A joint that was not found; some tools write null for each of its numbers.
        Json::Null => Ok(0.0),
        value => match value.as_f64() {
            Some(number) if number.abs() <= LARGEST => Ok(number),
            _ => {
                let found = describe(value);
                let what = say!(
                    "`{name}`[{index}]: expected a number up to {LARGEST}, found {found}",
                    "「{name}」[{index}]: {LARGEST} 以下の数値が必要です(現在: {found})。";
                    found
                );
                Err(PoseError::at(place, what))
            }
        },
    };
    let mut points = Vec::with_capacity(list.len() / N);
    for first in (0..list.len()).step_by(N) {
        let mut point = [0.0; N];
        for (offset, value) in point.iter_mut().enumerate() {
            *value = number(first + offset)?;
        }
        points.push(point);
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(json: &Json) -> Result<Vec<RawFrame>, String> {
        frames("a.json", json.to_string().as_bytes()).map_err(|e| e.to_string())
    }

    fn numbers(count: usize) -> Vec<f64> {
        (0..count).map(|i| i as f64).collect()
    }

    #[test]
    fn lists_and_single_frames_are_read() {
        let person = json!({"pose_keypoints_2d": numbers(54), "face_keypoints_2d": null,
            "hand_left_keypoints_2d": numbers(63), "hand_right_keypoints_2d": []});
        let frame = json!({"people": [person], "canvas_width": 512, "canvas_height": 896.0});
        let one = read(&frame).unwrap();
        let list = read(&json!([frame, {"people": []}, {"people": null}])).unwrap();
        assert_eq!(one[0], list[0]);
        assert_eq!(one[0].canvas, Some([512.0, 896.0]));
        assert_eq!(one[0].people[0].body[1], [3.0, 4.0, 5.0]);
        assert_eq!(one[0].people[0].left_hand.len(), 21);
        assert!(list[1].people.is_empty() && list[2].people.is_empty());
    }

    #[test]
    fn body_25_is_mapped_down_and_feet_are_left_out() {
        let body = |count: usize| {
            let frame = json!({"people": [{"pose_keypoints_2d": numbers(count * 3)}]});
            let joints = read(&frame).unwrap().remove(0).people.remove(0).body;
            joints.iter().map(|it| it[0] / 3.0).collect::<Vec<_>>()
        };
        assert_eq!(body(18), numbers(18));
        assert_eq!(body(24), numbers(18));
        assert_eq!(body(20), numbers(18));
        // Hips, knees, ankles, eyes and ears follow the middle of the hips, which has no place.
        assert_eq!(body(25)[7..10], [7.0, 9.0, 10.0]);
        assert_eq!(body(25)[14..], [15.0, 16.0, 17.0, 18.0]);
    }

    #[test]
    fn bad_files_are_told_with_their_place() {
        let cases = [
            (json!([]), "a.json: expected at least one frame"),
            (json!(7), "a.json: expected a frame"),
            (
                json!([{"people": []}, 7]),
                "a.json, frame 1: expected a frame {\"people\": […]}, found 7",
            ),
            (json!({}), "a.json: expected a list `people`, found none"),
            (
                json!({"people": "x"}),
                "expected a list `people`, found the text \"x\"",
            ),
            (
                json!({"people": [3]}),
                "a.json, person 0: expected a person",
            ),
            (
                json!({"people": vec![json!({}); 65]}),
                "at most 64 people, found 65",
            ),
            (
                json!({"people": [], "canvas_width": -3}),
                "`canvas_width` from 1 to 32768 pixels, found -3",
            ),
            (
                json!({"people": [], "canvas_width": 512}),
                "expected `canvas_height` beside `canvas_width`",
            ),
            (
                json!({"people": [], "canvas_width": null, "canvas_height": 512}),
                "expected `canvas_width` beside `canvas_height`",
            ),
            (
                json!({"people": [{"pose_keypoints_2d": [1, 2]}]}),
                "`pose_keypoints_2d` has 2 numbers, no multiple of 3",
            ),
            (
                json!({"people": [{"pose_keypoints_2d": numbers(51)}]}),
                "`pose_keypoints_2d` has 51 numbers; expected 54",
            ),
            (
                json!([{"people": [{}, {"pose_keypoints_2d": [1, "x", 1]}]}]),
                "a.json, frame 0, person 1: `pose_keypoints_2d`[1]: expected a number",
            ),
            (
                json!({"people": [{"pose_keypoints_2d": [1, 1e300, 1]}]}),
                "expected a number up to 1000000",
            ),
            (
                json!({"people": [{"pose_keypoints_3d": numbers(54)}]}),
                "`pose_keypoints_3d` has 54 numbers, no multiple of 4",
            ),
            (
                json!({"people": [{"hand_left_keypoints_2d": numbers(60)}]}),
                "`hand_left_keypoints_2d` has 60 numbers; expected 63",
            ),
            (
                json!({"people": [{"face_keypoints_2d": numbers(63)}]}),
                "expected 204 or 210",
            ),
            (
                json!({"people": [{"face_keypoints_2d": {}}]}),
                "expected `face_keypoints_2d` to be a list, found an empty object",
            ),
        ];
        for (json, expected) in cases {
            let error = read(&json).unwrap_err();
            assert!(error.contains(expected), "{json}: {error}");
        }
        let cut = frames("a.json", b"[{\"people\": [")
            .unwrap_err()
            .to_string();
        assert!(
            cut.starts_with("a.json: expected keypoints as JSON: EOF"),
            "{cut}"
        );
        let deep = "[".repeat(100_000);
        assert!(frames("a.json", deep.as_bytes()).is_err());
    }
}
