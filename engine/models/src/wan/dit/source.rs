//! Reading the network's weights and sizes out of a checkpoint of either layout.

use burn::tensor::DType;
use longtake_sentence::{Sentence, say};
use longtake_shaders::{Activation, Tensor};

use super::dims::{DitDims, PATCH, TEXT_LEN};
use super::names::Layout;
use crate::Device;
use crate::clip::{set_heads, width_and_heads};
use crate::weights::{Checkpoint, Clash, Matrix, WeightsError};

/// Head width of every published Wan model; smaller test models say theirs (see [`heads`]).
const HEAD_DIM: usize = 128;

/// Metadata entry with the number of heads.
const HEADS_ENTRY: &str = "longtake.heads";

/// Makes a sentence when it is needed.
type Saying = fn() -> Sentence;

/// Beginnings of tensor names (both layouts) of parts that are not built: without them such a
/// model would run and give nonsense.
const UNSUPPORTED: &[(&str, Saying)] = &[
    ("vace_patch_embedding.", || {
        say!("the VACE control branch", "VACE の制御ブランチ")
    }),
    ("control_adapter.", || {
        say!(
            "the camera adapter of Wan Fun",
            "Wan Fun のカメラアダプター"
        )
    }),
    ("ref_conv.", || {
        say!("the reference input of Wan Fun", "Wan Fun の参照入力")
    }),
    ("pose_patch_embedding.", || {
        say!("the pose input of Wan Animate", "Wan Animate のポーズ入力")
    }),
    ("casual_audio_encoder.", || {
        say!("the audio input of Wan S2V", "Wan S2V の音声入力")
    }),
    ("audio_proj.", || say!("an audio input", "音声入力")),
];

/// Weight `[out, in]` and bias `[out]` of a linear layer.
#[derive(Clone)]
pub struct Linear {
    weight: Matrix,
    bias: Tensor<1>,
}

impl Linear {
    /// Of tensors that are at hand.
    pub fn dense(weight: Tensor<2>, bias: Tensor<1>) -> Self {
        Self {
            weight: weight.into(),
            bias,
        }
    }

    pub fn apply(&self, x: Tensor<3>) -> Tensor<3> {
        self.act(x, Activation::None)
    }

    /// Followed by the tanh form of GELU.
    pub fn apply_gelu(&self, x: Tensor<3>) -> Tensor<3> {
        self.act(x, Activation::GeluTanh)
    }

    /// Followed by `act`.
    pub fn act(&self, x: Tensor<3>, act: Activation) -> Tensor<3> {
        self.weight.apply(x, Some(self.bias.clone()), act)
    }

    /// The same layer, its weight dense: for one that is applied several times in a row.
    pub fn ready(&self) -> Self {
        Self {
            weight: self.weight.ready(),
            bias: self.bias.clone(),
        }
    }

    /// The type that it computes in.
    pub fn dtype(&self) -> DType {
        self.weight.dtype()
    }
}

/// A checkpoint of known layout and sizes, and where its tensors shall go.
pub struct Source<'a> {
    pub checkpoint: &'a Checkpoint,
    pub layout: Layout,
    pub dims: DitDims,
    pub device: &'a Device,
}

impl Source<'_> {
    /// The tensor with the authors' name `name`, whatever the file calls it.
    pub fn get<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
    ) -> Result<Tensor<D>, WeightsError> {
        self.checkpoint
            .tensor(&self.layout.name(name), shape, self.device)
    }

    pub fn linear(&self, name: &str, from: usize, to: usize) -> Result<Linear, WeightsError> {
        let weight = self.layout.name(&format!("{name}.weight"));
        Ok(Linear {
            weight: self.checkpoint.matrix(&weight, [to, from], self.device)?,
            bias: self.get(&format!("{name}.bias"), [to])?,
        })
    }
}

/// Layout and sizes of a checkpoint.
pub fn read_dims(checkpoint: &Checkpoint) -> Result<(Layout, DitDims), WeightsError> {
    let refuse = |found| WeightsError::WrongFamily {
        file: checkpoint.path().into(),
        expected: say!("a Wan video transformer", "Wan の動画トランスフォーマー"),
        found,
    };
    let layout = Layout::detect(|name| checkpoint.has(name)).ok_or_else(|| {
        refuse(say!(
            "neither `head.modulation` nor `condition_embedder.time_proj.weight`",
            "「head.modulation」も「condition_embedder.time_proj.weight」もないファイル"
        ))
    })?;
    for (name, what) in UNSUPPORTED {
        if checkpoint.has_prefix(name) {
            let what = what();
            return Err(refuse(
                say!("`{name}`: {what}, which is not supported yet", "まだ対応していない{what}（「{name}」）のあるファイル"; what),
            ));
        }
    }
    let axis = |name: &str, axis: usize| {
        let name = layout.name(name);
        checkpoint.bytes_of(&name)?; // says so if it is missing
        let shape = checkpoint.shape(&name).unwrap_or_default();
        shape
            .get(axis)
            .copied()
            .ok_or_else(|| WeightsError::BadTensor {
                file: checkpoint.path().into(),
                tensor: name,
                clash: Box::new(Clash {
                    expected: say!("at least {} axes", "{} 以上の軸", axis + 1),
                    found: say!("shape {shape:?}", "形状 {shape:?} "),
                    remedy: another_model(),
                }),
            })
    };
    let part = |name: &str, index: usize| {
        if checkpoint.has(&layout.name(name)) {
            axis(name, index)
        } else {
            Ok(0)
        }
    };
    let dim = axis("time_embedding.2.bias", 0)?;
    let dims = DitDims {
        dim,
        ffn_dim: axis("blocks.0.ffn.0.bias", 0)?,
        heads: heads(checkpoint, &layout.name("time_embedding.2.bias"), dim)?,
        layers: checkpoint.count_blocks("blocks."),
        in_dim: axis("patch_embedding.weight", 1)?,
        out_dim: axis("head.head.bias", 0)? / (PATCH * PATCH),
        text_dim: axis("text_embedding.0.weight", 1)?,
        text_len: TEXT_LEN,
        freq_dim: axis("time_embedding.0.weight", 1)?,
        image_dim: part("img_emb.proj.0.bias", 0)?,
        image_positions: part("img_emb.emb_pos", 1)?,
        pose_dim: part("patch_embedding_pose.weight", 1)?,
        mask_dim: part("patch_embedding_mask.weight", 1)?,
    };
    Ok((layout, dims))
}

/// What the file says (`num_attention_heads` of a diffusers config, or the metadata entry
/// `longtake.heads` of our test models), else one head per 128 channels.
fn heads(checkpoint: &Checkpoint, tensor: &str, dim: usize) -> Result<usize, WeightsError> {
    let written = checkpoint.metadata().get(HEADS_ENTRY);
    let heads = checkpoint
        .config_usize("num_attention_heads")
        .or_else(|| written.and_then(|heads| heads.parse().ok()))
        .unwrap_or(if dim.is_multiple_of(HEAD_DIM) {
            dim / HEAD_DIM
        } else {
            0
        });
    // The rotary embedding turns pairs, at least one on each of three axes.
    if heads > 0 && dim.is_multiple_of(2 * heads) && dim / heads >= 6 {
        return Ok(heads);
    }
    Err(WeightsError::BadTensor {
        file: checkpoint.path().into(),
        tensor: tensor.to_owned(),
        clash: Box::new(Clash {
            expected: whole_heads(HEAD_DIM),
            found: width_and_heads(dim, heads),
            remedy: set_heads(),
        }),
    })
}

/// Expected of the width of a network whose rotary embedding has three axes.
pub(in crate::wan) fn whole_heads(usual: usize) -> Sentence {
    say!(
        "a width of whole heads, each even and of 6 channels or more ({usual} unless the file says otherwise)",
        "6 チャンネル以上の偶数であるヘッドの幅（ファイルに指定がなければ {usual}）の倍数"
    )
}

/// What to do about a file whose shapes are nothing known.
pub(in crate::wan) fn another_model() -> Sentence {
    say!("the file is of another model", "別のモデルのファイルです")
}
