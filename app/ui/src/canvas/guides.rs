//! What is dragged lines up with what stands near: edges and middles, with a thin line that shows it.

use egui::emath::TSTransform;
use egui::{Painter, Pos2, Rangef, Rect, Stroke, Vec2};
use longtake_editor::Item;

use super::layout::Layout;
use crate::theme::Palette;

/// How near lines must come to be one, points of the screen.
const REACH: f32 = 5.0;

/// A line along which two things lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guide {
    /// Goes from top to bottom at this place; else from left to right.
    pub down: bool,
    /// Its place across.
    pub at: f32,
    /// From where to where it goes along.
    pub range: Rangef,
}

/// What else stands there, as far as it shows.
fn others(layout: &Layout, items: &[(Item, Rect)], shown: Rect) -> Vec<Rect> {
    let moved = |item: &Item| items.iter().any(|it| it.0 == *item);
    let nodes = layout.nodes.iter();
    let nodes = nodes.map(|it| (Item::Node(it.id.clone()), it.rect));
    let notes = layout.notes.iter();
    let notes = notes.map(|it| (Item::Note(it.id.clone()), it.rect));
    nodes
        .chain(notes)
        .filter(|(item, rect)| rect.intersects(shown) && !moved(item))
        .map(|it| it.1)
        .collect()
}

/// How far the things move so that they line up, at most by what a hand would not notice, and the
/// lines along which they do.
pub fn lined_up(
    layout: &Layout,
    items: &[(Item, Rect)],
    moved: Vec2,
    shown: Rect,
    zoom: f32,
) -> (Vec2, Vec<Guide>) {
    let all = items.iter().map(|it| it.1).reduce(Rect::union);
    let Some(all) = all.map(|it| it.translate(moved)) else {
        return (moved, Vec::new());
    };
    let others = others(layout, items, shown);
    let mut by = moved;
    let mut guides = Vec::new();
    for down in [true, false] {
        let range = |rect: &Rect| if down { rect.x_range() } else { rect.y_range() };
        let Some(shift) = nearest(range(&all), others.iter().map(range), REACH / zoom) else {
            continue;
        };
        by += if down {
            Vec2::new(shift, 0.0)
        } else {
            Vec2::new(0.0, shift)
        };
    }
    let there = all.translate(by - moved);
    for down in [true, false] {
        let ranges = |rect: &Rect| {
            let (x, y) = (rect.x_range(), rect.y_range());
            if down { (x, y) } else { (y, x) }
        };
        let (across, along) = ranges(&there);
        for line in lines(across) {
            let same = others
                .iter()
                .map(ranges)
                .filter(|(other, _)| lines(*other).into_iter().any(|it| (it - line).abs() < 0.01));
            let whole = same.map(|it| it.1).reduce(union);
            if let Some(whole) = whole {
                let range = union(whole, along);
                guides.push(Guide {
                    down,
                    at: line,
                    range,
                });
            }
        }
    }
    (by, guides)
}

/// Edges and middle.
fn lines(range: Rangef) -> [f32; 3] {
    [range.min, range.center(), range.max]
}

fn union(a: Rangef, b: Rangef) -> Rangef {
    Rangef::new(a.min.min(b.min), a.max.max(b.max))
}

/// The smallest shift that puts an edge on the same edge of another, or a middle on a middle.
fn nearest(range: Rangef, others: impl Iterator<Item = Rangef>, reach: f32) -> Option<f32> {
    others
        .flat_map(|other| {
            let (own, other) = (lines(range), lines(other));
            [0, 1, 2].map(|it| other[it] - own[it])
        })
        .filter(|it| it.abs() <= reach)
        .min_by(|a, b| a.abs().total_cmp(&b.abs()))
}

/// Draws the lines.
pub fn draw(guides: &[Guide], painter: &Painter, to_screen: TSTransform, palette: &Palette) {
    let stroke = Stroke::new(1.0, palette.accent.gamma_multiply(0.8));
    for guide in guides {
        let point = |along: f32| {
            let (x, y) = if guide.down {
                (guide.at, along)
            } else {
                (along, guide.at)
            };
            to_screen * Pos2::new(x, y)
        };
        painter.line_segment([point(guide.range.min), point(guide.range.max)], stroke);
    }
}

#[cfg(test)]
mod tests {
    use egui::{pos2, vec2};

    use super::*;
    use crate::canvas::layout::Frame;

    fn rect(x: f32, y: f32) -> Rect {
        Rect::from_min_size(pos2(x, y), vec2(100.0, 50.0))
    }

    #[test]
    fn edges_and_middles_near_by_are_lines_and_what_is_far_or_out_of_view_is_none() {
        let mut layout = Layout::default();
        for (id, x, y) in [("a", 0.0, 0.0), ("b", 300.0, 200.0), ("c", 5000.0, 100.0)] {
            layout.notes.push(Frame {
                id: id.to_owned(),
                rect: rect(x, y),
                text: String::new(),
                colour: None,
            });
        }
        let items = [(Item::Note("b".to_owned()), rect(300.0, 200.0))];
        let shown = Rect::from_min_max(pos2(-50.0, -50.0), pos2(900.0, 700.0));
        let line = |moved, zoom| lined_up(&layout, &items, moved, shown, zoom);
        let (by, guides) = line(vec2(4.0, -197.0), 1.0);
        assert_eq!(by, vec2(4.0, -200.0));
        let ys: Vec<f32> = guides.iter().map(|it| it.at).collect();
        assert_eq!(ys, [0.0, 25.0, 50.0], "both edges and the middle");
        assert!(
            guides
                .iter()
                .all(|it| !it.down && it.range == Rangef::new(0.0, 404.0))
        );
        // From near, the same distance is a wide one; nothing lines up with what is out of view.
        assert_eq!(
            line(vec2(4.0, -197.0), 4.0),
            (vec2(4.0, -197.0), Vec::new())
        );
        assert_eq!(
            line(vec2(4.0, -101.0), 1.0),
            (vec2(4.0, -101.0), Vec::new())
        );
    }
}
