//! Which checkpoints an op needs while it runs: its own and those of the lazy recipes it reads.

use std::collections::HashMap;
use std::sync::Arc;

use longtake_graph::{InputType, Kind};

use crate::compile::Op;
use crate::{Info, WeightsInfo};

/// Whether an op runs a diffusion model.
pub(crate) fn takes_model(op: &Op<'_>) -> bool {
    op.spec.is_some_and(|spec| {
        let mut inputs = spec.decl.inputs.iter();
        inputs.any(|it| matches!(it.ty, InputType::Socket(kind) if kind == Kind::MODEL))
    })
}

/// Checkpoints of a graph and the sets of them that ops need. Set 0 is empty.
#[derive(Default)]
pub(crate) struct Uses {
    /// Every checkpoint once.
    pub weights: Vec<Arc<WeightsInfo>>,
    /// Sorted sets of indices into `weights`, each once.
    pub sets: Vec<Vec<u32>>,
    /// The set of each op, recipes it reads included.
    pub of: Vec<u32>,
    known_sets: HashMap<Vec<u32>, u32>,
    unions: HashMap<(u32, u32), u32>,
    by_address: HashMap<*const WeightsInfo, u32>,
}

impl Uses {
    /// Finds the sets of all ops; they stand in topological order.
    pub fn of(ops: &[Op<'_>]) -> Self {
        let mut uses = Self::default();
        uses.set(Vec::new());
        for op in ops {
            let set = if op.needed && op.is_step() && !op.cached {
                uses.set_of(op, ops)
            } else {
                0
            };
            uses.of.push(set);
        }
        uses
    }

    fn set_of(&mut self, op: &Op<'_>, ops: &[Op<'_>]) -> u32 {
        let mut set = 0;
        let mut read = Vec::new();
        op.each_ref(|from, output| read.push((from, output)));
        for (from, output) in read {
            let source = &ops[from as usize];
            let theirs = match source.outputs.get(output as usize) {
                Some(Info::Weights(info)) => {
                    let id = self.weight(info);
                    self.set(vec![id])
                }
                // Only who runs a model runs the control net that a conditioning asks for.
                Some(Info::Conditioning { extras, .. }) if takes_model(op) => {
                    match &extras.control {
                        Some(control) => {
                            let id = self.weight(control);
                            self.set(vec![id])
                        }
                        None => 0,
                    }
                }
                Some(
                    Info::Clip(_)
                    | Info::Segment(_)
                    | Info::Latent(_)
                    | Info::Conditioning { .. }
                    | Info::Constant(_)
                    | Info::Storyboard(_)
                    | Info::Nothing,
                )
                | None => {
                    if source.is_lazy() {
                        self.of[from as usize]
                    } else {
                        0
                    }
                }
            };
            set = self.union(set, theirs);
        }
        set
    }

    /// Index of a checkpoint.
    pub fn weight(&mut self, info: &Arc<WeightsInfo>) -> u32 {
        let address = Arc::as_ptr(info);
        if let Some(&id) = self.by_address.get(&address) {
            return id;
        }
        let id = if let Some(id) = self.weights.iter().position(|it| it.loads_as(info)) {
            id as u32
        } else {
            self.weights.push(info.clone());
            self.weights.len() as u32 - 1
        };
        self.by_address.insert(address, id);
        id
    }

    fn set(&mut self, set: Vec<u32>) -> u32 {
        let next = self.sets.len() as u32;

        *self.known_sets.entry(set).or_insert_with_key(|set| {
            self.sets.push(set.clone());
            next
        })
    }

    fn union(&mut self, a: u32, b: u32) -> u32 {
        if a == b || b == 0 {
            return a;
        }
        if a == 0 {
            return b;
        }
        if let Some(&known) = self.unions.get(&(a, b)) {
            return known;
        }
        let mut both = self.sets[a as usize].clone();
        both.extend(&self.sets[b as usize]);
        both.sort_unstable();
        both.dedup();
        let id = self.set(both);
        self.unions.insert((a, b), id);
        id
    }

    /// Whether every checkpoint of `a` is in `b`.
    pub fn within(&self, a: u32, b: u32) -> bool {
        let b = &self.sets[b as usize];
        self.sets[a as usize]
            .iter()
            .all(|id| b.binary_search(id).is_ok())
    }
}
