//! Softmax attention over tensors that keep tokens before heads.

#![allow(
    unsafe_code,
    reason = "tiles of one buffer, written by several workers"
)]

use std::mem::MaybeUninit;

use burn_flex::FlexTensor;
use rayon::prelude::*;

use crate::blas::{Kind, Operand, multiply};
use crate::host::{self, Shared, Values};
use crate::{Tensor, portable, simd};

/// Queries and keys of one tile. Its scores (512 KiB) stay in the second-level cache, and 256
/// rows are enough for the product to pack each tile of keys at little cost.
const TILE: [usize; 2] = [256, 512];
/// The same where there are so many queries that keys no longer stay in any cache: each tile of
/// keys is then fetched and packed for four times as many (7 % faster at 16,384 tokens).
const LONG_TILE: [usize; 2] = [1024, 256];
/// Queries from which on tiles are long.
const LONG: usize = 8192;

fn tile(queries: usize) -> [usize; 2] {
    if queries < LONG { TILE } else { LONG_TILE }
}

/// `softmax(scale q k^T + bias) v` per head.
///
/// `q` `[batch, queries, heads, dim]`, `k` and `v` `[batch, keys, heads, dim]`, `bias`
/// `[1 or batch, heads, queries, keys]`. The result has the layout of `q`, so heads need no
/// copies to be split or merged.
///
/// On the CPU this is the tiled softmax of Milakov and Gimelshein (2018), as in
/// FlashAttention: running row maxima and sums, the result rescaled when a maximum grows.
/// Workspace: see [`attention_workspace`].
pub fn attention(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    scale: f32,
    bias: Option<Tensor<4>>,
) -> Tensor<4> {
    let [batch, queries, heads, dim] = q.dims();
    let keys = k.dims()[1];
    assert!(
        k.dims() == [batch, keys, heads, dim] && v.dims() == k.dims(),
        "attention: q {:?}, k {:?}, v {:?}",
        q.dims(),
        k.dims(),
        v.dims()
    );
    if let Some(bias) = &bias {
        let [b, rest @ ..] = bias.dims();
        assert!(
            (b == 1 || b == batch) && rest == [heads, queries, keys],
            "attention: bias {:?} for {:?}",
            bias.dims(),
            [batch, heads, queries, keys]
        );
    }
    let ours = host::has(&q) && host::has(&k) && host::has(&v) && host::has_opt(bias.as_ref());
    if !ours {
        return portable::attention(q, k, v, scale, bias);
    }
    let mut out = host::uninit(batch * queries * heads * dim);
    let run = Run {
        bias_batches: bias.as_ref().map_or(0, |bias| bias.dims()[0]),
        bias: bias.map(Values::of),
        q: Heads::of(q),
        k: Heads::of(k),
        v: Heads::of(v),
        scale,
        out: Shared::new(&mut out),
        shape: [batch, queries, heads, dim],
        keys,
    };
    let [tile_queries, tile_keys] = tile(queries);
    let blocks = queries.div_ceil(tile_queries);
    let scores = || host::uninit(tile_queries.min(queries) * tile_keys.min(keys));
    (0..batch * heads * blocks)
        .into_par_iter()
        .with_max_len(1)
        .for_each_init(scores, |scores, i| {
            run.block(
                i / blocks / heads,
                i / blocks % heads,
                i % blocks * tile_queries,
                scores,
            );
        });
    // SAFETY: every block writes the rows of its queries and head, and there is at least one key.
    host::give_values(unsafe { host::written(out) }, [batch, queries, heads, dim])
}

/// Bytes of scratch that [`attention`] takes on the CPU besides its result, with `threads`
/// workers: one tile of scores each. Independent of the batch and the heads.
pub fn attention_workspace(queries: usize, keys: usize, threads: usize) -> usize {
    let [tile_queries, tile_keys] = tile(queries);
    threads * tile_queries.min(queries) * tile_keys.min(keys) * size_of::<f32>()
}

/// A `[batch, tokens, heads, dim]` tensor read through its strides.
struct Heads {
    flex: FlexTensor,
    strides: [usize; 3],
}

impl Heads {
    fn of(x: Tensor<4>) -> Self {
        let mut flex = host::take(x);
        let plain = |flex: &FlexTensor| {
            let strides = flex.layout().strides();
            strides[3] == 1 && strides[..3].iter().all(|&s| s >= 0) && strides[1] > 0
        };
        // The product needs rows at least as far apart as they are long.
        let fits = plain(&flex) && flex.layout().strides()[1] as usize >= flex.layout().shape()[3];
        if !fits {
            flex = flex.to_contiguous();
        }
        let strides = flex.layout().strides();
        Self {
            strides: [
                strides[0] as usize,
                strides[1] as usize,
                strides[2] as usize,
            ],
            flex,
        }
    }

    fn rows(&self, batch: usize, head: usize, token: usize, transposed: bool) -> Operand<'_> {
        let [b, t, h] = self.strides;
        let at = self.flex.layout().start_offset() + batch * b + token * t + head * h;
        let values = &self.flex.storage::<f32>()[at..];
        if transposed {
            Operand::transposed(values, t)
        } else {
            Operand::new(values, t)
        }
    }
}

struct Run<'a> {
    q: Heads,
    k: Heads,
    v: Heads,
    bias: Option<Values>,
    bias_batches: usize,
    scale: f32,
    out: Shared<'a>,
    shape: [usize; 4],
    keys: usize,
}

impl Run<'_> {
    /// Attends from one tile of queries of one head to all keys.
    fn block(&self, batch: usize, head: usize, first: usize, scores: &mut [MaybeUninit<f32>]) {
        let [_, queries, heads, dim] = self.shape;
        let [tile_queries, tile_keys] = tile(queries);
        let rows = tile_queries.min(queries - first);
        let out_row = heads * dim;
        let out = (batch * queries + first) * out_row + head * dim;
        let mut tops = [f32::NEG_INFINITY; LONG_TILE[0]];
        let mut totals = [0.0_f32; LONG_TILE[0]];
        for key in (0..self.keys).step_by(tile_keys) {
            let cols = tile_keys.min(self.keys - key);
            let q = self.q.rows(batch, head, first, false);
            let k = self.k.rows(batch, head, key, true);
            let scores = &mut scores[..rows * cols];
            let c = scores.as_mut_ptr().cast();
            // SAFETY: the tile of scores is this worker's own, and is written as a whole.
            let scores = unsafe {
                multiply(
                    Kind::Scores,
                    [rows, cols, dim],
                    self.scale,
                    q,
                    k,
                    0.0,
                    c,
                    cols,
                );
                host::written_slice(scores)
            };
            for (r, row) in scores.chunks_mut(cols).enumerate() {
                self.add_bias([batch, head, first + r, key], row);
                let top = tops[r].max(simd::max(row));
                let sum = simd::exp_sum(row, 1.0, top);
                if key > 0 && top > tops[r] {
                    let shrink = (tops[r] - top).exp();
                    totals[r] *= shrink;
                    // SAFETY: this worker's own rows and head, written by the last round.
                    simd::scale(unsafe { self.out.slice(out + r * out_row, dim) }, shrink);
                }
                totals[r] += sum;
                tops[r] = top;
            }
            let weights = Operand::new(scores, cols);
            let v = self.v.rows(batch, head, key, false);
            let beta = if key == 0 { 0.0 } else { 1.0 };
            let size = [rows, dim, cols];
            let c = self.out.rectangle(out, rows, dim, out_row);
            // SAFETY: as above; with a beta of 1 the last round has written them.
            unsafe { multiply(Kind::Values, size, 1.0, weights, v, beta, c, out_row) };
        }
        for (r, total) in totals.iter().take(rows).enumerate() {
            // SAFETY: as above.
            simd::scale(
                unsafe { self.out.slice(out + r * out_row, dim) },
                total.recip(),
            );
        }
    }

    fn add_bias(&self, [batch, head, query, key]: [usize; 4], row: &mut [f32]) {
        let Some(bias) = &self.bias else { return };
        let [_, queries, heads, _] = self.shape;
        let batch = if self.bias_batches == 1 { 0 } else { batch };
        let at = ((batch * heads + head) * queries + query) * self.keys + key;
        simd::add(row, &bias[at..at + row.len()]);
    }
}
