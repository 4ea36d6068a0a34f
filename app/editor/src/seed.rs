//! What becomes of seeds once a graph was queued: kept, one more, one less, another.

use std::hash::{BuildHasher, RandomState};

use longtake_graph::{Catalog, Edit, EditError, Input, InputType};
use serde_json::Value;

use crate::language::{Text, t};
use crate::scene::Scene;
use crate::session::Session;
use crate::values::value;

const NEXT_SEED: Text = t("Seed after run", "実行後のシード");

/// Key in a node's `extra`: what becomes of which parameter.
const CONTROL: &str = "control_after_generate";
/// Random values stay below: ComfyUI's own window holds numbers as floats.
const LARGEST_RANDOM: i128 = (1 << 53) - 1;

/// Moves every controlled seed of the document on, as one undo unit. True when one changed.
///
/// # Errors
/// The document refused; nothing changed.
pub fn after_queue(session: &mut Session, catalog: &dyn Catalog) -> Result<bool, EditError> {
    after_queue_with(session, catalog, &mut random_bits)
}

/// Any seed within a declared range: not negative, and below 2^53.
pub fn random_seed(range: (i128, i128)) -> i128 {
    draw(range, &mut random_bits)
}

/// A number that nobody knows before. Each new state of the hasher has keys of its own.
fn random_bits() -> u64 {
    RandomState::new().hash_one(0)
}

/// The same with random numbers from `random`.
///
/// # Errors
/// As [`after_queue`].
pub fn after_queue_with(
    session: &mut Session,
    catalog: &dyn Catalog,
    random: &mut dyn FnMut() -> u64,
) -> Result<bool, EditError> {
    let root = session.project().clone();
    let mut edits = Vec::new();
    let keys = root.subgraphs.keys().map(|key| Some(key.as_str()));
    for scope in std::iter::once(None).chain(keys) {
        let scene = Scene {
            root: &root,
            scope,
            catalog,
        };
        for edit in moved_on(&scene, random) {
            edits.push(match scope {
                None => edit,
                Some(key) => Edit::Within {
                    subgraph: key.to_owned(),
                    edit: Box::new(edit),
                },
            });
        }
    }
    if edits.is_empty() {
        return Ok(false);
    }
    session.edit_root(NEXT_SEED, Edit::Batch(edits))?;
    Ok(true)
}

fn moved_on(scene: &Scene<'_>, random: &mut dyn FnMut() -> u64) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (id, node) in &scene.graph().nodes {
        let Some(Value::Object(control)) = node.extra.get(CONTROL) else {
            continue;
        };
        for socket in scene.shape(node).inputs {
            let (Some(decl), Some(Value::String(mode))) = (socket.decl, control.get(&socket.name))
            else {
                continue;
            };
            let (InputType::Int { min, max, .. }, Some(now)) =
                (decl.ty, value(node, decl, &socket.name))
            else {
                continue;
            };
            let next = whole(&now).and_then(|now| next(now, mode, (min, max), random));
            if let Some(next) = next.and_then(literal) {
                edits.push(Edit::SetInput {
                    node: id.clone(),
                    input: socket.name,
                    value: Some(Input::Literal(next)),
                });
            }
        }
    }
    edits
}

fn whole(value: &Value) -> Option<i128> {
    let signed = value.as_i64().map(i128::from);
    signed.or_else(|| value.as_u64().map(i128::from))
}

fn literal(value: i128) -> Option<Value> {
    let small = i64::try_from(value).ok().map(Value::from);
    small.or_else(|| u64::try_from(value).ok().map(Value::from))
}

/// The value after `now`; `None` when it stays.
fn next(
    now: i128,
    mode: &str,
    (min, max): (i128, i128),
    random: &mut dyn FnMut() -> u64,
) -> Option<i128> {
    let min = lowest(min, max);
    let next = match mode {
        "increment" if now >= max => min,
        "increment" => (now + 1).max(min),
        "decrement" if now <= min => max,
        "decrement" => (now - 1).min(max),
        "randomize" => draw((min, max), random),
        _ => return None,
    };
    (next != now).then_some(next)
}

/// The lowest seed of a declared range. What any whole number may stand in (`PrimitiveInt`) takes
/// negative ones, but the seed that it leads to does not.
fn lowest(min: i128, max: i128) -> i128 {
    if max >= 0 { min.max(0) } else { min }
}

fn draw((min, max): (i128, i128), random: &mut dyn FnMut() -> u64) -> i128 {
    let min = lowest(min, max);
    let top = max.min(LARGEST_RANDOM.max(min));
    min + i128::from(random()) % (top - min + 1).max(1)
}

#[cfg(test)]
mod tests {
    use super::next;

    const WHOLE: (i128, i128) = (-i64::MAX as i128, i64::MAX as i128);

    #[test]
    fn seeds_wrap_within_their_range() {
        let mut random = || u64::MAX - 1;
        for (now, mode, range, wanted) in [
            (5, "fixed", (0, 9), None),
            (5, "unheard", (0, 9), None),
            (5, "increment", (0, 9), Some(6)),
            (9, "increment", (0, 9), Some(0)),
            (-7, "increment", (0, 9), Some(0)),
            (5, "decrement", (0, 9), Some(4)),
            (0, "decrement", (0, 9), Some(9)),
            (
                u64::MAX as i128,
                "increment",
                (0, u64::MAX as i128),
                Some(0),
            ),
            (
                0,
                "decrement",
                (0, u64::MAX as i128),
                Some(u64::MAX as i128),
            ),
            (3, "randomize", (3, 3), None),
            (3, "randomize", (0, 9), Some(4)),
            // A seed in a node that holds any whole number.
            (0, "decrement", WHOLE, Some(i64::MAX as i128)),
            (i64::MAX as i128, "increment", WHOLE, Some(0)),
            (-8, "decrement", (-9, -1), Some(-9)),
        ] {
            assert_eq!(next(now, mode, range, &mut random), wanted, "{now} {mode}");
        }
        let largest = next(0, "randomize", (0, u64::MAX as i128), &mut random).unwrap();
        assert!(largest < 1 << 53);
        for bits in [0, 1, u64::MAX / 2, u64::MAX] {
            let seed = next(-1, "randomize", WHOLE, &mut || bits).unwrap();
            assert!((0..1 << 53).contains(&seed), "{seed}");
        }
    }
}
