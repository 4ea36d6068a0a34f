//! A panel alone in a test: a studio over the small machine, a plan of a film, pictures on demand.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use egui_kittest::Harness;
use longtake_editor::planned::Planned;
use longtake_editor::{Action, Engine, Studio, testing};
use longtake_graph::{ModelFolder, NodeId};
use longtake_plan::plan::Move;
use longtake_plan::{
    Info, Lane, NodePath, Options, Plan, Signature, Step, StepId, StepInput, Value, ValueId,
    WeightsId, WeightsInfo,
};

use crate::{Cx, Pictures};

/// A panel and what it draws from.
pub struct World<P> {
    pub studio: Studio,
    pub panel: P,
    pub lit: HashSet<NodeId>,
    /// Whether the studio takes in what its threads made.
    pub ticks: bool,
    pictures: Pictures,
    draw: fn(&mut P, &mut egui::Ui, &mut Cx<'_>),
}

impl<P> World<P> {
    fn ui(&mut self, ui: &mut egui::Ui) {
        if self.ticks {
            self.studio.tick();
        }
        self.pictures.begin(ui.ctx(), &self.studio);
        let mut actions: Vec<Action> = Vec::new();
        self.lit.clear();
        let mut cx = Cx {
            studio: &self.studio,
            actions: &mut actions,
            pictures: &mut self.pictures,
            lit: &mut self.lit,
        };
        (self.draw)(&mut self.panel, ui, &mut cx);
        for action in actions {
            self.studio.act(action);
        }
    }
}

fn wants_pictures() -> Option<std::path::PathBuf> {
    std::env::var_os("LONGTAKE_PICTURES").map(Into::into)
}

/// A panel of that size over the small graph.
pub fn harness<P: 'static>(
    size: [f32; 2],
    panel: P,
    draw: fn(&mut P, &mut egui::Ui, &mut Cx<'_>),
) -> Harness<'static, World<P>> {
    let world = World {
        studio: testing::studio(testing::small()),
        panel,
        lit: HashSet::new(),
        ticks: false,
        pictures: Pictures::default(),
        draw,
    };
    let mut builder = Harness::builder().with_size(size);
    if wants_pictures().is_some() {
        builder = builder.wgpu();
    }
    let app = |ui: &mut egui::Ui, world: &mut World<P>| world.ui(ui);
    let mut harness = builder.build_ui_state(app, world);
    let theme = longtake_editor::settings::Theme::Dark;
    crate::theme::apply(&harness.ctx, theme, 1.0);
    crate::theme::fonts(&harness.ctx);
    harness.run_steps(2);
    harness
}

/// With `LONGTAKE_PICTURES=FOLDER`: a picture of it, to be looked at.
pub fn picture<P>(harness: &mut Harness<'_, World<P>>, name: &str) {
    if let Some(folder) = wants_pictures() {
        let image = harness.render().expect("a rasteriser");
        image
            .save(folder.join(format!("{name}.png")))
            .expect("a folder");
    }
}

/// Puts a plan before the panel, as if the compiler had made it of the open document.
pub fn show(studio: &mut Studio, plan: Plan) {
    studio.planned = Planned {
        revision: studio.session.revision(),
        plan: Some(Arc::new(plan)),
        diagnostics: Arc::default(),
    };
}

const GIB: u64 = 1 << 30;

fn weights(name: &str, bytes: u64) -> Arc<WeightsInfo> {
    Arc::new(WeightsInfo {
        folder: ModelFolder::DiffusionModels,
        name: name.to_owned(),
        path: name.into(),
        fingerprint: name.to_owned(),
        bytes,
        family: "wan-dit".to_owned(),
        dims: BTreeMap::new(),
        options: BTreeMap::new(),
    })
}

/// A film of `shots` shots on a card: texts, then samples, then decodes, each encoded beside them.
pub fn film(shots: u32) -> Plan {
    let fake = testing::Fake::default();
    let made = fake.compile(&testing::small(), &Options::default());
    let mut plan = made.plan.expect("the small graph compiles");
    let template = plan.steps[0].clone();
    plan.steps.clear();
    plan.values.clear();
    plan.weights = vec![
        weights("umt5-xxl-fp8.safetensors", 10 * GIB),
        weights("wan2.2-ti2v-5b.safetensors", 9 * GIB),
        weights("wan2.2-vae.safetensors", GIB),
    ];
    let stages = [
        ("3", "CLIPTextEncode", Lane::Device, 1.5, 11, Some(0u32)),
        ("6", "KSampler", Lane::Device, 40.0, 16, Some(1)),
        ("7", "VAEDecode", Lane::Device, 9.0, 13, Some(2)),
        ("8", "SaveVideo", Lane::Cpu, 6.0, 0, None),
    ];
    for (stage, (node, class, lane, seconds, device, own)) in stages.into_iter().enumerate() {
        for shot in 0..shots {
            let before = (stage > 0).then(|| ValueId((stage as u32 - 1) * shots + shot));
            let inputs = before.map(|id| ("in".to_owned(), StepInput::Value(id)));
            let mut step = Step {
                class: class.to_owned(),
                lane,
                seconds: seconds * (1.0 + f64::from(shot % 3) * 0.25),
                device_bytes: device * GIB + u64::from(shot % 4) * GIB / 3,
                host_bytes: 2 * GIB + u64::from(shot % 5) * GIB / 2,
                inputs: inputs.into_iter().collect(),
                ..template.clone()
            };
            if let Some(own) = own {
                step.weights = vec![WeightsId(own)];
                if shot == 0 {
                    let gone = own.checked_sub(1).map(|it| Move::Drop(WeightsId(it)));
                    step.moves = gone.into_iter().collect();
                    step.moves.push(Move::Load(WeightsId(own)));
                }
            }
            if node == "7" && shot % 2 == 1 {
                step.rung = "tiled 256".into();
                step.why = Some(longtake_graph::say!(
                    "whole needs 23.1 GiB, 21.0 GiB are free",
                    "whole には 23.1 GiB が必要ですが、空きは 21.0 GiB です"
                ));
            }
            push(&mut plan, step, node, shot);
        }
    }
    plan.seconds = plan.schedule().iter().map(|it| it.end).fold(0.0, f64::max);
    plan.peak_device_bytes = plan
        .steps
        .iter()
        .map(|it| it.device_bytes)
        .max()
        .unwrap_or(0);
    plan.peak_host_bytes = plan.steps.iter().map(|it| it.host_bytes).max().unwrap_or(0);
    plan
}

fn push(plan: &mut Plan, mut step: Step, node: &str, shot: u32) {
    let id = plan.steps.len() as u32;
    step.id = StepId(id);
    step.writes = vec![ValueId(id)];
    step.path = NodePath {
        node: NodeId::new(node),
        shot: Some((shot, format!("{:02}", shot + 1).into())),
        part: None,
    };
    let mut signature = [7; 32];
    signature[..4].copy_from_slice(&id.to_le_bytes());
    step.signature = Signature(signature);
    plan.values.push(Value {
        info: Info::Nothing,
        step: Some(StepId(id)),
        output: 0,
        host_bytes: 0,
    });
    plan.steps.push(step);
}
