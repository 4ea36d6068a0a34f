//! Rotary position embedding on interleaved pairs, alone or after an RMS norm.

use crate::{Tensor, portable};

/// Rotates the pairs `(2j, 2j+1)` of every head by the angle of its token:
/// `(a, b) -> (a cos - b sin, a sin + b cos)`.
///
/// `x` `[batch, tokens, heads, dim]`; `cos`, `sin` `[tokens, dim / 2]`.
pub fn rope(x: Tensor<4>, cos: Tensor<2>, sin: Tensor<2>) -> Tensor<4> {
    portable::rope(x, cos, sin)
}

/// [`crate::rms_norm`] over all of `[batch, tokens, heads * dim]`, split into heads, then [`rope`].
pub fn rms_norm_rope(
    x: Tensor<3>,
    weight: Tensor<1>,
    eps: f64,
    cos: Tensor<2>,
    sin: Tensor<2>,
    heads: usize,
) -> Tensor<4> {
    let [batch, tokens, width] = x.dims();
    let x = portable::rms_norm(x, weight, eps);
    portable::rope(x.reshape([batch, tokens, heads, width / heads]), cos, sin)
}
