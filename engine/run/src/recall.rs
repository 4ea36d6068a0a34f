//! What a step made, after the run: read from the store, or, for a recipe of frames, built again from
//! what the store has. Nothing is computed but what a look at the frames asks for.

use std::collections::HashMap;

use longtake_graph::say;
use longtake_plan::{Keep, Plan, StepId, StepInput};

use crate::cx::gather;
use crate::{Env, Nodes, RunCx, RunError, Value};

/// Longest chain of recipes followed.
const MOST: usize = 64;

/// The values a step made.
///
/// # Errors
/// It was never run, the store dropped it, or it is kept nowhere (small steps are not).
pub fn recall(
    plan: &Plan,
    nodes: &dyn Nodes,
    env: &Env,
    step: StepId,
) -> Result<Vec<Value>, RunError> {
    let mut known = HashMap::new();
    follow(plan, nodes, env, step, MOST, &mut known)
}

/// What recipes made, by their step: many may stand on one.
type Known = HashMap<StepId, Vec<Value>>;

fn follow(
    plan: &Plan,
    nodes: &dyn Nodes,
    env: &Env,
    id: StepId,
    left: usize,
    known: &mut Known,
) -> Result<Vec<Value>, RunError> {
    let step = plan.step(id);
    if !step.lazy {
        if step.keep == Keep::Memory {
            return Err(RunError::failed(say!(
                "{} keeps no result; look at the node after it",
                "{} は結果を残しません。後ろのノードを見てください",
                step.path
            )));
        }
        // A look removes nothing.
        return env.store.look(&step.signature);
    }
    if let Some(values) = known.get(&id) {
        return Ok(values.clone());
    }
    if left == 0 {
        return Err(RunError::failed(say!(
            "{}: more than {MOST} recipes in a row",
            "{}: 結果を残さないノードが {MOST} 個より多く続いています",
            step.path
        )));
    }
    let mut made = std::collections::BTreeMap::new();
    for input in step.inputs.values() {
        let ids = match input {
            StepInput::Literal(_) => &[][..],
            StepInput::Value(id) => std::slice::from_ref(id),
            StepInput::List(ids) => ids,
        };
        for value in ids {
            let Some(maker) = plan.value(*value).step else {
                continue;
            };
            let mut values = follow(plan, nodes, env, maker, left - 1, known)?;
            let index = plan.value(*value).output as usize;
            if index < values.len() {
                made.insert(*value, values.swap_remove(index));
            }
        }
    }
    let runner = nodes.runner(&step.class).ok_or_else(|| {
        RunError::failed(say!(
            "this build cannot run {}",
            "このビルドでは {} を実行できません",
            step.class
        ))
    })?;
    let inputs = gather(plan, step, |id| made.get(&id).cloned())?;
    let mut cx = RunCx {
        step,
        plan,
        env,
        inputs,
        models: indexmap::IndexMap::new(),
        report: &mut |_| {},
    };
    let values = runner(&mut cx)?;
    known.insert(id, values.clone());
    Ok(values)
}
