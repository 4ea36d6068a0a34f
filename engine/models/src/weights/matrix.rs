//! The weight of a linear layer as a module holds it: dense or packed, with what LoRAs add to it.

use burn::tensor::DType;
use longtake_shaders::{Activation, activate, linear, linear_act};

use super::dtype::FloatKind;
use super::packed::Packed;
use crate::Tensor;
use crate::lora::Delta;

/// Rows of a product that a low-rank addition is made for at a time, so that it needs no second
/// result of full size.
const ROWS: usize = 1024;

/// A low-rank addition: `y += up (down x)`. Its strength is already in `up`.
#[derive(Clone, Debug)]
pub struct LowRank {
    /// `[rank, in]`
    pub down: Tensor<2>,
    /// `[out, rank]`
    pub up: Tensor<2>,
}

/// A matrix `[out, in]`. Cloning copies handles, not weights.
#[derive(Clone, Debug)]
pub struct Matrix {
    weight: Weight,
    low_rank: Vec<LowRank>,
    /// Changes of full size, put on each time a packed weight is widened; a dense one has them in it.
    deltas: Vec<Delta>,
}

#[derive(Clone, Debug)]
enum Weight {
    Dense(Tensor<2>),
    Packed(Packed),
}

impl From<Tensor<2>> for Matrix {
    fn from(weight: Tensor<2>) -> Self {
        Self {
            weight: Weight::Dense(weight),
            low_rank: Vec::new(),
            deltas: Vec::new(),
        }
    }
}

impl Matrix {
    /// A packed weight and the changes of full size to it.
    pub(crate) fn packed(packed: Packed, deltas: Vec<Delta>) -> Self {
        Self {
            weight: Weight::Packed(packed),
            low_rank: Vec::new(),
            deltas,
        }
    }

    /// With low-rank additions, which stay apart: rounded into an eight-bit weight they would be
    /// lost.
    #[must_use]
    pub(crate) fn with_low_rank(mut self, low_rank: Vec<LowRank>) -> Self {
        self.low_rank = low_rank;
        self
    }

    /// The type it computes in.
    pub fn dtype(&self) -> DType {
        match &self.weight {
            Weight::Dense(weight) => weight.dtype(),
            Weight::Packed(packed) => packed.kind().burn(),
        }
    }

    /// Whether the weight is widened on each use.
    pub fn is_packed(&self) -> bool {
        matches!(self.weight, Weight::Packed(_))
    }

    /// The same with its weight dense: for a layer that is applied several times in a row.
    #[must_use]
    pub fn ready(&self) -> Self {
        Self::from(self.dense()).with_low_rank(self.low_rank.clone())
    }

    fn dense(&self) -> Tensor<2> {
        match &self.weight {
            Weight::Dense(weight) => weight.clone(),
            Weight::Packed(packed) if self.deltas.is_empty() => packed.unpack(),
            Weight::Packed(packed) => {
                let weight = packed.unpack().cast(FloatKind::F32.burn());
                let changed = self
                    .deltas
                    .iter()
                    .fold(weight, |weight, it| it.apply(weight));
                changed.cast(packed.kind().burn())
            }
        }
    }

    /// `act(x W^T + b)` for `x` `[batch, tokens, in]`.
    pub fn apply(&self, x: Tensor<3>, bias: Option<Tensor<1>>, act: Activation) -> Tensor<3> {
        if self.low_rank.is_empty() {
            return linear_act(x, self.dense(), bias, act);
        }
        let mut y = linear(x.clone(), self.dense(), bias);
        for it in &self.low_rank {
            y = it.add_to(y, &x);
        }
        activate(y, act)
    }
}

impl LowRank {
    fn add_to(&self, mut y: Tensor<3>, x: &Tensor<3>) -> Tensor<3> {
        let [batch, tokens, width] = y.dims();
        let inner = x.dims()[2];
        let added =
            |x: Tensor<3>| linear(linear(x, self.down.clone(), None), self.up.clone(), None);
        let step = (ROWS / batch.max(1)).max(1);
        if tokens <= step {
            return y + added(x.clone());
        }
        for start in (0..tokens).step_by(step) {
            let end = tokens.min(start + step);
            let rows = x.clone().slice([0..batch, start..end, 0..inner]);
            let sum = y.clone().slice([0..batch, start..end, 0..width]) + added(rows);
            y = y.slice_assign([0..batch, start..end, 0..width], sum);
        }
        y
    }
}
