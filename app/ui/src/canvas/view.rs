//! What part of the graph shows: an offset and a zoom, and gliding from one to another.

use egui::emath::TSTransform;
use egui::{Pos2, Rect, Vec2, pos2};

/// Smallest and largest zoom.
const RANGE: (f32, f32) = (0.02, 4.0);
/// Seconds a glide takes.
const GLIDE_SECS: f32 = 0.16;

/// What part of the graph shows: screen = graph × zoom + offset, both in points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Where the graph's origin stands on the screen, relative to the canvas' corner.
    pub offset: Vec2,
    /// Points of the screen per point of the graph.
    pub zoom: f32,
}

impl Default for View {
    fn default() -> Self {
        Self {
            offset: Vec2::ZERO,
            zoom: 1.0,
        }
    }
}

impl View {
    /// The transform from graph to screen, for a canvas at `area`. Where text needs no scaling it
    /// lands on whole pixels, so that it stays crisp.
    pub fn transform(&self, area: Rect, pixels_per_point: f32) -> TSTransform {
        let mut at = area.min.to_vec2() + self.offset;
        if (self.zoom - 1.0).abs() < 1e-3 {
            at = (at * pixels_per_point).round() / pixels_per_point;
        }
        TSTransform::new(at, self.zoom)
    }

    /// Zooms by `factor` so that the point of the graph under `at` (relative to the canvas' corner)
    /// stays there.
    pub fn zoom_about(&mut self, at: Vec2, factor: f32) {
        let zoom = (self.zoom * factor).clamp(RANGE.0, RANGE.1);
        // Within a step of 1:1, text is worth more than the last percent.
        let zoom = if (zoom - 1.0).abs() < 0.02 { 1.0 } else { zoom };
        self.offset = at + (self.offset - at) * (zoom / self.zoom);
        self.zoom = zoom;
    }

    /// The view that shows `bounds` (graph) whole in a canvas of that size, no larger than 1:1.
    pub fn fitting(bounds: Rect, size: Vec2) -> Self {
        let bounds = bounds.expand(48.0);
        let scale = (size / bounds.size().max(Vec2::splat(1.0))).min_elem();
        let zoom = scale.clamp(RANGE.0, 1.0);
        Self {
            offset: size / 2.0 - bounds.center().to_vec2() * zoom,
            zoom,
        }
    }

    /// A view of that zoom with that point of the graph in the middle.
    #[must_use]
    pub fn centred(&self, on: Pos2, size: Vec2, zoom: f32) -> Self {
        Self {
            offset: size / 2.0 - on.to_vec2() * zoom,
            zoom,
        }
    }

    /// The part of the graph that shows in a canvas of that size.
    pub fn shown(&self, size: Vec2) -> Rect {
        let min = -self.offset / self.zoom;
        Rect::from_min_size(pos2(min.x, min.y), size / self.zoom)
    }
}

/// A view that moves to another one.
#[derive(Clone, Copy, Debug)]
pub struct Glide {
    from: View,
    to: View,
    passed: f32,
}

impl Glide {
    /// From one view to another.
    pub fn new(from: View, to: View) -> Self {
        Self {
            from,
            to,
            passed: 0.0,
        }
    }

    /// The view `dt` seconds later, and whether the glide is over.
    pub fn step(&mut self, dt: f32, size: Vec2) -> (View, bool) {
        // A frame that took long must not swallow the whole way.
        self.passed += dt.min(0.05) / GLIDE_SECS;
        if self.passed >= 1.0 {
            return (self.to, true);
        }
        let t = 1.0 - (1.0 - self.passed).powi(3);
        // Middle and logarithm of the zoom run evenly; offsets alone would swing.
        let zoom = self.from.zoom * (self.to.zoom / self.from.zoom).powf(t);
        let (a, b) = (self.from.shown(size).center(), self.to.shown(size).center());
        (self.from.centred(a.lerp(b, t), size, zoom), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::vec2;

    #[test]
    fn what_is_under_the_mouse_stays_there() {
        let mut view = View {
            offset: vec2(13.0, -40.0),
            zoom: 0.7,
        };
        let at = vec2(300.0, 200.0);
        let before = (at - view.offset) / view.zoom;
        view.zoom_about(at, 1.7);
        let after = (at - view.offset) / view.zoom;
        assert!((before - after).length() < 1e-3, "{before} {after}");
    }

    #[test]
    fn fit_shows_everything() {
        let bounds = Rect::from_min_max(pos2(-900.0, 20.0), pos2(2000.0, 700.0));
        let size = vec2(800.0, 600.0);
        let view = View::fitting(bounds, size);
        assert!(view.shown(size).contains_rect(bounds));
    }

    #[test]
    fn a_glide_arrives() {
        let size = vec2(800.0, 600.0);
        let to = View::fitting(Rect::from_min_max(pos2(0.0, 0.0), pos2(5000.0, 90.0)), size);
        let mut glide = Glide::new(View::default(), to);
        let mut steps = 0;
        while !glide.step(1.0 / 60.0, size).1 {
            steps += 1;
            assert!(steps < 60);
        }
        assert_eq!(glide.step(0.0, size).0, to);
    }
}
