//! Nodes seen from far: painted, not laid out. Text and sockets go first, then everything but a box.

use egui::emath::TSTransform;
use egui::{Align2, Color32, CornerRadius, FontId, Painter, Rect, Stroke, StrokeKind, vec2};
use longtake_editor::status::State;
use longtake_graph::Mode;

use super::layout::Laid;
use super::measure::TITLE;
use super::strokes::Strokes;
use crate::theme::Palette;

/// How much of a node shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// A box.
    Box,
    /// A box with a title.
    Title,
    /// Sockets, widgets, everything.
    Full,
}

impl Detail {
    /// What can be told apart at a zoom.
    pub fn of(zoom: f32) -> Self {
        match zoom {
            z if z < 0.2 => Self::Box,
            z if z < 0.45 => Self::Title,
            _ => Self::Full,
        }
    }
}

/// What a far node's colours say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Marks<'a> {
    /// It is selected.
    pub selected: bool,
    /// Something elsewhere points at it.
    pub lit: bool,
    /// How far it is.
    pub state: Option<&'a State>,
}

/// The edge of a node that stands out, and its width on the screen.
pub fn edge(node: &Laid, marks: Marks<'_>, palette: &Palette) -> Option<Color32> {
    if marks.selected || marks.lit {
        return Some(palette.accent);
    }
    if node.outlook.broken() || matches!(marks.state, Some(State::Failed(_))) {
        return Some(palette.bad);
    }
    match marks.state {
        Some(State::Running) => Some(palette.accent),
        Some(State::Done | State::Cached) => Some(palette.good),
        _ => None,
    }
}

/// Body and head of a node.
pub fn fills(node: &Laid, palette: &Palette, dark: bool) -> (Color32, Color32) {
    let (mut body, mut head) = (palette.node, palette.head);
    if let Some(colour) = node.colour {
        head = mix(head, colour, if dark { 0.55 } else { 0.5 });
        body = mix(body, colour, 0.16);
    }
    match node.mode {
        Mode::Active => (body, head),
        Mode::Mute => (
            mix(body, palette.canvas, 0.6),
            mix(head, palette.canvas, 0.6),
        ),
        Mode::Bypass => {
            let violet = Color32::from_rgb(150, 90, 220);
            (mix(body, violet, 0.28), mix(head, violet, 0.45))
        }
    }
}

/// A colour between two.
pub fn mix(a: Color32, b: Color32, t: f32) -> Color32 {
    a.lerp_to_gamma(b, t)
}

/// A box in a mesh, for [`Detail::Box`].
pub fn draw_box(
    strokes: &mut Strokes,
    node: &Laid,
    to_screen: TSTransform,
    palette: &Palette,
    dark: bool,
    marks: Marks<'_>,
) {
    let rect = to_screen * node.rect;
    let (body, head) = fills(node, palette, dark);
    if let Some(edge) = edge(node, marks, palette) {
        strokes.area(rect.expand(1.5), edge);
    }
    if node.reroute {
        strokes.area(
            Rect::from_center_size(rect.center(), vec2(3.0, 3.0)),
            palette.weak,
        );
        return;
    }
    let split = (rect.top() + TITLE * to_screen.scaling).min(rect.bottom());
    strokes.area(
        Rect::from_min_max(rect.min, egui::pos2(rect.right(), split)),
        mix(head, palette.text, 0.12),
    );
    strokes.area(
        Rect::from_min_max(egui::pos2(rect.left(), split), rect.max),
        mix(body, palette.text, 0.03),
    );
}

/// A box with a title, for [`Detail::Title`]. Points of the screen.
pub fn draw_titled(
    painter: &Painter,
    node: &Laid,
    to_screen: TSTransform,
    palette: &Palette,
    dark: bool,
    marks: Marks<'_>,
) {
    let rect = to_screen * node.rect;
    let (body, head) = fills(node, palette, dark);
    let zoom = to_screen.scaling;
    if node.reroute {
        painter.circle_filled(rect.center(), 7.0 * zoom, palette.weak);
        return;
    }
    let radius = (6.0 * zoom).round() as u8;
    let stroke = match edge(node, marks, palette) {
        Some(colour) => Stroke::new(1.5, colour),
        None => Stroke::new(1.0, palette.edge),
    };
    painter.rect(
        rect,
        CornerRadius::same(radius),
        body,
        stroke,
        StrokeKind::Outside,
    );
    let mut bar = rect;
    bar.max.y = (rect.top() + TITLE * zoom).min(rect.bottom());
    let rounding = CornerRadius {
        nw: radius,
        ne: radius,
        ..CornerRadius::ZERO
    };
    painter.rect_filled(bar, rounding, head);
    // Larger than to scale, so that it can be read; cut at the node's edge.
    let size = ((13.0 * zoom * 1.7) * 2.0).round() / 2.0;
    let clipped = painter.with_clip_rect(painter.clip_rect().intersect(rect));
    let at = egui::pos2(
        rect.left() + 6.0 * zoom,
        rect.top() + 0.5 * TITLE.max(34.0) * zoom,
    );
    clipped.text(
        at,
        Align2::LEFT_CENTER,
        &node.title,
        FontId::proportional(size),
        palette.text,
    );
}
