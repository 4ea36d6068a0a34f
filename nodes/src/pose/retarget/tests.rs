//! Cameras that are known are found again; bounds hold; bones get the reference's lengths.

use super::*;
use crate::pose::figure::Figure;
use crate::pose::lift::{Lift, lift};
use crate::pose::skeleton::{BONES, LEFT_LEG, RIGHT_LEG};

const CANVAS: [f64; 2] = [512.0, 896.0];

fn view() -> View {
    View::of_canvas(CANVAS[0], CANVAS[1])
}

fn motion(figure: &Figure, frames: usize) -> Motion {
    let people = (0..frames).map(|i| figure.person(i as f64 / 20.0, &view()));
    Motion {
        canvas: CANVAS,
        frames,
        tracks: vec![Track {
            view: view(),
            frames: people.collect(),
        }],
    }
}

/// The figure's joints, and where a camera shows them.
fn wanted(camera: &Camera, joints: &[usize]) -> Vec<Wanted> {
    let person = Figure::default().person(0.1, &view());
    let seen = camera.applied(&view());
    let one = |&joint: &usize| {
        let at = person.space[joint].unwrap();
        Wanted {
            joint: at,
            place: seen.project(at).unwrap(),
            weight: if joint == NECK { 8.0 } else { 1.0 },
        }
    };
    joints.iter().map(one).collect()
}

const UPPER_BODY: [usize; 6] = [1, 0, 2, 3, 5, 6];

#[test]
fn a_known_camera_is_found_again() {
    for (m, s, p, q) in [
        (1.0, 1.0, 0.0, 0.0),
        (1.3, 0.9, 40.0, -12.5),
        (0.75, 1.1, -130.0, 220.0),
    ] {
        let shift = [p, q];
        let known = Camera { m, s, shift };
        let found = fit_camera(&view(), &wanted(&known, &UPPER_BODY), &SCAIL);
        assert!(
            (found.m - m).abs() < 1e-9 && (found.s - s).abs() < 1e-9,
            "{found:?}"
        );
        assert!(distance(found.shift, shift) < 1e-6, "{found:?}");
    }
}

#[test]
fn bounds_hold_and_the_best_point_on_them_is_taken() {
    for (m, s) in [
        (3.0, 1.0),
        (0.2, 1.0),
        (1.0, 2.0),
        (1.0, 0.3),
        (1.6, 0.5),
        (0.5, 1.9),
    ] {
        let wanted = wanted(
            &Camera {
                m,
                s,
                shift: [20.0, -30.0],
            },
            &UPPER_BODY,
        );
        let found = fit_camera(&view(), &wanted, &SCAIL);
        let cost = |m: f64, s: f64| {
            // The best shift for a scale, as the fit takes it.
            let total: f64 = wanted.iter().map(|it| it.weight).sum();
            let off = |i: usize, scale: f64| {
                let off = |it: &Wanted| {
                    it.place[i]
                        - view().centre[i]
                        - scale * view().focal[i] * it.joint[i] / it.joint[2]
                };
                let mean = wanted.iter().map(|it| it.weight * off(it)).sum::<f64>() / total;
                wanted
                    .iter()
                    .map(|it| it.weight * (off(it) - mean).powi(2))
                    .sum::<f64>()
            };
            off(0, m) + off(1, m * s)
        };
        let mut least = f64::MAX;
        for i in 0..=140 {
            for j in 0..=140 {
                let (m, s) = (
                    0.7 + 0.7 * f64::from(i) / 140.0,
                    0.8 + 0.35 * f64::from(j) / 140.0,
                );
                least = least.min(cost(m, s));
            }
        }
        assert!(
            (0.7..=1.4).contains(&found.m) && found.s > 0.8 - 1e-9 && found.s < 1.15 + 1e-9,
            "{found:?}"
        );
        assert!(
            cost(found.m, found.s) <= least * (1.0 + 1e-9),
            "{m} {s}: {found:?}"
        );
    }
}

#[test]
fn joints_in_one_line_decide_one_axis_for_both() {
    let all = wanted(
        &Camera {
            m: 1.2,
            s: 1.0,
            shift: [0.0; 2],
        },
        &UPPER_BODY,
    );
    let line: Vec<Wanted> = all
        .into_iter()
        .map(|it| Wanted {
            joint: [0.0, it.joint[1], it.joint[2]],
            place: [300.0, it.place[1]],
            weight: it.weight,
        })
        .collect();
    let found = fit_camera(&view(), &line, &SCAIL);
    assert!(
        (found.m - 1.2).abs() < 1e-9 && (found.s - 1.0).abs() < 1e-9,
        "{found:?}"
    );
    assert!((found.shift[0] - 44.0).abs() < 1e-9);
    let nothing = fit_camera(&view(), &[], &SCAIL);
    assert_eq!((nothing.m, nothing.s), (1.0, 1.0));
}

#[test]
fn a_motion_is_seen_where_the_reference_stands() {
    let driving = motion(&Figure::default(), 6);
    // The same body and pose, seen by another camera: what the reference picture shows.
    let camera = Camera {
        m: 1.15,
        s: 0.95,
        shift: [30.0, -20.0],
    };
    let mut reference = motion(&Figure::default(), 1);
    let other = camera.applied(&view());
    let model = &mut reference.tracks[0].frames[0];
    for joint in 0..JOINTS {
        model.points[joint] = other.project(model.space[joint].unwrap());
    }
    let (fingers, wrist) = (RIGHT_HAND, RIGHT_HAND.start);
    let span = |it: &Person| {
        let (a, b) = (
            it.points[wrist].unwrap(),
            it.points[fingers.end - 1].unwrap(),
        );
        [b[0] - a[0], b[1] - a[1]]
    };
    let before = driving.tracks[0].frames[3].clone();
    let done = retarget(driving, &reference, Mode::Camera).unwrap();
    let track = &done.tracks[0];
    for (seen, model) in track.frames[0].points[..JOINTS]
        .iter()
        .zip(&reference.tracks[0].frames[0].points)
    {
        assert!(distance(seen.unwrap(), model.unwrap()) < 1e-6);
    }
    assert_eq!(
        track.frames[3].space, before.space,
        "the skeleton itself stays"
    );
    let (old, new) = (span(&before), span(&track.frames[3]));
    assert!((new[0] / old[0] - 1.15).abs() < 1e-6 && (new[1] / old[1] - 1.15 * 0.95).abs() < 1e-6);
    // The hand goes on where the arm ends.
    let wrists = [&before, &track.frames[3]].map(|it| {
        let (arm, hand) = (it.points[RIGHT_ARM[2]].unwrap(), it.points[wrist].unwrap());
        [hand[0] - arm[0], hand[1] - arm[1]]
    });
    assert!(distance(wrists[0], wrists[1]) < 1e-6);
}

#[test]
fn proportions_are_taken_over_and_feet_stay_down() {
    let driving = motion(&Figure::default(), 20);
    let long = Figure {
        sizes: [1.0, 1.3, 0.8, 1.0],
        wave: 0.0,
        stride: 0.0,
        depth: 3000.0,
        ..Figure::default()
    };
    let reference = motion(&long, 1);
    let done = retarget(driving.clone(), &reference, Mode::Proportions).unwrap();
    let length = |it: &Person, kind: usize| {
        let (a, b) = BONES[kind].sides[0];
        distance(it.space[a].unwrap(), it.space[b].unwrap())
    };
    for (old, new) in driving.tracks[0].frames.iter().zip(&done.tracks[0].frames) {
        for (kind, factor) in [(1, 1.3), (2, 1.3), (3, 0.8), (4, 0.8), (0, 1.0)] {
            let ratio = length(new, kind) / length(old, kind);
            assert!((ratio - factor).abs() < 0.01, "{kind}: {ratio}");
        }
    }
    // The lower foot of a walk is on the ground in every frame of the original.
    let lowest = |it: &Person| {
        let ankles = [
            it.space[RIGHT_LEG[2]].unwrap()[1],
            it.space[LEFT_LEG[2]].unwrap()[1],
        ];
        ankles[0].max(ankles[1])
    };
    let heights: Vec<f64> = done.tracks[0].frames.iter().map(lowest).collect();
    let spread = heights.iter().copied().fold(f64::MIN, f64::max)
        - heights.iter().copied().fold(f64::MAX, f64::min);
    assert!(spread < 25.0, "{spread} mm");
}

#[test]
fn lifted_keypoints_can_be_retargeted_too_and_twice_gives_the_same() {
    let flat = |figure: &Figure, frames| {
        let mut it = motion(figure, frames);
        for person in it.tracks.iter_mut().flat_map(|it| &mut it.frames) {
            person.space.fill(None);
        }
        lift(&mut it, Lift::Turned);
        it
    };
    let driving = flat(&Figure::default(), 8);
    let reference = flat(
        &Figure {
            right: 200.0,
            depth: 2200.0,
            ..Figure::default()
        },
        1,
    );
    for mode in [Mode::Camera, Mode::Proportions] {
        let done = retarget(driving.clone(), &reference, mode).unwrap();
        let (seen, model) = (&done.tracks[0].frames[0], &reference.tracks[0].frames[0]);
        for joint in [NECK, 10, 13] {
            let off = distance(seen.points[joint].unwrap(), model.points[joint].unwrap());
            assert!(off < 20.0, "{mode:?} joint {joint}: {off} px");
        }
        assert_eq!(done, retarget(driving.clone(), &reference, mode).unwrap());
    }
}

#[test]
fn references_that_show_nobody_are_told() {
    let driving = motion(&Figure::default(), 2);
    let mut empty = motion(&Figure::default(), 1);
    empty.tracks[0].frames[0] = Person::absent();
    let error = retarget(driving.clone(), &empty, Mode::Camera)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("the reference pose: expected somebody"),
        "{error}"
    );
    let mut legs = motion(&Figure::default(), 1);
    for joint in [0, 2, 3, 5, 6, 9, 10] {
        legs.tracks[0].frames[0].points[joint] = None;
    }
    let error = retarget(driving, &legs, Mode::Camera)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("the driving pose: no frame shares"),
        "{error}"
    );
    let nobody = Motion {
        canvas: CANVAS,
        frames: 3,
        tracks: vec![],
    };
    let people = motion(&Figure::default(), 1);
    assert_eq!(
        retarget(nobody.clone(), &people, Mode::Camera).unwrap(),
        nobody
    );
}

#[test]
fn people_are_matched_from_left_to_right() {
    let two = |xs: [f64; 2]| {
        let mut it = motion(
            &Figure {
                right: xs[0],
                ..Figure::default()
            },
            2,
        );
        let other = motion(
            &Figure {
                right: xs[1],
                ..Figure::default()
            },
            2,
        );
        it.tracks.extend(other.tracks);
        it
    };
    let done = retarget(two([250.0, -250.0]), &two([-300.0, 300.0]), Mode::Camera).unwrap();
    let neck = |it: &Track| it.frames[0].points[NECK].unwrap()[0];
    assert!(neck(&done.tracks[0]) > 300.0 && neck(&done.tracks[1]) < 212.0);
}
