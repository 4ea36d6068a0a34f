//! From frames as written to people: units made pixels, doubtful points left out, everybody followed.

use super::error::{PoseError, Spot};
use super::motion::{
    BODY, FACE_POINTS, Joint, LEFT_HAND, Motion, Person, Point, RIGHT_HAND, Track, View, distance,
};
use super::read::{NORMALISED, RawFrame, RawPerson, Seen};
use longtake_graph::say;

/// A person who is gone for more frames than this comes back as somebody else.
const FORGOTTEN: usize = 48;
/// Farthest move from one frame to the next, in diagonals of the canvas.
const FARTHEST: f64 = 0.25;
/// Least depth in millimetres of joints given in camera space.
const NEAREST: f64 = 300.0;

/// What the third coordinate of `pose_keypoints_3d` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// [`Depth::Camera`] when all of them lie 300 or more before the camera, else [`Depth::Image`].
    Auto,
    /// Camera space in millimetres, as NLF writes it: x right, y down, z away, 55° camera.
    Camera,
    /// x and y as in 2-D, z in the same unit behind the body's plane.
    Image,
    /// Left out.
    Ignore,
}

impl Depth {
    /// Names in files.
    pub const NAMES: &[&str] = &["auto", "camera", "image", "ignore"];

    /// By name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "auto" => Self::Auto,
            "camera" => Self::Camera,
            "image" => Self::Image,
            "ignore" => Self::Ignore,
            _ => return None,
        })
    }
}

/// How frames as written are understood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Canvas, where the person told it; else the file does.
    pub canvas: Option<[f64; 2]>,
    /// Points of which the detector was less sure are left out, and those with 0 always.
    pub confidence: f64,
    /// Meaning of the third coordinate.
    pub depth: Depth,
}

/// The people of some frames.
///
/// # Errors
/// No canvas is known, or it changes; camera-space joints behind the camera.
pub fn motion(file: &str, frames: &[RawFrame], how: &Reading) -> Result<Motion, PoseError> {
    let canvas = canvas(file, frames, how.canvas)?;
    let units = Units::of(frames, how, canvas);
    let followed = frames.iter().enumerate().map(|(i, frame)| {
        let people = frame.people.iter().enumerate();
        let people = people.map(|(j, it)| units.person(Spot::file(file).frame(i).person(j), it));
        let people: Vec<Person> = people.collect::<Result<_, PoseError>>()?;
        Ok(people.into_iter().filter(Person::is_there).collect())
    });
    let followed: Vec<Vec<Person>> = followed.collect::<Result<_, PoseError>>()?;
    let tracks = follow(followed, canvas).into_iter();
    let view = View::of_canvas(canvas[0], canvas[1]);
    Ok(Motion {
        canvas,
        frames: frames.len(),
        tracks: tracks.map(|frames| Track { view, frames }).collect(),
    })
}

fn canvas(file: &str, frames: &[RawFrame], told: Option<[f64; 2]>) -> Result<[f64; 2], PoseError> {
    let mut known = None;
    for (i, frame) in frames.iter().enumerate() {
        match (known, frame.canvas) {
            (None, Some(canvas)) => known = Some(canvas),
            (Some(first), Some(canvas)) if first != canvas => {
                let what = say!(
                    "expected the canvas of the frames before, {}×{}, found {}×{}; scale all frames to one size",
                    "前のフレームのキャンバス {}×{} と異なります(現在: {}×{})。すべてのフレームを同じサイズにしてください。",
                    first[0],
                    first[1],
                    canvas[0],
                    canvas[1]
                );
                return Err(PoseError::at(Spot::file(file).frame(i), what));
            }
            _ => {}
        }
    }
    told.or(known).ok_or_else(|| {
        let what = say!(
            "the file tells no canvas_width and canvas_height; set both to the size of the picture the keypoints were found in",
            "ファイルに canvas_width と canvas_height がありません。キーポイントを検出した画像のサイズを両方に指定してください。"
        );
        PoseError::at(Spot::file(file), what)
    })
}

/// How numbers of a file become pixels and millimetres.
struct Units {
    flat: [f64; 2],
    space: [f64; 2],
    confidence: f64,
    camera: bool,
    image: bool,
    view: View,
}

impl Units {
    fn of(frames: &[RawFrame], how: &Reading, canvas: [f64; 2]) -> Self {
        let people = || frames.iter().flat_map(|it| &it.people);
        let sure = |c: f64| c > 0.0 && c >= how.confidence;
        let flat = people().flat_map(|it| it.body.iter().chain(&it.left_hand));
        let flat = flat.chain(people().flat_map(|it| it.right_hand.iter().chain(&it.face)));
        let largest = |all: &mut dyn Iterator<Item = [f64; 2]>| {
            all.fold(0.0, |most: f64, [x, y]| most.max(x.abs()).max(y.abs()))
        };
        let unit = |largest: f64| {
            if largest <= NORMALISED {
                canvas
            } else {
                [1.0; 2]
            }
        };
        let joints = || {
            let all = people().flat_map(|it| &it.space);
            all.filter(|it| sure(it[3]))
        };
        let before = joints().all(|it| it[2] >= NEAREST);
        Self {
            flat: unit(largest(
                &mut flat.filter(|it| sure(it[2])).map(|it| [it[0], it[1]]),
            )),
            space: unit(largest(&mut joints().map(|it| [it[0], it[1]]))),
            confidence: how.confidence,
            camera: how.depth == Depth::Camera || how.depth == Depth::Auto && before,
            image: how.depth == Depth::Image || how.depth == Depth::Auto && !before,
            view: View::of_canvas(canvas[0], canvas[1]),
        }
    }

    fn sure(&self, c: f64) -> bool {
        c > 0.0 && c >= self.confidence
    }

    /// A point of the canvas. Tools write (0, 0) for what they did not find, whatever they are sure of.
    fn point(&self, &[x, y, c]: &Seen) -> Option<Point> {
        let there = self.sure(c) && (x != 0.0 || y != 0.0);
        there.then(|| [x * self.flat[0], y * self.flat[1]])
    }

    fn person(&self, place: Spot<'_>, raw: &RawPerson) -> Result<Person, PoseError> {
        let mut person = Person::absent();
        let parts = [
            (BODY, &raw.body),
            (LEFT_HAND, &raw.left_hand),
            (RIGHT_HAND, &raw.right_hand),
            (FACE_POINTS, &raw.face),
        ];
        for (range, seen) in parts {
            for (slot, seen) in person.points[range].iter_mut().zip(seen) {
                *slot = self.point(seen);
            }
        }
        for (i, &[x, y, z, c]) in raw.space.iter().enumerate() {
            if !self.sure(c) || [x, y, z] == [0.0; 3] {
                continue;
            }
            let point = if self.camera {
                person.space[i] = Some([x, y, z]);
                Some(self.seen(place, i, [x, y, z])?)
            } else if self.image {
                person.relief[i] = Some([z * self.space[0]]);
                Some([x * self.space[0], y * self.space[1]])
            } else {
                None
            };
            person.points[i] = person.points[i].or(point);
        }
        Ok(person)
    }

    fn seen(&self, place: Spot<'_>, joint: usize, at: Joint) -> Result<Point, PoseError> {
        self.view.project(at).ok_or_else(|| {
            let what = say!(
                "joint {joint} of `pose_keypoints_3d`: expected millimetres before the camera, found z = {}; if z is relative, set depth to image",
                "`pose_keypoints_3d` の関節 {joint}: カメラの前にあるミリメートル単位の値が必要です(現在: z = {})。z が相対値の場合は depth を image にしてください。",
                at[2]
            );
            PoseError::at(place, what)
        })
    }
}

/// Gives everybody the same place in all frames, by nearness to where they were last seen.
fn follow(frames: Vec<Vec<Person>>, canvas: [f64; 2]) -> Vec<Vec<Person>> {
    let farthest = FARTHEST * canvas[0].hypot(canvas[1]);
    let count = frames.len();
    let mut tracks: Vec<(Vec<Person>, usize)> = Vec::new();
    for (at, mut people) in frames.into_iter().enumerate() {
        let mut pairs = Vec::new();
        for (t, (track, last)) in tracks.iter().enumerate() {
            if at - last <= FORGOTTEN {
                let near = people.iter().enumerate();
                let near = near.filter_map(|(p, it)| Some((apart(&track[*last], it)?, t, p)));
                pairs.extend(near.filter(|it| it.0 <= farthest));
            }
        }
        // Nearest first; ties go by the order in the file.
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let (mut given, mut taken) = (vec![false; people.len()], vec![false; tracks.len()]);
        for (_, t, p) in pairs {
            if !given[p] && !taken[t] {
                (given[p], taken[t]) = (true, true);
                tracks[t].0[at] = std::mem::replace(&mut people[p], Person::absent());
                tracks[t].1 = at;
            }
        }
        for (person, _) in people.into_iter().zip(given).filter(|it| !it.1) {
            let mut track = vec![Person::absent(); count];
            track[at] = person;
            tracks.push((track, at));
        }
    }
    tracks.into_iter().map(|it| it.0).collect()
}

/// Mean distance of the points both have; none when they share no point.
fn apart(a: &Person, b: &Person) -> Option<f64> {
    let both = |range: std::ops::Range<usize>| {
        let pairs = a.points[range.clone()].iter().zip(&b.points[range]);
        let (mut sum, mut count) = (0.0, 0);
        for (a, b) in pairs.filter_map(|(a, b)| Some(((*a)?, (*b)?))) {
            sum += distance(a, b);
            count += 1;
        }
        (count > 0).then(|| sum / f64::from(count))
    };
    both(BODY).or_else(|| both(0..a.points.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pose::read::frames;
    use serde_json::{Value as Json, json};

    const READING: Reading = Reading {
        canvas: None,
        confidence: 0.05,
        depth: Depth::Auto,
    };

    fn body(x: f64, y: f64) -> Json {
        let joint = |i: u32| [x + f64::from(i % 3), y + f64::from(i), 0.9];
        let joints: Vec<f64> = (0..18).flat_map(joint).collect();
        json!({"pose_keypoints_2d": joints})
    }

    fn read(json: Json, how: &Reading) -> Result<Motion, String> {
        let raw = frames("a.json", json.to_string().as_bytes()).unwrap();
        motion("a.json", &raw, how).map_err(|e| e.to_string())
    }

    #[test]
    fn people_keep_their_place_when_the_file_swaps_them() {
        let frame =
            |people: &[Json]| json!({"people": people, "canvas_width": 600, "canvas_height": 400});
        let motion = read(
            json!([
                frame(&[body(100.0, 50.0), body(400.0, 50.0)]),
                frame(&[body(390.0, 52.0), body(110.0, 52.0)]),
                frame(&[]),
                frame(&[body(380.0, 54.0)]),
            ]),
            &READING,
        )
        .unwrap();
        let xs = |t: usize| -> Vec<Option<f64>> {
            let frames = &motion.tracks[t].frames;
            frames.iter().map(|it| it.points[0].map(|p| p[0])).collect()
        };
        assert_eq!(motion.tracks.len(), 2);
        assert_eq!(xs(0), [Some(100.0), Some(110.0), None, None]);
        assert_eq!(xs(1), [Some(400.0), Some(390.0), None, Some(380.0)]);
    }

    #[test]
    fn fractions_become_pixels_and_doubtful_points_go() {
        let person = |points: [f64; 9]| {
            let mut all = vec![0.0; 54];
            all[..9].copy_from_slice(&points);
            json!([{"people": [{"pose_keypoints_2d": all}], "canvas_width": 200, "canvas_height": 100}])
        };
        let points =
            |json: Json| read(json, &READING).unwrap().tracks[0].frames[0].points[..3].to_vec();
        let fractions = points(person([0.5, 0.5, 1.0, 1.05, 0.1, 0.04, 0.0, 0.0, 1.0]));
        assert_eq!(fractions, [Some([100.0, 50.0]), None, None]);
        let pixels = points(person([0.5, 50.0, 1.0, 1.5, 0.1, 1.0, 0.0, 3.0, 1.0]));
        assert_eq!(pixels[0], Some([0.5, 50.0]));
        assert_eq!(pixels[2], Some([0.0, 3.0]));
    }

    #[test]
    fn depth_comes_in_millimetres_or_with_the_picture() {
        let person = |z: f64| {
            let joint = |i: u32| [10.0 * f64::from(i) + 3.0, 20.0, z, 1.0];
            let joints: Vec<f64> = (0..18).flat_map(joint).collect();
            json!({"people": [{"pose_keypoints_3d": joints}], "canvas_width": 400, "canvas_height": 400})
        };
        let one = |json: Json, depth| {
            let how = Reading { depth, ..READING };
            let mut motion = read(json, &how)?;
            Ok::<_, String>(motion.tracks.remove(0).frames.remove(0))
        };
        let camera = one(person(2000.0), Depth::Auto).unwrap();
        assert_eq!(camera.space[0], Some([3.0, 20.0, 2000.0]));
        let focal = 400.0 / (2.0 * 27.5f64.to_radians().tan());
        let seen = camera.points[0].unwrap();
        assert!((seen[1] - (200.0 + focal * 0.01)).abs() < 1e-9);
        let image = one(person(-12.0), Depth::Auto).unwrap();
        assert_eq!((image.space[0], image.relief[0]), (None, Some([-12.0])));
        assert_eq!(image.points[1], Some([13.0, 20.0]));
        assert!(
            read(
                person(5.0),
                &Reading {
                    depth: Depth::Ignore,
                    ..READING
                }
            )
            .unwrap()
            .tracks
            .is_empty()
        );
        let error = one(person(-12.0), Depth::Camera).unwrap_err();
        assert!(
            error.contains("frame 0, person 0: joint 0") && error.contains("z = -12"),
            "{error}"
        );
    }

    #[test]
    fn a_canvas_is_needed_and_must_stay() {
        let error = read(json!({"people": []}), &READING).unwrap_err();
        assert!(error.contains("set both to the size"), "{error}");
        let told = Reading {
            canvas: Some([30.0, 20.0]),
            ..READING
        };
        assert_eq!(
            read(json!({"people": []}), &told).unwrap().canvas,
            [30.0, 20.0]
        );
        let frame = |w: u32| json!({"people": [], "canvas_width": w, "canvas_height": 8});
        let error = read(json!([frame(8), frame(9)]), &READING).unwrap_err();
        assert!(
            error.contains("frame 1") && error.contains("8×8, found 9×8"),
            "{error}"
        );
    }
}
