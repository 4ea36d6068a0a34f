//! The capsule skeleton as SCAIL draws it (zai-org/SCAIL-Pose, `render_3d/taichi_cylinder.py`).
//!
//! Every limb is a capsule; each pixel shows the nearest one its ray meets, lit from the camera:
//! `colour·(0.3 + 0.7·n·l) + 0.5·(n·h)³²`, both fainter with depth. No antialiasing, as the model was
//! trained. SCAIL marks covered pixels with alpha 0.8 and drops alpha when it writes the video; there
//! is none here.

use rayon::prelude::*;

use super::capsule::{Capsule, along, dot, unit};
use super::motion::{Joint, Motion, Person, View};
use super::skeleton::{LIMBS, RADIUS, material};

/// Nothing nearer to the camera is drawn.
const NEAR: f64 = 0.1;
/// Rows that one task draws.
const BAND: usize = 32;

/// Depths, in millimetres, between which limbs get fainter: of the whole motion, so that any part of
/// it is drawn alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Depths {
    near: f64,
    far: f64,
    /// Rays end here.
    end: f64,
}

impl Depths {
    /// Of every limb of a motion.
    pub fn of(motion: &Motion) -> Self {
        let people = motion.tracks.iter().flat_map(|it| &it.frames);
        let (mut low, mut high) = (f64::MAX, f64::MIN);
        for capsule in people.flat_map(capsules) {
            for end in [capsule.from, capsule.to] {
                low = low.min(end[2]);
                high = high.max(end[2]);
            }
        }
        Self {
            near: low.max(NEAR),
            far: (high + 6000.0).min(20_000.0),
            end: high.clamp(10_000.0, 25_000.0),
        }
    }

    fn factor(&self, z: f64) -> f64 {
        (1.0 - (z - self.near) / (self.far - NEAR)).clamp(0.0, 1.0)
    }
}

/// The limbs of a person whose joints are both known.
pub fn capsules(person: &Person) -> impl Iterator<Item = Capsule> {
    LIMBS.iter().filter_map(|limb| {
        Some(Capsule {
            from: person.space[limb.from]?,
            to: person.space[limb.to]?,
            radius: RADIUS,
            material: material(limb.colour),
        })
    })
}

/// A capsule, the camera it is seen with, and the pixels it may cover.
struct Seen {
    capsule: Capsule,
    view: View,
    columns: std::ops::Range<usize>,
    rows: std::ops::Range<usize>,
}

/// Draws limbs on black: RGB bytes, row by row.
pub fn draw(size: [usize; 2], people: &[(View, &Person)], depths: &Depths) -> Vec<u8> {
    let [width, height] = size;
    let limbs = people
        .iter()
        .flat_map(|(view, it)| capsules(it).map(|it| (*view, it)));
    let seen: Vec<Seen> = limbs
        .filter_map(|(view, it)| placed(view, it, size))
        .collect();
    let mut data = vec![0; width * height * 3];
    data.par_chunks_mut((width * 3 * BAND).max(1))
        .enumerate()
        .for_each(|(i, band)| draw_band(band, width, i * BAND, &seen, depths));
    data
}

fn placed(view: View, capsule: Capsule, [width, height]: [usize; 2]) -> Option<Seen> {
    let [left, top, right, bottom] = capsule.bounds(&view)?;
    let range = |low: f64, high: f64, most: usize| {
        let side = |it: f64| it.clamp(0.0, most as f64) as usize;
        side(low.floor())..side(high.floor() + 1.0)
    };
    let (columns, rows) = (range(left, right, width), range(top, bottom, height));
    (!columns.is_empty() && !rows.is_empty()).then_some(Seen {
        capsule,
        view,
        columns,
        rows,
    })
}

fn draw_band(band: &mut [u8], width: usize, first: usize, seen: &[Seen], depths: &Depths) {
    let mut nearest = vec![f64::MAX; band.len() / 3];
    let rows = first..first + nearest.len() / width.max(1);
    for it in seen {
        for y in it.rows.start.max(rows.start)..it.rows.end.min(rows.end) {
            for x in it.columns.clone() {
                let ray = unit(it.view.unproject([x as f64, y as f64], 1.0));
                let at = (y - first) * width + x;
                let Some(t) = it.capsule.hit(ray) else {
                    continue;
                };
                // Depth decides, not the way along the ray: people may be seen with different views.
                let depth = t * ray[2];
                if t >= NEAR && t <= depths.end && depth < nearest[at] {
                    nearest[at] = depth;
                    let colour = shade(&it.capsule, ray, t, depths);
                    band[at * 3..at * 3 + 3].copy_from_slice(&colour);
                }
            }
        }
    }
}

/// Colour of a point of the surface; bytes are cut off, as NumPy does.
fn shade(capsule: &Capsule, ray: Joint, t: f64, depths: &Depths) -> [u8; 3] {
    const TO_LIGHT: Joint = [0.0, 0.0, -1.0];
    let point = ray.map(|it| it * t);
    let normal = capsule.normal(point);
    let diffuse = 0.3 + 0.7 * dot(normal, TO_LIGHT).max(0.0);
    let half = unit(along(TO_LIGHT, ray, -1.0));
    let highlight = 0.5 * dot(normal, half).max(0.0).powi(32);
    let depth = depths.factor(point[2]);
    capsule.material.map(|it| {
        let value = (it * diffuse + highlight) * depth;
        (value.clamp(0.0, 1.0) * 255.0) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pose::capsule::minus;
    use crate::pose::motion::Track;
    use crate::pose::skeleton::{LEFT_ARM, NECK, NOSE};

    const SIZE: [usize; 2] = [112, 80];

    /// Random bodies: joints anywhere before the camera (a linear congruential generator).
    fn bodies(seed: u64, count: usize) -> Motion {
        let mut state = seed;
        let mut next = |low: f64, high: f64| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            low + (high - low) * ((state >> 11) as f64 / (1u64 << 53) as f64)
        };
        let mut body = || {
            let mut person = Person::absent();
            for joint in &mut person.space {
                let z = next(700.0, 2500.0);
                *joint = (next(0.0, 1.0) < 0.85)
                    .then(|| [next(-0.6, 0.6) * z, next(-0.45, 0.45) * z, z]);
            }
            person
        };
        let view = View::of_canvas(SIZE[0] as f64, SIZE[1] as f64);
        let tracks = (0..count)
            .map(|_| Track {
                view,
                frames: vec![body()],
            })
            .collect();
        Motion {
            canvas: SIZE.map(|it| it as f64),
            frames: 1,
            tracks,
        }
    }

    fn drawn(motion: &Motion) -> Vec<u8> {
        let people: Vec<(View, &Person)> = motion
            .tracks
            .iter()
            .map(|it| (it.view, &it.frames[0]))
            .collect();
        draw(SIZE, &people, &Depths::of(motion))
    }

    /// SCAIL's own way: step along the ray by the distance to the nearest capsule; normals from
    /// differences of that distance.
    fn traced(motion: &Motion) -> Vec<u8> {
        let (depths, view) = (Depths::of(motion), motion.tracks[0].view);
        let all: Vec<Capsule> = motion
            .tracks
            .iter()
            .flat_map(|it| capsules(&it.frames[0]))
            .collect();
        let to_capsule = |p: Joint, it: &Capsule| {
            let axis = minus(it.to, it.from);
            let part = (dot(minus(p, it.from), axis) / dot(axis, axis)).clamp(0.0, 1.0);
            let off = minus(p, along(it.from, axis, part));
            dot(off, off).sqrt() - it.radius
        };
        let scene = |p: Joint| {
            let each = all.iter().map(|it| (to_capsule(p, it), it));
            each.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap()
        };
        let pixel = |x: usize, y: usize| {
            let ray = unit(view.unproject([x as f64, y as f64], 1.0));
            let mut t = NEAR;
            for _ in 0..300 {
                let p = ray.map(|it| it * t);
                let (distance, it) = scene(p);
                if distance < 1e-3 {
                    let slope = |i: usize| {
                        let (mut a, mut b) = (p, p);
                        (a[i], b[i]) = (p[i] + 1e-3, p[i] - 1e-3);
                        scene(a).0 - scene(b).0
                    };
                    let normal = unit([slope(0), slope(1), slope(2)]);
                    let diffuse = 0.3 + 0.7 * (-normal[2]).max(0.0);
                    let half = unit([-ray[0], -ray[1], -ray[2] - 1.0]);
                    let light = 0.5 * dot(normal, half).max(0.0).powf(32.0);
                    let factor = depths.factor(p[2]);
                    return it
                        .material
                        .map(|c| (((c * diffuse + light) * factor).clamp(0.0, 1.0) * 255.0) as u8);
                }
                if t > depths.end {
                    break;
                }
                t += distance.max(1e-4);
            }
            [0; 3]
        };
        (0..SIZE[1])
            .flat_map(|y| (0..SIZE[0]).flat_map(move |x| pixel(x, y)))
            .collect()
    }

    #[test]
    fn rays_see_what_sphere_tracing_sees() {
        for (seed, count) in [(1, 1), (2, 2), (3, 4)] {
            let motion = bodies(seed, count);
            let (exact, stepped) = (drawn(&motion), traced(&motion));
            let covered = exact
                .chunks(3)
                .filter(|it| it.iter().any(|&v| v > 0))
                .count();
            assert!(covered > 500, "{covered}");
            let apart = |(a, b): (&[u8], &[u8])| {
                a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
            };
            let off: Vec<u8> = exact.chunks(3).zip(stepped.chunks(3)).map(apart).collect();
            // Rays that graze a limb may run out of steps, and seams of limbs go either way.
            let wrong = off.iter().filter(|&&it| it > 2).count();
            assert!(wrong * 100 < covered, "seed {seed}: {wrong} of {covered}");
        }
    }

    #[test]
    fn people_hide_each_other_and_empty_frames_are_black() {
        let mut motion = bodies(7, 2);
        for (track, z) in motion.tracks.iter_mut().zip([1500.0, 1000.0]) {
            let person = &mut track.frames[0];
            *person = Person::absent();
            person.space[NECK] = Some([-200.0, 0.0, z]);
            person.space[if z > 1200.0 { NOSE } else { LEFT_ARM[0] }] = Some([200.0, 0.0, z]);
        }
        let at = (SIZE[1] / 2 * SIZE[0] + SIZE[0] / 2) * 3;
        let pixel = drawn(&motion)[at..at + 3].to_vec();
        // The cyan shoulder of the nearer one, not the grey neck of the other.
        assert!(
            pixel[1] > pixel[0] + 20 && pixel[2] > pixel[0] + 20,
            "{pixel:?}"
        );
        motion
            .tracks
            .iter_mut()
            .for_each(|it| it.frames[0] = Person::absent());
        assert!(drawn(&motion).iter().all(|&it| it == 0));
    }

    #[test]
    fn the_middle_of_a_limb_has_the_material_lit_in_full() {
        let mut motion = bodies(7, 1);
        let person = &mut motion.tracks[0].frames[0];
        *person = Person::absent();
        person.space[NECK] = Some([-300.0, 0.0, 1000.0]);
        person.space[NOSE] = Some([300.0, 0.0, 1000.0]);
        let at = (SIZE[1] / 2 * SIZE[0] + SIZE[0] / 2) * 3;
        // 150/300 + 0.15 of grey, half a highlight on it, no nearer than the nearest: above 1.
        assert_eq!(drawn(&motion)[at..at + 3], [255; 3]);
    }
}
