//! A linear layer as checkpoints hold it: a matrix of rows per output, and a bias.

use longtake_shaders::{Activation, Tensor, linear_act};

use crate::Device;
use crate::weights::{Checkpoint, WeightsError};

/// Weight `[to, from]` and bias `[to]`.
pub(crate) struct Dense {
    pub weight: Tensor<2>,
    pub bias: Option<Tensor<1>>,
}

impl Dense {
    /// `{name}.weight` and `{name}.bias` of a checkpoint.
    pub fn load(
        checkpoint: &Checkpoint,
        name: &str,
        from: usize,
        to: usize,
        device: &Device,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            weight: checkpoint.tensor(&format!("{name}.weight"), [to, from], device)?,
            bias: Some(checkpoint.tensor(&format!("{name}.bias"), [to], device)?),
        })
    }

    /// A convolution whose stride is its kernel, as a linear layer on patches: the kernel
    /// `[to, …]` flattened to `[to, from]`, and the bias.
    pub fn patches<const D: usize>(
        checkpoint: &Checkpoint,
        name: &str,
        kernel: [usize; D],
        device: &Device,
    ) -> Result<Self, WeightsError> {
        let weight: Tensor<D> = checkpoint.tensor(&format!("{name}.weight"), kernel, device)?;
        let (to, from) = (kernel[0], kernel[1..].iter().product());
        Ok(Self {
            weight: weight.reshape([to, from]),
            bias: Some(checkpoint.tensor(&format!("{name}.bias"), [to], device)?),
        })
    }

    /// `x` `[batch, tokens, from]` to `[batch, tokens, to]`.
    pub fn apply(&self, x: Tensor<3>) -> Tensor<3> {
        self.apply_act(x, Activation::None)
    }

    /// The same, then `act`.
    pub fn apply_act(&self, x: Tensor<3>, act: Activation) -> Tensor<3> {
        linear_act(x, self.weight.clone(), self.bias.clone(), act)
    }
}
