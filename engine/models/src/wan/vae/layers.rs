//! The layers of the Wan VAEs with their feature cache.
//!
//! A clip goes through in chunks of frames. Each causal convolution keeps the last two frames of
//! its input for the next chunk, and each resampling over time what its own rule asks for, so
//! that chunks meet without a seam and memory does not grow with the clip. The rules for a
//! first chunk are those of `wan/modules/vae2_1.py` and `vae2_2.py` (Wan-Video/Wan2.2): a run over all frames at
//! once would give other numbers.

use longtake_shaders::{
    attention, causal_conv3d, channel_rms_norm_silu, conv2d, linear, upsample_nearest2x_conv2d,
};

use super::shortcut::{Means, Repeats};
use crate::Tensor;

/// What one layer remembers between chunks.
#[derive(Clone, Debug, Default)]
enum Slot {
    /// No chunk has passed.
    #[default]
    Empty,
    /// One chunk has passed a doubling of frames; it leaves no history.
    Passed,
    /// The last frames of the layer's input.
    Frames(Tensor<5>),
}

/// The memory of all layers of one pass (one tile, encoder or decoder), in order of visit.
#[derive(Clone, Debug, Default)]
pub(super) struct Cache {
    slots: Vec<Slot>,
    next: usize,
}

impl Cache {
    /// To be called before each chunk.
    pub fn rewind(&mut self) {
        self.next = 0;
    }

    fn visit(&mut self) -> &mut Slot {
        if self.next == self.slots.len() {
            self.slots.push(Slot::Empty);
        }
        self.next += 1;
        &mut self.slots[self.next - 1]
    }
}

/// A layer between the first and the last convolution.
pub(super) enum Stage {
    Res(Box<ResBlock>),
    Attention(FrameAttention),
    Up(Upsample),
    Down(Downsample),
    Fork,
    JoinMeans(Means),
    JoinRepeats(Repeats),
}

/// Sends a chunk `[1, c, n, h, w]` through `stages`.
pub(super) fn through(stages: &[Stage], mut x: Tensor<5>, cache: &mut Cache) -> Tensor<5> {
    let mut forked = None;
    for stage in stages {
        x = match stage {
            Stage::Res(block) => block.forward(x, cache),
            Stage::Attention(block) => block.forward(x),
            Stage::Up(block) => block.forward(x, cache),
            Stage::Down(block) => block.forward(x, cache),
            Stage::Fork => {
                forked = Some(x.clone());
                x
            }
            // A fork stands before every join: the structure is made that way.
            Stage::JoinMeans(join) => match forked.take() {
                Some(before) => join.add(x, before),
                None => x,
            },
            Stage::JoinRepeats(join) => match forked.take() {
                Some(before) => join.add(x, before),
                None => x,
            },
        };
    }
    x
}

/// The last two frames of the input so far, of which `x` is the newest part and `before` what an
/// earlier call gave. The frames are copied: a view would keep the whole chunk alive.
fn last_two(x: &Tensor<5>, before: Option<&Tensor<5>>) -> Tensor<5> {
    let n = x.dims()[2];
    let frame = |x: &Tensor<5>, i: usize| x.clone().narrow(2, i, 1);
    match before {
        _ if n >= 2 => Tensor::cat(vec![frame(x, n - 2), frame(x, n - 1)], 2),
        Some(before) => Tensor::cat(vec![frame(before, before.dims()[2] - 1), x.clone()], 2),
        None => x.clone(),
    }
}

/// Convolution that looks back only: `2 * p` zero frames stand before the first, where `p` is
/// the padding in time, as `(kernel - 1) / 2` in space on all sides.
#[derive(Clone, Debug)]
pub(super) struct CausalConv {
    /// `[out, in, time, height, width]`
    pub weight: Tensor<5>,
    pub bias: Tensor<1>,
}

impl CausalConv {
    /// `x` `[1, in, n, h, w]` to `[1, out, n, h, w]`, remembering the last frames of `x`.
    pub fn forward(&self, x: Tensor<5>, cache: &mut Cache) -> Tensor<5> {
        let slot = cache.visit();
        let before = match std::mem::take(slot) {
            Slot::Frames(frames) => Some(frames),
            Slot::Empty | Slot::Passed => None,
        };
        *slot = Slot::Frames(last_two(&x, before.as_ref()));
        self.apply(x, before)
    }

    /// The convolution alone, `before` standing in for the zero frames.
    pub fn apply(&self, x: Tensor<5>, before: Option<Tensor<5>>) -> Tensor<5> {
        let [_, _, time, height, _] = self.weight.dims();
        let (weight, bias) = (self.weight.clone(), Some(self.bias.clone()));
        causal_conv3d(x, before, weight, bias, [1; 3], height / 2, time - 1)
    }
}

/// Norm over channels with gain, then SiLU.
#[derive(Clone, Debug)]
pub(super) struct NormSilu(pub Tensor<1>);

impl NormSilu {
    pub fn forward(&self, x: Tensor<5>) -> Tensor<5> {
        channel_rms_norm_silu(x, self.0.clone(), true)
    }
}

#[derive(Clone, Debug)]
pub(super) struct ResBlock {
    pub norm1: NormSilu,
    pub conv1: CausalConv,
    pub norm2: NormSilu,
    pub conv2: CausalConv,
    pub shortcut: Option<CausalConv>,
}

impl ResBlock {
    pub fn forward(&self, x: Tensor<5>, cache: &mut Cache) -> Tensor<5> {
        let h = self.conv1.forward(self.norm1.forward(x.clone()), cache);
        let h = self.conv2.forward(self.norm2.forward(h), cache);
        match &self.shortcut {
            // `h` is nobody else's, so the sum can take its place.
            Some(shortcut) => h + shortcut.apply(x, None),
            None => h + x,
        }
    }
}

/// Self-attention over the positions of each frame, one head as wide as the channels.
#[derive(Clone, Debug)]
pub(super) struct FrameAttention {
    pub norm: Tensor<1>,
    /// `[3 channels, channels]`: queries, keys, values.
    pub qkv: Tensor<2>,
    pub qkv_bias: Tensor<1>,
    pub proj: Tensor<2>,
    pub proj_bias: Tensor<1>,
}

impl FrameAttention {
    pub fn forward(&self, x: Tensor<5>) -> Tensor<5> {
        let [b, c, n, h, w] = x.dims();
        let y = channel_rms_norm_silu(x.clone(), self.norm.clone(), false);
        let y = y.permute([0, 2, 3, 4, 1]).reshape([b * n, h * w, c]);
        let y = linear(y, self.qkv.clone(), Some(self.qkv_bias.clone()));
        let part = |i: usize| y.clone().narrow(2, i * c, c).unsqueeze_dim::<4>(2);
        let y = attention(part(0), part(1), part(2), (c as f32).powf(-0.5), None);
        let y = linear(
            y.reshape([b * n, h * w, c]),
            self.proj.clone(),
            Some(self.proj_bias.clone()),
        );
        x + y.reshape([b, n, h, w, c]).permute([0, 4, 1, 2, 3])
    }
}

/// Enlargement by two in space; with `time_conv`, also in time after the first chunk.
#[derive(Clone, Debug)]
pub(super) struct Upsample {
    /// `[out, in, 3, 3]`
    pub weight: Tensor<4>,
    pub bias: Tensor<1>,
    /// `[2 in, in, 3, 1, 1]`: the two halves of its output are the even and the odd frames.
    pub time_conv: Option<CausalConv>,
}

impl Upsample {
    pub fn forward(&self, x: Tensor<5>, cache: &mut Cache) -> Tensor<5> {
        let [_, c, n, h, w] = x.dims();
        let frames = match &self.time_conv {
            None => frames_first(x),
            Some(conv) => match double(conv, &x, cache.visit()) {
                None => frames_first(x),
                Some(y) => y
                    .reshape([2, c, n, h, w])
                    .permute([2, 0, 1, 3, 4])
                    .reshape([2 * n, c, h, w]),
            },
        };
        let y = upsample_nearest2x_conv2d(frames, self.weight.clone(), Some(self.bias.clone()));
        channels_first(y)
    }
}

/// `[1, 2c, n, h, w]`, or nothing for the first chunk, which is not doubled. That chunk leaves no
/// history either: the second sees zero frames before it.
fn double(conv: &CausalConv, x: &Tensor<5>, slot: &mut Slot) -> Option<Tensor<5>> {
    let before = match std::mem::take(slot) {
        Slot::Empty => {
            *slot = Slot::Passed;
            return None;
        }
        Slot::Passed => None,
        Slot::Frames(frames) => Some(frames),
    };
    // One frame and no history: the convolution pads with zeros, which is also the history that
    // the next chunk must see.
    *slot = Slot::Frames(match &before {
        None if x.dims()[2] < 2 => Tensor::cat(vec![x.zeros_like(), x.clone()], 2),
        before => last_two(x, before.as_ref()),
    });
    Some(conv.apply(x.clone(), before))
}

/// Reduction by two in space; with `time_conv`, also in time after the first chunk.
#[derive(Clone, Debug)]
pub(super) struct Downsample {
    /// `[out, in, 3, 3]`
    pub weight: Tensor<4>,
    pub bias: Tensor<1>,
    /// `[out, out, 3, 1, 1]`
    pub time_conv: Option<CausalConv>,
}

impl Downsample {
    pub fn forward(&self, x: Tensor<5>, cache: &mut Cache) -> Tensor<5> {
        let (weight, bias) = (self.weight.clone(), Some(self.bias.clone()));
        let y = channels_first(conv2d(frames_first(x), weight, bias, [2, 2], [0, 1, 0, 1]));
        let Some(conv) = &self.time_conv else {
            return y;
        };
        let slot = cache.visit();
        let n = y.dims()[2];
        match std::mem::take(slot) {
            Slot::Frames(before) => {
                *slot = Slot::Frames(owned_frame(&y, n - 1));
                let (weight, bias) = (conv.weight.clone(), Some(conv.bias.clone()));
                causal_conv3d(y, Some(before), weight, bias, [2, 1, 1], 0, 0)
            }
            Slot::Empty | Slot::Passed => {
                *slot = Slot::Frames(owned_frame(&y, n - 1));
                y
            }
        }
    }
}

/// One frame of `x` in memory of its own: arithmetic copies where a view would keep all of `x`.
fn owned_frame(x: &Tensor<5>, i: usize) -> Tensor<5> {
    x.clone().narrow(2, i, 1).mul_scalar(1.0)
}

/// `[1, c, n, h, w]` to `[n, c, h, w]`.
fn frames_first(x: Tensor<5>) -> Tensor<4> {
    let [_, c, n, h, w] = x.dims();
    x.permute([0, 2, 1, 3, 4]).reshape([n, c, h, w])
}

/// `[n, c, h, w]` to `[1, c, n, h, w]`.
fn channels_first(x: Tensor<4>) -> Tensor<5> {
    x.swap_dims(0, 1).unsqueeze()
}
