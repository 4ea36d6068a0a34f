//! What a sampling run is predicted to take.

use std::collections::BTreeMap;

use longtake_models::wan::dit::PassShape;
use longtake_plan::{Cost, CostCx, ExtrasInfo, Rung};
use longtake_sampling::flow;

use super::check::{Names, dims, pass_shape};
use super::job::ReadJob;
use super::settings::{Windows, cache_of};
use crate::node::one_way;

/// Ways to sample: weights resident, or read block by block. What cannot be read here has been told by
/// inference, so that nothing is planned from it.
pub fn rungs(cx: &CostCx<'_>, names: Names, job: ReadJob) -> Vec<Rung> {
    read(cx, names, job).unwrap_or_else(|| one_way(Cost::default()))
}

fn read(cx: &CostCx<'_>, names: Names, job: ReadJob) -> Option<Vec<Rung>> {
    let job = job(cx).ok()?;
    let weights = cx.weights(names.model).ok()?;
    let latent = cx.latent(names.latent).ok()?;
    let dims = dims(weights).ok()?;
    let sides: Vec<&ExtrasInfo> = [Some(names.positive), names.negative]
        .into_iter()
        .flatten()
        .take(if flow::needs_uncond(job.cfg) { 2 } else { 1 })
        .filter_map(|name| cx.extras(name).ok().map(AsRef::as_ref))
        .collect();
    let windows = Windows::of(weights).ok()?;
    let (frames, count) = windows.map_or((latent.frames, 1.0), |it| it.passes(latent.frames));
    let evaluations = job.evaluations() as f64 * f64::from(latent.batch) * count;
    // Samples of a batch go one after another; x, its prediction, the noise and the solver's
    // history are on the host.
    // With a step cache, a difference for each side as well.
    let cached = if cache_of(weights).ok()?.is_some() {
        sides.len() as u64
    } else {
        0
    };
    let held = job.solver.latents_held() as u64 + 3 + cached;
    let arrays: u64 = sides.iter().map(|it| it.bytes()).sum();
    let host_bytes = latent.elements() * 4 * held + arrays * 2;
    // Packed weights are widened as they are used, which the pass's memory counts.
    let packed = weights.dims.get("packed") == Some(&1);
    let block_bytes = weights.dims.get("block_bytes").copied().filter(|_| packed);
    let way = |streamed: bool| -> Cost {
        let shapes = sides.iter().map(|extras| PassShape {
            streamed,
            block_bytes,
            ..pass_shape(latent, frames, extras)
        });
        let shapes: Vec<PassShape> = shapes.collect();
        let contexts: u64 = shapes.iter().map(|it| dims.context_bytes(it)).sum();
        // The control net holds a little through the whole pass, and its own peak comes while the
        // model holds no more than its stream.
        let work = shapes.iter().zip(&sides).map(|(shape, extras)| {
            let (held, peak) = super::control::bytes(extras, latent, frames);
            let stream = (shape.tokens() * dims.dim * 4) as u64;
            (dims.workspace_bytes(shape) + held).max(stream + peak)
        });
        let work = work.max();
        let flops: f64 = shapes.iter().map(|it| dims.flops(it) as f64).sum();
        let passes = shapes.len() as f64;
        let control_flops: f64 = sides
            .iter()
            .map(|extras| super::control::flops(extras, latent, frames))
            .sum();
        Cost {
            flops: evaluations * (flops + control_flops),
            device_bytes: work.unwrap_or(0) + contexts,
            host_bytes,
            // Each pass reads every block again; from the page cache, at best.
            seconds: if streamed {
                evaluations * passes * weights.bytes as f64 / cx.machine.load_bytes_per_second
            } else {
                0.0
            },
        }
    };
    let rung = |name: &str, streamed: bool| Rung {
        name: name.to_owned(),
        settings: BTreeMap::new(),
        cost: way(streamed),
        streams: if streamed {
            vec![names.model]
        } else {
            Vec::new()
        },
    };
    Some(vec![rung("whole", false), rung("streamed", true)])
}
