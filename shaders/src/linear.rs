//! Linear layers, with bias and activation fused into one pass over the result.

use crate::{Activation, Tensor, portable};

/// `x W^T + b`: `x` `[batch, tokens, in]`, `weight` `[out, in]` as PyTorch stores it.
pub fn linear(x: Tensor<3>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<3> {
    linear_act(x, weight, bias, Activation::None)
}

/// [`linear`] followed by the tanh form of GELU.
pub fn linear_gelu(x: Tensor<3>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<3> {
    linear_act(x, weight, bias, Activation::GeluTanh)
}

/// [`linear`] followed by `act`.
pub fn linear_act(
    x: Tensor<3>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    act: Activation,
) -> Tensor<3> {
    portable::linear(x, weight, bias, act)
}
