//! Lines, discs and filled shapes with smooth edges, kept inside a rectangle.

use crate::picture::canvas::Canvas;
use crate::picture::palette::Rgb;

/// A place on the canvas, pixels.
pub type Point = (f32, f32);

/// A rectangle on the canvas, pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

/// Draws on a canvas within an area.
pub struct Pen<'a> {
    /// What is drawn on.
    pub canvas: &'a mut Canvas,
    /// Nothing is drawn outside.
    pub area: Area,
}

/// Colour and opacity.
pub type Paint = (Rgb, f32);

impl Pen<'_> {
    /// Every pixel of the box around some points, widened by `margin`, with the opacity that `cover`
    /// gives its centre.
    fn fill(
        &mut self,
        points: &[Point],
        margin: f32,
        (colour, alpha): Paint,
        cover: impl Fn(Point) -> f32,
    ) {
        let low = |of: fn(&Point) -> f32| points.iter().map(of).fold(f32::INFINITY, f32::min);
        let high = |of: fn(&Point) -> f32| points.iter().map(of).fold(f32::NEG_INFINITY, f32::max);
        let area = self.area;
        let left = (low(|it| it.0) - margin).max(area.x).floor() as i32;
        let top = (low(|it| it.1) - margin).max(area.y).floor() as i32;
        let right = (high(|it| it.0) + margin).min(area.x + area.width).ceil() as i32;
        let bottom = (high(|it| it.1) + margin).min(area.y + area.height).ceil() as i32;
        for y in top..bottom {
            for x in left..right {
                let part = cover((x as f32 + 0.5, y as f32 + 0.5)).clamp(0.0, 1.0);
                if part > 0.0 {
                    self.canvas.cover(x, y, colour, alpha * part);
                }
            }
        }
    }

    /// A line with round ends.
    pub fn line(&mut self, a: Point, b: Point, width: f32, paint: Paint) {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let square = (dx * dx + dy * dy).max(1e-9);
        self.fill(&[a, b], width / 2.0 + 1.0, paint, |(x, y)| {
            let along = (((x - a.0) * dx + (y - a.1) * dy) / square).clamp(0.0, 1.0);
            let away = (x - a.0 - along * dx).hypot(y - a.1 - along * dy);
            width / 2.0 + 0.5 - away
        });
    }

    /// A filled disc.
    pub fn disc(&mut self, centre: Point, radius: f32, paint: Paint) {
        self.fill(&[centre], radius + 1.0, paint, |(x, y)| {
            radius + 0.5 - (x - centre.0).hypot(y - centre.1)
        });
    }

    /// A circle.
    pub fn ring(&mut self, centre: Point, radius: f32, width: f32, paint: Paint) {
        self.fill(&[centre], radius + width, paint, |(x, y)| {
            let away = (x - centre.0).hypot(y - centre.1) - radius;
            width / 2.0 + 0.5 - away.abs()
        });
    }

    /// The smallest convex shape around some points, filled.
    pub fn hull(&mut self, points: &[Point], paint: Paint) {
        let hull = convex(points);
        if hull.len() < 3 {
            return;
        }
        self.fill(&hull, 1.0, paint, |(x, y)| {
            let edge = |i: usize| {
                let (a, b) = (hull[i], hull[(i + 1) % hull.len()]);
                let (dx, dy) = (b.0 - a.0, b.1 - a.1);
                ((x - a.0) * dy - (y - a.1) * dx) / dx.hypot(dy).max(1e-6)
            };
            0.5 - (0..hull.len()).map(edge).fold(f32::NEG_INFINITY, f32::max)
        });
    }
}

/// Convex hull, in the order in which the inside lies to the left when y points up (A. M. Andrew's
/// monotone chain, 1979).
fn convex(points: &[Point]) -> Vec<Point> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let half = |order: &mut dyn Iterator<Item = Point>| {
        let mut chain: Vec<Point> = Vec::new();
        for p in order {
            while let [.., a, b] = chain[..] {
                if (b.0 - a.0) * (p.1 - a.1) - (b.1 - a.1) * (p.0 - a.0) > 0.0 {
                    break;
                }
                chain.pop();
            }
            chain.push(p);
        }
        chain.pop();
        chain
    };
    let mut hull = half(&mut sorted.iter().copied());
    hull.extend(half(&mut sorted.iter().rev().copied()));
    hull
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(draw: impl Fn(&mut Pen<'_>)) -> f64 {
        let mut canvas = Canvas::paint(64, 64, |_, _| [0.0; 3]);
        let area = Area {
            x: 8.0,
            y: 8.0,
            width: 48.0,
            height: 48.0,
        };
        draw(&mut Pen {
            canvas: &mut canvas,
            area,
        });
        let data = canvas.into_frame().to_u8();
        let outside = |i: usize| {
            let (x, y) = (i / 3 % 64, i / 3 / 64);
            !(8..56).contains(&x) || !(8..56).contains(&y)
        };
        assert!(data.iter().enumerate().all(|(i, v)| *v == 0 || !outside(i)));
        data.iter().step_by(3).map(|v| f64::from(*v) / 255.0).sum()
    }

    #[test]
    fn shapes_cover_their_area_and_stay_inside() {
        let white = ([1.0; 3], 1.0);
        let near = |found: f64, expected: f64| {
            assert!((found / expected - 1.0).abs() < 0.06, "{found} {expected}");
        };
        near(
            weight(|pen| pen.line((12.0, 30.0), (52.0, 30.0), 3.0, white)),
            40.0 * 3.0 + 7.1,
        );
        near(weight(|pen| pen.disc((32.0, 32.0), 10.0, white)), 314.0);
        near(
            weight(|pen| pen.ring((32.0, 32.0), 12.0, 2.0, white)),
            151.0,
        );
        let square = [
            (20.0, 20.0),
            (40.0, 40.0),
            (40.0, 20.0),
            (30.0, 30.0),
            (20.0, 40.0),
        ];
        near(weight(|pen| pen.hull(&square, white)), 400.0);
        weight(|pen| pen.line((-100.0, -90.0), (200.0, 220.0), 8.0, white));
        weight(|pen| pen.hull(&[(0.0, 0.0), (90.0, 0.0), (30.0, 90.0)], white));
        assert_eq!(weight(|pen| pen.hull(&square[..2], white)), 0.0);
    }
}
