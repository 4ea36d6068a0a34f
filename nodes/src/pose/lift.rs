//! From the picture into space: 2-D joints placed before the camera so that the body has natural size.
//!
//! SCAIL renders 3-D joints found by NLF; keypoint files have only x and y. A body is put on a plane
//! at the depth where its limbs have natural lengths (neck to hip 500 mm, [`BONES`]), so that capsules
//! of 21.5 mm look as thick as SCAIL's do. The scale is read off the limbs that are least
//! foreshortened in each frame, and smoothed over time: people who bend or wave do not seem to leave.
//!
//! In front of that plane ([`Lift::Turned`]) shoulders and hips are turned as their widths tell, the
//! shoulder on the side the face turns away from nearer, and limbs keep the depth of the joint they
//! hang on: near limbs hide far ones. Depth within limbs is not guessed: its sign cannot be seen.

use super::clean::{bridge, gaussian};
use super::motion::{Motion, Person, Track, distance};
use super::skeleton::{BONES, EYES_EARS, LEFT_ARM, LEFT_LEG, NECK, NOSE, RIGHT_ARM, RIGHT_LEG};

/// Standard deviation, in frames, of the smoothing of a body's scale and turn.
const CALM: f64 = 4.0;
/// Scales of a limb are compared at this quantile of all frames.
const LONG: f64 = 0.9;
/// Kinds of limb that natural size is taken from, the most reliable first (indices into [`BONES`]).
const TRUSTED: [usize; 7] = [0, 5, 3, 1, 2, 4, 6];
/// Shoulders' and hips' widths seem narrower than this part of their own before they count as turned.
const TURNED: f64 = 0.9;

/// How 2-D joints get depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lift {
    /// All on one plane.
    Flat,
    /// Shoulders and hips turned.
    Turned,
}

impl Lift {
    /// Names in files.
    pub const NAMES: &[&str] = &["turned", "flat"];

    /// By name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "turned" => Self::Turned,
            "flat" => Self::Flat,
            _ => return None,
        })
    }
}

/// Gives everybody who has no joints in space some.
pub fn lift(motion: &mut Motion, how: Lift) {
    for track in &mut motion.tracks {
        let measured = track
            .frames
            .iter()
            .any(|it| it.space.iter().any(Option::is_some));
        if !measured {
            lift_track(track, how);
        }
    }
}

fn lift_track(track: &mut Track, how: Lift) {
    let Some(body) = Body::of(&track.frames) else {
        return;
    };
    let scales = body.scales(&track.frames);
    let told = track
        .frames
        .iter()
        .any(|it| it.relief.iter().any(Option::is_some));
    if how == Lift::Turned && !told {
        turn(&mut track.frames, &scales);
    }
    let view = track.view;
    for (person, scale) in track.frames.iter_mut().zip(scales) {
        let Some([scale]) = scale else { continue };
        let plane = view.focal[0] / scale;
        let root = person.relief[NECK].map_or(0.0, |it| it[0]);
        for joint in 0..EYES_EARS.start {
            let relief = person.relief[joint].map_or(0.0, |it| it[0] - root);
            // A joint pushed into the camera by a bad number stays before it.
            let depth = (plane + relief / scale).max(plane * 0.2);
            person.space[joint] = person.points[joint].map(|it| view.unproject(it, depth));
        }
    }
}

/// Length of a limb in the picture: of both sides, the longer.
fn seen_length(person: &Person, kind: usize) -> Option<f64> {
    let sides = BONES[kind].sides.iter();
    let lengths = sides.filter_map(|&(a, b)| Some(distance(person.points[a]?, person.points[b]?)));
    lengths.filter(|&it| it > 1.0).reduce(f64::max)
}

fn quantile(mut values: Vec<f64>, part: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let at = (values.len().saturating_sub(1) as f64 * part).round() as usize;
    values.get(at).copied()
}

/// A person's own lengths in millimetres, by kind of limb.
#[derive(Debug)]
pub struct Body {
    lengths: [Option<f64>; BONES.len()],
}

impl Body {
    /// Lengths as seen over all frames, scaled so that the most trusted one is natural.
    pub fn of(frames: &[Person]) -> Option<Self> {
        let seen: Vec<Option<f64>> = (0..BONES.len())
            .map(|kind| {
                let lengths = frames.iter().filter_map(|it| seen_length(it, kind));
                quantile(lengths.collect(), LONG)
            })
            .collect();
        let trusted = TRUSTED.iter().find(|&&kind| seen[kind].is_some())?;
        let scale = BONES[*trusted].length / seen[*trusted]?;
        Some(Self {
            lengths: std::array::from_fn(|kind| Some(seen[kind]? * scale)),
        })
    }

    /// Pixels per millimetre in every frame from the first to the last with a limb in it.
    fn scales(&self, frames: &[Person]) -> Vec<Option<[f64; 1]>> {
        let scale = |person: &Person| {
            let ratio = |kind: usize| Some(seen_length(person, kind)? / self.lengths[kind]?);
            let mut ratios: Vec<f64> = (0..BONES.len()).filter_map(ratio).collect();
            ratios.sort_by(|a, b| b.total_cmp(a));
            // The longest of many may be a slip of the detector.
            let at = usize::from(ratios.len() >= 4);
            ratios.get(at).map(|&it| [it])
        };
        let mut scales: Vec<Option<[f64; 1]>> = frames.iter().map(scale).collect();
        let all = scales.len();
        bridge(&mut scales, all);
        gaussian(&scales, CALM)
    }
}

/// Tells the relief of shoulders and hips, and of what hangs on them, from how narrow they seem.
fn turn(frames: &mut [Person], scales: &[Option<[f64; 1]>]) {
    let width =
        |person: &Person, a: usize, b: usize| Some(distance(person.points[a]?, person.points[b]?));
    let pairs = [(RIGHT_ARM, LEFT_ARM), (RIGHT_LEG, LEFT_LEG)];
    let mut turned: Vec<[Option<[f64; 1]>; 2]> = vec![[None; 2]; frames.len()];
    for (p, (right, left)) in pairs.iter().enumerate() {
        let ratio = |(person, scale): (&Person, &Option<[f64; 1]>)| {
            Some(width(person, right[0], left[0])? / (*scale)?[0])
        };
        let ratios: Vec<Option<f64>> = frames.iter().zip(scales).map(ratio).collect();
        // Somebody seen only from the side would have no width at all: at least a part of the natural.
        let least = [300.0, 150.0][p];
        let own = quantile(ratios.iter().flatten().copied().collect(), LONG).unwrap_or(least);
        let own = own.max(least);
        let mut depths: Vec<Option<[f64; 1]>> = ratios
            .iter()
            .zip(frames.iter())
            .map(|(ratio, person)| {
                let seen = (*ratio)? / own / TURNED;
                let half = own / 2.0 * (1.0 - seen * seen).max(0.0).sqrt();
                Some([half * side(person)?])
            })
            .collect();
        let all = depths.len();
        bridge(&mut depths, all);
        for (slot, depth) in turned.iter_mut().zip(gaussian(&depths, CALM)) {
            slot[p] = depth;
        }
    }
    for ((person, turned), scale) in frames.iter_mut().zip(turned).zip(scales) {
        let Some([scale]) = scale else { continue };
        for ((right, left), depth) in pairs.iter().zip(turned) {
            let Some([depth]) = depth else { continue };
            for (joints, sign) in [(right, 1.0), (left, -1.0)] {
                for &joint in joints {
                    person.relief[joint] = Some([sign * depth * scale]);
                }
            }
        }
    }
}

/// Which way the body is turned: 1 when its left side is nearer (it looks to the picture's left).
fn side(person: &Person) -> Option<f64> {
    let (nose, neck) = (person.points[NOSE]?, person.points[NECK]?);
    let reach = distance(nose, neck).max(1.0);
    // Soft around the middle, so that noise does not swap the sides.
    Some(((neck[0] - nose[0]) / reach * 6.0).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pose::figure::Figure;
    use crate::pose::motion::View;

    fn motion(depth: f64, yaw: f64) -> Motion {
        let view = View::of_canvas(512.0, 896.0);
        let figure = Figure {
            depth,
            yaw,
            ..Figure::default()
        };
        let mut people: Vec<Person> = (0..12)
            .map(|i| figure.person(i as f64 / 12.0, &view))
            .collect();
        for person in &mut people {
            person.space.fill(None);
        }
        Motion {
            canvas: [512.0, 896.0],
            frames: people.len(),
            tracks: vec![Track {
                view,
                frames: people,
            }],
        }
    }

    #[test]
    fn bodies_stand_where_their_size_is_natural() {
        for depth in [1800.0, 2600.0, 4000.0] {
            let mut flat = motion(depth, 0.0);
            lift(&mut flat, Lift::Flat);
            for person in &flat.tracks[0].frames {
                let found = person.space[NECK].unwrap()[2];
                assert!((found / depth - 1.0).abs() < 0.08, "{found} at {depth}");
                let zs: Vec<f64> = person.space.iter().flatten().map(|it| it[2]).collect();
                assert!(zs.iter().all(|&it| it == zs[0]));
                assert!(person.space[14].is_none(), "faces are drawn flat");
            }
        }
    }

    #[test]
    fn lifted_joints_are_seen_where_they_were() {
        for how in [Lift::Flat, Lift::Turned] {
            let mut it = motion(2500.0, 0.7);
            lift(&mut it, how);
            let track = &it.tracks[0];
            for person in &track.frames {
                for joint in 0..EYES_EARS.start {
                    let seen = track.view.project(person.space[joint].unwrap()).unwrap();
                    assert!(distance(seen, person.points[joint].unwrap()) < 1e-6);
                }
            }
        }
    }

    #[test]
    fn the_side_that_is_nearer_comes_nearer() {
        // Looking to the picture's left the left side is nearer, and the other way round.
        for (yaw, nearer, farther) in [(-1.3, LEFT_ARM, RIGHT_ARM), (1.3, RIGHT_ARM, LEFT_ARM)] {
            let mut it = motion(2500.0, yaw);
            lift(&mut it, Lift::Turned);
            for person in &it.tracks[0].frames {
                let depth = |joint: usize| person.space[joint].unwrap()[2];
                assert!(depth(nearer[0]) + 60.0 < depth(farther[0]), "{yaw}");
                assert!(depth(nearer[2]) + 60.0 < depth(farther[2]), "{yaw}");
            }
        }
    }

    #[test]
    fn nobody_and_single_points_are_no_body() {
        let mut it = motion(2500.0, 0.0);
        for person in &mut it.tracks[0].frames {
            *person = Person::absent();
            person.points[4] = Some([5.0, 5.0]);
        }
        lift(&mut it, Lift::Turned);
        assert!(
            it.tracks[0]
                .frames
                .iter()
                .all(|it| it.space.iter().all(Option::is_none))
        );
    }
}
