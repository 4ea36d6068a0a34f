//! *resolve*: from the document to ops: muted and bypassed nodes gone, literals coerced, defaults
//! filled in, only what a wanted output can reach, in topological order.
//!
//! What is wrong with the document itself is found by [`longtake_graph::check()`]; this pass only asks
//! which of it stands before a wanted output.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use longtake_graph::check::check_lowered;
use longtake_graph::live::{Live, Source};
use longtake_graph::{Diagnostic, Input, InputDecl, NodeId, Place, Severity, literal, say};
use serde_json::Value;

use super::film::PREVIOUS_FRAME;
use crate::Role;
use crate::compile::{Arg, Op, State};

/// Fills [`State::ops`] and [`State::outputs`].
pub(crate) fn resolve(state: &mut State<'_>) {
    let findings = check_lowered(state.lowered, state.specs);
    let mut wrong = vec![false; state.project.nodes.len()];
    for finding in findings.iter().filter(|it| it.severity == Severity::Error) {
        let node = finding.place.node.as_ref();
        match node.and_then(|id| state.project.nodes.get_index_of(id)) {
            Some(index) => wrong[index] = true,
            None => state.broken = true,
        }
    }
    state.diagnostics.extend(findings);
    let live = Live::of(state.project, state.specs);
    let wanted = wanted(state, &live);
    let sources = live.sources();
    let mut reached = sources.reach(wanted.iter().map(|&at| at as usize));
    if takes_previous_frame(state, &live, &reached) {
        // A shot then stands on the clip of the shot before, which only `CollectFilm` names.
        let is_collect = |at: &usize| live.runs[*at] && role(state, *at) == Some(Role::CollectFilm);
        let collects: Vec<usize> = (0..wrong.len()).filter(is_collect).collect();
        reached = sources.reach(wanted.iter().map(|&at| at as usize).chain(collects));
    }
    let mut op_of = vec![u32::MAX; wrong.len()];
    for group in sources.components() {
        let knot = sources.cycle_in(&group).is_some();
        for node in group {
            let at = node as usize;
            if !reached[at] || !live.runs[at] {
                continue;
            }
            let mut op = make_op(state, &live, at, &op_of);
            op.failed |= knot || wrong[at];
            op_of[at] = state.ops.len() as u32;
            state.ops.push(op);
        }
    }
    let failed = state.ops.iter().any(|op| op.failed);
    state.outputs = wanted.iter().map(|&at| op_of[at as usize]).collect();
    if failed
        && !state
            .diagnostics
            .iter()
            .any(|it| it.severity == Severity::Error)
    {
        let message = say!(
            "A node that an output needs is not valid.",
            "出力に必要なノードに誤りがあります。"
        );
        state.fail(
            "prompt_outputs_failed_validation",
            Place::default(),
            message,
        );
    }
    state.broken |= failed || state.outputs.is_empty();
}

fn role(state: &State<'_>, at: usize) -> Option<Role> {
    Some(state.specs.spec(&state.project.nodes[at].class)?.role)
}

/// Whether anything reached is linked to the previous frame of an `EachShot`.
fn takes_previous_frame(state: &State<'_>, live: &Live<'_>, reached: &[bool]) -> bool {
    let wires = live
        .wires
        .iter()
        .zip(reached)
        .filter(|(_, reached)| **reached)
        .flat_map(|(wires, _)| wires);
    wires.into_iter().any(|wire| match wire.source {
        Source::Output { node, output } => {
            let decl = live.declarations[node].and_then(|decl| decl.outputs.get(output as usize));
            decl.is_some_and(|decl| decl.name == PREVIOUS_FRAME)
                && role(state, node) == Some(Role::EachShot)
        }
        Source::Missing | Source::Muted(_) | Source::Nothing(_) => false,
    })
}

/// Indices of the output nodes wanted, in document order.
fn wanted(state: &mut State<'_>, live: &Live<'_>) -> Vec<u32> {
    let is_output =
        |at: usize| live.runs[at] && live.declarations[at].is_some_and(|decl| decl.output_node);
    let Some(only) = &state.options.outputs else {
        return (0..live.runs.len())
            .filter(|&at| is_output(at))
            .map(|at| at as u32)
            .collect();
    };
    let mut found = Vec::new();
    for id in only {
        if let Some(at) = state
            .project
            .nodes
            .get_index_of(id)
            .filter(|&at| is_output(at))
        {
            found.push(at as u32);
            continue;
        }
        let before = found.len();
        found.extend(
            inside(state, id)
                .filter(|at| is_output(*at))
                .map(|at| at as u32),
        );
        if found.len() == before {
            let message = say!(
                "The graph has no active output node {id}; give the id of a node that saves or shows something.",
                "グラフに有効な出力ノード {id} がありません。結果を保存・表示するノードの ID を指定してください。"
            );
            state.broken = true;
            state.diagnostics.push(Diagnostic::error(
                "unknown_output",
                Place::default(),
                message,
            ));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Indices of the nodes that came out of an instance.
fn inside(state: &State<'_>, instance: &NodeId) -> impl Iterator<Item = usize> {
    let prefix = format!("{instance}:");
    let from_here = move |id: &NodeId| id.as_str().starts_with(&prefix);
    let ids = state.project.nodes.keys().enumerate();
    ids.filter(move |(_, id)| from_here(id)).map(|(at, _)| at)
}

/// The op of a document node that runs. Inputs come in declared order, which is the same for a
/// project and its prompt JSON.
fn make_op<'a>(state: &State<'a>, live: &Live<'_>, at: usize, op_of: &[u32]) -> Op<'a> {
    let node = &state.project.nodes[at];
    let mut op = Op::new(at as u32, &node.class, state.specs.spec(&node.class));
    let Some(spec) = op.spec else { return op };
    // Only the compiler makes these, and their inference relies on that.
    op.failed |= spec.decl.internal;
    op.inputs.reserve_exact(spec.decl.inputs.len());
    for decl in spec.decl.inputs {
        let arg = match node.inputs.get_full(decl.name) {
            Some((_, _, Input::Literal(value))) => given(decl, value, &mut op.failed),
            Some((position, _, Input::Link(_))) => {
                match live.wires[at].iter().find(|wire| wire.input == position) {
                    Some(wire) => match wire.source {
                        Source::Output { node, output } if op_of[node] != u32::MAX => {
                            Some(Arg::Out(op_of[node], output))
                        }
                        Source::Output { .. } | Source::Missing => {
                            op.failed = true;
                            None
                        }
                        Source::Muted(_) | Source::Nothing(_) => match node.remembered(decl.name) {
                            Some(value) => given(decl, value, &mut op.failed),
                            None => decl.default_value().map(Arg::Literal),
                        },
                    },
                    None => None,
                }
            }
            None => decl.default_value().map(Arg::Literal),
        };
        op.inputs.extend(arg.map(|arg| (decl.name, arg)));
    }
    op
}

/// A literal as the declaration wants it. What cannot be coerced has been reported by `check`.
fn given(decl: &InputDecl, value: &Value, failed: &mut bool) -> Option<Arg> {
    let value = literal::coerce(decl, value);
    *failed |= value.is_err();
    value.ok().map(Arg::Literal)
}

/// Keeps what outputs can reach, puts it in topological order (ties: as it stood) and renumbers.
///
/// Circles cannot be here: resolve cut them, and expansion only links forward in the film.
pub(crate) fn compact(state: &mut State<'_>) {
    let count = state.ops.len();
    let mut reached = vec![false; count];
    let mut stack = state.outputs.clone();
    while let Some(at) = stack.pop() {
        if !std::mem::replace(&mut reached[at as usize], true) {
            state.ops[at as usize].each_ref(|from, _| stack.push(from));
        }
    }
    // Readers of each op, packed: `readers[start[i]..start[i + 1]]`.
    let mut waits = vec![0u32; count];
    let mut start = vec![0u32; count + 1];
    for (at, op) in state.ops.iter().enumerate().filter(|(at, _)| reached[*at]) {
        op.each_ref(|from, _| {
            waits[at] += 1;
            start[from as usize + 1] += 1;
        });
    }
    for at in 0..count {
        start[at + 1] += start[at];
    }
    let mut readers = vec![0u32; start[count] as usize];
    let mut fill = start.clone();
    for (at, op) in state.ops.iter().enumerate().filter(|(at, _)| reached[*at]) {
        op.each_ref(|from, _| {
            readers[fill[from as usize] as usize] = at as u32;
            fill[from as usize] += 1;
        });
    }
    let mut ready: BinaryHeap<Reverse<u32>> = (0..count as u32)
        .filter(|&at| reached[at as usize] && waits[at as usize] == 0)
        .map(Reverse)
        .collect();
    let mut new_index = vec![u32::MAX; count];
    let mut order = Vec::with_capacity(count);
    while let Some(Reverse(at)) = ready.pop() {
        new_index[at as usize] = order.len() as u32;
        order.push(at);
        for &reader in &readers[start[at as usize] as usize..start[at as usize + 1] as usize] {
            waits[reader as usize] -= 1;
            if waits[reader as usize] == 0 {
                ready.push(Reverse(reader));
            }
        }
    }
    let mut old: Vec<Option<Op<'_>>> = std::mem::take(&mut state.ops)
        .into_iter()
        .map(Some)
        .collect();
    for at in order {
        let Some(mut op) = old[at as usize].take() else {
            continue;
        };
        for (_, arg) in &mut op.inputs {
            match arg {
                Arg::Literal(_) => {}
                Arg::Out(from, _) => *from = new_index[*from as usize],
                Arg::List(list) => {
                    for (from, _) in list {
                        *from = new_index[*from as usize];
                    }
                }
            }
        }
        state.ops.push(op);
    }
    state
        .outputs
        .retain(|at| new_index[*at as usize] != u32::MAX);
    for at in &mut state.outputs {
        *at = new_index[*at as usize];
    }
}
