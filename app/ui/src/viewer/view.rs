//! Where the picture lies in the viewer: zoom to the mouse, pan, fit, 1:1.

use egui::{Pos2, Rect, Vec2};

/// Most screen pixels per pixel of the picture.
const MOST: f32 = 64.0;
/// Fewest.
const LEAST: f32 = 1.0 / 64.0;
/// A small picture is not enlarged further than this to fit.
const FIT_MOST: f32 = 16.0;

/// Zoom and pan.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct View {
    /// Screen pixels per pixel of the picture; `None`: the whole picture fits.
    zoom: Option<f32>,
    /// How far the picture's middle lies from the area's, points.
    pan: Vec2,
}

/// The area and the picture in it.
#[derive(Clone, Copy, Debug)]
pub struct Stand {
    /// Where it may be drawn, points.
    pub area: Rect,
    /// The picture's size in its own pixels.
    pub size: Vec2,
    /// Screen pixels per point.
    pub ppp: f32,
}

impl View {
    /// The whole picture.
    pub fn fit(&mut self) {
        *self = Self::default();
    }

    /// One screen pixel per pixel, the middle where it was.
    pub fn one_to_one(&mut self, stand: Stand) {
        self.zoom_at(stand, stand.area.center(), 1.0 / self.scale(stand));
    }

    /// Whether the whole picture is shown whatever the area.
    pub fn fits(&self) -> bool {
        self.zoom.is_none()
    }

    /// Screen pixels per pixel of the picture.
    pub fn scale(&self, stand: Stand) -> f32 {
        self.zoom.unwrap_or_else(|| {
            let scale = stand.area.size() * stand.ppp / stand.size.max(Vec2::splat(1.0));
            scale.min_elem().clamp(LEAST, FIT_MOST)
        })
    }

    /// Zooms so that what lies under `at` stays there.
    pub fn zoom_at(&mut self, stand: Stand, at: Pos2, factor: f32) {
        let before = self.scale(stand);
        let after = (before * factor).clamp(LEAST, MOST);
        let from_middle = at - stand.area.center() - self.pan;
        self.pan += from_middle * (1.0 - after / before);
        self.zoom = Some(after);
        self.keep_in_sight(stand);
    }

    /// Moves the picture.
    pub fn pan(&mut self, stand: Stand, by: Vec2) {
        self.zoom = Some(self.scale(stand));
        self.pan += by;
        self.keep_in_sight(stand);
    }

    /// Where the picture lies, on whole screen pixels.
    pub fn rect(&self, stand: Stand) -> Rect {
        let size = stand.size * self.scale(stand) / stand.ppp;
        let rect = Rect::from_center_size(stand.area.center() + self.pan, size);
        let min = (rect.min.to_vec2() * stand.ppp).round() / stand.ppp;
        Rect::from_min_size(min.to_pos2(), size)
    }

    /// The pixel under a point.
    pub fn pixel(&self, stand: Stand, at: Pos2) -> Option<[u32; 2]> {
        let rect = self.rect(stand);
        let inside = (at - rect.min) / rect.size() * stand.size;
        let within = inside.min_elem() >= 0.0 && inside.x < stand.size.x && inside.y < stand.size.y;
        within.then_some([inside.x as u32, inside.y as u32])
    }

    /// A corner of the picture always stays within reach.
    fn keep_in_sight(&mut self, stand: Stand) {
        let size = stand.size * self.scale(stand) / stand.ppp;
        let most = (size + stand.area.size()) * 0.5 - Vec2::splat(24.0);
        self.pan = self.pan.clamp(-most, most.max(-most));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stand() -> Stand {
        Stand {
            area: Rect::from_min_size(Pos2::new(100.0, 50.0), Vec2::new(400.0, 300.0)),
            size: Vec2::new(800.0, 300.0),
            ppp: 2.0,
        }
    }

    #[test]
    fn what_lies_under_the_mouse_stays_there() {
        let (mut view, at) = (View::default(), Pos2::new(220.0, 190.0));
        let before = view.pixel(stand(), at);
        assert_eq!(before, Some([240, 130]));
        for factor in [1.5, 3.0, 0.4, 2.0] {
            view.zoom_at(stand(), at, factor);
            let [x, y] = view.pixel(stand(), at).unwrap();
            assert!(x.abs_diff(240) <= 1 && y.abs_diff(130) <= 1, "{x} {y}");
        }
    }

    #[test]
    fn fit_and_one_to_one() {
        let mut view = View::default();
        assert_eq!(view.scale(stand()), 1.0);
        view.zoom_at(stand(), Pos2::new(120.0, 60.0), 8.0);
        view.one_to_one(stand());
        assert_eq!(view.scale(stand()), 1.0);
        assert!(!view.fits());
        view.fit();
        assert_eq!(view.rect(stand()).center(), stand().area.center());
    }

    #[test]
    fn the_picture_cannot_be_lost() {
        let mut view = View::default();
        view.pan(stand(), Vec2::splat(1e6));
        assert!(stand().area.intersects(view.rect(stand())));
        assert_eq!(view.pixel(stand(), Pos2::new(0.0, 0.0)), None);
    }
}
