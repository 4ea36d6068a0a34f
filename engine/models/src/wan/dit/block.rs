//! One transformer block: self-attention, attention to text and image, feed-forward.

use std::ops::ControlFlow;

use longtake_shaders::{
    Tensor, attention, gate_residual, layer_norm, layer_norm_modulate, rms_norm, rms_norm_rope,
};

use super::EPS;
use super::context::Embedded;
use super::rope::RopeTables;
use super::source::{Linear, Source};
use super::time::{Modulation, TimeRun, gated, modulate, pieces};
use crate::weights::WeightsError;

/// Indices into the six modulation vectors: shift, scale and gate of each part.
const ATTENTION: [usize; 3] = [0, 1, 2];
const FEED_FORWARD: [usize; 3] = [3, 4, 5];

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

/// Keys and values of the image, with the text's queries (Wan 2.1 image to video).
struct ImageKeys {
    k: Linear,
    v: Linear,
    norm_k: Tensor<1>,
}

impl ImageKeys {
    fn load(source: &Source<'_>, name: &str) -> Result<Self, WeightsError> {
        let dim = source.dims.dim;
        Ok(Self {
            k: source.linear(&format!("{name}.k_img"), dim, dim)?,
            v: source.linear(&format!("{name}.v_img"), dim, dim)?,
            norm_k: source.get(&format!("{name}.norm_k_img.weight"), [dim])?,
        })
    }
}

/// Keys and values `[batch, rows, heads, head_dim]`.
#[derive(Clone)]
struct Keys {
    k: Tensor<4>,
    v: Tensor<4>,
}

/// What one block attends to besides the tokens.
#[derive(Clone)]
pub struct ContextKeys {
    text: Keys,
    image: Option<Keys>,
}

/// The weights of one block on the device.
pub struct Block {
    heads: usize,
    /// `[1, 6, dim]`: shift, scale, gate of the self-attention, then of the feed-forward.
    modulation: Tensor<3>,
    self_attn: Attention,
    norm3: [Tensor<1>; 2],
    cross_attn: Attention,
    image: Option<ImageKeys>,
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
            image: match dims.image_dim {
                0 => None,
                _ => Some(ImageKeys::load(source, &name("cross_attn"))?),
            },
            ffn: [
                source.linear(&name("ffn.0"), dim, ffn_dim)?,
                source.linear(&name("ffn.2"), ffn_dim, dim)?,
            ],
        })
    }

    /// Keys and values of text and image.
    pub fn keys(&self, context: &Embedded) -> ContextKeys {
        let of = |k: &Linear, v: &Linear, norm: &Tensor<1>, rows: &Tensor<3>| Keys {
            k: self.split(rms_norm(k.apply(rows.clone()), norm.clone(), EPS)),
            v: self.split(v.apply(rows.clone())),
        };
        let text = &self.cross_attn;
        let image = self.image.as_ref().zip(context.image.as_ref());
        ContextKeys {
            text: of(&text.k, &text.v, &text.norm_k, &context.text),
            image: image.map(|(image, rows)| of(&image.k, &image.v, &image.norm_k, rows)),
        }
    }

    /// `x` `[batch, tokens, dim]` with the times of its tokens. `pause` is asked between the
    /// parts; where it breaks, so does the block.
    pub fn forward(
        &self,
        x: Tensor<3>,
        runs: &[TimeRun],
        context: ContextKeys,
        rope: &RopeTables,
        pause: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> ControlFlow<(), Tensor<3>> {
        let modulations = Modulation::of_runs(&self.modulation, runs);
        let x = self.attend(x, &modulations, rope);
        pause()?;
        let x = self.attend_context(x, context);
        pause()?;
        self.feed_forward(x, &modulations, pause)
    }

    fn attend(&self, x: Tensor<3>, modulations: &[Modulation], rope: &RopeTables) -> Tensor<3> {
        let [shift, scale, gate] = ATTENTION;
        let attn = &self.self_attn;
        let turned = |y: Tensor<3>, norm: &Tensor<1>| {
            let (cos, sin) = (rope.cos.clone(), rope.sin.clone());
            rms_norm_rope(y, norm.clone(), EPS, cos, sin, self.heads)
        };
        let y = modulate(&x, modulations, [shift, scale]);
        let q = turned(attn.q.apply(y.clone()), &attn.norm_q);
        let k = turned(attn.k.apply(y.clone()), &attn.norm_k);
        let v = self.split(attn.v.apply(y));
        let y = mix(q, k, v);
        gated(x, modulations, gate, attn.o.apply(y))
    }

    fn attend_context(&self, x: Tensor<3>, context: ContextKeys) -> Tensor<3> {
        let attn = &self.cross_attn;
        let [weight, bias] = self.norm3.clone();
        let y = layer_norm(x.clone(), Some(weight), Some(bias), EPS);
        let q = self.split(rms_norm(attn.q.apply(y), attn.norm_q.clone(), EPS));
        let ContextKeys { text, image } = context;
        let y = match image {
            Some(image) => mix(q.clone(), text.k, text.v) + mix(q, image.k, image.v),
            None => mix(q, text.k, text.v),
        };
        x + attn.o.apply(y)
    }

    /// A few rows at a time: the hidden layer is six times as wide as the stream, and at 32 000
    /// tokens would need more memory than all the rest of the pass.
    fn feed_forward(
        &self,
        mut x: Tensor<3>,
        modulations: &[Modulation],
        pause: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> ControlFlow<(), Tensor<3>> {
        let [shift, scale, gate] = FEED_FORWARD;
        let [batch, _, dim] = x.dims();
        let [wide, narrow] = self.ffn.each_ref().map(Linear::ready);
        for (tokens, by) in pieces(modulations, batch) {
            let at = [0..batch, tokens, 0..dim];
            let rows = x.clone().slice(at.clone());
            let y = layer_norm_modulate(rows.clone(), by.part(scale), by.part(shift), EPS);
            let y = narrow.apply(wide.apply_gelu(y));
            // `rows` is a view of `x` and has to be gone before `x` is written in place.
            let rows = gate_residual(rows, by.part(gate), y);
            x = x.slice_assign(at, rows);
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
