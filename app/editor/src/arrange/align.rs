//! Edges in a line, and equal gaps.

use super::Placed;
use crate::group::around;
use crate::selection::Item;

/// Which edges come into a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Left edges.
    Left,
    /// Right edges.
    Right,
    /// Top edges.
    Top,
    /// Bottom edges.
    Bottom,
}

/// New top left corners, so that edges are in a line with the outermost.
pub fn align(placed: &[Placed], how: Align) -> Vec<(Item, [f32; 2])> {
    let Some([left, top, width, height]) = around(placed.iter().map(|it| it.1)) else {
        return Vec::new();
    };
    let corner = |(item, [x, y, w, h]): &Placed| {
        let corner = match how {
            Align::Left => [left, *y],
            Align::Right => [left + width - w, *y],
            Align::Top => [*x, top],
            Align::Bottom => [*x, top + height - h],
        };
        (item.clone(), corner)
    };
    placed.iter().map(corner).collect()
}

/// New top left corners, so that the gaps are equal from left to right, or from top to bottom; the
/// outermost two stay. Fewer than three have nothing to share.
pub fn distribute(placed: &[Placed], down: bool) -> Vec<(Item, [f32; 2])> {
    let axis = usize::from(down);
    let mut placed = placed.to_vec();
    placed.sort_by(|(_, a), (_, b)| a[axis].total_cmp(&b[axis]));
    let (Some(first), Some(last)) = (placed.first(), placed.last()) else {
        return Vec::new();
    };
    if placed.len() < 3 {
        return Vec::new();
    }
    let room = last.1[axis] + last.1[axis + 2] - first.1[axis];
    let filled: f32 = placed.iter().map(|(_, rect)| rect[axis + 2]).sum();
    let gap = (room - filled) / (placed.len() - 1) as f32;
    let mut at = first.1[axis];
    let count = placed.len();
    let spread = placed.into_iter().enumerate().map(|(n, (item, rect))| {
        let mut corner = [rect[0], rect[1]];
        if n > 0 && n + 1 < count {
            corner[axis] = at.round();
        }
        at += rect[axis + 2] + gap;
        (item, corner)
    });
    spread.collect()
}

#[cfg(test)]
mod tests {
    use super::{Align, align, distribute};
    use crate::selection::Item;

    fn placed(rects: &[[f32; 4]]) -> Vec<super::Placed> {
        let named = rects.iter().enumerate();
        named
            .map(|(n, rect)| (Item::Node(n.to_string().as_str().into()), *rect))
            .collect()
    }

    fn corners(new: Vec<(Item, [f32; 2])>) -> Vec<[f32; 2]> {
        new.into_iter().map(|it| it.1).collect()
    }

    #[test]
    fn edges_come_into_a_line() {
        let things = placed(&[[0.0, 10.0, 50.0, 20.0], [30.0, 0.0, 100.0, 60.0]]);
        for (how, wanted) in [
            (Align::Left, [[0.0, 10.0], [0.0, 0.0]]),
            (Align::Right, [[80.0, 10.0], [30.0, 0.0]]),
            (Align::Top, [[0.0, 0.0], [30.0, 0.0]]),
            (Align::Bottom, [[0.0, 40.0], [30.0, 0.0]]),
        ] {
            assert_eq!(corners(align(&things, how)), wanted, "{how:?}");
        }
        assert!(align(&[], Align::Left).is_empty());
    }

    #[test]
    fn gaps_become_equal() {
        let things = placed(&[
            [0.0, 0.0, 10.0, 10.0],
            [200.0, 0.0, 30.0, 10.0],
            [15.0, 0.0, 20.0, 10.0],
        ]);
        // 230 points, 60 filled: two gaps of 85.
        assert_eq!(
            corners(distribute(&things, false)),
            [[0.0, 0.0], [95.0, 0.0], [200.0, 0.0]]
        );
        assert!(distribute(&things[..2], true).is_empty());
    }
}
