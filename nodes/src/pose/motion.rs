//! People moving: tracked over the frames, with their points in the picture and their joints in space.

use std::ops::Range;

use super::skeleton::{FACE, HAND, JOINTS};

/// A place in the picture, in pixels of the canvas.
pub type Point = [f64; 2];
/// A place in camera space in millimetres: x right, y down, z away from the camera.
pub type Joint = [f64; 3];

/// Where the body's joints stand in [`Person::points`].
pub const BODY: Range<usize> = 0..JOINTS;
/// Where the left hand stands.
pub const LEFT_HAND: Range<usize> = JOINTS..JOINTS + HAND;
/// Where the right hand stands.
pub const RIGHT_HAND: Range<usize> = JOINTS + HAND..JOINTS + 2 * HAND;
/// Where the face stands.
pub const FACE_POINTS: Range<usize> = JOINTS + 2 * HAND..POINTS;
/// Points of a person.
pub const POINTS: usize = JOINTS + 2 * HAND + FACE;

/// One person in one frame. What was not seen is `None`; somebody who is not there has nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// [`POINTS`] places: body, left hand, right hand, face.
    pub points: Vec<Option<Point>>,
    /// [`JOINTS`] places in space; filled by [`super::lift`] where the file has none.
    pub space: Vec<Option<Joint>>,
    /// [`JOINTS`] depths behind the body's plane in pixels of the canvas, where something tells them.
    pub relief: Vec<Option<[f64; 1]>>,
}

impl Person {
    /// Nobody.
    pub fn absent() -> Self {
        Self {
            points: vec![None; POINTS],
            space: vec![None; JOINTS],
            relief: vec![None; JOINTS],
        }
    }

    /// Whether anything of the person is seen.
    pub fn is_there(&self) -> bool {
        self.points.iter().any(Option::is_some) || self.space.iter().any(Option::is_some)
    }
}

/// A pinhole camera: `u = fx·X/Z + cx`, `v = fy·Y/Z + cy`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Focal lengths in pixels.
    pub focal: [f64; 2],
    /// Principal point in pixels.
    pub centre: [f64; 2],
}

impl View {
    /// SCAIL's camera: 55° over the longer side, principal point in the middle
    /// (`NLFPoseExtract/nlf_draw.py`).
    pub fn of_canvas(width: f64, height: f64) -> Self {
        let focal = width.max(height) / (2.0 * 27.5f64.to_radians().tan());
        Self {
            focal: [focal; 2],
            centre: [width / 2.0, height / 2.0],
        }
    }

    /// Where a joint is seen; `None` when it is not in front of the camera.
    pub fn project(&self, joint: Joint) -> Option<Point> {
        let [x, y, z] = joint;
        (z > 1e-6).then(|| {
            [
                self.focal[0] * x / z + self.centre[0],
                self.focal[1] * y / z + self.centre[1],
            ]
        })
    }

    /// The joint at a depth that is seen at a point.
    pub fn unproject(&self, point: Point, depth: f64) -> Joint {
        let along = |i: usize| (point[i] - self.centre[i]) / self.focal[i] * depth;
        [along(0), along(1), depth]
    }

    /// The camera whose picture is this one's, scaled and then shifted.
    #[must_use]
    pub fn then(&self, placed: &Placed) -> Self {
        Self {
            focal: [0, 1].map(|i| self.focal[i] * placed.scale[i]),
            centre: placed.point(self.centre),
        }
    }
}

/// How one canvas lies on another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// Factor along x and y.
    pub scale: [f64; 2],
    /// Pixels added after that.
    pub shift: [f64; 2],
}

impl Placed {
    /// Where a point comes to lie.
    pub fn point(&self, point: Point) -> Point {
        [0, 1].map(|i| point[i] * self.scale[i] + self.shift[i])
    }
}

/// How a canvas of another shape is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// Filled; what stands out at the edges is cut, as SCAIL crops driving video and reference.
    Cover,
    /// All of it seen.
    Contain,
    /// Filled, with another shape.
    Stretch,
}

impl Fit {
    /// Names in files.
    pub const NAMES: &[&str] = &["cover", "contain", "stretch"];

    /// By name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "cover" => Self::Cover,
            "contain" => Self::Contain,
            "stretch" => Self::Stretch,
            _ => return None,
        })
    }

    /// Where a canvas of size `from` lies on one of size `to`: in the middle.
    pub fn place(self, from: [f64; 2], to: [f64; 2]) -> Placed {
        let ratio = [to[0] / from[0].max(1e-9), to[1] / from[1].max(1e-9)];
        let scale = match self {
            Self::Cover => [ratio[0].max(ratio[1]); 2],
            Self::Contain => [ratio[0].min(ratio[1]); 2],
            Self::Stretch => ratio,
        };
        Placed {
            scale,
            shift: [0, 1].map(|i| (to[i] - from[i] * scale[i]) / 2.0),
        }
    }
}

/// One person through all frames, seen by a camera.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// Camera that [`Person::space`] is seen with.
    pub view: View,
    /// One person per frame.
    pub frames: Vec<Person>,
}

/// Everybody through all frames.
#[derive(Clone, Debug, PartialEq)]
pub struct Motion {
    /// Width and height of the canvas in pixels.
    pub canvas: [f64; 2],
    /// Number of frames; each track has as many.
    pub frames: usize,
    /// Each person once.
    pub tracks: Vec<Track>,
}

impl Motion {
    /// The motion on a canvas of another size.
    #[must_use]
    pub fn fitted(mut self, canvas: [f64; 2], fit: Fit) -> Self {
        if self.canvas == canvas {
            return self;
        }
        let placed = fit.place(self.canvas, canvas);
        for track in &mut self.tracks {
            track.view = track.view.then(&placed);
            let points = track.frames.iter_mut().flat_map(|it| &mut it.points);
            for point in points.flatten() {
                *point = placed.point(*point);
            }
        }
        self.canvas = canvas;
        self
    }

    /// `frames` frames read at `step` times the rate; past the end the last pose is held. Between two
    /// frames points are blended; one that is seen in only one of them goes by the nearer frame.
    #[must_use]
    pub fn resampled(mut self, frames: usize, step: f64) -> Self {
        if frames == self.frames && step == 1.0 {
            return self;
        }
        let last = self.frames.saturating_sub(1);
        for track in &mut self.tracks {
            let made = (0..frames).map(|i| {
                let at = (i as f64 * step).min(last as f64);
                let (low, part) = (at.floor() as usize, at.fract());
                let (a, b) = (&track.frames[low], &track.frames[(low + 1).min(last)]);
                Person {
                    points: blend(&a.points, &b.points, part),
                    space: blend(&a.space, &b.space, part),
                    relief: blend(&a.relief, &b.relief, part),
                }
            });
            track.frames = made.collect();
        }
        self.frames = frames;
        self
    }
}

fn blend<const N: usize>(
    a: &[Option<[f64; N]>],
    b: &[Option<[f64; N]>],
    part: f64,
) -> Vec<Option<[f64; N]>> {
    let one = |(a, b): (&Option<[f64; N]>, &Option<[f64; N]>)| match (a, b) {
        (Some(a), Some(b)) => Some(std::array::from_fn(|i| a[i] + (b[i] - a[i]) * part)),
        _ if part < 0.5 => *a,
        _ => *b,
    };
    a.iter().zip(b).map(one).collect()
}

/// Distance of two places.
pub fn distance<const N: usize>(a: [f64; N], b: [f64; N]) -> f64 {
    let sum: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
    sum.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canvas_is_placed_and_its_camera_goes_with_it() {
        let placed = Fit::Cover.place([512.0, 896.0], [896.0, 512.0]);
        assert_eq!(placed.scale, [1.75; 2]);
        assert_eq!(placed.shift, [0.0, -528.0]);
        let contain = Fit::Contain.place([200.0, 100.0], [100.0, 100.0]);
        assert_eq!((contain.scale, contain.shift), ([0.5; 2], [0.0, 25.0]));
        let view = View::of_canvas(512.0, 896.0);
        let joint = [120.0, -300.0, 2100.0];
        let seen = placed.point(view.project(joint).unwrap());
        let again = view.then(&placed).project(joint).unwrap();
        assert!(distance(seen, again) < 1e-9);
        assert!(distance(view.unproject(view.project(joint).unwrap(), 2100.0), joint) < 1e-9);
        assert_eq!(view.project([0.0, 0.0, -1.0]), None);
    }

    #[test]
    fn frames_are_blended_and_the_last_is_held() {
        let at = |x: f64| {
            let mut person = Person::absent();
            person.points[0] = Some([x, 0.0]);
            person
        };
        let motion = Motion {
            canvas: [10.0; 2],
            frames: 3,
            tracks: vec![Track {
                view: View::of_canvas(10.0, 10.0),
                frames: vec![at(0.0), at(2.0), Person::absent()],
            }],
        };
        let xs = |it: &Motion| -> Vec<Option<f64>> {
            let frames = &it.tracks[0].frames;
            frames.iter().map(|it| it.points[0].map(|p| p[0])).collect()
        };
        let slow = motion.clone().resampled(5, 0.5);
        assert_eq!(xs(&slow), [Some(0.0), Some(1.0), Some(2.0), None, None]);
        assert_eq!(
            xs(&motion.clone().resampled(2, 1.0)),
            [Some(0.0), Some(2.0)]
        );
        assert_eq!(xs(&motion.resampled(5, 1.0))[2..], [None; 3]);
    }
}
