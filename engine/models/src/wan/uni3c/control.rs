//! The control network behind the transformer's own interface for networks beside it.

use std::sync::Arc;

use longtake_sentence::{Sentence, say};
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
                say!(
                    "grid of the control's tokens",
                    "コントロールのトークンの格子"
                ),
                say!("{grid:?}, the video's", "動画と同じ {grid:?} "),
                Sentence::same(format!("{ours:?}")),
            ));
        }
        let dims = self.net.dims();
        let [_, _, dim] = e.dims();
        if dims.misfit(dim).is_some() {
            return Err(ForwardError::input(
                say!("control network", "コントロールネット"),
                say!(
                    "one for a diffusion model of width {dim}",
                    "幅 {dim} の拡散モデル用のもの"
                ),
                say!(
                    "Uni3C for times of width {} and residuals of width {} (published for Wan 14B, 5120)",
                    "時刻の幅 {}、残差の幅 {} の Uni3C（公開されているのは Wan 14B 用、幅 5120）",
                    dims.time_dim,
                    dims.out_dim
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
                say!("block of the control", "コントロールのブロック"),
                say!(
                    "each once, in order, after the beginning",
                    "開始後に順番どおり一度ずつ"
                ),
                say!("block {block}", "ブロック {block} "),
            ));
        };
        let residual = pass.residual(self.strength)?;
        if block + 1 == self.net.dims().layers {
            self.pass = None;
        }
        Ok(residual)
    }
}
