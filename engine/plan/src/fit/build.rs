//! From ops in order to steps and values, before memory is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::compile::{Arg, Op, State};
use crate::{
    Cost, Info, Keep, Lane, Plan, Step, StepId, StepInput, Value, ValueId, WeightsInfo, Work,
};

/// A plan with steps, values and checkpoints; costs, frees, moves and memory still empty.
pub(super) fn skeleton(state: &State<'_>) -> Plan {
    let mut builder = Builder {
        state,
        first_value: vec![None; state.ops.len()],
        values: Vec::with_capacity(state.ops.len()),
    };
    let mut steps = Vec::with_capacity(state.order.len());
    let mut step_of = vec![None; state.ops.len()];
    for (position, &at) in state.order.iter().enumerate() {
        let id = StepId(position as u32);
        step_of[at as usize] = Some(id);
        steps.push(builder.step(id, at));
    }
    let outputs = state
        .outputs
        .iter()
        .filter_map(|at| step_of[*at as usize])
        .collect();
    Plan {
        machine: state.machine.clone(),
        values: builder.values,
        steps,
        weights: state.uses.weights.clone(),
        outputs,
        peak_device_bytes: 0,
        peak_host_bytes: 0,
        seconds: 0.0,
    }
}

struct Builder<'s, 'a> {
    state: &'s State<'a>,
    /// The first of each op's values, once it has some.
    first_value: Vec<Option<u32>>,
    values: Vec<Value>,
}

impl Builder<'_, '_> {
    fn step(&mut self, id: StepId, at: u32) -> Step {
        let op = &self.state.ops[at as usize];
        let inputs = self.inputs(op);
        let writes = self.write(at, Some(id));
        let (lane, keep) = match op.spec.map(|spec| spec.work) {
            Some(Work::Run { lane, keep, .. }) => (lane, keep),
            Some(Work::Constant | Work::Lazy { .. }) | None => (Lane::Cpu, Keep::Memory),
        };
        let lazy = op.is_lazy();
        Step {
            id,
            path: self.state.path(op),
            class: op.class.to_owned(),
            inputs,
            writes,
            frees: Vec::new(),
            lane,
            lazy,
            keep,
            signature: op.signature,
            weights: Vec::new(),
            streamed: Vec::new(),
            moves: Vec::new(),
            rung: if lazy {
                "lazy".to_owned()
            } else {
                String::new()
            },
            settings: BTreeMap::new(),
            why: None,
            fallbacks: Vec::new(),
            cost: Cost::default(),
            device_bytes: 0,
            host_bytes: 0,
            seconds: 0.0,
            cached: op.cached,
        }
    }

    /// Inputs as values. A cached step keeps only what is known without a run: what it would have
    /// read is not made.
    fn inputs(&mut self, op: &Op<'_>) -> IndexMap<String, StepInput> {
        let mut inputs = IndexMap::with_capacity(op.inputs.len());
        for (name, arg) in &op.inputs {
            let input = match arg {
                Arg::Literal(value) => Some(StepInput::Literal(value.clone())),
                Arg::Out(from, output) => self.read(op, *from, *output).map(StepInput::Value),
                Arg::List(list) => {
                    let ids = list
                        .iter()
                        .map(|(from, output)| self.read(op, *from, *output));
                    ids.collect::<Option<Vec<_>>>().map(StepInput::List)
                }
            };
            inputs.extend(input.map(|input| ((*name).to_owned(), input)));
        }
        inputs
    }

    fn read(&mut self, reader: &Op<'_>, from: u32, output: u32) -> Option<ValueId> {
        let is_step = self.state.ops[from as usize].is_step();
        if reader.cached && is_step {
            return None;
        }
        if self.first_value[from as usize].is_none() && !is_step {
            self.write(from, None);
        }
        Some(ValueId(self.first_value[from as usize]? + output))
    }

    /// Makes the values of an op.
    fn write(&mut self, at: u32, step: Option<StepId>) -> Vec<ValueId> {
        let op = &self.state.ops[at as usize];
        let first = self.values.len() as u32;
        self.first_value[at as usize] = Some(first);
        for (output, info) in op.outputs.iter().enumerate() {
            self.values.push(Value {
                info: info.clone(),
                step,
                output: output as u32,
                host_bytes: host_bytes(op, info),
            });
        }
        (first..self.values.len() as u32).map(ValueId).collect()
    }
}

/// Bytes of a value on the host. Recipes and frames in the store are handles; frames in memory are
/// counted as f32.
fn host_bytes(op: &Op<'_>, info: &Info) -> u64 {
    let in_memory = op.spec.is_some_and(|spec| {
        matches!(
            spec.work,
            Work::Run {
                keep: Keep::Memory,
                ..
            }
        )
    });
    match info {
        Info::Latent(latent) => latent.elements().saturating_mul(4),
        Info::Conditioning {
            tokens,
            dim,
            extras,
        } => (u64::from(*tokens) * u64::from(*dim) * 4).saturating_add(extras.bytes()),
        Info::Clip(clip) if in_memory => clip
            .frame_bytes()
            .saturating_mul(clip.frames)
            .saturating_mul(4),
        // Read from the store or a recipe in chunks, or held elsewhere.
        Info::Clip(_)
        | Info::Segment(_)
        | Info::Weights(_)
        | Info::Constant(_)
        | Info::Storyboard(_)
        | Info::Nothing => 0,
    }
}

/// Index of a checkpoint among the plan's.
pub(super) fn weights_id(plan: &Plan, info: &Arc<WeightsInfo>) -> Option<u32> {
    plan.weights
        .iter()
        .position(|it| it.loads_as(info))
        .map(|it| it as u32)
}
