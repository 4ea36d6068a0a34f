//! Linear layers, with bias and activation fused into the product's tiles.

use crate::blas::{Operand, multiply_all};
use crate::host::{self, Values};
use crate::{Activation, Tensor, portable, simd};

/// `x W^T + b`: `x` `[batch, tokens, in]`, `weight` `[out, in]` as PyTorch stores it.
pub fn linear(x: Tensor<3>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<3> {
    linear_act(x, weight, bias, Activation::None)
}

/// [`linear`] followed by the tanh form of GELU.
pub fn linear_gelu(x: Tensor<3>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<3> {
    linear_act(x, weight, bias, Activation::GeluTanh)
}

/// [`linear`] followed by `act`.
///
/// Workspace on the CPU: none beyond the result and the BLAS's own packing buffers.
pub fn linear_act(
    x: Tensor<3>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    act: Activation,
) -> Tensor<3> {
    let [batch, tokens, inner] = x.dims();
    let [outer, weight_inner] = weight.dims();
    assert_eq!(
        inner,
        weight_inner,
        "linear: x is {:?}, weight {:?}",
        x.dims(),
        weight.dims()
    );
    if let Some(bias) = &bias {
        assert_eq!(
            bias.dims(),
            [outer],
            "linear: bias for a weight of {outer} rows"
        );
    }
    if !(host::has(&x) && host::has(&weight) && host::has_opt(bias.as_ref())) {
        return portable::linear(x, weight, bias, act);
    }
    let (x, weight, bias) = (Values::of(x), Values::of(weight), bias.map(Values::of));
    let out = multiply_all(
        [batch * tokens, outer, inner],
        Operand::new(&x, inner),
        Operand::transposed(&weight, inner),
        |first, row| match &bias {
            Some(bias) => finish(row, &bias[first..first + row.len()], act),
            None => apply(row, act),
        },
    );
    host::give_values(out, [batch, tokens, outer])
}

fn finish(row: &mut [f32], bias: &[f32], act: Activation) {
    match act {
        Activation::None => simd::add(row, bias),
        Activation::GeluTanh => simd::add_gelu_tanh(row, bias),
        Activation::GeluErf => simd::add_gelu_erf(row, bias),
        Activation::Silu => simd::add_silu(row, bias),
    }
}

fn apply(row: &mut [f32], act: Activation) {
    match act {
        Activation::None => {}
        Activation::GeluTanh => simd::gelu_tanh(row),
        Activation::GeluErf => simd::gelu_erf(row),
        Activation::Silu => simd::silu(row),
    }
}
