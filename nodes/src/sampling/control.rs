//! Uni3C beside the diffusion model: its render, strength and range, and what it costs.

use std::sync::Arc;

use longtake_models::wan::uni3c::{ControlShape, Uni3c, Uni3cControl, Uni3cDims, Uni3cInputs};
use longtake_models::{Device, Tensor};
use longtake_plan::{ExtrasInfo, LatentInfo, WeightsInfo};
use longtake_run::{Conditioning, RunCx, RunError};

use super::planes::Planes;
use super::side::Range;

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
            RunError::failed(format!("input `{input}`: a control net without its video"))
        })?;
        let strength = extras.settings.get("control_strength");
        Ok(Some(Self {
            net,
            render: Planes::normalised("control_latent", render)?,
            strength: strength.and_then(serde_json::Value::as_f64).unwrap_or(1.0) as f32,
            range: Range::of(extras, "control_start", "control_end", shift),
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

/// Sizes of a control net that the planner knows.
pub fn dims(weights: &WeightsInfo) -> Uni3cDims {
    let dim = |name: &str| weights.dims.get(name).copied().unwrap_or(0) as usize;
    Uni3cDims {
        in_dim: dim("in_dim"),
        conv_dim: dim("conv_dim"),
        dim: dim("dim"),
        ffn_dim: dim("ffn_dim"),
        heads: dim("heads"),
        layers: dim("layers"),
        time_dim: dim("time_dim"),
        out_dim: dim("out_dim"),
        add_dim: dim("add_dim"),
        mid_dim: dim("mid_dim"),
    }
}

/// Bytes and operations of the control net in one pass over so many latent frames.
pub fn cost(extras: &ExtrasInfo, latent: LatentInfo, frames: u32) -> (u64, f64) {
    let Some(weights) = &extras.control else {
        return (0, 0.0);
    };
    let [frames, height, width] = [frames, latent.height, latent.width].map(|n| n as usize);
    let shape = ControlShape {
        batch: 1,
        frames,
        height,
        width,
        geometry: false,
        streamed: false,
    };
    let dims = dims(weights);
    (dims.workspace_bytes(&shape), dims.flops(&shape) as f64)
}
