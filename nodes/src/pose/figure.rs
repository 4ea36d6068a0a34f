//! A drawn figure that walks on the spot and waves: keypoints for tests, examples and the demo preset.
//!
//! Built from rotations in camera space (millimetres, y down, z away), so that its true depth is known.

use serde_json::{Value as Json, json};

use super::motion::{BODY, FACE_POINTS, Joint, LEFT_HAND, Person, Point, RIGHT_HAND, View};
use super::skeleton::{HAND, JOINTS, LEFT_ARM, LEFT_LEG, NECK, NOSE, RIGHT_ARM, RIGHT_LEG};

/// A figure's proportions and place.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// Depth of its middle in millimetres.
    pub depth: f64,
    /// Shift to the right in millimetres.
    pub right: f64,
    /// Turn in radians; 0 looks into the camera, positive to the picture's right.
    pub yaw: f64,
    /// Factors on natural lengths: all, legs, arms, head.
    pub sizes: [f64; 4],
    /// How high the waving arm is, 0..1.
    pub wave: f64,
    /// How far the legs swing, 0..1.
    pub stride: f64,
}

impl Default for Figure {
    fn default() -> Self {
        Self {
            depth: 2500.0,
            right: 0.0,
            yaw: 0.0,
            sizes: [1.0; 4],
            wave: 1.0,
            stride: 1.0,
        }
    }
}

fn mixed(a: Joint, b: Joint, part: f64) -> Joint {
    let it: Joint = std::array::from_fn(|i| a[i] + (b[i] - a[i]) * part);
    super::capsule::unit(it)
}

fn step(from: Joint, direction: Joint, length: f64) -> Joint {
    super::capsule::along(from, direction, length)
}

/// A direction that swings by `angle` forward (towards -z) of straight down.
fn swung(angle: f64) -> Joint {
    [0.0, angle.cos(), -angle.sin()]
}

impl Figure {
    /// The joints before the body is turned and placed, hips' middle at the origin; `phase` counts
    /// double steps.
    fn body(&self, phase: f64) -> [Joint; JOINTS] {
        let turn = phase * std::f64::consts::TAU;
        let [_, legs, arms, head] = self.sizes;
        let mut it = [[0.0; 3]; JOINTS];
        it[NECK] = [0.0, -490.0, -10.0];
        it[NOSE] = [0.0, -490.0 - 195.0 * head, -70.0 * head];
        let face =
            |x: f64, y: f64, z: f64| [x * head, it[NOSE][1] + y * head, it[NOSE][2] + z * head];
        let (eye, ear) = ([33.0, -32.0, 12.0], [76.0, -15.0, 90.0]);
        let joints = [face(-eye[0], eye[1], eye[2]), face(eye[0], eye[1], eye[2])];
        let ears = [face(-ear[0], ear[1], ear[2]), face(ear[0], ear[1], ear[2])];
        it[14..16].copy_from_slice(&joints);
        it[16..18].copy_from_slice(&ears);
        for (side, leg, arm, turn) in [
            (-1.0, RIGHT_LEG, RIGHT_ARM, turn),
            (1.0, LEFT_LEG, LEFT_ARM, turn + std::f64::consts::PI),
        ] {
            let swing = 0.45 * self.stride * turn.sin();
            // The leg that swings forward is bent.
            let bend = self.stride * (0.12 + 0.85 * turn.cos().max(0.0));
            it[leg[0]] = [100.0 * side, 0.0, 0.0];
            it[leg[1]] = step(it[leg[0]], swung(swing), 416.0 * legs);
            it[leg[2]] = step(it[leg[1]], swung(swing - bend), 418.0 * legs);
            it[arm[0]] = [190.0 * side, -475.0, 0.0];
            let (mut upper, mut lower) = (swung(-0.7 * swing), swung(0.35 - 0.7 * swing));
            if side < 0.0 {
                let beat = 0.45 * (2.0 * turn).sin();
                upper = mixed(upper, [-0.8, -0.3, -0.3], self.wave);
                lower = mixed(lower, [-(0.1 + beat), -1.0, -0.2], self.wave);
            }
            it[arm[1]] = step(it[arm[0]], upper, 316.0 * arms);
            it[arm[2]] = step(it[arm[1]], lower, 248.0 * arms);
        }
        it
    }

    /// A point of the body, turned and placed so that the lower foot is on the ground.
    fn placed(&self, point: Joint, ground: f64) -> Joint {
        let (sin, cos) = self.yaw.sin_cos();
        let [x, y, z] = point.map(|it| it * self.sizes[0]);
        // Looking into the camera is -z; a positive yaw turns that towards +x.
        let turned = [x * cos - z * sin, y, x * sin + z * cos];
        [
            turned[0] + self.right,
            turned[1] + 850.0 - ground * self.sizes[0],
            turned[2] + self.depth,
        ]
    }

    /// The figure at a phase, as seen: its joints in space, its points with hands and face.
    pub fn person(&self, phase: f64, view: &View) -> Person {
        let body = self.body(phase);
        let ground = body[RIGHT_LEG[2]][1].max(body[LEFT_LEG[2]][1]);
        let mut person = Person::absent();
        let see = |it: Joint| view.project(self.placed(it, ground));
        for (i, joint) in body.into_iter().enumerate() {
            person.space[i] = Some(self.placed(joint, ground));
            person.points[BODY.start + i] = see(joint);
        }
        for (range, arm, side) in [(LEFT_HAND, LEFT_ARM, 1.0), (RIGHT_HAND, RIGHT_ARM, -1.0)] {
            for (i, joint) in hand(body[arm[1]], body[arm[2]], side)
                .into_iter()
                .enumerate()
            {
                person.points[range.start + i] = see(joint);
            }
        }
        for (i, [x, y, z]) in face().into_iter().enumerate() {
            let head = self.sizes[3];
            let nose = body[NOSE];
            let joint = [nose[0] + x * head, nose[1] + y * head, nose[2] + z * head];
            person.points[FACE_POINTS.start + i] = see(joint);
        }
        person
    }
}

/// An open hand that goes on where the forearm ends.
fn hand(elbow: Joint, wrist: Joint, side: f64) -> [Joint; HAND] {
    let forward = super::capsule::unit(super::capsule::minus(wrist, elbow));
    // Across the palm, in the plane that faces the camera.
    let across = super::capsule::unit([forward[1] * side, -forward[0] * side, 0.0]);
    let mut points = [wrist; HAND];
    for finger in 0..5 {
        let spread = (finger as f64 - 2.0) * 0.17;
        let (start, length) = if finger == 0 {
            (30.0, 85.0)
        } else {
            (85.0, 75.0)
        };
        let tilt = if finger == 0 { -0.75 } else { spread };
        let direction: Joint =
            std::array::from_fn(|i| forward[i] * tilt.cos() + across[i] * tilt.sin());
        let root = step(step(wrist, forward, start), across, spread * 95.0);
        for joint in 0..4 {
            points[1 + finger * 4 + joint] = step(root, direction, length * joint as f64 / 3.0);
        }
    }
    points
}

/// 68 landmarks around the nose tip in millimetres: jaw, brows, nose, eyes, mouth.
fn face() -> Vec<Joint> {
    let mut points = Vec::with_capacity(68);
    let ring = |count: usize, (x, y): (f64, f64), (rx, ry): (f64, f64), start: f64| {
        (0..count).map(move |i| {
            let angle = start + std::f64::consts::TAU * i as f64 / count as f64;
            [x + rx * angle.cos(), y - ry * angle.sin(), 8.0]
        })
    };
    for i in 0..17 {
        let angle = std::f64::consts::PI * f64::from(i) / 16.0;
        points.push([
            -72.0 * angle.cos(),
            -30.0 + 110.0 * angle.sin(),
            55.0 - 45.0 * angle.sin(),
        ]);
    }
    for side in [-1.0, 1.0] {
        for i in 0..5 {
            let part = f64::from(i) / 4.0;
            let out = if side < 0.0 { 1.0 - part } else { part };
            let rise = 8.0 * (std::f64::consts::PI * part).sin();
            points.push([side * (14.0 + 40.0 * out), -50.0 - rise, 6.0 + 18.0 * out]);
        }
    }
    points.extend((0..4).map(|i| [0.0, -32.0 + 10.0 * f64::from(i), 6.0 - 2.0 * f64::from(i)]));
    points.extend((0..5).map(|i| [-14.0 + 7.0 * f64::from(i), 8.0, 4.0]));
    points.extend(ring(6, (-33.0, -32.0), (13.0, 6.0), std::f64::consts::PI));
    points.extend(ring(6, (33.0, -32.0), (13.0, 6.0), std::f64::consts::PI));
    points.extend(ring(12, (0.0, 38.0), (25.0, 10.0), std::f64::consts::PI));
    points.extend(ring(8, (0.0, 38.0), (16.0, 4.0), std::f64::consts::PI));
    points
}

/// People as a frame of keypoint JSON: whole pixels but for the body, the jaw and the nose's wings left
/// out (nobody draws them), to keep files small.
pub fn json(people: &[Person], width: u32, height: u32) -> Json {
    let numbers =
        |points: &[Option<Point>], fine: f64, drawn: &dyn Fn(usize) -> bool| -> Vec<Json> {
            let each = points.iter().enumerate().flat_map(|(i, it)| match it {
                Some([x, y]) if drawn(i) => {
                    let number = |it: f64| {
                        let it = (it * fine).round() / fine;
                        if it.fract() == 0.0 {
                            json!(it as i64)
                        } else {
                            json!(it)
                        }
                    };
                    [number(*x), number(*y), json!(1)]
                }
                _ => [json!(0), json!(0), json!(0)],
            });
            each.collect()
        };
    let shown = |i: usize| (17..27).contains(&i) || i == 30 || i >= 36;
    let one = |it: &Person| {
        json!({
            "pose_keypoints_2d": numbers(&it.points[BODY], 10.0, &|_| true),
            "face_keypoints_2d": numbers(&it.points[FACE_POINTS][..68], 1.0, &shown),
            "hand_left_keypoints_2d": numbers(&it.points[LEFT_HAND], 1.0, &|_| true),
            "hand_right_keypoints_2d": numbers(&it.points[RIGHT_HAND], 1.0, &|_| true),
        })
    };
    json!({
        "people": people.iter().map(one).collect::<Vec<_>>(),
        "canvas_width": width,
        "canvas_height": height,
    })
}

/// The demo of `presets/input/walk-and-wave.json`: a walk on the spot that turns from one side to the
/// other, waving in its second half.
pub fn walk_and_wave(frames: u32, width: u32, height: u32) -> Json {
    let view = View::of_canvas(f64::from(width), f64::from(height));
    let frame = |i: u32| {
        let part = f64::from(i) / f64::from(frames.max(2) - 1);
        let figure = Figure {
            depth: 2050.0,
            yaw: 0.75 - 1.1 * part,
            right: -80.0 + 300.0 * part,
            wave: ((part - 0.35) / 0.2).clamp(0.0, 1.0),
            ..Figure::default()
        };
        json(&[figure.person(f64::from(i) / 27.0, &view)], width, height)
    };
    (0..frames).map(frame).collect()
}

/// The demo of `presets/input/reference-pose.json`: somebody with longer legs and a smaller head, standing.
pub fn reference(width: u32, height: u32) -> Json {
    let view = View::of_canvas(f64::from(width), f64::from(height));
    let figure = Figure {
        depth: 2500.0,
        sizes: [1.0, 1.12, 1.0, 0.9],
        wave: 0.0,
        stride: 0.15,
        ..Figure::default()
    };
    json(&[figure.person(0.0, &view)], width, height)
}
