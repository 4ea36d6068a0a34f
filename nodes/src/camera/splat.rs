//! A cloud of points as a camera sees it: round splats, up to eight deep, blended front to back.
//!
//! After PyTorch3D's `PointsRasterizer` and `AlphaCompositor` as Uni3C sets them up
//! (`src/pointcloud.py`, `cam_render.py`): a point covers the pixels whose centre lies within its
//! radius, with weight 1 − d²/r²; of the points over a pixel the eight nearest to the camera count.
//! Points of equal depth, which there stand in the order of the cloud, stand here by their distance
//! from the pixel: a flat picture then does not creep.

use rayon::prelude::*;

use super::cloud::Cloud;
use super::pose::Pose;

/// How points are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Radius of a splat, where the shorter side of the film is 2 long (Uni3C: 0.008).
    pub radius: f32,
    /// Lets splats grow where the camera is nearer to them than the first camera was, so that a
    /// surface that was whole stays whole.
    pub cover: bool,
    /// Colour where nothing is, 0..255.
    pub background: [f32; 3],
}

/// Points over one pixel that count (`points_per_pixel`).
const DEEP: usize = 8;
/// Rows done at once: their fragments stay in a core's cache.
const BAND: usize = 8;
/// Points nearer to the camera than this many radii are not drawn.
const NEAREST: f32 = 0.02;
/// Radius of a covering splat in the pixels it stands for: √½ reaches the corners, the rest is for
/// surfaces seen aslant and for the weight, which falls to 0 at the rim.
const COVER: f32 = 1.2;
/// Largest splat, part of the shorter side.
const LARGEST: f32 = 0.05;

/// A point on the screen.
#[derive(Clone, Copy)]
struct Splat {
    x: f32,
    y: f32,
    z: f32,
    radius: f32,
    point: u32,
}

/// A splat over a pixel.
#[derive(Clone, Copy)]
struct Fragment {
    z: f32,
    weight: f32,
    point: u32,
}

const NO_FRAGMENT: Fragment = Fragment {
    z: f32::INFINITY,
    weight: 0.0,
    point: 0,
};

/// What a camera sees of a cloud, ready to be drawn.
pub struct View<'a> {
    cloud: &'a Cloud,
    style: Style,
    splats: Vec<Splat>,
    /// Splats of each band of rows: `members[starts[band]..starts[band + 1]]`.
    members: Vec<u32>,
    starts: Vec<u32>,
}

impl<'a> View<'a> {
    /// Projects every point.
    pub fn new(cloud: &'a Cloud, pose: &Pose, style: Style) -> Self {
        let splats = project(cloud, pose, style);
        let bands = cloud.height.div_ceil(BAND);
        let touched = |splat: &Splat| {
            let row = |y: f32| (y.max(0.0) as usize / BAND).min(bands - 1);
            row(splat.y - splat.radius)..=row(splat.y + splat.radius)
        };
        let mut starts = vec![0u32; bands + 1];
        for splat in &splats {
            for band in touched(splat) {
                starts[band + 1] += 1;
            }
        }
        for band in 0..bands {
            starts[band + 1] += starts[band];
        }
        let mut next = starts.clone();
        let mut members = vec![0; starts[bands] as usize];
        for (i, splat) in splats.iter().enumerate() {
            for band in touched(splat) {
                members[next[band] as usize] = i as u32;
                next[band] += 1;
            }
        }
        Self {
            cloud,
            style,
            splats,
            members,
            starts,
        }
    }

    fn band(&self, band: usize) -> impl Iterator<Item = &Splat> {
        let range = self.starts[band] as usize..self.starts[band + 1] as usize;
        self.members[range]
            .iter()
            .map(|&i| &self.splats[i as usize])
    }

    /// The picture, 8-bit RGB, row by row.
    pub fn colours(&self) -> Vec<u8> {
        let width = self.cloud.width;
        let mut out = vec![0; width * self.cloud.height * 3];
        let scratch = || {
            (
                vec![[NO_FRAGMENT; DEEP]; width * BAND],
                vec![0u8; width * BAND],
            )
        };
        out.par_chunks_mut(width * 3 * BAND)
            .enumerate()
            .for_each_init(scratch, |(lists, counts), (band, out)| {
                let rows = out.len() / (width * 3);
                counts.fill(0);
                for splat in self.band(band) {
                    splat.pixels(width, band * BAND..band * BAND + rows, |at, weight| {
                        let fragment = Fragment {
                            z: splat.z,
                            weight,
                            point: splat.point,
                        };
                        insert(&mut lists[at], &mut counts[at], fragment);
                    });
                }
                for (at, pixel) in out.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                    *pixel = self.blend(&lists[at][..usize::from(counts[at])]);
                }
            });
        out
    }

    fn blend(&self, fragments: &[Fragment]) -> [u8; 3] {
        let mut sum = [0.0; 3];
        let mut through = 1.0;
        for fragment in fragments {
            let part = fragment.weight * through;
            for (sum, &colour) in sum
                .iter_mut()
                .zip(&self.cloud.colours[fragment.point as usize])
            {
                *sum += part * f32::from(colour);
            }
            through -= part;
        }
        std::array::from_fn(|i| (sum[i] + through * self.style.background[i] + 0.5) as u8)
    }

    /// 255 where no point is, 0 elsewhere, row by row.
    pub fn holes(&self) -> Vec<u8> {
        let width = self.cloud.width;
        let mut out = vec![255; width * self.cloud.height];
        out.par_chunks_mut(width * BAND)
            .enumerate()
            .for_each(|(band, out)| {
                let rows = out.len() / width;
                for splat in self.band(band) {
                    splat.pixels(width, band * BAND..band * BAND + rows, |at, _| out[at] = 0);
                }
            });
        out
    }
}

fn project(cloud: &Cloud, pose: &Pose, style: Style) -> Vec<Splat> {
    let (width, height) = (cloud.width as f32, cloud.height as f32);
    let shorter = width.min(height);
    let focal = (cloud.focal * pose.focal) as f32;
    let rotation = pose.rotation.map(|row| row.map(|it| it as f32));
    let stand = pose.position.map(|it| it as f32);
    let least = style.radius * shorter / 2.0;
    let place = |(point, position): (usize, &[f32; 3])| {
        let d: [f32; 3] = std::array::from_fn(|i| position[i] - stand[i]);
        let [x, y, z] = std::array::from_fn(|i| {
            rotation[0][i] * d[0] + rotation[1][i] * d[1] + rotation[2][i] * d[2]
        });
        if z < NEAREST {
            return None;
        }
        let scale = focal / z;
        let wanted = if style.cover {
            COVER * cloud.sizes[point] * scale
        } else {
            0.0
        };
        let radius = least.max(wanted.min(LARGEST * shorter));
        let (x, y) = (x * scale + width / 2.0, y * scale + height / 2.0);
        let seen = x > -radius && y > -radius && x < width + radius && y < height + radius;
        seen.then_some(Splat {
            x,
            y,
            z,
            radius,
            point: point as u32,
        })
    };
    cloud
        .points
        .par_iter()
        .enumerate()
        .filter_map(place)
        .collect()
}

impl Splat {
    /// Every pixel that the splat covers in those rows: its number, counted from the first of these
    /// rows, and its weight.
    fn pixels(&self, width: usize, rows: std::ops::Range<usize>, mut each: impl FnMut(usize, f32)) {
        let square = self.radius * self.radius;
        let first = (self.y - self.radius - 0.5).ceil().max(rows.start as f32) as usize;
        let last = (self.y + self.radius + 0.5)
            .floor()
            .min(rows.end as f32)
            .max(0.0) as usize;
        for row in first..last {
            let down = row as f32 + 0.5 - self.y;
            let left = square - down * down;
            if left <= 0.0 {
                continue;
            }
            let half = left.sqrt();
            let from = (self.x - half - 0.5).ceil().max(0.0) as usize;
            let to = ((self.x + half + 0.5).floor().max(0.0) as usize).min(width);
            for column in from..to {
                let across = column as f32 + 0.5 - self.x;
                let rest = left - across * across;
                if rest > 0.0 {
                    each((row - rows.start) * width + column, rest / square);
                }
            }
        }
    }
}

/// Puts a fragment in its place by depth, the farthest falling out of a full list.
#[inline]
fn insert(list: &mut [Fragment; DEEP], count: &mut u8, new: Fragment) {
    let before = |it: &Fragment| it.z < new.z || it.z == new.z && it.weight >= new.weight;
    let mut at = usize::from(*count);
    if at == DEEP {
        if before(&list[DEEP - 1]) {
            return;
        }
        at = DEEP - 1;
    } else {
        *count += 1;
    }
    while at > 0 && !before(&list[at - 1]) {
        list[at] = list[at - 1];
        at -= 1;
    }
    list[at] = new;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::cloud::{Cloud, Settings};
    use crate::camera::moves;
    use crate::camera::pose::Params;
    use longtake_run::{Frame, Pixels};

    const UNI3C: Style = Style {
        radius: 0.008,
        cover: true,
        background: [127.5; 3],
    };

    fn settings(size: (u32, u32)) -> Settings {
        Settings {
            size,
            fov: 60.0,
            elevation: 5.0,
            radius: 0.0,
            edge: 0.35,
        }
    }

    /// Soft waves of colour.
    fn waves((width, height): (u32, u32)) -> Frame {
        let sample = |i: u32| {
            let (x, y) = ((i / 3 % width) as f32, (i / 3 / width) as f32);
            (127.5 + 90.0 * (x * 0.11 + (i % 3) as f32).sin() * (y * 0.07).cos()) as u8
        };
        let data = (0..width * height * 3).map(sample).collect();
        Frame::new(width, height, 3, Pixels::U8(data))
    }

    fn psnr(a: &[u8], b: &[u8]) -> f64 {
        let square = |(a, b): (&u8, &u8)| (f64::from(*a) - f64::from(*b)).powi(2);
        let mean = a.iter().zip(b).map(square).sum::<f64>() / a.len() as f64;
        10.0 * (255.0 * 255.0 / mean).log10()
    }

    fn see(cloud: &Cloud, params: &Params) -> (Vec<u8>, Vec<u8>) {
        let view = View::new(cloud, &Pose::new(params, 5.0), UNI3C);
        (view.colours(), view.holes())
    }

    #[test]
    fn the_first_camera_sees_the_picture() {
        // Odd sizes; a slope, on which the eight nearest points are not the eight beside the pixel.
        for size in [(416, 240), (333, 241), (97, 480), (600, 480)] {
            let picture = waves(size);
            let slope = (0..size.0 * size.1)
                .map(|i| 2.0 + (i % size.0) as f32 / 400.0)
                .collect();
            for distances in [None, Some(slope)] {
                let cloud = Cloud::new(picture.clone(), distances, None, &settings(size)).unwrap();
                let (seen, holes) = see(&cloud, &Params::REST);
                let found = psnr(&seen, &picture.to_u8());
                assert!(found > 33.0, "{size:?}: {found:.1} dB");
                assert!(holes.iter().all(|it| *it == 0));
            }
        }
    }

    #[test]
    fn a_truck_before_a_flat_screen_shifts_the_picture() {
        let size = (320, 240);
        let cloud = Cloud::new(waves(size), None, None, &settings(size)).unwrap();
        // Ten pixels, exactly: the screen is one radius away.
        let params = Params {
            x: 10.0 / cloud.focal,
            ..Params::REST
        };
        let (seen, holes) = see(&cloud, &params);
        let source = cloud.picture.to_u8();
        let (mut shifted, mut kept) = (Vec::new(), Vec::new());
        for row in 0..240 {
            let at = |x: usize| (row * 320 + x) * 3;
            kept.extend_from_slice(&seen[at(2)..at(306)]);
            shifted.extend_from_slice(&source[at(12)..at(316)]);
            assert!((0..300).all(|x| holes[row * 320 + x] == 0), "row {row}");
            assert!((313..320).all(|x| holes[row * 320 + x] == 255), "row {row}");
        }
        let found = psnr(&kept, &shifted);
        assert!(found > 33.0, "{found:.1} dB");
        // Holes have the colour of the background.
        assert_eq!(seen[319 * 3..320 * 3], [128; 3]);
    }

    /// A near post in the middle of a far wall.
    fn post(size: (u32, u32)) -> Cloud {
        let near = |x: u32| x.abs_diff(size.0 / 2) < size.0 / 10;
        let z = (0..size.0 * size.1).map(|i| if near(i % size.0) { 2.0 } else { 6.0 });
        let picture = (0..size.0 * size.1).flat_map(|i| {
            if near(i % size.0) {
                [250, 20, 20]
            } else {
                [20, 20, 250]
            }
        });
        let picture = Frame::new(size.0, size.1, 3, Pixels::U8(picture.collect()));
        let settings = Settings {
            radius: 2.0,
            ..settings(size)
        };
        Cloud::new(picture, Some(z.collect()), None, &settings).unwrap()
    }

    /// Middle and width of the red post, and holes in the sixty columns left and right of it, in a middle row.
    fn measured(cloud: &Cloud, name: &str) -> (f32, usize, usize, usize) {
        let (seen, holes) = see(cloud, &moves::at(name, 0.5, 1.0).unwrap());
        let row = cloud.height / 2;
        let red: Vec<usize> = (0..cloud.width)
            .filter(|x| seen[(row * cloud.width + x) * 3] > 180)
            .collect();
        let hole = |x: usize| holes[row * cloud.width + x] == 255;
        let middle = red.iter().sum::<usize>() as f32 / red.len() as f32;
        let left = (red[0] - 60..red[0]).filter(|x| hole(*x)).count();
        let last = red[red.len() - 1];
        let right = (last..last + 60).filter(|x| hole(*x)).count();
        (middle, red.len(), left, right)
    }

    #[test]
    fn near_things_move_more_and_leave_holes_behind() {
        let cloud = post((400, 240));
        let (middle, width, left, right) = measured(&cloud, "static");
        // Torn edges leave a thin seam on both sides, no more.
        assert!(
            (middle - 200.0).abs() < 2.0 && left < 4 && right < 4,
            "{left} {right}"
        );
        let (_, wider, ..) = measured(&cloud, "dolly-in");
        assert!(wider as f32 > 1.2 * width as f32, "{wider} {width}");
        // To the right: the post goes left before the wall, and the wall behind its right side,
        // which nobody has seen, is a hole.
        let (moved, _, left, right) = measured(&cloud, "truck-right");
        assert!(
            moved < middle - 15.0 && left == 0 && right > 8,
            "{moved} {left} {right}"
        );
        let (moved, _, left, right) = measured(&cloud, "truck-left");
        assert!(
            moved > middle + 15.0 && right == 0 && left > 8,
            "{moved} {left} {right}"
        );
        // About the post it stays, and its far wall goes by.
        let (moved, _, left, right) = measured(&cloud, "orbit-right");
        assert!(
            (moved - middle).abs() < 6.0 && left == 0 && right > 20,
            "{moved} {left} {right}"
        );
    }

    #[test]
    fn surfaces_stay_closed_when_the_camera_comes_near() {
        let size = (200, 120);
        let cloud = Cloud::new(waves(size), None, None, &settings(size)).unwrap();
        let near = Params {
            distance: 0.25,
            focal: 1.5,
            ..Params::REST
        };
        let pose = Pose::new(&near, 5.0);
        let count = |cover| {
            let view = View::new(&cloud, &pose, Style { cover, ..UNI3C });
            view.holes()
                .iter()
                .map(|it| usize::from(*it == 255))
                .sum::<usize>()
        };
        assert_eq!(count(true), 0);
        assert!(
            count(false) > 5000,
            "without it there are {} pinholes",
            count(false)
        );
    }

    #[test]
    fn nearer_points_hide_farther_ones_whatever_their_order() {
        let mut list = [NO_FRAGMENT; DEEP];
        let mut count = 0;
        for i in [5u32, 1, 9, 3, 7, 0, 8, 2, 6, 4] {
            let new = Fragment {
                z: i as f32,
                weight: 0.5,
                point: i,
            };
            insert(&mut list, &mut count, new);
        }
        assert_eq!(list.map(|it| it.point), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(count, 8);
    }
}
