//! *stage*: bundles are opened, and nodes that work in two stages become two steps.
//!
//! It comes after *expand*, when every shot has its own ops and a shot's fields are literals.

use serde_json::Value as Json;

use super::resolve::compact;
use crate::compile::{Arg, Op, State};
use crate::{Front, InferCx, Info, Role, Work};

/// Opens bundles, then splits nodes that have a [`Front`].
pub(crate) fn stage(state: &mut State<'_>) {
    let bundled = open_bundles(state);
    let split = split_stages(state);
    if bundled || split {
        compact(state);
    }
}

fn is_bundle(op: &Op<'_>) -> bool {
    op.spec.is_some_and(|spec| spec.role == Role::Bundle)
}

/// Ops stand in topological order, so what a bundle reads has been opened before it.
fn open_bundles(state: &mut State<'_>) -> bool {
    let mut any = false;
    for at in 0..state.ops.len() {
        let bundle = state.ops[at].inputs.iter().position(|(_, arg)| match arg {
            Arg::Out(from, _) => is_bundle(&state.ops[*from as usize]),
            Arg::Literal(_) | Arg::List(_) => false,
        });
        let Some(position) = bundle else { continue };
        let (_, Arg::Out(from, _)) = state.ops[at].inputs[position].clone() else {
            continue;
        };
        any = true;
        let source = &state.ops[from as usize];
        let (inputs, class, failed) = (source.inputs.clone(), source.class, source.failed);
        let op = &mut state.ops[at];
        op.failed |= failed;
        // What the bundle was is worth knowing: a guider without a negative skips it.
        op.inputs[position].1 = Arg::Literal(Json::from(class));
        for (name, arg) in inputs {
            if op.arg(name).is_none() {
                op.inputs.push((name, arg));
            }
        }
    }
    any
}

fn split_stages(state: &mut State<'_>) -> bool {
    let mut any = false;
    for at in 0..state.ops.len() {
        let Some(front) = state.ops[at].spec.and_then(|spec| spec.front) else {
            continue;
        };
        if state.ops[at].failed {
            continue;
        }
        any = true;
        let needed = (front.needed)(&|name| constant(state, at, name));
        let first = needed.then(|| first_step(state, at, &front)).flatten();
        let op = &mut state.ops[at];
        op.inputs.retain(|(name, _)| !front.only.contains(name));
        if let Some(first) = first {
            let next = state.ops.len() as u32;
            state.ops[at].inputs.push((front.input, Arg::Out(next, 0)));
            state.ops.push(first);
        }
    }
    any
}

fn first_step<'a>(state: &mut State<'a>, at: usize, front: &Front) -> Option<Op<'a>> {
    let Some(spec) = state.specs.spec(front.class) else {
        let place = state.place(&state.ops[at]);
        state.lacks(front.class, place);
        return None;
    };
    let mut op = state.ops[at].clone();
    op.class = spec.decl.class;
    op.spec = Some(spec);
    op.part = Some(front.part);
    op.pinned = None;
    op.trims = None;
    op.inputs.retain(|(name, _)| !front.without.contains(name));
    Some(op)
}

/// A constant at an input: written there, or made by a constant node that is asked for it here,
/// before inference has come by.
fn constant(state: &State<'_>, at: usize, name: &str) -> Option<Json> {
    match state.ops[at].arg(name)? {
        Arg::Literal(value) => Some(value.clone()),
        Arg::Out(from, output) => {
            let op = &state.ops[*from as usize];
            let spec = op.spec.filter(|it| matches!(it.work, Work::Constant))?;
            // Only primitives: what they say depends on their own literals alone.
            let own = |(_, arg): &(&str, Arg)| matches!(arg, Arg::Literal(_));
            if op.failed || !op.inputs.iter().all(own) {
                return None;
            }
            let path = state.path(op);
            let inputs = super::infer::known(&state.ops, op);
            let cx = InferCx {
                path: &path,
                decl: spec.decl,
                inputs: &inputs,
                facts: state.facts,
                machine: state.machine,
            };
            match (spec.infer)(&cx).ok()?.into_iter().nth(*output as usize)? {
                Info::Constant(value) => Some(value),
                Info::Clip(_)
                | Info::Segment(_)
                | Info::Latent(_)
                | Info::Conditioning { .. }
                | Info::Weights(_)
                | Info::Storyboard(_)
                | Info::Nothing => None,
            }
        }
        Arg::List(_) => None,
    }
}
