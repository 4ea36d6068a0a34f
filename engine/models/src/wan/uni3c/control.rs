//! The control network behind the transformer's own interface for networks beside it.

use std::sync::Arc;

use longtake_shaders::Tensor;

use super::{Uni3c, Uni3cInputs, Uni3cPass};
use crate::wan::dit::{Control, DitDims, ForwardError};

/// Uni3C on one sampling step, with its strength. Make a new one when the noisy latent changes;
/// the passes with and without the prompt can share it, since both begin it anew.
pub struct Uni3cControl {
    net: Arc<Uni3c>,
    inputs: Uni3cInputs,
    strength: f32,
    pass: Option<Uni3cPass>,
}

impl Uni3cControl {
    /// `strength` multiplies what is added; ComfyUI allows -10 to 10.
    pub fn new(net: Arc<Uni3c>, inputs: Uni3cInputs, strength: f32) -> Self {
        Self {
            net,
            inputs,
            strength,
            pass: None,
        }
    }
}

impl Control for Uni3cControl {
    fn begin(&mut self, e: &Tensor<3>, grid: [usize; 3]) -> Result<(), ForwardError> {
        // What an earlier pass left is freed before the new one begins.
        self.pass = None;
        let [_, _, frames, height, width] = self.inputs.latent.dims();
        let ours = DitDims::grid(frames, height, width);
        if ours != grid {
            return Err(ForwardError::input(
                "grid of the control's tokens",
                format!("{grid:?}, the video's"),
                format!("{ours:?}"),
            ));
        }
        let dims = self.net.dims();
        let [_, _, dim] = e.dims();
        if dims.misfit(dim).is_some() {
            return Err(ForwardError::input(
                "control network",
                format!("one for a diffusion model of width {dim}"),
                format!(
                    "Uni3C for times of width {} and residuals of width {} (published for Wan 14B, 5120)",
                    dims.time_dim, dims.out_dim
                ),
            ));
        }
        self.pass = Some(self.net.begin(&self.inputs, e)?);
        Ok(())
    }

    fn after_block(&mut self, block: usize) -> Result<Option<Tensor<3>>, ForwardError> {
        if block >= self.net.dims().layers {
            return Ok(None);
        }
        let Some(pass) = self.pass.as_mut().filter(|pass| pass.next == block) else {
            return Err(ForwardError::input(
                "block of the control",
                "each once, in order, after the beginning",
                format!("block {block}"),
            ));
        };
        let residual = pass.residual(self.strength)?;
        if block + 1 == self.net.dims().layers {
            self.pass = None;
        }
        Ok(residual)
    }
}
