//! The streams of SCAIL: a reference image and a pose video beside the noisy latent.
//!
//! Tokens stand in the order reference, video, pose. Follows zai-org/SCAIL and
//! `wan/modules/model_scail2.py` of zai-org/SCAIL-2.

use longtake_sentence::{Sentence, say};
use longtake_shaders::Tensor;

use super::dims::{DitDims, PATCH};
use super::ends::PatchEmbedding;
use super::pass::ForwardError;
use super::rope::{Grid, Tokens};
use super::source::Source;
use crate::weights::WeightsError;

/// Where the streams stand relative to each other in time and space (SCAIL-2; SCAIL-Preview knows
/// [`ScailMode::Animation`] alone).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScailMode {
    /// The reference comes before the first frame: a still figure is set in motion.
    #[default]
    Animation,
    /// The reference stands beside the first frame, 120 rows further down: a figure in the video
    /// is replaced by it.
    Replacement,
}

/// Rotary positions of the pose stream, which has half the rows and columns of the video.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PoseRope {
    /// Cosines and sines of the full grid averaged over 2x2 tokens, as the authors do.
    #[default]
    Pooled,
    /// The angle in the middle of the 2x2 tokens, as ComfyUI does.
    Midpoint,
}

/// The clean streams of one pass. Tensors of batch 1 serve every item of a larger batch.
#[derive(Clone, Debug, Default)]
pub struct ScailStreams {
    /// `[1 or b, in_dim, r, h, w]`: latents of reference images with 4 channels of ones behind
    /// them. Additional references come first, the main one last.
    pub reference: Option<Tensor<5>>,
    /// `[1 or b, pose_dim, f, h/2, w/2]`: latent of the pose video, its strength in it, with 4
    /// channels of ones behind it. `None` for steps that it does not steer.
    pub pose: Option<Tensor<5>>,
    /// SCAIL-2: `[1 or b, mask_dim, r or r + f, h, w]`, coloured identity masks of the references
    /// and, if given, the video frames (zero otherwise). Without it nothing is added to them.
    pub reference_mask: Option<Tensor<5>>,
    /// SCAIL-2: `[1 or b, mask_dim, f, h/2, w/2]`, the mask of the pose video.
    pub pose_mask: Option<Tensor<5>>,
    pub mode: ScailMode,
    pub pose_rope: PoseRope,
}

impl ScailStreams {
    /// Frames of reference.
    pub fn references(&self) -> usize {
        self.reference.as_ref().map_or(0, |it| it.dims()[2])
    }

    /// Whether the streams fit a latent of shape `latent` and the network of sizes `dims`.
    pub(super) fn check(&self, latent: [usize; 5], dims: &DitDims) -> Result<(), ForwardError> {
        self.check_network(dims)?;
        let [batch, _, frames, height, width] = latent;
        let side = 2 * PATCH;
        if self.pose.is_some() && !(height.is_multiple_of(side) && width.is_multiple_of(side)) {
            let near = |n: usize| n.next_multiple_of(side);
            let (w, h) = (near(width), near(height));
            return Err(ForwardError::input(
                say!("latent of a SCAIL pass", "SCAIL の潜在表現"),
                say!(
                    "sides divisible by {side} (pixels by 32), such as {w}x{h}",
                    "{w}x{h} のように {side} の倍数（ピクセルでは 32 の倍数）の辺"
                ),
                Sentence::same(format!("{width}x{height}")),
            ));
        }
        let references = self.references();
        let all = references + frames;
        let whole = |channels| [batch, channels, height, width];
        let half = |channels| [batch, channels, height / 2, width / 2];
        let of = |stream: &Option<Tensor<5>>| stream.as_ref().map(Tensor::dims);
        let (latent, pose, mask) = (dims.in_dim, dims.pose_dim, dims.mask_dim);
        fits(
            say!("SCAIL reference", "SCAIL の参照画像"),
            of(&self.reference),
            whole(latent),
            &[references],
        )?;
        fits(
            say!("SCAIL pose latent", "SCAIL のポーズの潜在表現"),
            of(&self.pose),
            half(pose),
            &[frames],
        )?;
        let found = of(&self.reference_mask);
        fits(
            say!("SCAIL reference mask", "SCAIL の参照マスク"),
            found,
            whole(mask),
            &[all, references],
        )?;
        fits(
            say!("SCAIL pose mask", "SCAIL のポーズマスク"),
            of(&self.pose_mask),
            half(mask),
            &[frames],
        )
    }

    fn check_network(&self, dims: &DitDims) -> Result<(), ForwardError> {
        if dims.pose_dim == 0 {
            return Err(ForwardError::input(
                say!("SCAIL streams", "SCAIL の入力"),
                say!(
                    "none: this checkpoint has no `patch_embedding_pose`",
                    "「patch_embedding_pose」のないこのチェックポイントには指定しないこと"
                ),
                say!(
                    "a reference or a pose video; load a SCAIL checkpoint",
                    "参照画像かポーズ動画がある状態（SCAIL のチェックポイントを読み込んでください）"
                ),
            ));
        }
        if dims.mask_dim == 0 && (self.reference_mask.is_some() || self.pose_mask.is_some()) {
            return Err(ForwardError::input(
                say!("SCAIL masks", "SCAIL のマスク"),
                say!(
                    "none: this checkpoint has no `patch_embedding_mask`",
                    "「patch_embedding_mask」のないこのチェックポイントには指定しないこと"
                ),
                say!(
                    "identity masks; load a SCAIL-2 checkpoint",
                    "人物マスクがある状態（SCAIL-2 のチェックポイントを読み込んでください）"
                ),
            ));
        }
        Ok(())
    }
}

/// Whether a stream of shape `found` has the sizes `wanted` (batch or 1, channels, height, width)
/// and one of the numbers of `frames`, of which the first is named if not.
fn fits(
    input: Sentence,
    found: Option<[usize; 5]>,
    wanted: [usize; 4],
    frames: &[usize],
) -> Result<(), ForwardError> {
    let Some(found) = found else { return Ok(()) };
    let [b, c, f, h, w] = found;
    let [batch, channels, height, width] = wanted;
    let right = (b == 1 || b == batch) && [c, h, w] == [channels, height, width];
    if right && f > 0 && frames.contains(&f) {
        return Ok(());
    }
    let expected = say!(
        "[1 or {batch}, {channels}, {}, {height}, {width}]",
        "[1 か {batch}, {channels}, {}, {height}, {width}] ",
        frames[0]
    );
    let found = Sentence::same(format!("{found:?}"));
    Err(ForwardError::input(input, expected, found))
}

impl ScailStreams {
    /// What the tokens of a pass with these streams are.
    pub(super) fn tokens(&self, grid: Grid) -> Tokens {
        Tokens {
            grid,
            references: self.references(),
            pose: self.pose.as_ref().map(|_| self.pose_rope),
            mode: self.mode,
        }
    }
}

/// The embeddings that only SCAIL checkpoints have.
pub struct ScailEmbedding {
    pose: PatchEmbedding,
    mask: Option<PatchEmbedding>,
}

impl ScailEmbedding {
    /// `None` for other checkpoints.
    pub fn load(source: &Source<'_>) -> Result<Option<Self>, WeightsError> {
        let (pose, mask) = (source.dims.pose_dim, source.dims.mask_dim);
        if pose == 0 {
            return Ok(None);
        }
        let embedding = |name, channels| PatchEmbedding::load(source, name, channels);
        Ok(Some(Self {
            pose: embedding("patch_embedding_pose", pose)?,
            mask: match mask {
                0 => None,
                mask => Some(embedding("patch_embedding_mask", mask)?),
            },
        }))
    }

    /// All tokens `[b, tokens, dim]` of a latent `[b, in_dim, f, h, w]` with its streams.
    pub fn embed(
        &self,
        video: &PatchEmbedding,
        latent: Tensor<5>,
        streams: &ScailStreams,
    ) -> Tensor<3> {
        let [batch, _, frames, ..] = latent.dims();
        let whole = |tokens: Tensor<3>| match tokens.dims() {
            [b, count, dim] if b < batch => tokens.expand([batch, count, dim]),
            _ => tokens,
        };
        let masked = |tokens: Tensor<3>, mask: Option<Tensor<5>>| match (&self.mask, mask) {
            (Some(embedding), Some(mask)) => tokens + whole(embedding.embed(mask)),
            _ => tokens,
        };
        let mut tokens = video.embed(latent);
        if let Some(reference) = streams.reference.clone() {
            tokens = Tensor::cat(vec![whole(video.embed(reference)), tokens], 1);
        }
        let mask = streams.reference_mask.clone();
        tokens = masked(
            tokens,
            mask.map(|it| lengthen(it, streams.references() + frames)),
        );
        if let Some(pose) = streams.pose.clone() {
            let pose = masked(whole(self.pose.embed(pose)), streams.pose_mask.clone());
            tokens = Tensor::cat(vec![tokens, pose], 1);
        }
        tokens
    }
}

/// Zero frames behind the given ones, up to `frames`.
fn lengthen(mask: Tensor<5>, frames: usize) -> Tensor<5> {
    let [b, c, given, h, w] = mask.dims();
    if given == frames {
        return mask;
    }
    let zeros = Tensor::zeros([b, c, frames - given, h, w], (&mask.device(), mask.dtype()));
    Tensor::cat(vec![mask, zeros], 2)
}
