//! A capsule met by a ray from the camera, exactly, and the part of the picture it can be seen in.
//!
//! SCAIL finds the same surface by sphere tracing the distance to the segment less the radius
//! (`render_3d/taichi_cylinder.py`); the tests do so too, to compare.

use super::motion::{Joint, View};

/// A segment with a radius, in camera space, millimetres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capsule {
    /// One end of the segment.
    pub from: Joint,
    /// The other end.
    pub to: Joint,
    /// Distance of the surface from the segment.
    pub radius: f64,
    /// Colour of the material, linear in the picture's values, 0..1 (a little more where bright).
    pub material: [f64; 3],
}

/// Scalar product.
pub fn dot(a: Joint, b: Joint) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Difference.
pub fn minus(a: Joint, b: Joint) -> Joint {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// `a` moved by `b` times `t`.
pub fn along(a: Joint, b: Joint, t: f64) -> Joint {
    [a[0] + b[0] * t, a[1] + b[1] * t, a[2] + b[2] * t]
}

/// The same direction with length 1; nought stays nought.
pub fn unit(a: Joint) -> Joint {
    let length = dot(a, a).sqrt();
    if length > 0.0 {
        a.map(|it| it / length)
    } else {
        a
    }
}

impl Capsule {
    /// Distance along a ray of unit direction from the camera to the first point of the surface; none
    /// when it misses, or when the camera is inside.
    pub fn hit(&self, ray: Joint) -> Option<f64> {
        let axis = minus(self.to, self.from);
        let length2 = dot(axis, axis);
        let sphere = |centre: Joint| {
            let b = dot(ray, centre);
            let h = b * b - dot(centre, centre) + self.radius * self.radius;
            let t = b - h.max(0.0).sqrt();
            (h >= 0.0 && t > 0.0).then_some(t)
        };
        let along_axis = dot(axis, ray);
        let across = length2 - along_axis * along_axis;
        if across <= 1e-9 * length2.max(1e-12) {
            // A point, or seen along its axis: only the ends can be met.
            let ends = [sphere(self.from), sphere(self.to)];
            return ends.into_iter().flatten().reduce(f64::min);
        }
        // The endless cylinder: the part of (ray·t - from) across the axis is as long as the radius.
        let axis_from = -dot(axis, self.from);
        let ray_from = -dot(ray, self.from);
        let from2 = dot(self.from, self.from);
        let b = length2 * ray_from - axis_from * along_axis;
        let c = length2 * (from2 - self.radius * self.radius) - axis_from * axis_from;
        let h = b * b - across * c;
        if h < 0.0 {
            return None;
        }
        let t = (-b - h.sqrt()) / across;
        let place = axis_from + t * along_axis;
        if place > 0.0 && place < length2 {
            return (t > 0.0).then_some(t);
        }
        sphere(if place <= 0.0 { self.from } else { self.to })
    }

    /// Outward normal at a point of the surface.
    pub fn normal(&self, point: Joint) -> Joint {
        let axis = minus(self.to, self.from);
        let length2 = dot(axis, axis);
        let part = if length2 > 0.0 {
            (dot(minus(point, self.from), axis) / length2).clamp(0.0, 1.0)
        } else {
            0.0
        };
        unit(minus(point, along(self.from, axis, part)))
    }

    /// Left, top, right and bottom, in pixels, of a rectangle that holds all that can be seen of it;
    /// none when it lies behind the camera.
    pub fn bounds(&self, view: &View) -> Option<[f64; 4]> {
        let mut bounds = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
        for i in 0..2 {
            for end in [self.from, self.to] {
                let (low, high) = extent(end[i], end[2], self.radius)?;
                bounds[i] = bounds[i].min(view.focal[i] * low + view.centre[i]);
                bounds[i + 2] = bounds[i + 2].max(view.focal[i] * high + view.centre[i]);
            }
        }
        Some(bounds)
    }
}

/// Least and largest `x/z` of a sphere: the two tangents from the camera. Spheres that reach beside
/// or behind the camera go on for ever; those wholly behind are not seen.
fn extent(x: f64, z: f64, radius: f64) -> Option<(f64, f64)> {
    const EVER: f64 = 1e6;
    if z <= -radius {
        return None;
    }
    let distance = x.hypot(z);
    if z <= radius || distance <= radius {
        return Some((-EVER, EVER));
    }
    let (middle, half) = (x.atan2(z), (radius / distance).asin());
    let tangent = |angle: f64| {
        if angle.abs() < std::f64::consts::FRAC_PI_2 - 1e-6 {
            angle.tan()
        } else {
            EVER.copysign(angle)
        }
    };
    Some((tangent(middle - half), tangent(middle + half)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capsule(from: Joint, to: Joint) -> Capsule {
        Capsule {
            from,
            to,
            radius: 10.0,
            material: [1.0; 3],
        }
    }

    #[test]
    fn rays_meet_sides_ends_and_nothing() {
        let lying = capsule([-50.0, 0.0, 100.0], [50.0, 0.0, 100.0]);
        assert_eq!(lying.hit([0.0, 0.0, 1.0]), Some(90.0));
        assert_eq!(lying.hit([0.0, 0.0, -1.0]), None);
        assert_eq!(lying.hit(unit([0.0, 20.0, 100.0])), None);
        assert_eq!(lying.normal([0.0, 0.0, 90.0]), [0.0, 0.0, -1.0]);
        let along = capsule([0.0, 0.0, 80.0], [0.0, 0.0, 200.0]);
        assert_eq!(along.hit([0.0, 0.0, 1.0]), Some(70.0));
        let ball = capsule([0.0, 0.0, 80.0], [0.0, 0.0, 80.0]);
        assert_eq!(ball.hit([0.0, 0.0, 1.0]), Some(70.0));
        assert_eq!(ball.normal([10.0, 0.0, 80.0]), [1.0, 0.0, 0.0]);
    }

    #[test]
    fn bounds_hold_every_ray_that_hits() {
        let view = View::of_canvas(64.0, 64.0);
        for (from, to) in [
            ([-20.0, 5.0, 120.0], [30.0, -10.0, 60.0]),
            ([0.0, 0.0, 40.0], [0.0, 0.0, 90.0]),
            ([-40.0, 0.0, 12.0], [-30.0, 10.0, 200.0]),
            ([0.0, 30.0, 5.0], [0.0, 30.0, 60.0]),
        ] {
            let it = capsule(from, to);
            let [left, top, right, bottom] = it.bounds(&view).unwrap();
            for y in -80..160 {
                for x in -80..160 {
                    let (x, y) = (f64::from(x), f64::from(y));
                    let ray = unit(view.unproject([x, y], 1.0));
                    let inside = x >= left && x <= right && y >= top && y <= bottom;
                    assert!(inside || it.hit(ray).is_none(), "{from:?} {x} {y}");
                }
            }
        }
        assert_eq!(
            capsule([0.0, 0.0, -50.0], [0.0, 0.0, 50.0]).bounds(&view),
            None
        );
    }
}
