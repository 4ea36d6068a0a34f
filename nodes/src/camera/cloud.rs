//! A picture and its depth as coloured points in space.

use longtake_graph::say;
use longtake_run::{Frame, RunError};

use super::depth;
use super::pose::{Params, Pose};
use crate::failure::at_input;
use crate::picture::resize::{Method, scale};

/// How a cloud is made.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Pixels of the film, across and down.
    pub size: (u32, u32),
    /// Horizontal angle of view of the picture, degrees.
    pub fov: f64,
    /// Degrees that the first camera is raised by.
    pub elevation: f64,
    /// Distance of the subject in the depth map's unit; 0 takes the median.
    pub radius: f64,
    /// Threshold of [`depth::edges`]; 0 keeps every point.
    pub edge: f32,
}

/// Points with the first camera's lens.
pub struct Cloud {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Focal length of the first camera, pixels.
    pub focal: f64,
    /// World positions in radii.
    pub points: Vec<[f32; 3]>,
    /// Colours, 8-bit sRGB as in the picture.
    pub colours: Vec<[u8; 3]>,
    /// Width that a point stands for, radii: a pixel's width at its distance.
    pub sizes: Vec<f32>,
    /// Distance of the subject, in the depth map's unit.
    pub radius: f64,
    /// The picture itself, 8 bits, in the film's size.
    pub picture: Frame,
}

/// A depth map's distances in the film's size; 0 where unknown.
pub type Distances = Vec<f32>;

/// The picture in the film's size, 8 bits: scaled until it fills it, cut at the edges.
pub fn fit_picture(picture: &Frame, size: (u32, u32)) -> Frame {
    if (picture.width, picture.height) == size {
        let rgb = picture.to_rgb();
        let bytes = rgb.to_u8();
        return Frame::new(size.0, size.1, 3, longtake_run::Pixels::U8(bytes));
    }
    scale(&picture.to_rgb(), size, Method::Lanczos, true)
}

/// A depth map in the film's size, cut as its picture is.
///
/// # Errors
/// Its shape is not the picture's.
pub fn fit_map(
    map: &Frame,
    picture: (u32, u32),
    size: (u32, u32),
    smooth: bool,
) -> Result<Frame, RunError> {
    let shape = |(w, h): (u32, u32)| f64::from(w) / f64::from(h.max(1));
    let (own, wanted) = (shape((map.width, map.height)), shape(picture));
    if (own / wanted - 1.0).abs() > 0.02 {
        let why = say!(
            "expected a map of the picture's shape, {2}×{3}, found {0}×{1}; make the map from that picture",
            "画像と同じ比率({2}×{3})のマップが必要ですが、{0}×{1} です。その画像から作ったマップを使ってください",
            map.width,
            map.height,
            picture.0,
            picture.1
        );
        return Err(at_input("depth", &why));
    }
    let method = match (smooth, map.width > size.0) {
        (false, _) => Method::NearestExact,
        (true, true) => Method::Area,
        (true, false) => Method::Bilinear,
    };
    Ok(scale(map, size, method, true))
}

impl Cloud {
    /// The cloud of a picture of the film's size. Without distances it is a plane at one radius.
    /// `subject` tells pixels of the subject, from which the radius is taken: when they are fewer
    /// than one in twenty all pixels count, as in Uni3C's `cam_render.py`.
    ///
    /// # Errors
    /// No distance is known.
    pub fn new(
        picture: Frame,
        distances: Option<Distances>,
        subject: Option<&[bool]>,
        settings: &Settings,
    ) -> Result<Self, RunError> {
        let (width, height) = (settings.size.0 as usize, settings.size.1 as usize);
        let focal = width as f64 / 2.0 / (settings.fov.to_radians() / 2.0).tan();
        let flat = distances.is_none();
        let mut z = distances.unwrap_or_else(|| vec![1.0; width * height]);
        let all = depth::median(&z, |_| true).ok_or_else(|| {
            let why = say!(
                "expected distances, found a map that is black throughout; choose another depth map",
                "距離の分かる画素がありません。マップ全体が黒です。別の深度マップを選んでください"
            );
            at_input("depth", &why)
        })?;
        let radius = match (settings.radius, subject) {
            (asked, _) if asked > 0.0 && !flat => asked,
            (_, Some(subject)) if !flat => {
                let enough = subject.iter().filter(|it| **it).count() * 20 >= subject.len();
                let median = depth::median(&z, |i| !enough || subject[i]);
                f64::from(median.unwrap_or(all))
            }
            _ => f64::from(all),
        };
        depth::contract(&mut z, all);
        let torn = if settings.edge > 0.0 {
            depth::edges(&z, width, settings.edge)
        } else {
            vec![false; z.len()]
        };
        let mut cloud = Self {
            width,
            height,
            focal,
            points: Vec::with_capacity(z.len()),
            colours: Vec::with_capacity(z.len()),
            sizes: Vec::with_capacity(z.len()),
            radius,
            picture,
        };
        cloud.fill(&z, &torn, settings.elevation);
        Ok(cloud)
    }

    /// Takes every pixel with a distance and no tear into the world.
    fn fill(&mut self, z: &[f32], torn: &[bool], elevation: f64) {
        let first = Pose::new(&Params::REST, elevation);
        let bytes = self.picture.to_u8();
        let middle = (self.width as f64 / 2.0, self.height as f64 / 2.0);
        let colours = bytes.as_chunks::<3>().0;
        for (i, (&z, &colour)) in z.iter().zip(colours).enumerate() {
            if z <= 0.0 || torn[i] {
                continue;
            }
            let z = f64::from(z) / self.radius;
            // Pixel centres lie at halves.
            let x = (i % self.width) as f64 + 0.5 - middle.0;
            let y = (i / self.width) as f64 + 0.5 - middle.1;
            let seen = [x * z / self.focal, y * z / self.focal, z];
            self.points.push(first.to_world(seen).map(|it| it as f32));
            self.colours.push(colour);
            self.sizes.push((z / self.focal) as f32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::says;
    use longtake_run::Pixels;

    fn settings(size: (u32, u32)) -> Settings {
        Settings {
            size,
            fov: 90.0,
            elevation: 0.0,
            radius: 0.0,
            edge: 0.0,
        }
    }

    fn picture((width, height): (u32, u32)) -> Frame {
        let count = (width * height * 3) as usize;
        Frame::new(
            width,
            height,
            3,
            Pixels::U8((0..count).map(|i| i as u8).collect()),
        )
    }

    #[test]
    fn a_pixel_goes_where_the_pinhole_puts_it() {
        // 90° across 4 pixels: a focal length of 2. Median distance 2.
        let z = vec![2.0, 2.0, 2.0, 4.0, 2.0, 2.0, 2.0, 0.0];
        let cloud = Cloud::new(picture((4, 2)), Some(z), None, &settings((4, 2))).unwrap();
        assert_eq!((cloud.radius, cloud.points.len()), (2.0, 7));
        assert!((cloud.focal - 2.0).abs() < 1e-12);
        // Pixel (3, 0): 1.5 to the right of the middle and 0.5 above, at distance 4 = 2 radii. The
        // camera stands at z = −1.
        let [x, y, z] = cloud.points[3].map(f64::from);
        let expected = [1.5 * 2.0 / 2.0, -0.5 * 2.0 / 2.0, 2.0 - 1.0];
        assert!((x - expected[0]).abs() < 1e-6, "{x}");
        assert!((y - expected[1]).abs() < 1e-6 && (z - expected[2]).abs() < 1e-6);
        assert_eq!(cloud.colours[3], [9, 10, 11]);
        assert!((cloud.sizes[3] - 1.0).abs() < 1e-6);
    }

    #[test]
    fn the_subject_gives_the_radius_when_there_is_enough_of_it() {
        let z: Vec<f32> = (0..100).map(|i| if i < 10 { 1.0 } else { 5.0 }).collect();
        let radius = |count: usize, radius: f64| {
            let subject: Vec<bool> = (0..100).map(|i| i < count).collect();
            let settings = Settings {
                radius,
                ..settings((10, 10))
            };
            Cloud::new(
                picture((10, 10)),
                Some(z.clone()),
                Some(&subject),
                &settings,
            )
            .unwrap()
            .radius
        };
        assert_eq!(
            [radius(10, 0.0), radius(4, 0.0), radius(10, 2.5)],
            [1.0, 5.0, 2.5]
        );
        let dark = Cloud::new(picture((2, 1)), Some(vec![0.0; 2]), None, &settings((2, 1)));
        says(&dark.err().unwrap().message, "black throughout");
    }

    #[test]
    fn a_map_of_another_shape_is_refused() {
        let map = Frame::new(8, 8, 1, Pixels::U8(vec![0; 64]));
        let error = fit_map(&map, (16, 9), (32, 18), true).unwrap_err();
        says(&error.message, "16×9, found 8×8");
        let fitted = fit_map(&map, (20, 20), (5, 3), true).unwrap();
        assert_eq!((fitted.width, fitted.height), (5, 3));
    }
}
