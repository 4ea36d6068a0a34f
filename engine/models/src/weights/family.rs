//! Which model a checkpoint holds, told from the names and shapes of its tensors alone.
//!
//! The rules for Wan are those of ComfyUI (`comfy/model_detection.py`, `comfy/sd.py`), extended to
//! the names of diffusers folders.

use std::collections::BTreeMap;
use std::fmt;

use longtake_sentence::{Sentence, say};

use super::checkpoint::{COMFY_PREFIX, Checkpoint};
use super::error::WeightsError;
use super::header::Header;
use crate::clip::{ClipDims, heads_entry};
use crate::wan::uni3c::Uni3cDims;

/// Sizes of a Wan diffusion transformer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WanDims {
    /// Width of a token.
    pub d: usize,
    pub ffn: usize,
    /// ComfyUI's rule `d / 128`, unless a diffusers `config.json` says otherwise.
    pub heads: usize,
    pub layers: usize,
    /// Channels of the noisy latent and of what is concatenated to it.
    pub in_dim: usize,
    /// Latent channels predicted.
    pub out_dim: usize,
    /// Width of the text encoder's output.
    pub text_dim: usize,
    /// Whether there is a CLIP image branch (Wan 2.1 image-to-video).
    pub i2v: bool,
    /// Width of the CLIP tokens that branch takes, or 0.
    pub image_dim: usize,
    /// Rows of its learned positions (first and last frame), or 0.
    pub image_positions: usize,
    /// Channels of SCAIL's pose latent, or 0.
    pub pose_dim: usize,
    /// Channels of SCAIL-2's identity masks, or 0.
    pub mask_dim: usize,
}

/// Sizes of a UMT5 encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Umt5Dims {
    pub vocab: usize,
    pub d: usize,
    pub d_ff: usize,
    pub heads: usize,
    /// Width of one head.
    pub d_kv: usize,
    pub layers: usize,
    /// Rows of the relative-position tables.
    pub buckets: usize,
}

/// A model family with the sizes that tell its members apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    WanDit(WanDims),
    /// The autoencoder of Wan 2.1 and Wan 2.2 A14B (4×8×8).
    WanVae21 {
        latent_channels: usize,
        /// Channels of the first level.
        dim: usize,
    },
    /// The autoencoder of Wan 2.2 TI2V-5B (4×16×16).
    WanVae22 {
        latent_channels: usize,
        /// Channels of the encoder's first level.
        dim: usize,
        /// Channels of the decoder's last level.
        decoder_dim: usize,
    },
    Umt5(Umt5Dims),
    /// T5 proper, whose layers share one position table: not what Wan was trained with.
    T5,
    ClipVision(ClipDims),
    /// A control network that follows a render of the scene.
    Uni3c(Uni3cDims),
    /// Low-rank changes to another checkpoint.
    Lora,
}

/// What a node asks for when it names a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FamilyKind {
    WanDit,
    WanVae,
    Umt5,
    ClipVision,
    Uni3c,
    Lora,
}

impl FamilyKind {
    /// What it is called.
    pub fn sentence(self) -> Sentence {
        match self {
            Self::WanDit => say!("a Wan diffusion model", "Wan の拡散モデル"),
            Self::WanVae => say!("a Wan VAE", "Wan の VAE"),
            Self::Umt5 => say!("a UMT5 text encoder", "UMT5 のテキストエンコーダー"),
            Self::ClipVision => say!("a CLIP vision encoder", "CLIP ビジョンエンコーダー"),
            Self::Uni3c => say!("a Uni3C control network", "Uni3C のコントロールネット"),
            Self::Lora => say!("a LoRA", "LoRA"),
        }
    }
}

impl fmt::Display for FamilyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sentence().fmt(f)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sentence().fmt(f)
    }
}

impl Family {
    /// What it is called, with the sizes that tell it from others.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::WanDit(it) => {
                let WanDims {
                    d,
                    layers,
                    in_dim,
                    out_dim,
                    ..
                } = it;
                let kind = if it.i2v {
                    say!(", image-to-video", "、画像から動画")
                } else {
                    Sentence::default()
                };
                say!("a Wan diffusion model (d {d}, {layers} layers, {in_dim} → {out_dim} channels{kind})",
                    "Wan の拡散モデル（幅 {d}、{layers} 層、{in_dim} → {out_dim} チャンネル{kind}）"; kind)
            }
            Self::WanVae21 {
                latent_channels, ..
            } => say!(
                "a Wan 2.1 VAE ({latent_channels} channels)",
                "Wan 2.1 の VAE（{latent_channels} チャンネル）"
            ),
            Self::WanVae22 {
                latent_channels, ..
            } => say!(
                "a Wan 2.2 VAE ({latent_channels} channels)",
                "Wan 2.2 の VAE（{latent_channels} チャンネル）"
            ),
            Self::Umt5(Umt5Dims {
                d, layers, vocab, ..
            }) => say!(
                "a UMT5 text encoder (d {d}, {layers} layers, vocabulary {vocab})",
                "UMT5 のテキストエンコーダー（幅 {d}、{layers} 層、語彙 {vocab}）"
            ),
            Self::T5 => say!(
                "a T5 text encoder (not UMT5)",
                "T5 のテキストエンコーダー（UMT5 ではありません）"
            ),
            Self::ClipVision(ClipDims { width, layers, .. }) => say!(
                "a CLIP vision encoder (d {width}, {layers} layers)",
                "CLIP ビジョンエンコーダー（幅 {width}、{layers} 層）"
            ),
            Self::Uni3c(Uni3cDims {
                dim,
                layers,
                out_dim,
                ..
            }) => say!(
                "a Uni3C control network (d {dim}, {layers} layers, for a model of d {out_dim})",
                "Uni3C のコントロールネット（幅 {dim}、{layers} 層、幅 {out_dim} のモデル用）"
            ),
            Self::Lora => say!("a LoRA", "LoRA"),
        }
    }

    /// The family of an opened checkpoint; `None` if the names are of no family known here.
    pub fn detect(checkpoint: &Checkpoint) -> Option<Self> {
        let shapes = checkpoint
            .names()
            .filter_map(|name| Some((name, checkpoint.shape(name)?)));
        let mut family = detect(&Table(shapes.collect()))?;
        family.set_heads(checkpoint.config(), checkpoint.metadata());
        Some(family)
    }

    /// The family told by headers alone, as [`super::probe`] reads them.
    pub fn of_headers<'a>(headers: impl IntoIterator<Item = &'a Header>) -> Option<Self> {
        let tensors = headers.into_iter().flat_map(|header| &header.tensors);
        let strip = |name: &'a String| name.strip_prefix(COMFY_PREFIX).unwrap_or(name);
        detect(&Table(
            tensors
                .map(|(name, slot)| (strip(name), slot.shape.as_slice()))
                .collect(),
        ))
    }

    /// Corrects the number of heads, which no tensor shows, from what lies beside them: a
    /// diffusers `config.json`, or the metadata entry of our small test models.
    pub(super) fn set_heads(
        &mut self,
        config: Option<&serde_json::Value>,
        metadata: &BTreeMap<String, String>,
    ) {
        let heads = match self {
            Self::WanDit(dims) => &mut dims.heads,
            Self::ClipVision(dims) => &mut dims.heads,
            Self::Uni3c(dims) => &mut dims.heads,
            Self::WanVae21 { .. }
            | Self::WanVae22 { .. }
            | Self::Umt5(_)
            | Self::T5
            | Self::Lora => return,
        };
        *heads = heads_entry(config, metadata).unwrap_or(*heads);
    }

    pub fn kind(&self) -> Option<FamilyKind> {
        match self {
            Self::WanDit(_) => Some(FamilyKind::WanDit),
            Self::WanVae21 { .. } | Self::WanVae22 { .. } => Some(FamilyKind::WanVae),
            Self::Umt5(_) => Some(FamilyKind::Umt5),
            Self::ClipVision(_) => Some(FamilyKind::ClipVision),
            Self::Uni3c(_) => Some(FamilyKind::Uni3c),
            Self::Lora => Some(FamilyKind::Lora),
            Self::T5 => None,
        }
    }
}

impl Checkpoint {
    /// The family of this checkpoint if it is of `kind`.
    ///
    /// # Errors
    /// [`WeightsError::WrongFamily`] otherwise, naming what the file is.
    pub fn expect_family(&self, kind: FamilyKind) -> Result<Family, WeightsError> {
        check_family(self.path(), Family::detect(self), kind)
    }
}

/// `found` if it is of `kind`.
///
/// # Errors
/// [`WeightsError::WrongFamily`] otherwise.
pub fn check_family(
    path: &std::path::Path,
    found: Option<Family>,
    kind: FamilyKind,
) -> Result<Family, WeightsError> {
    found
        .filter(|family| family.kind() == Some(kind))
        .ok_or_else(|| WeightsError::WrongFamily {
            file: path.into(),
            expected: kind.sentence(),
            found: found.map_or_else(
                || {
                    say!(
                        "a model that Longtake does not know",
                        "Longtake の知らないモデル"
                    )
                },
                |family| family.sentence(),
            ),
        })
}

/// Names and shapes, sorted by name.
struct Table<'a>(BTreeMap<&'a str, &'a [usize]>);

impl Table<'_> {
    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Axis `axis` of tensor `name`.
    fn axis(&self, name: &str, axis: usize) -> Option<usize> {
        self.0.get(name)?.get(axis).copied()
    }

    fn rank(&self, name: &str) -> usize {
        self.0.get(name).map_or(0, |shape| shape.len())
    }

    fn count(&self, prefix: &str) -> usize {
        let has = |i| {
            let group = format!("{prefix}{i}.");
            self.0
                .range(group.as_str()..)
                .next()
                .is_some_and(|(name, _)| name.starts_with(&group))
        };
        (0..self.0.len()).take_while(|&i| has(i)).count()
    }
}

fn detect(table: &Table) -> Option<Family> {
    let shape = |name: &str| table.0.get(name).copied();
    lora(table)
        .or_else(|| wan_dit(table).map(Family::WanDit))
        .or_else(|| wan_vae(table))
        .or_else(|| umt5(table).map(Family::Umt5))
        .or_else(|| {
            table
                .has("shared.weight")
                .then_some(Family::T5)
                .filter(|_| table.count("encoder.block.") > 0)
        })
        .or_else(|| ClipDims::detect(&shape).map(Family::ClipVision))
        .or_else(|| Uni3cDims::detect(&shape).map(Family::Uni3c))
}

fn lora(table: &Table) -> Option<Family> {
    const ENDS: &[&str] = &[
        ".lora_A.weight",
        ".lora_down.weight",
        ".lora_A.default.weight",
        "_lora.down.weight",
        ".lora.down.weight",
        ".lora_up.weight",
        ".lora_B.weight",
        ".diff",
        ".diff_b",
        ".set_weight",
    ];
    table
        .0
        .keys()
        .any(|name| ENDS.iter().any(|end| name.ends_with(end)))
        .then_some(Family::Lora)
}

fn wan_dit(table: &Table) -> Option<WanDims> {
    // (head modulation, head, first feed-forward, first text layer, two image-branch tensors)
    const ORIGINAL: [&str; 6] = [
        "head.modulation",
        "head.head.weight",
        "blocks.0.ffn.0.weight",
        "text_embedding.0.weight",
        "img_emb.proj.0.bias",
        "img_emb.emb_pos",
    ];
    const DIFFUSERS: [&str; 6] = [
        "scale_shift_table",
        "proj_out.weight",
        "blocks.0.ffn.net.0.proj.weight",
        "condition_embedder.text_embedder.linear_1.weight",
        "condition_embedder.image_embedder.norm1.bias",
        "condition_embedder.image_embedder.pos_embed",
    ];
    let [modulation, head, ffn, text, image, positions] = if table.has(ORIGINAL[0]) {
        ORIGINAL
    } else {
        DIFFUSERS
    };
    let d = table.axis(modulation, 2)?;
    Some(WanDims {
        d,
        ffn: table.axis(ffn, 0)?,
        heads: (d / 128).max(1),
        layers: table.count("blocks."),
        in_dim: table.axis("patch_embedding.weight", 1)?,
        out_dim: table.axis(head, 0)? / 4,
        text_dim: table.axis(text, 1)?,
        i2v: table.has(image),
        image_dim: table.axis(image, 0).unwrap_or(0),
        image_positions: table.axis(positions, 1).unwrap_or(0),
        pose_dim: table.axis("patch_embedding_pose.weight", 1).unwrap_or(0),
        mask_dim: table.axis("patch_embedding_mask.weight", 1).unwrap_or(0),
    })
}

fn wan_vae(table: &Table) -> Option<Family> {
    let (conv, original) = if table.has("post_quant_conv.weight") {
        ("post_quant_conv.weight", false)
    } else {
        ("conv2.weight", true)
    };
    if table.rank(conv) != 5 {
        return None; // an image autoencoder, or something else altogether
    }
    let latent_channels = table.axis(conv, 0)?;
    let [has21, has22, first, last] = if original {
        [
            "decoder.upsamples.0.residual.2.weight",
            "decoder.upsamples.0.upsamples.0.residual.2.weight",
            "encoder.conv1.weight",
            "decoder.head.2.weight",
        ]
    } else {
        [
            "decoder.up_blocks.0.upsamplers.0.resample.1.weight",
            "decoder.up_blocks.0.upsampler.resample.1.weight",
            "encoder.conv_in.weight",
            "decoder.conv_out.weight",
        ]
    };
    let dim = table.axis(first, 0)?;
    if table.has(has22) {
        return Some(Family::WanVae22 {
            latent_channels,
            dim,
            decoder_dim: table.axis(last, 1)?,
        });
    }
    table.has(has21).then_some(Family::WanVae21 {
        latent_channels,
        dim,
    })
}

fn umt5(table: &Table) -> Option<Umt5Dims> {
    // (embedding, q, feed-forward gate, position table of the *last* layer, stack)
    let layers = table.count("blocks.");
    if layers > 0 && table.has("token_embedding.weight") {
        let bias = format!("blocks.{}.pos_embedding.embedding.weight", layers - 1);
        return umt5_dims(
            table,
            [
                "token_embedding.weight",
                "blocks.0.attn.q.weight",
                "blocks.0.ffn.gate.0.weight",
                &bias,
            ],
            layers,
        );
    }
    let layers = table.count("encoder.block.");
    let last = layers.checked_sub(1)?;
    let shared = ["shared.weight", "encoder.embed_tokens.weight"]
        .into_iter()
        .find(|name| table.has(name))?;
    // T5 has this table in layer 0 only; with a single layer the two cannot be told apart.
    let bias = format!("encoder.block.{last}.layer.0.SelfAttention.relative_attention_bias.weight");
    let q = "encoder.block.0.layer.0.SelfAttention.q.weight";
    umt5_dims(
        table,
        [
            shared,
            q,
            "encoder.block.0.layer.1.DenseReluDense.wi_0.weight",
            &bias,
        ],
        layers,
    )
}

fn umt5_dims(table: &Table, [shared, q, gate, bias]: [&str; 4], layers: usize) -> Option<Umt5Dims> {
    let heads = table.axis(bias, 1)?;
    let dims = Umt5Dims {
        vocab: table.axis(shared, 0)?,
        d: table.axis(shared, 1)?,
        d_ff: table.axis(gate, 0)?,
        heads,
        d_kv: table.axis(q, 0)?.checked_div(heads)?,
        layers,
        buckets: table.axis(bias, 0)?,
    };
    // Shapes with a zero have no bytes behind them and could claim any size beside it.
    let real = [dims.vocab, dims.d, dims.d_ff, dims.d_kv, dims.buckets]
        .iter()
        .all(|&n| n > 0);
    (real && table.axis(q, 1)? == dims.d && table.axis(gate, 1)? == dims.d).then_some(dims)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tensors: &[(&str, &[usize])], want: Option<Family>) {
        assert_eq!(detect(&Table(tensors.iter().copied().collect())), want);
    }

    #[test]
    fn wan_in_both_layouts() {
        let dims = WanDims {
            d: 1536,
            ffn: 8960,
            heads: 12,
            layers: 2,
            in_dim: 16,
            out_dim: 16,
            text_dim: 4096,
            i2v: false,
            image_dim: 0,
            image_positions: 0,
            pose_dim: 0,
            mask_dim: 0,
        };
        check(
            &[
                ("head.modulation", &[1, 2, 1536]),
                ("head.head.weight", &[64, 1536]),
                ("blocks.0.ffn.0.weight", &[8960, 1536]),
                ("blocks.1.ffn.0.weight", &[8960, 1536]),
                ("text_embedding.0.weight", &[1536, 4096]),
                ("patch_embedding.weight", &[1536, 16, 1, 2, 2]),
            ],
            Some(Family::WanDit(dims)),
        );
        check(
            &[
                ("scale_shift_table", &[1, 2, 1536]),
                ("proj_out.weight", &[64, 1536]),
                ("blocks.0.ffn.net.0.proj.weight", &[8960, 1536]),
                ("blocks.1.ffn.net.2.weight", &[1536, 8960]),
                (
                    "condition_embedder.text_embedder.linear_1.weight",
                    &[1536, 4096],
                ),
                ("condition_embedder.image_embedder.norm1.bias", &[1280]),
                ("patch_embedding.weight", &[1536, 36, 1, 2, 2]),
            ],
            Some(Family::WanDit(WanDims {
                in_dim: 36,
                i2v: true,
                image_dim: 1280,
                ..dims
            })),
        );
    }

    #[test]
    fn autoencoders_and_what_is_none() {
        let conv: (&str, &[usize]) = ("conv2.weight", &[16, 16, 1, 1, 1]);
        let first: (&str, &[usize]) = ("encoder.conv1.weight", &[96, 3, 3, 3, 3]);
        let last: (&str, &[usize]) = ("decoder.head.2.weight", &[12, 256, 3, 3, 3]);
        check(
            &[conv, first, ("decoder.upsamples.0.residual.2.weight", &[1])],
            Some(Family::WanVae21 {
                latent_channels: 16,
                dim: 96,
            }),
        );
        let level = "decoder.upsamples.0.upsamples.0.residual.2.weight";
        check(
            &[conv, first, last, (level, &[1])],
            Some(Family::WanVae22 {
                latent_channels: 16,
                dim: 96,
                decoder_dim: 256,
            }),
        );
        check(&[("post_quant_conv.weight", &[4, 4, 1, 1])], None); // Stable Diffusion's
        check(&[("x.lora_A.weight", &[4, 4])], Some(Family::Lora));
        check(
            &[
                ("shared.weight", &[9, 4]),
                ("encoder.block.0.layer.0.layer_norm.weight", &[4]),
            ],
            Some(Family::T5),
        );
        check(&[], None);
        // A position table in every layer, but sizes that no bytes stand behind.
        let names = [
            "shared.weight",
            "encoder.block.0.layer.0.SelfAttention.q.weight",
            "encoder.block.0.layer.1.DenseReluDense.wi_0.weight",
            "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
        ];
        let claimed: [&[usize]; 4] = [&[9, 4], &[4, 4], &[1 << 60, 0], &[32, 2]];
        check(
            &names.into_iter().zip(claimed).collect::<Vec<_>>(),
            Some(Family::T5),
        );
    }
}
