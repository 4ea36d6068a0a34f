//! What must hold between passes and of a finished plan. Linear, and run after every pass.

use std::collections::HashSet;

use crate::compile::State;
use crate::plan::Move;
use crate::{DeviceKind, Plan, StepInput, ValueId, WeightsId};

/// Checks ops: outputs and links exist, and every op stands after what it reads.
///
/// # Errors
/// A sentence about the first thing that does not hold.
pub(crate) fn draft(state: &State<'_>) -> Result<(), String> {
    let count = state.ops.len() as u32;
    for (at, op) in state.ops.iter().enumerate() {
        let mut wrong = None;
        op.each_ref(|from, output| {
            if from >= at as u32 {
                wrong = Some(format!(
                    "op {at} ({}) reads op {from}, which does not stand before it",
                    op.class
                ));
            } else if let Some(spec) = state.ops[from as usize].spec
                && output as usize >= spec.decl.outputs.len()
                && !state.broken
            {
                wrong = Some(format!(
                    "op {at} ({}) reads output {output} of {}",
                    op.class, spec.decl.class
                ));
            }
        });
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
    }
    match state
        .outputs
        .iter()
        .chain(&state.order)
        .find(|&&at| at >= count)
    {
        Some(at) => Err(format!("there is no op {at}")),
        None => Ok(()),
    }
}

/// Checks a plan: ids are positions; every value is written before it is read and freed once, after
/// its last reader; weights are resident when a step runs; predictions stay within the budget.
///
/// # Errors
/// A sentence about the first thing that does not hold.
pub fn plan(plan: &Plan) -> Result<(), String> {
    let mut checker = Checker {
        plan,
        written: plan
            .values
            .iter()
            .map(|value| value.step.is_none())
            .collect(),
        freed: vec![false; plan.values.len()],
        resident: HashSet::new(),
    };
    for at in 0..plan.steps.len() {
        checker
            .step(at)
            .map_err(|problem| format!("step {} ({}): {problem}", at + 1, plan.steps[at].path))?;
    }
    for (index, value) in plan.values.iter().enumerate() {
        if value.step.is_some() && !(checker.written[index] && checker.freed[index]) {
            return Err(format!("value {index} is never written or never freed"));
        }
    }
    let beyond = |id: &&crate::StepId| id.0 as usize >= plan.steps.len();
    match plan.outputs.iter().find(beyond) {
        Some(id) => Err(format!("output step {} does not exist", id.0)),
        None => Ok(()),
    }
}

struct Checker<'p> {
    plan: &'p Plan,
    written: Vec<bool>,
    freed: Vec<bool>,
    resident: HashSet<WeightsId>,
}

impl Checker<'_> {
    fn step(&mut self, at: usize) -> Result<(), String> {
        let step = &self.plan.steps[at];
        if step.id.0 as usize != at {
            return Err(format!("its id is {}", step.id.0));
        }
        for input in step.inputs.values() {
            let ids: &[ValueId] = match input {
                StepInput::Literal(_) => &[],
                StepInput::Value(id) => std::slice::from_ref(id),
                StepInput::List(ids) => ids,
            };
            for id in ids {
                let index = id.0 as usize;
                match (self.written.get(index), self.freed.get(index)) {
                    (Some(true), Some(false)) => {}
                    (Some(true), _) => {
                        return Err(format!("reads value {index} after it was freed"));
                    }
                    _ => return Err(format!("reads value {index} before it is written")),
                }
            }
        }
        for id in &step.writes {
            let index = id.0 as usize;
            let value = self
                .plan
                .values
                .get(index)
                .ok_or("writes a value that does not exist")?;
            if value.step != Some(step.id) || std::mem::replace(&mut self.written[index], true) {
                return Err(format!("writes value {index}, which is another step's"));
            }
        }
        for id in &step.frees {
            let index = id.0 as usize;
            if !self.written[index] || std::mem::replace(&mut self.freed[index], true) {
                return Err(format!("frees value {index} twice or before it is written"));
            }
        }
        self.memory(at)
    }

    fn memory(&mut self, at: usize) -> Result<(), String> {
        let step = &self.plan.steps[at];
        for action in &step.moves {
            let held = match action {
                Move::Load(id) => self.resident.insert(*id),
                Move::Park(id) => self.resident.remove(id),
                // What was parked is dropped from the host.
                Move::Drop(id) => {
                    self.resident.remove(id);
                    true
                }
            };
            if !held {
                return Err(format!(
                    "{action:?} of weights that are not where it takes them from"
                ));
            }
        }
        if let Some(id) = step
            .weights
            .iter()
            .chain(&step.streamed)
            .find(|id| !self.resident.contains(id))
        {
            return Err(format!("weights {} are not in memory", id.0));
        }
        let machine = &self.plan.machine;
        let runs = !step.cached && !step.lazy;
        let gpu = machine.device != DeviceKind::Cpu;
        if runs && gpu && step.device_bytes > machine.device_budget {
            return Err(format!(
                "takes {} bytes of the device's {}",
                step.device_bytes, machine.device_budget
            ));
        }
        if runs && step.host_bytes > machine.host_budget {
            return Err(format!(
                "takes {} bytes of the host's {}",
                step.host_bytes, machine.host_budget
            ));
        }
        Ok(())
    }
}
