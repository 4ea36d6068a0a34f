//! Hands, face and cheeks drawn flat over the capsules, as DWPose draws them for SCAIL.
//!
//! Sizes, colours and which landmarks are shown: zai-org/SCAIL-Pose, `pose_draw/draw_utils.py`
//! (`draw_handpose`, `draw_facepose` with `optimized_face`, `draw_bodypose_augmentation` with
//! `all_cheek_aug`). Edges are hard, as OpenCV's are without antialiasing.

use super::motion::{BODY, FACE_POINTS, LEFT_HAND, Person, Point, RIGHT_HAND};
use super::skeleton::FINGERS;

/// Half the width of a cheek's line, and radius of its joints.
const CHEEK: f64 = 4.0;
/// From and to, colour of the line (drawn at 0.6 of it).
const CHEEKS: [(usize, usize, [u8; 3]); 4] = [
    (0, 14, [85, 0, 255]),
    (14, 16, [170, 0, 255]),
    (0, 15, [255, 0, 255]),
    (15, 17, [255, 0, 170]),
];
const CHEEK_JOINTS: [(usize, [u8; 3]); 5] = [
    (0, [255, 0, 0]),
    (14, [170, 0, 255]),
    (15, [255, 0, 255]),
    (16, [255, 0, 170]),
    (17, [255, 0, 85]),
];

/// A picture being drawn on.
pub struct Sheet<'a> {
    /// RGB bytes, row by row.
    pub data: &'a mut [u8],
    /// Pixels across and down.
    pub size: [usize; 2],
}

/// What is drawn of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Fingers.
    pub hands: bool,
    /// Brows, eyes, mouth, and the lines from nose to ears.
    pub face: bool,
}

impl Sheet<'_> {
    /// Draws a person's parts.
    pub fn person(&mut self, person: &Person, parts: Parts) {
        // DWPose: a 300th of the shorter side, one or two pixels.
        let thin = (self.size[0].min(self.size[1]) / 300).clamp(1, 2) as f64;
        if parts.face {
            self.cheeks(&person.points[BODY]);
        }
        if parts.hands {
            self.hand(&person.points[LEFT_HAND], thin);
            self.hand(&person.points[RIGHT_HAND], thin);
        }
        if parts.face {
            self.face(&person.points[FACE_POINTS], thin);
        }
    }

    fn cheeks(&mut self, body: &[Option<Point>]) {
        for (from, to, colour) in CHEEKS {
            if let (Some(a), Some(b)) = (body[from], body[to]) {
                self.spindle(a, b, colour.map(|it| (f64::from(it) * 0.6) as u8));
            }
        }
        for (joint, colour) in CHEEK_JOINTS {
            if let Some(at) = body[joint] {
                self.disc(at, CHEEK, colour);
            }
        }
    }

    fn hand(&mut self, points: &[Option<Point>], thin: f64) {
        for (i, (from, to)) in FINGERS.into_iter().enumerate() {
            if let (Some(a), Some(b)) = (points[from], points[to]) {
                self.line(a, b, thin / 2.0, hue(i as f64 / FINGERS.len() as f64));
            }
        }
        for &point in points.iter().flatten() {
            self.disc(point, thin, [0, 0, 255]);
        }
    }

    /// Brows, eyes and mouth; jaw and nose are left out.
    fn face(&mut self, points: &[Option<Point>], thin: f64) {
        for (i, point) in points.iter().enumerate() {
            if let Some(at) = *point
                && ((17..27).contains(&i) || i >= 36)
            {
                self.disc(at, thin, [255; 3]);
            }
        }
    }

    fn disc(&mut self, at: Point, radius: f64, colour: [u8; 3]) {
        let at = at.map(f64::trunc);
        self.fill(at, [radius; 2], colour, |x, y| {
            x * x + y * y <= radius * radius + 0.5
        });
    }

    /// A line with round ends.
    fn line(&mut self, a: Point, b: Point, half: f64, colour: [u8; 3]) {
        let (a, b) = (a.map(f64::trunc), b.map(f64::trunc));
        let (middle, axis) = (
            [0, 1].map(|i| f64::midpoint(a[i], b[i])),
            [b[0] - a[0], b[1] - a[1]],
        );
        let length2 = axis[0] * axis[0] + axis[1] * axis[1];
        let reach = axis.map(|it| it.abs() / 2.0 + half);
        self.fill(middle, reach, colour, |x, y| {
            let part = if length2 > 0.0 {
                (x * axis[0] + y * axis[1]) / length2
            } else {
                0.0
            };
            let part = part.clamp(-0.5, 0.5);
            (x - axis[0] * part).hypot(y - axis[1] * part) <= half.max(0.6)
        });
    }

    /// An ellipse from one point to the other: OpenPose's limb.
    fn spindle(&mut self, a: Point, b: Point, colour: [u8; 3]) {
        let (middle, axis) = (
            [0, 1].map(|i| f64::midpoint(a[i], b[i])),
            [b[0] - a[0], b[1] - a[1]],
        );
        let long = axis[0].hypot(axis[1]) / 2.0;
        if long < 0.5 {
            return;
        }
        let along = axis.map(|it| it / (2.0 * long));
        let reach = axis.map(|it| it.abs() / 2.0 + CHEEK);
        self.fill(middle, reach, colour, |x, y| {
            let (u, v) = (x * along[0] + y * along[1], y * along[0] - x * along[1]);
            (u / long).powi(2) + (v / CHEEK).powi(2) <= 1.0
        });
    }

    /// Pixels within `reach` of a place for which `inside` holds of the way from it.
    fn fill(
        &mut self,
        at: Point,
        reach: [f64; 2],
        colour: [u8; 3],
        inside: impl Fn(f64, f64) -> bool,
    ) {
        let range = |i: usize| {
            let side = |it: f64| it.clamp(0.0, self.size[i] as f64) as usize;
            side((at[i] - reach[i]).floor())..side((at[i] + reach[i]).floor() + 1.0)
        };
        let (columns, rows) = (range(0), range(1));
        for y in rows {
            for x in columns.clone() {
                if inside(x as f64 - at[0], y as f64 - at[1]) {
                    let start = (y * self.size[0] + x) * 3;
                    self.data[start..start + 3].copy_from_slice(&colour);
                }
            }
        }
    }
}

/// Fully saturated colour of a hue in 0..1 (HSV as matplotlib turns it).
fn hue(hue: f64) -> [u8; 3] {
    let channel = |start: f64| {
        let place = (start + hue * 6.0).rem_euclid(6.0);
        ((1.0 - place.min(4.0 - place).clamp(0.0, 1.0)) * 255.0) as u8
    };
    [channel(5.0), channel(3.0), channel(1.0)]
}

/// Lays a flat drawing over a render: a channel that is 0 in the drawing shows the render.
pub fn lay_over(render: &mut [u8], drawing: &[u8]) {
    for (below, above) in render.iter_mut().zip(drawing) {
        if *above != 0 {
            *below = *above;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hues_go_round() {
        assert_eq!(hue(0.0), [255, 0, 0]);
        assert_eq!(hue(1.0 / 3.0), [0, 255, 0]);
        assert_eq!(hue(2.0 / 3.0), [0, 0, 255]);
        assert_eq!(hue(0.25), [127, 255, 0]);
        assert_eq!(hue(0.95), [255, 0, 76]);
    }

    #[test]
    fn parts_are_drawn_where_they_are_and_only_when_wanted() {
        let mut person = Person::absent();
        person.points[LEFT_HAND.start] = Some([5.0, 5.0]);
        person.points[LEFT_HAND.start + 1] = Some([15.0, 5.0]);
        person.points[FACE_POINTS.start] = Some([5.0, 15.0]);
        person.points[FACE_POINTS.start + 40] = Some([15.0, 15.0]);
        person.points[FACE_POINTS.start + 41] = Some([-900.0, 1e6]);
        let drawn = |hands, face| {
            let mut data = vec![0; 20 * 20 * 3];
            let size = [20, 20];
            Sheet {
                data: &mut data,
                size,
            }
            .person(&person, Parts { hands, face });
            let at = |x: usize, y: usize| [0, 1, 2].map(|c| data[(y * 20 + x) * 3 + c]);
            [at(5, 5), at(10, 5), at(5, 15), at(15, 15)]
        };
        assert_eq!(drawn(false, false), [[0; 3]; 4]);
        let [joint, finger, jaw, eye] = drawn(true, true);
        assert_eq!(
            (joint, finger, jaw, eye),
            ([0, 0, 255], [255, 0, 0], [0; 3], [255; 3])
        );
        assert_eq!(drawn(false, true)[..2], [[0; 3]; 2]);
    }

    #[test]
    fn channels_without_colour_leave_what_is_below() {
        let mut render = [10, 20, 30, 40, 50, 60];
        lay_over(&mut render, &[0, 0, 255, 0, 0, 0]);
        assert_eq!(render, [10, 20, 255, 40, 50, 60]);
    }
}
