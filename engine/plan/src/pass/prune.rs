//! *share equal work* and *prune*: ops with one signature become one; what the store has is not made
//! again; what nobody asked for is left out.

use std::collections::HashMap;

use crate::compile::{Arg, State};
use crate::{Keep, Work};

/// Links every reader to the first op of each signature. The class is compared too, since a stored
/// clip has the signature of the step it stands for.
pub(crate) fn share_equal_work(state: &mut State<'_>) {
    let mut first = HashMap::with_capacity(state.ops.len());
    let mut same: Vec<u32> = Vec::with_capacity(state.ops.len());
    for (at, op) in state.ops.iter().enumerate() {
        let at = at as u32;
        same.push(if op.empty {
            at
        } else {
            *first.entry((op.signature, op.class)).or_insert(at)
        });
    }
    for op in &mut state.ops {
        for (_, arg) in &mut op.inputs {
            match arg {
                Arg::Literal(_) => {}
                Arg::Out(from, _) => *from = same[*from as usize],
                Arg::List(list) => list
                    .iter_mut()
                    .for_each(|(from, _)| *from = same[*from as usize]),
            }
        }
    }
    let mut seen = std::collections::HashSet::new();
    state
        .outputs
        .iter_mut()
        .for_each(|at| *at = same[*at as usize]);
    state.outputs.retain(|at| seen.insert(*at));
}

/// Marks what is needed and what the store has, backward from the outputs.
pub(crate) fn prune(state: &mut State<'_>) {
    // What a step that runs reads; the rest of what is needed is there to be shown.
    let mut read = vec![false; state.ops.len()];
    for &at in &state.outputs {
        state.ops[at as usize].needed = true;
        read[at as usize] = true;
    }
    for at in (0..state.ops.len()).rev() {
        let op = &state.ops[at];
        if !op.needed || op.empty {
            continue;
        }
        let step = op.is_step();
        let runs = read[at] && !(step && stored(state, at));
        let op = &mut state.ops[at];
        op.cached = step && !runs;
        if op.cached {
            // A cached step is still read with its constants and checkpoints as they stand.
            need_constants(state, at);
            if !state.options.whole {
                continue;
            }
        }
        let mut needs = Vec::new();
        state.ops[at].each_ref(|from, _| needs.push(from));
        for from in needs {
            state.ops[from as usize].needed = true;
            read[from as usize] |= runs;
        }
    }
}

/// Whether the store has what a step makes.
fn stored(state: &State<'_>, at: usize) -> bool {
    let op = &state.ops[at];
    let kept = op.spec.is_some_and(|spec| match spec.work {
        Work::Run { keep, .. } => match keep {
            Keep::Store | Keep::Output => true,
            Keep::Memory => false,
        },
        Work::Constant | Work::Lazy { .. } => false,
    });
    kept && state.facts.stored(&op.signature).is_some()
}

fn need_constants(state: &mut State<'_>, at: usize) {
    let mut needs = Vec::new();
    state.ops[at].each_ref(|from, _| needs.push(from));
    for from in needs {
        let from = &mut state.ops[from as usize];
        from.needed |= !from.is_step();
    }
}
