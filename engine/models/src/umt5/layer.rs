//! One layer of the encoder, and the relative positions its attention is biased by.

use burn::tensor::{Int, TensorData};
use longtake_shaders::{Activation, attention, gated_gelu, rms_norm};

use super::EPS;
use crate::Tensor;
use crate::weights::{Matrix, Umt5Dims};

/// Distance from which all positions share a bucket (`relative_attention_max_distance`).
const MAX_DISTANCE: f32 = 128.0;

/// Self-attention and gated feed-forward, each behind an RMS norm and added to its input.
#[derive(Debug)]
pub(super) struct Layer {
    pub norm1: Tensor<1>,
    /// `[heads × d_kv, d]`
    pub q: Matrix,
    pub k: Matrix,
    pub v: Matrix,
    /// `[d, heads × d_kv]`
    pub o: Matrix,
    /// `[buckets, heads]`
    pub positions: Tensor<2>,
    pub norm2: Tensor<1>,
    /// `[d_ff, d]`
    pub gate: Matrix,
    pub up: Matrix,
    /// `[d, d_ff]`
    pub down: Matrix,
}

impl Layer {
    /// `x`: `[1, tokens, d]` → the same shape.
    pub fn forward(&self, x: Tensor<3>, dims: &Umt5Dims) -> Tensor<3> {
        let x = x.clone() + self.attend(rms_norm(x, self.norm1.clone(), EPS), dims);
        let n = rms_norm(x.clone(), self.norm2.clone(), EPS);
        let gate = product(&self.gate, n.clone());
        let up = product(&self.up, n);
        x + product(&self.down, gated_gelu(gate, up))
    }

    /// Attention without the usual `1/sqrt(d_kv)`: T5 folds it into the weights.
    fn attend(&self, n: Tensor<3>, dims: &Umt5Dims) -> Tensor<3> {
        let [batch, tokens, _] = n.dims();
        let split = |x: Tensor<3>| x.reshape([batch, tokens, dims.heads, dims.d_kv]);
        let q = split(product(&self.q, n.clone()));
        let k = split(product(&self.k, n.clone()));
        let v = split(product(&self.v, n));
        let out = attention(q, k, v, 1.0, Some(self.bias(tokens, dims)));
        product(
            &self.o,
            out.reshape([batch, tokens, dims.heads * dims.d_kv]),
        )
    }

    /// What is added to the scores: `[1, heads, queries, keys]`.
    fn bias(&self, tokens: usize, dims: &Umt5Dims) -> Tensor<4> {
        let table = buckets(tokens, dims.buckets);
        let device = self.positions.device();
        let index = burn::tensor::Tensor::<burn::Dispatch, 1, Int>::from_data(
            TensorData::new(table, [tokens * tokens]),
            &device,
        );
        let bias: Tensor<3> = self
            .positions
            .clone()
            .select(0, index)
            .reshape([tokens, tokens, dims.heads]);
        bias.permute([2, 0, 1]).unsqueeze_dim(0)
    }
}

/// T5's linear layers have no bias.
fn product(weight: &Matrix, x: Tensor<3>) -> Tensor<3> {
    weight.apply(x, None, Activation::None)
}

/// Bucket of every (query, key) pair, queries first. The first half of the buckets is for keys
/// before the query; within a half, distances get a bucket of their own up to a quarter of all
/// buckets and logarithmic ones from there on (transformers, `_relative_position_bucket`).
fn buckets(tokens: usize, buckets: usize) -> Vec<i32> {
    let half = buckets / 2;
    let exact = half / 2;
    let bucket = |distance: usize| {
        if distance < exact {
            return distance;
        }
        let ratio = (distance as f32 / exact as f32).ln() / (MAX_DISTANCE / exact as f32).ln();
        (exact + (ratio * (half - exact) as f32) as usize).min(half - 1)
    };
    let by_distance: Vec<usize> = (0..tokens).map(bucket).collect();
    let pairs = (0..tokens).flat_map(|query| (0..tokens).map(move |key| (query, key)));
    pairs
        .map(|(query, key)| {
            (by_distance[query.abs_diff(key)] + if key > query { half } else { 0 }) as i32
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_of_the_published_rule() {
        let table = buckets(200, 32);
        // From query 0 forwards: 16 + bucket. The steps are those of T5 with 32 buckets, 128.
        let forwards = |key: usize| table[key] - 16;
        for (key, want) in [
            (1, 1),
            (7, 7),
            (8, 8),
            (11, 8),
            (12, 9),
            (15, 9),
            (16, 10),
            (22, 10),
            (23, 11),
            (32, 12),
            (64, 14),
            (90, 14),
            (91, 15),
            (199, 15),
        ] {
            assert_eq!(forwards(key), want, "distance {key}");
        }
        assert_eq!(table[0], 0);
        assert_eq!(table[200], 1, "one back");
        assert_eq!(table[199 * 200], 15, "far back");
    }
}
