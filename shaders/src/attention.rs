//! Softmax attention over tensors that keep tokens before heads.

use crate::{Tensor, portable};

/// `softmax(scale q k^T + bias) v` per head.
///
/// `q` `[batch, queries, heads, dim]`, `k` and `v` `[batch, keys, heads, dim]`, `bias`
/// `[1 or batch, heads, queries, keys]`. The result has the layout of `q`, so heads need no
/// copies to be split or merged.
pub fn attention(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    scale: f32,
    bias: Option<Tensor<4>>,
) -> Tensor<4> {
    portable::attention(q, k, v, scale, bias)
}
