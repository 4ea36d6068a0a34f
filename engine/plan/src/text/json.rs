//! The plan as JSON.

use serde_json::{Map, Value as Json, json};

use crate::plan::Move;
use crate::{Cost, Info, Keep, Plan, Rung, Step, StepInput};

pub(super) fn plan(plan: &Plan) -> Json {
    let weights = plan.weights.iter().zip(plan.loads()).map(|(info, loads)| {
        json!({
            "name": info.name, "folder": info.folder.names()[0], "bytes": info.bytes,
            "family": info.family, "fingerprint": info.fingerprint, "options": info.options, "loads": loads,
        })
    });
    let values = plan.values.iter().map(|value| {
        let step = value.step.map(|id| id.0);
        json!({"step": step, "output": value.output, "host_bytes": value.host_bytes, "info": info(&value.info)})
    });
    json!({
        "machine": plan.machine,
        "peak_device_bytes": plan.peak_device_bytes,
        "peak_host_bytes": plan.peak_host_bytes,
        "seconds": plan.seconds,
        "cached": plan.steps.iter().filter(|step| step.cached).count(),
        "weights": weights.collect::<Vec<_>>(),
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
        "values": values.collect::<Vec<_>>(),
        "outputs": plan.outputs.iter().map(|id| id.0).collect::<Vec<_>>(),
    })
}

fn step(step: &Step) -> Json {
    let inputs: Map<String, Json> = step
        .inputs
        .iter()
        .map(|(name, it)| (name.clone(), input(it)))
        .collect();
    let moves: Vec<Json> = step
        .moves
        .iter()
        .map(|action| match action {
            Move::Load(id) => json!({"load": id.0}),
            Move::Park(id) => json!({"park": id.0}),
            Move::Drop(id) => json!({"drop": id.0}),
        })
        .collect();
    let keep = match step.keep {
        Keep::Store => "store",
        Keep::Memory => "memory",
        Keep::Output => "output",
    };
    let fallbacks: Vec<&str> = step
        .fallbacks
        .iter()
        .map(|Rung { name, .. }| name.as_str())
        .collect();
    let Cost { flops, .. } = step.cost;
    let shot = step
        .path
        .shot
        .as_ref()
        .map(|(position, id)| json!({"position": position + 1, "id": &**id}));
    json!({
        "id": step.id.0, "node": step.path.node, "shot": shot, "part": step.path.part.as_deref(),
        "class": step.class, "lane": step.lane, "lazy": step.lazy, "keep": keep, "cached": step.cached,
        "signature": step.signature.to_string(), "inputs": inputs,
        "writes": step.writes, "frees": step.frees, "weights": step.weights, "streamed": step.streamed,
        "moves": moves, "rung": step.rung, "settings": step.settings, "why": step.why, "fallbacks": fallbacks,
        "flops": flops, "device_bytes": step.device_bytes, "host_bytes": step.host_bytes, "seconds": step.seconds,
    })
}

fn input(input: &StepInput) -> Json {
    match input {
        StepInput::Literal(value) => json!({"literal": value}),
        StepInput::Value(id) => json!({"value": id.0}),
        StepInput::List(ids) => json!({"list": ids.iter().map(|id| id.0).collect::<Vec<_>>()}),
    }
}

fn info(info: &Info) -> Json {
    match info {
        Info::Clip(clip) | Info::Segment(clip) => json!({
            "kind": if matches!(info, Info::Clip(_)) { "clip" } else { "segment" },
            "frames": clip.frames, "width": clip.width, "height": clip.height, "channels": clip.channels,
            "fps": clip.fps.map(|fps| [fps.num, fps.den]),
        }),
        Info::Latent(latent) => json!({
            "kind": "latent",
            "shape": [latent.batch, latent.channels, latent.frames, latent.height, latent.width],
        }),
        Info::Conditioning {
            tokens,
            dim,
            extras,
        } => json!({
            "kind": "conditioning", "tokens": tokens, "dim": dim, "arrays": extras.arrays,
            "control": extras.control.as_ref().map(|it| &it.name),
        }),
        Info::Weights(weights) => {
            json!({"kind": "weights", "name": weights.name, "options": weights.options})
        }
        Info::Constant(value) => json!({"kind": "constant", "value": value}),
        Info::Storyboard(board) => {
            json!({"kind": "storyboard", "title": board.title, "shots": board.shots.len()})
        }
        Info::Nothing => json!({"kind": "nothing"}),
    }
}
