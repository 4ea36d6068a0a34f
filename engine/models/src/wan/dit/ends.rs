//! Both ends of the network: embeddings of latent, time and text, and the head.

use burn::tensor::{DType, TensorData};
use longtake_shaders::{Tensor, layer_norm_modulate, silu};

use super::EPS;
use super::dims::PATCH;
use super::source::{Linear, Source};
use crate::Device;
use crate::weights::WeightsError;

/// Longest period of the sinusoidal time embedding.
const MAX_PERIOD: f64 = 10_000.0;

/// Everything outside the blocks.
pub struct Ends {
    patch: Linear,
    time: [Linear; 2],
    time_projection: Linear,
    text: [Linear; 2],
    text_len: usize,
    freq_dim: usize,
    /// `[1, 2, dim]`: shift and scale.
    head_modulation: Tensor<3>,
    head: Linear,
}

/// The time embedding: `e` `[batch, 1, dim]` for the head, `e0` `[batch, 6, dim]` for the blocks.
pub struct TimeEmbedding {
    pub e: Tensor<3>,
    pub e0: Tensor<3>,
}

impl Ends {
    pub fn load(source: &Source<'_>) -> Result<Self, WeightsError> {
        let dims = source.dims;
        let dim = dims.dim;
        let patch: Tensor<5> = source.get(
            "patch_embedding.weight",
            [dim, dims.in_dim, 1, PATCH, PATCH],
        )?;
        Ok(Self {
            // A convolution whose stride is its kernel is a linear layer on patches.
            patch: Linear::dense(
                patch.reshape([dim, dims.in_dim * PATCH * PATCH]),
                source.get("patch_embedding.bias", [dim])?,
            ),
            time: [
                source.linear("time_embedding.0", dims.freq_dim, dim)?,
                source.linear("time_embedding.2", dim, dim)?,
            ],
            time_projection: source.linear("time_projection.1", dim, 6 * dim)?,
            text: [
                source.linear("text_embedding.0", dims.text_dim, dim)?,
                source.linear("text_embedding.2", dim, dim)?,
            ],
            text_len: dims.text_len,
            freq_dim: dims.freq_dim,
            head_modulation: source.get("head.modulation", [1, 2, dim])?,
            head: source.linear("head.head", dim, dims.out_dim * PATCH * PATCH)?,
        })
    }

    /// The type that the network computes in: that of its weights.
    pub fn dtype(&self) -> DType {
        self.patch.dtype()
    }

    /// The latent `[b, c, f, h, w]`, sides even, as tokens `[b, f*h/2*w/2, dim]`, columns fastest.
    pub fn embed_latent(&self, latent: Tensor<5>) -> Tensor<3> {
        let [b, c, f, h, w] = latent.dims();
        let (rows, columns) = (h / PATCH, w / PATCH);
        let patches = latent
            .reshape([b, c, f, rows, PATCH, columns, PATCH])
            .permute([0, 2, 3, 5, 1, 4, 6])
            .reshape([b, f * rows * columns, c * PATCH * PATCH]);
        self.patch.apply(patches)
    }

    /// Sinusoids of the time (0 to 1000), cosines first, through the time MLP.
    pub fn embed_time(&self, timestep: &[f32], device: &Device) -> TimeEmbedding {
        let half = self.freq_dim / 2;
        let mut values = Vec::with_capacity(timestep.len() * self.freq_dim);
        for t in timestep {
            let angle = |i: usize| f64::from(*t) * MAX_PERIOD.powf(-(i as f64) / half as f64);
            values.extend((0..half).map(|i| angle(i).cos() as f32));
            values.extend((0..half).map(|i| angle(i).sin() as f32));
        }
        let shape = [timestep.len(), 1, self.freq_dim];
        let sinusoids = Tensor::<3>::from_data(TensorData::new(values, shape), device)
            .cast(self.time[0].dtype());
        let e = self.time[1].apply(silu(self.time[0].apply(sinusoids)));
        let e0 = self.time_projection.apply(silu(e.clone()));
        let [batch, _, wide] = e0.dims();
        TimeEmbedding {
            e,
            e0: e0.reshape([batch, 6, wide / 6]),
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

    /// Tokens back to a latent `[b, out_dim, f, h, w]` for the grid `[f, h/2, w/2]`, in f32.
    pub fn head(&self, x: Tensor<3>, e: Tensor<3>, grid: [usize; 3]) -> Tensor<5> {
        let modulation = self.head_modulation.clone() + e;
        let shift = modulation.clone().narrow(1, 0, 1);
        let scale = modulation.narrow(1, 1, 1);
        let y = self.head.apply(layer_norm_modulate(x, scale, shift, EPS));
        let [batch, _, given] = y.dims();
        let [f, rows, columns] = grid;
        let channels = given / (PATCH * PATCH);
        y.cast(DType::F32)
            .reshape([batch, f, rows, columns, PATCH, PATCH, channels])
            .permute([0, 6, 1, 2, 4, 3, 5])
            .reshape([batch, channels, f, rows * PATCH, columns * PATCH])
    }
}
