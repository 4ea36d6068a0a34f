//! Where each checkpoint is, and who goes when room is needed.

use std::sync::Arc;

use longtake_graph::{Sentence, say};

use crate::plan::Move;
use crate::text::bytes;
use crate::{Machine, Plan, WeightsId, WeightsInfo};

use super::time;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Only in its file.
    Disk,
    /// In memory on the device.
    Resident,
    /// Open, read block by block.
    Streaming,
    /// Off the device, kept on the host.
    Parked,
}

/// Where checkpoints are, step by step.
pub(super) struct Residency {
    place: Vec<Place>,
    bytes: Vec<u64>,
    /// Positions of the steps that use each, ascending.
    uses: Vec<Vec<u32>>,
    /// Device memory is not host memory, so that parking is of use.
    gpu: bool,
}

/// What a step asks for.
#[derive(Clone, Copy)]
pub(super) struct Wish<'w> {
    /// Its position.
    pub at: u32,
    /// Checkpoints it needs in memory.
    pub own: &'w [u32],
    /// Checkpoints it reads block by block.
    pub streamed: &'w [u32],
    /// Bytes left on the device for other checkpoints.
    pub device: u64,
    /// Bytes left on the host for parked checkpoints.
    pub host: u64,
    /// Whether checkpoints that nobody needs again are dropped.
    pub tidy: bool,
}

/// What was moved for a step.
#[derive(Default)]
pub(super) struct Moved {
    pub moves: Vec<Move>,
    /// Sent away although it is needed again, and the step of that next use.
    evicted: Vec<(u32, u32)>,
    /// Loaded from the file, and from the host.
    from_disk: Vec<u32>,
    from_host: Vec<u32>,
}

impl Moved {
    /// Why something had to go.
    pub fn why(&self, plan: &Plan, needed: u64) -> Option<Sentence> {
        let (id, next) = self.evicted.last()?;
        let names: Vec<&str> = self
            .evicted
            .iter()
            .map(|(id, _)| plan.weights[*id as usize].name.as_str())
            .collect();
        let id = WeightsId(*id);
        let goes = if self.moves.contains(&Move::Park(id)) {
            say!("parked on the host", "ホストメモリへ移します")
        } else {
            say!("dropped", "メモリから降ろします")
        };
        Some(say!(
            "{} {goes}: {} are needed here, its next use is furthest (step {})",
            "{} は{goes}: ここで {} が必要で、次に使うのが最も先です (ステップ {})",
            names.join(", "),
            bytes(needed),
            next + 1;
            goes
        ))
    }

    /// Seconds the loads take.
    pub fn seconds(&self, plan: &Plan, machine: &Machine) -> f64 {
        let sum = |ids: &[u32]| {
            ids.iter()
                .map(|id| plan.weights[*id as usize].bytes as f64)
                .sum::<f64>()
        };
        time::loading(sum(&self.from_disk), sum(&self.from_host), machine)
    }
}

impl Residency {
    pub fn new(weights: &[Arc<WeightsInfo>], sets: &[Vec<u32>], gpu: bool) -> Self {
        let mut uses = vec![Vec::new(); weights.len()];
        for (at, set) in sets.iter().enumerate() {
            for id in set {
                uses[*id as usize].push(at as u32);
            }
        }
        Self {
            place: vec![Place::Disk; weights.len()],
            bytes: weights.iter().map(|it| it.bytes).collect(),
            uses,
            gpu,
        }
    }

    pub fn bytes(&self, id: u32) -> u64 {
        self.bytes[id as usize]
    }

    fn sum(&self, place: Place) -> u64 {
        let here = self
            .place
            .iter()
            .zip(&self.bytes)
            .filter(|(it, _)| **it == place);
        here.map(|(_, bytes)| *bytes).fold(0, u64::saturating_add)
    }

    /// Bytes of checkpoints on the device.
    pub fn device_bytes(&self) -> u64 {
        self.sum(Place::Resident)
    }

    /// Bytes of checkpoints on the host: parked ones, and on a CPU resident ones.
    pub fn host_bytes(&self) -> u64 {
        self.sum(if self.gpu {
            Place::Parked
        } else {
            Place::Resident
        })
    }

    /// The next step after `at` that uses a checkpoint.
    fn next_use(&self, id: u32, at: u32) -> Option<u32> {
        let uses = &self.uses[id as usize];
        uses.get(uses.partition_point(|&it| it <= at)).copied()
    }

    /// Brings a step's checkpoints in, opens what it streams, and sends away what is in the way.
    pub fn make_room(&mut self, wish: &Wish<'_>) -> Moved {
        let Wish {
            at,
            own,
            streamed,
            device,
            host,
            tidy,
        } = *wish;
        let mut moved = Moved::default();
        let is_own = |id: u32| own.contains(&id) || streamed.contains(&id);
        for id in 0..self.place.len() as u32 {
            let idle = tidy && self.place[id as usize] != Place::Disk && !is_own(id);
            // `next_use` of the step before: a use at `at` itself would make it `own`.
            if idle && self.next_use(id, at).is_none() {
                self.put(id, Place::Disk, Move::Drop(WeightsId(id)), &mut moved);
            }
        }
        // A stream gives way to the whole checkpoint.
        for &id in own {
            if self.place[id as usize] == Place::Streaming {
                self.put(id, Place::Disk, Move::Drop(WeightsId(id)), &mut moved);
            }
        }
        while self.others(Place::Resident, own) > device {
            let Some((next, id)) = self.furthest(Place::Resident, own, at) else {
                break;
            };
            let parked = self.sum(Place::Parked).saturating_add(self.bytes(id));
            moved.evicted.push((id, next));
            if self.gpu && parked <= host {
                self.put(id, Place::Parked, Move::Park(WeightsId(id)), &mut moved);
            } else {
                self.put(id, Place::Disk, Move::Drop(WeightsId(id)), &mut moved);
            }
        }
        while self.sum(Place::Parked) > host {
            let Some((_, id)) = self.furthest(Place::Parked, &[], at) else {
                break;
            };
            self.put(id, Place::Disk, Move::Drop(WeightsId(id)), &mut moved);
        }
        for &id in own {
            match self.place[id as usize] {
                Place::Resident => continue,
                Place::Parked => moved.from_host.push(id),
                Place::Disk | Place::Streaming => moved.from_disk.push(id),
            }
            self.put(id, Place::Resident, Move::Load(WeightsId(id)), &mut moved);
        }
        for &id in streamed {
            if !matches!(self.place[id as usize], Place::Resident | Place::Streaming) {
                self.put(id, Place::Streaming, Move::Load(WeightsId(id)), &mut moved);
            }
        }
        moved
    }

    fn put(&mut self, id: u32, place: Place, action: Move, moved: &mut Moved) {
        self.place[id as usize] = place;
        moved.moves.push(action);
    }

    /// Bytes at a place that are not the step's own.
    fn others(&self, place: Place, own: &[u32]) -> u64 {
        let ids = (0..self.place.len() as u32)
            .filter(|id| self.place[*id as usize] == place && !own.contains(id));
        ids.map(|id| self.bytes(id)).fold(0, u64::saturating_add)
    }

    /// Who is needed furthest ahead; of equals the one with the higher index.
    fn furthest(&self, place: Place, own: &[u32], at: u32) -> Option<(u32, u32)> {
        let here = (0..self.place.len() as u32)
            .filter(|id| self.place[*id as usize] == place && !own.contains(id));
        here.map(|id| (self.next_use(id, at).unwrap_or(u32::MAX), id))
            .max()
    }
}
