//! The image branch of Wan 2.1: CLIP tokens made as wide as the stream (`MLPProj` of Wan2.1
//! `wan/modules/model.py`).

use longtake_shaders::{Activation, Tensor, layer_norm};

use super::source::{Linear, Source};
use crate::weights::WeightsError;

/// Added to variances here: PyTorch's default, not that of the blocks.
const EPS: f64 = 1e-5;

/// Norm, two linear layers with the exact GELU between them, norm.
pub struct ImageEmbedding {
    /// `[1, positions, image_dim]`, of first-and-last-frame models.
    positions: Option<Tensor<3>>,
    norms: [[Tensor<1>; 2]; 2],
    linears: [Linear; 2],
}

impl ImageEmbedding {
    /// `None` if the checkpoint has no image branch.
    pub fn load(source: &Source<'_>) -> Result<Option<Self>, WeightsError> {
        let dims = source.dims;
        let (wide, dim, positions) = (dims.image_dim, dims.dim, dims.image_positions);
        if wide == 0 {
            return Ok(None);
        }
        let norm = |name: &str, width: usize| {
            let weight = source.get(&format!("img_emb.proj.{name}.weight"), [width])?;
            let bias = source.get(&format!("img_emb.proj.{name}.bias"), [width])?;
            Ok([weight, bias])
        };
        let positions = match positions {
            0 => None,
            rows => Some(source.get("img_emb.emb_pos", [1, rows, wide])?),
        };
        Ok(Some(Self {
            positions,
            norms: [norm("0", wide)?, norm("4", dim)?],
            linears: [
                source.linear("img_emb.proj.1", wide, wide)?,
                source.linear("img_emb.proj.3", wide, dim)?,
            ],
        }))
    }

    /// CLIP tokens `[b, rows, image_dim]` as `[b, rows, dim]`. Where there are positions, `rows`
    /// is at most their number.
    pub fn embed(&self, image: Tensor<3>) -> Tensor<3> {
        let rows = image.dims()[1];
        let mut y = image.cast(self.linears[0].dtype());
        if let Some(positions) = &self.positions {
            y = y + positions.clone().narrow(1, 0, rows);
        }
        let norm = |y: Tensor<3>, [weight, bias]: &[Tensor<1>; 2]| {
            layer_norm(y, Some(weight.clone()), Some(bias.clone()), EPS)
        };
        let [first, second] = &self.linears;
        let y = first.act(norm(y, &self.norms[0]), Activation::GeluErf);
        norm(second.apply(y), &self.norms[1])
    }
}
