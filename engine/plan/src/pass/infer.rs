//! *infer*: what every output is, without running; constants fold into their readers.
//!
//! An op that needs a failed one is left alone: one finding per cause.

use indexmap::IndexMap;
use longtake_graph::{Sentence, literal, say};

use crate::compile::{Arg, Op, State};
use crate::spec::Known;
use crate::{InferCx, InferError, Info, Work};

/// Infers every op, in order.
pub(crate) fn infer(state: &mut State<'_>) {
    for at in 0..state.ops.len() {
        infer_op(state, at);
    }
    state.broken |= state.ops.iter().any(|op| op.failed);
}

/// Infers one op whose inputs have been inferred.
pub(crate) fn infer_op(state: &mut State<'_>, at: usize) {
    if state.ops[at].inferred {
        return;
    }
    state.ops[at].inferred = true;
    let mut needs_failed = false;
    let mut needs_empty = false;
    state.ops[at].each_ref(|from, output| {
        let source = &state.ops[from as usize];
        needs_failed |= source.failed || !source.empty && output as usize >= source.outputs.len();
    });
    let mut inputs = std::mem::take(&mut state.ops[at].inputs);
    for (_, arg) in &mut inputs {
        match arg {
            Arg::Literal(_) => {}
            Arg::Out(from, _) => needs_empty |= state.ops[*from as usize].empty,
            Arg::List(list) => list.retain(|(from, _)| !state.ops[*from as usize].empty),
        }
    }
    state.ops[at].inputs = inputs;
    if state.ops[at].failed || needs_failed {
        state.ops[at].failed = true;
        return;
    }
    if needs_empty || !fold_constants(state, at) || !trims_fit(state, at) {
        let op = &mut state.ops[at];
        op.empty |= needs_empty;
        op.failed |= !op.empty;
        return;
    }
    run_inference(state, at);
}

/// Constants known of a source become literals of the reader, of the reader's type. False when one
/// does not fit.
fn fold_constants(state: &mut State<'_>, at: usize) -> bool {
    let mut problem = None;
    for input in 0..state.ops[at].inputs.len() {
        let (name, Arg::Out(from, output)) = state.ops[at].inputs[input] else {
            continue;
        };
        let Some(Info::Constant(value)) = state.ops[from as usize].outputs.get(output as usize)
        else {
            continue;
        };
        let decl = state.ops[at].spec.and_then(|spec| spec.decl.input(name));
        let folded = match decl {
            Some(decl) if !matches!(decl.ty, longtake_graph::InputType::Socket(_)) => {
                literal::fit(decl, value)
            }
            _ => Ok(value.clone()),
        };
        match folded {
            Ok(value) => state.ops[at].inputs[input].1 = Arg::Literal(value),
            Err(misfit) => problem = Some((name, misfit)),
        }
    }
    if let Some((name, misfit)) = problem {
        let place = state.place(&state.ops[at]).input(name);
        let why = misfit.message;
        let message = say!(
            "What is linked here does not fit: {why}.",
            "リンクされた値が合いません: {why}";
            why
        );
        state.fail(misfit.code, place, message);
        return false;
    }
    true
}

/// On a shot's body: whether its transitions leave frames. With none left the op is empty; with
/// less than none that is an error.
fn trims_fit(state: &mut State<'_>, at: usize) -> bool {
    let op = &state.ops[at];
    let Some((start, end)) = op.trims else {
        return true;
    };
    let Some(&Arg::Out(from, output)) = op.arg(super::film::CLIP) else {
        return true;
    };
    let Some(Info::Clip(clip)) = state.ops[from as usize].outputs.get(output as usize) else {
        return true;
    };
    if start + end < clip.frames {
        return true;
    }
    if start + end == clip.frames {
        state.ops[at].empty = true;
        return false;
    }
    let message = say!(
        "The shot has {} frames, and its transitions take {start} at its start and {end} at its end; make the shot longer or the transitions shorter.",
        "ショットは {} フレームですが、トランジションが先頭で {start}、末尾で {end} フレームを使います。ショットを長くするか、トランジションを短くしてください。",
        clip.frames
    );
    let place = state.place(&state.ops[at]);
    state.fail("transition_too_long", place, message);
    false
}

fn run_inference(state: &mut State<'_>, at: usize) {
    let op = &state.ops[at];
    let Some(spec) = op.spec else { return };
    let inputs = known(&state.ops, op);
    let path = state.path(op);
    let result = (spec.infer)(&InferCx {
        path: &path,
        decl: spec.decl,
        inputs: &inputs,
        facts: state.facts,
        machine: state.machine,
    });
    match result.and_then(|outputs| checked(op, outputs)) {
        Ok(outputs) => state.ops[at].outputs = outputs,
        Err(error) => {
            state.ops[at].failed = true;
            let mut place = state.place(&state.ops[at]);
            place.input = error.input;
            state.fail(error.code, place, error.message);
        }
    }
}

/// A spec that breaks its own promises is a bug; said rather than met as a panic.
fn checked(op: &Op<'_>, outputs: Vec<Info>) -> Result<Vec<Info>, InferError> {
    let bug = |message: Sentence| {
        Err(InferError {
            code: "internal_error",
            input: None,
            message,
        })
    };
    let Some(spec) = op.spec else {
        return Ok(outputs);
    };
    if outputs.len() != spec.decl.outputs.len() {
        let (found, declared) = (outputs.len(), spec.decl.outputs.len());
        return bug(say!(
            "{} declares {declared} outputs and infers {found}; this is a bug in Longtake.",
            "{} の出力は {declared} 個のはずですが、{found} 個になりました。Longtake の不具合です。",
            op.class
        ));
    }
    let needs_step = |info: &Info| {
        matches!(
            info,
            Info::Clip(_) | Info::Latent(_) | Info::Conditioning { .. } | Info::Segment(_)
        )
    };
    if matches!(spec.work, Work::Constant) && outputs.iter().any(needs_step) {
        return bug(say!(
            "{} makes data without a step; this is a bug in Longtake.",
            "{} はステップなしでデータを作っています。Longtake の不具合です。",
            op.class
        ));
    }
    Ok(outputs)
}

/// Inputs as inference and cost formulas see them. Everything read has been inferred.
pub(crate) fn known(ops: &[Op<'_>], op: &Op<'_>) -> IndexMap<String, Known> {
    let info = |&(from, output): &(u32, u32)| -> Info {
        let outputs = &ops[from as usize].outputs;
        outputs
            .get(output as usize)
            .cloned()
            .unwrap_or(Info::Nothing)
    };
    let mut inputs = IndexMap::with_capacity(op.inputs.len());
    for (name, arg) in &op.inputs {
        let known = match arg {
            Arg::Literal(value) => Known::Literal(value.clone()),
            Arg::Out(from, output) => Known::Info(info(&(*from, *output))),
            Arg::List(list) => Known::List(list.iter().map(info).collect()),
        };
        inputs.insert((*name).to_owned(), known);
    }
    inputs
}
