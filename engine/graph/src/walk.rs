//! Walks over the graph: order, ancestors, consumers, cycles. All of them linear and iterative, so
//! that a chain of 100,000 nodes is as harmless as one of ten.

use std::fmt;

use crate::{Input, NodeId, Project};

/// Edges by node index, packed: row `i` is `items[starts[i]..starts[i + 1]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edges {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Edges {
    /// One row per node, in order.
    pub fn from_rows(rows: impl IntoIterator<Item = impl IntoIterator<Item = u32>>) -> Self {
        let mut edges = Self {
            starts: vec![0],
            items: Vec::new(),
        };
        for row in rows {
            edges.items.extend(row);
            edges.starts.push(edges.items.len() as u32);
        }
        edges
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the edges of one node lead.
    pub fn of(&self, node: usize) -> &[u32] {
        &self.items[self.starts[node] as usize..self.starts[node + 1] as usize]
    }

    /// The same edges, seen from their other ends.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let mut starts = vec![0u32; self.len() + 1];
        for &to in &self.items {
            starts[to as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut free = starts.clone();
        let mut items = vec![0u32; self.items.len()];
        for from in 0..self.len() {
            for &to in self.of(from) {
                items[free[to as usize] as usize] = from as u32;
                free[to as usize] += 1;
            }
        }
        Self { starts, items }
    }

    /// Which nodes can be reached from `targets`, themselves included.
    pub fn reach(&self, targets: impl IntoIterator<Item = usize>) -> Vec<bool> {
        let mut reached = vec![false; self.len()];
        let mut open: Vec<usize> = Vec::new();
        for target in targets {
            if !std::mem::replace(&mut reached[target], true) {
                open.push(target);
            }
        }
        while let Some(node) = open.pop() {
            for &to in self.of(node) {
                if !std::mem::replace(&mut reached[to as usize], true) {
                    open.push(to as usize);
                }
            }
        }
        reached
    }

    /// Groups of nodes that reach each other, each after all groups its edges lead to; starting
    /// points are taken in index order. Tarjan, "Depth-first search and linear graph algorithms"
    /// (1972), with the call stack as a vector.
    pub fn components(&self) -> Vec<Vec<u32>> {
        const NEW: u32 = u32::MAX;
        const DONE: u32 = u32::MAX - 1;
        // The visit number while a node is open, NEW before, DONE after.
        let mut seen = vec![NEW; self.len()];
        let mut low = vec![0u32; self.len()];
        let (mut groups, mut open, mut calls) = (Vec::new(), Vec::new(), Vec::<(u32, u32)>::new());
        let mut count = 0;
        for root in 0..self.len() as u32 {
            if seen[root as usize] == NEW {
                calls.push((root, 0));
            }
            while let Some((node, edge)) = calls.pop() {
                let at = node as usize;
                if edge == 0 {
                    (seen[at], low[at]) = (count, count);
                    count += 1;
                    open.push(node);
                } else {
                    // Back from the child behind the last edge.
                    let child = self.of(at)[edge as usize - 1] as usize;
                    low[at] = low[at].min(low[child]);
                }
                let rest = &self.of(at)[edge as usize..];
                let mut descend = None;
                for (skip, &to) in rest.iter().enumerate() {
                    match seen[to as usize] {
                        NEW => {
                            descend = Some((edge + skip as u32 + 1, to));
                            break;
                        }
                        DONE => {}
                        number => low[at] = low[at].min(number),
                    }
                }
                if let Some((next_edge, child)) = descend {
                    calls.push((node, next_edge));
                    calls.push((child, 0));
                } else if low[at] == seen[at] {
                    let from = open.iter().rposition(|it| *it == node).unwrap_or(0);
                    let group = open.split_off(from);
                    for member in &group {
                        seen[*member as usize] = DONE;
                        low[*member as usize] = u32::MAX; // never lowers a parent
                    }
                    groups.push(group);
                }
            }
        }
        groups
    }

    /// Every node after the nodes its edges lead to.
    ///
    /// # Errors
    /// The nodes of one cycle, in the direction of the edges.
    pub fn order(&self) -> Result<Vec<u32>, Vec<u32>> {
        let groups = self.components();
        match groups.iter().find_map(|group| self.cycle_in(group)) {
            Some(cycle) => Err(cycle),
            None => Ok(groups.into_iter().flatten().collect()),
        }
    }

    /// A cycle within one component, or `None` when it is a single node without a self link.
    pub fn cycle_in(&self, component: &[u32]) -> Option<Vec<u32>> {
        let first = *component.iter().min()?;
        if component.len() == 1 {
            return self
                .of(first as usize)
                .contains(&first)
                .then(|| vec![first]);
        }
        let members: std::collections::HashSet<u32> = component.iter().copied().collect();
        let mut place = std::collections::HashMap::new();
        let mut path = Vec::new();
        let mut at = first;
        // In a component of several nodes each has an edge to another member.
        loop {
            if let Some(&start) = place.get(&at) {
                return Some(path.split_off(start));
            }
            place.insert(at, path.len());
            path.push(at);
            at = *self
                .of(at as usize)
                .iter()
                .find(|to| members.contains(*to))?;
        }
    }
}

/// Nodes that need each other, so that none can be first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// Each takes a value from the next, the last from the first.
    pub nodes: Vec<NodeId>,
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "these nodes need each other: {}", self.ring("", " more"))
    }
}

impl Cycle {
    /// The ring in both languages, without a full stop.
    pub fn sentence(&self) -> crate::Sentence {
        let ring = self.ring("ほか", "個");
        crate::Sentence {
            en: self.to_string(),
            ja: format!("これらのノードは互いを必要としています: {ring}"),
        }
    }

    /// Its nodes, the first one again at the end; how many are hidden stands between two words.
    fn ring(&self, before: &str, after: &str) -> String {
        const SHOWN: usize = 8;
        let mut ring: Vec<String> = self
            .nodes
            .iter()
            .take(SHOWN)
            .map(ToString::to_string)
            .collect();
        if self.nodes.len() > SHOWN {
            ring.push(format!("… ({before}{}{after})", self.nodes.len() - SHOWN));
        }
        ring.extend(self.nodes.first().map(ToString::to_string));
        ring.join(" ← ")
    }
}

impl std::error::Error for Cycle {}

/// For each node, in document order, the nodes its inputs are linked to; links to nodes that do
/// not exist are left out. Modes are not looked at: see [`crate::live`] for what runs.
pub fn sources(project: &Project) -> Edges {
    Edges::from_rows(project.nodes.values().map(|node| {
        node.inputs.values().filter_map(|input| match input {
            Input::Link(link) => project.nodes.get_index_of(&link.node).map(|at| at as u32),
            Input::Literal(_) => None,
        })
    }))
}

/// For each node, in document order, the nodes that take a value from it.
pub fn consumers(project: &Project) -> Edges {
    sources(project).reversed()
}

/// All nodes, each after those it takes values from, otherwise in document order.
///
/// # Errors
/// [`Cycle`] when nodes need each other.
pub fn topological_order(project: &Project) -> Result<Vec<NodeId>, Cycle> {
    let name = |nodes: Vec<u32>| -> Vec<NodeId> {
        nodes
            .into_iter()
            .filter_map(|at| Some(project.nodes.get_index(at as usize)?.0.clone()))
            .collect()
    };
    sources(project)
        .order()
        .map(name)
        .map_err(|cycle| Cycle { nodes: name(cycle) })
}

/// The given nodes and all that they depend on, in document order.
pub fn ancestors<'a>(
    project: &Project,
    targets: impl IntoIterator<Item = &'a NodeId>,
) -> Vec<NodeId> {
    let targets = targets
        .into_iter()
        .filter_map(|id| project.nodes.get_index_of(id));
    let reached = sources(project).reach(targets);
    project
        .nodes
        .keys()
        .zip(reached)
        .filter(|(_, reached)| *reached)
        .map(|(id, _)| id.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Cycle, Edges, ancestors, topological_order};
    use crate::{Input, Link, Node, NodeId, Project};

    /// `"a: b c, b:, c: b"`: node, then the nodes it takes values from.
    fn graph(text: &str) -> Project {
        let mut project = Project::default();
        for part in text.split(',') {
            let (id, sources) = part.split_once(':').unwrap();
            let inputs = sources.split_whitespace().enumerate().map(|(at, from)| {
                (
                    format!("in{at}"),
                    Input::Link(Link {
                        node: from.into(),
                        output: 0,
                    }),
                )
            });
            let node = Node {
                inputs: inputs.collect(),
                ..Node::default()
            };
            project.nodes.insert(id.trim().into(), node);
        }
        project
    }

    fn names(ids: &[NodeId]) -> String {
        ids.iter().map(NodeId::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn order_and_cycles() {
        for (text, wanted) in [
            ("a:", "a"),
            ("a:, b:, c:", "a b c"),
            ("a: b c, b:, c: b", "b c a"),
            ("a: gone, b: a", "a b"),
            ("a: b b b, b:", "b a"),
            ("a: a", "cycle a"),
            ("x:, a: b, b: c, c: a", "cycle a b c"),
            ("a: b, b: c, c: b", "cycle b c"),
            ("a: b c, b: d, c: d, d: b", "cycle b d"),
            // d is reached first through b, whose group is done when a comes to it again.
            ("a: b d, b: d, c: a, d:", "d b a c"),
        ] {
            let got = match topological_order(&graph(text)) {
                Ok(order) => names(&order),
                Err(Cycle { nodes }) => format!("cycle {}", names(&nodes)),
            };
            assert_eq!(got, wanted, "{text}");
        }
    }

    #[test]
    fn ancestors_are_the_node_and_what_it_needs() {
        let project = graph("a: b, b: c, c: b, d: a, e:");
        assert_eq!(names(&ancestors(&project, [&"a".into()])), "a b c");
        assert_eq!(
            names(&ancestors(&project, [&"e".into(), &"gone".into()])),
            "e"
        );
    }

    #[test]
    fn reversed_twice_is_the_same_in_order() {
        let edges = Edges::from_rows([vec![1, 2], vec![2], vec![], vec![0, 1, 2]]);
        assert_eq!(edges.reversed().of(2), [0, 1, 3]);
        assert_eq!(edges.reversed().reversed(), edges);
    }
}
