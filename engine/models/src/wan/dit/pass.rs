//! What goes into one forward pass besides the weights, and what can be wrong with it.

use std::ops::ControlFlow;

use longtake_sentence::{Sentence, say};
use longtake_shaders::Tensor;

use super::context::PreparedContext;
use super::dims::DitDims;
use super::rope::Tokens;
use super::scail::ScailStreams;
use crate::weights::WeightsError;

/// Why a forward pass gave no result.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.sentence())]
pub enum ForwardError {
    /// The caller's hook broke the pass off.
    Interrupted,
    /// A streamed block could not be read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The inputs do not fit the network or each other.
    Input(Box<InputClash>),
}

/// What was expected of an input, and what came instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputClash {
    /// Which input.
    pub input: Sentence,
    pub expected: Sentence,
    pub found: Sentence,
}

impl ForwardError {
    /// An input that does not fit.
    pub fn input(input: Sentence, expected: Sentence, found: Sentence) -> Self {
        Self::Input(Box::new(InputClash {
            input,
            expected,
            found,
        }))
    }

    /// The message in both languages.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::Interrupted => say!(
                "stopped by the caller before the pass had ended",
                "モデルの計算が終わる前に止められました"
            ),
            Self::Weights(error) => error.sentence(),
            Self::Input(clash) => {
                let InputClash {
                    input,
                    expected,
                    found,
                } = clash.as_ref();
                say!("{input}: expected {expected}, got {found}", "{input}: {expected}が必要ですが、{found}でした"; input, expected, found)
            }
        }
    }
}

/// Called with `(blocks done, blocks)` before and within every block, several times with the same
/// numbers. Breaking ends the pass with [`ForwardError::Interrupted`].
pub type Hook<'a> = dyn FnMut(usize, usize) -> ControlFlow<()> + 'a;

/// Times of a noisy latent, 1000 sigma.
#[derive(Clone, Copy, Debug)]
pub enum Times<'a> {
    /// One per item of the batch.
    PerItem(&'a [f32]),
    /// One per latent frame, the same for every item: Wan 2.2 TI2V-5B, whose given first frame
    /// has time 0, and clips that go on from clean frames (Wan2.2 `wan/textimage2video.py`).
    PerFrame(&'a [f32]),
}

/// The inputs of one forward pass.
pub struct Pass<'a> {
    /// `[b, in_dim, f, h, w]`: the noisy latent with mask and condition channels behind it.
    pub latent: Tensor<5>,
    pub times: Times<'a>,
    pub context: &'a PreparedContext,
    /// Reference and pose; needed by a SCAIL checkpoint, refused by any other.
    pub scail: Option<&'a ScailStreams>,
    /// What adds to the video tokens after blocks, such as Uni3C.
    pub control: Option<&'a mut dyn Control>,
}

impl<'a> Pass<'a> {
    /// A pass without streams and control.
    pub fn new(latent: Tensor<5>, times: Times<'a>, context: &'a PreparedContext) -> Self {
        Self {
            latent,
            times,
            context,
            scail: None,
            control: None,
        }
    }
}

/// A network beside the transformer whose residuals are added to its video tokens.
pub trait Control {
    /// Called once, before the first block. `e` is the time embedding before its projection,
    /// `[b, 1, dim]`, or `[1, f, dim]` with times per frame; `grid` the frames, rows and columns
    /// of the video tokens (sides rounded up).
    ///
    /// # Errors
    /// Whatever does not fit; the pass ends with it.
    fn begin(&mut self, e: &Tensor<3>, grid: [usize; 3]) -> Result<(), ForwardError>;

    /// Called after each block, counted from 0: what to add to the video tokens,
    /// `[1 or b, grid tokens, dim]`, its strength already in it.
    ///
    /// # Errors
    /// Whatever went wrong; the pass ends with it.
    fn after_block(&mut self, block: usize) -> Result<Option<Tensor<3>>, ForwardError>;
}

impl Pass<'_> {
    /// Whether all inputs fit the network of sizes `dims` and each other.
    pub(super) fn check(&self, dims: &DitDims) -> Result<(), ForwardError> {
        let shape = self.latent.dims();
        let [batch, channels, frames, height, width] = shape;
        if channels != dims.in_dim || batch * frames * height * width == 0 {
            let input = say!("latent", "潜在表現");
            let expected = say!(
                "[batch, {}, frames, h, w], none zero",
                "どの軸も 0 でない [batch, {}, frames, h, w] ",
                dims.in_dim
            );
            let found = Sentence::same(format!("{shape:?}"));
            return Err(ForwardError::input(input, expected, found));
        }
        let (given, wanted, of) = match self.times {
            Times::PerItem(times) => (
                times.len(),
                batch,
                say!("the latent's batch", "潜在表現のバッチと同じ"),
            ),
            Times::PerFrame(times) => (
                times.len(),
                frames,
                say!("the latent's frames", "潜在表現のフレーム数と同じ"),
            ),
        };
        if given != wanted {
            return Err(ForwardError::input(
                say!("number of timesteps", "時刻の数"),
                say!("{wanted}, {of}", "{of} {wanted} 個"; of),
                say!("{given}", "{given} 個"),
            ));
        }
        self.context.check(batch, dims)?;
        match self.scail {
            Some(streams) => {
                if matches!(self.times, Times::PerFrame(_)) {
                    return Err(ForwardError::input(
                        say!("times", "時刻"),
                        say!(
                            "one per item, as SCAIL was trained",
                            "SCAIL の学習時と同じく項目ごとに一つの時刻"
                        ),
                        say!("one per frame", "フレームごとに一つ"),
                    ));
                }
                streams.check(shape, dims)
            }
            None if dims.pose_dim > 0 => Err(ForwardError::input(
                say!("SCAIL streams", "SCAIL の入力"),
                say!(
                    "a reference or a pose video, which this SCAIL checkpoint is made for",
                    "この SCAIL のチェックポイントには参照画像かポーズ動画"
                ),
                say!(
                    "none; use WanSCAILToVideo",
                    "どちらもない状態（WanSCAILToVideo を使ってください）"
                ),
            )),
            None => Ok(()),
        }
    }
}

/// What a control returned, added to the video's tokens of `x` `[b, tokens, dim]`.
pub(super) fn add_residual(
    x: Tensor<3>,
    residual: Tensor<3>,
    tokens: &Tokens,
) -> Result<Tensor<3>, ForwardError> {
    let [batch, count, dim] = x.dims();
    let video = tokens.video_range();
    let found = residual.dims();
    if ![1, batch].contains(&found[0]) || found[1..] != [video.len(), dim] {
        let len = video.len();
        return Err(ForwardError::input(
            say!("residual of the control", "コントロールの残差"),
            say!(
                "[1 or {batch}, {len}, {dim}]",
                "[1 か {batch}, {len}, {dim}] "
            ),
            Sentence::same(format!("{found:?}")),
        ));
    }
    let residual = residual.cast(x.dtype());
    if video.len() == count {
        return Ok(x + residual);
    }
    let at = [0..batch, video, 0..dim];
    let sum = x.clone().slice(at.clone()) + residual;
    Ok(x.slice_assign(at, sum))
}
