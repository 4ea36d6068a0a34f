//! Pointwise functions, gates, and softmax over the last axis.

use crate::host::{self, Values};
use crate::{Activation, Tensor, portable, simd};

/// Run length of operations that treat every element alike; a short last run is fine.
const RUN: usize = 4096;

/// Applies `act` to every element.
pub fn activate<const D: usize>(x: Tensor<D>, act: Activation) -> Tensor<D> {
    if act == Activation::None || !host::has(&x) {
        return portable::activate(x, act);
    }
    host::map_rows(x, RUN, |_, part| match act {
        Activation::None => {}
        Activation::GeluTanh => simd::gelu_tanh(part),
        Activation::GeluErf => simd::gelu_erf(part),
        Activation::Silu => simd::silu(part),
    })
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
    if !host::has(&x) {
        return portable::softmax_last(x);
    }
    let width = x.dims()[D - 1];
    host::map_rows(x, width, |_, rows| {
        for row in rows.chunks_mut(width) {
            let total = simd::exp_sum(row, 1.0, simd::max(row));
            simd::scale(row, total.recip());
        }
    })
}

/// `x + gate * y`: `x`, `y` `[batch, tokens, d]`, `gate` `[batch or 1, tokens or 1, d]`.
pub fn gate_residual(x: Tensor<3>, gate: Tensor<3>, y: Tensor<3>) -> Tensor<3> {
    let shape = x.dims();
    assert_eq!(
        y.dims(),
        shape,
        "gate_residual: x and y must have one shape"
    );
    if !(host::has(&x) && host::has(&gate) && host::has(&y)) {
        return x + gate * y;
    }
    let rows = BroadcastRows::new(gate, shape, "gate_residual: gate");
    let width = shape[2];
    let y = Values::of(y);
    host::map_rows(x, width, |first, part| {
        for (i, row) in part.chunks_mut(width).enumerate() {
            let at = (first + i) * width;
            simd::add_gated(row, rows.get(first + i), &y[at..at + width]);
        }
    })
}

/// `gelu_tanh(gate) * up`, the gated feed-forward of UMT5.
pub fn gated_gelu(gate: Tensor<3>, up: Tensor<3>) -> Tensor<3> {
    assert_eq!(
        gate.dims(),
        up.dims(),
        "gated_gelu: gate and up must have one shape"
    );
    if !(host::has(&gate) && host::has(&up)) {
        return portable::activate(gate, Activation::GeluTanh) * up;
    }
    let up = Values::of(up);
    host::map_rows(gate, RUN, |first, part| {
        let at = first * RUN;
        simd::gated_gelu(part, &up[at..at + part.len()]);
    })
}

/// The rows of `[batch or 1, tokens or 1, d]`, as they meet the rows of `[batch, tokens, d]`.
pub(crate) struct BroadcastRows {
    values: Values,
    tokens: usize,
    width: usize,
    per_batch: usize,
    per_token: usize,
}

impl BroadcastRows {
    pub fn new(x: Tensor<3>, [batch, tokens, width]: [usize; 3], what: &str) -> Self {
        let [b, t, d] = x.dims();
        assert!(
            (b == batch || b == 1) && (t == tokens || t == 1) && d == width,
            "{what}: {:?} does not broadcast to {:?}",
            [b, t, d],
            [batch, tokens, width]
        );
        let per_batch = if b == 1 { 0 } else { t * d };
        let per_token = if t == 1 { 0 } else { d };
        Self {
            values: Values::of(x),
            tokens,
            width,
            per_batch,
            per_token,
        }
    }

    pub fn get(&self, row: usize) -> &[f32] {
        let start = row / self.tokens * self.per_batch + row % self.tokens * self.per_token;
        &self.values[start..start + self.width]
    }
}
