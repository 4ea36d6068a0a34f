//! The UMT5 encoder, Wan's text encoder (Chung et al., "UniMax", 2023).
//!
//! A T5 encoder with one relative-position table per layer. Follows huggingface/transformers,
//! `models/umt5/modeling_umt5.py`; conditioning follows ComfyUI, see [`Umt5::encode_prompt`].

mod conditioning;
mod layer;
mod load;

use burn::tensor::{DType, TensorData};
use longtake_sentence::{Sentence, say};

pub use conditioning::{Conditioning, MIN_ROWS};
use layer::Layer;
pub use load::{as_hf, required_dims, weight_bytes};

use crate::weights::{Checkpoint, Umt5Dims, WeightsError};
use crate::{Device, Tensor};

/// Of every RMS norm (`layer_norm_epsilon` of google/umt5-xxl).
pub(crate) const EPS: f64 = 1e-6;

/// What encoding can fail with.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.sentence())]
pub enum Umt5Error {
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error(transparent)]
    Tokenizer(#[from] crate::tokenizer::TokenizerError),
    /// An id that the embedding table has no row for.
    TokenOutside {
        id: u32,
        vocab: usize,
    },
    TooLong {
        tokens: usize,
    },
}

impl Umt5Error {
    /// The message in both languages.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::Weights(error) => error.sentence(),
            Self::Tokenizer(error) => error.sentence(),
            Self::TokenOutside { id, vocab } => say!(
                "token id {id} is outside the text encoder's table of {vocab} rows: tokenizer and encoder do not belong together; take both from one source",
                "トークン番号 {id} はテキストエンコーダーの {vocab} 行の表にありません。トークナイザーとエンコーダーの組み合わせが違います。両方を同じ配布元から入手してください"
            ),
            Self::TooLong { tokens } => say!(
                "a prompt of {tokens} tokens is longer than {MAX_TOKENS}; shorten it",
                "プロンプトが {tokens} トークンで、上限の {MAX_TOKENS} を超えています。短くしてください"
            ),
        }
    }
}

/// Longest prompt encoded. Attention needs `heads × tokens²` values at a time; Wan was trained on
/// 512 tokens.
pub const MAX_TOKENS: usize = 2048;

/// The encoder, on one device.
#[derive(Debug)]
pub struct Umt5 {
    dims: Umt5Dims,
    /// Kept open for the embedding table: a prompt needs a few dozen of its 256,384 rows.
    checkpoint: Checkpoint,
    /// `None`: each is read from the file when a prompt passes through it.
    layers: Option<Vec<Layer>>,
    norm: Tensor<1>,
    device: Device,
    dtype: DType,
}

impl Umt5 {
    pub fn dims(&self) -> Umt5Dims {
        self.dims
    }

    /// Hidden states of one text: `ids` (not padded, end of sequence included) → `[1, ids, d]`.
    ///
    /// # Errors
    /// [`Umt5Error::TokenOutside`], [`Umt5Error::TooLong`].
    pub fn encode(&self, ids: &[u32]) -> Result<Tensor<3>, Umt5Error> {
        if ids.len() > MAX_TOKENS {
            return Err(Umt5Error::TooLong { tokens: ids.len() });
        }
        let mut x = self.embed(ids)?;
        for index in 0..self.dims.layers {
            x = match &self.layers {
                Some(layers) => layers[index].forward(x, &self.dims),
                None => load::layer(&self.checkpoint, index, &self.dims, &self.device)?
                    .forward(x, &self.dims),
            };
        }
        Ok(longtake_shaders::rms_norm(x, self.norm.clone(), EPS))
    }

    /// Rows of the embedding table, read from the mapped file: `[1, ids, d]`.
    fn embed(&self, ids: &[u32]) -> Result<Tensor<3>, Umt5Error> {
        let (vocab, d) = (self.dims.vocab, self.dims.d);
        if let Some(&id) = ids.iter().find(|&&id| id as usize >= vocab) {
            return Err(Umt5Error::TokenOutside { id, vocab });
        }
        let rows: Vec<usize> = ids.iter().map(|&id| id as usize).collect();
        let values = self.checkpoint.rows_f32(load::EMBEDDING, &rows)?;
        let data = TensorData::new(values, [1, ids.len(), d]).convert_dtype(self.dtype);
        Ok(Tensor::from_data(data, (&self.device, self.dtype)))
    }
}

/// Bytes of activations that encoding `tokens` needs at its peak, beside the weights; counted in f32,
/// twice what half types take.
///
/// The larger of the two halves of a layer. Attention: the residual stream, its norm, q, k, v, the
/// output, the position bias, the scores and their softmax. Feed-forward: residual, norm, gate, up,
/// their product.
pub fn workspace_bytes(dims: &Umt5Dims, tokens: usize) -> u64 {
    let (n, d, inner) = (
        tokens as u64,
        dims.d as u64,
        (dims.heads * dims.d_kv) as u64,
    );
    let attention = 2 * n * d + 4 * n * inner + 3 * dims.heads as u64 * n * n;
    let feed_forward = 2 * n * d + 3 * n * dims.d_ff as u64;
    attention.max(feed_forward) * size_of::<f32>() as u64
}
