//! Bones as long as another body's, in the directions of the motion.

use super::capsule::{along, minus};
use super::motion::{Person, distance};
use super::skeleton::{BONES, LIMBS, NECK, bone_of};

/// Bounds of the change of a bone: a reference seen foreshortened must not make stumps or stilts.
const BOUNDS: (f64, f64) = (0.5, 2.0);
/// A bone of the motion is as long as at this quantile of its frames.
const LONG: f64 = 0.9;

/// Gives each kind of bone the length it has in `model` (both sides alike, since one of them is often
/// foreshortened in a picture). The neck's way from frame `first` on is scaled as the legs are, so that
/// feet which stand still go on standing.
///
/// `model` and `frames` have joints in space; lengths are compared there.
pub fn transfer(frames: &mut [Person], model: &Person, first: usize) {
    let ratios: Vec<Option<f64>> = (0..BONES.len())
        .map(|kind| ratio(frames, model, kind))
        .collect();
    let mut known: Vec<f64> = ratios.iter().flatten().copied().collect();
    if known.is_empty() {
        return;
    }
    known.sort_by(f64::total_cmp);
    let middle = known[known.len() / 2];
    let ratio_of = |kind: usize| ratios[kind].unwrap_or(middle);
    // Thighs and shanks follow torso in the list of bones.
    let legs = f64::midpoint(ratio_of(1), ratio_of(2));
    let Some(start) = frames.get(first).and_then(|it| it.space[NECK]) else {
        return;
    };
    for person in frames {
        let old = person.space.clone();
        person.space[NECK] = old[NECK].map(|it| along(start, minus(it, start), legs));
        for limb in LIMBS {
            // Eyes and ears grow with the head.
            let scale = ratio_of(bone_of(&limb).unwrap_or(BONES.len() - 1));
            let bone = old[limb.from].zip(old[limb.to]);
            person.space[limb.to] = bone
                .zip(person.space[limb.from])
                .map(|((from, to), root)| along(root, minus(to, from), scale));
        }
    }
}

/// How much longer a kind of bone is in the model.
fn ratio(frames: &[Person], model: &Person, kind: usize) -> Option<f64> {
    let lengths = |person: &Person| -> Vec<f64> {
        let sides = BONES[kind].sides.iter();
        let lengths =
            sides.filter_map(|&(a, b)| Some(distance(person.space[a]?, person.space[b]?)));
        lengths.filter(|&it| it > 1.0).collect()
    };
    let theirs = lengths(model).into_iter().reduce(f64::max)?;
    let mut ours: Vec<f64> = frames.iter().flat_map(lengths).collect();
    ours.sort_by(f64::total_cmp);
    let own = ours.get(((ours.len().max(1) - 1) as f64 * LONG).round() as usize)?;
    Some((theirs / own).clamp(BOUNDS.0, BOUNDS.1))
}
