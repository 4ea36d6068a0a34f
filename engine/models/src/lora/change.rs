//! What a LoRA does to one tensor, and doing it.

use std::sync::Arc;

use burn::tensor::{DType, TensorData};

use crate::weights::{Checkpoint, LowRank, WeightsError};
use crate::{Device, Tensor};

/// A tensor of a LoRA file, known to be there and to be of floats.
#[derive(Clone, Debug)]
pub struct Part {
    pub file: Arc<Checkpoint>,
    pub name: String,
}

impl Part {
    pub fn shape(&self) -> &[usize] {
        self.file.shape(&self.name).unwrap_or_default()
    }

    /// Values as f32, straight from the mapped file.
    fn read(&self) -> Result<Vec<f32>, WeightsError> {
        self.file.vec_f32(&self.name, self.shape())
    }

    /// As a matrix: its first axis, and all others together.
    fn matrix(&self, device: &Device) -> Result<Tensor<2>, WeightsError> {
        let values = self.read()?;
        let rows = self.shape().first().copied().unwrap_or(1).max(1);
        let shape = [rows, values.len() / rows];
        let data = TensorData::new(values, shape);
        Ok(Tensor::from_data(data, (device, DType::F32)))
    }
}

/// `up · down`, with `mid` between them for some convolutions.
#[derive(Clone, Debug)]
pub struct Pair {
    /// `[rank, in…]`
    pub down: Part,
    /// `[out, rank…]`
    pub up: Part,
    /// `[rank, rank, kernel…]`
    pub mid: Option<Part>,
    /// alpha / rank; 1 where no alpha is written.
    pub scale: f32,
}

/// One change to one tensor.
#[derive(Clone, Debug)]
pub enum Change {
    LowRank {
        pair: Pair,
        strength: f32,
    },
    Diff {
        part: Part,
        strength: f32,
    },
    Dora {
        pair: Pair,
        magnitude: Part,
        strength: f32,
    },
    Set {
        part: Part,
    },
}

impl Change {
    /// Whether it only adds, so that its place in the order does not matter.
    pub fn adds(&self) -> bool {
        matches!(self, Self::LowRank { .. } | Self::Diff { .. })
    }

    /// The change as a low-rank addition beside a weight on `device`, if it is one.
    pub fn low_rank(&self, device: &Device, kind: DType) -> Option<Result<LowRank, WeightsError>> {
        let Self::LowRank { pair, strength } = self else {
            return None;
        };
        if pair.mid.is_some() {
            return None;
        }
        let read = || {
            Ok(LowRank {
                down: pair.down.matrix(device)?.cast(kind),
                up: (pair.up.matrix(device)? * (pair.scale * strength)).cast(kind),
            })
        };
        Some(read())
    }

    /// The changed weight: `[first axis, all others]`, f32.
    pub fn apply(&self, weight: Tensor<2>) -> Result<Tensor<2>, WeightsError> {
        let device = weight.device();
        let shape = weight.dims();
        match self {
            Self::LowRank { pair, strength } => {
                let product = pair.product(&device)?.reshape(shape);
                Ok(weight + product * (pair.scale * strength))
            }
            Self::Diff { part, strength } => {
                Ok(weight + part.matrix(&device)?.reshape(shape) * *strength)
            }
            Self::Set { part } => Ok(part.matrix(&device)?.reshape(shape)),
            Self::Dora {
                pair,
                magnitude,
                strength,
            } => {
                let product = pair.product(&device)?.reshape(shape) * pair.scale;
                let magnitude = magnitude.matrix(&device)?;
                Ok(decompose(weight, product, magnitude, *strength))
            }
        }
    }
}

impl Pair {
    /// `[out, in…]` as a matrix.
    fn product(&self, device: &Device) -> Result<Tensor<2>, WeightsError> {
        let up = self.up.matrix(device)?;
        let down = self.down.matrix(device)?;
        let Some(mid) = &self.mid else {
            return Ok(up.matmul(down));
        };
        // weight[o, i, k] = Σ up[o, r] · mid[r, s, k] · down[s, i] (ComfyUI,
        // `comfy/weight_adapter/lora.py`).
        let &[first, second, ..] = mid.shape() else {
            return Ok(up.matmul(down));
        };
        let kernel = mid.shape()[2..].iter().product::<usize>();
        let mid = mid.matrix(device)?.reshape([first, second, kernel]);
        let [out, inner] = [up.dims()[0], down.dims()[1]];
        let mid = mid.permute([1, 0, 2]).reshape([second, first * kernel]);
        let right = down.transpose().matmul(mid); // [in, first * kernel]
        let right = right.reshape([inner, first, kernel]).permute([1, 0, 2]);
        let right = right.reshape([first, inner * kernel]);
        Ok(up.matmul(right).reshape([out, inner * kernel]))
    }
}

/// DoRA (Liu et al., 2024) as ComfyUI applies it (`comfy/weight_adapter/base.py`,
/// `weight_decompose`): the sum is scaled to the learnt magnitudes. With magnitudes per output it
/// takes the norms of the weight *before* the change, per input those after it.
fn decompose(
    weight: Tensor<2>,
    product: Tensor<2>,
    magnitude: Tensor<2>,
    strength: f32,
) -> Tensor<2> {
    let [rows, columns] = weight.dims();
    let sum = weight.clone() + product;
    let per_output = magnitude.dims()[0] == rows;
    let norm = |of: Tensor<2>, axis: usize| {
        (of.clone() * of)
            .sum_dim(axis)
            .sqrt()
            .add_scalar(f32::EPSILON)
    };
    let factor = if per_output {
        magnitude.reshape([rows, 1]) / norm(weight.clone(), 1)
    } else {
        magnitude.reshape([1, columns]) / norm(sum.clone(), 0)
    };
    let turned = sum * factor;
    if (strength - 1.0).abs() < f32::EPSILON {
        turned
    } else {
        weight.clone() + (turned - weight) * strength
    }
}

/// A change of full size that is made anew each time a packed weight is widened. Its tensors were
/// checked when the LoRA was put on; they stay in the mapped file.
#[derive(Clone, Debug)]
pub struct Delta(pub Change);

impl Delta {
    /// `weight` `[out, in]` in f32, changed.
    pub fn apply(&self, weight: Tensor<2>) -> Tensor<2> {
        let kept = weight.clone();
        // It was read once before with success, and a mapped file does not change.
        self.0.apply(weight).unwrap_or(kept)
    }
}
