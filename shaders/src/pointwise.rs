//! Pointwise functions, gates, and softmax over the last axis.

use crate::{Activation, Tensor, portable};

/// Applies `act` to every element.
pub fn activate<const D: usize>(x: Tensor<D>, act: Activation) -> Tensor<D> {
    portable::activate(x, act)
}

/// `x sigmoid(x)`.
pub fn silu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activate(x, Activation::Silu)
}

/// GELU in its tanh form, see [`Activation::GeluTanh`].
pub fn gelu_tanh<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activate(x, Activation::GeluTanh)
}

/// Softmax over the last axis.
pub fn softmax_last<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    portable::softmax_last(x)
}

/// `x + gate * y`: `x`, `y` `[batch, tokens, d]`, `gate` `[batch or 1, tokens or 1, d]`.
pub fn gate_residual(x: Tensor<3>, gate: Tensor<3>, y: Tensor<3>) -> Tensor<3> {
    x + gate * y
}

/// `gelu_tanh(gate) * up`, the gated feed-forward of UMT5.
pub fn gated_gelu(gate: Tensor<3>, up: Tensor<3>) -> Tensor<3> {
    gelu_tanh(gate) * up
}
