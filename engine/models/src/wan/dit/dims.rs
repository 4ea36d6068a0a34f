//! Sizes of a Wan DiT, and how many numbers its weights are.

/// Rows that a shorter text is padded to (Wan2.1 `wan/modules/model.py`, `text_len`).
pub const TEXT_LEN: usize = 512;
/// Latent pixels per token along height and along width; one latent frame per token.
pub const PATCH: usize = 2;

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
    /// Latent channels taken in: 16 for text to video, 36 with an image condition, 20 for SCAIL,
    /// 48 for Wan 2.2 5B.
    pub in_dim: usize,
    /// Latent channels given back.
    pub out_dim: usize,
    /// Width of the text encoder's output.
    pub text_dim: usize,
    /// Text rows after padding, [`TEXT_LEN`].
    pub text_len: usize,
    /// Width of the sinusoidal time embedding.
    pub freq_dim: usize,
    /// Width of the CLIP tokens taken in (Wan 2.1 image to video); 0 without image branch.
    pub image_dim: usize,
    /// Rows of the learned positions of CLIP tokens (first and last frame: 514), or 0.
    pub image_positions: usize,
    /// Channels of the pose latent of SCAIL, or 0.
    pub pose_dim: usize,
    /// Channels of the identity masks of SCAIL-2, or 0.
    pub mask_dim: usize,
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
        let image = if self.image_dim > 0 {
            2 * (d * d + d) + d
        } else {
            0
        };
        attentions + image + norm3 + modulation + 2 * d * f + f + d
    }

    /// Weights outside the blocks: embeddings of patches, text, image and time, head.
    pub fn outer_parameters(&self) -> u64 {
        let [d, text, freq] = [self.dim, self.text_dim, self.freq_dim].map(|n| n as u64);
        let patch = (PATCH * PATCH) as u64;
        let given = self.out_dim as u64 * patch;
        let linear = |from: u64, to: u64| from * to + to;
        let patches = [self.in_dim, self.pose_dim, self.mask_dim]
            .into_iter()
            .filter(|&channels| channels > 0)
            .map(|channels| linear(channels as u64 * patch, d))
            .sum::<u64>();
        let image = if self.image_dim > 0 {
            let wide = self.image_dim as u64;
            let norms = 2 * wide + 2 * d;
            norms + linear(wide, wide) + linear(wide, d) + self.image_positions as u64 * wide
        } else {
            0
        };
        patches
            + image
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
    image_dim: 0,
    image_positions: 0,
    pose_dim: 0,
    mask_dim: 0,
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
        let image = DitDims {
            in_dim: 36,
            image_dim: 1280,
            ..large
        };
        assert_eq!(image.weight_bytes(1), 16_394_878_784);
        let small = DitDims {
            dim: 3072,
            ffn_dim: 14336,
            heads: 24,
            in_dim: 48,
            out_dim: 48,
            ..WAN_1_3B
        };
        assert_eq!(small.weight_bytes(1), 4_999_787_712);
    }

    #[test]
    fn odd_sides_round_up() {
        assert_eq!(DitDims::grid(21, 60, 104), [21, 30, 52]);
        assert_eq!(DitDims::grid(3, 5, 7), [3, 3, 4]);
    }
}
