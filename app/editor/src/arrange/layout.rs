//! Auto-layout: columns along the links, few crossings, each node near what it is linked to.
//! Deterministic: the same graph is laid out the same way.

use std::collections::HashMap;

use longtake_graph::{Edit, NodeId, Project};

use super::crossings::Columns;
use super::levels::{Wire, components, levels, wires};
use super::moves;
use crate::group::{around, frame};
use crate::selection::Item;

/// Between columns, points.
const ACROSS: f32 = 80.0;
/// Between nodes of a column, points.
const DOWN: f32 = 32.0;
/// Between parts that are not linked, points.
const APART: f32 = 80.0;
/// A link that passes a column is given that much room, points.
const LINK: f32 = 12.0;
/// More links that pass columns than this are not given room.
const MOST_PASSING: usize = 20_000;
/// Rounds of moving nodes towards what they are linked to.
const ROUNDS: usize = 8;

/// The edits that lay these nodes out. Their top left corner stays; groups follow their nodes.
/// `rect` is where a node is and how large.
pub fn layout(graph: &Project, ids: &[NodeId], rect: impl Fn(NodeId) -> [f32; 4]) -> Edit {
    let before: Vec<[f32; 4]> = ids.iter().cloned().map(&rect).collect();
    let Some([left, top, ..]) = around(before.iter().copied()) else {
        return Edit::Batch(Vec::new());
    };
    let sizes: Vec<[f32; 2]> = before.iter().map(|it| [it[2], it[3]]).collect();
    let corners = place(&wires(graph, ids), &sizes);
    let after: Vec<[f32; 4]> = corners
        .iter()
        .zip(&sizes)
        .map(|([x, y], [w, h])| [(left + x).round(), (top + y).round(), *w, *h])
        .collect();
    let nodes = ids.iter().zip(&after);
    let corners = nodes.map(|(id, it)| (Item::Node(id.clone()), [it[0], it[1]]));
    let mut edits = vec![moves(graph, corners)];
    edits.extend(groups(graph, ids, &before, &after, &rect));
    Edit::Batch(edits)
}

/// Lays out a whole graph that came without positions, its corner at 0, 0. Sizes are guessed.
pub fn layout_graph(graph: &mut Project) {
    const TITLE: f32 = 40.0;
    const ROW: f32 = 24.0;
    let ids: Vec<NodeId> = graph.nodes.keys().cloned().collect();
    let sizes: Vec<[f32; 2]> = graph
        .nodes
        .values()
        .map(|node| {
            let guess = [240.0, TITLE + ROW * (node.inputs.len() + 2) as f32];
            node.size.unwrap_or(guess)
        })
        .collect();
    let corners = place(&wires(graph, &ids), &sizes);
    for (node, [x, y]) in graph.nodes.values_mut().zip(corners) {
        node.pos = Some([x.round(), y.round()]);
    }
}

/// Frames of groups around where their nodes went.
fn groups(
    graph: &Project,
    ids: &[NodeId],
    before: &[[f32; 4]],
    after: &[[f32; 4]],
    rect: impl Fn(NodeId) -> [f32; 4],
) -> Vec<Edit> {
    let moved: HashMap<&NodeId, usize> = ids.iter().enumerate().map(|(at, id)| (id, at)).collect();
    let mut edits = Vec::new();
    for (key, group) in &graph.groups {
        let inside = |rect: &[f32; 4]| holds(&group.bounds, rect);
        let mut any = false;
        let members: Vec<[f32; 4]> = graph
            .nodes
            .keys()
            .filter_map(|id| match moved.get(id) {
                Some(&at) if inside(&before[at]) => {
                    any = true;
                    Some(after[at])
                }
                Some(_) => None,
                None => Some(rect(id.clone())).filter(inside),
            })
            .collect();
        if let (true, Some(bounds)) = (any, around(members))
            && frame(bounds) != group.bounds
        {
            let mut group = group.clone();
            group.bounds = frame(bounds);
            let id = key.clone();
            edits.push(Edit::SetGroup { id, group });
        }
    }
    edits
}

/// Whether the middle of a rectangle lies in a frame.
pub(crate) fn holds(frame: &[f32; 4], rect: &[f32; 4]) -> bool {
    let (x, y) = (rect[0] + rect[2] / 2.0, rect[1] + rect[3] / 2.0);
    (frame[0]..=frame[0] + frame[2]).contains(&x) && (frame[1]..=frame[1] + frame[3]).contains(&y)
}

/// Top left corners, from 0, 0.
fn place(wires: &[Wire], sizes: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let mut corners = vec![[0.0; 2]; sizes.len()];
    let parts = components(sizes.len(), wires);
    let mut top = 0.0;
    for part in parts.iter().filter(|it| it.len() > 1) {
        let height = place_part(part, wires, sizes, &mut corners);
        for node in part {
            corners[*node][1] += top;
        }
        top += height + APART;
    }
    let single: Vec<usize> = parts
        .iter()
        .filter(|it| it.len() == 1)
        .map(|it| it[0])
        .collect();
    place_single(&single, top, sizes, &mut corners);
    corners
}

/// Nodes without links, in rows.
fn place_single(nodes: &[usize], top: f32, sizes: &[[f32; 2]], corners: &mut [[f32; 2]]) {
    let in_row = ((nodes.len() as f32).sqrt().ceil() as usize).max(1);
    let mut y = top;
    for row in nodes.chunks(in_row) {
        let mut x = 0.0;
        let mut tallest = 0.0f32;
        for node in row {
            corners[*node] = [x, y];
            x += sizes[*node][0] + ACROSS;
            tallest = tallest.max(sizes[*node][1]);
        }
        y += tallest + DOWN;
    }
}

/// Places the nodes of one part; gives its height.
fn place_part(part: &[usize], wires: &[Wire], sizes: &[[f32; 2]], corners: &mut [[f32; 2]]) -> f32 {
    let mut local = vec![usize::MAX; sizes.len()];
    for (at, node) in part.iter().enumerate() {
        local[*node] = at;
    }
    let own = wires.iter().filter(|wire| local[wire.from] != usize::MAX);
    let own: Vec<Wire> = own
        .map(|wire| Wire {
            from: local[wire.from],
            to: local[wire.to],
            ..*wire
        })
        .collect();
    let own_sizes: Vec<[f32; 2]> = part.iter().map(|node| sizes[*node]).collect();
    let mut levels = levels(part.len(), &own);
    let first = levels.iter().copied().min().unwrap_or(0);
    for level in &mut levels {
        *level -= first;
    }
    let (mut columns, heights) = columns(&own, &own_sizes, &levels);
    columns.untangle(heights.len());
    let mut ys = downward(&columns, &heights);
    let highest = ys[..part.len()].iter().copied().fold(f32::MAX, f32::min);
    for y in &mut ys {
        *y -= highest;
    }
    let mut x = 0.0;
    let mut height = 0.0f32;
    for column in &columns.order {
        let nodes = column.iter().filter(|thing| **thing < part.len());
        let mut widest = 0.0f32;
        for &thing in nodes {
            corners[part[thing]] = [x, ys[thing]];
            widest = widest.max(own_sizes[thing][0]);
            height = height.max(ys[thing] + own_sizes[thing][1]);
        }
        x += widest + ACROSS;
    }
    height
}

/// Nodes by column, with a thing of its own for each link that passes a column. Links of one node
/// share their way. The second are the heights of all things.
fn columns(wires: &[Wire], sizes: &[[f32; 2]], levels: &[usize]) -> (Columns, Vec<f32>) {
    let count = levels.iter().copied().max().map_or(0, |it| it + 1);
    let mut columns = Columns {
        order: vec![Vec::new(); count],
        links: vec![Vec::new(); count.saturating_sub(1)],
    };
    let mut heights: Vec<f32> = sizes.iter().map(|it| it[1]).collect();
    for (node, level) in levels.iter().enumerate() {
        columns.order[*level].push(node);
    }
    // For each node the things that lead its links on, by column behind it.
    let mut ways: Vec<Vec<usize>> = vec![Vec::new(); sizes.len()];
    for wire in wires {
        let (start, end) = (levels[wire.from], levels[wire.to]);
        let mut at = (wire.from, wire.from_part);
        let mut room = true;
        for level in start + 1..end {
            let way = &mut ways[wire.from];
            if way.len() < level - start {
                room = heights.len() < sizes.len() + MOST_PASSING;
                if !room {
                    break;
                }
                let thing = heights.len();
                heights.push(LINK);
                columns.order[level].push(thing);
                columns.links[level - 1].push((at.0, thing, at.1, 0.0));
                way.push(thing);
            }
            at = (way[level - start - 1], 0.0);
        }
        if room {
            columns.links[end - 1].push((at.0, wire.to, at.1, wire.to_part));
        }
    }
    (columns, heights)
}

/// Top edges: each thing as near to what it is linked to as the order in its column allows.
fn downward(columns: &Columns, heights: &[f32]) -> Vec<f32> {
    let mut ys = vec![0.0; heights.len()];
    for column in &columns.order {
        let mut y = 0.0;
        for &thing in column {
            ys[thing] = y;
            y += heights[thing] + DOWN;
        }
    }
    let count = columns.order.len();
    for round in 0..ROUNDS {
        let forward = round % 2 == 0;
        for step in 1..count {
            let at = if forward { step } else { count - 1 - step };
            let links = &columns.links[if forward { at - 1 } else { at }];
            let mut sum: HashMap<usize, (f32, f32)> = HashMap::new();
            for &(from, to, from_part, to_part) in links {
                let from_y = ys[from] + from_part * heights[from];
                let to_y = ys[to] + to_part * heights[to];
                let (thing, by) = if forward {
                    (to, from_y - to_y)
                } else {
                    (from, to_y - from_y)
                };
                let entry = sum.entry(thing).or_default();
                *entry = (entry.0 + by, entry.1 + 1.0);
            }
            let column = &columns.order[at];
            let wanted = column.iter().map(|thing| {
                let pull = sum.get(thing).map_or(0.0, |(by, links)| by / links);
                ys[*thing] + pull
            });
            let wanted: Vec<f32> = wanted.collect();
            settle(column, &wanted, heights, &mut ys);
        }
    }
    ys
}

/// Top edges as near as can be to those wanted (least squares), in order and without overlap: pools
/// of neighbours that want the same place share it.
fn settle(column: &[usize], wanted: &[f32], heights: &[f32], ys: &mut [f32]) {
    // Without their heights the things must not fall behind one another.
    let mut offset = 0.0;
    let mut pools: Vec<(f32, usize)> = Vec::new();
    let mut offsets = Vec::with_capacity(column.len());
    for (thing, wanted) in column.iter().zip(wanted) {
        offsets.push(offset);
        let mut pool = (wanted - offset, 1);
        while let Some(&(above, count)) = pools.last()
            && above > pool.0
        {
            let all = count + pool.1;
            pool = (
                (above * count as f32 + pool.0 * pool.1 as f32) / all as f32,
                all,
            );
            pools.pop();
        }
        pools.push(pool);
        offset += heights[*thing] + DOWN;
    }
    let places = pools
        .iter()
        .flat_map(|(y, count)| std::iter::repeat_n(*y, *count));
    for ((thing, offset), y) in column.iter().zip(offsets).zip(places) {
        ys[*thing] = y + offset;
    }
}
