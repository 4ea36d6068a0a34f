//! *order*: a running order with few model swaps.
//!
//! List scheduling by *stage*, the set of checkpoints a step needs: while a ready step uses what is
//! in memory it comes next, so a film without continuity has all prompts encoded, then all shots
//! sampled, then all decoded, and with continuity swaps only where a shot needs the one before. Within
//! a stage shots near the playhead come first, then document order.
//!
//! When a stage ends, the next is one whose steps are all within reach (by swap depth, the
//! number of stage changes on the longest way to a step), so that it need not be loaded twice.
//! Steps off the device come as soon as what they need is made; those that depend on no device
//! step wait until a device step asks for them, so that inputs are not in memory long before use.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::compile::{Op, State};
use crate::uses::Uses;
use crate::{Lane, Work};

/// Distance from the playhead, then position in the graph.
type Key = (u32, u32);

/// A stage that several different stages feed.
const MIXED: u32 = u32::MAX;

/// Fills [`State::order`].
pub(crate) fn order(state: &mut State<'_>) {
    state.uses = Uses::of(&state.ops);
    let mut scheduler = Scheduler::new(state);
    scheduler.run();
    let order = std::mem::take(&mut scheduler.order);
    state.order = order;
}

struct Scheduler<'s> {
    uses: &'s Uses,
    keys: Vec<Key>,
    active: Vec<bool>,
    /// On the device lane with work to do.
    device: Vec<bool>,
    /// Depends on no device step.
    early: Vec<bool>,
    depth: Vec<u32>,
    sources: Rows,
    readers: Rows,
    waiting: Vec<u32>,
    done: Vec<bool>,
    /// Ready device steps by stage.
    ready: BTreeMap<u32, BinaryHeap<Reverse<Key>>>,
    /// Ready steps of other lanes.
    other: BinaryHeap<Reverse<Key>>,
    /// For each stage, how many steps are still to come at each depth.
    pending: BTreeMap<u32, BTreeMap<u32, u32>>,
    order: Vec<u32>,
}

/// Lists of indices, packed.
struct Rows {
    start: Vec<u32>,
    items: Vec<u32>,
}

impl Rows {
    fn of(&self, at: u32) -> std::ops::Range<usize> {
        self.start[at as usize] as usize..self.start[at as usize + 1] as usize
    }
}

/// Sources of active steps among active steps, and the same seen from the other end.
fn rows(ops: &[Op<'_>], active: &[bool]) -> (Rows, Rows) {
    let mut sources = Rows {
        start: vec![0],
        items: Vec::new(),
    };
    let mut counts = vec![0u32; ops.len() + 1];
    for (at, op) in ops.iter().enumerate() {
        if active[at] && !op.cached {
            op.each_ref(|from, _| {
                if active[from as usize] {
                    sources.items.push(from);
                    counts[from as usize + 1] += 1;
                }
            });
        }
        sources.start.push(sources.items.len() as u32);
    }
    for at in 0..ops.len() {
        counts[at + 1] += counts[at];
    }
    let mut fill = counts.clone();
    let mut items = vec![0; sources.items.len()];
    for at in 0..ops.len() as u32 {
        for source in &sources.items[sources.of(at)] {
            let slot = &mut fill[*source as usize];
            items[*slot as usize] = at;
            *slot += 1;
        }
    }
    (
        sources,
        Rows {
            start: counts,
            items,
        },
    )
}

impl<'s> Scheduler<'s> {
    fn new(state: &'s State<'_>) -> Self {
        let ops = &state.ops;
        let active: Vec<bool> = ops
            .iter()
            .map(|op| op.needed && !op.empty && op.is_step())
            .collect();
        let device: Vec<bool> = (ops.iter().zip(&active))
            .map(|(op, active)| {
                let work = op.spec.map(|spec| spec.work);
                let on_device = matches!(
                    work,
                    Some(Work::Run {
                        lane: Lane::Device,
                        ..
                    })
                );
                *active && on_device && !op.cached
            })
            .collect();
        let (sources, readers) = rows(ops, &active);
        let playhead = state
            .options
            .playhead_shot
            .map_or(0, |shot| shot.saturating_sub(1));
        let key = |(at, op): (usize, &Op<'_>)| {
            let distance = op.shot.map_or(0, |label| {
                state.labels[label as usize].position.abs_diff(playhead)
            });
            (distance, at as u32)
        };
        let mut scheduler = Self {
            uses: &state.uses,
            keys: ops.iter().enumerate().map(key).collect(),
            early: vec![false; ops.len()],
            depth: vec![0; ops.len()],
            waiting: vec![0; ops.len()],
            done: vec![false; ops.len()],
            active,
            device,
            sources,
            readers,
            ready: BTreeMap::new(),
            other: BinaryHeap::new(),
            pending: BTreeMap::new(),
            order: Vec::new(),
        };
        scheduler.measure();
        scheduler
    }

    /// Early steps, swap depths, and what each step waits for.
    fn measure(&mut self) {
        let count = self.keys.len();
        // Stage at the end of the longest way to each step.
        let mut last_stage = vec![0u32; count];
        for at in 0..count {
            if !self.active[at] {
                continue;
            }
            let (mut depth, mut stage, mut waits) = (0, 0, 0);
            for &source in &self.sources.items[self.sources.of(at as u32)] {
                let source = source as usize;
                waits += u32::from(!self.early[source]);
                if self.depth[source] > depth || stage == 0 {
                    (depth, stage) = (self.depth[source].max(depth), last_stage[source]);
                } else if self.depth[source] == depth && ![0, stage].contains(&last_stage[source]) {
                    stage = MIXED;
                }
            }
            self.early[at] = waits == 0 && !self.device[at];
            self.waiting[at] = waits;
            let own = if self.device[at] { self.uses.of[at] } else { 0 };
            if own != 0 {
                depth += u32::from(stage != 0 && stage != own);
                stage = own;
                *self
                    .pending
                    .entry(own)
                    .or_default()
                    .entry(depth)
                    .or_default() += 1;
            }
            (self.depth[at], last_stage[at]) = (depth, stage);
        }
    }

    fn run(&mut self) {
        for at in 0..self.keys.len() as u32 {
            let index = at as usize;
            if self.active[index] && !self.early[index] && self.waiting[index] == 0 {
                self.make_ready(at);
            }
        }
        let mut stage = 0;
        loop {
            let next = match self.other.pop() {
                Some(Reverse(key)) => Some(key),
                None => self.next_on_device(&mut stage),
            };
            let Some((_, at)) = next else { break };
            self.emit_with_early(at);
        }
        self.emit_rest();
    }

    fn make_ready(&mut self, at: u32) {
        let key = Reverse(self.keys[at as usize]);
        if self.device[at as usize] {
            self.ready
                .entry(self.uses.of[at as usize])
                .or_default()
                .push(key);
        } else {
            self.other.push(key);
        }
    }

    /// The next device step: one that loads nothing, if there is one; else a change of stage.
    fn next_on_device(&mut self, stage: &mut u32) -> Option<Key> {
        for at_hand in [0, *stage] {
            if let Some(key) = self.pop(at_hand) {
                return Some(key);
            }
        }
        let within = self
            .ready
            .keys()
            .copied()
            .find(|&it| self.uses.within(it, *stage));
        let next = within.or_else(|| {
            // Stages with steps further away come last; then the nearest, then by key.
            let rank = |(stage, heap): (&u32, &BinaryHeap<Reverse<Key>>)| {
                let first = heap.peek()?.0;
                let depth = self.depth[first.1 as usize];
                let last = self
                    .pending
                    .get(stage)
                    .and_then(|it| it.last_key_value())
                    .map_or(0, |it| *it.0);
                Some((last > depth, depth, first, *stage))
            };
            self.ready.iter().filter_map(rank).min().map(|it| it.3)
        })?;
        if within.is_none() {
            *stage = next;
        }
        self.pop(next)
    }

    fn pop(&mut self, stage: u32) -> Option<Key> {
        let heap = self.ready.get_mut(&stage)?;
        let key = heap.pop().map(|key| key.0);
        if heap.is_empty() {
            self.ready.remove(&stage);
        }
        let (_, at) = key?;
        if let Some(depths) = self.pending.get_mut(&stage) {
            let depth = self.depth[at as usize];
            if let Some(left) = depths.get_mut(&depth) {
                *left -= 1;
                if *left == 0 {
                    depths.remove(&depth);
                }
            }
        }
        key
    }

    /// Emits a step after the early steps it still waits for.
    fn emit_with_early(&mut self, at: u32) {
        let mut stack = vec![(at, self.sources.of(at))];
        while let Some((at, rest)) = stack.last_mut() {
            if let Some(slot) = rest.next() {
                let source = self.sources.items[slot];
                if !self.done[source as usize] {
                    stack.push((source, self.sources.of(source)));
                }
            } else {
                let at = *at;
                stack.pop();
                self.emit(at);
            }
        }
    }

    fn emit(&mut self, at: u32) {
        if std::mem::replace(&mut self.done[at as usize], true) {
            return;
        }
        self.order.push(at);
        if self.early[at as usize] {
            return;
        }
        for slot in self.readers.of(at) {
            let reader = self.readers.items[slot];
            let waiting = &mut self.waiting[reader as usize];
            *waiting -= 1;
            if *waiting == 0 {
                self.make_ready(reader);
            }
        }
    }

    /// What no device step asked for: outputs that need no device at all, shot by shot.
    fn emit_rest(&mut self) {
        let mut waiting = vec![0u32; self.keys.len()];
        let mut ready = BinaryHeap::new();
        for at in 0..self.keys.len() as u32 {
            if self.active[at as usize] && !self.done[at as usize] {
                let sources = &self.sources.items[self.sources.of(at)];
                waiting[at as usize] = sources
                    .iter()
                    .filter(|it| !self.done[**it as usize])
                    .count() as u32;
                if waiting[at as usize] == 0 {
                    ready.push(Reverse(self.keys[at as usize]));
                }
            }
        }
        while let Some(Reverse((_, at))) = ready.pop() {
            self.done[at as usize] = true;
            self.order.push(at);
            for slot in self.readers.of(at) {
                let reader = self.readers.items[slot] as usize;
                waiting[reader] -= 1;
                if waiting[reader] == 0 && !self.done[reader] {
                    ready.push(Reverse(self.keys[reader]));
                }
            }
        }
    }
}
