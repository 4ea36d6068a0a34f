//! A motion given to another body: the camera changed as SCAIL does, or bones made as long as theirs.
//!
//! SCAIL (zai-org/SCAIL-Pose, `NLFPoseExtract/align3d.py` and `process_pose.py`) keeps the driving
//! skeleton and looks for the camera `fx·m, fy·m·s, cx+p, cy+q` that shows its first frame where the
//! reference's joints are. There the optimum comes from SciPy's L-BFGS-B; the problem is a convex
//! quadratic over four straight bounds, so that it is solved exactly here ([`fit_camera`]).

use super::error::PoseError;
use super::motion::{
    BODY, FACE_POINTS, Fit, Joint, LEFT_HAND, Motion, Person, Point, RIGHT_HAND, Track, View,
    distance,
};
use super::skeleton::{EYES_EARS, JOINTS, LEFT_ARM, NECK, NOSE, RIGHT_ARM};
use longtake_graph::say;

/// How a motion is given to another body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// SCAIL's: the driving skeleton seen by another camera.
    Camera,
    /// Bones get the reference's lengths and keep their directions; then the camera, without stretching.
    Proportions,
}

impl Mode {
    /// Names in files.
    pub const NAMES: &[&str] = &["camera", "proportions"];

    /// By name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "camera" => Self::Camera,
            "proportions" => Self::Proportions,
            _ => return None,
        })
    }
}

/// Joints compared when the legs are seen, and when they are not.
const LEGS: [usize; 4] = [9, 10, 12, 13];
const UPPER: [usize; 5] = [0, 2, 3, 5, 6];

/// Bounds of a camera: zoom and stretch.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Least and largest `m`.
    pub zoom: [f64; 2],
    /// Least and largest `s`.
    pub stretch: [f64; 2],
}

/// SCAIL's bounds.
pub const SCAIL: Bounds = Bounds {
    zoom: [0.7, 1.4],
    stretch: [0.8, 1.15],
};
/// Bones have the right proportions already: any size within reason, no stretching.
const FREE: Bounds = Bounds {
    zoom: [0.1, 10.0],
    stretch: [1.0, 1.0],
};

/// A change of camera: `fx·m, fy·m·s, cx + p, cy + q`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Zoom.
    pub m: f64,
    /// Vertical stretch.
    pub s: f64,
    /// Shift of the principal point in pixels.
    pub shift: [f64; 2],
}

impl Camera {
    /// The changed view.
    pub fn applied(&self, view: &View) -> View {
        let [x, y] = view.focal;
        View {
            focal: [x * self.m, y * self.m * self.s],
            centre: [
                view.centre[0] + self.shift[0],
                view.centre[1] + self.shift[1],
            ],
        }
    }
}

/// A joint seen through the driving camera, where it should be seen, and how much that matters.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Joint in camera space.
    pub joint: Joint,
    /// Place in pixels.
    pub place: Point,
    /// Weight of the squared distance.
    pub weight: f64,
}

/// The camera within bounds that minimises the weighted squared distances in the picture.
///
/// `p` and `q` follow from zoom and stretch; what is left is a sum of two parabolas in `m` and `n =
/// m·s` over a convex region with four edges, so the best point is the free one or the best of the edges.
pub fn fit_camera(view: &View, wanted: &[Wanted], bounds: &Bounds) -> Camera {
    let axis = |i: usize| {
        let all = wanted.iter().map(|it| {
            let seen = view.focal[i] * it.joint[i] / it.joint[2];
            (seen, it.place[i] - view.centre[i], it.weight)
        });
        Line::of(&all.collect::<Vec<_>>())
    };
    let (x, y) = (axis(0), axis(1));
    let cost = |[m, n]: [f64; 2]| x.cost(m) + y.cost(n);
    let ([low, high], [flat, tall]) = (bounds.zoom, bounds.stretch);
    // Where an axis says nothing (all joints in one line) it follows the other.
    let free = match (x.best(), y.best()) {
        (Some(m), Some(n)) => [m, n],
        (Some(one), None) | (None, Some(one)) => [one; 2],
        (None, None) => [1.0; 2],
    };
    let inside = |[m, n]: [f64; 2]| m >= low && m <= high && n >= flat * m && n <= tall * m;
    let best = if inside(free) {
        free
    } else {
        // On n = k·m the cost is a parabola in m; on m = const it is one in n.
        let sloped = |k: f64| {
            let (a, b) = (x.square + k * k * y.square, x.product + k * y.product);
            let m = if a > 0.0 { b / a } else { 1.0 }.clamp(low, high);
            [m, k * m]
        };
        let upright = |m: f64| [m, free[1].clamp(flat * m, tall * m)];
        let edges = [sloped(flat), sloped(tall), upright(low), upright(high)];
        let better = |a: [f64; 2], b: [f64; 2]| if cost(b) < cost(a) { b } else { a };
        edges.into_iter().reduce(better).unwrap_or([1.0; 2])
    };
    Camera {
        m: best[0],
        s: best[1] / best[0],
        shift: [x.shift(best[0]), y.shift(best[1])],
    }
}

/// Weighted sums for one axis, about the means: fits `place ≈ factor·seen + shift`.
struct Line {
    square: f64,
    product: f64,
    means: [f64; 2],
}

impl Line {
    fn of(all: &[(f64, f64, f64)]) -> Self {
        let total: f64 = all.iter().map(|it| it.2).sum();
        let mean = |value: fn(&(f64, f64, f64)) -> f64| {
            all.iter().map(|it| value(it) * it.2).sum::<f64>() / total.max(1e-12)
        };
        let means = [mean(|it| it.0), mean(|it| it.1)];
        let centred = |value: fn([f64; 2]) -> f64| -> f64 {
            let each = all
                .iter()
                .map(|it| it.2 * value([it.0 - means[0], it.1 - means[1]]));
            each.sum()
        };
        Self {
            square: centred(|[a, _]| a * a),
            product: centred(|[a, b]| a * b),
            means,
        }
    }

    fn best(&self) -> Option<f64> {
        (self.square > 1e-6).then(|| self.product / self.square)
    }

    /// Squared distances, less what no factor changes.
    fn cost(&self, factor: f64) -> f64 {
        factor * (factor * self.square - 2.0 * self.product)
    }

    fn shift(&self, factor: f64) -> f64 {
        self.means[1] - factor * self.means[0]
    }
}

/// Gives the motion to the body of the reference's first frame with anybody in it, on its canvas. People
/// are matched from left to right; more people than the reference has follow its first.
///
/// Both must have joints in space ([`super::lift`]).
///
/// # Errors
/// The reference shows nobody, or shares too few joints with the motion.
pub fn retarget(mut driving: Motion, reference: &Motion, mode: Mode) -> Result<Motion, PoseError> {
    let known = standing(reference);
    if known.is_empty() {
        return Err(PoseError {
            place: say!("the reference pose", "参照ポーズ"),
            what: say!(
                "expected somebody with a neck and two more joints, found nobody; draw the pose of the reference picture again",
                "首とほかに 2 つ以上の関節がある人物が必要ですが、見つかりません。参照画像のポーズを検出し直してください。"
            ),
        });
    }
    driving = driving.fitted(reference.canvas, Fit::Cover);
    let mut order: Vec<(f64, usize)> = Vec::new();
    for (i, track) in driving.tracks.iter().enumerate() {
        let x = track.frames.iter().find_map(|it| it.points[NECK]);
        order.extend(x.map(|it| (it[0], i)));
    }
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut matched = false;
    for (place, (_, i)) in order.into_iter().enumerate() {
        let model = known.get(place).unwrap_or(&known[0]);
        matched |= retarget_track(&mut driving.tracks[i], model, mode);
    }
    if matched || driving.tracks.is_empty() {
        return Ok(driving);
    }
    Err(PoseError {
        place: say!("the driving pose", "元の動き"),
        what: say!(
            "no frame shares its neck and two more joints with the reference pose",
            "参照ポーズと首およびほかの 2 つの関節が共通するフレームがありません。"
        ),
    })
}

/// Who stands in the reference, from left to right: the first frame of each that has a neck.
fn standing(reference: &Motion) -> Vec<Person> {
    let fit =
        |it: &&Person| it.points[NECK].is_some() && it.points[BODY].iter().flatten().count() >= 3;
    let people = reference.tracks.iter();
    let mut people: Vec<Person> = people
        .filter_map(|it| it.frames.iter().find(fit).cloned())
        .collect();
    let left = |it: &Person| it.points[NECK].map_or(0.0, |it| it[0]);
    people.sort_by(|a, b| left(a).total_cmp(&left(b)));
    people
}

/// The joints of a frame that are compared with the reference, with SCAIL's weights: neck and legs
/// (1 and 4) when all of the legs are seen in both, else neck and upper body (8 and 1).
fn compared(person: &Person, model: &Person) -> Option<Vec<Wanted>> {
    let one = |joint: usize, weight: f64| {
        let (joint, place) = (person.space[joint]?, model.points[joint]?);
        (joint[2] > 1.0).then_some(Wanted {
            joint,
            place,
            weight,
        })
    };
    let legs: Vec<Wanted> = LEGS.iter().filter_map(|&it| one(it, 4.0)).collect();
    let mut all = if legs.len() == LEGS.len() {
        vec![one(NECK, 1.0)?]
    } else {
        vec![one(NECK, 8.0)?]
    };
    if legs.len() == LEGS.len() {
        all.extend(legs);
    } else {
        all.extend(UPPER.iter().filter_map(|&it| one(it, 1.0)));
    }
    (all.len() >= 3).then_some(all)
}

fn retarget_track(track: &mut Track, model: &Person, mode: Mode) -> bool {
    let Some(first) = track
        .frames
        .iter()
        .position(|it| compared(it, model).is_some())
    else {
        return false;
    };
    let before: Vec<Vec<Option<Joint>>> = track.frames.iter().map(|it| it.space.clone()).collect();
    if mode == Mode::Proportions {
        super::bones::transfer(&mut track.frames, model, first);
    }
    let Some(wanted) = compared(&track.frames[first], model) else {
        return false;
    };
    let bounds = if mode == Mode::Camera { &SCAIL } else { &FREE };
    let camera = fit_camera(&track.view, &wanted, bounds);
    let (old, new) = (track.view, camera.applied(&track.view));
    let face = face_scale(&track.frames[first], model, &camera);
    for (person, before) in track.frames.iter_mut().zip(before) {
        carry(person, &before, [&old, &new], &camera, face);
    }
    track.view = new;
    true
}

/// How much larger the reference's face is, within 0.8 to 1.5: by the mean distance of landmarks from
/// the nose's tip, else of eyes and ears from the nose, else as the body.
fn face_scale(person: &Person, model: &Person, camera: &Camera) -> f64 {
    const TIP: usize = FACE_POINTS.start + 30;
    let spread = |range: std::ops::Range<usize>, centre: usize| {
        let centres = [person.points[centre]?, model.points[centre]?];
        let (mut sums, mut count) = ([0.0; 2], 0);
        for i in range.filter(|&i| i != centre) {
            if let (Some(a), Some(b)) = (person.points[i], model.points[i]) {
                sums[0] += distance(a, centres[0]);
                sums[1] += distance(b, centres[1]);
                count += 1;
            }
        }
        (count >= 2 && sums[0] > 1e-6).then(|| sums[1] / sums[0])
    };
    let ratio = spread(FACE_POINTS, TIP).or_else(|| spread(EYES_EARS, NOSE));
    ratio.unwrap_or(camera.m * camera.s.sqrt()).clamp(0.8, 1.5)
}

/// Moves what is flat along with the joints: hands with their wrists, scaled as the camera; face, eyes
/// and ears with the head, scaled as the face.
fn carry(
    person: &mut Person,
    before: &[Option<Joint>],
    [old, new]: [&View; 2],
    camera: &Camera,
    face: f64,
) {
    let moved = |joint: usize| {
        let (from, to) = (
            old.project(before[joint]?)?,
            new.project(person.space[joint]?)?,
        );
        Some([to[0] - from[0], to[1] - from[1]])
    };
    let (head, wrists) = (moved(NOSE), [moved(LEFT_ARM[2]), moved(RIGHT_ARM[2])]);
    let zoom = [camera.m, camera.m * camera.s];
    for (range, shift) in [LEFT_HAND, RIGHT_HAND].into_iter().zip(wrists) {
        let root = person.points[range.start];
        spread(&mut person.points[range], root, zoom, shift);
    }
    let tip = person.points[FACE_POINTS.start + 30].or(person.points[NOSE]);
    spread(&mut person.points[FACE_POINTS], tip, [face; 2], head);
    let nose = person.points[NOSE];
    spread(&mut person.points[EYES_EARS], nose, [face; 2], head);
    for joint in 0..JOINTS {
        if let Some(at) = person.space[joint] {
            person.points[joint] = new.project(at);
        }
    }
}

/// Scales points about a centre and moves them; without either they are left out.
fn spread(
    points: &mut [Option<Point>],
    centre: Option<Point>,
    scale: [f64; 2],
    shift: Option<Point>,
) {
    let (Some(centre), Some(shift)) = (centre, shift) else {
        points.fill(None);
        return;
    };
    for point in points.iter_mut().flatten() {
        *point = [0, 1].map(|i| centre[i] + (point[i] - centre[i]) * scale[i] + shift[i]);
    }
}

#[cfg(test)]
mod tests;
