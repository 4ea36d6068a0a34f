//! What one pass costs: work memory, the prepared context, operations.

use longtake_shaders::attention_workspace;

use super::FFN_ROWS;
use super::dims::{DitDims, PATCH, TEXT_LEN};

const F32: u64 = 4;

/// Sizes of a pass that its cost depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassShape {
    pub batch: usize,
    /// Latent frames.
    pub frames: usize,
    /// Latent rows.
    pub height: usize,
    /// Latent columns.
    pub width: usize,
    /// Rows of the text; fewer than [`TEXT_LEN`] are padded.
    pub text_rows: usize,
    /// Rows of the image context: 0, 257 or 514.
    pub image_rows: usize,
    /// SCAIL: frames of reference.
    pub references: usize,
    /// SCAIL: whether there is a pose stream.
    pub pose: bool,
    /// Whether the blocks' weights are streamed.
    pub streamed: bool,
    /// Bytes of one block as it is kept, packed weights packed; `None` if all are f32.
    pub block_bytes: Option<u64>,
}

impl PassShape {
    /// A pass with text alone, all weights resident.
    pub fn new(batch: usize, frames: usize, height: usize, width: usize) -> Self {
        Self {
            batch,
            frames,
            height,
            width,
            text_rows: TEXT_LEN,
            image_rows: 0,
            references: 0,
            pose: false,
            streamed: false,
            block_bytes: None,
        }
    }

    /// Frames, rows and columns of the video tokens.
    pub fn grid(&self) -> [usize; 3] {
        DitDims::grid(self.frames, self.height, self.width)
    }

    /// Tokens of one item: references, video, pose.
    pub fn tokens(&self) -> usize {
        let [frames, rows, columns] = self.grid();
        let pose = if self.pose {
            frames * (rows / 2) * (columns / 2)
        } else {
            0
        };
        (self.references + frames) * rows * columns + pose
    }
}

impl DitDims {
    /// Bytes that a prepared context holds on the CPU (f32): every block's keys and values, or
    /// when the weights are streamed the embedded text and image alone.
    pub fn context_bytes(&self, shape: &PassShape) -> u64 {
        let rows = shape.text_rows.max(self.text_len) + shape.image_rows;
        let bytes = (shape.batch * rows * self.dim) as u64 * F32;
        if shape.streamed {
            bytes
        } else {
            bytes * 2 * self.layers as u64
        }
    }

    /// Peak bytes that one forward pass allocates on the CPU (f32) beyond the resident weights,
    /// the inputs and the prepared context.
    ///
    /// Two moments compete: the self-attention (the stream, its q, k and v, and either the
    /// normed stream or the result) and the feed-forward (the stream, and of `FFN_ROWS` tokens
    /// the normed stream and the hidden layer). What a system BLAS allocates for itself is not
    /// in it. Packed weights are widened while they are used: one square in the attention, both
    /// matrices of the feed-forward. Streamed weights add the keys and values of text and image, which are then made
    /// anew in each block, and one block: the next one, read while this one computes. The block
    /// that computes is *not* in it; the planner counts it with the weights. The rotary tables,
    /// which stay cached between passes, are counted.
    pub fn workspace_bytes(&self, shape: &PassShape) -> u64 {
        let tokens = shape.tokens();
        let row = self.dim as u64 * F32;
        let rows = (shape.batch * tokens) as u64;
        let tables = (tokens * self.head_dim()) as u64 * F32;
        let threads = rayon::current_num_threads();
        let scores = attention_workspace(tokens, tokens, threads) as u64;
        let dense = self.block_parameters() * F32;
        let block = shape.block_bytes.unwrap_or(dense);
        let hidden_row = self.ffn_dim as u64 * F32;
        let widened = |bytes: u64| if block < dense { bytes } else { 0 };
        let square = self.dim as u64 * row;
        let self_attention = 5 * rows * row + scores + widened(square);
        let chunk = rows.min(FFN_ROWS as u64);
        let hidden = 2 * self.dim as u64 * hidden_row;
        let feed_forward = rows * row + chunk * (row + hidden_row) + widened(hidden);
        let context = shape.batch * (shape.text_rows.max(self.text_len) + shape.image_rows);
        let streaming = block + 2 * context as u64 * row;
        tables + self_attention.max(feed_forward) + if shape.streamed { streaming } else { 0 }
    }

    /// Floating-point operations of one forward pass (a multiply-add counts as two), without the
    /// context's keys and values, which are prepared once per run.
    pub fn flops(&self, shape: &PassShape) -> u64 {
        let tokens = shape.tokens() as u64;
        let video = shape.grid().iter().product::<usize>() as u64;
        let context = (shape.text_rows.max(self.text_len) + shape.image_rows) as u64;
        let [d, f] = [self.dim, self.ffn_dim].map(|n| n as u64);
        let linears = 2 * tokens * (6 * d * d + 2 * d * f);
        let attentions = 4 * tokens * d * (tokens + context);
        let patch = (PATCH * PATCH) as u64;
        let taken = tokens * (self.in_dim + self.mask_dim) as u64;
        let given = video * self.out_dim as u64;
        let ends = 2 * d * patch * (taken + given);
        shape.batch as u64 * (self.layers as u64 * (linears + attentions) + ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wan::dit::dims::WAN_1_3B;

    #[test]
    fn flops_of_the_official_size() {
        // 832x480x81 on the 1.3B: 32 760 tokens. By hand per block and token:
        // 2 (6*1536^2 + 2*1536*8960) + 4*1536*(32760 + 512) = 83_361_792 + 204_423_168.
        let ends = 32_760 * 2 * 1536 * 128;
        let blocks = 30 * 32_760 * (83_361_792_u64 + 204_423_168);
        let shape = PassShape::new(1, 21, 60, 104);
        assert_eq!(WAN_1_3B.flops(&shape), blocks + ends);
        assert_eq!(
            WAN_1_3B.flops(&PassShape { batch: 2, ..shape }),
            2 * (blocks + ends)
        );
    }

    #[test]
    fn streaming_trades_the_context_for_a_block() {
        let shape = PassShape::new(1, 21, 60, 104);
        let streamed = PassShape {
            streamed: true,
            ..shape
        };
        let more = WAN_1_3B.workspace_bytes(&streamed) - WAN_1_3B.workspace_bytes(&shape);
        let text_keys = 2 * 512 * 1536 * 4;
        assert_eq!(more, WAN_1_3B.block_parameters() * 4 + text_keys);
        let packed = |shape| PassShape {
            block_bytes: Some(WAN_1_3B.block_parameters()),
            ..shape
        };
        let [held, moved] = [shape, streamed].map(|it| WAN_1_3B.workspace_bytes(&packed(it)));
        assert_eq!(moved - held, WAN_1_3B.block_parameters() + text_keys);
        // A weight of the attention is widened where the most is needed.
        assert_eq!(held, WAN_1_3B.workspace_bytes(&shape) + 1536 * 1536 * 4);
        assert_eq!(WAN_1_3B.context_bytes(&streamed), 512 * 1536 * 4);
        assert_eq!(WAN_1_3B.context_bytes(&shape), 60 * 512 * 1536 * 4);
    }

    /// facts 5.1: 512x896, 81 frames.
    #[test]
    fn scail_streams_are_tokens_too() {
        let shape = PassShape {
            references: 1,
            pose: true,
            ..PassShape::new(1, 21, 112, 64)
        };
        assert_eq!(shape.tokens(), 1792 + 37_632 + 9_408);
    }
}
