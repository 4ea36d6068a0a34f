//! The ways to do each step, and what the lazy recipes it reads add.

use crate::compile::{Arg, State};
use crate::pass::infer::known;
use crate::{Cost, CostCx, Info, Rung, Work};

/// How a step can be done.
#[derive(Clone, Debug, Default)]
pub(super) struct Ways {
    /// Best first; empty for steps that are not run.
    pub rungs: Vec<Rung>,
    /// One chunk of every recipe it reads (bytes); all of their work (FLOPs, seconds).
    pub lazy: Cost,
}

/// Most recipes under one reader that are told apart; beyond, shared ones are counted once along
/// the dearest way only.
const TOLD_APART: usize = 256;

/// Sums work and bytes.
pub(super) fn sum(a: Cost, b: Cost) -> Cost {
    Cost {
        flops: a.flops + b.flops,
        device_bytes: a.device_bytes.saturating_add(b.device_bytes),
        host_bytes: a.host_bytes.saturating_add(b.host_bytes),
        seconds: a.seconds + b.seconds,
    }
}

/// One after the other: work adds up, bytes are the larger.
fn either(a: Cost, b: Cost) -> Cost {
    Cost {
        device_bytes: a.device_bytes.max(b.device_bytes),
        host_bytes: a.host_bytes.max(b.host_bytes),
        ..sum(a, b)
    }
}

/// Costs of recipes by op.
#[derive(Clone, Copy, Default)]
struct Recipe {
    /// Its own, and of lists it reads one clip after the other.
    own: Cost,
    /// With all it reads.
    total: Cost,
}

/// The ways of every step, by position in the order.
pub(super) fn ways(state: &State<'_>) -> Vec<Ways> {
    let mut recipes = vec![Recipe::default(); state.ops.len()];
    let mut ways = Vec::with_capacity(state.order.len());
    for &at in &state.order {
        let op = &state.ops[at as usize];
        let Some(spec) = op.spec.filter(|_| !op.cached) else {
            ways.push(Ways::default());
            continue;
        };
        let (lists, singles) = read(state, &recipes, at);
        let below = distinct(state, &recipes, &singles);
        let inputs = known(&state.ops, op);
        let cx = CostCx {
            inputs: &inputs,
            outputs: &op.outputs,
            machine: state.machine,
        };
        match spec.work {
            Work::Lazy { cost } => {
                let own = sum(for_clip(cost(&cx), &op.outputs), lists);
                recipes[at as usize] = Recipe {
                    own,
                    total: sum(own, below),
                };
                ways.push(Ways::default());
            }
            Work::Run { rungs, .. } => {
                ways.push(Ways {
                    rungs: rungs(&cx),
                    lazy: sum(lists, below),
                });
            }
            Work::Constant => ways.push(Ways::default()),
        }
    }
    ways
}

/// Work of all chunks of a clip; bytes of one.
fn for_clip(chunk: Cost, outputs: &[Info]) -> Cost {
    let chunks = outputs.iter().find_map(|info| match info {
        Info::Clip(clip) => Some(clip.frames.div_ceil(clip.chunk_frames())),
        Info::Segment(_)
        | Info::Latent(_)
        | Info::Conditioning { .. }
        | Info::Weights(_)
        | Info::Constant(_)
        | Info::Storyboard(_)
        | Info::Nothing => None,
    });
    let chunks = chunks.unwrap_or(1) as f64;
    Cost {
        flops: chunk.flops * chunks,
        seconds: chunk.seconds * chunks,
        ..chunk
    }
}

/// What an op reads of recipes: lists summed up, single ones by index.
fn read(state: &State<'_>, recipes: &[Recipe], at: u32) -> (Cost, Vec<u32>) {
    let mut lists = Cost::default();
    let mut singles = Vec::new();
    for (_, arg) in &state.ops[at as usize].inputs {
        match arg {
            Arg::Out(from, _) if state.ops[*from as usize].is_lazy() => singles.push(*from),
            Arg::List(list) => {
                let totals = list.iter().map(|(from, _)| recipes[*from as usize].total);
                lists = sum(lists, totals.fold(Cost::default(), either));
            }
            Arg::Out(..) | Arg::Literal(_) => {}
        }
    }
    singles.sort_unstable();
    singles.dedup();
    (lists, singles)
}

/// All recipes below, each counted once.
fn distinct(state: &State<'_>, recipes: &[Recipe], singles: &[u32]) -> Cost {
    if let [] | [_] = singles {
        return singles
            .iter()
            .map(|at| recipes[*at as usize].total)
            .fold(Cost::default(), sum);
    }
    let mut seen: Vec<u32> = singles.to_vec();
    let mut all = Cost::default();
    let mut next = 0;
    while let Some(&at) = seen.get(next) {
        next += 1;
        all = sum(all, recipes[at as usize].own);
        if seen.len() > TOLD_APART {
            let totals = singles.iter().map(|at| recipes[*at as usize].total);
            let dearest = |a: Cost, b: Cost| Cost {
                flops: a.flops.max(b.flops),
                seconds: a.seconds.max(b.seconds),
                ..either(a, b)
            };
            return totals.fold(Cost::default(), dearest);
        }
        for (_, arg) in &state.ops[at as usize].inputs {
            if let Arg::Out(from, _) = arg
                && state.ops[*from as usize].is_lazy()
                && !seen.contains(from)
            {
                seen.push(*from);
            }
        }
    }
    all
}
