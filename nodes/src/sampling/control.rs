//! Uni3C beside the diffusion model: its render, strength and range, and what it costs.

use std::sync::Arc;

use longtake_graph::say;
use longtake_models::wan::uni3c::{ControlShape, Uni3c, Uni3cControl, Uni3cDims, Uni3cInputs};
use longtake_models::{Device, Tensor};
use longtake_plan::{ExtrasInfo, LatentInfo};
use longtake_run::{Conditioning, RunCx, RunError};

use super::planes::Planes;
use super::settings::ControlSettings;
use super::side::Range;
use crate::failure::{OrFail, at_input};
use crate::model::controlnet_loader::uni3c_dims;

/// The control net of one side of the guidance.
pub struct ControlSide {
    net: Arc<Uni3c>,
    render: Planes,
    strength: f32,
    range: Range,
}

impl ControlSide {
    /// What the conditioning at `input` asks for.
    ///
    /// # Errors
    /// The net is not loaded, or its render is missing.
    pub fn of(
        cx: &RunCx<'_>,
        input: &str,
        text: &Conditioning,
        extras: &ExtrasInfo,
        shift: f64,
    ) -> Result<Option<Self>, RunError> {
        if extras.control.is_none() {
            return Ok(None);
        }
        let net = cx.model::<Uni3c>(&format!("{input}.control"))?;
        let render = text.arrays.get("control_latent").ok_or_else(|| {
            let why = say!(
                "expected the render video's latent `control_latent` beside the control net, found none; \
                 make the conditioning with ControlNetApplyAdvanced",
                "コントロールネットにレンダー動画の潜在表現「control_latent」がありません。\
                 ControlNetApplyAdvanced でコンディショニングを作ってください"
            );
            at_input(input, &why)
        })?;
        let settings = ControlSettings::of(extras).or_fail()?;
        Ok(Some(Self {
            net,
            render: Planes::normalised("control_latent", render)?,
            strength: settings.strength as f32,
            range: Range::new(settings.range, shift),
        }))
    }

    /// The control of a pass over these frames; `None` where it is not at work. `latent` is what
    /// goes into the diffusion model.
    pub fn at(
        &self,
        latent: &Tensor<5>,
        frames: &[usize],
        sigma: f32,
        device: &Device,
    ) -> Option<Uni3cControl> {
        if self.strength == 0.0 || !self.range.holds(sigma) {
            return None;
        }
        let inputs = Uni3cInputs {
            latent: latent.clone(),
            render: self.render.at(frames, device),
            geometry: None,
        };
        Some(Uni3cControl::new(
            Arc::clone(&self.net),
            inputs,
            self.strength,
        ))
    }
}

/// The control net and a pass over so many latent frames, if there is one.
fn sizes(
    extras: &ExtrasInfo,
    latent: LatentInfo,
    frames: u32,
) -> Option<(Uni3cDims, ControlShape)> {
    let weights = extras.control.as_ref()?;
    let [frames, height, width] = [frames, latent.height, latent.width].map(|n| n as usize);
    let shape = ControlShape {
        batch: 1,
        frames,
        height,
        width,
        geometry: false,
        streamed: false,
    };
    // A net whose sizes are not known has been told before anything is reckoned.
    Some((uni3c_dims(weights).ok()?, shape))
}

/// Bytes that the control net holds through a pass, and at its own peak.
pub fn bytes(extras: &ExtrasInfo, latent: LatentInfo, frames: u32) -> (u64, u64) {
    sizes(extras, latent, frames).map_or((0, 0), |(dims, shape)| {
        (dims.held_bytes(&shape), dims.workspace_bytes(&shape))
    })
}

/// Operations of the control net in a pass.
pub fn flops(extras: &ExtrasInfo, latent: LatentInfo, frames: u32) -> f64 {
    sizes(extras, latent, frames).map_or(0.0, |(dims, shape)| dims.flops(&shape))
}
