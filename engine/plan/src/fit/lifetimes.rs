//! When each value is needed last.
//!
//! A recipe only promises frames: what it reads must live until the last reader of the recipe has
//! run. So last uses are found backward, and a recipe hands its own on to what it reads.

use crate::{Plan, StepInput, ValueId};

/// Fills [`crate::Step::frees`]: every value that a step makes is freed exactly once.
pub(super) fn mark(plan: &mut Plan) {
    let mut last: Vec<Option<u32>> = vec![None; plan.values.len()];
    for at in (0..plan.steps.len()).rev() {
        let step = &plan.steps[at];
        // When whoever reads this step's results through it is done.
        let own = step
            .writes
            .iter()
            .filter_map(|id| last[id.0 as usize])
            .max();
        let until = match own {
            Some(reader) if step.lazy => reader.max(at as u32),
            _ => at as u32,
        };
        for id in reads(plan, at) {
            let slot = &mut last[id.0 as usize];
            *slot = (*slot).max(Some(until));
        }
    }
    for (index, (value, last)) in plan.values.iter().zip(&last).enumerate() {
        let Some(maker) = value.step else { continue };
        let at = last.unwrap_or(maker.0);
        plan.steps[at as usize].frees.push(ValueId(index as u32));
    }
}

/// Values at a step's inputs.
pub(crate) fn reads(plan: &Plan, at: usize) -> impl Iterator<Item = ValueId> + '_ {
    plan.steps[at]
        .inputs
        .values()
        .flat_map(|input| match input {
            StepInput::Literal(_) => &[][..],
            StepInput::Value(id) => std::slice::from_ref(id),
            StepInput::List(ids) => ids,
        })
        .copied()
}
