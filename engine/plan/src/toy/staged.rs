//! A guider, a sampler that takes one, and a sampler that works in two stages.

use longtake_graph::declare::{self, float, int, output, socket, text};
use longtake_graph::{Declaration, Kind};

use super::{infer_sample, run, sample_rungs, spec};
use crate::{CostCx, Front, Info, Keep, Lane, NodeSpec, Role, Rung, Work};

const GUIDER: Kind = Kind::named("GUIDER");

/// All of them.
pub(super) fn staged() -> Vec<NodeSpec> {
    let mut guider = spec(
        decl!(
            "Guider",
            [
                socket("model", Kind::MODEL),
                socket("cond", Kind::CONDITIONING),
                float("cfg", 5.0).within_f(0.0, 30.0)
            ],
            [output("GUIDER", GUIDER)]
        ),
        Work::Constant,
        |_| Ok(vec![Info::Nothing]),
    );
    guider.role = Role::Bundle;
    let guided = decl!(
        "SampleGuided",
        [
            socket("guider", GUIDER),
            declare::seed("seed"),
            int("width", 832).within(16, 8192),
            int("height", 480).within(16, 8192),
            int("length", 81).within(1, 1001),
        ],
        [output("LATENT", Kind::LATENT)]
    );
    let experts = decl!(
        "Experts",
        [
            socket("high", Kind::MODEL),
            socket("model", Kind::MODEL),
            socket("cond", Kind::CONDITIONING),
            declare::seed("seed"),
            float("denoise", 1.0),
            int("width", 832).within(16, 8192),
            int("height", 480).within(16, 8192),
            int("length", 81).within(1, 1001),
        ],
        [output("LATENT", Kind::LATENT)]
    );
    let high = decl!(
        "ExpertsHigh",
        [
            socket("high", Kind::MODEL),
            socket("cond", Kind::CONDITIONING),
            text("unused", ""),
        ],
        [output("LATENT", Kind::LATENT)],
        internal: true
    );
    let work = || run(Lane::Device, Keep::Store, sample_rungs);
    let high_rungs = |cx: &CostCx<'_>| -> Vec<Rung> {
        let mut rungs = sample_rungs(cx);
        rungs.truncate(1);
        rungs
    };
    let mut experts = spec(experts, work(), infer_sample);
    experts.front = Some(Front {
        class: "ExpertsHigh",
        part: "high",
        without: &["model"],
        only: &["high"],
        input: "state",
        needed: |of| {
            of("denoise")
                .and_then(|it| it.as_f64())
                .is_none_or(|it| it > 0.9)
        },
    });
    vec![
        guider,
        spec(guided, work(), infer_sample),
        experts,
        spec(high, run(Lane::Device, Keep::Store, high_rungs), |cx| {
            cx.weights("high")?;
            let (width, height) = (cx.int("width")? as u32, cx.int("height")? as u32);
            Ok(vec![Info::Latent(crate::LatentInfo {
                batch: 1,
                channels: 16,
                frames: (cx.int("length")? as u32 - 1) / 4 + 1,
                height: height / 8,
                width: width / 8,
            })])
        }),
    ]
}
