//! Sizes of a CLIP vision tower, and what follows from them: weight bytes, work memory, operations.

use longtake_sentence::say;
use longtake_shaders::attention_workspace;

use super::names::Layout;
use crate::weights::{Checkpoint, Clash, FamilyKind, WeightsError};

const F32: u64 = 4;

/// Channels of a picture.
pub(super) const RGB: usize = 3;

/// Width of a head of ViT-H/14, Wan's encoder; smaller test models say theirs.
const HEAD_DIM: usize = 80;

/// Sizes of a vision tower, all but `heads` read off the tensors of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClipDims {
    /// Width of a token.
    pub width: usize,
    /// Width of the hidden layer of the feed-forward.
    pub mlp: usize,
    /// 0 if neither the file says it nor the width is a whole number of heads of 80.
    pub heads: usize,
    /// Blocks in the file. The last one is not run: the output is what enters it.
    pub layers: usize,
    /// Side of a patch, pixels.
    pub patch: usize,
    /// Tokens: one for the class, then the patches.
    pub tokens: usize,
}

/// A checkpoint's tensors as far as sizes go: the shape of a name.
pub type Shapes<'a> = dyn Fn(&str) -> Option<&'a [usize]> + 'a;

impl ClipDims {
    /// Layout and sizes told from names and shapes; `None` if it is no vision tower.
    pub(crate) fn detect(shape: &Shapes<'_>) -> Option<Self> {
        Self::detect_layout(shape).map(|(_, dims)| dims)
    }

    fn detect_layout(shape: &Shapes<'_>) -> Option<(Layout, Self)> {
        let layout = Layout::detect(|name| shape(name).is_some())?;
        let get = |name: &str| shape(&layout.name(name));
        let &[width, RGB, patch, _] = get("embeddings.patch_embedding.weight")? else {
            return None;
        };
        let block = |i: usize| get(&format!("encoder.layers.{i}.mlp.fc1.bias"));
        let dims = Self {
            width,
            mlp: block(0)?.iter().product(),
            heads: if width.is_multiple_of(HEAD_DIM) {
                width / HEAD_DIM
            } else {
                0
            },
            layers: (0..usize::MAX).take_while(|&i| block(i).is_some()).count(),
            patch,
            // `[tokens, width]`, or `[1, tokens, width]`
            tokens: get("embeddings.position_embedding.weight")?
                .iter()
                .rev()
                .nth(1)
                .copied()?,
        };
        // Shapes with a zero have no bytes behind them and could claim any size beside it.
        let real = [dims.width, dims.mlp, dims.patch, dims.tokens]
            .iter()
            .all(|&n| n > 0);
        real.then_some((layout, dims))
    }

    /// Layout and sizes of a checkpoint.
    pub(super) fn read(checkpoint: &Checkpoint) -> Result<(Layout, Self), WeightsError> {
        let refuse = |found| WeightsError::WrongFamily {
            file: checkpoint.path().into(),
            expected: FamilyKind::ClipVision.sentence(),
            found,
        };
        let (layout, mut dims) =
            Self::detect_layout(&|name| checkpoint.shape(name)).ok_or_else(|| {
                refuse(say!(
                    "no `vision_model.*` or `visual.*` tensors of one",
                    "「vision_model.*」や「visual.*」のテンソルがないファイル"
                ))
            })?;
        let config = checkpoint.config();
        if let Some(heads) = super::heads_entry(config, checkpoint.metadata()) {
            dims.heads = heads;
        }
        let wrong = |name: &str, expected, found, remedy| WeightsError::BadTensor {
            file: checkpoint.path().into(),
            tensor: layout.name(name),
            clash: Box::new(Clash {
                expected,
                found,
                remedy,
            }),
        };
        let side = dims.side();
        if side * side + 1 != dims.tokens || dims.layers < 2 {
            let ClipDims { tokens, layers, .. } = dims;
            return Err(wrong(
                "embeddings.position_embedding.weight",
                say!(
                    "one row for the class and a square of patches, and two blocks or more",
                    "クラスの一行と正方形に並ぶパッチの行、そして二つ以上のブロック"
                ),
                say!(
                    "{tokens} rows, {layers} blocks",
                    "{tokens} 行、{layers} ブロック"
                ),
                say!(
                    "the file is incomplete or of another model",
                    "ファイルが不完全か、別のモデルのものです"
                ),
            ));
        }
        if dims.heads == 0 || !dims.width.is_multiple_of(dims.heads) {
            return Err(wrong(
                "embeddings.patch_embedding.weight",
                say!(
                    "a width of whole heads ({HEAD_DIM} unless the file says otherwise)",
                    "ヘッドの幅の倍数（ファイルに指定がなければ {HEAD_DIM}）"
                ),
                super::width_and_heads(dims.width, dims.heads),
                super::set_heads(),
            ));
        }
        if let Some(act) = super::foreign_activation(config, &dims) {
            return Err(refuse(say!(
                "one with the activation `{act}`, which Wan's (ViT-H/14, exact GELU) has not",
                "活性化関数が「{act}」のもの（Wan が使うのは厳密な GELU の ViT-H/14）"
            )));
        }
        Ok((layout, dims))
    }

    /// Patches along a side.
    pub(super) fn side(&self) -> usize {
        self.tokens.saturating_sub(1).isqrt()
    }

    /// Width and height of the pictures it takes, pixels: 224 for ViT-H/14.
    pub fn image_side(&self) -> usize {
        self.side() * self.patch
    }

    /// Blocks that are run: all but the last.
    pub fn run_layers(&self) -> usize {
        self.layers.saturating_sub(1)
    }

    /// Weights of one block.
    pub fn block_parameters(&self) -> u64 {
        let [w, m] = [self.width, self.mlp].map(|n| n as u64);
        // Saturating: what a hostile header claims may be anything.
        let attention = w.saturating_mul(w).saturating_mul(4);
        let feed_forward = w.saturating_mul(m).saturating_mul(2);
        attention
            .saturating_add(feed_forward)
            .saturating_add(9 * w + m)
    }

    /// Bytes that loading keeps at `dtype_bytes` per number: the last block, the final norm and
    /// the projection are left in the file.
    pub fn weight_bytes(&self, dtype_bytes: usize) -> u64 {
        let [w, p] = [self.width, RGB * self.patch * self.patch].map(|n| n as u64);
        let outer = w.saturating_mul(p + self.tokens as u64 + 2);
        (self.run_layers() as u64)
            .saturating_mul(self.block_parameters())
            .saturating_add(outer)
            .saturating_mul(dtype_bytes as u64)
    }

    /// Peak bytes that encoding `batch` pictures allocates on the CPU (f32) beyond the weights
    /// and the pixels. Two moments compete: the attention (the stream, its norm or the result,
    /// queries, keys and values) and the feed-forward (the stream, its norm, the hidden layer).
    pub fn workspace_bytes(&self, batch: usize) -> u64 {
        let rows = (batch * self.tokens) as u64 * F32;
        let threads = rayon::current_num_threads();
        let scores = attention_workspace(self.tokens, self.tokens, threads) as u64;
        let attention = rows * 5 * self.width as u64 + scores;
        attention.max(rows * (2 * self.width + self.mlp) as u64)
    }

    /// Floating-point operations of encoding `batch` pictures (a multiply-add counts as two).
    pub fn flops(&self, batch: usize) -> f64 {
        let [n, w, m] = [self.tokens, self.width, self.mlp].map(|n| n as f64);
        let block = 2.0 * n * (4.0 * w * w + 2.0 * w * m) + 4.0 * n * n * w;
        let patches = 2.0 * n * w * (RGB * self.patch * self.patch) as f64;
        batch as f64 * (self.run_layers() as f64 * block + patches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ViT-H/14 of `open-clip-xlm-roberta-large-vit-huge-14`.
    const VIT_H: ClipDims = ClipDims {
        width: 1280,
        mlp: 5120,
        heads: 16,
        layers: 32,
        patch: 14,
        tokens: 257,
    };

    #[test]
    fn sizes_of_the_published_tower() {
        assert_eq!((VIT_H.side(), VIT_H.image_side()), (16, 224));
        // transformers counts 630 766 080 in laion's ViT-H vision model: 32 blocks, the class
        // row, positions, patches and the two outer norms.
        let outer = 1280 * (588 + 257 + 2);
        let all = 32 * VIT_H.block_parameters() + outer + 1280 + 2 * 1280;
        assert_eq!(all, 630_766_080);
        let kept = all - VIT_H.block_parameters() - 1280 - 2 * 1280;
        assert_eq!(VIT_H.weight_bytes(2), 2 * kept);
        // 334.59 for all 32 blocks (open_clip `docs/model_profile.csv`, image_gflops).
        let published = 334.59 * 31.0 / 32.0;
        assert!((VIT_H.flops(1) / 1e9 / published - 1.0).abs() < 0.005);
    }

    #[test]
    fn names_and_shapes_tell_the_tower() {
        let patch: &[usize] = &[80, 3, 7, 7];
        let tensors: &[(&str, &[usize])] = &[
            ("visual.patch_embedding.weight", patch),
            ("visual.pos_embedding", &[1, 17, 80]),
            ("visual.transformer.0.mlp.0.bias", &[96]),
            ("visual.transformer.1.mlp.0.bias", &[96]),
        ];
        let shape = |name: &str| tensors.iter().find(|it| it.0 == name).map(|it| it.1);
        let found = ClipDims {
            width: 80,
            mlp: 96,
            heads: 1,
            layers: 2,
            patch: 7,
            tokens: 17,
        };
        assert_eq!(ClipDims::detect(&shape), Some(found));
        let empty = |name: &str| {
            let shape = shape(name)?;
            Some(if name.ends_with("pos_embedding") {
                &[0, 9, 0][..2]
            } else {
                shape
            })
        };
        assert_eq!(ClipDims::detect(&empty), None, "a table without rows");
        assert_eq!(ClipDims::detect(&|_| None), None);
    }
}
