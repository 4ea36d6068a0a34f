//! Today's reroutes: points that links share on their way, made into `Reroute` nodes.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;

use super::shape::{Bend, Wire};
use crate::Link;

/// The way of every link that goes through reroutes.
#[derive(Default)]
pub(super) struct Ways {
    /// What stands before each reroute.
    pub before: IndexMap<i64, Before>,
    /// The reroute that a link comes out of.
    pub last: HashMap<i64, i64>,
    /// Links whose reroutes cannot be followed: they lie straight.
    pub straight: usize,
}

/// What a reroute passes on.
pub(super) enum Before {
    Bend(i64),
    Source(Link),
}

impl Ways {
    /// Follows every link; `source` says where it begins.
    pub fn of(
        links: &IndexMap<i64, Wire>,
        bends: &IndexMap<i64, Bend>,
        source: impl Fn(&Wire) -> Option<Link>,
    ) -> Self {
        let mut ways = Self::default();
        let roots = roots(bends);
        // A reroute's links all begin at one output: the first link says which.
        let mut begin: HashMap<i64, Link> = HashMap::new();
        for (id, wire) in links {
            let Some(bend) = wire.bend else { continue };
            let (Some(root), Some(link)) = (roots.get(&bend), source(wire)) else {
                ways.straight += 1;
                continue;
            };
            if *begin.entry(*root).or_insert_with(|| link.clone()) == link {
                ways.last.insert(*id, bend);
            } else {
                ways.straight += 1;
            }
        }
        for (id, bend) in bends {
            let Some(root) = roots.get(id) else { continue };
            let Some(link) = begin.get(root) else {
                continue;
            };
            let before = match bend.before {
                Some(before) if root != id => Before::Bend(before),
                _ => Before::Source(link.clone()),
            };
            ways.before.insert(*id, before);
        }
        ways
    }
}

/// The first reroute of the chain that each stands in; none for rings.
fn roots(bends: &IndexMap<i64, Bend>) -> HashMap<i64, i64> {
    let mut roots: HashMap<i64, i64> = HashMap::new();
    let mut rings: HashSet<i64> = HashSet::new();
    for start in bends.keys() {
        let (mut at, mut path, mut on_path) = (*start, Vec::new(), HashSet::new());
        let root = loop {
            if let Some(root) = roots.get(&at) {
                break Some(*root);
            }
            if rings.contains(&at) || !on_path.insert(at) {
                break None;
            }
            path.push(at);
            match bends.get(&at).and_then(|it| it.before) {
                Some(before) if bends.contains_key(&before) => at = before,
                _ => break Some(at),
            }
        };
        for id in path {
            match root {
                Some(root) => drop(roots.insert(id, root)),
                None => drop(rings.insert(id)),
            }
        }
    }
    roots
}
