//! Links: curves from output to input, one mesh for all that show.

use egui::emath::TSTransform;
use egui::{Color32, Pos2, Rect, Vec2, pos2, vec2};

use super::layout::{Layout, Wire};
use super::strokes::Strokes;

/// Width of a link at 1:1.
const WIDTH: f32 = 2.5;
/// Most pieces of a curve.
const MOST_PIECES: usize = 36;

/// A curve that leaves to the right and arrives from the left.
#[derive(Clone, Copy, Debug)]
pub struct Curve([Pos2; 4]);

impl Curve {
    /// Between two sockets.
    pub fn between(from: Pos2, to: Pos2) -> Self {
        let across = (to.x - from.x).abs();
        let reach = if to.x >= from.x {
            (across * 0.5).max(18.0)
        } else {
            // Backwards: a loop that stays near its nodes.
            (across * 0.35).clamp(40.0, 160.0)
        };
        let reach = reach.min((to - from).length().max(18.0));
        Self([from, from + vec2(reach, 0.0), to - vec2(reach, 0.0), to])
    }

    /// The point at `t`, 0..=1.
    pub fn at(&self, t: f32) -> Pos2 {
        let [a, b, c, d] = self.0;
        let s = 1.0 - t;
        let (wa, wb, wc, wd) = (s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t);
        pos2(
            wa * a.x + wb * b.x + wc * c.x + wd * d.x,
            wa * a.y + wb * b.y + wc * c.y + wd * d.y,
        )
    }

    /// Around the whole curve.
    pub fn bounds(&self) -> Rect {
        Rect::from_points(&self.0)
    }

    /// Distance from a point, about.
    pub fn distance(&self, from: Pos2) -> f32 {
        const STEPS: usize = 20;
        let mut nearest = f32::INFINITY;
        let mut before = self.at(0.0);
        for step in 1..=STEPS {
            let after = self.at(step as f32 / STEPS as f32);
            nearest = nearest.min(to_segment(from, before, after));
            before = after;
        }
        nearest
    }

    /// The curve on the screen.
    fn on_screen(&self, to_screen: TSTransform) -> Self {
        Self(self.0.map(|point| to_screen * point))
    }

    /// Adds what shows of it to a mesh, in as few pieces as look round. Points of the screen.
    fn draw(&self, strokes: &mut Strokes, clip: Rect, width: f32, colour: Color32) {
        let [a, b, c, d] = self.0;
        let long = (b - a).length() + (c - b).length() + (d - c).length();
        // Thin lines are seen from far, where corners do not show.
        let (short, fine) = if width < 1.2 {
            (24.0, 0.4)
        } else {
            (12.0, 0.8)
        };
        if long < short {
            strokes.line(&[a, d], width, colour);
            return;
        }
        let pieces = ((long.sqrt() * fine) as usize).clamp(3, MOST_PIECES);
        let mut points = [Pos2::ZERO; MOST_PIECES + 1];
        for (step, point) in points.iter_mut().take(pieces + 1).enumerate() {
            *point = self.at(step as f32 / pieces as f32);
        }
        let shows = |at: usize| Rect::from_two_pos(points[at], points[at + 1]).intersects(clip);
        let mut from = 0;
        while from < pieces {
            let mut to = from;
            while to < pieces && shows(to) {
                to += 1;
            }
            strokes.line(&points[from..=to], width, colour);
            from = to + 1;
        }
    }
}

fn to_segment(p: Pos2, a: Pos2, b: Pos2) -> f32 {
    let along: Vec2 = b - a;
    let t = ((p - a).dot(along) / along.length_sq().max(1e-6)).clamp(0.0, 1.0);
    (a + along * t - p).length()
}

/// The curve of a link.
pub fn curve(layout: &Layout, wire: &Wire) -> Curve {
    let (from, to) = (&layout.nodes[wire.from.0], &layout.nodes[wire.to.0]);
    let start = if from.reroute {
        from.rect.center()
    } else {
        from.output_at(wire.from.1)
    };
    let end = if to.reroute {
        to.rect.center()
    } else {
        to.input_at(wire.to.1)
    };
    Curve::between(start, end)
}

/// The link nearest to a point, no farther than `reach`.
pub fn nearest(layout: &Layout, at: Pos2, reach: f32) -> Option<usize> {
    nearest_of(layout, at, reach, |_| true)
}

/// The same among some of them.
pub fn nearest_of(
    layout: &Layout,
    at: Pos2,
    reach: f32,
    which: impl Fn(&Wire) -> bool,
) -> Option<usize> {
    let wires = layout.wires.iter().enumerate().filter(|it| which(it.1));
    let near = wires.filter_map(|(index, wire)| {
        let curve = curve(layout, wire);
        let close = curve.bounds().expand(reach).contains(at);
        let distance = if close {
            curve.distance(at)
        } else {
            f32::INFINITY
        };
        (distance <= reach).then_some((index, distance))
    });
    near.min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(index, _)| index)
}

/// How links are drawn.
pub struct Look<'a> {
    /// From graph to screen.
    pub to_screen: TSTransform,
    /// What shows, points of the graph.
    pub shown: Rect,
    /// Dark theme.
    pub dark: bool,
    /// The link under the mouse.
    pub hovered: Option<usize>,
    /// Whether a node is selected: its links stand out.
    pub selected: &'a dyn Fn(usize) -> bool,
    /// The input of a link that is in a person's hand: not drawn.
    pub taken: Option<(usize, usize)>,
    /// The output whose links are all in a person's hand.
    pub taken_from: Option<(usize, usize)>,
    /// All fade, since another link is being drawn.
    pub faint: bool,
}

/// Draws every link that shows.
pub fn draw(layout: &Layout, strokes: &mut Strokes, look: &Look<'_>) {
    let zoom = look.to_screen.scaling;
    let width = (WIDTH * zoom).clamp(0.6, 5.0);
    let clip = (look.to_screen * look.shown).expand(8.0);
    for (index, wire) in layout.wires.iter().enumerate() {
        let curve = curve(layout, wire);
        let taken = look.taken == Some(wire.to) || look.taken_from == Some(wire.from);
        if taken || !curve.bounds().intersects(look.shown) {
            continue;
        }
        let hovered = look.hovered == Some(index);
        let strong = hovered || (look.selected)(wire.from.0) || (look.selected)(wire.to.0);
        let colour = wire.colour[usize::from(!look.dark)];
        let colour = match (look.faint, strong) {
            (true, _) => colour.gamma_multiply(0.25),
            (_, true) => colour,
            _ => colour.gamma_multiply(0.72),
        };
        let width = if hovered { width + 1.5 } else { width };
        curve
            .on_screen(look.to_screen)
            .draw(strokes, clip, width, colour);
    }
}

/// Draws one link between points of the screen.
pub fn draw_loose(strokes: &mut Strokes, from: Pos2, to: Pos2, zoom: f32, colour: Color32) {
    let scaled = TSTransform::from_scaling(zoom);
    let curve = Curve::between(scaled.inverse() * from, scaled.inverse() * to);
    let width = (WIDTH * zoom).clamp(1.0, 5.0);
    curve
        .on_screen(scaled)
        .draw(strokes, Rect::EVERYTHING, width, colour);
}

/// The middle of a link: where a reroute is put.
pub fn middle(layout: &Layout, wire: &Wire) -> Pos2 {
    curve(layout, wire).at(0.5)
}
