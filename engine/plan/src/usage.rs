//! What a plan keeps where, and when: which checkpoints are in which memory during each step, and
//! when each step begins and ends. Charts are drawn from this.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fit::reads;
use crate::plan::Move;
use crate::{DeviceKind, Plan, Step, StepId, WeightsId};

/// Where a checkpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// In the memory that models run in: the device's, on a CPU the host's.
    Resident,
    /// Off the device, kept on the host.
    Parked,
    /// Open, read block by block: takes the room of a block, counted as work.
    Streamed,
}

/// Memory during a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The step.
    pub step: StepId,
    /// Checkpoints in memory or open, ascending. Shared by the steps between two moves.
    pub held: Arc<[(WeightsId, Place)]>,
    /// Bytes of checkpoints on the device (on a CPU: 0).
    pub device_weights: u64,
    /// Bytes of checkpoints on the host: parked ones, on a CPU resident ones.
    pub host_weights: u64,
}

/// When a step runs, seconds from the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Span {
    /// Begins.
    pub begin: f64,
    /// Ends; recipes and stored steps end as they begin.
    pub end: f64,
}

impl Plan {
    /// Memory during every step, in plan order.
    pub fn uses(&self) -> Vec<Use> {
        let gpu = self.machine.device != DeviceKind::Cpu;
        let mut places: BTreeMap<WeightsId, Place> = BTreeMap::new();
        let mut held: Arc<[(WeightsId, Place)]> = Arc::from([]);
        let (mut resident, mut parked) = (0, 0);
        let mut uses = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            if !step.moves.is_empty() {
                go(&mut places, step, gpu);
                held = places.iter().map(|(id, place)| (*id, *place)).collect();
                resident = self.sum(&places, Place::Resident);
                parked = self.sum(&places, Place::Parked);
            }
            uses.push(Use {
                step: step.id,
                held: held.clone(),
                device_weights: if gpu { resident } else { 0 },
                host_weights: if gpu { parked } else { resident },
            });
        }
        uses
    }

    fn sum(&self, places: &BTreeMap<WeightsId, Place>, place: Place) -> u64 {
        let here = places.iter().filter(|(_, it)| **it == place);
        here.map(|(id, _)| self.weight(*id).bytes)
            .fold(0, u64::saturating_add)
    }

    /// When every step runs, with one step at a time on each lane, in order.
    pub fn schedule(&self) -> Vec<Span> {
        let mut spans = vec![Span::default(); self.steps.len()];
        let mut free = BTreeMap::new();
        for (at, step) in self.steps.iter().enumerate() {
            let makers = reads(self, at).filter_map(|id| self.value(id).step);
            let ready = makers
                .map(|id| spans[id.0 as usize].end)
                .fold(0.0, f64::max);
            if step.lazy || step.cached {
                spans[at] = Span {
                    begin: ready,
                    end: ready,
                };
                continue;
            }
            let lane = free.entry(step.lane).or_insert(0.0f64);
            let begin = lane.max(ready);
            let end = begin + step.seconds;
            spans[at] = Span { begin, end };
            *lane = end;
        }
        spans
    }
}

/// Makes a step's moves.
fn go(places: &mut BTreeMap<WeightsId, Place>, step: &Step, gpu: bool) {
    for action in &step.moves {
        match *action {
            Move::Load(id) if step.streamed.contains(&id) => places.insert(id, Place::Streamed),
            Move::Load(id) => places.insert(id, Place::Resident),
            Move::Park(id) if gpu => places.insert(id, Place::Parked),
            Move::Park(id) | Move::Drop(id) => places.remove(&id),
        };
    }
}
