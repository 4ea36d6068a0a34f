//! *sign*: a content hash for every op.
//!
//! BLAKE3 over a canonical encoding in which every part carries a tag and its length: class,
//! version, inputs by name; a literal as JSON with sorted keys and exact numbers; a linked value as
//! its maker's signature and output; a checkpoint by folder, fingerprint and settings; an input file by
//! its content. Ids, titles, positions and the way a step is done have no part in it.

use std::borrow::Cow;

use blake3::Hasher;
use longtake_graph::InputType;
use serde_json::Value as Json;

use crate::compile::{Arg, Op, State};
use crate::{Info, Signature, WeightsInfo, Work};

/// Fills [`Op::signature`].
pub(crate) fn sign(state: &mut State<'_>) {
    for at in 0..state.ops.len() {
        if state.ops[at].empty {
            continue;
        }
        let signature = match state.ops[at].pinned {
            Some(signature) => signature,
            None => signature_of(state, at),
        };
        state.ops[at].signature = signature;
    }
}

fn signature_of(state: &mut State<'_>, at: usize) -> Signature {
    let op = &state.ops[at];
    let mut hasher = Hasher::new();
    part(&mut hasher, b'c', op.class.as_bytes());
    let version = op.spec.map_or(0, |spec| spec.decl.version);
    part(&mut hasher, b'n', &version.to_le_bytes());
    let mut inputs: Vec<&(&'static str, Arg)> = op.inputs.iter().collect();
    inputs.sort_unstable_by_key(|(name, _)| *name);
    let mut problem = None;
    for (name, arg) in inputs {
        part(&mut hasher, b'k', name.as_bytes());
        match arg {
            Arg::Literal(value) => match file_hash(state, op, name, value) {
                None => json(&mut hasher, value),
                Some(Ok(hash)) => part(&mut hasher, b'h', hash.as_bytes()),
                Some(Err(error)) => problem = Some((*name, error)),
            },
            Arg::Out(from, output) => linked(&mut hasher, &state.ops, *from, *output),
            Arg::List(list) => {
                part(&mut hasher, b'l', &(list.len() as u64).to_le_bytes());
                for (from, output) in list {
                    linked(&mut hasher, &state.ops, *from, *output);
                }
            }
        }
    }
    let signature = Signature(*hasher.finalize().as_bytes());
    if let Some((name, error)) = problem {
        let place = state.place(&state.ops[at]).input(name);
        state.fail(error.code, place, error.message);
    }
    signature
}

/// The content hash behind a literal that names a file which a step reads.
fn file_hash(
    state: &State<'_>,
    op: &Op<'_>,
    name: &str,
    value: &Json,
) -> Option<Result<String, crate::FactError>> {
    let spec = op.spec?;
    let file = value.as_str()?;
    match spec.decl.input(name)?.ty {
        InputType::File { what } => Some(state.facts.media(what, file).map(|it| it.hash.clone())),
        // A loader makes no step: its checkpoint is signed where it is used.
        InputType::Model { folder } if !matches!(spec.work, Work::Constant) => Some(
            state
                .facts
                .weights(folder, file)
                .map(|it| it.fingerprint.clone()),
        ),
        InputType::Model { .. }
        | InputType::Socket(_)
        | InputType::Int { .. }
        | InputType::Float { .. }
        | InputType::Text { .. }
        | InputType::Bool { .. }
        | InputType::Choice { .. }
        | InputType::Colour { .. }
        | InputType::Curve { .. }
        | InputType::Shots => None,
    }
}

fn linked(hasher: &mut Hasher, ops: &[Op<'_>], from: u32, output: u32) {
    let op = &ops[from as usize];
    match op.outputs.get(output as usize) {
        Some(Info::Weights(info)) => weights(hasher, info),
        Some(Info::Storyboard(board)) => {
            part(hasher, b's', board.title.as_bytes());
            let sizes = [board.width, board.height, board.fps.0, board.fps.1];
            for size in sizes {
                part(hasher, b'n', &size.to_le_bytes());
            }
            // Plain data with text keys: writing it as JSON cannot fail.
            json(
                hasher,
                &serde_json::to_value(&*board.shots).unwrap_or_default(),
            );
        }
        Some(
            Info::Clip(_)
            | Info::Segment(_)
            | Info::Latent(_)
            | Info::Conditioning { .. }
            | Info::Constant(_)
            | Info::Nothing,
        )
        | None => {
            part(hasher, b'v', &op.signature.0);
            part(hasher, b'n', &output.to_le_bytes());
        }
    }
}

fn weights(hasher: &mut Hasher, info: &WeightsInfo) {
    part(hasher, b'w', info.folder.names()[0].as_bytes());
    part(hasher, b'h', info.fingerprint.as_bytes());
    part(hasher, b'l', &(info.options.len() as u64).to_le_bytes());
    for (name, value) in &info.options {
        part(hasher, b'k', name.as_bytes());
        json(hasher, &without_paths(value));
    }
}

/// Where a LoRA's file lies is no part of what it does; its fingerprint is.
fn without_paths(value: &Json) -> Cow<'_, Json> {
    let Json::Array(items) = value else {
        return Cow::Borrowed(value);
    };
    let mut items = items.clone();
    for item in &mut items {
        if let Json::Object(map) = item
            && map.contains_key("fingerprint")
        {
            map.remove("path");
        }
    }
    Cow::Owned(Json::Array(items))
}

/// A tag, the length, the bytes: no two different sequences of parts encode alike.
fn part(hasher: &mut Hasher, tag: u8, bytes: &[u8]) {
    hasher.update(&[tag]);
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

/// JSON with sorted keys. Whole numbers and reals differ (`1` and `1.0` are told apart: literals
/// have been coerced to their input's type), reals are taken bit for bit. Recursion ends with the
/// document's depth, which the reader of files bounds.
fn json(hasher: &mut Hasher, value: &Json) {
    match value {
        Json::Null => part(hasher, b'0', b""),
        Json::Bool(truth) => part(hasher, b'b', &[u8::from(*truth)]),
        Json::Number(number) => {
            if let Some(whole) = number.as_u64() {
                part(hasher, b'u', &whole.to_le_bytes());
            } else if let Some(whole) = number.as_i64() {
                part(hasher, b'i', &whole.to_le_bytes());
            } else {
                let real = number.as_f64().unwrap_or(f64::NAN);
                part(hasher, b'f', &real.to_bits().to_le_bytes());
            }
        }
        Json::String(text) => part(hasher, b't', text.as_bytes()),
        Json::Array(items) => {
            part(hasher, b'a', &(items.len() as u64).to_le_bytes());
            for item in items {
                json(hasher, item);
            }
        }
        Json::Object(map) => {
            part(hasher, b'o', &(map.len() as u64).to_le_bytes());
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| key.as_str());
            for (key, value) in entries {
                part(hasher, b'k', key.as_bytes());
                json(hasher, value);
            }
        }
    }
}
