//! One block of the control network: self-attention and feed-forward under the time, no text, and
//! the projection of its residual.

use longtake_shaders::{
    Activation, Tensor, attention, gate_residual, layer_norm_modulate, rms_norm_rope,
};

use super::dims::Uni3cDims;
use super::{NORM_EPS, QK_EPS, ROWS};
use crate::Device;
use crate::dense::Dense;
use crate::wan::dit::rope::RopeTables;
use crate::weights::{Checkpoint, WeightsError};

/// A layer norm with weights, whose result the time shifts and scales, and whose branch it gates
/// (`SimpleCogVideoXLayerNormZero` of the authors' `src/models/controlnet.py`).
struct ZeroNorm {
    /// The time to shift, scale, gate.
    time: Dense,
    weight: Tensor<1>,
    bias: Tensor<1>,
}

/// What the time makes of a norm, `[batch, 1, dim]` each; to be used by
/// [`layer_norm_modulate`], which has no weights of its own.
struct Modulation {
    scale: Tensor<3>,
    shift: Tensor<3>,
    gate: Tensor<3>,
}

impl ZeroNorm {
    fn load(source: &Source<'_>, name: &str) -> Result<Self, WeightsError> {
        let Uni3cDims { dim, time_dim, .. } = source.dims;
        let vector = |end: &str| source.vector(&format!("{name}.norm.{end}"), dim);
        Ok(Self {
            time: source.dense(&format!("{name}.linear"), time_dim, 3 * dim)?,
            weight: vector("weight")?,
            bias: vector("bias")?,
        })
    }

    /// `time` is SiLU of the time embedding, `[batch, 1, time_dim]`.
    ///
    /// `(LN(x) w + b)(1 + scale) + shift = LN(x)(1 + [w (1 + scale) − 1]) + [b (1 + scale) + shift]`:
    /// the norm's own weights go into two vectors instead of over all tokens.
    fn modulation(&self, time: Tensor<3>) -> Modulation {
        let all = self.time.apply(time);
        let dim = all.dims()[2] / 3;
        let part = |index: usize| all.clone().narrow(2, index * dim, dim);
        let factor = part(1) + 1.0;
        let weight = self.weight.clone().unsqueeze::<3>();
        let bias = self.bias.clone().unsqueeze::<3>();
        Modulation {
            scale: factor.clone() * weight - 1.0,
            shift: factor * bias + part(0),
            gate: part(2),
        }
    }
}

/// Where a block's tensors come from: a checkpoint under ComfyUI's names.
pub struct Source<'a> {
    pub checkpoint: &'a Checkpoint,
    pub dims: Uni3cDims,
    pub device: &'a Device,
}

impl Source<'_> {
    pub fn dense(&self, name: &str, from: usize, to: usize) -> Result<Dense, WeightsError> {
        Dense::load(self.checkpoint, name, from, to, self.device)
    }

    pub fn vector(&self, name: &str, len: usize) -> Result<Tensor<1>, WeightsError> {
        self.checkpoint.tensor(name, [len], self.device)
    }
}

/// The weights of one block on the device.
pub struct Block {
    heads: usize,
    norm1: ZeroNorm,
    q: Dense,
    k: Dense,
    v: Dense,
    o: Dense,
    /// Over all heads together.
    norm_q: Tensor<1>,
    norm_k: Tensor<1>,
    norm2: ZeroNorm,
    ffn: [Dense; 2],
    residual: Dense,
}

impl Block {
    pub fn load(source: &Source<'_>, index: usize) -> Result<Self, WeightsError> {
        let Uni3cDims {
            dim,
            ffn_dim,
            out_dim,
            heads,
            ..
        } = source.dims;
        let name = |part: &str| format!("controlnet_blocks.{index}.{part}");
        let square = |part: &str| source.dense(&name(&format!("self_attn.{part}")), dim, dim);
        Ok(Self {
            heads,
            norm1: ZeroNorm::load(source, &name("norm1"))?,
            q: square("q")?,
            k: square("k")?,
            v: square("v")?,
            o: square("o")?,
            norm_q: source.vector(&name("self_attn.norm_q.weight"), dim)?,
            norm_k: source.vector(&name("self_attn.norm_k.weight"), dim)?,
            norm2: ZeroNorm::load(source, &name("norm2"))?,
            ffn: [
                source.dense(&name("ffn.0"), dim, ffn_dim)?,
                source.dense(&name("ffn.2"), ffn_dim, dim)?,
            ],
            residual: source.dense(&format!("proj_out.{index}"), dim, out_dim)?,
        })
    }

    /// `x` `[batch, tokens, dim]` to the same; `time` as for [`ZeroNorm::modulation`].
    pub fn forward(&self, x: Tensor<3>, time: &Tensor<3>, rope: &RopeTables) -> Tensor<3> {
        let x = self.attend(x, self.norm1.modulation(time.clone()), rope);
        self.feed_forward(x, &self.norm2.modulation(time.clone()))
    }

    /// What is added to the transformer's stream, `strength` times.
    pub fn residual(&self, x: Tensor<3>, strength: f32) -> Tensor<3> {
        if strength == 1.0 {
            return self.residual.apply(x);
        }
        // On the narrow side of the projection there is less to multiply and to hold.
        let scaled = Dense {
            weight: self.residual.weight.clone(),
            bias: self.residual.bias.clone().map(|bias| bias * strength),
        };
        scaled.apply(x * strength)
    }

    fn attend(&self, x: Tensor<3>, modulation: Modulation, rope: &RopeTables) -> Tensor<3> {
        let [batch, tokens, dim] = x.dims();
        let head_dim = dim / self.heads;
        let turned = |y: Tensor<3>, norm: &Tensor<1>| {
            let (cos, sin) = (rope.cos.clone(), rope.sin.clone());
            rms_norm_rope(y, norm.clone(), QK_EPS, cos, sin, self.heads)
        };
        let Modulation { scale, shift, gate } = modulation;
        let y = layer_norm_modulate(x.clone(), scale, shift, NORM_EPS);
        let q = turned(self.q.apply(y.clone()), &self.norm_q);
        let k = turned(self.k.apply(y.clone()), &self.norm_k);
        let v = self
            .v
            .apply(y)
            .reshape([batch, tokens, self.heads, head_dim]);
        let y = attention(q, k, v, 1.0 / (head_dim as f32).sqrt(), None);
        gate_residual(x, gate, self.o.apply(y.reshape([batch, tokens, dim])))
    }

    /// A few rows at a time: the hidden layer is four times as wide as the stream.
    fn feed_forward(&self, mut x: Tensor<3>, modulation: &Modulation) -> Tensor<3> {
        let [batch, tokens, dim] = x.dims();
        let step = (ROWS / batch).max(1);
        let [wide, narrow] = &self.ffn;
        for start in (0..tokens).step_by(step) {
            let end = tokens.min(start + step);
            let rows = x.clone().slice([0..batch, start..end, 0..dim]);
            let (scale, shift) = (modulation.scale.clone(), modulation.shift.clone());
            let y = layer_norm_modulate(rows.clone(), scale, shift, NORM_EPS);
            let y = narrow.apply(wide.apply_act(y, Activation::GeluTanh));
            // `rows` is a view of `x` and has to be gone before `x` is written in place.
            let rows = gate_residual(rows, modulation.gate.clone(), y);
            x = x.slice_assign([0..batch, start..end, 0..dim], rows);
        }
        x
    }
}
