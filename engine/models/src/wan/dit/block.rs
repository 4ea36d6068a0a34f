//! One transformer block: self-attention, attention to the text, feed-forward.

use std::ops::ControlFlow;

use longtake_shaders::{
    Tensor, attention, gate_residual, layer_norm, layer_norm_modulate, rms_norm, rms_norm_rope,
};

use super::rope::RopeTables;
use super::source::{Linear, Source};
use super::{EPS, FFN_ROWS};
use crate::weights::WeightsError;

/// Projections of an attention and the norms of its queries and keys, which span all heads.
struct Attention {
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
    norm_q: Tensor<1>,
    norm_k: Tensor<1>,
}

impl Attention {
    fn load(source: &Source<'_>, name: &str) -> Result<Self, WeightsError> {
        let dim = source.dims.dim;
        let square = |part: &str| source.linear(&format!("{name}.{part}"), dim, dim);
        let norm = |part: &str| source.get(&format!("{name}.{part}.weight"), [dim]);
        Ok(Self {
            q: square("q")?,
            k: square("k")?,
            v: square("v")?,
            o: square("o")?,
            norm_q: norm("norm_q")?,
            norm_k: norm("norm_k")?,
        })
    }
}

/// Keys and values of the text for one block, `[batch, rows, heads, head_dim]` each.
#[derive(Clone)]
pub struct TextKeys {
    k: Tensor<4>,
    v: Tensor<4>,
}

/// The weights of one block on the device.
pub struct Block {
    heads: usize,
    /// `[1, 6, dim]`: shift, scale, gate of the self-attention, then of the feed-forward.
    modulation: Tensor<3>,
    self_attn: Attention,
    norm3: [Tensor<1>; 2],
    cross_attn: Attention,
    ffn: [Linear; 2],
}

impl Block {
    pub fn load(source: &Source<'_>, index: usize) -> Result<Self, WeightsError> {
        let dims = source.dims;
        let (dim, ffn_dim) = (dims.dim, dims.ffn_dim);
        let name = |part: &str| format!("blocks.{index}.{part}");
        Ok(Self {
            heads: dims.heads,
            modulation: source.get(&name("modulation"), [1, 6, dim])?,
            self_attn: Attention::load(source, &name("self_attn"))?,
            norm3: [
                source.get(&name("norm3.weight"), [dim])?,
                source.get(&name("norm3.bias"), [dim])?,
            ],
            cross_attn: Attention::load(source, &name("cross_attn"))?,
            ffn: [
                source.linear(&name("ffn.0"), dim, ffn_dim)?,
                source.linear(&name("ffn.2"), ffn_dim, dim)?,
            ],
        })
    }

    /// Keys and values of an embedded text `[batch, rows, dim]`.
    pub fn text_keys(&self, text: Tensor<3>) -> TextKeys {
        let attn = &self.cross_attn;
        let k = rms_norm(attn.k.apply(text.clone()), attn.norm_k.clone(), EPS);
        let v = attn.v.apply(text);
        TextKeys {
            k: self.split(k),
            v: self.split(v),
        }
    }

    /// `x` `[batch, tokens, dim]`, `e0` `[batch, 6, dim]` the projected time embedding. `pause` is
    /// asked between the parts; where it breaks, so does the block.
    pub fn forward(
        &self,
        x: Tensor<3>,
        e0: Tensor<3>,
        text: TextKeys,
        rope: &RopeTables,
        pause: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> ControlFlow<(), Tensor<3>> {
        let modulation = self.modulation.clone() + e0;
        let part = |index: usize| modulation.clone().narrow(1, index, 1);
        let x = self.attend(x, [part(0), part(1), part(2)], rope);
        pause()?;
        let x = self.attend_text(x, text);
        pause()?;
        self.feed_forward(x, &[part(3), part(4), part(5)], pause)
    }

    fn attend(&self, x: Tensor<3>, modulation: [Tensor<3>; 3], rope: &RopeTables) -> Tensor<3> {
        let [shift, scale, gate] = modulation;
        let attn = &self.self_attn;
        let turned = |y: Tensor<3>, norm: &Tensor<1>| {
            let (cos, sin) = (rope.cos.clone(), rope.sin.clone());
            rms_norm_rope(y, norm.clone(), EPS, cos, sin, self.heads)
        };
        let y = layer_norm_modulate(x.clone(), scale, shift, EPS);
        let q = turned(attn.q.apply(y.clone()), &attn.norm_q);
        let k = turned(attn.k.apply(y.clone()), &attn.norm_k);
        let v = self.split(attn.v.apply(y));
        let y = mix(q, k, v);
        gate_residual(x, gate, attn.o.apply(y))
    }

    fn attend_text(&self, x: Tensor<3>, text: TextKeys) -> Tensor<3> {
        let attn = &self.cross_attn;
        let [weight, bias] = self.norm3.clone();
        let y = layer_norm(x.clone(), Some(weight), Some(bias), EPS);
        let q = rms_norm(attn.q.apply(y), attn.norm_q.clone(), EPS);
        let y = mix(self.split(q), text.k, text.v);
        x + attn.o.apply(y)
    }

    /// A few rows at a time: the hidden layer is six times as wide as the stream, and at 32 000
    /// tokens would need more memory than all the rest of the pass.
    fn feed_forward(
        &self,
        mut x: Tensor<3>,
        [shift, scale, gate]: &[Tensor<3>; 3],
        pause: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> ControlFlow<(), Tensor<3>> {
        let [batch, tokens, dim] = x.dims();
        let step = (FFN_ROWS / batch).max(1);
        let [wide, narrow] = self.ffn.each_ref().map(Linear::ready);
        for start in (0..tokens).step_by(step) {
            let end = tokens.min(start + step);
            let rows = x.clone().slice([0..batch, start..end, 0..dim]);
            let y = layer_norm_modulate(rows.clone(), scale.clone(), shift.clone(), EPS);
            let y = narrow.apply(wide.apply_gelu(y));
            // `rows` is a view of `x` and has to be gone before `x` is written in place.
            let rows = gate_residual(rows, gate.clone(), y);
            x = x.slice_assign([0..batch, start..end, 0..dim], rows);
            pause()?;
        }
        ControlFlow::Continue(x)
    }

    fn split(&self, x: Tensor<3>) -> Tensor<4> {
        let [batch, tokens, dim] = x.dims();
        x.reshape([batch, tokens, self.heads, dim / self.heads])
    }
}

/// Attention with its heads put side by side again, `[batch, tokens, dim]`.
fn mix(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>) -> Tensor<3> {
    let [batch, tokens, heads, head_dim] = q.dims();
    let scale = 1.0 / (head_dim as f32).sqrt();
    attention(q, k, v, scale, None).reshape([batch, tokens, heads * head_dim])
}
