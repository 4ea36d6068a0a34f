//! Both ends of the network: embeddings of latent, streams and text, and the head.

use burn::tensor::DType;
use longtake_shaders::{Tensor, layer_norm_modulate};

use super::EPS;
use super::dims::PATCH;
use super::image::ImageEmbedding;
use super::scail::{ScailEmbedding, ScailStreams};
use super::source::{Linear, Source};
use super::time::{TimeLayers, TimeRun, each_run};
use crate::weights::WeightsError;

/// Everything outside the blocks.
pub struct Ends {
    pub patch: PatchEmbedding,
    pub scail: Option<ScailEmbedding>,
    pub time: TimeLayers,
    pub image: Option<ImageEmbedding>,
    text: [Linear; 2],
    text_len: usize,
    /// `[1, 2, dim]`: shift and scale.
    head_modulation: Tensor<3>,
    head: Linear,
}

/// Makes tokens of a latent. A convolution whose stride is its kernel is a linear layer on
/// patches.
pub struct PatchEmbedding(Linear);

impl PatchEmbedding {
    /// The convolution `name` with `channels` channels taken in.
    pub fn load(source: &Source<'_>, name: &str, channels: usize) -> Result<Self, WeightsError> {
        let dim = source.dims.dim;
        let weight: Tensor<5> =
            source.get(&format!("{name}.weight"), [dim, channels, 1, PATCH, PATCH])?;
        Ok(Self(Linear::dense(
            weight.reshape([dim, channels * PATCH * PATCH]),
            source.get(&format!("{name}.bias"), [dim])?,
        )))
    }

    /// The latent `[b, c, f, h, w]` as tokens `[b, f*h/2*w/2, dim]`, columns fastest. An odd side
    /// gets its first row or column behind the last (ComfyUI's circular padding).
    pub fn embed(&self, latent: Tensor<5>) -> Tensor<3> {
        let latent = pad_to_even(latent.cast(self.0.dtype()));
        let [b, c, f, h, w] = latent.dims();
        let (rows, columns) = (h / PATCH, w / PATCH);
        let patches = latent
            .reshape([b, c, f, rows, PATCH, columns, PATCH])
            .permute([0, 2, 3, 5, 1, 4, 6])
            .reshape([b, f * rows * columns, c * PATCH * PATCH]);
        self.0.apply(patches)
    }
}

pub(in crate::wan) fn pad_to_even(mut latent: Tensor<5>) -> Tensor<5> {
    for axis in [3, 4] {
        if !latent.dims()[axis].is_multiple_of(PATCH) {
            let first = latent.clone().narrow(axis, 0, 1);
            latent = Tensor::cat(vec![latent, first], axis);
        }
    }
    latent
}

impl Ends {
    pub fn load(source: &Source<'_>) -> Result<Self, WeightsError> {
        let dims = source.dims;
        let dim = dims.dim;
        Ok(Self {
            patch: PatchEmbedding::load(source, "patch_embedding", dims.in_dim)?,
            scail: ScailEmbedding::load(source)?,
            time: TimeLayers::load(source)?,
            image: ImageEmbedding::load(source)?,
            text: [
                source.linear("text_embedding.0", dims.text_dim, dim)?,
                source.linear("text_embedding.2", dim, dim)?,
            ],
            text_len: dims.text_len,
            head_modulation: source.get("head.modulation", [1, 2, dim])?,
            head: source.linear("head.head", dim, dims.out_dim * PATCH * PATCH)?,
        })
    }

    /// All tokens of a pass, `[b, tokens, dim]`.
    pub fn embed(&self, latent: Tensor<5>, streams: Option<&ScailStreams>) -> Tensor<3> {
        match (&self.scail, streams) {
            (Some(scail), Some(streams)) => scail.embed(&self.patch, latent, streams),
            _ => self.patch.embed(latent),
        }
    }

    /// The text encoder's output `[b, rows, text_dim]` as `[b, max(rows, 512), dim]`. The padding
    /// rows are zero before this MLP but not after it, and are attended to like the others.
    pub fn embed_text(&self, text: Tensor<3>) -> Tensor<3> {
        let [batch, rows, width] = text.dims();
        let missing = self.text_len.saturating_sub(rows);
        let zeros = || Tensor::zeros([batch, missing, width], &text.device()).cast(text.dtype());
        let text = match (rows, missing) {
            (_, 0) => text,
            (0, _) => zeros(),
            _ => Tensor::cat(vec![text.clone(), zeros()], 1),
        };
        let text = text.cast(self.text[0].dtype());
        let [first, second] = &self.text;
        second.apply(first.apply_gelu(text))
    }

    /// The video's tokens back to a latent `[b, out_dim, f, h, w]` for the grid
    /// `[f, h/2, w/2]`, in f32.
    pub fn head(&self, x: Tensor<3>, runs: &[TimeRun], grid: [usize; 3]) -> Tensor<5> {
        let y = each_run(x, runs, |x, run| {
            let modulation = self.head_modulation.clone() + run.e.clone();
            let shift = modulation.clone().narrow(1, 0, 1);
            let scale = modulation.narrow(1, 1, 1);
            self.head.apply(layer_norm_modulate(x, scale, shift, EPS))
        });
        let [batch, _, given] = y.dims();
        let [f, rows, columns] = grid;
        let channels = given / (PATCH * PATCH);
        y.cast(DType::F32)
            .reshape([batch, f, rows, columns, PATCH, PATCH, channels])
            .permute([0, 6, 1, 2, 4, 3, 5])
            .reshape([batch, channels, f, rows * PATCH, columns * PATCH])
    }
}
