//! *fit*: memory. Which way each step is done, which checkpoints are in memory when, what every
//! step takes.
//!
//! The order is settled, so the future is known: when room is needed, the checkpoint whose next use
//! is furthest goes first (Belady, "A study of replacement algorithms for a virtual-storage computer",
//! 1966). A step takes the first of its ways that fits with its own checkpoints in memory.
//!
//! What a step is predicted to take:
//! - device (GPU): checkpoints resident, what streams one block at a time, its inputs and outputs, its
//!   work, one chunk of every lazy recipe it reads;
//! - host: the program itself, values alive, parked checkpoints, its work, and, for a device step, the
//!   largest processor-lane step that stands between its neighbours on the device and so may run
//!   beside it. On [`DeviceKind::Cpu`] the device's share is on the host too.

mod build;
mod cost;
mod lifetimes;
mod residency;
mod shortage;
mod time;

use longtake_graph::{Diagnostic, Sentence, say};

use crate::compile::State;
use crate::text::bytes;
use crate::{
    Cost, DeviceKind, Info, Lane, Machine, Plan, Rung, Step, StepInput, ValueId, WeightsId,
};
use cost::Ways;
pub(crate) use lifetimes::reads;
use residency::{Residency, Wish};
use shortage::Shortage;

/// Makes [`State::plan`].
pub(crate) fn fit(state: &mut State<'_>) {
    let ways = cost::ways(state);
    let mut plan = build::skeleton(state);
    lifetimes::mark(&mut plan);
    let sets: Vec<Vec<u32>> = state
        .order
        .iter()
        .map(|&op| state.uses.sets[state.uses.of[op as usize] as usize].clone())
        .collect();
    let mut fitter = Fitter::new(&plan, state.machine, &ways, sets);
    for (at, ways) in ways.iter().enumerate() {
        match fitter.step(&mut plan, ways, at) {
            Ok(()) => {}
            Err(shortage) => {
                let op = &state.ops[state.order[at] as usize];
                let place = state.place(op);
                let message = shortage.message(&plan, &plan.steps[at], state.machine);
                state
                    .diagnostics
                    .push(Diagnostic::error("does_not_fit", place, message));
                state.broken = true;
            }
        }
    }
    if state.broken {
        return;
    }
    plan.peak_device_bytes = plan
        .steps
        .iter()
        .map(|step| step.device_bytes)
        .max()
        .unwrap_or(0);
    plan.peak_host_bytes = plan
        .steps
        .iter()
        .map(|step| step.host_bytes)
        .max()
        .unwrap_or(0);
    plan.seconds = time::makespan(&plan);
    state.plan = Some(plan);
}

/// What one way of doing a step takes, with its own checkpoints only.
struct Need {
    resident: u64,
    /// Work on the device: inputs, outputs, activations, a block of what streams.
    device: u64,
    /// Work on the host, and what may run beside it.
    host: u64,
    streamed: Vec<u32>,
}

struct Fitter<'m> {
    machine: &'m Machine,
    /// Checkpoints needed by step, recipes included.
    sets: Vec<Vec<u32>>,
    residency: Residency,
    /// Bytes of values alive.
    alive: u64,
    /// Host bytes of the largest processor-lane step that may run beside each device step.
    beside: Vec<u64>,
}

impl<'m> Fitter<'m> {
    fn new(plan: &Plan, machine: &'m Machine, ways: &[Ways], sets: Vec<Vec<u32>>) -> Self {
        let gpu = machine.device != DeviceKind::Cpu;
        Self {
            machine,
            residency: Residency::new(&plan.weights, &sets, gpu),
            sets,
            alive: 0,
            beside: beside(plan, ways, gpu),
        }
    }

    fn gpu(&self) -> bool {
        self.machine.device != DeviceKind::Cpu
    }

    fn step(&mut self, plan: &mut Plan, ways: &Ways, at: usize) -> Result<(), Shortage> {
        let written: u64 = plan.steps[at]
            .writes
            .iter()
            .map(|id| plan.value(*id).host_bytes)
            .sum();
        self.alive += written;
        let step = &plan.steps[at];
        let result = if step.cached || step.lazy {
            Ok(())
        } else {
            self.choose(plan, ways, at)
        };
        let step = &mut plan.steps[at];
        if step.cached || step.lazy {
            step.device_bytes = if self.gpu() {
                self.residency.device_bytes()
            } else {
                0
            };
            step.host_bytes = self.host_floor() + self.residency.host_bytes();
        }
        let freed: u64 = step
            .frees
            .iter()
            .map(|id| plan.values[id.0 as usize].host_bytes)
            .sum();
        self.alive -= freed.min(self.alive);
        result
    }

    /// The program and the values alive.
    fn host_floor(&self) -> u64 {
        self.machine.base_host_bytes.saturating_add(self.alive)
    }

    fn need(&self, plan: &Plan, at: usize, rung: &Rung, lazy: &Cost) -> Need {
        let step = &plan.steps[at];
        let streamed = streamed(plan, step, rung);
        let set = self.sets[at].iter().filter(|id| !streamed.contains(id));
        let blocks: u64 = streamed.iter().map(|id| block_bytes(plan, *id)).sum();
        let values = if self.gpu() && step.lane == Lane::Device {
            values_on_device(plan, step)
        } else {
            0
        };
        let device = [rung.cost.device_bytes, lazy.device_bytes, blocks, values];
        let host = [rung.cost.host_bytes, lazy.host_bytes, self.beside[at]];
        Need {
            resident: set.map(|id| self.residency.bytes(*id)).sum(),
            device: device.iter().fold(0, |sum, it| sum.saturating_add(*it)),
            host: host.iter().fold(0, |sum, it| sum.saturating_add(*it)),
            streamed,
        }
    }

    /// Bytes over what device and host hold for checkpoints other than the step's own; `None` when
    /// the need does not fit.
    fn room(&self, need: &Need) -> (Option<u64>, Option<u64>) {
        let host = self.host_floor().saturating_add(need.host);
        if self.gpu() {
            let device = need.resident.saturating_add(need.device);
            let room = self.machine.device_budget.checked_sub(device);
            (room, self.machine.host_budget.checked_sub(host))
        } else {
            let all = host
                .saturating_add(need.resident)
                .saturating_add(need.device);
            let room = self.machine.host_budget.checked_sub(all);
            (room, room)
        }
    }

    fn choose(&mut self, plan: &mut Plan, ways: &Ways, at: usize) -> Result<(), Shortage> {
        let needs: Vec<Need> = ways
            .rungs
            .iter()
            .map(|rung| self.need(plan, at, rung, &ways.lazy))
            .collect();
        let fits = |need: &Need| matches!(self.room(need), (Some(_), Some(_)));
        let Some(chosen) = needs.iter().position(fits) else {
            self.keep_set(plan, at, &[]);
            return Err(self.shortage(ways, &needs));
        };
        let need = &needs[chosen];
        let mut why = Vec::new();
        if chosen > 0 {
            why.push(self.why_lesser(plan, at, ways, &needs[0], chosen));
        }
        let (Some(device), Some(host)) = self.room(need) else {
            return Ok(());
        };
        let own: Vec<u32> = self.sets[at]
            .iter()
            .copied()
            .filter(|id| !need.streamed.contains(id))
            .collect();
        // Only the device lane keeps the plan's order: a step of another lane may run early, and
        // must not take away what a device step before it still uses.
        let moved = self.residency.make_room(&Wish {
            at: at as u32,
            own: &own,
            streamed: &need.streamed,
            device,
            host,
            tidy: plan.steps[at].lane == Lane::Device,
        });
        if let Some(sentence) = moved.why(plan, need.resident.saturating_add(need.device)) {
            why.push(sentence);
        }
        self.keep_set(plan, at, &need.streamed);
        let (resident, parked) = (self.residency.device_bytes(), self.residency.host_bytes());
        let gpu = self.gpu();
        let loading = moved.seconds(plan, self.machine);
        let host_bytes = self
            .host_floor()
            .saturating_add(need.host)
            .saturating_add(parked);
        let step = &mut plan.steps[at];
        let rung = &ways.rungs[chosen];
        step.moves = moved.moves;
        step.rung.clone_from(&rung.name);
        step.settings = rung.settings.clone();
        step.fallbacks = ways.rungs[chosen + 1..].to_vec();
        step.cost = cost::sum(rung.cost, ways.lazy);
        step.why = (!why.is_empty()).then(|| Sentence::joined(&why));
        step.device_bytes = if gpu {
            resident.saturating_add(need.device)
        } else {
            0
        };
        // On the CPU `Residency` counts what is resident as on the host.
        step.host_bytes = host_bytes.saturating_add(if gpu { 0 } else { need.device });
        step.seconds = time::of(&step.cost, self.machine) + loading;
        Ok(())
    }

    fn keep_set(&self, plan: &mut Plan, at: usize, streamed: &[u32]) {
        let ids = |streams: bool| -> Vec<WeightsId> {
            let set = self.sets[at]
                .iter()
                .filter(|id| streamed.contains(id) == streams);
            set.map(|id| WeightsId(*id)).collect()
        };
        (plan.steps[at].weights, plan.steps[at].streamed) = (ids(false), ids(true));
    }

    fn shortage(&self, ways: &Ways, needs: &[Need]) -> Shortage {
        let Some((need, rung)) = needs.last().zip(ways.rungs.last()) else {
            let rung = String::new();
            return Shortage {
                rung,
                device: false,
                needed: 0,
                weights: 0,
                values: 0,
                budget: 0,
            };
        };
        let rung = if needs.len() > 1 {
            rung.name.clone()
        } else {
            String::new()
        };
        let floor = self.host_floor();
        let weights = need.resident;
        if self.gpu() && self.room(need).0.is_none() {
            let needed = need.resident.saturating_add(need.device);
            return Shortage {
                rung,
                device: true,
                needed,
                weights,
                values: 0,
                budget: self.machine.device_budget,
            };
        }
        let own = if self.gpu() {
            0
        } else {
            need.resident.saturating_add(need.device)
        };
        let needed = floor.saturating_add(need.host).saturating_add(own);
        let weights = if self.gpu() { 0 } else { weights };
        Shortage {
            rung,
            device: false,
            needed,
            weights,
            values: floor,
            budget: self.machine.host_budget,
        }
    }

    /// “tiled 256: whole needs 5.2 GiB, 3.1 GiB are free beside wan_2.1_vae.safetensors”.
    fn why_lesser(
        &self,
        plan: &Plan,
        at: usize,
        ways: &Ways,
        best: &Need,
        chosen: usize,
    ) -> Sentence {
        let on_device = self.gpu() && self.room(best).0.is_none();
        let (work, free) = if on_device {
            (
                best.device,
                self.machine.device_budget.saturating_sub(best.resident),
            )
        } else {
            let own = if self.gpu() { 0 } else { best.resident };
            let taken = self.host_floor().saturating_add(own);
            let work = best
                .host
                .saturating_add(if self.gpu() { 0 } else { best.device });
            (work, self.machine.host_budget.saturating_sub(taken))
        };
        let names: Vec<&str> = self.sets[at]
            .iter()
            .map(|id| plan.weights[*id as usize].name.as_str())
            .collect();
        let beside = if names.is_empty() {
            Sentence::default()
        } else {
            Sentence {
                en: format!(" beside {}", names.join(" and ")),
                ja: format!("{} のほかに", names.join("、")),
            }
        };
        let (taken, best) = (&ways.rungs[chosen].name, &ways.rungs[0].name);
        if free == 0 && !names.is_empty() {
            let budget = if on_device {
                self.machine.device_budget
            } else {
                self.machine.host_budget
            };
            return say!(
                "{taken}: {best} needs {} and {} at once, the budget is {}",
                "{taken}: {best} には {} と {} が同時に必要ですが、上限は {} です",
                names.join(" and "),
                bytes(work),
                bytes(budget)
            );
        }
        say!(
            "{taken}: {best} needs {}, {} are free{beside}",
            "{taken}: {best} には {} が必要ですが、{beside}空きは {} です",
            bytes(work),
            bytes(free);
            beside
        )
    }
}

/// Checkpoints that a way reads block by block.
fn streamed(plan: &Plan, step: &Step, rung: &Rung) -> Vec<u32> {
    let at = |name: &&str| match step.inputs.get(*name)? {
        StepInput::Value(id) => match &plan.value(*id).info {
            Info::Weights(info) => build::weights_id(plan, info),
            Info::Clip(_)
            | Info::Segment(_)
            | Info::Latent(_)
            | Info::Conditioning { .. }
            | Info::Constant(_)
            | Info::Storyboard(_)
            | Info::Nothing => None,
        },
        StepInput::Literal(_) | StepInput::List(_) => None,
    };
    rung.streams.iter().filter_map(at).collect()
}

/// Bytes in memory at once while a checkpoint streams: a block's as its dimensions say
/// (`block_bytes`), else an equal share of its layers.
fn block_bytes(plan: &Plan, id: u32) -> u64 {
    let info = &plan.weights[id as usize];
    match (info.dims.get("block_bytes"), info.dims.get("layers")) {
        (Some(&bytes), _) => bytes,
        (None, Some(&layers)) if layers > 0 => info.bytes.div_ceil(layers),
        _ => info.bytes,
    }
}

/// Latents and encoded text that a device step reads and writes, as f32. Frames go by in chunks,
/// which its cost counts.
fn values_on_device(plan: &Plan, step: &Step) -> u64 {
    let read = step.inputs.values().flat_map(|input| match input {
        StepInput::Literal(_) => &[][..],
        StepInput::Value(id) => std::slice::from_ref(id),
        StepInput::List(ids) => ids,
    });
    let size = |id: &ValueId| match &plan.value(*id).info {
        Info::Latent(latent) => latent.elements().saturating_mul(4),
        Info::Conditioning {
            tokens,
            dim,
            extras,
        } => (u64::from(*tokens) * u64::from(*dim) * 4).saturating_add(extras.bytes()),
        Info::Clip(_)
        | Info::Segment(_)
        | Info::Weights(_)
        | Info::Constant(_)
        | Info::Storyboard(_)
        | Info::Nothing => 0,
    };
    read.chain(&step.writes)
        .map(size)
        .fold(0, u64::saturating_add)
}

/// For every device step, the host bytes of the largest processor-lane step between the device
/// steps before and after it; 0 for other steps.
fn beside(plan: &Plan, ways: &[Ways], gpu: bool) -> Vec<u64> {
    let takes = |at: usize| {
        let step = &plan.steps[at];
        let runs = step.lane == Lane::Cpu && !step.lazy && !step.cached;
        let rung = ways[at].rungs.first().filter(|_| runs);
        rung.map_or(0, |rung| {
            let all = cost::sum(rung.cost, ways[at].lazy);
            all.host_bytes
                .saturating_add(if gpu { 0 } else { all.device_bytes })
        })
    };
    let is_device = |at: usize| plan.steps[at].lane == Lane::Device && !plan.steps[at].cached;
    let mut beside = vec![0; plan.steps.len()];
    for forward in [true, false] {
        let mut largest = 0;
        for position in 0..plan.steps.len() {
            let at = if forward {
                position
            } else {
                plan.steps.len() - 1 - position
            };
            if is_device(at) {
                beside[at] = largest.max(beside[at]);
                largest = 0;
            } else {
                largest = largest.max(takes(at));
            }
        }
    }
    beside
}
