//! A prompt's conditioning, as ComfyUI's `CLIPTextEncode` makes it for Wan.

use super::{Umt5, Umt5Error};
use crate::tokenizer::Tokenizer;

/// Rows of a conditioning at least (`min_length` in ComfyUI's `comfy/text_encoders/wan.py`).
pub const MIN_ROWS: usize = 512;

/// What the diffusion model is conditioned on: `rows × dim` values, row by row. Rows past the
/// prompt's tokens are zero.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditioning {
    pub data: Vec<f32>,
    pub rows: usize,
    pub dim: usize,
}

impl Umt5 {
    /// Encodes a prompt with its `(word:1.2)` weights: at least [`MIN_ROWS`] rows, more if the prompt
    /// is longer.
    ///
    /// ComfyUI pads the ids to 512, masks the padding as keys and zeroes its rows. Masked keys have
    /// weight zero in every softmax, so encoding the prompt alone and appending zeros is the same,
    /// at a fraction of the work. Where a token's weight is not 1, its row becomes
    /// `(row − empty) × weight + empty`, with `empty` the encoding of the empty prompt at the same
    /// position (`comfy/sd1_clip.py`, `ClipTokenWeightEncoder`): one row of end-of-sequence, then zeros.
    ///
    /// # Errors
    /// [`Umt5Error`] if the tokenizer gives ids the encoder has no rows for, or the prompt is too long.
    pub fn encode_prompt(
        &self,
        tokenizer: &Tokenizer,
        prompt: &str,
    ) -> Result<Conditioning, Umt5Error> {
        let tokens = tokenizer.encode_weighted(prompt)?;
        let ids: Vec<u32> = tokens.iter().map(|&(id, _)| id).collect();
        let dim = self.dims.d;
        let mut data = self.host_rows(&ids)?;
        if tokens.iter().any(|&(_, weight)| weight != 1.0) {
            let mut empty = self.host_rows(&[tokenizer.eos()])?;
            for (row, &(_, weight)) in data.chunks_exact_mut(dim).zip(&tokens) {
                if weight != 1.0 {
                    for (value, base) in row.iter_mut().zip(&empty) {
                        *value = (*value - base) * weight + base;
                    }
                }
                empty.fill(0.0); // the empty prompt has a single token
            }
        }
        let rows = ids.len().max(MIN_ROWS);
        data.resize(rows * dim, 0.0);
        Ok(Conditioning { data, rows, dim })
    }

    fn host_rows(&self, ids: &[u32]) -> Result<Vec<f32>, Umt5Error> {
        let data = self.encode(ids)?.into_data().convert::<f32>();
        // A tensor just converted to f32 is readable as f32.
        Ok(data
            .into_vec()
            .unwrap_or_else(|e| unreachable!("f32 data read as f32: {e:?}")))
    }
}
