//! Uni3C: a control network that makes Wan follow a render of its scene from a moving camera
//! (Cao et al., "Uni3C", 2025).
//!
//! A small transformer beside the DiT. It sees the noisy latent, the image-to-video mask and the
//! latent of the render; after each of its blocks a projection gives what is added to the DiT's
//! video tokens after the block of the same number. It takes nothing from the DiT but the time
//! embedding, so its residuals can be made one at a time. Follows alibaba-damo-academy/Uni3C
//! `src/models/controlnet.py` and `pcd_controller.py`; names as ComfyUI keeps them
//! (`comfy/ldm/wan/uni3c.py`). All weights are in one type; ComfyUI keeps the patch embedding in
//! f32 also where the rest is half, which differs in the last bits of a half.

mod block;
mod control;
mod dims;
mod embed;

use std::sync::Arc;

use burn::tensor::DType;
use longtake_sentence::{Sentence, say};
use longtake_shaders::{Tensor, silu};

use self::block::{Block, Source};
pub use self::control::Uni3cControl;
use self::dims::AUTHORS;
pub use self::dims::{ControlShape, Uni3cDims};
use self::embed::Embedding;
use crate::Device;
use crate::clip::{heads_entry, width_and_heads};
use crate::wan::dit::ends::pad_to_even;
use crate::wan::dit::rope::{RopeCache, RopeTables, Tokens};
use crate::wan::dit::source::{another_model, whole_heads};
use crate::wan::dit::{DitDims, ForwardError};
use crate::weights::{Checkpoint, Clash, FamilyKind, Placement, WeightsError};

/// Added to variances in the layer norms and the group norm.
const NORM_EPS: f64 = 1e-5;
/// Added to mean squares in the norms of queries and keys.
const QK_EPS: f64 = 1e-6;
/// Tokens, over the whole batch, that wide layers take at once.
const ROWS: usize = 1024;
/// Frames, rows and columns of pixels to a latent position, which a cell of the geometric branch
/// covers.
const ADD_PATCH: [usize; 3] = [4, 8, 8];

enum Blocks {
    Resident(Vec<Block>),
    Streamed(Checkpoint),
}

/// The control network with its weights.
pub struct Uni3c {
    dims: Uni3cDims,
    embedding: Embedding,
    blocks: Blocks,
    rope: RopeCache,
    device: Device,
}

/// What the network sees of one sampling step besides the time.
#[derive(Clone)]
pub struct Uni3cInputs {
    /// `[b, c, f, h, w]`: what goes into the DiT, or its first 20 channels (noisy latent and
    /// mask). Channels beyond those it was trained on are left out, missing ones are zero, as
    /// for text to video, which has no mask.
    pub latent: Tensor<5>,
    /// `[1 or b, 16, f, h, w]`: the render's latent, normalised as the noisy one is.
    pub render: Tensor<5>,
    /// `[1 or b, add_dim, 4f - 3, 8h, 8w]`: mask (1 where the render has holes) and camera rays at
    /// pixels. ComfyUI never gives them.
    pub geometry: Option<Tensor<5>>,
}

impl Uni3c {
    /// Reads a checkpoint in the authors' layout (names below `controlnet.`) or ComfyUI's and
    /// Kijai's (without; `to_q` or `q`) onto `device`. `progress` hears `(blocks read, blocks)`.
    ///
    /// # Errors
    /// [`WeightsError`] if the file is of another family, lacks a tensor, or has it in another
    /// shape.
    pub fn load(
        checkpoint: &Checkpoint,
        device: &Device,
        placement: Placement,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, WeightsError> {
        let dims = read_dims(checkpoint)?;
        let checkpoint = checkpoint.rename(comfy_name)?;
        let source = Source {
            checkpoint: &checkpoint,
            dims,
            device,
        };
        let embedding = Embedding::load(&source)?;
        progress(0, dims.layers);
        let blocks = match placement {
            Placement::Resident => {
                let read = |index: usize| {
                    let block = Block::load(&source, index)?;
                    progress(index + 1, dims.layers);
                    Ok(block)
                };
                Blocks::Resident(
                    (0..dims.layers)
                        .map(read)
                        .collect::<Result<_, WeightsError>>()?,
                )
            }
            Placement::Streamed => Blocks::Streamed(checkpoint),
        };
        Ok(Self {
            dims,
            embedding,
            blocks,
            rope: RopeCache::default(),
            device: device.clone(),
        })
    }

    /// Its sizes.
    pub fn dims(&self) -> Uni3cDims {
        self.dims
    }

    /// Starts a pass under the DiT's time embedding `e` `[b, 1, time_dim]`, before its projection.
    ///
    /// Odd sides are padded with the opposite edge, as the DiT pads them.
    ///
    /// # Errors
    /// [`ForwardError::Input`] if the inputs do not fit the network or each other.
    pub fn begin(
        self: &Arc<Self>,
        inputs: &Uni3cInputs,
        e: &Tensor<3>,
    ) -> Result<Uni3cPass, ForwardError> {
        let [batch, _, f, h, w] = inputs.latent.dims();
        self.check(inputs, e)?;
        let dtype = self.embedding.dtype();
        let spread = |x: &Tensor<5>| match x.dims() {
            [1, c, f, h, w] if batch > 1 => x.clone().expand([batch, c, f, h, w]),
            _ => x.clone(),
        };
        let latent = pad_to_even(self.joined(inputs, spread(&inputs.render)).cast(dtype));
        let x = self
            .embedding
            .tokens(latent, inputs.geometry.as_ref().map(spread));
        let grid = DitDims::grid(f, h, w);
        Ok(Uni3cPass {
            net: self.clone(),
            x: Some(x),
            time: silu(e.clone().cast(dtype)),
            rope: self
                .rope
                .get(Tokens::video(grid), self.dims.head_dim(), &self.device),
            given: e.dtype(),
            next: 0,
        })
    }

    /// Latent and mask, cut or filled up to the channels before the render's, and the render.
    fn joined(&self, inputs: &Uni3cInputs, render: Tensor<5>) -> Tensor<5> {
        let [b, given, f, h, w] = inputs.latent.dims();
        let wanted = self.dims.in_dim - render.dims()[1];
        let latent = inputs.latent.clone();
        let mut parts = vec![latent.narrow(1, 0, given.min(wanted))];
        if given < wanted {
            let zeros = Tensor::zeros([b, wanted - given, f, h, w], &render.device());
            parts.push(zeros.cast(render.dtype()));
        }
        parts.push(render);
        let dtype = inputs.latent.dtype();
        Tensor::cat(parts.into_iter().map(|it| it.cast(dtype)).collect(), 1)
    }

    fn check(&self, inputs: &Uni3cInputs, e: &Tensor<3>) -> Result<(), ForwardError> {
        let wrong = |input, expected, found| Err(ForwardError::input(input, expected, found));
        let plain = |shape: &[usize]| Sentence::same(format!("{shape:?}"));
        let shape = inputs.latent.dims();
        let [batch, channels, f, h, w] = shape;
        if batch * channels * f * h * w == 0 {
            let input = say!("control latent", "コントロールの潜在表現");
            let expected = say!(
                "[batch, channels, frames, h, w], none zero",
                "どの軸も 0 でない [batch, channels, frames, h, w] "
            );
            return wrong(input, expected, plain(&shape));
        }
        let render = inputs.render.dims();
        let fits = |b: usize| b == batch || b == 1;
        if !fits(render[0])
            || render[2..] != [f, h, w]
            || !(1..self.dims.in_dim).contains(&render[1])
        {
            let input = say!("render latent", "レンダリングの潜在表現");
            let expected = say!(
                "[1 or {batch}, 16, {f}, {h}, {w}], as large as the latent",
                "潜在表現と同じ大きさの [1 か {batch}, 16, {f}, {h}, {w}] "
            );
            return wrong(input, expected, plain(&render));
        }
        let time = [batch, 1, self.dims.time_dim];
        if e.dims() != time {
            let input = say!("time for the control", "コントロールの時刻");
            let expected = say!(
                "{time:?}: one time per item, of the width it was trained with",
                "学習時と同じ幅で、項目ごとに一つの時刻 {time:?} "
            );
            return wrong(input, expected, plain(&e.dims()));
        }
        let Some(add) = &inputs.geometry else {
            return Ok(());
        };
        let Uni3cDims { add_dim, .. } = self.dims;
        let found = add.dims();
        if add_dim == 0 {
            let expected = say!(
                "none: this file has no geometric branch",
                "幾何ブランチのないこのファイルには指定しないこと"
            );
            return wrong(rays(), expected, plain(&found));
        }
        let even = h.is_multiple_of(2) && w.is_multiple_of(2);
        let [t, ph, pw] = ADD_PATCH;
        let pixels = [add_dim, t * f - (t - 1), ph * h, pw * w];
        if !even || !fits(found[0]) || found[1..] != pixels {
            let expected = say!(
                "[1 or {batch}, {pixels:?}] over a latent with even sides",
                "辺が偶数の潜在表現に対する [1 か {batch}, {pixels:?}] "
            );
            let found = say!("{found:?}, latent {h}×{w}", "{found:?}、潜在表現 {h}×{w} ");
            return wrong(rays(), expected, found);
        }
        Ok(())
    }
}

fn rays() -> Sentence {
    say!("mask and camera rays", "マスクとカメラ光線")
}

/// A pass under way: the stream between two blocks.
pub struct Uni3cPass {
    net: Arc<Uni3c>,
    /// `None` after an error or the last block.
    x: Option<Tensor<3>>,
    /// SiLU of the time embedding.
    time: Tensor<3>,
    rope: RopeTables,
    /// The transformer's type, which the residuals get.
    given: DType,
    next: usize,
}

impl Uni3cPass {
    /// The residual of the next block, `strength` times, `[b, tokens, out_dim]`; `None` after the
    /// last. Only one is in memory at a time.
    ///
    /// # Errors
    /// [`ForwardError::Weights`] if a streamed block cannot be read.
    pub fn residual(&mut self, strength: f32) -> Result<Option<Tensor<3>>, ForwardError> {
        let (net, index) = (self.net.clone(), self.next);
        let Some(x) = self.x.take() else {
            return Ok(None);
        };
        let read;
        let block = match &net.blocks {
            Blocks::Resident(blocks) => &blocks[index],
            Blocks::Streamed(checkpoint) => {
                let source = Source {
                    checkpoint,
                    dims: net.dims,
                    device: &net.device,
                };
                read = Block::load(&source, index)?;
                &read
            }
        };
        let x = block.forward(x, &self.time, &self.rope);
        self.next += 1;
        if self.next < net.dims.layers {
            self.x = Some(x.clone());
        }
        let residual = block.residual(x, strength);
        Ok(Some(if residual.dtype() == self.given {
            residual
        } else {
            residual.cast(self.given)
        }))
    }
}

/// ComfyUI's name for a weight of any of the layouts; `None` where it already is.
fn comfy_name(name: &str) -> Option<String> {
    const ATTENTION: [(&str, &str); 4] = [
        (".self_attn.to_q.", ".self_attn.q."),
        (".self_attn.to_k.", ".self_attn.k."),
        (".self_attn.to_v.", ".self_attn.v."),
        (".self_attn.to_out.0.", ".self_attn.o."),
    ];
    let mut new = name.strip_prefix(AUTHORS).unwrap_or(name).to_owned();
    for (from, to) in ATTENTION {
        new = new.replace(from, to);
    }
    (new != name).then_some(new)
}

/// Sizes of a checkpoint, its heads checked.
fn read_dims(checkpoint: &Checkpoint) -> Result<Uni3cDims, WeightsError> {
    let bad = |tensor: &str, expected, found, remedy| WeightsError::BadTensor {
        file: checkpoint.path().into(),
        tensor: tensor.to_owned(),
        clash: Box::new(Clash {
            expected,
            found,
            remedy,
        }),
    };
    let mut dims = Uni3cDims::detect(&|name| checkpoint.shape(name)).ok_or_else(|| {
        WeightsError::WrongFamily {
            file: checkpoint.path().into(),
            expected: FamilyKind::Uni3c.sentence(),
            found: say!(
                "no `controlnet_patch_embedding` and `proj_out.0` of one",
                "「controlnet_patch_embedding」と「proj_out.0」のないファイル"
            ),
        }
    })?;
    if let Some(heads) = heads_entry(checkpoint.config(), checkpoint.metadata()) {
        dims.heads = heads;
    }
    // The rotary embedding turns pairs, at least one on each of three axes.
    if dims.heads == 0 || !dims.dim.is_multiple_of(2 * dims.heads) || dims.head_dim() < 6 {
        return Err(bad(
            "proj_out.0.weight",
            whole_heads(64),
            width_and_heads(dims.dim, dims.heads),
            say!(
                "set the metadata entry `longtake.heads`",
                "メタデータの項目「longtake.heads」を設定してください"
            ),
        ));
    }
    if !dims.mid_dim.is_multiple_of(8) {
        return Err(bad(
            "controlnet_mask_embedding.mask_proj.0.weight",
            say!("a width of whole groups of 8", "8 の倍数の幅"),
            say!("width {}", "幅 {} ", dims.mid_dim),
            another_model(),
        ));
    }
    Ok(dims)
}
