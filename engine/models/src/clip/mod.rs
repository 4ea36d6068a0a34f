//! CLIP's vision tower (Radford et al., "Learning transferable visual models", 2021), as Wan uses it.
//!
//! Wan 2.1 image to video conditions on what enters the last block of ViT-H/14: the penultimate
//! hidden state of all 257 tokens, without a final norm (Wan2.1 `wan/modules/clip.py`,
//! `use_31_block`; ComfyUI `comfy/clip_vision.py`, `penultimate_hidden_states`; transformers
//! `models/clip/modeling_clip.py`, `hidden_states[-2]`). So the last block is neither kept nor run.

mod dims;
mod names;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use longtake_sentence::{Sentence, say};
use longtake_shaders::{Activation, attention, layer_norm, linear};

use self::dims::RGB;
pub use self::dims::{ClipDims, Shapes};
use self::names::Layout;
use crate::dense::Dense;
use crate::weights::{Checkpoint, Placement, WeightsError};
use crate::{Device, Tensor};

/// Added to variances in every layer norm (`layer_norm_eps`).
const EPS: f64 = 1e-5;

/// Mean of the pictures that CLIP was trained on, red, green, blue in 0..1
/// (openai/CLIP `clip/clip.py`, `_transform`).
pub const MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
/// Their deviation.
pub const STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

/// What encoding can fail with.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.sentence())]
pub enum ClipError {
    /// The caller's hook broke it off.
    Interrupted,
    /// A streamed block could not be read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// Pixels of another size than the tower takes.
    Pixels { side: usize, found: [usize; 4] },
}

impl ClipError {
    /// The message in both languages.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::Interrupted => say!(
                "stopped by the caller before the picture was encoded",
                "画像のエンコードが終わる前に止められました"
            ),
            Self::Weights(error) => error.sentence(),
            Self::Pixels { side, found } => say!(
                "pictures for the CLIP vision encoder: expected [batch, 3, {side}, {side}], got {found:?}; resize them first",
                "CLIP ビジョンエンコーダーの画像は [batch, 3, {side}, {side}] でなければなりませんが、{found:?} でした。先に大きさを変えてください"
            ),
        }
    }
}

/// One block: self-attention and feed-forward, each behind a layer norm and added to its input.
struct Block {
    norm1: [Tensor<1>; 2],
    /// Queries, keys, values on top of each other.
    qkv: Dense,
    out: Dense,
    norm2: [Tensor<1>; 2],
    fc1: Dense,
    fc2: Dense,
}

enum Blocks {
    Resident(Vec<Block>),
    Streamed(Checkpoint, Layout),
}

/// The vision tower with its weights.
pub struct ClipVision {
    dims: ClipDims,
    /// `[width, 3 × patch × patch]`
    patch: Tensor<2>,
    /// Positions `[1, tokens, width]`, the class embedding added to the first.
    table: Tensor<3>,
    pre_norm: [Tensor<1>; 2],
    blocks: Blocks,
    device: Device,
}

/// A checkpoint of known layout and sizes, and where its tensors shall go.
struct Source<'a> {
    checkpoint: &'a Checkpoint,
    layout: Layout,
    dims: ClipDims,
    device: &'a Device,
}

impl Source<'_> {
    fn get<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
    ) -> Result<Tensor<D>, WeightsError> {
        self.checkpoint
            .tensor(&self.layout.name(name), shape, self.device)
    }

    fn dense(&self, name: &str, from: usize, to: usize) -> Result<Dense, WeightsError> {
        Ok(Dense {
            weight: self.get(&format!("{name}.weight"), [to, from])?,
            bias: Some(self.get(&format!("{name}.bias"), [to])?),
        })
    }

    fn norm(&self, name: &str) -> Result<[Tensor<1>; 2], WeightsError> {
        let width = self.dims.width;
        Ok([
            self.get(&format!("{name}.weight"), [width])?,
            self.get(&format!("{name}.bias"), [width])?,
        ])
    }

    /// Queries, keys and values, which transformers keeps apart, as one layer.
    fn qkv(&self, attention: &str) -> Result<Dense, WeightsError> {
        let width = self.dims.width;
        if self.layout != Layout::Hf {
            return self.dense(&format!("{attention}.qkv"), width, 3 * width);
        }
        let [q, k, v] =
            ["q", "k", "v"].map(|it| self.dense(&format!("{attention}.{it}_proj"), width, width));
        let parts = [q?, k?, v?];
        let weights = parts.iter().map(|it| it.weight.clone()).collect();
        let biases = parts.iter().filter_map(|it| it.bias.clone()).collect();
        Ok(Dense {
            weight: Tensor::cat(weights, 0),
            bias: Some(Tensor::cat(biases, 0)),
        })
    }

    fn block(&self, index: usize) -> Result<Block, WeightsError> {
        let ClipDims { width, mlp, .. } = self.dims;
        let name = |part: &str| format!("encoder.layers.{index}.{part}");
        Ok(Block {
            norm1: self.norm(&name("layer_norm1"))?,
            qkv: self.qkv(&name("self_attn"))?,
            out: self.dense(&name("self_attn.out_proj"), width, width)?,
            norm2: self.norm(&name("layer_norm2"))?,
            fc1: self.dense(&name("mlp.fc1"), width, mlp)?,
            fc2: self.dense(&name("mlp.fc2"), mlp, width)?,
        })
    }

    /// Positions with the class embedding added to the first, whatever axes of length 1 the
    /// file has in front.
    fn table(&self) -> Result<Tensor<3>, WeightsError> {
        let ClipDims { width, tokens, .. } = self.dims;
        let positions = "embeddings.position_embedding.weight";
        let class = "embeddings.class_embedding";
        let (positions, class): (Tensor<3>, Tensor<3>) = if self.layout == Layout::Wan {
            (
                self.get(positions, [1, tokens, width])?,
                self.get(class, [1, 1, width])?,
            )
        } else {
            (
                self.get(positions, [tokens, width])?.unsqueeze(),
                self.get(class, [width])?.unsqueeze(),
            )
        };
        let first = positions.clone().narrow(1, 0, 1) + class;
        Ok(Tensor::cat(
            vec![first, positions.narrow(1, 1, tokens - 1)],
            1,
        ))
    }
}

impl ClipVision {
    /// Reads a tower in transformers' (ComfyUI's), Wan's or open_clip's names onto `device`.
    /// `progress` hears `(blocks read, blocks)`.
    ///
    /// # Errors
    /// [`WeightsError`] if the file is of another family or activation, lacks a tensor, or has it
    /// in another shape.
    pub fn load(
        checkpoint: &Checkpoint,
        device: &Device,
        placement: Placement,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, WeightsError> {
        let (layout, dims) = ClipDims::read(checkpoint)?;
        let source = Source {
            checkpoint,
            layout,
            dims,
            device,
        };
        let ClipDims { width, patch, .. } = dims;
        let kernel = source.get(
            "embeddings.patch_embedding.weight",
            [width, RGB, patch, patch],
        )?;
        let read = |index: usize| {
            progress(index, dims.run_layers());
            source.block(index)
        };
        let blocks = match placement {
            Placement::Resident => Blocks::Resident(
                (0..dims.run_layers())
                    .map(read)
                    .collect::<Result<_, WeightsError>>()?,
            ),
            Placement::Streamed => Blocks::Streamed(checkpoint.clone(), layout),
        };
        Ok(Self {
            dims,
            patch: kernel.reshape([width, RGB * patch * patch]),
            table: source.table()?,
            pre_norm: source.norm("pre_layrnorm")?,
            blocks,
            device: device.clone(),
        })
    }

    /// Its sizes.
    pub fn dims(&self) -> ClipDims {
        self.dims
    }

    /// The penultimate hidden state `[batch, tokens, width]` of normalised pictures
    /// `[batch, 3, side, side]` (`side` is [`ClipDims::image_side`]; `(value − MEAN) / STD`), in the
    /// type of the weights. `hook` hears `(blocks done, blocks)` before each block; where it breaks,
    /// so does the encoding.
    ///
    /// # Errors
    /// [`ClipError::Pixels`], [`ClipError::Interrupted`], or a streamed block that cannot be read.
    pub fn encode(
        &self,
        pixels: Tensor<4>,
        hook: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<Tensor<3>, ClipError> {
        let layers = self.dims.run_layers();
        let mut x = self.embed(pixels)?;
        for index in 0..layers {
            if hook(index, layers).is_break() {
                return Err(ClipError::Interrupted);
            }
            x = match &self.blocks {
                Blocks::Resident(blocks) => blocks[index].forward(x, self.dims.heads),
                Blocks::Streamed(checkpoint, layout) => {
                    let source = Source {
                        checkpoint,
                        layout: *layout,
                        dims: self.dims,
                        device: &self.device,
                    };
                    source.block(index)?.forward(x, self.dims.heads)
                }
            };
        }
        Ok(x)
    }

    /// Patches as tokens behind an empty one, positions and class added, normed.
    fn embed(&self, pixels: Tensor<4>) -> Result<Tensor<3>, ClipError> {
        let found = pixels.dims();
        let side = self.dims.image_side();
        let [batch, channels, height, width] = found;
        if batch == 0 || [channels, height, width] != [RGB, side, side] {
            return Err(ClipError::Pixels { side, found });
        }
        let (count, patch) = (self.dims.side(), self.dims.patch);
        let patches = pixels
            .cast(self.patch.dtype())
            .reshape([batch, RGB, count, patch, count, patch])
            .permute([0, 2, 4, 1, 3, 5])
            .reshape([batch, count * count, RGB * patch * patch]);
        let tokens = linear(patches, self.patch.clone(), None);
        let class = tokens.clone().narrow(1, 0, 1).zeros_like();
        let x = Tensor::cat(vec![class, tokens], 1) + self.table.clone();
        let [weight, bias] = self.pre_norm.clone();
        Ok(layer_norm(x, Some(weight), Some(bias), EPS))
    }
}

impl Block {
    fn forward(&self, x: Tensor<3>, heads: usize) -> Tensor<3> {
        let x = self.attend(x, heads);
        let [weight, bias] = self.norm2.clone();
        let y = layer_norm(x.clone(), Some(weight), Some(bias), EPS);
        x + self.fc2.apply(self.fc1.apply_act(y, Activation::GeluErf))
    }

    fn attend(&self, x: Tensor<3>, heads: usize) -> Tensor<3> {
        let [batch, tokens, width] = x.dims();
        let [weight, bias] = self.norm1.clone();
        let y = layer_norm(x.clone(), Some(weight), Some(bias), EPS);
        let head_dim = width / heads;
        // The heads of queries, of keys and of values side by side: each a view, not a copy.
        let all = self
            .qkv
            .apply(y)
            .reshape([batch, tokens, 3 * heads, head_dim]);
        let part = |index: usize| all.clone().narrow(2, index * heads, heads);
        let scale = 1.0 / (head_dim as f32).sqrt();
        let y = attention(part(0), part(1), part(2), scale, None);
        x + self.out.apply(y.reshape([batch, tokens, width]))
    }
}

/// What lies beside the tensors about the number of heads: a transformers `config.json` (of the
/// tower or of a whole CLIP), or the metadata entry of our small test models.
pub(crate) fn heads_entry(
    config: Option<&serde_json::Value>,
    metadata: &BTreeMap<String, String>,
) -> Option<usize> {
    let written = || metadata.get("longtake.heads")?.parse().ok();
    vision_config(config)
        .and_then(|it| usize::try_from(it.get("num_attention_heads")?.as_u64()?).ok())
        .or_else(written)
        .filter(|&heads| heads > 0)
}

/// Found where a width is not a whole number of heads.
pub(crate) fn width_and_heads(width: usize, heads: usize) -> Sentence {
    say!(
        "width {width} and {heads} heads",
        "幅 {width}、ヘッド {heads} 個"
    )
}

/// What to do where the number of heads is not known.
pub(crate) fn set_heads() -> Sentence {
    say!(
        "set `num_attention_heads` in config.json, or the metadata entry `longtake.heads`",
        "config.json の「num_attention_heads」かメタデータの項目「longtake.heads」を設定してください"
    )
}

fn vision_config(config: Option<&serde_json::Value>) -> Option<&serde_json::Value> {
    let config = config?;
    Some(config.get("vision_config").unwrap_or(config))
}

/// The activation of a tower that does not have Wan's exact GELU: what `config.json` says, or that
/// of OpenAI's ViT-L/14, which ComfyUI too tells by its depth (`comfy/clip_vision.py`).
fn foreign_activation(config: Option<&serde_json::Value>, dims: &ClipDims) -> Option<String> {
    let written = vision_config(config).and_then(|it| it.get("hidden_act")?.as_str());
    match written {
        Some("gelu") => None,
        Some(other) => Some(other.to_owned()),
        None => (dims.width == 1024 && dims.layers == 24).then(|| "quick_gelu".to_owned()),
    }
}
