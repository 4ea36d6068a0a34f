//! A camera path drawn for people: from above, from the side, and what the camera sees.

use longtake_run::{Frame, RunError};

use super::cloud::Cloud;
use super::numbers::{changes, curves};
use super::path::CameraPath;
use super::plot::{Area, Paint, Pen, Point};
use super::pose::{Pose, Vec3};
use super::splat::{Style as Splats, View};
use crate::picture::canvas::Canvas;
use crate::picture::palette::{Rgb, hex, mix};
use crate::picture::resize::{Method, scale};
use crate::picture::text::{Align, Ink, Style, set};

const PAPER: Rgb = hex(0x12161f);
pub(super) const PANEL: Rgb = hex(0x1a202c);
const LINES: Rgb = hex(0x8fa3c4);
pub(super) const WORDS: Rgb = hex(0xe9edf5);
pub(super) const QUIET: Rgb = hex(0x93a0b8);
const START: Rgb = hex(0x38d6c4);
const MIDDLE: Rgb = hex(0x8d8bff);
const END: Rgb = hex(0xff9d4d);

/// Frusta drawn along a path.
const FRUSTA: u64 = 7;
/// Pictures of what the camera sees.
const VIEWS: u64 = 5;
/// Points of the cloud drawn in a panel.
const DOTS: usize = 90_000;

/// Colour of a time, 0..1.
pub(super) fn time_colour(t: f32) -> Rgb {
    if t < 0.5 {
        mix(START, MIDDLE, t * 2.0)
    } else {
        mix(MIDDLE, END, t * 2.0 - 1.0)
    }
}

/// What is drawn.
pub struct Sketch<'a> {
    /// The path.
    pub path: &'a CameraPath,
    /// Points to show, where there is a picture.
    pub cloud: Option<&'a Cloud>,
    /// Horizontal angle of view, degrees.
    pub fov: f64,
    /// Width over height of the film.
    pub aspect: f64,
    /// Size of the drawing.
    pub size: (u32, u32),
}

/// A way to look at the world: which of its axes goes across and which down, and their signs.
#[derive(Clone, Copy)]
struct Look {
    across: usize,
    down: usize,
    flip: f64,
}

const TOP: Look = Look {
    across: 0,
    down: 2,
    flip: -1.0,
};
const SIDE: Look = Look {
    across: 2,
    down: 1,
    flip: 1.0,
};

impl Look {
    fn at(self, world: Vec3) -> (f64, f64) {
        (world[self.across], self.flip * world[self.down])
    }
}

/// A panel: how the world lies in its area.
struct Panel {
    look: Look,
    area: Area,
    centre: (f64, f64),
    /// Pixels per radius.
    zoom: f64,
}

impl Panel {
    fn place(&self, world: Vec3) -> Point {
        let (x, y) = self.look.at(world);
        let area = self.area;
        (
            area.x + area.width / 2.0 + ((x - self.centre.0) * self.zoom) as f32,
            area.y + area.height / 2.0 + ((y - self.centre.1) * self.zoom) as f32,
        )
    }
}

impl Sketch<'_> {
    /// The drawing.
    ///
    /// # Errors
    /// No font is installed.
    pub fn draw(&self) -> Result<Frame, RunError> {
        let (width, height) = (self.size.0 as f32, self.size.1 as f32);
        // Letters and lines keep to the tighter side, panels fill what there is.
        let (u, v) = ((width / 1280.0).min(height / 720.0), height / 720.0);
        let mut canvas = Canvas::paint(self.size.0, self.size.1, |_, y| {
            mix(PAPER, hex(0x0b0e14), y as f32 / height)
        });
        self.header(&mut canvas, u)?;
        let margin = 28.0 * u;
        let wide = (width - 3.0 * margin) / 2.0;
        let area = |x| Area {
            x,
            y: 92.0 * v,
            width: wide,
            height: 410.0 * v,
        };
        let titles = [("TOP VIEW  ·  上から", TOP), ("SIDE VIEW  ·  横から", SIDE)];
        for (i, (title, look)) in titles.into_iter().enumerate() {
            let panel = self.panel(look, area(margin + i as f32 * (wide + margin)));
            self.fill_panel(&mut canvas, &panel, u);
            let at = (panel.area.x + 14.0 * u, panel.area.y + 10.0 * u);
            words(&mut canvas, title, 15.0 * u, QUIET, at, wide, Align::Left)?;
            self.marks(&mut canvas, &panel, u)?;
        }
        let strip = Area {
            x: margin,
            y: 520.0 * v,
            width: width - 2.0 * margin,
            height: 180.0 * v,
        };
        match self.cloud {
            Some(cloud) => self.views(&mut canvas, cloud, strip, u)?,
            None => curves(self.path, &mut canvas, strip, u)?,
        }
        Ok(canvas.into_frame())
    }

    fn frames(&self) -> u64 {
        self.path.frames.len() as u64
    }

    /// A frame at a part of the path, and that part as the frame has it.
    fn stop(&self, i: u64, of: u64) -> (u64, f32) {
        let last = self.frames() - 1;
        let frame = (i * last + (of - 1) / 2) / (of - 1).max(1);
        (frame, frame as f32 / last.max(1) as f32)
    }

    fn pose(&self, frame: u64) -> Pose {
        self.path.pose(frame, self.frames())
    }

    fn header(&self, canvas: &mut Canvas, u: f32) -> Result<(), RunError> {
        let width = canvas.width() as f32 - 56.0 * u;
        let label = (28.0 * u, 16.0 * u);
        words(
            canvas,
            "CAMERA PATH  ·  カメラの軌跡",
            14.0 * u,
            START,
            label,
            width,
            Align::Left,
        )?;
        let name = (28.0 * u, 36.0 * u);
        words(
            canvas,
            &self.path.name,
            32.0 * u,
            WORDS,
            name,
            width,
            Align::Left,
        )?;
        let facts = format!("{} frames  ·  {}", self.frames(), changes(self.path));
        words(
            canvas,
            &facts,
            16.0 * u,
            QUIET,
            (28.0 * u, 54.0 * u),
            width,
            Align::Right,
        )
    }

    /// Fits the path, the subject and a little around them into an area.
    fn panel(&self, look: Look, area: Area) -> Panel {
        let mut low = (f64::INFINITY, f64::INFINITY);
        let mut high = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        let mut take = |world: Vec3| {
            let (x, y) = look.at(world);
            low = (low.0.min(x), low.1.min(y));
            high = (high.0.max(x), high.1.max(y));
        };
        take([-0.45, -0.45, -0.45]);
        take([0.45, 0.45, 0.75]);
        for frame in 0..self.frames() {
            take(self.pose(frame).position);
        }
        let room = (high.0 - low.0 + 0.35, high.1 - low.1 + 0.35);
        let zoom = (f64::from(area.width) / room.0).min(f64::from(area.height) / room.1);
        Panel {
            look,
            area,
            centre: (low.0.midpoint(high.0), low.1.midpoint(high.1)),
            zoom,
        }
    }

    fn fill_panel(&self, canvas: &mut Canvas, panel: &Panel, u: f32) {
        let area = panel.area;
        canvas.rectangle((area.x, area.y), (area.width, area.height), PANEL, 1.0);
        let mut pen = Pen { canvas, area };
        grid(&mut pen, panel, u);
        if let Some(cloud) = self.cloud {
            dots(&mut pen, panel, cloud, u);
        }
        let subject = panel.place([0.0; 3]);
        for radius in [10.0, 3.0] {
            pen.ring(subject, radius * u, 1.6 * u, (WORDS, 0.9));
        }
        for i in 0..FRUSTA {
            let (frame, t) = self.stop(i, FRUSTA);
            self.frustum(&mut pen, panel, frame, (time_colour(t), 1.0), u);
        }
        let last = self.frames().saturating_sub(1).max(1) as f32;
        let places = (0..self.frames()).map(|frame| panel.place(self.pose(frame).position));
        let places: Vec<Point> = places.collect();
        for pair in places.windows(2) {
            pen.line(pair[0], pair[1], 6.0 * u, (PAPER, 0.5));
        }
        for (i, pair) in places.windows(2).enumerate() {
            let colour = time_colour(i as f32 / last);
            pen.line(pair[0], pair[1], 3.2 * u, (colour, 1.0));
        }
        if let [first, .., end] = places[..] {
            pen.disc(end, 7.5 * u, (END, 1.0));
            pen.disc(first, 7.5 * u, (START, 1.0));
            pen.disc(first, 4.0 * u, (PANEL, 1.0));
        }
    }

    /// The pyramid that a camera sees, a fifth of a radius deep.
    fn frustum(
        &self,
        pen: &mut Pen<'_>,
        panel: &Panel,
        frame: u64,
        (colour, alpha): Paint,
        u: f32,
    ) {
        let pose = self.pose(frame);
        let deep = (62.0 * f64::from(u) / panel.zoom).min(0.6);
        let half = deep * (self.fov.to_radians() / 2.0).tan() / pose.focal;
        let corner =
            |x: f64, y: f64| panel.place(pose.to_world([x * half, y * half / self.aspect, deep]));
        let corners = [
            corner(-1.0, -1.0),
            corner(1.0, -1.0),
            corner(1.0, 1.0),
            corner(-1.0, 1.0),
        ];
        let apex = panel.place(pose.position);
        let [a, b, c, d] = corners;
        pen.hull(&[apex, a, b, c, d], (colour, 0.13 * alpha));
        for i in 0..4 {
            pen.line(apex, corners[i], 1.2 * u, (colour, 0.75 * alpha));
            pen.line(
                corners[i],
                corners[(i + 1) % 4],
                1.2 * u,
                (colour, 0.75 * alpha),
            );
        }
    }

    /// Start, end and subject, in words.
    fn marks(&self, canvas: &mut Canvas, panel: &Panel, u: f32) -> Result<(), RunError> {
        let (first, end) = (self.pose(0).position, self.pose(self.frames() - 1).position);
        let (a, b) = (panel.place(first), panel.place(end));
        let apart = (a.0 - b.0).hypot(a.1 - b.1) > 40.0 * u;
        let area = panel.area;
        let mut mark = |text: &str, colour, place: Point, down: f32| {
            let wide = 150.0 * u;
            let x = (place.0 - wide / 2.0)
                .min(area.x + area.width - wide)
                .max(area.x);
            let low = area.y + area.height - 26.0 * u;
            let y = (place.1 + down * u).min(low).max(area.y + 28.0 * u);
            words(canvas, text, 15.0 * u, colour, (x, y), wide, Align::Centre)
        };
        mark("subject · 被写体", WORDS, panel.place([0.0; 3]), -36.0)?;
        if apart {
            mark("start · 始", START, a, 11.0)?;
            mark("end · 終", END, b, 11.0)
        } else {
            mark("start = end · 始終", START, a, 11.0)
        }
    }

    /// What the camera sees in a frame, small.
    fn seen(&self, cloud: &Cloud, index: u64, size: (u32, u32)) -> Frame {
        let style = Splats {
            radius: 0.008,
            cover: true,
            background: [0.0; 3],
        };
        let seen = if index == 0 {
            cloud.picture.clone()
        } else {
            let data = View::new(cloud, &self.pose(index), style).colours();
            let (width, height) = (cloud.width as u32, cloud.height as u32);
            Frame::new(width, height, 3, longtake_run::Pixels::U8(data))
        };
        scale(
            &seen,
            (size.0.max(1), size.1.max(1)),
            Method::Lanczos,
            false,
        )
    }

    /// What the camera sees along the path.
    fn views(
        &self,
        canvas: &mut Canvas,
        cloud: &Cloud,
        strip: Area,
        u: f32,
    ) -> Result<(), RunError> {
        let gap = 12.0 * u;
        let room = (
            (strip.width + gap) / VIEWS as f32 - gap,
            strip.height - 28.0 * u,
        );
        let shrink = (room.0 / cloud.width as f32).min(room.1 / cloud.height as f32);
        let size = (
            (cloud.width as f32 * shrink) as u32,
            (cloud.height as f32 * shrink) as u32,
        );
        for i in 0..VIEWS {
            let (index, t) = self.stop(i, VIEWS);
            let seen = self.seen(cloud, index, size);
            let x = strip.x + i as f32 * (room.0 + gap) + (room.0 - size.0 as f32) / 2.0;
            let colour = time_colour(t);
            paste(canvas, &seen, (x as i32, strip.y as i32));
            let below = strip.y + seen.height as f32;
            canvas.rectangle(
                (x.floor(), below.floor()),
                (seen.width as f32, 3.0 * u),
                colour,
                1.0,
            );
            let label = format!("{index}");
            words(
                canvas,
                &label,
                15.0 * u,
                colour,
                (x, below + 5.0 * u),
                size.0 as f32,
                Align::Left,
            )?;
            let percent = format!("{:.0} %", t * 100.0);
            words(
                canvas,
                &percent,
                15.0 * u,
                QUIET,
                (x, below + 5.0 * u),
                size.0 as f32,
                Align::Right,
            )?;
        }
        Ok(())
    }
}

/// Lines every half radius.
fn grid(pen: &mut Pen<'_>, panel: &Panel, u: f32) {
    let area = panel.area;
    let step = 0.5;
    let reach = |middle: f64, extent: f32| {
        let half = f64::from(extent) / 2.0 / panel.zoom;
        ((middle - half) / step).ceil() as i64..=((middle + half) / step).floor() as i64
    };
    let alpha = |i: i64| if i == 0 { 0.22 } else { 0.08 };
    for i in reach(panel.centre.0, area.width).take(400) {
        let x =
            area.x + area.width / 2.0 + ((i as f64 * step - panel.centre.0) * panel.zoom) as f32;
        pen.line((x, area.y), (x, area.y + area.height), u, (LINES, alpha(i)));
    }
    for i in reach(panel.centre.1, area.height).take(400) {
        let y =
            area.y + area.height / 2.0 + ((i as f64 * step - panel.centre.1) * panel.zoom) as f32;
        pen.line((area.x, y), (area.x + area.width, y), u, (LINES, alpha(i)));
    }
}

/// The cloud, thinned out, in its own colours.
fn dots(pen: &mut Pen<'_>, panel: &Panel, cloud: &Cloud, u: f32) {
    let step = cloud.points.len().div_ceil(DOTS).max(1);
    let area = panel.area;
    for (point, colour) in cloud.points.iter().zip(&cloud.colours).step_by(step) {
        let (x, y) = panel.place(point.map(f64::from));
        let inside =
            x >= area.x && y >= area.y && x < area.x + area.width && y < area.y + area.height;
        if inside {
            let colour = colour.map(|it| f32::from(it) / 255.0);
            pen.disc((x, y), 0.9 * u, (colour, 0.55));
        }
    }
}

fn paste(canvas: &mut Canvas, frame: &Frame, (left, top): (i32, i32)) {
    let data = frame.to_u8();
    let width = frame.width as usize;
    for (i, pixel) in data.as_chunks::<3>().0.iter().enumerate() {
        let colour = pixel.map(|it| f32::from(it) / 255.0);
        canvas.cover(
            left + (i % width) as i32,
            top + (i / width) as i32,
            colour,
            1.0,
        );
    }
}

/// One line of text.
pub(super) fn words(
    canvas: &mut Canvas,
    text: &str,
    size: f32,
    colour: Rgb,
    at: Point,
    width: f32,
    align: Align,
) -> Result<(), RunError> {
    let style = Style {
        align,
        leading: 1.2,
        ..Style::new(size)
    };
    let ink = Ink {
        colour,
        alpha: 1.0,
        shadow: size / 5.0,
    };
    set(text, &style, width, 1)?.draw(canvas, at, ink);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::cloud::Settings;
    use crate::camera::{moves, uni3c};
    use longtake_run::Pixels;

    fn path(name: &str, length: usize) -> CameraPath {
        let ours = |i| moves::at(name, 1.0, i as f64 / (length - 1).max(1) as f64);
        let frames = uni3c::frames(name, length);
        CameraPath {
            name: name.to_owned(),
            elevation: 5.0,
            frames: frames.or_else(|| (0..length).map(ours).collect()).unwrap(),
        }
    }

    fn sketch(path: &CameraPath, cloud: Option<&Cloud>, size: (u32, u32)) -> Frame {
        let sketch = Sketch {
            path,
            cloud,
            fov: 55.0,
            aspect: 1.7,
            size,
        };
        sketch.draw().unwrap()
    }

    #[test]
    fn every_path_can_be_drawn_in_any_size() {
        for (name, length, size) in [
            ("static", 1, (320, 180)),
            ("orbit-360", 33, (641, 361)),
            ("uni3c-swing1", 2, (320, 700)),
            ("dolly-zoom", 9, (900, 200)),
        ] {
            let frame = sketch(&path(name, length), None, size);
            assert_eq!((frame.width, frame.height), size, "{name}");
        }
    }

    #[test]
    fn the_start_stands_left_of_the_subject_seen_from_the_side() {
        let path = path("static", 5);
        let frame = sketch(&path, None, (1280, 720));
        let data = frame.to_u8();
        // The disc's ring has the colour of the start; the side view is the right half.
        let teal = START.map(|it| (it * 255.0).round() as u8);
        let found = (0..720 * 640).filter(|i| {
            let at = ((i / 640 + 92) % 720 * 1280 + 640 + i % 640) * 3;
            data[at..at + 3] == teal
        });
        let columns: Vec<usize> = found.map(|i| i % 640).collect();
        let mean = columns.iter().sum::<usize>() / columns.len().max(1);
        assert!(columns.len() > 30 && mean < 300, "{} {mean}", columns.len());
    }

    #[test]
    fn a_cloud_is_drawn_in_its_colours() {
        let picture = Frame::new(64, 36, 3, Pixels::U8([250, 30, 200].repeat(64 * 36)));
        let settings = Settings {
            size: (64, 36),
            fov: 55.0,
            elevation: 5.0,
            radius: 0.0,
            edge: 0.35,
        };
        let cloud = Cloud::new(picture, None, None, &settings).unwrap();
        let data = sketch(&path("orbit-right", 9), Some(&cloud), (640, 360)).to_u8();
        let pink = data
            .as_chunks::<3>()
            .0
            .iter()
            .filter(|it| it[0] > 150 && it[1] < 80);
        assert!(pink.count() > 3000);
    }
}
