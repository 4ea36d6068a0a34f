//! Sizes of a Uni3C control network, and what follows from them: weight bytes, work memory,
//! operations.

use longtake_sentence::{Sentence, say};
use longtake_shaders::attention_workspace;

use super::{ADD_PATCH, ROWS};
use crate::clip::Shapes;
use crate::wan::dit::{DitDims, PATCH};

const F32: u64 = 4;

/// Width of a head of the published network; smaller test models say theirs.
const HEAD_DIM: usize = 64;

/// Prefix that the authors' file has before most names.
pub(super) const AUTHORS: &str = "controlnet.";

/// Sizes of a Uni3C control network, all but `heads` read off the tensors of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Uni3cDims {
    /// Channels taken in: noisy latent, mask and render, 36.
    pub in_dim: usize,
    /// Width of the patch embedding.
    pub conv_dim: usize,
    /// Width of the token stream.
    pub dim: usize,
    /// Width of the hidden layer of the feed-forward.
    pub ffn_dim: usize,
    /// 0 if neither the file says it nor the width is a whole number of heads of 64.
    pub heads: usize,
    /// Blocks, each with a residual.
    pub layers: usize,
    /// Width of the transformer's time embedding.
    pub time_dim: usize,
    /// Width of the residuals: that of the transformer they are added to.
    pub out_dim: usize,
    /// Channels of the geometric branch (mask and camera rays), 0 without it.
    pub add_dim: usize,
    /// Width within the geometric branch.
    pub mid_dim: usize,
}

/// A pass as its cost depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlShape {
    pub batch: usize,
    /// Latent frames.
    pub frames: usize,
    /// Latent rows.
    pub height: usize,
    /// Latent columns.
    pub width: usize,
    /// Whether mask and camera rays are given.
    pub geometry: bool,
    /// Whether the blocks' weights are streamed.
    pub streamed: bool,
}

impl ControlShape {
    fn tokens(&self) -> usize {
        DitDims::grid(self.frames, self.height, self.width)
            .iter()
            .product()
    }
}

impl Uni3cDims {
    /// Sizes told from names and shapes; `None` if it is no Uni3C network.
    pub(crate) fn detect(shape: &Shapes<'_>) -> Option<Self> {
        let &[conv_dim, in_dim, 1, PATCH, PATCH] = shape("controlnet_patch_embedding.weight")?
        else {
            return None;
        };
        let prefix = if shape("controlnet.proj_out.0.weight").is_some() {
            AUTHORS
        } else {
            ""
        };
        let get = |name: &str| shape(&format!("{prefix}{name}"));
        let pair = |name: &str| match get(name)? {
            &[rows, columns] => Some([rows, columns]),
            _ => None,
        };
        let [out_dim, dim] = pair("proj_out.0.weight")?;
        let [ffn_dim, _] = pair("controlnet_blocks.0.ffn.0.weight")?;
        let [_, time_dim] = pair("controlnet_blocks.0.norm1.linear.weight")?;
        let (mid_dim, add_dim) = match shape("controlnet_mask_embedding.mask_proj.0.weight") {
            Some(&[mid, add, _, _, _]) => (mid, add),
            _ => (0, 0),
        };
        let layers = (0..usize::MAX)
            .take_while(|i| get(&format!("proj_out.{i}.weight")).is_some())
            .count();
        let dims = Self {
            in_dim,
            conv_dim,
            dim,
            ffn_dim,
            heads: if dim.is_multiple_of(HEAD_DIM) {
                dim / HEAD_DIM
            } else {
                0
            },
            layers,
            time_dim,
            out_dim,
            add_dim,
            mid_dim,
        };
        // Shapes with a zero have no bytes behind them and could claim any size beside it.
        let real = [in_dim, conv_dim, dim, ffn_dim, time_dim, out_dim]
            .iter()
            .all(|&n| n > 0);
        real.then_some(dims)
    }

    /// Channels per head.
    pub fn head_dim(&self) -> usize {
        self.dim.checked_div(self.heads).unwrap_or(0)
    }

    /// Why its residuals cannot be added to a transformer of width `dim`, if so. Both its time
    /// embedding and its residuals are the transformer's.
    pub fn misfit(&self, dim: usize) -> Option<Sentence> {
        let width = if self.out_dim == dim {
            self.time_dim
        } else {
            self.out_dim
        };
        (width != dim).then(|| {
            say!(
                "this Uni3C control network is made for a diffusion model of width {width}, \
                 found one of width {dim}; Uni3C was published for Wan 14B (5120)",
                "この Uni3C のコントロールネットは幅 {width} の拡散モデル用ですが、モデルの幅は {dim} \
                 です。Uni3C が公開されているのは Wan 14B（5120）用です"
            )
        })
    }

    /// Weights of one block with its residual's projection.
    pub fn block_parameters(&self) -> u64 {
        let [d, f, t, o] = [self.dim, self.ffn_dim, self.time_dim, self.out_dim].map(linear_factor);
        let norms = 2 * (linear(t, 3 * d) + 2 * d);
        let attention = 4 * linear(d, d) + 2 * d;
        clamp(norms + attention + linear(d, f) + linear(f, d) + linear(d, o))
    }

    /// Weights outside the blocks: patch embedding, projection in, geometric branch.
    pub fn outer_parameters(&self) -> u64 {
        let [i, c, d] = [self.in_dim, self.conv_dim, self.dim].map(linear_factor);
        let patch = (PATCH * PATCH) as u128;
        let inner = if self.conv_dim == self.dim {
            0
        } else {
            linear(c, d)
        };
        let geometry = if self.add_dim == 0 {
            0
        } else {
            let [a, m] = [self.add_dim, self.mid_dim].map(linear_factor);
            let cell = ADD_PATCH.iter().product::<usize>() as u128;
            linear(a * cell, m) + 2 * m + linear(m * patch, c)
        };
        clamp(linear(i * patch, c) + inner + geometry)
    }

    /// Bytes of all weights at `dtype_bytes` per number (4 for f32, 2 for f16).
    pub fn weight_bytes(&self, dtype_bytes: usize) -> u64 {
        (self.layers as u64)
            .saturating_mul(self.block_parameters())
            .saturating_add(self.outer_parameters())
            .saturating_mul(dtype_bytes as u64)
    }

    /// Bytes on the CPU (f32) that are held from the start of a pass to its last block, while the
    /// transformer works: the token stream and the rotary tables.
    pub fn held_bytes(&self, shape: &ControlShape) -> u64 {
        let tokens = shape.tokens() as u64;
        let tables = tokens * self.head_dim() as u64;
        (shape.batch as u64 * tokens * self.dim as u64 + tables) * F32
    }

    /// Peak bytes that starting a pass and making its residuals allocates on the CPU (f32) beyond
    /// the weights, the inputs and what the transformer holds (its stream, while a residual is
    /// made; nothing of a block's own work). One residual is included, [`Uni3cDims::held_bytes`]
    /// too.
    ///
    /// These moments compete: the geometric branch (two copies of a latent frame's pixels, then
    /// three of its grid), the patches' embedding (`ROWS` tokens at a time in its full width) and
    /// a block: its self-attention (the stream, its norm or the result, q, k and v), its
    /// feed-forward (`ROWS` tokens at a time) and its residual (the stream, its strength in it,
    /// and the residual). `streamed` adds the weights of one block to the latter.
    pub fn workspace_bytes(&self, shape: &ControlShape) -> u64 {
        let tokens = shape.tokens();
        let rows = (shape.batch * tokens) as u64;
        let chunk = rows.min(ROWS as u64);
        let [i, c, d, f, o] = [
            self.in_dim,
            self.conv_dim,
            self.dim,
            self.ffn_dim,
            self.out_dim,
        ]
        .map(|n| n as u64);
        let [grid, pixels] = if shape.geometry {
            self.geometry_elements(shape)
        } else {
            [0, 0]
        };
        let wide = if shape.geometry { 2 * c } else { c };
        let patches = rows * i * (PATCH * PATCH) as u64;
        let embedding = patches + grid + rows * d + (chunk * wide).max(rows * d);
        let threads = rayon::current_num_threads();
        let scores = attention_workspace(tokens, tokens, threads) as u64;
        let attention = rows * 5 * d + scores / F32;
        let feed_forward = rows * d + chunk * (d + f);
        let residual = rows * (2 * d + o);
        let weights = if shape.streamed {
            self.block_parameters()
        } else {
            0
        };
        let block = weights + attention.max(feed_forward).max(residual);
        let most = (grid + 2 * pixels).max(3 * grid).max(embedding).max(block);
        (most + (tokens * self.head_dim()) as u64) * F32
    }

    /// Numbers in the geometric branch's grid, and in the pixels of one latent frame.
    fn geometry_elements(&self, shape: &ControlShape) -> [u64; 2] {
        let frame = shape.batch * shape.height * shape.width;
        let cell = ADD_PATCH.iter().product::<usize>();
        [
            (frame * shape.frames * self.mid_dim) as u64,
            (frame * cell * self.add_dim) as u64,
        ]
    }

    /// Floating-point operations of one pass with all its residuals (a multiply-add counts as
    /// two).
    pub fn flops(&self, shape: &ControlShape) -> f64 {
        let tokens = shape.tokens() as f64;
        let [i, c, d, f, o, t, a, m] = [
            self.in_dim,
            self.conv_dim,
            self.dim,
            self.ffn_dim,
            self.out_dim,
            self.time_dim,
            self.add_dim,
            self.mid_dim,
        ]
        .map(|n| n as f64);
        let patch = (PATCH * PATCH) as f64;
        let block = 2.0 * tokens * (4.0 * d * d + 2.0 * d * f + d * o)
            + 4.0 * tokens * tokens * d
            + 12.0 * t * d;
        let ends = 2.0 * tokens * (i * patch * c + c * d);
        let cell = ADD_PATCH.iter().product::<usize>() as f64;
        let geometry = if shape.geometry {
            2.0 * tokens * patch * m * (a * cell + c)
        } else {
            0.0
        };
        shape.batch as f64 * (self.layers as f64 * block + ends + geometry)
    }
}

/// Wide enough for whatever a hostile header claims: 2⁴⁰ is more than any layer, and squared
/// still far from the end of 128 bits.
fn linear_factor(n: usize) -> u128 {
    (n as u128).min(1 << 40)
}

fn linear(from: u128, to: u128) -> u128 {
    from * to + to
}

fn clamp(n: u128) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Wan21_Uni3C_controlnet_fp16.safetensors`: 490 tensors, feed-forward 4096.
    const PUBLISHED: Uni3cDims = Uni3cDims {
        in_dim: 36,
        conv_dim: 5120,
        dim: 1024,
        ffn_dim: 4096,
        heads: 16,
        layers: 20,
        time_dim: 5120,
        out_dim: 5120,
        add_dim: 7,
        mid_dim: 256,
    };

    #[test]
    fn sizes_of_the_published_network() {
        // By hand per block: 2 (5120·3072 + 3072 + 2048), 4 (1024² + 1024) + 2048,
        // 1024·4096 + 4096 + 4096·1024 + 1024, 1024·5120 + 5120.
        let block = 31_467_520 + 4_200_448 + 8_393_728 + 5_248_000;
        assert_eq!(PUBLISHED.block_parameters(), block);
        let outer = 36 * 4 * 5120 + 5120 + 5120 * 1024 + 1024;
        let geometry = 7 * 256 * 256 + 256 + 512 + 256 * 4 * 5120 + 5120;
        assert_eq!(PUBLISHED.outer_parameters(), outer + geometry);
        // About 2 GB in f16, as the file is.
        assert_eq!(
            PUBLISHED.weight_bytes(2),
            2 * (20 * block + outer + geometry)
        );
        assert_eq!(PUBLISHED.head_dim(), 64);
    }

    #[test]
    fn a_transformer_of_another_width_is_refused() {
        assert_eq!(PUBLISHED.misfit(5120), None);
        let text = PUBLISHED.misfit(1536).unwrap();
        assert!(
            text.en.contains("5120") && text.en.contains("1536"),
            "{text}"
        );
        assert_eq!(text.lacks(), None);
        let half = Uni3cDims {
            time_dim: 3072,
            ..PUBLISHED
        };
        assert!(half.misfit(5120).unwrap().en.contains("3072"));
    }

    #[test]
    fn both_layouts_are_told_by_their_shapes() {
        let tensors: &[(&str, &[usize])] = &[
            ("proj_out.0.weight", &[5120, 1024]),
            ("proj_out.1.weight", &[5120, 1024]),
            ("controlnet_blocks.0.ffn.0.weight", &[4096, 1024]),
            ("controlnet_blocks.0.norm1.linear.weight", &[3072, 5120]),
        ];
        for prefix in ["", AUTHORS] {
            let shape = |name: &str| match name {
                "controlnet_patch_embedding.weight" => Some(&[5120, 36, 1, 2, 2][..]),
                "controlnet_mask_embedding.mask_proj.0.weight" => Some(&[256, 7, 4, 8, 8][..]),
                _ => tensors
                    .iter()
                    .find(|it| name.strip_prefix(prefix) == Some(it.0))
                    .map(|it| it.1),
            };
            let two = Uni3cDims {
                layers: 2,
                ..PUBLISHED
            };
            assert_eq!(Uni3cDims::detect(&shape), Some(two), "prefix `{prefix}`");
        }
        assert_eq!(Uni3cDims::detect(&|_| None), None);
    }
}
