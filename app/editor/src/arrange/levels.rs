//! Which column each node stands in.

use std::collections::HashMap;

use longtake_graph::{Input, NodeId, Project};

/// A link among the nodes that are laid out, by their positions in the list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wire {
    pub from: usize,
    pub to: usize,
    /// How far down the node it leaves, and enters: for wires of one node in the order of its
    /// sockets.
    pub from_part: f32,
    pub to_part: f32,
}

/// The links among these nodes, without those that close a ring.
pub fn wires(graph: &Project, ids: &[NodeId]) -> Vec<Wire> {
    let place: HashMap<&NodeId, usize> = ids.iter().enumerate().map(|(at, id)| (id, at)).collect();
    let mut wires = Vec::new();
    for (to, id) in ids.iter().enumerate() {
        let Some(node) = graph.nodes.get(id) else {
            continue;
        };
        let count = node.inputs.len() as f32;
        for (at, input) in node.inputs.values().enumerate() {
            if let Input::Link(link) = input
                && let Some(&from) = place.get(&link.node)
                && from != to
            {
                wires.push(Wire {
                    from,
                    to,
                    from_part: (link.output as f32 / 8.0).min(0.9),
                    to_part: at as f32 / count,
                });
            }
        }
    }
    drop_rings(ids.len(), &mut wires);
    wires
}

/// Wires by the node they leave.
fn leaving(count: usize, wires: &[Wire]) -> Vec<Vec<usize>> {
    let mut rows = vec![Vec::new(); count];
    for (at, wire) in wires.iter().enumerate() {
        rows[wire.from].push(at);
    }
    rows
}

/// Drops every wire that leads back to a node on the way to it.
fn drop_rings(count: usize, wires: &mut Vec<Wire>) {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Never,
        OnTheWay,
        Done,
    }
    let rows = leaving(count, wires);
    let mut seen = vec![Seen::Never; count];
    let mut back = vec![false; wires.len()];
    for root in 0..count {
        if seen[root] != Seen::Never {
            continue;
        }
        seen[root] = Seen::OnTheWay;
        let mut way = vec![(root, 0)];
        while let Some((node, next)) = way.pop() {
            let Some(&wire) = rows[node].get(next) else {
                seen[node] = Seen::Done;
                continue;
            };
            way.push((node, next + 1));
            let to = wires[wire].to;
            match seen[to] {
                Seen::Never => {
                    seen[to] = Seen::OnTheWay;
                    way.push((to, 0));
                }
                Seen::OnTheWay => back[wire] = true,
                Seen::Done => {}
            }
        }
    }
    let mut at = 0;
    wires.retain(|_| {
        at += 1;
        !back[at - 1]
    });
}

/// The column of each node: one behind the last of those it takes from. Nodes that take nothing
/// stand close to what they feed.
pub fn levels(count: usize, wires: &[Wire]) -> Vec<usize> {
    let rows = leaving(count, wires);
    let mut waits = vec![0; count];
    for wire in wires {
        waits[wire.to] += 1;
    }
    let takes: Vec<bool> = waits.iter().map(|it| *it > 0).collect();
    let mut levels = vec![0; count];
    let mut ready: Vec<usize> = (0..count).filter(|at| waits[*at] == 0).collect();
    let mut next = 0;
    while next < ready.len() {
        let node = ready[next];
        next += 1;
        for &wire in &rows[node] {
            let to = wires[wire].to;
            levels[to] = levels[to].max(levels[node] + 1);
            waits[to] -= 1;
            if waits[to] == 0 {
                ready.push(to);
            }
        }
    }
    for node in 0..count {
        if !takes[node] {
            let nearest = rows[node].iter().map(|wire| levels[wires[*wire].to]).min();
            levels[node] = nearest.map_or(0, |it| it - 1);
        }
    }
    levels
}

/// Nodes that hang together, in order of their first; single nodes are apart from each other.
pub fn components(count: usize, wires: &[Wire]) -> Vec<Vec<usize>> {
    let mut near = vec![Vec::new(); count];
    for wire in wires {
        near[wire.from].push(wire.to);
        near[wire.to].push(wire.from);
    }
    let mut part = vec![usize::MAX; count];
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for root in 0..count {
        if part[root] != usize::MAX {
            continue;
        }
        let name = parts.len();
        part[root] = name;
        let mut members = vec![root];
        let mut next = 0;
        while next < members.len() {
            for &other in &near[members[next]] {
                if part[other] == usize::MAX {
                    part[other] = name;
                    members.push(other);
                }
            }
            next += 1;
        }
        members.sort_unstable();
        parts.push(members);
    }
    parts
}
