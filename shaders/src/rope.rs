//! Rotary position embedding on interleaved pairs, alone or after an RMS norm.

use crate::host::{self, Values};
use crate::{Tensor, norm, portable, simd};

/// Rotates the pairs `(2j, 2j+1)` of every head by the angle of its token:
/// `(a, b) -> (a cos - b sin, a sin + b cos)`.
///
/// `x` `[batch, tokens, heads, dim]`; `cos`, `sin` `[tokens, dim / 2]`.
pub fn rope(x: Tensor<4>, cos: Tensor<2>, sin: Tensor<2>) -> Tensor<4> {
    let [_, tokens, heads, dim] = x.dims();
    check_tables(tokens, dim, &cos, &sin);
    if !(host::has(&x) && host::has(&cos) && host::has(&sin)) {
        return portable::rope(x, cos, sin);
    }
    let (cos, sin) = (Values::of(cos), Values::of(sin));
    let width = heads * dim;
    host::map_rows(x, width, |first, rows| {
        for (i, row) in rows.chunks_mut(width).enumerate() {
            rotate_heads(row, (first + i) % tokens, dim, &cos, &sin);
        }
    })
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
    let dim = width / heads;
    assert_eq!(
        dim * heads,
        width,
        "rms_norm_rope: {width} channels for {heads} heads"
    );
    assert_eq!(weight.dims(), [width], "rms_norm_rope: weight");
    check_tables(tokens, dim, &cos, &sin);
    let ours = host::has(&x) && host::has(&weight) && host::has(&cos) && host::has(&sin);
    if !ours {
        let x = portable::rms_norm(x, weight, eps);
        return portable::rope(x.reshape([batch, tokens, heads, dim]), cos, sin);
    }
    let (weight, cos, sin) = (Values::of(weight), Values::of(cos), Values::of(sin));
    let y = host::map_rows(x, width, |first, rows| {
        for (i, row) in rows.chunks_mut(width).enumerate() {
            norm::rms_row(row, &weight, eps);
            rotate_heads(row, (first + i) % tokens, dim, &cos, &sin);
        }
    });
    y.reshape([batch, tokens, heads, dim])
}

fn check_tables(tokens: usize, dim: usize, cos: &Tensor<2>, sin: &Tensor<2>) {
    let want = [tokens, dim / 2];
    assert!(
        dim.is_multiple_of(2) && cos.dims() == want && sin.dims() == want,
        "rope: tables must be {want:?} for heads of {dim}, got {:?} and {:?}",
        cos.dims(),
        sin.dims()
    );
}

fn rotate_heads(row: &mut [f32], token: usize, dim: usize, cos: &[f32], sin: &[f32]) {
    let table = token * (dim / 2)..(token + 1) * (dim / 2);
    for head in row.chunks_mut(dim) {
        simd::rotate(head, &cos[table.clone()], &sin[table.clone()]);
    }
}
