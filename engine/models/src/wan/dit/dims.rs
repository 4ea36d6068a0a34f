//! Sizes of a Wan DiT, and what follows from them: weight bytes, work memory, operations.

use longtake_shaders::attention_workspace;

use super::FFN_ROWS;

/// Rows that a shorter text is padded to (Wan2.1 `wan/modules/model.py`, `text_len`).
pub const TEXT_LEN: usize = 512;
/// Latent pixels per token along height and along width; one latent frame per token.
pub const PATCH: usize = 2;

const F32: u64 = 4;

/// Sizes of the network, all but `heads` read off the tensors of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DitDims {
    /// Width of the token stream.
    pub dim: usize,
    /// Width of the hidden layer of the feed-forward.
    pub ffn_dim: usize,
    pub heads: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Latent channels taken in: 16 for text to video, 36 with an image condition.
    pub in_dim: usize,
    /// Latent channels given back.
    pub out_dim: usize,
    /// Width of the text encoder's output.
    pub text_dim: usize,
    /// Text rows after padding, [`TEXT_LEN`].
    pub text_len: usize,
    /// Width of the sinusoidal time embedding.
    pub freq_dim: usize,
}

impl DitDims {
    pub fn head_dim(&self) -> usize {
        self.dim / self.heads
    }

    /// Frames, rows and columns of tokens of a latent with `frames`, `height`, `width`.
    pub fn grid(frames: usize, height: usize, width: usize) -> [usize; 3] {
        [frames, height.div_ceil(PATCH), width.div_ceil(PATCH)]
    }

    /// Weights of one block.
    pub fn block_parameters(&self) -> u64 {
        let [d, f] = [self.dim, self.ffn_dim].map(|n| n as u64);
        let attentions = 2 * (4 * (d * d + d) + 2 * d);
        let norm3 = 2 * d;
        let modulation = 6 * d;
        attentions + norm3 + modulation + 2 * d * f + f + d
    }

    /// Weights outside the blocks: patch, text and time embedding, head.
    pub fn outer_parameters(&self) -> u64 {
        let [d, text, freq] = [self.dim, self.text_dim, self.freq_dim].map(|n| n as u64);
        let patch = (PATCH * PATCH) as u64;
        let (taken, given) = (self.in_dim as u64 * patch, self.out_dim as u64 * patch);
        let linear = |from: u64, to: u64| from * to + to;
        linear(taken, d)
            + linear(text, d)
            + linear(d, d)
            + linear(freq, d)
            + linear(d, d)
            + linear(d, 6 * d)
            + 2 * d
            + linear(d, given)
    }

    /// Bytes of all weights at `dtype_bytes` per number (4 for f32, 2 for bf16).
    pub fn weight_bytes(&self, dtype_bytes: usize) -> u64 {
        (self.layers as u64 * self.block_parameters() + self.outer_parameters())
            * dtype_bytes as u64
    }

    /// Bytes that a prepared context of `rows` text rows holds on the CPU (f32): every block's
    /// keys and values, or when `streamed` the embedded text alone.
    pub fn context_bytes(&self, batch: usize, rows: usize, streamed: bool) -> u64 {
        let row = (batch * rows.max(self.text_len) * self.dim) as u64 * F32;
        if streamed {
            row
        } else {
            row * 2 * self.layers as u64
        }
    }

    /// Peak bytes that one forward pass allocates on the CPU (f32) beyond the resident weights
    /// and the prepared context, for a latent `[batch, in_dim, frames, height, width]`.
    ///
    /// Two moments compete: the self-attention (the stream, its q, k and v, and either the
    /// normed stream or the result) and the feed-forward (the stream, and of `FFN_ROWS` tokens
    /// the normed stream and the hidden layer). What a system BLAS allocates for itself is not
    /// in it. `streamed`
    /// adds the weights of one block, and the keys and values of the text that are then made anew
    /// in each block. The rotary tables, which stay cached between passes, are counted.
    pub fn workspace_bytes(
        &self,
        batch: usize,
        frames: usize,
        height: usize,
        width: usize,
        streamed: bool,
    ) -> u64 {
        let tokens = Self::grid(frames, height, width).iter().product::<usize>();
        let row = self.dim as u64 * F32;
        let rows = (batch * tokens) as u64;
        let tables = (tokens * self.head_dim()) as u64 * F32;
        let threads = rayon::current_num_threads();
        let scores = attention_workspace(tokens, tokens, threads) as u64;
        let self_attention = 5 * rows * row + scores;
        let chunk = rows.min(FFN_ROWS as u64);
        let feed_forward = rows * row + chunk * (row + self.ffn_dim as u64 * F32);
        let text = (batch * self.text_len) as u64 * row;
        let streaming = self.block_parameters() * F32 + 2 * text;
        tables + self_attention.max(feed_forward) + if streamed { streaming } else { 0 }
    }

    /// Floating-point operations of one forward pass (a multiply-add counts as two), without the
    /// text's keys and values, which are prepared once per run.
    pub fn flops(&self, batch: usize, frames: usize, height: usize, width: usize) -> u64 {
        let tokens = Self::grid(frames, height, width).iter().product::<usize>() as u64;
        let [d, f, text] = [self.dim, self.ffn_dim, self.text_len].map(|n| n as u64);
        let linears = 2 * tokens * (6 * d * d + 2 * d * f);
        let attentions = 4 * tokens * d * (tokens + text);
        let patch = (PATCH * PATCH * (self.in_dim + self.out_dim)) as u64;
        let ends = 2 * tokens * d * patch;
        batch as u64 * (self.layers as u64 * (linears + attentions) + ends)
    }
}

#[cfg(test)]
pub(crate) const WAN_1_3B: DitDims = DitDims {
    dim: 1536,
    ffn_dim: 8960,
    heads: 12,
    layers: 30,
    in_dim: 16,
    out_dim: 16,
    text_dim: 4096,
    text_len: TEXT_LEN,
    freq_dim: 256,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_match_the_published_models() {
        let large = DitDims {
            dim: 5120,
            ffn_dim: 13824,
            heads: 40,
            layers: 40,
            ..WAN_1_3B
        };
        assert_eq!(WAN_1_3B.weight_bytes(1), 1_418_996_800);
        assert_eq!(large.weight_bytes(1), 14_288_491_584);
        assert_eq!(large.weight_bytes(2), 2 * 14_288_491_584);
        assert_eq!(large.head_dim(), 128);
    }

    #[test]
    fn odd_sides_round_up() {
        assert_eq!(DitDims::grid(21, 60, 104), [21, 30, 52]);
        assert_eq!(DitDims::grid(3, 5, 7), [3, 3, 4]);
    }

    #[test]
    fn flops_of_the_official_size() {
        // 832x480x81 on the 1.3B: 32 760 tokens. By hand per block and token:
        // 2 (6*1536^2 + 2*1536*8960) + 4*1536*(32760 + 512) = 83_361_792 + 204_423_168.
        let ends = 32_760 * 2 * 1536 * 128;
        let blocks = 30 * 32_760 * (83_361_792_u64 + 204_423_168);
        assert_eq!(WAN_1_3B.flops(1, 21, 60, 104), blocks + ends);
        assert_eq!(WAN_1_3B.flops(2, 21, 60, 104), 2 * (blocks + ends));
    }

    #[test]
    fn streaming_trades_the_context_for_a_block() {
        let held = WAN_1_3B.workspace_bytes(1, 21, 60, 104, false);
        let streamed = WAN_1_3B.workspace_bytes(1, 21, 60, 104, true);
        let text_keys = 2 * 512 * 1536 * 4;
        assert_eq!(streamed - held, WAN_1_3B.block_parameters() * 4 + text_keys);
        assert_eq!(WAN_1_3B.context_bytes(1, 40, true), 512 * 1536 * 4);
        assert_eq!(WAN_1_3B.context_bytes(1, 40, false), 60 * 512 * 1536 * 4);
    }
}
